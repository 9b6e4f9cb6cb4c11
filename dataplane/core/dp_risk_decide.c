/*
 * The checks, in their order. Written once: `careful` is a constant in both places where
 * check_all() is used, so the compiler makes two of it. The plain one runs when nothing has changed
 * since the seat and the line were armed and the order is inside the combined bounds; it skips what
 * those have answered. Everything else goes the careful way, which looks at each limit by itself.
 */
#include "dp_risk_decision.h"

/* ---- the order alone ---- */

static CHECK check_account(const struct decision *it)
{
    if (DP_UNLIKELY((it->line->accounts_denied >> it->seat->account_index & 1) != 0))
        return answer(it, DP_REASON_RESTRICTED_SYMBOL, it->seat->account_index, 0);
    return DP_REASON_ACCEPTED;
}

static CHECK check_state(const struct decision *it)
{
    if (DP_UNLIKELY(it->order->trading_state != DP_TRADING_OPEN))
        return answer(it, DP_REASON_HALTED, it->order->trading_state, DP_TRADING_OPEN);
    if (DP_UNLIKELY((it->order->attributes & it->seat->attributes_denied) != 0))
        return answer(it, DP_REASON_ORDER_ATTRIBUTE, it->order->attributes,
            (dp_money_nanos)~it->seat->attributes_denied);
    return DP_REASON_ACCEPTED;
}

/* Careful only: the combined bounds have let the plain order through. */
static CHECK check_size(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    uint64_t qty_max =
        it->seat->qty_max < it->line->order_qty_max ? it->seat->qty_max : it->line->order_qty_max;
    if (order->qty > qty_max && qty_max < RISK_QTY_MAX)
        return answer(
            it, DP_REASON_MAX_ORDER_QTY, (dp_money_nanos)order->qty, (dp_money_nanos)qty_max);
    if (order->qty - 1 >= RISK_QTY_MAX || order->increase_qty > RISK_QTY_MAX)
        return answer(it, DP_REASON_ORDER_INVALID, (dp_money_nanos)order->qty, RISK_QTY_MAX);
    if (it->ticks - 1 >= RISK_PRICE_TICKS_MAX ||
        (int64_t)it->ticks * DP_RISK_TICK_NANOS != order->price_nanos)
        return answer(it, DP_REASON_ORDER_INVALID, order->price_nanos,
            (dp_money_nanos)RISK_PRICE_TICKS_MAX * DP_RISK_TICK_NANOS);
    return DP_REASON_ACCEPTED;
}

/* ---- the order against the market ---- */

/* Twice the distance is compared with twice the band, and ten thousand times each: no half nano is
 * lost and nothing is divided. Two prices below 2^48: the products fit 64 and 80 bits. */
static bool is_outside_collar(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    int64_t reference = order->best_bid_nanos + order->best_ask_nanos;
    int64_t above = 2 * order->price_nanos - reference;
    int64_t distance = outward(it, above);
    return distance > it->line->collar_twice &&
        (dp_money_nanos)distance * 10000 > (dp_money_nanos)reference * it->line->collar_bps;
}

static bool is_old(const struct decision *it)
{
    int64_t heard_ns = dp_load_relaxed(&it->risk->heard_ns);
    return it->order->now_ns - heard_ns > it->line->age_max_ns;
}

static CHECK check_reference(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    int64_t bid = order->best_bid_nanos;
    int64_t ask = order->best_ask_nanos;
    const uint64_t ask_max = RISK_PRICE_TICKS_MAX * DP_RISK_TICK_NANOS;

    /* What is not positive is large without its sign. */
    if (DP_UNLIKELY((uint64_t)bid - 1 >= (uint64_t)ask - 1 || (uint64_t)ask > ask_max))
        return answer(it, DP_REASON_NO_REFERENCE_PRICE, bid, ask);
    if (DP_UNLIKELY(is_old(it)))
        return answer(it, DP_REASON_NO_REFERENCE_PRICE,
            order->now_ns - dp_load_relaxed(&it->risk->heard_ns), it->line->age_max_ns);
    if (DP_UNLIKELY(order->book_flags != 0))
        return answer(it, DP_REASON_STALE_MARKET_DATA, order->book_flags, 0);
    if (DP_UNLIKELY(is_outside_collar(it)))
        return HAND_OVER(dp_risk_answer_collar, it);
    return DP_REASON_ACCEPTED;
}

