#include "dp_match.h"

#include "dp_match_check.h"
#include "dp_match_end.h"
#include "dp_match_extra.h"
#include "dp_match_peg.h"
#include "dp_match_plain.h"
#include "dp_match_route.h"
#include "dp_match_session.h"
#include "dp_match_settle.h"

static void settle(struct dp_match_turn *turn)
{
    if (DP_UNLIKELY(turn->book->attention != 0))
        dp_match_settle(turn);
}

static void reject(struct dp_match_sink *sink, uint64_t order_id, uint64_t tag,
    uint32_t instrument_index, uint64_t qty, enum dp_match_reason reason)
{
    struct dp_match_report *report = dp_match_report_next(sink, DP_MATCH_REJECTED);
    report->reason = (uint8_t)reason;
    report->instrument_index = instrument_index;
    report->order_id = order_id;
    report->tag = tag;
    report->qty = qty;
}

static void reject_order(
    struct dp_match_sink *sink, const struct dp_match_order *order, enum dp_match_reason reason)
{
    reject(sink, order->order_id, order->tag, order->instrument_index, order->qty, reason);
    sink->reports[sink->count - 1].side = order->side;
}

/* ---- new orders ---- */

static const struct dp_match_announcement accepted = {.type = DP_MATCH_ACCEPTED};

static struct dp_match_slot slot_of(struct dp_match *match, const struct dp_match_order *order)
{
    return (struct dp_match_slot){
        .order_id = order->order_id,
        .tag = order->tag,
        .leaves_qty = order->qty,
        .priority = ++match->priority_last,
        .participant = order->participant,
        .stp_group = order->stp_group,
        .side = order->side,
        .time_in_force = order->time_in_force,
        .stp_mode = order->stp_mode,
        .flags = order->flags,
    };
}

/* Keeps what its cache line has no room for. */
static uint32_t keep_extra(struct dp_match_turn *turn, const struct dp_match_order *order)
{
    uint32_t number = dp_match_extra_take(turn->match);
    struct dp_match_extra *extra = dp_match_extra(turn->match, number);
    if (order->terms != NULL)
        extra->terms = *order->terms;
    extra->type = order->type;
    extra->price_nanos = order->price_nanos;
    extra->shown_qty = extra->terms.display_qty;
    extra->group_next = number;
    if (extra->terms.group_order_id != 0) {
        uint32_t member = dp_match_find(turn->match, extra->terms.group_order_id);
        dp_match_group_join(turn, number, dp_match_slot(turn->match, member)->extra);
    }
    dp_match_watch(turn, number);
    return number;
}

static bool is_unshown(const struct dp_match_order *order)
{
    return (order->flags & (DP_MATCH_HIDDEN | DP_MATCH_ALL_OR_NONE)) != 0 ||
        order->type == DP_MATCH_PEG || (order->terms != NULL && order->terms->min_qty != 0);
}

static void accept_special(struct dp_match_turn *turn, const struct dp_match_order *order)
{
    struct dp_match_slot slot = slot_of(turn->match, order);
    if (is_unshown(order))
        slot.flags |= DP_MATCH_SLOT_UNSHOWN;
    if (dp_match_needs_extra(order))
        slot.extra = keep_extra(turn, order);
    if (order->type == DP_MATCH_PEG)
        dp_match_peg_look(turn);
    if (order->terms != NULL && order->terms->group == DP_MATCH_GROUP_CHILD)
        dp_match_rest(turn, &slot, DP_MATCH_HELD, 0, &accepted);
    else
        dp_match_route(
            turn, &slot, (enum dp_match_order_type)order->type, order->price_nanos, &accepted);
}

static bool would_trade(struct dp_match_book *book, uint8_t side, int64_t price_nanos)
{
    const struct dp_match_slot slot = {.side = side};
    return !dp_match_is_collecting(book) &&
        dp_match_crosses(book, &slot, dp_match_price_slot(book, price_nanos));
}

