/* Both ways through the gate come to the same: one gate is left alone, of the other everything is
 * said to have changed before each order, so that it always takes the careful way. */
#include "dp_order.h"
#include "dp_risk_field.h"
#include "risk_scopes.h"

enum { SEEDS = 1000, STEPS = 400, PLACES = 4 };

struct pair {
    struct dp_risk *plain;
    struct dp_risk *wary;
    struct dp_books *books;
    struct dp_orders *orders;
    uint64_t random;
    int64_t now_ns;
    uint32_t seen[DP_REASON_COUNT];
};

static uint64_t below(struct pair *pair, uint64_t end)
{
    return check_random(&pair->random) % end;
}

static bool one_in(struct pair *pair, uint64_t count)
{
    return below(pair, count) == 0;
}

/* ---- the limits ---- */

static int64_t money(struct pair *pair, int64_t most)
{
    return one_in(pair, 3) ? (int64_t)below(pair, (uint64_t)most) * DOLLAR : DP_RISK_UNLIMITED;
}

static uint64_t count(struct pair *pair, uint64_t most)
{
    return one_in(pair, 3) ? 1 + below(pair, most) : DP_RISK_UNLIMITED;
}

static uint64_t rate(struct pair *pair, uint64_t most)
{
    return one_in(pair, 4) ? 1 + below(pair, most) : DP_RISK_UNLIMITED;
}

static struct dp_risk_strategy_limits strategy_limits(struct pair *pair, uint32_t index)
{
    return (struct dp_risk_strategy_limits){
        .order_qty_max = count(pair, 300),
        .order_notional_max_nanos = money(pair, 4000),
        .gross_max_nanos = money(pair, 60000),
        .net_max_nanos = money(pair, 40000),
        .open_order_count_max = count(pair, 30),
        .order_rate_max = rate(pair, 3000000),
        .order_burst_max = 1 + below(pair, 20),
        .duplicate_count_max = count(pair, 4),
        .duplicate_window_ns = 1 + (int64_t)below(pair, 30000),
        .fan_out_max = one_in(pair, 3) ? 1 + below(pair, 2) : 0,
        .attributes_denied = one_in(pair, 3) ? DP_RISK_ISO : 0,
        .account_index = index == 2,
        .has_policy = !one_in(pair, 20),
    };
}

static struct dp_risk_group_limits group_limits(struct pair *pair)
{
    return (struct dp_risk_group_limits){
        .order_qty_max = count(pair, 300),
        .order_notional_max_nanos = money(pair, 4000),
        .gross_max_nanos = money(pair, 90000),
        .net_max_nanos = money(pair, 60000),
        .open_order_count_max = count(pair, 40),
        .open_max_nanos = money(pair, 60000),
        .entered_max_nanos = money(pair, 400000),
        .message_floor = count(pair, 300),
        .message_ratio = below(pair, 5),
        .order_rate_max = rate(pair, 3000000),
        .order_burst_max = 1 + below(pair, 20),
        .has_policy = true,
    };
}

static struct dp_risk_instrument_limits instrument_limits(struct pair *pair)
{
    return (struct dp_risk_instrument_limits){
        .order_qty_max = count(pair, 300),
        .order_notional_max_nanos = money(pair, 4000),
        .position_max = count(pair, 2000),
        .collar_bps = (uint32_t)below(pair, 500),
        .collar_abs_nanos = (int64_t)below(pair, 20) * DOLLAR / 100,
        .adv_fraction_bps = one_in(pair, 5) ? 100 : 0,
        .adv_qty = 20000,
        .band_low_nanos = one_in(pair, 3) ? 9 * DOLLAR : 0,
        .band_high_nanos = one_in(pair, 3) ? 11 * DOLLAR : 0,
        .reference_age_max_ns = one_in(pair, 3) ? 5000 : 0,
        .locate_qty = 1 + below(pair, 500),
        .typical_multiple = one_in(pair, 3) ? 3 : 0,
        .impact_bps = one_in(pair, 4) ? 10 : 0,
        .impact_levels = one_in(pair, 4) ? 2 : 0,
        .accounts_denied = one_in(pair, 6) ? 2 : 0,
        .short_sale = one_in(pair, 3) ? DP_RISK_SHORT_LOCATE : DP_RISK_SHORT_FREE,
        .restricted = one_in(pair, 20),
        .price_test = one_in(pair, 3),
        .self_trade_denied = one_in(pair, 3),
        .has_policy = !one_in(pair, 20),
    };
}