/* Careful only: limit up, limit down. */
static CHECK check_band(const struct decision *it)
{
    uint32_t limit = it->line->band[it->side];
    if (dp_risk_reach((uint32_t)it->ticks, it->side) > limit)
        return answer(it, DP_REASON_PRICE_COLLAR, it->order->price_nanos,
            dp_risk_nanos(dp_risk_reach(limit, it->side)));
    return DP_REASON_ACCEPTED;
}

static CHECK check_notional(const struct decision *it)
{
    int64_t limit = it->seat->notional_max < it->line->notional_max ? it->seat->notional_max
                                                                    : it->line->notional_max;
    if (DP_UNLIKELY(it->notional > limit))
        return answer(
            it, DP_REASON_MAX_ORDER_NOTIONAL, dp_risk_nanos(it->notional), dp_risk_nanos(limit));
    return DP_REASON_ACCEPTED;
}

/* Most sales are marked where they must be, and rest: those need no look. */
static CHECK check_short(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    uint32_t rules = it->line->flags & (RISK_MARK_RULE | RISK_PRICE_RULE);
    bool looked_at = (rules != 0) & (it->side == 1) &
        (!is_marked(it) | (order->price_nanos <= order->best_bid_nanos));
    return DP_UNLIKELY(looked_at) ? HAND_OVER(dp_risk_check_short_sale, it) : DP_REASON_ACCEPTED;
}

/* Careful only: they bound the quantity, after the checks of price. */
static CHECK check_usual(const struct decision *it)
{
    if (it->order->qty > it->line->typical_qty_max)
        return answer(it, DP_REASON_TYPICAL_SIZE_MULTIPLE, (dp_money_nanos)it->order->qty,
            it->line->typical_qty_max);
    if (it->order->qty > it->line->volume_qty_max)
        return answer(
            it, DP_REASON_ADV_FRACTION, (dp_money_nanos)it->order->qty, it->line->volume_qty_max);
    return DP_REASON_ACCEPTED;
}

static CHECK check_sweep(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    int64_t touch = it->side == 0 ? order->best_ask_nanos : order->best_bid_nanos;
    bool meets = outward(it, order->price_nanos - touch) >= 0;
    if (DP_UNLIKELY(((it->line->flags & RISK_IMPACT_RULE) != 0) & meets))
        return HAND_OVER(dp_risk_check_impact, it);
    return DP_REASON_ACCEPTED;
}

/* ---- the order against those before it ---- */

static inline uint64_t fingerprint(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    uint64_t rest = order->qty << 18 | (uint64_t)order->instrument_index << 2 | order->side;
    return (it->ticks * 0x9e3779b97f4a7c15ull ^ rest * 0xd6e8feb86659fd93ull) | 1;
}

static inline void note_first(const struct decision *it, struct risk_print *print, uint64_t wanted)
{
    uint32_t left = it->seat->duplicate_count_max - 1;
    print->fingerprint = wanted;
    print->free_ns = left > 0 ? INT64_MIN : it->order->now_ns + it->seat->duplicate_window_ns;
    print->last_ns = it->order->now_ns;
    print->next = 0;
    print->left = left;
}

/* The last sighting goes to the place of the oldest; the window of the next oldest then decides. */
static inline void note_again(
    const struct decision *it, struct risk_print *print, uint32_t place_index)
{
    int64_t *times = (int64_t *)dp_risk_place(it->risk, it->seat->sightings_at) +
        (size_t)place_index * RISK_SIGHTINGS;
    uint32_t ring = it->seat->duplicate_count_max - 1;
    int64_t oldest_ns = it->order->now_ns;
    if (ring > 0) {
        times[print->next] = print->last_ns;
        print->next = print->next + 1 == ring ? 0 : print->next + 1;
        print->left -= print->left > 0;
        oldest_ns = times[print->next];
    }
    print->last_ns = it->order->now_ns;
    print->free_ns = print->left > 0 ? INT64_MIN : oldest_ns + it->seat->duplicate_window_ns;
}

