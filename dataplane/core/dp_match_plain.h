/*
 * dp_match_plain - the way of most orders: plain ones that rest, that are cancelled, or that are
 * traded with in time order; private to the dp_match files.
 *
 * They do what dp_match_enter(), dp_match_cancel_order() and dp_match_trade() do for every order,
 * without asking what a plain order cannot have. The first two say whether it was for them: when it
 * was not, nothing is done.
 */
#ifndef DP_MATCH_PLAIN_H
#define DP_MATCH_PLAIN_H

#include "dp_match_account.h"
#include "dp_match_check.h"
#include "dp_match_trade.h"

/* ---- resting ---- */

/* A valid limit order without further terms, in continuous trading of an instrument that shows
 * orders. */
static inline bool dp_match_plain_is_right(const struct dp_match *match,
    const struct dp_match_book *book, const struct dp_match_order *order)
{
    return dp_match_is_plain(order) && book->session == DP_MATCH_CONTINUOUS && !book->dark &&
        dp_match_check_plain(match, book, order) == DP_MATCH_REASON_NONE;
}

/* Most orders come to a level that is there, in a leaf that was used a moment ago. */
static inline uint32_t dp_match_plain_level(struct dp_match *match, struct dp_match_book *book,
    const struct dp_match_ladder *own, enum dp_match_ladder_name name, uint32_t slot)
{
    uint32_t key = dp_match_ladder_key(own, slot);
    if (key == own->best_key)
        return own->best_level;
    uint32_t level = dp_match_ladder_glance(own, dp_match_nodes(match), key);
    return DP_LIKELY(level != 0) ? level : dp_match_level_for(match, book, name, slot);
}

/* Straight into a record, which is free, and to the end of the level's queue. */
static inline void dp_match_plain_keep(struct dp_match *match, const struct dp_match_order *order,
    uint32_t number, struct dp_match_level *level, uint8_t flags)
{
    uint32_t record =
        dp_match_take_record(&match->orders, dp_match_slot(match, match->orders.free_first)->next);
    struct dp_match_slot *slot = dp_match_slot(match, record);
    uint32_t *bucket = dp_match_bucket(match, order->order_id);
    uint32_t last = level->last;
    slot->order_id = order->order_id;
    slot->tag = order->tag;
    slot->leaves_qty = order->qty;
    slot->priority = ++match->priority_last;
    slot->level = number;
    slot->next = 0;
    slot->back = last;
    slot->bucket_next = *bucket;
    slot->participant = order->participant;
    slot->extra = 0;
    slot->stp_group = order->stp_group;
    slot->side = order->side;
    slot->time_in_force = order->time_in_force;
    slot->stp_mode = order->stp_mode;
    slot->flags = flags;
    *bucket = record;
    if (last != 0)
        dp_match_slot(match, last)->next = record;
    else
        level->first = record;
    level->last = record;
    level->order_count++;
    level->display_count++;
    level->display_qty += order->qty;
}

static inline void dp_match_plain_report(
    struct dp_match_sink *sink, const struct dp_match_order *order)
{
    struct dp_match_report *report = dp_match_report_next(sink, DP_MATCH_ACCEPTED);
    report->side = order->side;
    report->flags = DP_MATCH_ON_BOOK;
    report->instrument_index = order->instrument_index;
    report->order_id = order->order_id;
    report->tag = order->tag;
    report->price_nanos = order->price_nanos;
    report->qty = order->qty;
    report->leaves_qty = order->qty;
    report->display_qty = order->qty;
}

/* It meets nobody and rests. False, and nothing done, when it is immediate, when there is somebody
 * to meet, or when its level has no record. */
static inline bool dp_match_plain_rest(struct dp_match *match, struct dp_match_book *book,
    const struct dp_match_order *order, uint32_t slot, struct dp_match_sink *sink)
{
    const struct dp_match_ladder *own = dp_match_own(book, order->side);
    const struct dp_match_ladder *opposite = dp_match_opposite(book, order->side);
    if (order->time_in_force == DP_MATCH_IOC ||
        opposite->best_key <= dp_match_ladder_key(opposite, slot))
        return false;
    bool is_new_best = dp_match_ladder_key(own, slot) < own->best_key;
    uint32_t number = dp_match_plain_level(
        match, book, own, order->side == DP_SIDE_SELL ? DP_MATCH_ASKS : DP_MATCH_BIDS, slot);
    if (DP_UNLIKELY(number == 0))
        return false;
    dp_match_plain_keep(
        match, order, number, dp_match_level(match, number), is_new_best ? DP_MATCH_SLOT_TOP : 0);
    dp_match_plain_report(sink, order);
    return true;
}

