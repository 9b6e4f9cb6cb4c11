/*
 * dp_match_sweep - every order of an instrument in one order, and cancelling many; private to the
 * dp_match files.
 *
 * The order: bids, asks, triggers upwards, triggers downwards, each best price first and displayed
 * before hidden orders, then what is held.
 */
#ifndef DP_MATCH_SWEEP_H
#define DP_MATCH_SWEEP_H

#include "dp_match_turn.h"

/* Where a walk over all orders stands; begins zeroed. */
struct dp_match_walk {
    uint32_t ladder;
    uint32_t level; /* 0: at none yet */
    uint32_t key;
    uint32_t order;
};

/* The next order, or 0 at the end. The order returned last may be gone meanwhile, if
 * dp_match_walk_next() was called first: keep one ahead. */
uint32_t dp_match_walk_next(
    const struct dp_match *match, const struct dp_match_book *book, struct dp_match_walk *walk);

/* Cancels every order for which `reason_for` gives a reason. */
void dp_match_sweep(struct dp_match_turn *turn,
    enum dp_match_reason (*reason_for)(
        const struct dp_match_turn *turn, const struct dp_match_slot *slot));

#endif
