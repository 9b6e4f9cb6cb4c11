/*
 * dp_match_trade - one incoming order meets one resting order; private to the dp_match files.
 *
 * The incoming order (the taker) is on the stack, the resting one (the maker) stored.
 */
#ifndef DP_MATCH_TRADE_H
#define DP_MATCH_TRADE_H

#include "dp_match_account.h"
#include "dp_match_turn.h"

/* Trades qty, at most what either has and the maker shows, at the maker's price. A maker without
 * anything left ends; a reserve order that shows nothing any more is shown anew, last in its queue.
 */
void dp_match_trade(
    struct dp_match_turn *turn, uint32_t maker, struct dp_match_slot *taker, uint64_t qty);
/* The same in an auction, where both are stored and the price is everybody's. */
void dp_match_trade_crossed(
    struct dp_match_turn *turn, uint32_t buyer, uint32_t seller, uint64_t qty, int64_t price_nanos);
/* The report of a trade that has been posted and taken off both. */
static inline void dp_match_report_trade(const struct dp_match_turn *turn,
    const struct dp_match_slot *maker, const struct dp_match_slot *taker,
    const struct dp_match_posting *posting)
{
    struct dp_match_report *report = dp_match_report_next(turn->sink, DP_MATCH_TRADED);
    report->side = maker->side;
    report->flags = (uint8_t)((maker->leaves_qty != 0 ? DP_MATCH_ON_BOOK : 0) |
        (maker->flags & DP_MATCH_SLOT_UNSHOWN ? DP_MATCH_NON_DISPLAYED : 0));
    report->instrument_index = posting->instrument_index;
    report->order_id = maker->order_id;
    report->tag = maker->tag;
    report->price_nanos = posting->price_nanos;
    report->qty = posting->qty;
    report->leaves_qty = maker->leaves_qty;
    report->display_qty = dp_match_shown_qty(turn->match, maker);
    report->fee_nanos = posting->maker_fee_nanos;
    report->match_number = turn->match->match_number_last;
    report->contra_order_id = taker->order_id;
    report->contra_tag = taker->tag;
    report->contra_leaves_qty = taker->leaves_qty;
    report->contra_fee_nanos = posting->taker_fee_nanos;
}

static inline bool dp_match_is_own(
    const struct dp_match_slot *taker, const struct dp_match_slot *maker)
{
    return taker->stp_group != 0 && taker->stp_group == maker->stp_group;
}

/* The two are of one group: the taker's mode decides who goes. A taker that goes has no leaves. */
void dp_match_prevent(struct dp_match_turn *turn, uint32_t maker, struct dp_match_slot *taker);

#endif
