/*
 * The careful way: brings seat and line up to what has changed, then asks one check after the other
 * in the order of docs/risk.md. The first that is breached decides; counters before it stay
 * charged.
 */
#include "dp_risk_decision.h"

#define IMPACT_LEVELS_MAX 16u

/* ---- the answer ---- */

static int64_t clamp(dp_money_nanos value)
{
    return value > INT64_MAX ? INT64_MAX : value < INT64_MIN ? INT64_MIN : (int64_t)value;
}

/* A refusal for a reason that the policy wants to trip stops the strategy: a person must arm it. */
enum dp_reason dp_risk_answer(
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

/* ---- who may ---- */

static bool reduces(const struct decision *it)
{
    struct dp_risk_position now = dp_risk_position(it->risk, it->order->instrument_index);
    int64_t qty = (int64_t)it->order->qty;
    return dp_risk_is_buy(it) ? now.position + (int64_t)now.buy_leaves + qty <= 0
                              : now.position - (int64_t)now.sell_leaves - qty >= 0;
}

static enum dp_switch_mode mode_of(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    return dp_risk_mode_of(
        it->risk, order->strategy_index, order->session_index, order->instrument_index);
}

static enum dp_reason check_switch(const struct decision *it)
{
    enum dp_switch_mode mode = mode_of(it);
    if (mode == DP_SWITCH_CLEAR || (mode == DP_SWITCH_REDUCE_ONLY && reduces(it)))
        return DP_REASON_ACCEPTED;
    return dp_risk_answer(it, DP_REASON_KILL_SWITCH, mode, DP_SWITCH_CLEAR);
}

static enum dp_reason check_node(const struct decision *it)
{
    uint64_t out = dp_load_relaxed(&it->risk->sessions_out) >> it->order->session_index & 1;
    uint64_t degraded = dp_load_relaxed(&it->risk->degraded);
    if (out != 0)
        return dp_risk_answer(it, DP_REASON_NOT_AUTHORISED, it->order->session_index, 0);
    if (degraded != 0)
        return dp_risk_answer(it, DP_REASON_NODE_DEGRADED, (int64_t)degraded, 0);
    return DP_REASON_ACCEPTED;
}

/* Where the buckets' time begins: at the first order of whichever lane. 0 is before it. */
static void start_clock(const struct decision *it)
{
    int64_t start_ns = 0;
    int64_t now_ns = it->order->now_ns;
    dp_cas_relaxed(&it->risk->start_ns, &start_ns, now_ns != 0 ? now_ns : -1);
}

/* Brings seat and line up to what the gate tells of. They count as armed only when nothing stands
 * against the next order either. The lane's line is known only when the policy is. */
static enum dp_reason arm(struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    struct dp_risk_strategy_limits limits;
    uint64_t gate = dp_risk_gate(it->risk);
    it->verdict->policy_version = gate - 1;
    it->seat->gate_seen = 0;
    if (!dp_risk_read_strategy(&it->risk->strategies[order->strategy_index], &limits) ||
        !dp_risk_arm_seat(it->risk, order->strategy_index))
        return dp_risk_answer(it, DP_REASON_NO_POLICY, order->strategy_index, 0);
    it->line = dp_risk_line(it->risk, limits.lane, order->instrument_index);
    it->line->gate_seen = 0;
    enum dp_reason reason = check_switch(it);
    if (reason == DP_REASON_ACCEPTED)
        reason = check_node(it);
    if (reason != DP_REASON_ACCEPTED)
        return reason;
    if (!dp_risk_arm_line(it->risk, it->seat->lane, order->instrument_index))
        return dp_risk_answer(it, DP_REASON_NO_POLICY, order->instrument_index, 0);
    if (mode_of(it) == DP_SWITCH_CLEAR && dp_risk_are_sessions_clear(it->risk))
        it->seat->gate_seen = it->line->gate_seen = gate;
    start_clock(it);
    return DP_REASON_ACCEPTED;
}

/* Armed already: nothing has changed since everything was clear. */
static enum dp_reason check_scope(struct decision *it)
{
    uint64_t gate = dp_risk_gate(it->risk);
    it->verdict->policy_version = gate - 1;
    it->line = dp_risk_lines(it->risk, it->seat) + it->order->instrument_index;
    if (it->seat->gate_seen == gate && it->line->gate_seen == gate)
        return DP_REASON_ACCEPTED;
    return arm(it);
}

static enum dp_reason check_account(const struct decision *it)
{
    if ((it->line->accounts_denied & it->seat->account_bit) == 0)
        return DP_REASON_ACCEPTED;
    return dp_risk_answer(it, DP_REASON_RESTRICTED_SYMBOL, it->seat->account_index, 0);
}

/* ---- the order alone ---- */

static enum dp_reason check_state(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    if (order->trading_state != DP_TRADING_OPEN)
        return dp_risk_answer(it, DP_REASON_HALTED, order->trading_state, DP_TRADING_OPEN);
    if ((order->attributes & it->seat->attributes_denied) != 0)
        return dp_risk_answer(it, DP_REASON_ORDER_ATTRIBUTE, order->attributes,
            (dp_money_nanos)~it->seat->attributes_denied);
    return DP_REASON_ACCEPTED;
}

static enum dp_reason check_size(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    uint64_t qty_max =
        it->seat->qty_max < it->line->order_qty_max ? it->seat->qty_max : it->line->order_qty_max;
    if (order->qty > qty_max && qty_max < RISK_QTY_MAX)
        return dp_risk_answer(
            it, DP_REASON_MAX_ORDER_QTY, (dp_money_nanos)order->qty, (dp_money_nanos)qty_max);
    if (order->qty - 1 >= RISK_QTY_MAX || order->increase_qty > RISK_QTY_MAX)
        return dp_risk_answer(
            it, DP_REASON_ORDER_INVALID, (dp_money_nanos)order->qty, RISK_QTY_MAX);
    if (it->ticks - 1 >= RISK_PRICE_TICKS_MAX)
        return dp_risk_answer(it, DP_REASON_ORDER_INVALID, order->price_nanos,
            (dp_money_nanos)RISK_PRICE_TICKS_MAX * DP_RISK_TICK_NANOS);
    return DP_REASON_ACCEPTED;
}

/* ---- the order against the market ---- */

static enum dp_reason check_reference(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    int64_t age_ns = dp_risk_feed_age_ns(it);
    if (!dp_risk_has_reference(order))
        return dp_risk_answer(
            it, DP_REASON_NO_REFERENCE_PRICE, order->best_bid_nanos, order->best_ask_nanos);
    if (age_ns > it->line->age_max_ns)
        return dp_risk_answer(it, DP_REASON_NO_REFERENCE_PRICE, age_ns, it->line->age_max_ns);
    if (order->book_flags != 0)
        return dp_risk_answer(it, DP_REASON_STALE_MARKET_DATA, order->book_flags, 0);
    return DP_REASON_ACCEPTED;
}

/* The edge for the record only: here a division does not hurt. */
static enum dp_reason check_collar(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    if (!dp_risk_is_outside_collar(it))
        return DP_REASON_ACCEPTED;
    dp_money_nanos reference = (order->best_bid_nanos + order->best_ask_nanos) / 2;
    dp_money_nanos band = reference * it->line->collar_bps / 10000;
    if (band < it->line->collar_twice / 2)
        band = it->line->collar_twice / 2;
    return dp_risk_answer(it, DP_REASON_PRICE_COLLAR, order->price_nanos,
        dp_risk_is_buy(it) ? reference + band : reference - band);
}

/* Limit up, limit down. */
static enum dp_reason check_band(const struct decision *it)
{
    uint32_t limit = it->line->band[it->side];
    if (it->reach <= limit)
        return DP_REASON_ACCEPTED;
    return dp_risk_answer(it, DP_REASON_PRICE_COLLAR, it->order->price_nanos,
        dp_risk_nanos(dp_risk_reach(limit, (uint32_t)it->side)));
}

static enum dp_reason check_notional(const struct decision *it)
{
    int64_t limit = it->seat->notional_max < it->line->credit.notional_max
        ? it->seat->notional_max
        : it->line->credit.notional_max;
    if (it->notional <= limit)
        return DP_REASON_ACCEPTED;
    return dp_risk_answer(
        it, DP_REASON_MAX_ORDER_NOTIONAL, dp_risk_nanos(it->notional), dp_risk_nanos(limit));
}

/* A sale that does not say that it is short must be of what is held, open sales counted. */
static enum dp_reason check_held(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    struct dp_risk_position now = dp_risk_position(it->risk, order->instrument_index);
    int64_t held = now.position - (int64_t)now.sell_leaves;
    if (held >= dp_risk_need_qty(it))
        return DP_REASON_ACCEPTED;
    return dp_risk_answer(it, DP_REASON_SHORT_SALE, (int64_t)order->qty, held);
}

/* Under Regulation SHO 201 a short sale needs a price above the bid, unless it is exempt. */
static enum dp_reason check_short(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    bool tested = (it->line->flags & RISK_PRICE_RULE) != 0 && !dp_risk_is_buy(it);
    if (tested && (order->attributes & DP_RISK_SHORT) != 0 && dp_risk_takes(it))
        return dp_risk_answer(it, DP_REASON_SHORT_SALE, order->price_nanos, order->best_bid_nanos);
    bool lacks_mark = it->marks < it->line->marked_least[it->side];
    return lacks_mark ? check_held(it) : DP_REASON_ACCEPTED;
}

static enum dp_reason check_usual(const struct decision *it)
{
    if (it->order->qty > it->line->typical_qty_max)
        return dp_risk_answer(it, DP_REASON_TYPICAL_SIZE_MULTIPLE, (dp_money_nanos)it->order->qty,
            it->line->typical_qty_max);
    if (it->order->qty > it->line->volume_qty_max)
        return dp_risk_answer(
            it, DP_REASON_ADV_FRACTION, (dp_money_nanos)it->order->qty, it->line->volume_qty_max);
    return DP_REASON_ACCEPTED;
}

/* How many of the levels, as displayed, the order would take. What the book does not show behind
 * its limit price stays as the order's rest. */
static uint32_t swept_by(
    const struct decision *it, const struct dp_book_level_view *levels, uint32_t count)
{
    uint64_t left = it->order->qty;
    uint32_t swept = 0;
    for (; swept < count && left > 0; swept++) {
        if (dp_risk_outward(it, levels[swept].price_nanos - it->order->price_nanos) > 0)
            break;
        left -= left < levels[swept].qty ? left : levels[swept].qty;
    }
    return swept;
}

static enum dp_reason check_impact(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    struct dp_book_level_view levels[IMPACT_LEVELS_MAX];
    enum dp_side other = dp_risk_is_buy(it) ? DP_SIDE_SELL : DP_SIDE_BUY;
    if ((it->line->flags & RISK_IMPACT_RULE) == 0 || !dp_risk_takes(it))
        return DP_REASON_ACCEPTED;
    if (order->books == NULL)
        return dp_risk_answer(it, DP_REASON_MARKET_IMPACT, 0, it->line->impact_levels);
    uint32_t swept = swept_by(it, levels,
        dp_book_levels(order->books, order->instrument_index, other, levels, IMPACT_LEVELS_MAX));
    if (it->line->impact_levels > 0 && swept > it->line->impact_levels)
        return dp_risk_answer(it, DP_REASON_MARKET_IMPACT, swept, it->line->impact_levels);
    if (it->line->impact_bps == 0 || swept < 2)
        return DP_REASON_ACCEPTED;
    int64_t span = levels[swept - 1].price_nanos - levels[0].price_nanos;
    dp_money_nanos bps = (dp_money_nanos)(span < 0 ? -span : span) * 10000;
    if (bps <= (dp_money_nanos)levels[0].price_nanos * it->line->impact_bps)
        return DP_REASON_ACCEPTED;
    return dp_risk_answer(
        it, DP_REASON_MARKET_IMPACT, bps / levels[0].price_nanos, it->line->impact_bps);
}

/* ---- the order against those before it ---- */

/* A refused one is not a sighting. */
static enum dp_reason check_duplicate(const struct decision *it)
{
    uint32_t count_max = it->seat->duplicate_count_max;
    struct sighting sighting = dp_risk_find_print(it);
    if (sighting.is_known && dp_risk_is_too_often(it, sighting.print))
        return dp_risk_answer(
            it, DP_REASON_DUPLICATE_ORDER, (dp_money_nanos)count_max + 1, count_max);
    if (sighting.is_known)
        dp_risk_note_again(it, sighting.print);
    else
        dp_risk_note_first(it, sighting);
    return DP_REASON_ACCEPTED;
}

/* In billionths of an order: what the bucket would have given with this one, and its depth. */
static enum dp_reason take_token(
    const struct decision *it, struct risk_bucket *bucket, enum dp_reason reason)
{
    int64_t now = dp_risk_beats(it->risk, it->order->now_ns);
    if (dp_risk_take_token(bucket, now))
        return DP_REASON_ACCEPTED;
    dp_money_nanos ahead = bucket->token_at - now + bucket->depth + bucket->step;
    dp_money_nanos depth = (dp_money_nanos)bucket->depth + bucket->step;
    return dp_risk_answer(
        it, reason, ahead * 1000000000 / bucket->step, depth * 1000000000 / bucket->step);
}

static enum dp_reason check_rate(const struct decision *it)
{
    enum dp_reason reason = take_token(it, &it->seat->orders, DP_REASON_ORDER_RATE);
    return reason == DP_REASON_ACCEPTED ? take_token(it, &it->firm->orders, DP_REASON_MESSAGE_RATE)
                                        : reason;
}

static enum dp_reason check_fan_out(const struct decision *it)
{
    struct risk_seat *seat = it->seat;
    seat->fan_out = dp_risk_fan_out(it);
    seat->fan_ns = it->order->now_ns;
    if (seat->fan_out <= seat->fan_out_max)
        return DP_REASON_ACCEPTED;
    dp_risk_kill(it->risk,
        (struct dp_risk_scope){DP_RISK_SCOPE_STRATEGY, it->order->strategy_index},
        DP_SWITCH_REJECT_NEW, DP_SWITCH_BY_FAN_OUT);
    return dp_risk_answer(it, DP_REASON_FAN_OUT, seat->fan_out, seat->fan_out_max);
}

static enum dp_reason check_self(const struct decision *it)
{
    if (!dp_risk_meets_own(it))
        return DP_REASON_ACCEPTED;
    return dp_risk_answer(it, DP_REASON_SELF_TRADE, it->order->price_nanos,
        dp_risk_nanos(dp_risk_reach(it->line->own_max[it->side ^ 1], (uint32_t)it->side ^ 1)));
}

/* ---- all of them ---- */

static enum dp_reason check_all(const struct decision *it)
{
    static enum dp_reason (*const checks[])(const struct decision *) = {
        check_account,
        check_state,
        check_size,
        check_reference,
        check_collar,
        check_band,
        check_notional,
        check_short,
        check_usual,
        check_impact,
        check_duplicate,
        check_rate,
        check_fan_out,
        check_self,
        dp_risk_check_credit,
    };
    for (size_t index = 0; index < sizeof(checks) / sizeof(checks[0]); index++) {
        enum dp_reason reason = checks[index](it);
        if (reason != DP_REASON_ACCEPTED)
            return reason;
    }
    return DP_REASON_ACCEPTED;
}

__attribute__((noinline)) enum dp_reason dp_risk_decide_with_care(
    struct dp_risk *risk, const struct dp_risk_order *order, struct dp_risk_verdict *verdict)
{
    struct decision it = {.risk = risk, .order = order, .verdict = verdict};
    verdict->policy_version = dp_risk_gate(risk) - 1;
    if (order->strategy_index >= risk->config.strategy_count_max)
        return dp_risk_answer(&it, DP_REASON_NO_POLICY, order->strategy_index, 0);
    if (order->instrument_index >= risk->config.instrument_count_max)
        return dp_risk_answer(&it, DP_REASON_NO_POLICY, order->instrument_index, 0);
    it = dp_risk_begin(risk, order, verdict, order->is_replace);
    enum dp_reason reason = check_scope(&it);
    if (reason != DP_REASON_ACCEPTED)
        return reason;
    if (it.side > 1)
        return dp_risk_answer(&it, DP_REASON_ORDER_INVALID, order->side, DP_SIDE_SELL);
    dp_risk_set_places(&it);
    reason = check_all(&it);
    if (reason != DP_REASON_ACCEPTED)
        return reason;
    struct risk_left left = dp_risk_left(&it);
    dp_risk_reserve(&it, &left);
    return dp_risk_accept(&it);
}
