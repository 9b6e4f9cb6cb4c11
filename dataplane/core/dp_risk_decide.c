/*
 * The plain way: whether anything at all is in the way of the order, every check asked and nothing
 * moved until all have passed. There is no order among them, so none waits for another, and what is
 * refused is not known: then the careful way begins from the start and says why.
 *
 * Nothing here may look at less than the careful way does. Whether an order passes, and what it
 * leaves behind, is the same either way (tests/core/test_risk_ways.c).
 */
#include "dp_risk_decision.h"

/* Nothing has changed since seat and line were armed, and the numbers are inside what all bounds of
 * their kind allow together. */
static inline bool is_in_bounds(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    const struct risk_seat *seat = it->seat;
    const struct risk_line *line = it->line;
    uint64_t below = order->qty - 1;
    return below < seat->qty_max && (uint32_t)below < line->qty_max &&
        it->ticks - 1 < RISK_PRICE_TICKS_MAX && it->side <= 1 &&
        it->reach <= line->band[it->side] && it->notional <= seat->notional_max &&
        it->notional <= line->credit.notional_max;
}

static inline bool is_allowed(const struct decision *it)
{
    return (it->line->accounts_denied & it->seat->account_bit) == 0 &&
        it->order->market == dp_risk_market(DP_TRADING_OPEN, 0) &&
        (it->order->attributes & it->seat->attributes_denied) == 0 &&
        it->marks >= it->line->marked_least[it->side];
}

/* An order that takes may have to be held against rules of the instrument. */
static inline bool suits_market(const struct decision *it)
{
    const uint32_t rules = RISK_PRICE_RULE | RISK_IMPACT_RULE;
    return dp_risk_has_reference(it->order) && dp_risk_feed_age_ns(it) <= it->line->age_max_ns &&
        (dp_risk_rests(it) ||
            (!dp_risk_is_outside_collar(it) &&
                ((it->line->flags & rules) == 0 || !dp_risk_takes(it))));
}

/* Where a credit is below 0 nothing needed looks lacking too: the careful way knows better. */
static inline bool fits(const struct risk_left *left)
{
    risk_four groups = left->account[0] | left->account[1] | left->firm[0] | left->firm[1];
    return !dp_risk_any_below_0(groups | left->seat | left->line);
}

/* The last of the checks: when it passes nothing can refuse any more, and the order is a sighting.
 */
static inline bool passes_duplicates(const struct decision *it)
{
    struct sighting sighting = dp_risk_find_print(it);
    if (DP_LIKELY(!sighting.is_known)) {
        dp_risk_note_first(it, sighting);
        return true;
    }
    if (dp_risk_is_too_often(it, sighting.print))
        return false;
    dp_risk_note_again(it, sighting.print);
    return true;
}

/* is_replace: a constant in each of the two that the compiler makes of it. */
static inline __attribute__((always_inline)) enum dp_reason decide(struct dp_risk *risk,
    const struct dp_risk_order *order, struct dp_risk_verdict *verdict, bool is_replace)
{
    uint64_t gate = dp_load_acquire(&risk->gate); /* pairs with dp_switch_tell() */
    if (DP_UNLIKELY(order->strategy_index >= risk->config.strategy_count_max ||
            order->instrument_index >= risk->config.instrument_count_max))
        return dp_risk_decide_with_care(risk, order, verdict);
    struct decision it = dp_risk_begin(risk, order, verdict, is_replace);
    struct risk_seat *seat = it.seat;
    it.line = dp_risk_lines(risk, seat) + order->instrument_index;
    verdict->policy_version = gate - 1;
    if (DP_UNLIKELY(gate != seat->gate_seen || gate != it.line->gate_seen || !is_in_bounds(&it) ||
            !is_allowed(&it) || !suits_market(&it)))
        return dp_risk_decide_with_care(risk, order, verdict);

    uint64_t since_ns = (uint64_t)(order->now_ns - dp_load_relaxed(&risk->start_ns));
    int64_t now = (int64_t)(since_ns * RISK_BEAT);
    uint32_t fan_out = dp_risk_fan_out(&it);
    dp_risk_set_places(&it);
    struct risk_left left = dp_risk_left(&it);
    if (DP_UNLIKELY(since_ns >= RISK_BEATS_NS || !dp_risk_has_token(&seat->orders, now) ||
            !dp_risk_has_token(&it.firm->orders, now) || fan_out > seat->fan_out_max ||
            dp_risk_meets_own(&it) || !fits(&left) || !passes_duplicates(&it)))
        return dp_risk_decide_with_care(risk, order, verdict);

    seat->fan_out = fan_out;
    seat->fan_ns = order->now_ns;
    dp_risk_charge(&seat->orders, now);
    dp_risk_charge(&it.firm->orders, now);
    dp_risk_reserve(&it, &left);
    return dp_risk_accept(&it);
}

enum dp_reason dp_risk_decide(
    struct dp_risk *risk, const struct dp_risk_order *order, struct dp_risk_verdict *verdict)
{
    if (order->is_replace)
        return decide(risk, order, verdict, true);
    return decide(risk, order, verdict, false);
}
