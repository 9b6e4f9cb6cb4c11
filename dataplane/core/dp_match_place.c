#include "dp_match_place.h"

/* ---- pegs ---- */

static int64_t away(uint8_t side, int64_t price_nanos, int64_t offset_nanos)
{
    return side == DP_SIDE_BUY ? price_nanos - offset_nanos : price_nanos + offset_nanos;
}

static int64_t wanted_price(
    const struct dp_match_book *book, uint8_t side, const struct dp_match_terms *terms)
{
    bool has_bid = book->bid_nanos != DP_PRICE_NONE;
    bool has_ask = book->ask_nanos != DP_PRICE_NONE;
    if (has_bid && has_ask && book->bid_nanos > book->ask_nanos)
        return DP_PRICE_NONE; /* crossed: nobody knows where the market is */
    if (terms->peg == DP_MATCH_PEG_MIDPOINT)
        return has_bid && has_ask ? (book->bid_nanos + book->ask_nanos) / 2 : DP_PRICE_NONE;
    bool by_bid = (terms->peg == DP_MATCH_PEG_PRIMARY) == (side == DP_SIDE_BUY);
    int64_t from = by_bid ? book->bid_nanos : book->ask_nanos;
    return from != DP_PRICE_NONE ? away(side, from, terms->peg_offset_nanos) : DP_PRICE_NONE;
}

static int64_t within(uint8_t side, int64_t price_nanos, int64_t limit_nanos)
{
    if (limit_nanos == DP_PRICE_NONE)
        return price_nanos;
    bool is_beyond = side == DP_SIDE_BUY ? price_nanos > limit_nanos : price_nanos < limit_nanos;
    return is_beyond ? limit_nanos : price_nanos;
}

uint32_t dp_match_peg_slot(const struct dp_match_turn *turn, const struct dp_match_slot *order)
{
    const struct dp_match_book *book = turn->book;
    const struct dp_match_extra *extra = dp_match_extra(turn->match, order->extra);
    int64_t price = wanted_price(book, order->side, &extra->terms);
    if (price == DP_PRICE_NONE)
        return 0;
    price = within(order->side, price, extra->price_nanos);
    if (price < 2 * book->half_tick_nanos || price > book->terms.price_nanos_max)
        return 0;
    return (uint32_t)(price / book->half_tick_nanos);
}

/* ---- triggers ---- */

/* distance below (a stop to sell) or above the price, within what the instrument knows. */
static uint32_t trailing_slot(
    const struct dp_match_book *book, uint8_t side, int64_t from_nanos, int64_t distance_nanos)
{
    int64_t slot = from_nanos / book->half_tick_nanos;
    int64_t distance = distance_nanos / book->half_tick_nanos;
    int64_t wanted = side == DP_SIDE_SELL ? slot - distance : slot + distance;
    int64_t most = (int64_t)book->tick_count_max * 2;
    if (wanted < 2)
        return 2;
    return (uint32_t)(wanted < most ? wanted : most);
}

uint32_t dp_match_trigger_slot(const struct dp_match_turn *turn, const struct dp_match_slot *order)
{
    const struct dp_match_terms *terms = &dp_match_extra(turn->match, order->extra)->terms;
    if (terms->trail_nanos == 0)
        return dp_match_price_slot(turn->book, terms->stop_price_nanos);
    return trailing_slot(
        turn->book, order->side, dp_match_trail_from(turn->book), terms->trail_nanos);
}
