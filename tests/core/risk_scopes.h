/*
 * risk_scopes - a gate with a firm, two accounts and three strategies, everything unlimited but
 * what a test limits. Strategies 0 and 1 are of account 0, strategy 2 of account 1.
 */
#ifndef RISK_SCOPES_H
#define RISK_SCOPES_H

#include "risk_bench.h"

static inline struct dp_risk_group_limits unlimited_group(void)
{
    return (struct dp_risk_group_limits){
        .order_qty_max = DP_RISK_UNLIMITED,
        .order_notional_max_nanos = DP_RISK_UNLIMITED,
        .gross_max_nanos = DP_RISK_UNLIMITED,
        .net_max_nanos = DP_RISK_UNLIMITED,
        .open_order_count_max = DP_RISK_UNLIMITED,
        .open_max_nanos = DP_RISK_UNLIMITED,
        .entered_max_nanos = DP_RISK_UNLIMITED,
        .message_floor = DP_RISK_UNLIMITED,
        .order_rate_max = DP_RISK_UNLIMITED,
        .order_burst_max = DP_RISK_UNLIMITED,
        .has_policy = true,
    };
}

static inline struct dp_risk *scopes_open(uint32_t lane_count)
{
    const struct dp_risk_config config = {
        .instrument_count_max = 4,
        .strategy_count_max = 3,
        .account_count_max = 2,
        .lane_count_max = lane_count,
    };
    struct dp_risk *risk =
        aligned_alloc(DP_CACHE_LINE, dp_round_up(dp_risk_size(&config), DP_CACHE_LINE));
    CHECK_EQUAL(dp_risk_init(risk, &config, NULL), 0);
    const struct dp_risk_group_limits group = unlimited_group();
    const struct dp_risk_instrument_limits instrument = unlimited_instrument();
    for (uint32_t index = 0; index < 3; index++) {
        struct dp_risk_strategy_limits strategy = unlimited_strategy();
        strategy.account_index = index == 2;
        CHECK_EQUAL(dp_risk_set_group(risk, index, &group, NULL), 0);
        CHECK_EQUAL(dp_risk_set_strategy(risk, (uint16_t)index, &strategy, NULL), 0);
        CHECK_EQUAL(dp_risk_set_instrument(risk, index, &instrument, NULL), 0);
    }
    return risk;
}

static inline struct dp_risk_order order_of(uint16_t strategy, uint8_t side, uint64_t qty)
{
    struct dp_risk_order order = with_terms(side, qty, 10 * DOLLAR);
    order.strategy_index = strategy;
    return order;
}

#endif
