/*
 * order_bench - an order table with a slow model beside it: the list of executions that count.
 */
#ifndef ORDER_BENCH_H
#define ORDER_BENCH_H

#include "check.h"
#include "dp_order.h"

enum { BENCH_NUMBERS_MAX = 64, BENCH_EVENTS_MAX = 400 };

struct bench_fill {
    uint64_t exec_id;
    const struct dp_order *order;
    uint64_t qty;
    int64_t price_nanos;
    bool broken;
    bool filled;
};

struct bench {
    struct dp_orders_config config;
    struct dp_orders *orders;
    int64_t time_ns;
    uint64_t exec_id;
    uint32_t fill_count;
    uint32_t event_count;
    struct bench_fill fills[BENCH_EVENTS_MAX];
    struct dp_event events[BENCH_EVENTS_MAX];
};

static inline struct dp_orders *bench_make_orders(const struct dp_orders_config *config)
{
    size_t size = dp_round_up(dp_orders_size(config), DP_CACHE_LINE);
    struct dp_orders *orders = aligned_alloc(DP_CACHE_LINE, size);
    memset(orders, 0xee, size);
    CHECK_EQUAL(dp_orders_init(orders, config, NULL), 0);
    return orders;
}

static inline struct bench *bench_open(void)
{
    struct bench *bench = calloc(1, sizeof(*bench));
    bench->config = (struct dp_orders_config){
        .order_count_max = BENCH_NUMBERS_MAX, .exec_count_max = 256, .user_ref_num_first = 1};
    bench->orders = bench_make_orders(&bench->config);
    bench->exec_id = 1000;
    return bench;
}

static inline void bench_close(struct bench *bench)
{
    free(bench->orders);
    free(bench);
}

static inline struct bench_fill *bench_fill_of(
    struct bench *bench, uint64_t exec_id, const struct dp_order *order)
{
    for (uint32_t index = 0; index < bench->fill_count; index++)
        if (bench->fills[index].exec_id == exec_id && bench->fills[index].order == order)
            return &bench->fills[index];
    struct bench_fill *fill = &bench->fills[bench->fill_count++];
    *fill = (struct bench_fill){.exec_id = exec_id, .order = order};
    return fill;
}

/* The model: the first copy of an execution counts, unless it is broken, before or after. */
static inline void bench_note(struct bench *bench, const struct dp_event *event)
{
    const struct dp_order *order = dp_orders_find(bench->orders, event->user_ref_num);
    if (order == NULL)
        return;
    if (event->kind == DP_EVENT_BROKEN)
        bench_fill_of(bench, event->exec_id, order)->broken = true;
    if (event->kind != DP_EVENT_FILLED || event->qty == 0)
        return;
    struct bench_fill *fill = bench_fill_of(bench, event->exec_id, order);
    if (fill->filled)
        return;
    fill->filled = true;
    fill->qty = event->qty;
    fill->price_nanos = event->price_nanos;
}

static inline enum dp_order_result bench_apply(struct bench *bench, struct dp_event *event)
{
    bench_note(bench, event);
    enum dp_order_result result = dp_orders_apply(bench->orders, event);
    bench->events[bench->event_count++] = *event;
    return result;
}

static inline enum dp_order_result bench_send(struct bench *bench, enum dp_event_kind kind,
    uint32_t user_ref_num, uint32_t orig_user_ref_num, uint64_t qty)
{
    struct dp_event event = {
        .time_ns = ++bench->time_ns,
        .kind = (uint8_t)kind,
        .user_ref_num = user_ref_num,
        .orig_user_ref_num = orig_user_ref_num,
        .qty = qty,
        .price_nanos = 1000000000,
        .side = DP_SIDE_BUY,
    };
    return bench_apply(bench, &event);
}

/* An execution or break gets an exec_id never used before. */
static inline enum dp_order_result bench_answer(
    struct bench *bench, enum dp_event_kind kind, uint32_t user_ref_num, uint64_t qty)
{
    bool is_exec = kind == DP_EVENT_FILLED || kind == DP_EVENT_BROKEN;
    bool is_named = kind == DP_EVENT_ACCEPTED || kind == DP_EVENT_REPLACED;
    struct dp_event event = {
        .time_ns = ++bench->time_ns,
        .kind = (uint8_t)kind,
        .user_ref_num = user_ref_num,
        .qty = qty,
        .price_nanos = is_exec || is_named ? 1000000000 : 0,
        .exec_id = is_exec ? ++bench->exec_id : 0,
        .venue_order_id = is_named ? 77 : 0,
        .order_state = is_named ? 'L' : 0,
    };
    return bench_apply(bench, &event);
}

/* "+1c": how it went, the base as OrdStatus, what is pending. */
static inline const char *bench_state_text(
    const struct dp_order *order, enum dp_order_result result, char text[4])
{
    uint64_t state = dp_load_relaxed(&order->state);
    text[0] = result == DP_ORDER_APPLIED ? '+' : result == DP_ORDER_DUPLICATE ? 'D' : '!';
    text[1] = "?dA01248C39u"[DP_ORDER_BASE(state)];
    text[2] = "-crb"[DP_ORDER_PENDING(state)];
    text[3] = 0;
    return text;
}

static inline void bench_check_order(
    struct bench *bench, const struct dp_order *order, const char *where)
{
    uint64_t cum_qty = 0;
    dp_money_nanos cum_money = 0;
    for (uint32_t index = 0; index < bench->fill_count; index++) {
        const struct bench_fill *fill = &bench->fills[index];
        if (fill->order != order || fill->broken || !fill->filled)
            continue;
        cum_qty += fill->qty;
        cum_money += (dp_money_nanos)fill->price_nanos * (dp_money_nanos)fill->qty;
    }
    CHECK_THAT(order->cum_qty == cum_qty && order->cum_money == cum_money,
        "%s: I4: cum %" PRIu64 ", fills %" PRIu64, where, order->cum_qty, cum_qty);

    uint64_t gone = order->cum_qty + order->cxl_qty + order->bust_qty;
    if (dp_order_is_live(order))
        CHECK_THAT(gone + order->leaves_qty == order->qty && order->leaves_qty > 0,
            "%s: I1: qty %" PRIu64 ", gone %" PRIu64 ", leaves %" PRIu64, where, order->qty, gone,
            order->leaves_qty);
    else
        CHECK_THAT(order->leaves_qty == 0 && order->pending_user_ref_num == 0 &&
                DP_ORDER_PENDING(dp_load_relaxed(&order->state)) == 0,
            "%s: I2: leaves %" PRIu64 " or something pending", where, order->leaves_qty);
}

static inline void bench_check_invariants(struct bench *bench, const char *where)
{
    for (uint32_t index = 0; index < dp_orders_count(bench->orders); index++)
        bench_check_order(bench, dp_orders_at(bench->orders, index), where);
}

/* The events as they came out, applied to a fresh table, give every byte again. */
static inline void bench_check_replay(struct bench *bench)
{
    struct dp_orders *again = bench_make_orders(&bench->config);
    for (uint32_t index = 0; index < bench->event_count; index++) {
        struct dp_event event = bench->events[index];
        dp_orders_apply(again, &event);
        CHECK(memcmp(&event, &bench->events[index], sizeof(event)) == 0);
    }
    CHECK(memcmp(again, bench->orders, dp_orders_size(&bench->config)) == 0);
    free(again);
}

#endif
