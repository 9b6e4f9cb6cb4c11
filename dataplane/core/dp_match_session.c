#include "dp_match_session.h"

#include "dp_match_auction.h"
#include "dp_match_end.h"
#include "dp_match_extra.h"
#include "dp_match_settle.h"
#include "dp_match_sweep.h"
#include "dp_match_trigger.h"

/* ---- from session to session ---- */

static bool is_allowed(enum dp_match_session from, enum dp_match_session to)
{
    if (from == to)
        return false;
    switch (to) {
    case DP_MATCH_CLOSED:
    case DP_MATCH_CONTINUOUS: return true;
    case DP_MATCH_PRE_OPEN: return from == DP_MATCH_CLOSED;
    case DP_MATCH_HALTED: return from != DP_MATCH_CLOSED;
    case DP_MATCH_PRE_CLOSE: return from != DP_MATCH_CLOSED && from != DP_MATCH_PRE_OPEN;
    default: return false; /* a pause begins by itself */
    }
}

/* Orders that waited for the closing auction, in the order they came. */
static void activate_at_close(struct dp_match_turn *turn)
{
    const struct dp_match_level *held = dp_match_level(turn->match, turn->book->held_level);
    uint32_t next;
    for (uint32_t order = dp_match_level_next(turn->match, held, 0); order != 0; order = next) {
        next = dp_match_level_next(turn->match, held, order);
        const struct dp_match_slot *slot = dp_match_slot(turn->match, order);
        if (slot->time_in_force == DP_MATCH_AT_CLOSE)
            dp_match_activate(turn, order, slot->leaves_qty);
    }
}

/* What an auction leaves of orders that were for it alone. */
static enum dp_match_reason after_auction(
    const struct dp_match_turn *turn, const struct dp_match_slot *slot)
{
    (void)turn;
    if (slot->time_in_force == DP_MATCH_AT_OPEN)
        return DP_MATCH_REASON_EXPIRED;
    return slot->flags & DP_MATCH_SLOT_MARKET ? DP_MATCH_REASON_NO_LIQUIDITY : DP_MATCH_REASON_NONE;
}

static enum dp_match_reason after_close(
    const struct dp_match_turn *turn, const struct dp_match_slot *slot)
{
    (void)turn;
    return slot->time_in_force == DP_MATCH_GTC || slot->time_in_force == DP_MATCH_GTD
        ? DP_MATCH_REASON_NONE
        : DP_MATCH_REASON_EXPIRED;
}

static void change_session(struct dp_match_turn *turn, enum dp_match_session to)
{
    struct dp_match_book *book = turn->book;
    enum dp_match_session from = (enum dp_match_session)book->session;
    book->session = (uint8_t)to;
    book->pause_end_ns = INT64_MAX;
    dp_match_report_session(turn);
    if (to == DP_MATCH_PRE_CLOSE)
        activate_at_close(turn);
    if (to == DP_MATCH_CONTINUOUS || (to == DP_MATCH_CLOSED && from == DP_MATCH_PRE_CLOSE))
        dp_match_auction(turn);
    if (to == DP_MATCH_CONTINUOUS)
        dp_match_sweep(turn, after_auction);
    if (to == DP_MATCH_CLOSED)
        dp_match_sweep(turn, after_close);
    if (book->attention != 0)
        dp_match_settle(turn);
}

static bool refuse(
    struct dp_match_sink *sink, uint32_t instrument_index, enum dp_match_reason reason)
{
    struct dp_match_report *report = dp_match_report_next(sink, DP_MATCH_REJECTED);
    report->reason = (uint8_t)reason;
    report->instrument_index = instrument_index;
    return false;
}

void dp_match_set_session(struct dp_match *match, uint32_t instrument_index,
    enum dp_match_session session, int64_t now_ns, struct dp_match_sink *sink)
{
    if (now_ns >= match->timer_next_ns)
        dp_match_session_timers(match, now_ns, sink);
    if (instrument_index >= match->instrument_count) {
        refuse(sink, instrument_index, DP_MATCH_REASON_INSTRUMENT_UNKNOWN);
        return;
    }
    struct dp_match_turn turn = {match, dp_match_book(match, instrument_index), sink, now_ns};
    if ((unsigned)session >= DP_MATCH_SESSION_COUNT ||
        !is_allowed((enum dp_match_session)turn.book->session, session))
        refuse(sink, instrument_index, DP_MATCH_REASON_SESSION);
    else
        change_session(&turn, session);
}

/* ---- time ---- */

static void expire(struct dp_match_turn *turn)
{
    struct dp_match_book *book = turn->book;
    book->watch_walk = book->expire_count != 0 ? book->watch_first : 0;
    while (book->watch_walk != 0) {
        const struct dp_match_extra *extra = dp_match_extra(turn->match, book->watch_walk);
        book->watch_walk = extra->watch_next;
        if (extra->terms.expire_ns != 0 && extra->terms.expire_ns <= turn->now_ns &&
            extra->order != 0)
            dp_match_cancel_order(turn, extra->order, DP_MATCH_REASON_EXPIRED);
    }
}

/* When the instrument next has something to do. */
static int64_t next_ns(const struct dp_match *match, const struct dp_match_book *book)
{
    int64_t next = book->pause_end_ns;
    uint32_t number = book->expire_count != 0 ? book->watch_first : 0;
    for (; number != 0; number = dp_match_extra(match, number)->watch_next) {
        int64_t expire_ns = dp_match_extra(match, number)->terms.expire_ns;
        if (expire_ns != 0 && expire_ns < next)
            next = expire_ns;
    }
    return next;
}

/* Instrument by instrument: orders expire, then a pause ends. */
void dp_match_session_timers(struct dp_match *match, int64_t now_ns, struct dp_match_sink *sink)
{
    int64_t next = INT64_MAX;
    for (uint32_t index = 0; index < match->instrument_count; index++) {
        struct dp_match_turn turn = {match, dp_match_book(match, index), sink, now_ns};
        expire(&turn);
        if (turn.book->pause_end_ns <= now_ns)
            change_session(&turn, DP_MATCH_CONTINUOUS);
        else if (turn.book->attention != 0)
            dp_match_settle(&turn);
        int64_t of_book = next_ns(match, turn.book);
        next = of_book < next ? of_book : next;
    }
    match->timer_next_ns = next;
}

void dp_match_advance(struct dp_match *match, int64_t now_ns, struct dp_match_sink *sink)
{
    if (now_ns >= match->timer_next_ns)
        dp_match_session_timers(match, now_ns, sink);
}

int64_t dp_match_next_ns(const struct dp_match *match)
{
    return match->timer_next_ns;
}
