/*
 * dp_match_auction - one price for all orders that collected; private to the dp_match files.
 */
#ifndef DP_MATCH_AUCTION_H
#define DP_MATCH_AUCTION_H

#include "dp_match_turn.h"

/* Finds the price, trades everything that trades at it, reports AUCTION. The price becomes the
 * reference price. Works on crossed and on empty books. */
void dp_match_auction(struct dp_match_turn *turn);

#endif
