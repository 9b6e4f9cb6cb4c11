/* Reserved is open leaves times worst price after every event, and nothing after the drain. */
#include "check.h"
#include "dp_risk.h"
#include "order_bench.h"

#define DOLLAR INT64_C(1000000000)

/* No limits: here only the books are kept, nothing is decided. */
static struct dp_risk *risk_open(void)
{
    const struct dp_risk_config config = {.instrument_count_max = 1, .strategy_count_max = 1};
    size_t size = dp_round_up(dp_risk_size(&config), DP_CACHE_LINE);
    struct dp_risk *risk = aligned_alloc(DP_CACHE_LINE, size);
    CHECK_EQUAL(dp_risk_init(risk, &config, NULL), 0);
    return risk;
}

static void check_conserved(struct dp_risk *risk, struct bench *bench, uint64_t seed, int step)
{
    struct dp_risk_exposure sum = {0};
    uint64_t leaves = 0;
    int64_t position = 0;
    for (uint32_t index = 0; index < dp_orders_count(bench->orders); index++) {
        const struct dp_order *order = dp_orders_at(bench->orders, index);
        bool is_buy = order->side == DP_SIDE_BUY;
        if (dp_order_is_live(order)) {
            dp_money_nanos money = (dp_money_nanos)dp_order_worst_price(order) *
                (dp_money_nanos)dp_order_worst_leaves(order);
            *(is_buy ? &sum.buy_open : &sum.sell_open) += money;
            leaves += dp_order_worst_leaves(order);
            sum.open_order_count++;
        }
        *(is_buy ? &sum.buy_executed : &sum.sell_executed) += order->cum_money;
        position += is_buy ? (int64_t)order->cum_qty : -(int64_t)order->cum_qty;
    }
    struct dp_risk_exposure exposure = dp_risk_exposure(risk, 0);
    struct dp_risk_position booked = dp_risk_position(risk, 0);
    CHECK_THAT(exposure.buy_open == sum.buy_open && exposure.sell_open == sum.sell_open &&
            exposure.buy_executed == sum.buy_executed &&
            exposure.sell_executed == sum.sell_executed &&
            exposure.open_order_count == sum.open_order_count,
        "seed %" PRIu64 ", step %d: exposure is not the sum over the orders", seed, step);
    CHECK_THAT(booked.buy_leaves + booked.sell_leaves == leaves && booked.position == position &&
            booked.cash == sum.sell_executed - sum.buy_executed &&
            (int64_t)(booked.bought_qty - booked.sold_qty) == position,
        "seed %" PRIu64 ", step %d: position is not the sum over the orders", seed, step);
}

static void apply_booked(struct dp_risk *risk, struct bench *bench, struct dp_event *event)
{
    struct dp_order *order = dp_orders_find(bench->orders,
        event->kind == DP_EVENT_REPLACE ? event->orig_user_ref_num : event->user_ref_num);
    struct dp_risk_weight before = {0};
    if (order != NULL)
        before = dp_risk_weigh(order);
    bench_apply(bench, event);
    order = dp_orders_find(bench->orders, event->user_ref_num);
    if (order != NULL)
        dp_risk_apply(risk, order, &before);
}

static void conserve(uint64_t seed)
{
    static const uint8_t kinds[] = {DP_EVENT_ACCEPTED, DP_EVENT_ACCEPTED, DP_EVENT_FILLED,
        DP_EVENT_FILLED, DP_EVENT_REPLACE, DP_EVENT_REPLACED, DP_EVENT_REPLACED, DP_EVENT_REJECTED,
        DP_EVENT_CANCELED, DP_EVENT_CANCEL, DP_EVENT_BROKEN, DP_EVENT_EXPIRED, DP_EVENT_NEW};
    struct dp_risk *risk = risk_open();
    struct bench *bench = bench_open();
    uint64_t state = seed;
    for (int step = 0; step < BENCH_EVENTS_MAX - 100 && dp_orders_next(bench->orders) != 0;
         step++) {
        uint32_t next = dp_orders_next(bench->orders);
        struct dp_event event = {
            .time_ns = step,
            .kind = kinds[check_random(&state) % sizeof(kinds)],
            .user_ref_num = (uint32_t)(1 + check_random(&state) % next),
            .qty = 1 + check_random(&state) % 50,
            .price_nanos = (int64_t)(1 + check_random(&state) % 20) * DOLLAR,
            .exec_id = check_random(&state) % 100,
            .venue_order_id = 1 + check_random(&state) % 3,
            .side = (uint8_t)(1 + check_random(&state) % 2),
        };
        event.orig_user_ref_num = event.kind == DP_EVENT_REPLACE ? event.user_ref_num : 0;
        if (event.kind == DP_EVENT_NEW || event.kind == DP_EVENT_REPLACE)
            event.user_ref_num = next;
        apply_booked(risk, bench, &event);
        check_conserved(risk, bench, seed, step);
    }
    for (uint32_t index = 0; index < dp_orders_count(bench->orders); index++) {
        struct dp_event event = {.kind = DP_EVENT_EXPIRED};
        event.user_ref_num = dp_orders_at(bench->orders, index)->user_ref_num;
        apply_booked(risk, bench, &event);
    }
    struct dp_risk_exposure drained = dp_risk_exposure(risk, 0);
    CHECK_THAT(drained.buy_open == 0 && drained.sell_open == 0 && drained.open_order_count == 0,
        "seed %" PRIu64 ": something is reserved after the drain", seed);
    bench_close(bench);
    free(risk);
}

static void test_exposure_is_conserved_on_any_walk(void)
{
    for (uint64_t seed = 1; seed <= 200; seed++)
        conserve(seed);
}

int main(void)
{
    RUN_TESTS(TEST(test_exposure_is_conserved_on_any_walk));
}
