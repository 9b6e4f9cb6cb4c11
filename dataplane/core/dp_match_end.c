#include "dp_match_end.h"

#include "dp_match_extra.h"

void dp_match_end(struct dp_match_turn *turn, uint32_t order)
{
    uint32_t extra = dp_match_slot(turn->match, order)->extra;
    dp_match_unstore(turn->match, turn->book, order);
    if (DP_UNLIKELY(extra != 0))
        dp_match_extra_end(turn, extra);
}

void dp_match_cancel_order(struct dp_match_turn *turn, uint32_t order, enum dp_match_reason reason)
{
    struct dp_match_slot *slot = dp_match_slot(turn->match, order);
    uint64_t qty = slot->leaves_qty;
    uint64_t shown_qty = dp_match_shown_qty(turn->match, slot);
    dp_match_level(turn->match, slot->level)->display_qty -= shown_qty;
    slot->leaves_qty = 0;
    if (DP_UNLIKELY(slot->extra != 0))
        dp_match_extra(turn->match, slot->extra)->shown_qty = 0;
    dp_match_report_cancel(turn, slot, qty, reason);
    dp_match_end(turn, order);
}

void dp_match_reduce(struct dp_match_turn *turn, uint32_t order, uint64_t qty)
{
    struct dp_match_slot *slot = dp_match_slot(turn->match, order);
    uint64_t shown_before = dp_match_shown_qty(turn->match, slot);
    slot->leaves_qty -= qty;
    if (DP_UNLIKELY(slot->extra != 0)) {
        struct dp_match_extra *extra = dp_match_extra(turn->match, slot->extra);
        if (extra->shown_qty > slot->leaves_qty)
            extra->shown_qty = slot->leaves_qty;
    }
    dp_match_level(turn->match, slot->level)->display_qty -=
        shown_before - dp_match_shown_qty(turn->match, slot);
}

void dp_match_group_cancel(struct dp_match_turn *turn, struct dp_match_slot *taker)
{
    uint32_t number;
    while ((number = dp_match_group_next(turn, DP_MATCH_PENDING_CANCEL)) != 0) {
        uint32_t order = dp_match_extra(turn->match, number)->order;
        if (order != 0) {
            dp_match_cancel_order(turn, order, DP_MATCH_REASON_GROUP_ENDED);
            continue;
        }
        uint64_t qty = taker->leaves_qty;
        taker->leaves_qty = 0;
        if (qty > 0)
            dp_match_report_cancel(turn, taker, qty, DP_MATCH_REASON_GROUP_ENDED);
    }
}