static void new_special(struct dp_match_turn *turn, const struct dp_match_order *order)
{
    enum dp_match_reason reason =
        dp_match_check_special(turn->match, turn->book, order, turn->now_ns);
    if (reason == DP_MATCH_REASON_NONE && (order->flags & DP_MATCH_POST_ONLY) != 0 &&
        would_trade(turn->book, order->side, order->price_nanos))
        reason = DP_MATCH_REASON_POST_ONLY;
    if (reason == DP_MATCH_REASON_NONE)
        accept_special(turn, order);
    else
        reject_order(turn->sink, order, reason);
}

static void new_order(struct dp_match_turn *turn, const struct dp_match_order *order)
{
    enum dp_match_reason reason = dp_match_check_plain(turn->match, turn->book, order);
    if (reason != DP_MATCH_REASON_NONE)
        reject_order(turn->sink, order, reason);
    else
        new_special(turn, order);
}

void dp_match_new(struct dp_match *match, const struct dp_match_order *order, int64_t now_ns,
    struct dp_match_sink *sink)
{
    if (DP_UNLIKELY(now_ns >= match->timer_next_ns))
        dp_match_session_timers(match, now_ns, sink);
    if (DP_UNLIKELY(order->instrument_index >= match->instrument_count)) {
        reject_order(sink, order, DP_MATCH_REASON_INSTRUMENT_UNKNOWN);
        return;
    }
    struct dp_match_turn turn = {
        match, dp_match_book(match, order->instrument_index), sink, now_ns};
    uint32_t slot = dp_match_price_slot(turn.book, order->price_nanos);
    bool is_plain = slot != 0 && dp_match_plain_is_right(match, turn.book, order);
    if (DP_UNLIKELY(!is_plain)) {
        new_order(&turn, order);
    } else if (!dp_match_plain_rest(match, turn.book, order, slot, sink)) {
        struct dp_match_slot taker = slot_of(match, order);
        dp_match_enter(&turn, &taker, slot, &accepted);
    }
    settle(&turn);
}

/* ---- cancel and replace ---- */

/* False when there is no such order: it was refused. */
static bool begin(struct dp_match_turn *turn, uint64_t order_id, uint64_t tag, uint32_t *order)
{
    if (DP_UNLIKELY(turn->now_ns >= turn->match->timer_next_ns))
        dp_match_session_timers(turn->match, turn->now_ns, turn->sink);
    *order = order_id != 0 ? dp_match_find(turn->match, order_id) : 0;
    if (DP_UNLIKELY(*order == 0)) {
        reject(turn->sink, order_id, tag, DP_MATCH_NONE, 0, DP_MATCH_REASON_ORDER_UNKNOWN);
        return false;
    }
    turn->book = dp_match_book_of(turn->match, *order);
    return true;
}

/* Cancels, or leaves that much. */
static void cancel_any(struct dp_match_turn *turn, uint32_t order, uint64_t leaves_qty_max)
{
    const struct dp_match_slot *slot = dp_match_slot(turn->match, order);
    if (leaves_qty_max == 0) {
        dp_match_cancel_order(turn, order, DP_MATCH_REASON_REQUEST);
    } else if (leaves_qty_max % turn->book->lot_qty != 0) {
        reject(turn->sink, slot->order_id, slot->tag, turn->book->index, leaves_qty_max,
            DP_MATCH_REASON_QTY);
    } else {
        uint64_t qty = slot->leaves_qty > leaves_qty_max ? slot->leaves_qty - leaves_qty_max : 0;
        dp_match_reduce(turn, order, qty);
        dp_match_report_cancel(turn, slot, qty, DP_MATCH_REASON_REQUEST);
    }
}

void dp_match_cancel(struct dp_match *match, uint64_t order_id, uint64_t leaves_qty_max,
    int64_t now_ns, struct dp_match_sink *sink)
{
    struct dp_match_turn turn = {match, NULL, sink, now_ns};
    uint32_t order;
    if (DP_LIKELY(leaves_qty_max == 0 && now_ns < match->timer_next_ns) &&
        dp_match_plain_cancel(match, order_id, sink))
        return;
    if (!begin(&turn, order_id, 0, &order))
        return;
    cancel_any(&turn, order, leaves_qty_max);
    settle(&turn);
}

struct change {
    const struct dp_match_replace *replace;
    enum dp_match_order_type type;
    int64_t price_nanos; /* the limit after it */
    uint32_t ladder;     /* where the order stands */
    bool is_in_place;    /* neither a price nor more quantity */
};

