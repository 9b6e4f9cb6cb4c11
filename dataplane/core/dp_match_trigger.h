/*
 * dp_match_trigger - stop, if-touched and trailing orders; private to the dp_match files.
 *
 * They wait in two ladders of their own: those that become active when the last price is high
 * enough (stops to buy, if-touched to sell), lowest first, and those for a price low enough.
 */
#ifndef DP_MATCH_TRIGGER_H
#define DP_MATCH_TRIGGER_H

#include "dp_match_turn.h"

/* Moves trailing stops behind a last price that they have not seen. False when there is none. */
bool dp_match_trail(struct dp_match_turn *turn);
/* Makes one order active whose price has come. False when there is none. */
bool dp_match_trigger(struct dp_match_turn *turn);
/* An order that waited becomes active with that quantity: a stop as market or limit order. */
void dp_match_activate(struct dp_match_turn *turn, uint32_t order, uint64_t leaves_qty);

#endif
