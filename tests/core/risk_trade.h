/*
 * risk_trade - orders of strategy 0 that live: through gate and table, and what is reported of
 * them.
 */
#ifndef RISK_TRADE_H
#define RISK_TRADE_H

#include "order_bench.h"
#include "risk_scopes.h"

/* A new order through gate and table, as the submit path does. */
static inline struct dp_order *send(
    struct dp_risk *risk, struct bench *bench, uint8_t side, uint64_t qty)
{
    struct dp_risk_order order = order_of(0, side, qty);
    struct dp_event event = {
        .kind = DP_EVENT_NEW,
        .user_ref_num = dp_orders_next(bench->orders),
        .qty = qty,
        .price_nanos = order.price_nanos,
        .side = side,
    };
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    bench_apply(bench, &event);
    return dp_orders_find(bench->orders, event.user_ref_num);
}

static inline void report(struct dp_risk *risk, struct bench *bench, struct dp_order *order,
    uint8_t kind, uint64_t qty, int64_t price_nanos)
{
    static uint64_t exec_id;
    struct dp_risk_weight before = dp_risk_weigh(order);
    struct dp_event event = {
        .time_ns = 1000000,
        .kind = kind,
        .user_ref_num = order->user_ref_num,
        .qty = qty,
        .price_nanos = price_nanos,
        .exec_id = ++exec_id,
        .venue_order_id = order->user_ref_num,
    };
    bench_apply(bench, &event);
    dp_risk_apply(risk, order, &before);
}

#endif