static struct change change_of(
    const struct dp_match_turn *turn, uint32_t order, const struct dp_match_replace *replace)
{
    const struct dp_match_slot *slot = dp_match_slot(turn->match, order);
    const struct dp_match_level *level = dp_match_level(turn->match, slot->level);
    struct change change = {.replace = replace, .type = DP_MATCH_LIMIT, .ladder = level->ladder};
    int64_t price_nanos = level->price_nanos;
    int64_t stop_price_nanos = 0;
    if (slot->extra != 0) {
        const struct dp_match_extra *extra = dp_match_extra(turn->match, slot->extra);
        change.type = (enum dp_match_order_type)extra->type;
        price_nanos = extra->price_nanos;
        stop_price_nanos = extra->terms.stop_price_nanos;
    } else if (slot->flags & DP_MATCH_SLOT_MARKET) {
        change.type = DP_MATCH_MARKET;
        price_nanos = DP_PRICE_NONE;
    }
    change.price_nanos = replace->price_nanos != DP_PRICE_NONE ? replace->price_nanos : price_nanos;
    change.is_in_place = change.price_nanos == price_nanos && replace->qty <= slot->leaves_qty &&
        (replace->stop_price_nanos == 0 || replace->stop_price_nanos == stop_price_nanos);
    return change;
}

static enum dp_match_reason check_stop(
    const struct dp_match_turn *turn, uint32_t order, const struct change *change)
{
    const struct dp_match_slot *slot = dp_match_slot(turn->match, order);
    if (change->replace->stop_price_nanos == 0)
        return DP_MATCH_REASON_NONE;
    if ((change->ladder != DP_MATCH_TRIGGERS_UP && change->ladder != DP_MATCH_TRIGGERS_DOWN) ||
        dp_match_extra(turn->match, slot->extra)->terms.trail_nanos != 0)
        return DP_MATCH_REASON_TERMS;
    return dp_match_check_price(turn->book, change->replace->stop_price_nanos);
}

static bool has_no_limit(enum dp_match_order_type type)
{
    return type == DP_MATCH_MARKET || type == DP_MATCH_STOP || type == DP_MATCH_MARKET_IF_TOUCHED;
}

static bool waits_for_parent(const struct dp_match_turn *turn, const struct dp_match_slot *slot)
{
    return slot->extra != 0 &&
        dp_match_extra(turn->match, slot->extra)->terms.group == DP_MATCH_GROUP_CHILD;
}

static enum dp_match_reason check_replace(
    const struct dp_match_turn *turn, uint32_t order, const struct change *change)
{
    const struct dp_match_replace *replace = change->replace;
    const struct dp_match_slot *slot = dp_match_slot(turn->match, order);
    if (replace->new_order_id != 0 && replace->new_order_id != replace->order_id &&
        dp_match_find(turn->match, replace->new_order_id) != 0)
        return DP_MATCH_REASON_ORDER_DUPLICATE;
    if (turn->book->session == DP_MATCH_CLOSED)
        return DP_MATCH_REASON_SESSION;
    if (replace->qty == 0 || replace->qty > DP_MATCH_QTY_MAX ||
        replace->qty % turn->book->lot_qty != 0)
        return DP_MATCH_REASON_QTY;
    if (waits_for_parent(turn, slot))
        return DP_MATCH_REASON_GROUP;
    if (replace->price_nanos != DP_PRICE_NONE) {
        enum dp_match_reason reason = has_no_limit(change->type)
            ? DP_MATCH_REASON_PRICE
            : dp_match_check_price(turn->book, replace->price_nanos);
        if (reason != DP_MATCH_REASON_NONE)
            return reason;
    }
    enum dp_match_reason reason = check_stop(turn, order, change);
    if (reason == DP_MATCH_REASON_NONE && !change->is_in_place &&
        (slot->flags & DP_MATCH_POST_ONLY) != 0 &&
        would_trade(turn->book, slot->side, change->price_nanos))
        reason = DP_MATCH_REASON_POST_ONLY;
    return reason;
}