/* Two places for each fingerprint; the one seen longer ago makes room. A refused one is not a
 * sighting. */
static CHECK check_duplicate(const struct decision *it)
{
    if (it->seat->duplicate_count_max == 0)
        return DP_REASON_ACCEPTED;
    uint64_t wanted = fingerprint(it);
    uint32_t set_index = (uint32_t)(wanted >> 48) & (RISK_PRINT_SETS - 1);
    struct risk_print_set *sets = dp_risk_place(it->risk, it->seat->prints_at);
    struct risk_print *ways = sets[set_index].ways;

    uint32_t way = ways[1].last_ns < ways[0].last_ns;
    way = ways[0].fingerprint == wanted ? 0 : way;
    way = ways[1].fingerprint == wanted ? 1 : way;
    struct risk_print *print = &ways[way];
    if (DP_LIKELY(print->fingerprint != wanted)) {
        note_first(it, print, wanted);
        return DP_REASON_ACCEPTED;
    }
    if (DP_UNLIKELY(it->order->now_ns < print->free_ns)) {
        uint32_t count_max = it->seat->duplicate_count_max;
        return answer(it, DP_REASON_DUPLICATE_ORDER, (dp_money_nanos)count_max + 1, count_max);
    }
    note_again(it, print, set_index * 2 + way);
    return DP_REASON_ACCEPTED;
}

/* In billionths of an order: what the bucket would have given with this one, and its depth. */
static CHECK answer_rate(
    const struct decision *it, const struct risk_bucket *bucket, int64_t now, enum dp_reason reason)
{
    dp_money_nanos ahead = bucket->full_at - now + bucket->step;
    dp_money_nanos depth = (dp_money_nanos)bucket->depth + bucket->step;
    return answer(it, reason, ahead * 1000000000 / bucket->step, depth * 1000000000 / bucket->step);
}

static CHECK check_rate(const struct decision *it)
{
    int64_t now = dp_risk_beats(it->risk, it->order->now_ns);
    if (DP_UNLIKELY(!dp_risk_take_token(&it->seat->orders, now)))
        return answer_rate(it, &it->seat->orders, now, DP_REASON_ORDER_RATE);
    if (DP_UNLIKELY(!dp_risk_take_token(&it->firm->orders, now)))
        return answer_rate(it, &it->firm->orders, now, DP_REASON_MESSAGE_RATE);
    return DP_REASON_ACCEPTED;
}

static CHECK check_fan_out(const struct decision *it)
{
    struct risk_seat *seat = it->seat;
    seat->fan_out = seat->fan_ns == it->order->now_ns ? seat->fan_out + 1 : 1;
    seat->fan_ns = it->order->now_ns;
    if (DP_LIKELY(seat->fan_out <= seat->fan_out_max))
        return DP_REASON_ACCEPTED;
    dp_risk_kill(it->risk,
        (struct dp_risk_scope){DP_RISK_SCOPE_STRATEGY, it->order->strategy_index},
        DP_SWITCH_REJECT_NEW, DP_SWITCH_BY_FAN_OUT);
    return answer(it, DP_REASON_FAN_OUT, seat->fan_out, seat->fan_out_max);
}

/* Careful only. */
static CHECK check_self(const struct decision *it)
{
    uint32_t other = it->line->own_max[!it->side];
    bool meets = other != 0 && dp_risk_reach((uint32_t)it->ticks, it->side) >= ~other;
    if (meets && (it->line->flags & RISK_SELF_RULE) != 0)
        return answer(it, DP_REASON_SELF_TRADE, it->order->price_nanos,
            dp_risk_nanos(dp_risk_reach(other, !it->side)));
    return DP_REASON_ACCEPTED;
}

/* ---- the order on top of all others ---- */

/* Where a credit is below 0 nothing needed looks lacking too: dp_risk_check_credit() knows better.
 */
