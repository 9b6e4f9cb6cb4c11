/*
 * dp_match_turn - what one call works with, and how it reports; private to the dp_match files.
 */
#ifndef DP_MATCH_TURN_H
#define DP_MATCH_TURN_H

#include "dp_match_book.h"

struct dp_match_turn {
    struct dp_match *match;
    struct dp_match_book *book; /* of the instrument at hand */
    struct dp_match_sink *sink;
    int64_t now_ns;
};

/* The next report, of this type and else zero. Filled in field by field: a struct assigned as a
 * whole would be made elsewhere first and copied. */
static inline struct dp_match_report *dp_match_report_next(
    struct dp_match_sink *sink, enum dp_match_report_type type)
{
    if (DP_UNLIKELY(sink->count == sink->capacity))
        sink->flush(sink);
    struct dp_match_report *report = &sink->reports[sink->count++];
    *report = (struct dp_match_report){.type = (uint8_t)type, .price_nanos = DP_PRICE_NONE};
    return report;
}

/* A report about one order, on the stack or stored. */
static inline struct dp_match_report *dp_match_report_order(const struct dp_match_turn *turn,
    enum dp_match_report_type type, const struct dp_match_slot *slot, uint64_t qty)
{
    struct dp_match_report *report = dp_match_report_next(turn->sink, type);
    report->side = slot->side;
    report->instrument_index = turn->book->index;
    report->order_id = slot->order_id;
    report->tag = slot->tag;
    report->qty = qty;
    report->leaves_qty = slot->leaves_qty;
    return report;
}

static inline void dp_match_report_cancel(const struct dp_match_turn *turn,
    const struct dp_match_slot *slot, uint64_t qty, enum dp_match_reason reason)
{
    struct dp_match_report *report = dp_match_report_order(turn, DP_MATCH_CANCELLED, slot, qty);
    report->reason = (uint8_t)reason;
    if (slot->level == 0 || slot->leaves_qty == 0 ||
        dp_match_level(turn->match, slot->level)->ladder > DP_MATCH_ASKS)
        return;
    report->display_qty = dp_match_shown_qty(turn->match, slot);
    report->flags = DP_MATCH_ON_BOOK;
}

/* The order, now stored and in the queue of a price, stands on the book. */
static inline void dp_match_report_on_book(
    const struct dp_match_turn *turn, struct dp_match_report *report, uint32_t order)
{
    const struct dp_match_slot *slot = dp_match_slot(turn->match, order);
    report->flags |= DP_MATCH_ON_BOOK;
    report->price_nanos = dp_match_level(turn->match, slot->level)->price_nanos;
    report->display_qty = dp_match_shown_qty(turn->match, slot);
}

static inline void dp_match_report_session(const struct dp_match_turn *turn)
{
    struct dp_match_report *report = dp_match_report_next(turn->sink, DP_MATCH_SESSION);
    report->instrument_index = turn->book->index;
    report->qty = turn->book->session;
}

#endif
