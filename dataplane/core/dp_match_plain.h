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

#include "dp_match_turn.h"

/* A valid limit order without further terms, in continuous trading, that meets nobody. */
bool dp_match_plain_new(struct dp_match *match, struct dp_match_book *book,
    const struct dp_match_order *order, struct dp_match_sink *sink);
/* The whole of a displayed order without further terms, where nothing can follow from it. */
bool dp_match_plain_cancel(struct dp_match *match, uint64_t order_id, struct dp_match_sink *sink);
/* Trades with the displayed orders of a level, all of which are plain, until the taker, which is
 * plain too, has nothing left or meets one of its own group. */
void dp_match_plain_take(
    struct dp_match_turn *turn, struct dp_match_level *level, struct dp_match_slot *taker);

#endif
