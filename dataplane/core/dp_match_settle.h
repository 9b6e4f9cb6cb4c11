/*
 * dp_match_settle - what an event sets off: groups, triggers, pegs, discretion; private to the
 * dp_match files.
 */
#ifndef DP_MATCH_SETTLE_H
#define DP_MATCH_SETTLE_H

#include "dp_match_turn.h"

/* Until nothing more follows. It ends: each trigger fires once, and all else takes quantity off
 * the book or changes a price that only trades can change again. */
void dp_match_settle(struct dp_match_turn *turn);

#endif
