/*
 * dp_match_take - an incoming order against the other side of the book; private to the dp_match
 * files.
 */
#ifndef DP_MATCH_TAKE_H
#define DP_MATCH_TAKE_H

#include "dp_match_turn.h"

/* Trades with every level up to limit_key of the opposite ladder, best first, by the instrument's
 * policy, until the taker has nothing left. */
void dp_match_take(struct dp_match_turn *turn, struct dp_match_slot *taker, uint32_t limit_key);

/* Whether the taker could trade `need` in such a way; changes nothing. */
bool dp_match_could_take(struct dp_match_turn *turn, const struct dp_match_slot *taker,
    uint32_t limit_key, uint64_t need);

/* Whether a resting order lets the taker trade with it: its minimum is met. */
static inline bool dp_match_lets(
    const struct dp_match *match, const struct dp_match_slot *maker, uint64_t taker_leaves_qty)
{
    if (maker->flags & DP_MATCH_ALL_OR_NONE)
        return taker_leaves_qty >= maker->leaves_qty;
    if (maker->extra == 0)
        return true;
    uint64_t least = dp_match_extra(match, maker->extra)->terms.min_qty;
    return taker_leaves_qty >= (least < maker->leaves_qty ? least : maker->leaves_qty);
}

#endif
