/*
 * dp_match_peg - orders whose price follows the market, and discretion; private to the dp_match
 * files.
 */
#ifndef DP_MATCH_PEG_H
#define DP_MATCH_PEG_H

#include "dp_match_turn.h"

/* Looks at the quote: the own book's, or the away market's. False when it is what pegs have seen.
 */
bool dp_match_peg_look(struct dp_match_turn *turn);
/* Looks at the quote; moves pegged orders when it is another. False when it is the same. */
bool dp_match_repeg(struct dp_match_turn *turn);
/* Lets one discretionary order trade worse than its price. False when none can. */
bool dp_match_use_discretion(struct dp_match_turn *turn);

#endif
