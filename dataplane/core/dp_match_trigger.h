/*
 * dp_match_trigger - stop, if-touched and trailing orders; private to the dp_match files.
 *
 * They wait in two ladders of their own: those that become active when the last price is high
 * enough (stops to buy, if-touched to sell), lowest first, and those for a price low enough.
 */
#ifndef DP_MATCH_TRIGGER_H
#define DP_MATCH_TRIGGER_H

#include "dp_match_turn.h"

/* What a trailing stop is measured from: the last price, before the first the reference. */
static inline int64_t dp_match_trail_from(const struct dp_match_book *book)
{
    return book->last_price_nanos != DP_PRICE_NONE ? book->last_price_nanos
                                                   : book->reference_price_nanos;
}

static inline enum dp_match_ladder_name dp_match_trigger_ladder(uint8_t type, uint8_t side)
{
    bool is_stop = type == DP_MATCH_STOP || type == DP_MATCH_STOP_LIMIT;
    return is_stop == (side == DP_SIDE_BUY) ? DP_MATCH_TRIGGERS_UP : DP_MATCH_TRIGGERS_DOWN;
}

/* The slot of the price at which the order, which has an extra record, becomes active. */
uint32_t dp_match_trigger_slot(const struct dp_match_turn *turn, const struct dp_match_slot *order);

/* Moves trailing stops behind a last price that they have not seen. False when there is none. */
bool dp_match_trail(struct dp_match_turn *turn);
/* Makes one order active whose price has come. False when there is none. */
bool dp_match_trigger(struct dp_match_turn *turn);
/* An order that waited becomes active with that quantity: a stop as market or limit order. */
void dp_match_activate(struct dp_match_turn *turn, uint32_t order, uint64_t leaves_qty);

#endif
