#include "dp_match_trade.h"

#include "dp_match_account.h"
#include "dp_match_end.h"
#include "dp_match_extra.h"

/* ---- trades ---- */

/* Takes what was traded off the maker and off what its level shows. */
static void take_from(const struct dp_match *match, struct dp_match_slot *maker,
    struct dp_match_level *level, uint64_t qty)
{
    maker->leaves_qty -= qty;
    if (DP_UNLIKELY(maker->flags & DP_MATCH_SLOT_UNSHOWN))
        return;
    level->display_qty -= qty;
    if (DP_UNLIKELY(maker->extra != 0) &&
        dp_match_extra(match, maker->extra)->terms.display_qty != 0)
        dp_match_extra(match, maker->extra)->shown_qty -= qty;
}

void dp_match_trade(
    struct dp_match_turn *turn, uint32_t order, struct dp_match_slot *taker, uint64_t qty)
{
    struct dp_match *match = turn->match;
    struct dp_match_slot *maker = dp_match_slot(match, order);
    struct dp_match_level *level = dp_match_level(match, maker->level);
    struct dp_match_posting posting = {
        .instrument_index = level->instrument_index,
        .maker = maker->participant,
        .taker = taker->participant,
        .taker_side = taker->side,
        .price_nanos = level->price_nanos,
        .qty = qty,
    };
    dp_match_post(match, &posting);
    take_from(match, maker, level, qty);
    taker->leaves_qty -= qty;
    match->match_number_last++;
    turn->book->last_price_nanos = posting.price_nanos;
    dp_match_report_trade(turn, maker, taker, &posting);
    if (DP_UNLIKELY((maker->extra | taker->extra) != 0)) {
        dp_match_note_trade(turn, maker->extra, qty);
        dp_match_note_trade(turn, taker->extra, qty);
    }
    if (maker->leaves_qty == 0)
        dp_match_end(turn, order);
    else if (DP_UNLIKELY(maker->extra != 0))
        dp_match_refresh(turn, order);
}

/* One of the two of an auction, after its trade. */
static void after_crossed(struct dp_match_turn *turn, uint32_t order, uint64_t qty)
{
    const struct dp_match_slot *slot = dp_match_slot(turn->match, order);
    dp_match_note_trade(turn, slot->extra, qty);
    if (slot->leaves_qty == 0)
        dp_match_end(turn, order);
    else if (slot->extra != 0)
        dp_match_refresh(turn, order);
}

void dp_match_trade_crossed(
    struct dp_match_turn *turn, uint32_t buyer, uint32_t seller, uint64_t qty, int64_t price_nanos)
{
    struct dp_match *match = turn->match;
    struct dp_match_slot *buy = dp_match_slot(match, buyer);
    struct dp_match_slot *sell = dp_match_slot(match, seller);
    struct dp_match_posting posting = {
        .instrument_index = turn->book->index,
        .maker = buy->participant,
        .taker = sell->participant,
        .taker_side = DP_SIDE_SELL,
        .is_cross = true,
        .price_nanos = price_nanos,
        .qty = qty,
    };
    dp_match_post(match, &posting);
    take_from(match, buy, dp_match_level(match, buy->level), qty);
    take_from(match, sell, dp_match_level(match, sell->level), qty);
    match->match_number_last++;
    turn->book->last_price_nanos = price_nanos;
    dp_match_report_trade(turn, buy, sell, &posting);
    turn->sink->reports[turn->sink->count - 1].flags |= DP_MATCH_CROSS;
    after_crossed(turn, buyer, qty);
    after_crossed(turn, seller, qty);
}

/* ---- self-trade prevention ---- */

static void cancel_taker(struct dp_match_turn *turn, struct dp_match_slot *taker, uint64_t qty)
{
    taker->leaves_qty -= qty;
    dp_match_report_cancel(turn, taker, qty, DP_MATCH_REASON_SELF_TRADE);
}

static void decrement(struct dp_match_turn *turn, uint32_t order, struct dp_match_slot *taker)
{
    struct dp_match_slot *maker = dp_match_slot(turn->match, order);
    uint64_t qty = maker->leaves_qty < taker->leaves_qty ? maker->leaves_qty : taker->leaves_qty;
    if (qty == maker->leaves_qty) {
        dp_match_cancel_order(turn, order, DP_MATCH_REASON_SELF_TRADE);
    } else {
        dp_match_reduce(turn, order, qty);
        dp_match_report_cancel(turn, maker, qty, DP_MATCH_REASON_SELF_TRADE);
    }
    cancel_taker(turn, taker, qty);
}

void dp_match_prevent(struct dp_match_turn *turn, uint32_t order, struct dp_match_slot *taker)
{
    switch ((enum dp_match_stp_mode)taker->stp_mode) {
    case DP_MATCH_CANCEL_OLDEST:
        dp_match_cancel_order(turn, order, DP_MATCH_REASON_SELF_TRADE);
        return;
    case DP_MATCH_CANCEL_BOTH:
        dp_match_cancel_order(turn, order, DP_MATCH_REASON_SELF_TRADE);
        cancel_taker(turn, taker, taker->leaves_qty);
        return;
    case DP_MATCH_DECREMENT_AND_CANCEL: decrement(turn, order, taker); return;
    case DP_MATCH_CANCEL_NEWEST:
    default: cancel_taker(turn, taker, taker->leaves_qty); return;
    }
}
