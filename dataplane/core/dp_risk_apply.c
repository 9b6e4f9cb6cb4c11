/* What the venue reports, and what is watched beside the hot path. */
#include "dp_risk.h"
#include "dp_risk_layout.h"

#define TICKS_MAX (INT64_C(1) << 61) /* no order that the gate let through comes near */

/* ---- weights ---- */

static int64_t multiply(uint64_t one, uint64_t other)
{
    uint64_t product;
    bool wraps = __builtin_mul_overflow(one, other, &product);
    return wraps || product > (uint64_t)TICKS_MAX ? TICKS_MAX : (int64_t)product;
}

/* A part of a tick counts as a whole one. */
static uint64_t price_ticks(int64_t price_nanos)
{
    return price_nanos <= 0 ? 0
                            : ((uint64_t)price_nanos + DP_RISK_TICK_NANOS - 1) / DP_RISK_TICK_NANOS;
}

/* 64 bits of nanos are 18 billion: what one event moves nearly always fits. */
static int64_t money_ticks(dp_money_nanos money)
{
    dp_money_nanos size = money < 0 ? -money : money;
    int64_t ticks = DP_LIKELY(size <= UINT64_MAX) ? (int64_t)((uint64_t)size / DP_RISK_TICK_NANOS)
                                                  : (int64_t)(size / DP_RISK_TICK_NANOS);
    return money < 0 ? -ticks : ticks;
}

struct dp_risk_weight dp_risk_weigh(const struct dp_order *order)
{
    struct dp_risk_weight weight = {
        .cum_money = dp_order_cum_money(order),
        .cum_qty = order->cum_qty,
        .open = dp_order_is_live(order),
    };
    if (weight.open) {
        weight.leaves = dp_order_worst_leaves(order);
        weight.ticks = multiply(price_ticks(dp_order_worst_price(order)), weight.leaves);
    }
    return weight;
}

/* ---- what changed ---- */

/* The difference that one event made. */
struct change {
    struct dp_risk *risk;
    const struct dp_order *order;
    struct risk_seat *seat;
    int64_t open;     /* ticks */
    int64_t executed; /* ticks */
    int64_t entered;  /* ticks: only what the venue rejected comes off */
    int64_t leaves;
    int64_t qty;
    int64_t count;
    bool is_buy;
};

/* Nothing that was reserved or executed: an order was accepted as it was asked for. */
static bool is_empty(const struct change *change)
{
    return (change->open | change->executed | change->entered | change->leaves | change->qty |
               change->count) == 0;
}

static struct change change_of(
    struct dp_risk *risk, const struct dp_order *order, const struct dp_risk_weight *before)
{
    struct dp_risk_weight after = dp_risk_weigh(order);
    bool rejected = DP_ORDER_BASE(dp_load_relaxed(&order->state)) == DP_ORDER_REJECTED;
    return (struct change){
        .risk = risk,
        .order = order,
        .seat = dp_risk_seat(risk, order->strategy_index),
        .open = after.ticks - before->ticks,
        .executed = money_ticks(after.cum_money - before->cum_money),
        .entered = rejected && before->open ? -before->ticks : 0,
        .leaves = (int64_t)(after.leaves - before->leaves),
        .qty = (int64_t)(after.cum_qty - before->cum_qty),
        .count = (int64_t)after.open - (int64_t)before->open,
        .is_buy = order->side == DP_SIDE_BUY,
    };
}

/* What executes on one side makes room on the other; each execution allows some more messages. */
static void use_low(risk_four *credit, const struct change *change)
{
    int64_t own = change->open + change->executed;
    int64_t buy = change->is_buy ? own : -change->executed;
    int64_t sell = change->is_buy ? -change->executed : own;
    *credit -= (risk_four){own, change->count, buy, sell};
}

static void use_high(risk_four *credit, const struct change *change, int64_t message_ratio)
{
    int64_t messages = change->qty > 0 ? -message_ratio : 0;
    *credit -= (risk_four){change->open, change->entered, messages, 0};
}

/* What was used beyond what the lane holds (an execution that nobody expected) is taken from the
 * pool at once: other lanes must not use it too. What becomes free while a pool is below 0 goes
 * there: it is not to be used again before less is used than the limit allows. */
static void settle(struct dp_credit_pool *pools, const _Atomic int64_t *limits, uint32_t lane,
    struct dp_credit_hold *holds, int64_t *free, uint32_t dim_count, bool *owes)
{
    for (uint32_t dim = 0; dim < dim_count; dim++)
        if (dp_load_relaxed(&limits[dim]) != DP_CREDIT_UNLIMITED && free[dim] != 0 &&
            (free[dim] < 0 || dp_credit_free(&pools[dim]) < 0))
            dp_credit_give(&pools[dim], lane, &holds[dim], &free[dim], free[dim]);
    *owes = dp_risk_owes(pools, limits, dim_count);
}

