/*
 * dp_match_policy - who at a price level gets how much; private to the dp_match files.
 *
 * A policy shares out one level's displayed orders. What it leaves of the incoming order goes to
 * the level's displayed orders in time order, then to hidden ones (dp_match_take.c), so that a
 * policy is one function here, and adding one touches no other.
 */
#ifndef DP_MATCH_POLICY_H
#define DP_MATCH_POLICY_H

#include "dp_match_turn.h"

/* Trades what the policy gives out ahead of time order. Nothing at the level is of the taker's
 * group, and the taker has less than the level shows. FIFO gives out nothing. */
void dp_match_share(struct dp_match_turn *turn, uint32_t level, struct dp_match_slot *taker);

#endif
