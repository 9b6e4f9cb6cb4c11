/* Profit and loss, soft limits, the silence of the feed: looked at now and then. */
#include "dp_risk.h"
#include "dp_risk_layout.h"

static int64_t ticks_of(int64_t nanos)
{
    return nanos / DP_RISK_TICK_NANOS;
}

/* False when something cannot be valued. */
static bool value_holdings(const struct dp_risk *risk, uint32_t strategy_index, dp_risk_mark *mark,
    void *context, int64_t *profit)
{
    const struct risk_holding *holdings = dp_risk_holdings(risk, strategy_index);
    bool valued = !dp_risk_seat(risk, strategy_index)->holdings_full;
    *profit = 0;
    for (uint32_t index = 0; index < RISK_HOLDINGS; index++) {
        const struct risk_holding *holding = &holdings[index];
        if (holding->instrument == 0)
            continue;
        *profit += holding->cash;
        if (holding->position == 0)
            continue;
        int64_t mark_nanos = mark(context, holding->instrument - 1);
        valued = valued && mark_nanos != DP_PRICE_NONE;
        if (mark_nanos != DP_PRICE_NONE)
            *profit += holding->position * ticks_of(mark_nanos);
    }
    return valued;
}

struct loss_limits {
    int64_t loss_max_nanos;
    int64_t drawdown_max_nanos;
};

/* At the limit it trips: the one comparison that is not "above". */
static void check_loss(struct dp_risk *risk, struct dp_risk_scope scope, struct loss_limits limits,
    int64_t profit, int64_t profit_max)
{
    if (limits.loss_max_nanos > 0 && -profit >= ticks_of(limits.loss_max_nanos))
        dp_risk_kill(risk, scope, DP_SWITCH_REDUCE_ONLY, DP_SWITCH_BY_LOSS);
    if (limits.drawdown_max_nanos > 0 && profit_max - profit >= ticks_of(limits.drawdown_max_nanos))
        dp_risk_kill(risk, scope, DP_SWITCH_REDUCE_ONLY, DP_SWITCH_BY_DRAWDOWN);
}

/* Counted once each time that it is passed, not as long as it stays passed. */
static void check_soft(struct risk_seat *seat)
{
    static const enum risk_dim dims[] = {RISK_GROSS, RISK_NET_BUY, RISK_NET_SELL};
    bool above = false;
    for (size_t index = 0; index < sizeof(dims) / sizeof(dims[0]) && seat->soft_percent > 0;
         index++) {
        int64_t base = seat->base[dims[index]];
        int64_t used = base - seat->credit.free[dims[index]];
        above = above || used > base / 100 * seat->soft_percent;
    }
    seat->alerts += above && !seat->is_above_soft;
    seat->is_above_soft = above;
}

static void watch_strategy(struct dp_risk *risk, uint32_t index,
    const struct dp_risk_strategy_limits *limits, dp_risk_mark *mark, void *context)
{
    struct risk_seat *seat = dp_risk_seat(risk, index);
    struct dp_risk_scope scope = {DP_RISK_SCOPE_STRATEGY, index};
    bool limited = limits->loss_max_nanos > 0 || limits->drawdown_max_nanos > 0;
    bool valued = value_holdings(risk, index, mark, context, &seat->profit);
    if (seat->profit > seat->profit_max)
        seat->profit_max = seat->profit;
    if (limited && !valued)
        dp_risk_kill(risk, scope, DP_SWITCH_REDUCE_ONLY, DP_SWITCH_BY_LOSS);
    check_loss(risk, scope,
        (struct loss_limits){limits->loss_max_nanos, limits->drawdown_max_nanos}, seat->profit,
        seat->profit_max);
    check_soft(seat);
}

/* Each lane adds up its own strategies; the sum over the lanes may be a moment old. */
static void watch_group(struct dp_risk *risk, uint32_t group_index, int64_t now_ns)
{
    struct dp_risk_group_limits limits;
    struct risk_group *group = dp_risk_group(risk, group_index);
    if (!dp_risk_read_group(group, &limits))
        return;
    struct dp_risk_scope scope = {DP_RISK_SCOPE_FIRM, 0};
    if (group_index != DP_RISK_FIRM)
        scope = (struct dp_risk_scope){DP_RISK_SCOPE_ACCOUNT, group_index - 1};
    int64_t profit = 0;
    for (uint32_t lane = 0; lane < risk->config.lane_count_max; lane++)
        profit += dp_load_relaxed(&dp_risk_share(risk, group_index, lane)->profit);
    int64_t most = dp_load_relaxed(&group->profit_max);
    if (profit > most)
        dp_store_relaxed(&group->profit_max, most = profit);
    check_loss(risk, scope, (struct loss_limits){limits.loss_max_nanos, limits.drawdown_max_nanos},
        profit, most);

    int64_t heard_ns = dp_load_relaxed(&risk->heard_ns);
    if (limits.feed_age_max_ns > 0 && heard_ns > 0 && now_ns - heard_ns > limits.feed_age_max_ns)
        dp_risk_kill(risk, scope, DP_SWITCH_REJECT_NEW, DP_SWITCH_BY_FEED_STALE);
}

void dp_risk_watch(
    struct dp_risk *risk, uint32_t lane, int64_t now_ns, dp_risk_mark *mark, void *context)
{
    int64_t profits[1 + DP_RISK_ACCOUNTS_MAX] = {0};
    for (uint32_t index = 0; index < risk->config.strategy_count_max; index++) {
        struct dp_risk_strategy_limits limits;
        if (!dp_risk_read_strategy(&risk->strategies[index], &limits) || limits.lane != lane)
            continue;
        watch_strategy(risk, index, &limits, mark, context);
        profits[limits.account_index + 1] += dp_risk_seat(risk, index)->profit;
        profits[DP_RISK_FIRM] += dp_risk_seat(risk, index)->profit;
    }
    for (uint32_t group = 0; group <= risk->config.account_count_max; group++) {
        dp_store_relaxed(&dp_risk_share(risk, group, lane)->profit, profits[group]);
        watch_group(risk, group, now_ns);
    }
}