static void settle_share(struct dp_risk *risk, uint32_t group_index, uint32_t lane)
{
    struct risk_group *group = dp_risk_group(risk, group_index);
    struct risk_share *share = dp_risk_share(risk, group_index, lane);
    bool is_short = dp_risk_any_below_0(share->credit.half[0] | share->credit.half[1]);
    if (DP_UNLIKELY(is_short || share->owes))
        settle(group->pools, group->limits, lane, share->holds, share->credit.free, RISK_DIMS,
            &share->owes);
}

static void settle_line(struct dp_risk *risk, uint32_t instrument_index, uint32_t lane)
{
    struct risk_instrument *instrument = dp_risk_instrument(risk, instrument_index);
    struct risk_line *line = dp_risk_line(risk, lane, instrument_index);
    bool is_short = line->credit.free[RISK_LONG] < 0 || line->credit.free[RISK_SHORT] < 0;
    if (DP_UNLIKELY(is_short || line->owes))
        settle(instrument->pools, instrument->limits, lane, line->holds, line->credit.free,
            RISK_SIDE_DIMS, &line->owes);
}

static void use_share(const struct change *change, uint32_t group_index)
{
    struct risk_share *share = dp_risk_share(change->risk, group_index, change->seat->lane);
    use_low(&share->credit.half[0], change);
    use_high(&share->credit.half[1], change, share->message_ratio);
    settle_share(change->risk, group_index, change->seat->lane);
}

/* ---- the instrument ---- */

/* The furthest of our own is known exactly while there is one; of more it may be too far. */
static void note_own(struct risk_line *line, uint32_t side, int64_t change, uint32_t reach)
{
    line->own_count[side] += (uint32_t)change;
    if (line->own_count[side] == 0)
        line->own_max[side] = 0;
    else if (line->own_count[side] == 1 && reach > 0)
        line->own_max[side] = reach;
}

/* 0 when it is not live. */
static uint32_t reach_of(const struct dp_order *order, uint32_t side)
{
    uint64_t ticks = price_ticks(dp_order_worst_price(order));
    bool counts = dp_order_is_live(order) && ticks <= RISK_PRICE_TICKS_MAX;
    return counts ? dp_risk_reach((uint32_t)ticks, side) : 0;
}

static void use_line(const struct change *change, struct risk_line *line)
{
    int64_t own = change->leaves + change->qty;
    int64_t signed_qty = change->is_buy ? change->qty : -change->qty;

    line->credit.all -=
        change->is_buy ? (risk_four){own, -change->qty} : (risk_four){-change->qty, own};
    line->position += signed_qty;
    line->bought_qty += change->is_buy ? change->qty : 0;
    line->sold_qty += change->is_buy ? 0 : change->qty;
    settle_line(change->risk, change->order->instrument_index, change->seat->lane);
}

/* The median of the last sizes, times the multiple; none before there are enough. */
static void set_typical(struct risk_line *line)
{
    if (line->typical_multiple == 0 || line->size_count < DP_RISK_SIZES)
        return;
    for (uint32_t index = 0; index < DP_RISK_SIZES; index++) {
        uint32_t below = 0;
        for (uint32_t other = 0; other < DP_RISK_SIZES; other++)
            below += line->sizes[other] < line->sizes[index] ||
                (line->sizes[other] == line->sizes[index] && other < index);
        if (below != DP_RISK_SIZES / 2)
            continue;
        uint64_t most = (uint64_t)line->sizes[index] * line->typical_multiple;
        line->typical_qty_max = most < RISK_QTY_MAX ? (uint32_t)most : RISK_QTY_MAX;
        break;
    }
    uint32_t qty_max =
        line->order_qty_max < line->volume_qty_max ? line->order_qty_max : line->volume_qty_max;
    line->qty_max = qty_max < line->typical_qty_max ? qty_max : line->typical_qty_max;
}

/* ---- what a strategy holds ---- */

static struct risk_holding *holding_of(struct risk_holding *holdings, uint32_t instrument)
{
    uint32_t at = instrument * 2654435761u;
    for (uint32_t tries = 0; tries < RISK_HOLDINGS; tries++, at++) {
        struct risk_holding *holding = &holdings[at & (RISK_HOLDINGS - 1)];
        if (holding->instrument == instrument + 1 || holding->instrument == 0)
            return holding;
    }
    return NULL;
}