static void set_one(struct pair *pair, uint32_t index)
{
    struct dp_risk_group_limits group = group_limits(pair);
    struct dp_risk_strategy_limits strategy = strategy_limits(pair, index);
    struct dp_risk_instrument_limits instrument = instrument_limits(pair);
    struct dp_risk *const both[] = {pair->plain, pair->wary};
    for (int which = 0; which < 2; which++) {
        CHECK_EQUAL(dp_risk_set_group(both[which], index, &group, NULL), 0);
        CHECK_EQUAL(dp_risk_set_strategy(both[which], (uint16_t)index, &strategy, NULL), 0);
        CHECK_EQUAL(dp_risk_set_instrument(both[which], index, &instrument, NULL), 0);
    }
}

/* ---- the pair ---- */

static struct dp_books *open_books(void)
{
    const struct dp_books_config config = {
        .instrument_count_max = PLACES, .order_count_max = 64, .level_count_max = 64};
    size_t size = dp_round_up(dp_books_size(&config), DP_CACHE_LINE);
    struct dp_books *books = aligned_alloc(DP_CACHE_LINE, size);
    memset(books, 0, size);
    CHECK_EQUAL(dp_books_init(books, &config, NULL), 0);
    for (uint32_t index = 0; index < PLACES; index++) {
        dp_book_open(books, index, "SYMBOL  ");
        for (uint64_t level = 0; level < 8; level++) {
            int64_t away = (int64_t)(1 + level) * DOLLAR / 100;
            uint64_t order_ref = index * 100 + level * 2 + 1;
            dp_book_add(books, index, order_ref, DP_SIDE_BUY, 40, 10 * DOLLAR - away, 1);
            dp_book_add(books, index, order_ref + 1, DP_SIDE_SELL, 40, 10 * DOLLAR + away, 1);
        }
    }
    return books;
}

static struct pair open_pair(uint64_t seed)
{
    const struct dp_orders_config config = {
        .order_count_max = STEPS + 1, .exec_count_max = STEPS + 1, .user_ref_num_first = 1};
    struct pair pair = {.random = seed, .now_ns = (int64_t)seed % 2 * 1000000000};
    pair.plain = scopes_open(1);
    pair.wary = scopes_open(1);
    pair.books = open_books();
    pair.orders = aligned_alloc(DP_CACHE_LINE, dp_round_up(dp_orders_size(&config), DP_CACHE_LINE));
    CHECK_EQUAL(dp_orders_init(pair.orders, &config, NULL), 0);
    for (uint32_t index = 0; index < 3; index++)
        if (one_in(&pair, 2))
            set_one(&pair, index);
    return pair;
}

static void close_pair(struct pair *pair)
{
    free(pair->plain);
    free(pair->wary);
    free(pair->books);
    free(pair->orders);
}

/* ---- the orders ---- */

static int64_t price(struct pair *pair)
{
    switch (below(pair, 60)) {
    case 0: return (int64_t)below(pair, 3) - 1;
    case 1: return 10 * DOLLAR + 1 + (int64_t)below(pair, TICK - 1);
    case 2: return INT64_C(200000) * DOLLAR - TICK * (int64_t)below(pair, 2);
    case 3: return INT64_MAX - (int64_t)below(pair, TICK);
    default: return 10 * DOLLAR + ((int64_t)below(pair, 21) - 10) * DOLLAR / 100;
    }
}

static void set_market(struct pair *pair, struct dp_risk_order *order)
{
    order->best_bid_nanos = 10 * DOLLAR - (1 + (int64_t)below(pair, 4)) * DOLLAR / 100;
    order->best_ask_nanos = 10 * DOLLAR + (int64_t)below(pair, 4) * DOLLAR / 100;
    switch (below(pair, 80)) {
    case 0: order->best_bid_nanos = DP_PRICE_NONE; break;
    case 1: order->best_ask_nanos = DP_PRICE_NONE; break;
    case 2: order->best_ask_nanos = order->best_bid_nanos - (int64_t)below(pair, 2); break;
    case 3: order->best_bid_nanos = -(int64_t)below(pair, 2); break;
    case 4: order->book_flags = 1; break;
    case 5: order->trading_state = 'H'; break;
    default: break;
    }
}

