#include "dp_risk.h"
#include "dp_risk_layout.h"

/* Everything one decision looks at. */
struct decision {
    const struct dp_risk_order *order;
    struct risk_strategy *strategy;
    struct risk_instrument *instrument;
    struct risk_duplicate *duplicates;
    struct dp_risk_verdict *verdict;
};

static int64_t clamp(dp_money_nanos value)
{
    return value > INT64_MAX ? INT64_MAX : value < INT64_MIN ? INT64_MIN : (int64_t)value;
}

static enum dp_reason answer(struct dp_risk_verdict *verdict, enum dp_reason reason,
    dp_money_nanos observed, dp_money_nanos limit)
{
    verdict->reason = reason;
    verdict->observed = clamp(observed);
    verdict->limit = clamp(limit);
    return reason;
}

/* ---- the order alone ---- */

static enum dp_reason check_size(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    uint64_t qty_max = it->strategy->order_qty_max < it->instrument->order_qty_max
        ? it->strategy->order_qty_max
        : it->instrument->order_qty_max;

    if (DP_UNLIKELY(order->qty > qty_max))
        return answer(it->verdict, DP_REASON_MAX_ORDER_QTY, (dp_money_nanos)order->qty,
            (dp_money_nanos)qty_max);
    /* Beyond these the sums below could wrap. Nothing a venue takes comes near. */
    if (DP_UNLIKELY(order->qty - 1 >= RISK_QTY_MAX || order->increase_qty > RISK_QTY_MAX))
        return answer(
            it->verdict, DP_REASON_ORDER_INVALID, (dp_money_nanos)order->qty, RISK_QTY_MAX);
    if (DP_UNLIKELY(order->price_nanos <= 0 || order->price_nanos > RISK_PRICE_NANOS_MAX))
        return answer(
            it->verdict, DP_REASON_ORDER_INVALID, order->price_nanos, RISK_PRICE_NANOS_MAX);
    if (DP_UNLIKELY(order->side != DP_SIDE_BUY && order->side != DP_SIDE_SELL))
        return answer(it->verdict, DP_REASON_ORDER_INVALID, order->side, DP_SIDE_SELL);
    return DP_REASON_ACCEPTED;
}

/* ---- the order against the market ---- */

/* For the refused order's record only: here a division does not hurt. */
static enum dp_reason answer_collar(const struct decision *it, int64_t reference_doubled)
{
    const struct dp_risk_order *order = it->order;
    dp_money_nanos reference = reference_doubled / 2;
    dp_money_nanos band = reference * it->instrument->collar_bps / 10000;
    if (band < it->instrument->collar_abs_nanos)
        band = it->instrument->collar_abs_nanos;
    return answer(it->verdict, DP_REASON_PRICE_COLLAR, order->price_nanos,
        order->side == DP_SIDE_BUY ? reference + band : reference - band);
}

/* Twice the distance is compared with twice the band, and ten thousand times each: no half nano is
 * lost and nothing is divided. */
static bool is_outside_collar(const struct decision *it, int64_t reference_doubled)
{
    const struct dp_risk_order *order = it->order;
    int64_t above = 2 * order->price_nanos - reference_doubled;
    int64_t distance = order->side == DP_SIDE_BUY ? above : -above;
    dp_money_nanos band = (dp_money_nanos)reference_doubled * it->instrument->collar_bps;
    return (dp_money_nanos)distance > 2 * (dp_money_nanos)it->instrument->collar_abs_nanos &&
        (dp_money_nanos)distance * 10000 > band;
}

static enum dp_reason check_market(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    int64_t bid = order->best_bid_nanos;
    int64_t ask = order->best_ask_nanos;

    if (DP_UNLIKELY(bid <= 0 || bid >= ask || ask > RISK_PRICE_NANOS_MAX))
        return answer(it->verdict, DP_REASON_NO_REFERENCE_PRICE, bid, ask);
    if (DP_UNLIKELY(order->book_flags != 0))
        return answer(it->verdict, DP_REASON_STALE_MARKET_DATA, order->book_flags, 0);
    if (DP_UNLIKELY(is_outside_collar(it, bid + ask)))
        return answer_collar(it, bid + ask);
    return DP_REASON_ACCEPTED;
}

static enum dp_reason check_notional(const struct decision *it)
{
    dp_money_nanos notional =
        (dp_money_nanos)it->order->price_nanos * (dp_money_nanos)it->order->qty;
    dp_money_nanos limit = it->strategy->notional_max < it->instrument->notional_max
        ? it->strategy->notional_max
        : it->instrument->notional_max;
    if (DP_UNLIKELY(notional > limit))
        return answer(it->verdict, DP_REASON_MAX_ORDER_NOTIONAL, notional, limit);
    return DP_REASON_ACCEPTED;
}

