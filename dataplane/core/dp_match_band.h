/*
 * dp_match_band - the prices within which an instrument may trade, and the pause that meeting
 * somebody beyond them begins; private to the dp_match files.
 */
#ifndef DP_MATCH_BAND_H
#define DP_MATCH_BAND_H

#include "dp_match_turn.h"

/* How far an order may go: to its limit, and no further than the price bands. */
static inline uint32_t dp_match_banded(
    const struct dp_match_book *book, uint8_t side, uint32_t limit_slot)
{
    if (side == DP_SIDE_BUY)
        return limit_slot < book->band_high ? limit_slot : book->band_high;
    return limit_slot > book->band_low ? limit_slot : book->band_low;
}

/* Lays the bands around the reference price. */
void dp_match_book_bands(struct dp_match_book *book);
/* Pauses the instrument if the order, stopped by a band, would else have met somebody beyond it. */
bool dp_match_band_pause(
    struct dp_match_turn *turn, const struct dp_match_slot *order, uint32_t limit_slot);

#endif