static struct dp_risk_order any_order(struct pair *pair)
{
    static const uint32_t attributes[] = {DP_RISK_DAY, DP_RISK_DAY, DP_RISK_DAY | DP_RISK_SHORT,
        DP_RISK_IOC, DP_RISK_DAY | DP_RISK_SHORT_EXEMPT, DP_RISK_DAY | DP_RISK_ISO};
    struct dp_risk_order order = {
        .now_ns = pair->now_ns,
        .price_nanos = price(pair),
        .qty = one_in(pair, 60) ? below(pair, 2) << 24 : 1 + below(pair, 12) * 25,
        .books = one_in(pair, 10) ? NULL : pair->books,
        .instrument_index = (uint32_t)below(pair, one_in(pair, 20) ? PLACES + 1 : 2),
        .trading_state = DP_TRADING_OPEN,
        .attributes = attributes[below(pair, sizeof(attributes) / sizeof(attributes[0]))],
        .strategy_index = (uint16_t)below(pair, one_in(pair, 20) ? 5 : 3),
        .side = (uint8_t)(one_in(pair, 80) ? 3 * below(pair, 2) : 1 + below(pair, 2)),
        .is_replace = one_in(pair, 5),
    };
    set_market(pair, &order);
    if (order.is_replace) {
        order.increase_qty = below(pair, 3) * 25;
        order.increase_ticks = (int64_t)order.increase_qty * 100000;
    }
    return order;
}

/* ---- what happens to both ---- */

/* What is used of every limit that has a use. */
static void check_used(struct pair *pair, struct dp_risk_scope scope, uint64_t seed, int step)
{
    int64_t plain = 0;
    int64_t wary = 0;
    for (uint32_t number = 0; number < dp_risk_field_count(scope.kind); number++) {
        if (!dp_risk_field_used(pair->plain, scope, number, pair->now_ns, &plain))
            continue;
        CHECK(dp_risk_field_used(pair->wary, scope, number, pair->now_ns, &wary));
        CHECK_THAT(plain == wary, "seed %" PRIu64 ", step %d, field %u: %" PRId64 " and %" PRId64,
            seed, step, number, plain, wary);
    }
}

static void check_equal(struct pair *pair, uint64_t seed, int step)
{
    check_used(pair, (struct dp_risk_scope){DP_RISK_SCOPE_FIRM, 0}, seed, step);
    for (uint32_t index = 0; index < 3; index++) {
        check_used(pair, (struct dp_risk_scope){DP_RISK_SCOPE_STRATEGY, index}, seed, step);
        check_used(pair, (struct dp_risk_scope){DP_RISK_SCOPE_INSTRUMENT, index}, seed, step);
        struct dp_risk_exposure one = dp_risk_exposure(pair->plain, (uint16_t)index);
        struct dp_risk_exposure other = dp_risk_exposure(pair->wary, (uint16_t)index);
        struct dp_risk_position plain = dp_risk_position(pair->plain, index);
        struct dp_risk_position wary = dp_risk_position(pair->wary, index);
        CHECK_THAT(one.buy_open == other.buy_open && one.sell_open == other.sell_open &&
                one.open_order_count == other.open_order_count &&
                plain.buy_leaves == wary.buy_leaves && plain.sell_leaves == wary.sell_leaves,
            "seed %" PRIu64 ", step %d: they hold different amounts", seed, step);
    }
}

/* A breaker that tripped is armed again, so that the walk goes on. */
static void arm(struct pair *pair, uint16_t strategy_index)
{
    const struct dp_risk_scope scope = {DP_RISK_SCOPE_STRATEGY, strategy_index};
    struct dp_risk *const both[] = {pair->plain, pair->wary};
    for (int which = 0; which < 2; which++)
        dp_risk_arm(both[which], scope, dp_risk_mark_of(both[which], scope));
}

static void make_order(struct pair *pair, const struct dp_risk_order *order)
{
    struct dp_event event = {
        .time_ns = order->now_ns,
        .price_nanos = order->price_nanos,
        .qty = order->qty,
        .user_ref_num = dp_orders_next(pair->orders),
        .instrument_index = order->instrument_index,
        .strategy_index = order->strategy_index,
        .kind = DP_EVENT_NEW,
        .side = order->side,
        .time_in_force = DP_TIF_DAY,
    };
    CHECK_EQUAL(dp_orders_apply(pair->orders, &event), DP_ORDER_APPLIED);
}

static void decide_both(struct pair *pair, uint64_t seed, int step)
{
    struct dp_risk_order order = any_order(pair);
    struct dp_risk_verdict plain;
    struct dp_risk_verdict wary;
    dp_risk_set_trip(pair->wary, DP_REASON_TX_FULL, false);
    enum dp_reason reason = dp_risk_decide(pair->plain, &order, &plain);
    CHECK_EQUAL(dp_risk_decide(pair->wary, &order, &wary), plain.reason);
    CHECK_THAT(
        plain.reason == wary.reason && plain.observed == wary.observed && plain.limit == wary.limit,
        "seed %" PRIu64 ", step %d: %s %" PRId64 " of %" PRId64 ", with care %s %" PRId64
        " of %" PRId64,
        seed, step, dp_reason_name(plain.reason), plain.observed, plain.limit,
        dp_reason_name(wary.reason), wary.observed, wary.limit);
    pair->seen[reason]++;
    if (reason == DP_REASON_FAN_OUT)
        arm(pair, order.strategy_index);
    if (reason != DP_REASON_ACCEPTED || (order.is_replace && one_in(pair, 2)))
        return;
    if (order.is_replace || one_in(pair, 10)) {
        dp_risk_undo(pair->plain, &order);
        dp_risk_undo(pair->wary, &order);
    } else {
        make_order(pair, &order);
    }
}