/* ---- the order against those before it ---- */

static uint64_t fingerprint(const struct dp_risk_order *order)
{
    uint64_t hash = (uint64_t)order->price_nanos * 0x9e3779b97f4a7c15ull;
    hash ^= order->qty << 32 | (uint64_t)order->instrument_index << 2 | order->side;
    hash = (hash ^ hash >> 32) * 0xd6e8feb86659fd93ull;
    return (hash ^ hash >> 32) | 1; /* 0 is the slot never used */
}

/* Two places for each fingerprint; the one seen longer ago makes room. */
static struct risk_duplicate *duplicate_slot(struct risk_duplicate *slots, uint64_t print)
{
    size_t index = (size_t)(print >> 1) & (RISK_DUPLICATE_SLOTS - 1);
    struct risk_duplicate *slot = &slots[index];
    struct risk_duplicate *other = &slots[index ^ 1];
    if (slot->fingerprint == print)
        return slot;
    if (other->fingerprint == print)
        return other;

    slot = slot->last_ns <= other->last_ns ? slot : other;
    slot->fingerprint = print;
    slot->count = 0;
    slot->oldest = 0;
    return slot;
}

/* The ring holds as many sightings as may pass: when the oldest of a full ring is inside the
 * window, one more is too many. A refused one is not a sighting. */
static enum dp_reason check_duplicate(const struct decision *it)
{
    const struct dp_risk_order *order = it->order;
    uint32_t count_max = it->strategy->duplicate_count_max;
    if (count_max == 0)
        return DP_REASON_ACCEPTED;

    struct risk_duplicate *slot = duplicate_slot(it->duplicates, fingerprint(order));
    uint32_t index = slot->count < count_max ? slot->count : slot->oldest;
    if (slot->count == count_max) {
        if (order->now_ns - slot->times_ns[index] < it->strategy->duplicate_window_ns)
            return answer(
                it->verdict, DP_REASON_DUPLICATE_ORDER, (dp_money_nanos)count_max + 1, count_max);
        slot->oldest = index + 1 == count_max ? 0 : index + 1;
    } else {
        slot->count++;
    }
    slot->times_ns[index] = order->now_ns;
    slot->last_ns = order->now_ns;
    return DP_REASON_ACCEPTED;
}

/* Credit grows by `rate` each nanosecond and an order costs 1e9 of it: exact, whatever the rate. A
 * clock that steps back gives no credit. */
static enum dp_reason check_rate(const struct decision *it)
{
    struct risk_strategy *strategy = it->strategy;
    int64_t now_ns = it->order->now_ns;

    if (now_ns > strategy->credit_ns) {
        uint64_t elapsed_ns = (uint64_t)now_ns - (uint64_t)strategy->credit_ns;
        uint64_t fill_ns = (uint64_t)strategy->fill_ns;
        uint64_t credit = strategy->credit +
            (elapsed_ns < fill_ns ? elapsed_ns : fill_ns) * (uint64_t)strategy->rate;
        strategy->credit = credit < strategy->credit_max ? credit : strategy->credit_max;
        strategy->credit_ns = now_ns;
    }
    if (DP_UNLIKELY(strategy->credit < strategy->order_cost))
        return answer(it->verdict, DP_REASON_ORDER_RATE,
            (dp_money_nanos)(strategy->credit_max - strategy->credit + strategy->order_cost),
            (dp_money_nanos)strategy->credit_max);
    strategy->credit -= strategy->order_cost;
    return DP_REASON_ACCEPTED;
}

/* ---- the order on top of all others ---- */

static enum dp_reason check_open(const struct decision *it)
{
    uint64_t count = it->strategy->open_order_count + !it->order->is_replace;
    if (DP_UNLIKELY(!it->order->is_replace && count > it->strategy->open_order_count_max))
        return answer(it->verdict, DP_REASON_OPEN_ORDER_COUNT, (dp_money_nanos)count,
            (dp_money_nanos)it->strategy->open_order_count_max);
    return DP_REASON_ACCEPTED;
}

static enum dp_reason check_position(const struct decision *it)
{
    const struct risk_instrument *instrument = it->instrument;
    int64_t increase = (int64_t)it->order->increase_qty;
    int64_t worst = it->order->side == DP_SIDE_BUY
        ? instrument->position + instrument->buy_leaves + increase
        : -(instrument->position - instrument->sell_leaves - increase);
    if (DP_UNLIKELY(worst > instrument->position_max && increase > 0))
        return answer(it->verdict, DP_REASON_POSITION, worst, instrument->position_max);
    return DP_REASON_ACCEPTED;
}