static inline bool fits(const struct decision *it)
{
    risk_four lack = (it->need_low > it->seat->credit.half[0]) |
        (it->need_low > it->account->credit.half[0]) | (it->need_low > it->firm->credit.half[0]) |
        (it->need_high > it->seat->credit.half[1]) | (it->need_high > it->account->credit.half[1]) |
        (it->need_high > it->firm->credit.half[1]) | (it->need_side > it->line->credit.all);
    return !dp_risk_any(lack);
}

/* ---- the decision ---- */

/* Rarely the furthest of ours: only then the bound of the other side moves. */
static inline void note_own(const struct decision *it)
{
    struct risk_line *line = it->line;
    uint32_t reach = dp_risk_reach((uint32_t)it->ticks, it->side);
    line->own_count[it->side] += !it->order->is_replace;
    if (DP_UNLIKELY(reach > line->own_max[it->side])) {
        line->own_max[it->side] = reach;
        dp_risk_set_bounds(line);
    }
}

static inline void note_size(const struct decision *it)
{
    struct risk_line *line = it->line;
    line->sizes[line->size_count % DP_RISK_SIZES] = (uint32_t)it->order->qty;
    line->size_count++;
}

static inline void reserve(const struct decision *it)
{
    it->seat->credit.half[0] -= it->need_low;
    it->seat->credit.half[1] -= it->need_high;
    it->account->credit.half[0] -= it->need_low;
    it->account->credit.half[1] -= it->need_high;
    it->firm->credit.half[0] -= it->need_low;
    it->firm->credit.half[1] -= it->need_high;
    it->line->credit.all -= it->need_side;
    note_own(it);
    note_size(it);
}

static inline enum dp_reason accept(const struct decision *it)
{
    const int64_t most = INT64_MAX / DP_RISK_TICK_NANOS;
    int64_t gross = it->seat->base[RISK_GROSS] - it->seat->credit.free[RISK_GROSS];
    it->verdict->reason = DP_REASON_ACCEPTED;
    it->verdict->observed = (gross < most ? gross : most) * DP_RISK_TICK_NANOS;
    it->verdict->limit = it->seat->gross_max_nanos;
    return DP_REASON_ACCEPTED;
}

/* Written out, not a loop over a table: each call is inlined and falls through to the next. */
static CHECK check_all(const struct decision *it, const bool careful)
{
    enum dp_reason reason = check_account(it);
    if (reason == DP_REASON_ACCEPTED)
        reason = check_state(it);
    if (careful && reason == DP_REASON_ACCEPTED)
        reason = check_size(it);
    if (reason == DP_REASON_ACCEPTED)
        reason = check_reference(it);
    if (careful && reason == DP_REASON_ACCEPTED)
        reason = check_band(it);
    if (reason == DP_REASON_ACCEPTED)
        reason = check_notional(it);
    if (reason == DP_REASON_ACCEPTED)
        reason = check_short(it);
    if (careful && reason == DP_REASON_ACCEPTED)
        reason = check_usual(it);
    if (reason == DP_REASON_ACCEPTED)
        reason = check_sweep(it);
    if (reason == DP_REASON_ACCEPTED)
        reason = check_duplicate(it);
    if (reason == DP_REASON_ACCEPTED)
        reason = check_rate(it);
    if (reason == DP_REASON_ACCEPTED)
        reason = check_fan_out(it);
    if (careful && reason == DP_REASON_ACCEPTED)
        reason = check_self(it);
    if (reason == DP_REASON_ACCEPTED && DP_UNLIKELY(!fits(it)))
        reason = HAND_OVER(dp_risk_check_credit, it);
    if (DP_UNLIKELY(reason != DP_REASON_ACCEPTED))
        return reason;
    reserve(it);
    return accept(it);
}

static inline void set_places(struct decision *it)
{
    it->account = dp_risk_place(it->risk, it->seat->account_at);
    it->firm = dp_risk_place(it->risk, it->seat->firm_at);
}

/* By constants that are chosen by index: side, mark and kind of order are anybody's guess, and a
 * branch on them would often be taken wrong. */