static void answer_both(struct pair *pair)
{
    static const uint8_t kinds[] = {DP_EVENT_ACCEPTED, DP_EVENT_FILLED, DP_EVENT_FILLED,
        DP_EVENT_CANCELED, DP_EVENT_REJECTED, DP_EVENT_EXPIRED};
    struct dp_event event = {
        .time_ns = pair->now_ns,
        .exec_id = check_random(&pair->random),
        .price_nanos = 10 * DOLLAR,
        .qty = 1 + below(pair, 100),
        .user_ref_num = (uint32_t)(1 + below(pair, dp_orders_next(pair->orders))),
        .kind = kinds[below(pair, sizeof(kinds))],
        .order_state = 'L',
    };
    struct dp_order *order = dp_orders_find(pair->orders, event.user_ref_num);
    if (order == NULL)
        return;
    struct dp_risk_weight before = dp_risk_weigh(order);
    dp_orders_apply(pair->orders, &event);
    dp_risk_apply(pair->plain, order, &before);
    dp_risk_apply(pair->wary, order, &before);
}

static void pass_time(struct pair *pair)
{
    pair->now_ns += (int64_t)below(pair, 3) * (int64_t)below(pair, 2000);
    pair->now_ns -= one_in(pair, 50) ? 700 : 0;
    pair->now_ns += one_in(pair, 300) ? INT64_C(10000000000000000) : 0; /* 115 days */
    if (one_in(pair, 3)) {
        dp_risk_heard(pair->plain, pair->now_ns);
        dp_risk_heard(pair->wary, pair->now_ns);
    }
}

static void walk(uint64_t seed, uint32_t *seen)
{
    struct pair pair = open_pair(seed);
    for (int step = 0; step < STEPS; step++) {
        pass_time(&pair);
        decide_both(&pair, seed, step);
        if (one_in(&pair, 2))
            answer_both(&pair);
        if (one_in(&pair, 100))
            set_one(&pair, (uint32_t)below(&pair, 3));
        if (step % 16 == 0)
            check_equal(&pair, seed, step);
    }
    for (int reason = 0; reason < DP_REASON_COUNT; reason++)
        seen[reason] += pair.seen[reason];
    close_pair(&pair);
}

static void test_both_ways_decide_alike(void)
{
    static const enum dp_reason reasons[] = {DP_REASON_ACCEPTED, DP_REASON_NO_POLICY,
        DP_REASON_RESTRICTED_SYMBOL, DP_REASON_HALTED, DP_REASON_ORDER_ATTRIBUTE,
        DP_REASON_MAX_ORDER_QTY, DP_REASON_ORDER_INVALID, DP_REASON_NO_REFERENCE_PRICE,
        DP_REASON_STALE_MARKET_DATA, DP_REASON_PRICE_COLLAR, DP_REASON_MAX_ORDER_NOTIONAL,
        DP_REASON_SHORT_SALE, DP_REASON_TYPICAL_SIZE_MULTIPLE, DP_REASON_ADV_FRACTION,
        DP_REASON_MARKET_IMPACT, DP_REASON_DUPLICATE_ORDER, DP_REASON_ORDER_RATE,
        DP_REASON_MESSAGE_RATE, DP_REASON_FAN_OUT, DP_REASON_SELF_TRADE, DP_REASON_ORDER_TO_TRADE,
        DP_REASON_OPEN_ORDER_COUNT, DP_REASON_OPEN_NOTIONAL, DP_REASON_ACCUMULATED_VALUE,
        DP_REASON_POSITION, DP_REASON_NET_EXPOSURE, DP_REASON_GROSS_EXPOSURE_ENTERED};
    uint32_t seen[DP_REASON_COUNT] = {0};
    for (uint64_t seed = 1; seed <= SEEDS; seed++)
        walk(seed, seen);
    for (size_t index = 0; index < sizeof(reasons) / sizeof(reasons[0]); index++)
        CHECK_THAT(seen[reasons[index]] >= 5, "%s was the answer %u times",
            dp_reason_name(reasons[index]), seen[reasons[index]]);
}

int main(void)
{
    RUN_TESTS(TEST(test_both_ways_decide_alike));
}
