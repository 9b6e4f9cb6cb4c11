/* The rare part of a decision: what is looked at when something has changed, and what is said when
 * an order is refused. */
#include "dp_risk_decision.h"

#define IMPACT_LEVELS_MAX 16u

/* ---- the answer ---- */

static int64_t clamp(dp_money_nanos value)
{
    return value > INT64_MAX ? INT64_MAX : value < INT64_MIN ? INT64_MIN : (int64_t)value;
}

/* A refusal for a reason that the policy wants to trip stops the strategy: a person must arm it. */
COLD dp_risk_refuse(
    const struct decision *it, enum dp_reason reason, dp_money_nanos observed, dp_money_nanos limit)
{
    it->verdict->reason = reason;
    it->verdict->observed = clamp(observed);
    it->verdict->limit = clamp(limit);
    struct dp_risk_scope scope = {DP_RISK_SCOPE_STRATEGY, it->order->strategy_index};
    if ((dp_load_relaxed(&it->risk->trip_on) >> reason & 1) != 0)
        dp_risk_kill(it->risk, scope, DP_SWITCH_REJECT_NEW, DP_SWITCH_BY_BREACH);
    return reason;
}

/* ---- who may: careful only ---- */

static bool reduces(const struct decision *it)
{
    struct dp_risk_position now = dp_risk_position(it->risk, it->order->instrument_index);
    int64_t qty = (int64_t)it->order->qty;
    return is_buy(it) ? now.position + (int64_t)now.buy_leaves + qty <= 0
                      : now.position - (int64_t)now.sell_leaves - qty >= 0;
}

static enum dp_reason check_switch(const struct decision *it)
{
    enum dp_switch_mode mode =
        dp_risk_mode_of(it->risk, it->order->strategy_index, it->order->instrument_index);
    if (mode == DP_SWITCH_CLEAR || (mode == DP_SWITCH_REDUCE_ONLY && reduces(it)))
        return DP_REASON_ACCEPTED;
    return answer(it, DP_REASON_KILL_SWITCH, mode, DP_SWITCH_CLEAR);
}

static enum dp_reason check_node(const struct decision *it)
{
    uint64_t out = dp_load_relaxed(&it->risk->sessions_out) >> it->seat->session_index & 1;
    uint64_t degraded = dp_load_relaxed(&it->risk->degraded);
    if (out != 0)
        return answer(it, DP_REASON_NOT_AUTHORISED, it->seat->session_index, 0);
    if (degraded != 0)
        return answer(it, DP_REASON_NODE_DEGRADED, (int64_t)degraded, 0);
    return DP_REASON_ACCEPTED;
}

/* Brings seat and line up to what the gate tells of. They count as armed only when nothing stands
 * against the next order either. */
enum dp_reason dp_risk_check_scope(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    uint64_t gate = dp_risk_gate(it->risk);
    it->verdict->policy_version = gate - 1;
    it->seat->gate_seen = 0;
    if (!dp_risk_arm_seat(it->risk, order->strategy_index))
        return answer(it, DP_REASON_NO_POLICY, order->strategy_index, 0);
    it->line->gate_seen = 0;
    enum dp_reason reason = check_switch(it);
    if (reason == DP_REASON_ACCEPTED)
        reason = check_node(it);
    if (reason != DP_REASON_ACCEPTED)
        return reason;
    if (!dp_risk_arm_line(it->risk, it->seat->lane, order->instrument_index))
        return answer(it, DP_REASON_NO_POLICY, order->instrument_index, 0);
    if (dp_risk_mode_of(it->risk, order->strategy_index, order->instrument_index) ==
        DP_SWITCH_CLEAR)
        it->seat->gate_seen = it->line->gate_seen = gate;
    return DP_REASON_ACCEPTED;
}

/* ---- the order against the market ---- */

/* For the refused order's record only: here a division does not hurt. */
COLD dp_risk_answer_collar(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    dp_money_nanos reference = (order->best_bid_nanos + order->best_ask_nanos) / 2;
    dp_money_nanos band = reference * it->line->collar_bps / 10000;
    if (band < it->line->collar_twice / 2)
        band = it->line->collar_twice / 2;
    return answer(it, DP_REASON_PRICE_COLLAR, order->price_nanos,
        is_buy(it) ? reference + band : reference - band);
}