static uint64_t new_id(const struct dp_match_replace *replace)
{
    return replace->new_order_id != 0 ? replace->new_order_id : replace->order_id;
}

static void replace_in_place(
    struct dp_match_turn *turn, uint32_t order, const struct dp_match_replace *replace)
{
    struct dp_match_slot *slot = dp_match_slot(turn->match, order);
    dp_match_reduce(turn, order, slot->leaves_qty - replace->qty);
    dp_match_rename(turn->match, order, new_id(replace));
    slot->tag = replace->tag;
    struct dp_match_report *report =
        dp_match_report_order(turn, DP_MATCH_REPLACED, slot, replace->qty);
    report->contra_order_id = replace->order_id;
    report->flags = DP_MATCH_PRIORITY_KEPT;
    if (dp_match_level(turn->match, slot->level)->ladder <= DP_MATCH_ASKS)
        dp_match_report_on_book(turn, report, order);
}

static void update_extra(struct dp_match_turn *turn, uint32_t number, const struct change *change)
{
    struct dp_match_extra *extra = dp_match_extra(turn->match, number);
    const struct dp_match_replace *replace = change->replace;
    extra->price_nanos = change->price_nanos;
    if (replace->stop_price_nanos != 0)
        extra->terms.stop_price_nanos = replace->stop_price_nanos;
    if (extra->terms.display_qty != 0)
        extra->shown_qty =
            extra->terms.display_qty < replace->qty ? extra->terms.display_qty : replace->qty;
}

/* As a new order: it leaves its queue and comes in again. */
static void replace_anew(struct dp_match_turn *turn, uint32_t order, const struct change *change)
{
    const struct dp_match_replace *replace = change->replace;
    const struct dp_match_announcement replaced = {DP_MATCH_REPLACED, replace->order_id};
    struct dp_match_slot slot = *dp_match_slot(turn->match, order);
    dp_match_unstore(turn->match, turn->book, order);
    slot.order_id = new_id(replace);
    slot.tag = replace->tag;
    slot.leaves_qty = replace->qty;
    slot.level = 0;
    slot.priority = ++turn->match->priority_last;
    if (slot.extra != 0)
        update_extra(turn, slot.extra, change);
    dp_match_route(turn, &slot, change->type, change->price_nanos, &replaced);
}

void dp_match_replace(struct dp_match *match, const struct dp_match_replace *replace,
    int64_t now_ns, struct dp_match_sink *sink)
{
    struct dp_match_turn turn = {match, NULL, sink, now_ns};
    uint32_t order;
    if (!begin(&turn, replace->order_id, replace->tag, &order))
        return;
    struct change change = change_of(&turn, order, replace);
    enum dp_match_reason reason = check_replace(&turn, order, &change);
    if (DP_UNLIKELY(reason != DP_MATCH_REASON_NONE))
        reject(sink, replace->order_id, replace->tag, turn.book->index, replace->qty, reason);
    else if (change.is_in_place)
        replace_in_place(&turn, order, replace);
    else
        replace_anew(&turn, order, &change);
    settle(&turn);
}

/* ---- the away market ---- */

void dp_match_quote(struct dp_match *match, uint32_t instrument_index, int64_t bid_nanos,
    int64_t ask_nanos, int64_t now_ns, struct dp_match_sink *sink)
{
    if (DP_UNLIKELY(now_ns >= match->timer_next_ns))
        dp_match_session_timers(match, now_ns, sink);
    if (instrument_index >= match->instrument_count) {
        reject(sink, 0, 0, instrument_index, 0, DP_MATCH_REASON_INSTRUMENT_UNKNOWN);
        return;
    }
    struct dp_match_turn turn = {match, dp_match_book(match, instrument_index), sink, now_ns};
    if ((bid_nanos != DP_PRICE_NONE && dp_match_price_slot(turn.book, bid_nanos) == 0) ||
        (ask_nanos != DP_PRICE_NONE && dp_match_price_slot(turn.book, ask_nanos) == 0)) {
        reject(sink, 0, 0, instrument_index, 0, DP_MATCH_REASON_PRICE);
        return;
    }
    turn.book->quote_bid_nanos = bid_nanos;
    turn.book->quote_ask_nanos = ask_nanos;
    settle(&turn);
}
