/*
 * risk_bench - a gate whose limits are all off but those under test, and a plain order to send
 * through it.
 */
#ifndef RISK_BENCH_H
#define RISK_BENCH_H

#include "check.h"
#include "dp_book.h"
#include "dp_risk.h"

#define DOLLAR INT64_C(1000000000)
#define TICK INT64_C(100000)

static inline struct dp_risk *risk_open(void)
{
    const struct dp_risk_config config = {.instrument_count_max = 4, .strategy_count_max = 2};
    struct dp_risk *risk =
        aligned_alloc(DP_CACHE_LINE, dp_round_up(dp_risk_size(&config), DP_CACHE_LINE));
    CHECK_EQUAL(dp_risk_init(risk, &config, NULL), 0);
    return risk;
}

static inline struct dp_risk_strategy_limits unlimited_strategy(void)
{
    return (struct dp_risk_strategy_limits){
        .order_qty_max = DP_RISK_UNLIMITED,
        .order_notional_max_nanos = DP_RISK_UNLIMITED,
        .gross_max_nanos = DP_RISK_UNLIMITED,
        .net_max_nanos = DP_RISK_UNLIMITED,
        .open_order_count_max = DP_RISK_UNLIMITED,
        .order_rate_max = DP_RISK_UNLIMITED,
        .order_burst_max = DP_RISK_UNLIMITED,
        .duplicate_count_max = DP_RISK_UNLIMITED,
        .duplicate_window_ns = 1000,
        .has_policy = true,
    };
}

static inline struct dp_risk_instrument_limits unlimited_instrument(void)
{
    return (struct dp_risk_instrument_limits){
        .order_qty_max = DP_RISK_UNLIMITED,
        .order_notional_max_nanos = DP_RISK_UNLIMITED,
        .position_max = DP_RISK_UNLIMITED,
        .collar_bps = 0,
        .collar_abs_nanos = DP_RISK_UNLIMITED,
        .has_policy = true,
    };
}

/* Strategy 0 and instrument 0 get these limits; the others stay without a policy. */
static inline struct dp_risk *risk_with(const struct dp_risk_strategy_limits *strategy,
    const struct dp_risk_instrument_limits *instrument)
{
    struct dp_risk_strategy_limits any_strategy = unlimited_strategy();
    struct dp_risk_instrument_limits any_instrument = unlimited_instrument();
    struct dp_risk *risk = risk_open();
    struct dp_err err = {0};
    dp_risk_set_strategy(risk, 0, strategy != NULL ? strategy : &any_strategy, &err);
    dp_risk_set_instrument(risk, 0, instrument != NULL ? instrument : &any_instrument, &err);
    CHECK_TEXT(err.text, "");
    return risk;
}

/* 100 shares at 10.00 in a market of 9.99 to 10.01. */
static inline struct dp_risk_order plain_order(void)
{
    return (struct dp_risk_order){
        .now_ns = 1000000,
        .price_nanos = 10 * DOLLAR,
        .best_bid_nanos = 10 * DOLLAR - DOLLAR / 100,
        .best_ask_nanos = 10 * DOLLAR + DOLLAR / 100,
        .qty = 100,
        .trading_state = DP_TRADING_OPEN,
        .side = DP_SIDE_BUY,
    };
}

static inline struct dp_risk_order with_terms(uint8_t side, uint64_t qty, int64_t price_nanos)
{
    struct dp_risk_order order = plain_order();
    order.side = side;
    order.qty = qty;
    order.price_nanos = price_nanos;
    return order;
}

static inline void expect(struct dp_risk *risk, const struct dp_risk_order *order,
    enum dp_reason reason, int64_t observed, int64_t limit)
{
    struct dp_risk_verdict verdict = {0};
    enum dp_reason answer = dp_risk_decide(risk, order, &verdict);
    CHECK_TEXT(dp_reason_name(answer), dp_reason_name(reason));
    CHECK_EQUAL(verdict.reason, answer);
    CHECK_EQUAL(verdict.observed, observed);
    CHECK_EQUAL(verdict.limit, limit);
}

static inline enum dp_reason decide(struct dp_risk *risk, const struct dp_risk_order *order)
{
    struct dp_risk_verdict verdict;
    return dp_risk_decide(risk, order, &verdict);
}

#endif