/* A sale that does not say that it is short must be of what is held, open sales counted. */
static COLD check_held(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    struct dp_risk_position now = dp_risk_position(it->risk, order->instrument_index);
    int64_t held = now.position - (int64_t)now.sell_leaves;
    if (held < it->need_side[RISK_SHORT])
        return answer(it, DP_REASON_SHORT_SALE, (int64_t)order->qty, held);
    return DP_REASON_ACCEPTED;
}

/* Under Regulation SHO 201 a short sale needs a price above the bid, unless it is exempt. */
COLD dp_risk_check_short_sale(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    if ((it->line->flags & RISK_PRICE_RULE) != 0 && (order->attributes & DP_RISK_SHORT) != 0 &&
        order->price_nanos <= order->best_bid_nanos)
        return answer(it, DP_REASON_SHORT_SALE, order->price_nanos, order->best_bid_nanos);
    if ((it->line->flags & RISK_MARK_RULE) != 0 && !is_marked(it))
        return check_held(it);
    return DP_REASON_ACCEPTED;
}

/* The levels that a marketable order would take, as displayed: how many, and how far from the
 * touch. What the book does not show behind its limit price stays as the order's rest. */
COLD dp_risk_check_impact(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    struct dp_book_level_view levels[IMPACT_LEVELS_MAX];
    enum dp_side side = is_buy(it) ? DP_SIDE_SELL : DP_SIDE_BUY;
    if (order->books == NULL)
        return answer(it, DP_REASON_MARKET_IMPACT, 0, it->line->impact_levels);
    uint32_t count =
        dp_book_levels(order->books, order->instrument_index, side, levels, IMPACT_LEVELS_MAX);

    uint64_t left = order->qty;
    uint32_t swept = 0;
    for (; swept < count && left > 0; swept++) {
        int64_t away = levels[swept].price_nanos - order->price_nanos;
        if (is_buy(it) ? away > 0 : away < 0)
            break;
        left -= left < levels[swept].qty ? left : levels[swept].qty;
    }
    if (it->line->impact_levels > 0 && swept > it->line->impact_levels)
        return answer(it, DP_REASON_MARKET_IMPACT, swept, it->line->impact_levels);
    if (it->line->impact_bps == 0 || swept < 2)
        return DP_REASON_ACCEPTED;
    int64_t span = levels[swept - 1].price_nanos - levels[0].price_nanos;
    dp_money_nanos bps = (dp_money_nanos)(span < 0 ? -span : span) * 10000;
    if (bps > (dp_money_nanos)levels[0].price_nanos * it->line->impact_bps)
        return answer(
            it, DP_REASON_MARKET_IMPACT, bps / levels[0].price_nanos, it->line->impact_bps);
    return DP_REASON_ACCEPTED;
}

/* ---- the order on top of all others ---- */

static int64_t need_of(const struct decision *it, enum risk_dim dim)
{
    return dim < RISK_MESSAGES ? it->need_low[dim] : it->need_high[dim - RISK_MESSAGES];
}

static int64_t share_of(const struct decision *it)
{
    uint32_t lanes = it->risk->config.lane_count_max;
    return lanes == 1 ? 1 : 2 * (int64_t)lanes;
}

/* What the lane lacks, from the pools of account and firm. */
static bool lease_group(const struct decision *it, uint32_t group_index, enum risk_dim dim)
{
    struct risk_group *group = dp_risk_group(it->risk, group_index);
    struct risk_share *share = dp_risk_share(it->risk, group_index, it->seat->lane);
    int64_t need = need_of(it, dim);
    return need <= 0 || need <= share->credit.free[dim] ||
        (dp_load_relaxed(&group->limits[dim]) != DP_CREDIT_UNLIMITED &&
            dp_credit_lease(&group->pools[dim], it->seat->lane, &share->holds[dim],
                &share->credit.free[dim], need, share_of(it)));
}

