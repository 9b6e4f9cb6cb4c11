/*
 * dp_match_check - what an order must be to be taken; private to the dp_match files.
 *
 * Decides and changes nothing.
 */
#ifndef DP_MATCH_CHECK_H
#define DP_MATCH_CHECK_H

#include "dp_match_turn.h"

/* An order that is nothing but a limit order of the day, until cancelled, or immediate. */
static inline bool dp_match_is_plain(const struct dp_match_order *order)
{
    return order->type == DP_MATCH_LIMIT && order->terms == NULL && order->flags == 0 &&
        (order->time_in_force == DP_MATCH_DAY || order->time_in_force == DP_MATCH_GTC ||
            order->time_in_force == DP_MATCH_IOC);
}

/* Whether it has anything that its cache line has no room for. On hold it has no level that would
 * know its price. */
static inline bool dp_match_needs_extra(const struct dp_match_order *order)
{
    return order->terms != NULL || order->time_in_force == DP_MATCH_AT_CLOSE;
}

/* What every order is held to; the instrument is known. */
static inline enum dp_match_reason dp_match_check_plain(const struct dp_match *match,
    const struct dp_match_book *book, const struct dp_match_order *order)
{
    if (DP_UNLIKELY(order->participant >= match->participant_count))
        return DP_MATCH_REASON_PARTICIPANT_UNKNOWN;
    if (DP_UNLIKELY(order->side != DP_SIDE_BUY && order->side != DP_SIDE_SELL))
        return DP_MATCH_REASON_SIDE;
    if (DP_UNLIKELY(order->qty == 0 || order->qty > DP_MATCH_QTY_MAX ||
            (book->lot_qty != 1 && order->qty % book->lot_qty != 0)))
        return DP_MATCH_REASON_QTY;
    if (DP_UNLIKELY(order->stp_mode >= DP_MATCH_STP_MODE_COUNT))
        return DP_MATCH_REASON_STP_MODE;
    if (DP_UNLIKELY(order->order_id == 0 || dp_match_find(match, order->order_id) != 0))
        return DP_MATCH_REASON_ORDER_DUPLICATE;
    if (DP_UNLIKELY(!dp_match_has_free(&match->orders)))
        return DP_MATCH_REASON_CAPACITY;
    return DP_MATCH_REASON_NONE;
}

/* PRICE, TICK or NONE. */
enum dp_match_reason dp_match_check_price(const struct dp_match_book *book, int64_t price_nanos);
/* Everything beyond dp_match_check_plain(). */
enum dp_match_reason dp_match_check_special(const struct dp_match *match,
    const struct dp_match_book *book, const struct dp_match_order *order, int64_t now_ns);

#endif
