#include "dp_match_band.h"

#define PPM 1000000

void dp_match_book_bands(struct dp_match_book *book)
{
    book->band_low = 0;
    book->band_high = book->slot_max;
    if (book->terms.band_ppm == 0 || book->reference_price_nanos == DP_PRICE_NONE)
        return;
    int64_t width =
        (int64_t)((dp_money_nanos)book->reference_price_nanos * book->terms.band_ppm / PPM);
    int64_t low = book->reference_price_nanos - width;
    int64_t high = book->reference_price_nanos + width;
    int64_t high_most = book->half_tick_nanos * 2 * book->tick_count_max;
    book->band_low = (uint32_t)((low + book->half_tick_nanos - 1) / book->half_tick_nanos);
    book->band_high = (uint32_t)((high < high_most ? high : high_most) / book->half_tick_nanos);
}

bool dp_match_band_pause(
    struct dp_match_turn *turn, const struct dp_match_slot *order, uint32_t limit_slot)
{
    struct dp_match_book *book = turn->book;
    const struct dp_match_ladder *ladder = dp_match_opposite(book, order->side);
    uint32_t key =
        dp_match_ladder_key(ladder, order->side == DP_SIDE_BUY ? book->band_high : book->band_low);
    dp_match_ladder_at_or_after(ladder, dp_match_nodes(turn->match), key + 1, &key);
    if (key > dp_match_ladder_key(ladder, limit_slot))
        return false;
    book->session = DP_MATCH_PAUSED;
    book->pause_end_ns = turn->now_ns + book->terms.pause_ns;
    if (book->pause_end_ns < turn->match->timer_next_ns)
        turn->match->timer_next_ns = book->pause_end_ns;
    dp_match_report_session(turn);
    return true;
}
