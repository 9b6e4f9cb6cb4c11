/*
 * dp_match_route - an order that becomes active, or waits; private to the dp_match files.
 */
#ifndef DP_MATCH_ROUTE_H
#define DP_MATCH_ROUTE_H

#include "dp_match_enter.h"

/* Puts it where its type belongs: into the book, among the triggers, or on hold. price_nanos: its
 * limit, or DP_PRICE_NONE. */
void dp_match_route(struct dp_match_turn *turn, struct dp_match_slot *order,
    enum dp_match_order_type type, int64_t price_nanos,
    const struct dp_match_announcement *announcement);

#endif
