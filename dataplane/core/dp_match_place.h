/*
 * dp_match_place - where an order belongs that has a condition instead of a price: pegs by the
 * quote, triggers by the last price; private to the dp_match files.
 *
 * Reads only.
 */
#ifndef DP_MATCH_PLACE_H
#define DP_MATCH_PLACE_H

#include "dp_match_turn.h"

/* Where a pegged order belongs by the quote that pegs have seen; 0: nowhere now. */
uint32_t dp_match_peg_slot(const struct dp_match_turn *turn, const struct dp_match_slot *order);

static inline enum dp_match_ladder_name dp_match_trigger_ladder(uint8_t type, uint8_t side)
{
    bool is_stop = type == DP_MATCH_STOP || type == DP_MATCH_STOP_LIMIT;
    return is_stop == (side == DP_SIDE_BUY) ? DP_MATCH_TRIGGERS_UP : DP_MATCH_TRIGGERS_DOWN;
}
/* The slot of the price at which the order, which has an extra record, becomes active. */
uint32_t dp_match_trigger_slot(const struct dp_match_turn *turn, const struct dp_match_slot *order);

#endif
