/* How much of each limit is in use, put together from what the lanes keep. */
#include "dp_risk_field.h"
#include "dp_risk_layout.h"

static int64_t larger(int64_t one, int64_t other)
{
    return one > other ? one : other;
}

/* Ticks as nanos; what does not fit is the largest that does. */
static int64_t money(int64_t ticks)
{
    const int64_t most = INT64_MAX / DP_RISK_TICK_NANOS;
    return ticks < most ? ticks * DP_RISK_TICK_NANOS : INT64_MAX;
}

/* Tokens that are out: one that is coming back counts whole. The lane may be ahead of now_ns, but
 * it has heard of the feed what it decided on. */
static int64_t tokens(const struct dp_risk *risk, const struct risk_bucket *bucket, int64_t now_ns)
{
    int64_t full_at = bucket->token_at + bucket->depth;
    int64_t now = dp_risk_beats(risk, larger(now_ns, dp_load_relaxed(&risk->heard_ns)));
    int64_t ahead = full_at - now < bucket->depth ? full_at - now : bucket->depth + bucket->step;
    return bucket->step == 0 || ahead <= 0 ? 0 : (ahead + bucket->step - 1) / bucket->step;
}

/* ---- a strategy ---- */

static int64_t seat_used(const struct risk_seat *seat, enum risk_dim dim)
{
    return seat->base[dim] - seat->credit.free[dim];
}

static bool strategy_used(const struct dp_risk *risk, uint32_t strategy_index, uint32_t offset,
    int64_t now_ns, int64_t *used)
{
    const struct risk_seat *seat = dp_risk_seat(risk, strategy_index);
#define LIMIT(member) offsetof(struct dp_risk_strategy_limits, member)
    switch (offset) {
    case LIMIT(gross_max_nanos): *used = money(seat_used(seat, RISK_GROSS)); break;
    case LIMIT(net_max_nanos):
        *used = money(larger(seat_used(seat, RISK_NET_BUY), seat_used(seat, RISK_NET_SELL)));
        break;
    case LIMIT(open_order_count_max): *used = seat_used(seat, RISK_COUNT); break;
    case LIMIT(order_burst_max): *used = tokens(risk, &seat->orders, now_ns); break;
    case LIMIT(reject_rate_max): *used = tokens(risk, &seat->rejects, now_ns); break;
    case LIMIT(fill_rate_max): *used = tokens(risk, &seat->fills, now_ns); break;
    case LIMIT(loss_max_nanos): *used = money(larger(0, -seat->profit)); break;
    case LIMIT(drawdown_max_nanos): *used = money(seat->profit_max - seat->profit); break;
    default: return false;
    }
    return true;
#undef LIMIT
}

/* ---- an account, or the firm ---- */

static int64_t group_used(const struct dp_risk *risk, uint32_t group, enum risk_dim dim)
{
    int64_t used = 0;
    for (uint32_t lane = 0; lane < risk->config.lane_count_max; lane++) {
        const struct risk_share *share = dp_risk_share(risk, group, lane);
        used += dp_load_relaxed(&share->holds[dim].leased) - share->credit.free[dim];
    }
    return used;
}

static int64_t group_tokens(const struct dp_risk *risk, uint32_t group, int64_t now_ns)
{
    int64_t used = 0;
    for (uint32_t lane = 0; lane < risk->config.lane_count_max; lane++)
        used += tokens(risk, &dp_risk_share(risk, group, lane)->orders, now_ns);
    return used;
}

static int64_t group_profit(const struct dp_risk *risk, uint32_t group)
{
    int64_t profit = 0;
    for (uint32_t lane = 0; lane < risk->config.lane_count_max; lane++)
        profit += dp_load_relaxed(&dp_risk_share(risk, group, lane)->profit);
    return profit;
}

static int64_t drawdown(const struct dp_risk *risk, uint32_t group)
{
    int64_t most = dp_load_relaxed(&dp_risk_group(risk, group)->profit_max);
    return larger(0, most - group_profit(risk, group));
}

static int64_t silence_ns(const struct dp_risk *risk, int64_t now_ns)
{
    int64_t heard_ns = dp_load_relaxed(&risk->heard_ns);
    return heard_ns == 0 ? 0 : larger(0, now_ns - heard_ns);
}

static bool group_use(
    const struct dp_risk *risk, uint32_t group, uint32_t offset, int64_t now_ns, int64_t *used)
{
#define LIMIT(member) offsetof(struct dp_risk_group_limits, member)
    switch (offset) {
    case LIMIT(gross_max_nanos): *used = money(group_used(risk, group, RISK_GROSS)); break;
    case LIMIT(net_max_nanos):
        *used = money(
            larger(group_used(risk, group, RISK_NET_BUY), group_used(risk, group, RISK_NET_SELL)));
        break;
    case LIMIT(open_order_count_max): *used = group_used(risk, group, RISK_COUNT); break;
    case LIMIT(open_max_nanos): *used = money(group_used(risk, group, RISK_OPEN)); break;
    case LIMIT(entered_max_nanos): *used = money(group_used(risk, group, RISK_ENTERED)); break;
    case LIMIT(message_floor): *used = group_used(risk, group, RISK_MESSAGES); break;
    case LIMIT(order_burst_max): *used = group_tokens(risk, group, now_ns); break;
    case LIMIT(loss_max_nanos): *used = money(larger(0, -group_profit(risk, group))); break;
    case LIMIT(drawdown_max_nanos): *used = money(drawdown(risk, group)); break;
    case LIMIT(feed_age_max_ns): *used = silence_ns(risk, now_ns); break;
    default: return false;
    }
    return true;
#undef LIMIT
}

/* ---- an instrument ---- */

static int64_t side_used(
    const struct dp_risk *risk, uint32_t instrument_index, enum risk_side_dim dim)
{
    int64_t used = 0;
    for (uint32_t lane = 0; lane < risk->config.lane_count_max; lane++)
        used += dp_risk_side_used(dp_risk_line(risk, lane, instrument_index), dim);
    return used;
}

static bool instrument_used(
    const struct dp_risk *risk, uint32_t instrument_index, uint32_t offset, int64_t *used)
{
    switch (offset) {
    case offsetof(struct dp_risk_instrument_limits, position_max):
        *used = larger(side_used(risk, instrument_index, RISK_LONG),
            side_used(risk, instrument_index, RISK_SHORT));
        return true;
    case offsetof(struct dp_risk_instrument_limits, locate_qty):
        *used = side_used(risk, instrument_index, RISK_LOCATE);
        return true;
    default: return false;
    }
}

bool dp_risk_field_used(const struct dp_risk *risk, struct dp_risk_scope scope, uint32_t number,
    int64_t now_ns, int64_t *used)
{
    int64_t limit;
    const struct dp_risk_field *field = dp_risk_field_at(scope.kind, number);
    if (field == NULL || !dp_risk_field_get(risk, scope, number, &limit))
        return false;
    switch (scope.kind) {
    case DP_RISK_SCOPE_FIRM: return group_use(risk, DP_RISK_FIRM, field->offset, now_ns, used);
    case DP_RISK_SCOPE_ACCOUNT:
        return group_use(risk, scope.index + 1, field->offset, now_ns, used);
    case DP_RISK_SCOPE_STRATEGY:
        return strategy_used(risk, scope.index, field->offset, now_ns, used);
    default: return instrument_used(risk, scope.index, field->offset, used);
    }
}