static enum dp_reason check_exposure(const struct decision *it)
{
    const struct risk_strategy *strategy = it->strategy;
    dp_money_nanos increase = it->order->increase_money;
    dp_money_nanos bought = strategy->buy_executed + strategy->buy_open;
    dp_money_nanos sold = strategy->sell_executed + strategy->sell_open;

    /* The worst that can come: all open orders of this side execute and none of the other. Those
     * must not count against it, for they can be cancelled, and cancels pass every limit. */
    dp_money_nanos net;
    if (it->order->side == DP_SIDE_BUY) {
        bought += increase;
        net = bought - strategy->sell_executed;
    } else {
        sold += increase;
        net = sold - strategy->buy_executed;
    }
    dp_money_nanos gross = sold + bought;
    if (DP_UNLIKELY(net > strategy->net_max && increase > 0))
        return answer(it->verdict, DP_REASON_NET_EXPOSURE, net, strategy->net_max);
    if (DP_UNLIKELY(gross > strategy->gross_max && increase > 0))
        return answer(it->verdict, DP_REASON_GROSS_EXPOSURE_ENTERED, gross, strategy->gross_max);
    return answer(it->verdict, DP_REASON_ACCEPTED, gross, strategy->gross_max);
}

/* ---- the decision ---- */

static enum dp_reason check_scope(
    const struct dp_risk *risk, const struct dp_risk_order *order, struct dp_risk_verdict *verdict)
{
    if (DP_UNLIKELY(dp_load_relaxed(&risk->killed) != 0))
        return answer(verdict, DP_REASON_KILL_SWITCH, 1, 0);
    if (DP_UNLIKELY(order->trading_state != DP_TRADING_OPEN))
        return answer(verdict, DP_REASON_HALTED, order->trading_state, DP_TRADING_OPEN);
    if (DP_UNLIKELY(order->strategy_index >= risk->strategy_count ||
            !risk->strategies[order->strategy_index].has_policy))
        return answer(verdict, DP_REASON_NO_POLICY, order->strategy_index, 0);
    if (DP_UNLIKELY(order->instrument_index >= risk->instrument_count ||
            !dp_risk_instrument(risk, order->instrument_index)->has_policy))
        return answer(verdict, DP_REASON_NO_POLICY, order->instrument_index, 0);
    return DP_REASON_ACCEPTED;
}

/* Written out, not a loop over a table: each call is inlined and falls through to the next. */
static enum dp_reason check_all(const struct decision *it)
{
    enum dp_reason reason = check_size(it);
    if (reason == DP_REASON_ACCEPTED)
        reason = check_market(it);
    if (reason == DP_REASON_ACCEPTED)
        reason = check_notional(it);
    if (reason == DP_REASON_ACCEPTED)
        reason = check_duplicate(it);
    if (reason == DP_REASON_ACCEPTED)
        reason = check_rate(it);
    if (reason == DP_REASON_ACCEPTED)
        reason = check_open(it);
    if (reason == DP_REASON_ACCEPTED)
        reason = check_position(it);
    if (reason == DP_REASON_ACCEPTED)
        reason = check_exposure(it);
    return reason;
}

static void reserve(struct risk_strategy *strategy, struct risk_instrument *instrument,
    const struct dp_risk_order *order, int sign)
{
    dp_money_nanos money = sign * order->increase_money;
    int64_t qty = sign * (int64_t)order->increase_qty;
    bool is_buy = order->side == DP_SIDE_BUY;

    strategy->open_order_count += order->is_replace ? 0 : (uint64_t)(int64_t)sign;
    *(is_buy ? &strategy->buy_open : &strategy->sell_open) += money;
    *(is_buy ? &instrument->buy_leaves : &instrument->sell_leaves) += qty;
}

enum dp_reason dp_risk_decide(
    struct dp_risk *risk, const struct dp_risk_order *order, struct dp_risk_verdict *verdict)
{
    enum dp_reason reason = check_scope(risk, order, verdict);
    if (DP_UNLIKELY(reason != DP_REASON_ACCEPTED))
        return reason;

    const struct decision it = {
        .order = order,
        .strategy = &risk->strategies[order->strategy_index],
        .instrument = dp_risk_instrument(risk, order->instrument_index),
        .duplicates = dp_risk_duplicates(risk, order->strategy_index),
        .verdict = verdict,
    };
    reason = check_all(&it);
    if (DP_LIKELY(reason == DP_REASON_ACCEPTED))
        reserve(it.strategy, it.instrument, order, 1);
    return reason;
}

void dp_risk_undo(struct dp_risk *risk, const struct dp_risk_order *order)
{
    reserve(&risk->strategies[order->strategy_index],
        dp_risk_instrument(risk, order->instrument_index), order, -1);
}
