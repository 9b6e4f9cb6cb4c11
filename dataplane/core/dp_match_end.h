/*
 * dp_match_end - stored orders that end or become smaller without a trade; private to the dp_match
 * files.
 */
#ifndef DP_MATCH_END_H
#define DP_MATCH_END_H

#include "dp_match_turn.h"

/* The stored order ends, without a report: it leaves queue, index, groups and record. */
void dp_match_end(struct dp_match_turn *turn, uint32_t order);
/* The same with a report. */
void dp_match_cancel_order(struct dp_match_turn *turn, uint32_t order, enum dp_match_reason reason);
/* Takes qty off a stored order that keeps its place; some of it stays. */
void dp_match_reduce(struct dp_match_turn *turn, uint32_t order, uint64_t qty);

/* Cancels what a trade made superfluous. The taker on the stack, if it is one of them, goes too. */
void dp_match_group_cancel(struct dp_match_turn *turn, struct dp_match_slot *taker);

#endif