static bool lease_side(const struct decision *it, enum risk_side_dim dim)
{
    struct risk_instrument *instrument = dp_risk_instrument(it->risk, it->order->instrument_index);
    int64_t need = it->need_side[dim];
    return need <= 0 || need <= it->line->credit.free[dim] ||
        (dp_load_relaxed(&instrument->limits[dim]) != DP_CREDIT_UNLIMITED &&
            dp_credit_lease(&instrument->pools[dim], it->seat->lane, &it->line->holds[dim],
                &it->line->credit.free[dim], need, share_of(it)));
}

/* Used with this order, and the limit, as this lane knows it: what other lanes hold counts as used.
 */
static enum dp_reason answer_group(
    const struct decision *it, uint32_t group_index, enum risk_dim dim, enum dp_reason reason)
{
    const struct risk_group *group = dp_risk_group(it->risk, group_index);
    const struct risk_share *share = dp_risk_share(it->risk, group_index, it->seat->lane);
    int64_t limit = dp_load_relaxed(&group->limits[dim]);
    int64_t used = limit - dp_credit_free(&group->pools[dim]) - share->credit.free[dim];
    bool counts = dim == RISK_COUNT || dim == RISK_MESSAGES;
    int64_t observed = used + need_of(it, dim);
    return answer(it, reason, counts ? observed : dp_risk_nanos(observed),
        counts ? limit : dp_risk_nanos(limit));
}

static enum dp_reason check_groups(
    const struct decision *it, enum risk_dim dim, enum dp_reason reason)
{
    struct risk_seat *seat = it->seat;
    int64_t need = need_of(it, dim);
    bool counts = dim == RISK_COUNT || dim == RISK_MESSAGES;
    if (need > 0 && need > seat->credit.free[dim]) {
        int64_t observed = seat->base[dim] - seat->credit.free[dim] + need;
        return answer(it, reason, counts ? observed : dp_risk_nanos(observed),
            counts ? seat->base[dim] : dp_risk_nanos(seat->base[dim]));
    }
    if (!lease_group(it, seat->account_index + 1, dim))
        return answer_group(it, seat->account_index + 1, dim, reason);
    if (!lease_group(it, DP_RISK_FIRM, dim))
        return answer_group(it, DP_RISK_FIRM, dim, reason);
    return DP_REASON_ACCEPTED;
}

static enum dp_reason check_position(const struct decision *it)
{
    enum risk_side_dim dim = is_buy(it) ? RISK_LONG : RISK_SHORT;
    const struct risk_instrument *instrument =
        dp_risk_instrument(it->risk, it->order->instrument_index);
    if (!lease_side(it, dim)) {
        int64_t limit = dp_load_relaxed(&instrument->limits[dim]);
        int64_t used = limit - dp_credit_free(&instrument->pools[dim]) - it->line->credit.free[dim];
        return answer(it, DP_REASON_POSITION, used + it->need_side[dim], limit);
    }
    if (!lease_side(it, RISK_LOCATE))
        return answer(it, DP_REASON_SHORT_SALE, it->need_side[RISK_LOCATE],
            it->line->credit.free[RISK_LOCATE] + dp_credit_free(&instrument->pools[RISK_LOCATE]));
    return DP_REASON_ACCEPTED;
}

/* Something is lacking here: perhaps the pools have it. In the order of the checks, so that the
 * first that is breached decides. */
COLD dp_risk_check_credit(const struct decision *it)
{
    static const struct {
        enum risk_dim dim;
        enum dp_reason reason;
    } rows[] = {
        {RISK_MESSAGES, DP_REASON_ORDER_TO_TRADE},
        {RISK_COUNT, DP_REASON_OPEN_ORDER_COUNT},
        {RISK_OPEN, DP_REASON_OPEN_NOTIONAL},
        {RISK_ENTERED, DP_REASON_ACCUMULATED_VALUE},
        {RISK_SPARE, DP_REASON_POSITION},
        {RISK_NET_BUY, DP_REASON_NET_EXPOSURE},
        {RISK_NET_SELL, DP_REASON_NET_EXPOSURE},
        {RISK_GROSS, DP_REASON_GROSS_EXPOSURE_ENTERED},
    };
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
        enum dp_reason reason = rows[index].dim == RISK_SPARE
            ? check_position(it)
            : check_groups(it, rows[index].dim, rows[index].reason);
        if (reason != DP_REASON_ACCEPTED)
            return reason;
    }
    return DP_REASON_ACCEPTED;
}