static void use_holding(const struct change *change)
{
    uint32_t instrument = change->order->instrument_index;
    struct risk_holding *holding =
        holding_of(dp_risk_holdings(change->risk, change->order->strategy_index), instrument);
    if (holding == NULL) {
        change->seat->holdings_full = true;
        return;
    }
    holding->instrument = instrument + 1;
    holding->position += change->is_buy ? change->qty : -change->qty;
    holding->cash += change->is_buy ? -change->executed : change->executed;
}

/* ---- breakers ---- */

static void trip(const struct change *change, enum dp_switch_source source)
{
    dp_risk_kill(change->risk,
        (struct dp_risk_scope){DP_RISK_SCOPE_STRATEGY, change->order->strategy_index},
        DP_SWITCH_REJECT_NEW, source);
}

static void check_breakers(const struct change *change)
{
    int64_t now = dp_risk_beats(change->risk, change->order->changed_ns);
    if (change->qty > 0 && !dp_risk_take_token(&change->seat->fills, now))
        trip(change, DP_SWITCH_BY_REPEAT_EXECUTION);
    if (change->entered < 0 && !dp_risk_take_token(&change->seat->rejects, now))
        trip(change, DP_SWITCH_BY_REJECT_RATE);
}

/* ---- the calls ---- */

void dp_risk_apply(
    struct dp_risk *risk, const struct dp_order *order, const struct dp_risk_weight *before)
{
    /* A denied order may carry any index and side, and a venue may report on any number (T36). */
    if (DP_UNLIKELY(order->strategy_index >= risk->config.strategy_count_max ||
            order->instrument_index >= risk->config.instrument_count_max))
        return;

    struct change change = change_of(risk, order, before);
    struct risk_line *line = dp_risk_line(risk, change.seat->lane, order->instrument_index);
    if (!is_empty(&change)) {
        use_low(&change.seat->credit.all, &change);
        use_share(&change, change.seat->account_index + 1);
        use_share(&change, DP_RISK_FIRM);
        use_line(&change, line);
        check_breakers(&change);
    }
    if (change.qty != 0 || change.executed != 0) {
        line->cash += change.is_buy ? before->cum_money - order->cum_money
                                    : order->cum_money - before->cum_money;
        *(change.is_buy ? &change.seat->bought : &change.seat->sold) += change.executed;
        use_holding(&change);
    }
    uint32_t side = change.is_buy ? 0 : 1;
    note_own(line, side, change.count, reach_of(order, side));
    set_typical(line);
}

void dp_risk_undo(struct dp_risk *risk, const struct dp_risk_order *order)
{
    struct risk_seat *seat = dp_risk_seat(risk, order->strategy_index);
    struct risk_share *shares[] = {
        dp_risk_at(risk, seat->account_at), dp_risk_at(risk, seat->firm_at)};
    struct risk_line *line = dp_risk_line(risk, seat->lane, order->instrument_index);
    bool is_buy = order->side == DP_SIDE_BUY;
    int64_t qty = (int64_t)(order->is_replace ? order->increase_qty : order->qty);
    int64_t money = order->is_replace ? order->increase_ticks
                                      : multiply(price_ticks(order->price_nanos), order->qty);
    risk_four low = {money, !order->is_replace, is_buy ? money : 0, is_buy ? 0 : money};
    risk_four high = {money, money, 0, 0};

    seat->credit.all += low;
    for (int index = 0; index < 2; index++) {
        shares[index]->credit.half[0] += low;
        shares[index]->credit.half[1] += high;
    }
    line->credit.all += is_buy ? (risk_four){qty} : (risk_four){0, qty};
    if (!order->is_replace)
        note_own(line, is_buy ? 0 : 1, -1, 0);
    settle_share(risk, seat->account_index + 1, seat->lane);
    settle_share(risk, DP_RISK_FIRM, seat->lane);
    settle_line(risk, order->instrument_index, seat->lane);
}

void dp_risk_cancel(struct dp_risk *risk, uint16_t strategy_index, int64_t now_ns)
{
    struct risk_seat *seat = dp_risk_seat(risk, strategy_index);
    struct risk_share *account = dp_risk_at(risk, seat->account_at);
    struct risk_share *firm = dp_risk_at(risk, seat->firm_at);
    account->credit.free[RISK_MESSAGES]--;
    firm->credit.free[RISK_MESSAGES]--;
    dp_risk_take_token(&firm->orders, dp_risk_beats(risk, now_ns));
}
