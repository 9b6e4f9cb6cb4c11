#include "dp_match_enter.h"

#include "dp_match_band.h"
#include "dp_match_extra.h"
#include "dp_match_take.h"

static struct dp_match_report *announce(const struct dp_match_turn *turn,
    const struct dp_match_slot *order, const struct dp_match_announcement *announcement)
{
    struct dp_match_report *report =
        dp_match_report_order(turn, announcement->type, order, order->leaves_qty);
    report->contra_order_id = announcement->old_order_id;
    return report;
}

void dp_match_give_up(
    struct dp_match_turn *turn, struct dp_match_slot *order, enum dp_match_reason reason)
{
    uint64_t qty = order->leaves_qty;
    order->leaves_qty = 0;
    if (qty > 0)
        dp_match_report_cancel(turn, order, qty, reason);
    if (DP_UNLIKELY(order->extra != 0))
        dp_match_extra_end(turn, order->extra);
}

/* ---- resting ---- */

static bool is_new_best(
    const struct dp_match_book *book, enum dp_match_ladder_name name, uint32_t slot)
{
    const struct dp_match_ladder *ladder = &book->ladders[name];
    return dp_match_ladder_key(ladder, slot) < ladder->best_key;
}

/* 0 when there is no record for it. */
static uint32_t place(struct dp_match_turn *turn, struct dp_match_slot *order,
    enum dp_match_ladder_name ladder, uint32_t slot)
{
    order->flags &= (uint8_t)~DP_MATCH_SLOT_TOP;
    if (ladder <= DP_MATCH_ASKS && is_new_best(turn->book, ladder, slot))
        order->flags |= DP_MATCH_SLOT_TOP;
    uint32_t stored = dp_match_store(turn->match, order);
    if (DP_UNLIKELY(stored == 0))
        return 0;
    if (DP_UNLIKELY(!dp_match_enqueue(turn->match, turn->book, stored, ladder, slot))) {
        dp_match_unstore(turn->match, turn->book, stored);
        return 0;
    }
    return stored;
}

void dp_match_rest(struct dp_match_turn *turn, struct dp_match_slot *order,
    enum dp_match_ladder_name ladder, uint32_t slot,
    const struct dp_match_announcement *announcement)
{
    uint32_t stored = place(turn, order, ladder, slot);
    struct dp_match_report *report = announce(turn, order, announcement);
    if (DP_UNLIKELY(stored == 0))
        dp_match_give_up(turn, order, DP_MATCH_REASON_CAPACITY);
    else if (DP_LIKELY(ladder <= DP_MATCH_ASKS))
        dp_match_report_on_book(turn, report, stored);
}

static void rest_on_book(struct dp_match_turn *turn, struct dp_match_slot *order,
    uint32_t limit_slot, const struct dp_match_announcement *announcement)
{
    dp_match_rest(turn, order, order->side == DP_SIDE_BUY ? DP_MATCH_BIDS : DP_MATCH_ASKS,
        limit_slot, announcement);
}

/* ---- trading ---- */

/* What must trade at once, or nothing may. */
static uint64_t least_qty(const struct dp_match *match, const struct dp_match_slot *order)
{
    if (order->time_in_force == DP_MATCH_FOK || (order->flags & DP_MATCH_ALL_OR_NONE) != 0)
        return order->leaves_qty;
    uint64_t least = order->extra != 0 ? dp_match_extra(match, order->extra)->terms.min_qty : 0;
    return least < order->leaves_qty ? least : order->leaves_qty;
}

static void trade(struct dp_match_turn *turn, struct dp_match_slot *order, uint32_t limit_slot)
{
    const struct dp_match_ladder *ladder = dp_match_opposite(turn->book, order->side);
    uint32_t key = dp_match_ladder_key(ladder, limit_slot);
    uint64_t least = least_qty(turn->match, order);
    if (DP_LIKELY(least == 0) || dp_match_could_take(turn, order, key, least))
        dp_match_take(turn, order, key);
}

static enum dp_match_reason reason_to_end(const struct dp_match_slot *order)
{
    if (order->time_in_force == DP_MATCH_FOK)
        return DP_MATCH_REASON_FILL_OR_KILL;
    if (order->flags & DP_MATCH_SLOT_MARKET)
        return DP_MATCH_REASON_NO_LIQUIDITY;
    return order->time_in_force == DP_MATCH_IOC ? DP_MATCH_REASON_IMMEDIATE : DP_MATCH_REASON_NONE;
}

/* After trading: the rest goes, or rests; a rest that only the bands kept from trading pauses the
 * instrument. */
static void finish(
    struct dp_match_turn *turn, struct dp_match_slot *order, uint32_t limit_slot, bool may_pause)
{
    enum dp_match_reason reason = reason_to_end(order);
    if (order->leaves_qty != 0 && DP_UNLIKELY(may_pause) &&
        dp_match_band_pause(turn, order, limit_slot) && reason != DP_MATCH_REASON_NONE)
        reason = DP_MATCH_REASON_BANDS;
    if (order->leaves_qty == 0 || reason != DP_MATCH_REASON_NONE) {
        dp_match_give_up(turn, order, reason);
        return;
    }
    const struct dp_match_announcement rested = {.type = DP_MATCH_RESTED};
    rest_on_book(turn, order, limit_slot, &rested);
}

void dp_match_enter(struct dp_match_turn *turn, struct dp_match_slot *order, uint32_t limit_slot,
    const struct dp_match_announcement *announcement)
{
    if (DP_LIKELY(reason_to_end(order) == DP_MATCH_REASON_NONE &&
            !dp_match_crosses(turn->book, order, limit_slot)) ||
        dp_match_is_collecting(turn->book)) {
        rest_on_book(turn, order, limit_slot, announcement);
        return;
    }
    announce(turn, order, announcement);
    uint32_t limit_banded = dp_match_banded(turn->book, order->side, limit_slot);
    trade(turn, order, limit_banded);
    finish(turn, order, limit_slot, limit_banded != limit_slot);
}
