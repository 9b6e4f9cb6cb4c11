/*
 * dp_match_extra - what only some orders have: reserves, groups, and the list of those that prices
 * or time move; private to the dp_match files.
 *
 * Groups are rings of extra records. What a trade means for the rest of a group is noted at once
 * and done when the incoming order is finished with the price level (cancels) or with everything
 * (a bracket's children become active), so that nothing disappears under a walk.
 */
#ifndef DP_MATCH_EXTRA_H
#define DP_MATCH_EXTRA_H

#include "dp_match_turn.h"

/* Its order is gone: leaves list and group, and gives the record back. */
void dp_match_extra_end(struct dp_match_turn *turn, uint32_t extra);

/* Puts the extra record of an accepted order into the list of those that must be looked at. */
void dp_match_watch(struct dp_match_turn *turn, uint32_t extra);

/* Joins the group of another extra record, behind it. */
void dp_match_group_join(struct dp_match_turn *turn, uint32_t extra, uint32_t member);
/* The next that is to become active, or to be cancelled, taken off the list of pending ones; 0:
 * none. */
uint32_t dp_match_group_next(struct dp_match_turn *turn, enum dp_match_pending pending);

/* What a trade means for whichever of the two has further terms: groups, a bracket's total. */
void dp_match_note_trade(struct dp_match_turn *turn, uint32_t extra, uint64_t qty);
/* Shows a reserve order anew when it shows nothing any more. */
void dp_match_refresh(struct dp_match_turn *turn, uint32_t order);

#endif