static inline void set_needs(struct decision *it)
{
    static const risk_four low = {-1, -1, -1, 0};
    static const risk_four count[] = {{0, 0, 0, 1}, {0, 0, 0, 0}};
    static const risk_four high[] = {{0, -1, 0, 0}, {0, 0, -1, 0}};
    static const risk_four message = {1, 0, 0, 0};
    static const risk_four sides[] = {{-1, 0, 0, 0}, {0, -1, 0, 0}, {-1, 0, -1, 0}, {0, -1, -1, 0}};
    const struct dp_risk_order *order = it->order;
    int64_t money = order->is_replace ? order->increase_ticks : it->notional;
    int64_t qty = (int64_t)(order->is_replace ? order->increase_qty : order->qty);
    risk_four all_money = {money, money, money, money};
    risk_four all_qty = {qty, qty, qty, qty};
    it->need_low = (all_money & low) | count[order->is_replace];
    it->need_high = (all_money & high[it->side]) | message;
    it->need_side = all_qty & sides[it->side + 2 * is_marked(it)];
}

/* Where the buckets' time begins: at the first order of whichever lane. */
static void start_clock(const struct decision *it)
{
    int64_t start_ns = 0;
    dp_cas_relaxed(&it->risk->start_ns, &start_ns, it->order->now_ns);
}

/* The lane's line is known only when the seat is armed. */
static COLD decide_with_care(struct decision *it)
{
    struct dp_risk_strategy_limits limits;
    uint32_t strategy_index = it->order->strategy_index;
    if (!dp_risk_read_strategy(&it->risk->strategies[strategy_index], &limits))
        return answer(it, DP_REASON_NO_POLICY, strategy_index, 0);
    it->line = dp_risk_line(it->risk, limits.lane, it->order->instrument_index);
    enum dp_reason reason = dp_risk_check_scope(it);
    if (reason != DP_REASON_ACCEPTED)
        return reason;
    if (it->side > 1)
        return answer(it, DP_REASON_ORDER_INVALID, it->order->side, DP_SIDE_SELL);
    set_places(it);
    start_clock(it);
    set_needs(it);
    return check_all(it, true);
}

/* Nothing has changed, and the order is inside what all bounds of its kind allow together. */
static inline bool is_plain(const struct decision *it, uint64_t gate)
{
    const struct dp_risk_order *order = it->order;
    const struct risk_seat *seat = it->seat;
    const struct risk_line *line = it->line;
    uint32_t qty_max = seat->qty_max < line->qty_max ? seat->qty_max : line->qty_max;
    return gate == seat->gate_seen && gate == line->gate_seen && order->qty - 1 < qty_max &&
        it->ticks - 1 < RISK_PRICE_TICKS_MAX &&
        (int64_t)it->ticks * DP_RISK_TICK_NANOS == order->price_nanos && it->side <= 1 &&
        dp_risk_reach((uint32_t)it->ticks, it->side) <= line->price_max[it->side];
}

enum dp_reason dp_risk_decide(
    struct dp_risk *risk, const struct dp_risk_order *order, struct dp_risk_verdict *verdict)
{
    struct decision it;
    it.risk = risk;
    it.order = order;
    it.verdict = verdict;
    it.ticks = (uint64_t)order->price_nanos / DP_RISK_TICK_NANOS;
    it.notional = (int64_t)(it.ticks * order->qty);
    it.side = dp_risk_side(order->side);
    uint64_t gate = dp_load_acquire(&risk->gate); /* pairs with dp_switch_tell() */
    verdict->policy_version = gate - 1;
    if (DP_UNLIKELY(order->strategy_index >= risk->config.strategy_count_max))
        return answer(&it, DP_REASON_NO_POLICY, order->strategy_index, 0);
    if (DP_UNLIKELY(order->instrument_index >= risk->config.instrument_count_max))
        return answer(&it, DP_REASON_NO_POLICY, order->instrument_index, 0);

    it.seat = dp_risk_seat(risk, order->strategy_index);
    struct risk_line *lines = dp_risk_place(risk, it.seat->lines_at);
    it.line = &lines[order->instrument_index];
    if (DP_UNLIKELY(!is_plain(&it, gate)))
        return HAND_OVER(decide_with_care, &it);
    set_places(&it);
    set_needs(&it);
    return check_all(&it, false);
}