/* ---- leaving ---- */

/* Out of queue and level, its link in the index already cut, back to the free ones. */
static inline void dp_match_plain_remove(struct dp_match *match, struct dp_match_book *book,
    uint32_t order, struct dp_match_slot *slot, struct dp_match_level *level)
{
    dp_match_detach(match, order, &level->first, &level->last);
    level->display_count--;
    if (DP_UNLIKELY(--level->order_count == 0))
        dp_match_level_drop(match, book, slot->level);
    slot->order_id = 0;
    slot->level = 0;
    slot->next = dp_match_give_record(&match->orders, order);
}

/* The whole of a displayed order without further terms, where nothing can follow from it. */
static inline bool dp_match_plain_cancel(
    struct dp_match *match, uint64_t order_id, struct dp_match_sink *sink)
{
    uint32_t *link = dp_match_bucket(match, order_id);
    while (*link != 0 && dp_match_slot(match, *link)->order_id != order_id)
        link = &dp_match_slot(match, *link)->bucket_next;
    uint32_t order = *link;
    struct dp_match_slot *slot = dp_match_slot(match, order);
    struct dp_match_level *level = dp_match_level(match, slot->level);
    struct dp_match_book *book = dp_match_book(match, level->instrument_index);
    if (DP_UNLIKELY(order == 0 || slot->extra != 0 || (slot->flags & DP_MATCH_SLOT_UNSHOWN) != 0 ||
            level->ladder > DP_MATCH_ASKS || book->attention != 0))
        return false;
    struct dp_match_report *report = dp_match_report_next(sink, DP_MATCH_CANCELLED);
    report->reason = DP_MATCH_REASON_REQUEST;
    report->side = slot->side;
    report->instrument_index = level->instrument_index;
    report->order_id = order_id;
    report->tag = slot->tag;
    report->qty = slot->leaves_qty;
    level->display_qty -= slot->leaves_qty;
    *link = slot->bucket_next;
    dp_match_plain_remove(match, book, order, slot, level);
    return true;
}

/* ---- trading ---- */

static inline void dp_match_plain_trade(struct dp_match_turn *turn, uint32_t order,
    struct dp_match_level *level, struct dp_match_slot *taker)
{
    struct dp_match *match = turn->match;
    struct dp_match_slot *maker = dp_match_slot(match, order);
    uint64_t qty = maker->leaves_qty < taker->leaves_qty ? maker->leaves_qty : taker->leaves_qty;
    struct dp_match_posting posting = {
        .instrument_index = level->instrument_index,
        .maker = maker->participant,
        .taker = taker->participant,
        .taker_side = taker->side,
        .price_nanos = level->price_nanos,
        .qty = qty,
    };
    dp_match_post(match, &posting);
    maker->leaves_qty -= qty;
    taker->leaves_qty -= qty;
    level->display_qty -= qty;
    match->match_number_last++;
    turn->book->last_price_nanos = level->price_nanos;
    dp_match_report_trade(turn, maker, taker, &posting);
    if (maker->leaves_qty != 0)
        return;
    dp_match_index_remove(match, order);
    dp_match_plain_remove(match, turn->book, order, maker, level);
}

/* Trades with the displayed orders of a level, all of which are plain, until the taker, which is
 * plain too, has nothing left or meets one of its own group. */
static inline void dp_match_plain_take(
    struct dp_match_turn *turn, struct dp_match_level *level, struct dp_match_slot *taker)
{
    while (level->first != 0 && taker->leaves_qty != 0 &&
        !dp_match_is_own(taker, dp_match_slot(turn->match, level->first)))
        dp_match_plain_trade(turn, level->first, level, taker);
}

#endif
