#include "dp_match_auction.h"

#include "dp_match_band.h"
#include "dp_match_end.h"
#include "dp_match_equilibrium.h"
#include "dp_match_extra.h"
#include "dp_match_trade.h"

/* The first order of the ladder that trades at the price's key or better; 0: none. */
static uint32_t first_order(
    const struct dp_match_turn *turn, const struct dp_match_ladder *ladder, uint32_t key_last)
{
    uint32_t key = ladder->best_key;
    uint32_t number = ladder->best_level;
    while (key <= key_last) {
        const struct dp_match_level *level = dp_match_level(turn->match, number);
        for (uint32_t order = dp_match_level_next(turn->match, level, 0); order != 0;
             order = dp_match_level_next(turn->match, level, order))
            if (dp_match_takes_part(turn->match, dp_match_slot(turn->match, order)))
                return order;
        number = dp_match_ladder_at_or_after(ladder, dp_match_nodes(turn->match), key + 1, &key);
    }
    return 0;
}

static uint64_t smaller(uint64_t left, uint64_t right)
{
    return left < right ? left : right;
}

static uint64_t tradable(const struct dp_match *match, const struct dp_match_slot *slot)
{
    return slot->flags & DP_MATCH_SLOT_UNSHOWN ? slot->leaves_qty : dp_match_shown_qty(match, slot);
}

/* Two orders of one group: the later one's mode decides, as if it came in now. */
static void prevent(struct dp_match_turn *turn, uint32_t buyer, uint32_t seller)
{
    const struct dp_match_slot *buy = dp_match_slot(turn->match, buyer);
    const struct dp_match_slot *sell = dp_match_slot(turn->match, seller);
    bool is_buyer_later = buy->priority > sell->priority;
    uint32_t later = is_buyer_later ? buyer : seller;
    struct dp_match_slot taker = *dp_match_slot(turn->match, later);
    taker.level = 0;
    uint64_t before = taker.leaves_qty;
    dp_match_prevent(turn, is_buyer_later ? seller : buyer, &taker);
    if (taker.leaves_qty == 0) {
        dp_match_end(turn, later);
        return;
    }
    if (taker.leaves_qty == before)
        return;
    dp_match_reduce(turn, later, before - taker.leaves_qty);
    const struct dp_match_slot *slot = dp_match_slot(turn->match, later);
    dp_match_report_on_book(
        turn, dp_match_report_order(turn, DP_MATCH_RESTATED, slot, slot->leaves_qty), later);
}

/* Returns how much was traded. */
static uint64_t trade_all(struct dp_match_turn *turn, int64_t price_nanos)
{
    struct dp_match *match = turn->match;
    struct dp_match_book *book = turn->book;
    uint32_t slot = (uint32_t)(price_nanos / book->half_tick_nanos);
    const struct dp_match_ladder *bids = &book->ladders[DP_MATCH_BIDS];
    const struct dp_match_ladder *asks = &book->ladders[DP_MATCH_ASKS];
    uint64_t traded = 0;
    for (;;) {
        uint32_t buyer = first_order(turn, bids, dp_match_ladder_key(bids, slot));
        uint32_t seller = first_order(turn, asks, dp_match_ladder_key(asks, slot));
        if (buyer == 0 || seller == 0)
            return traded;
        const struct dp_match_slot *buy = dp_match_slot(match, buyer);
        const struct dp_match_slot *sell = dp_match_slot(match, seller);
        if (dp_match_is_own(buy, sell)) {
            prevent(turn, buyer, seller);
        } else {
            uint64_t qty = smaller(tradable(match, buy), tradable(match, sell));
            dp_match_trade_crossed(turn, buyer, seller, qty, price_nanos);
            dp_match_group_cancel(turn, NULL);
            traded += qty;
        }
    }
}

void dp_match_auction(struct dp_match_turn *turn)
{
    struct dp_match_outcome outcome = dp_match_equilibrium(turn->match, turn->book, false);
    uint64_t traded = outcome.qty != 0 ? trade_all(turn, outcome.price_nanos) : 0;
    struct dp_match_report *report = dp_match_report_next(turn->sink, DP_MATCH_AUCTION);
    report->side = (uint8_t)(outcome.surplus_qty > 0 ? DP_SIDE_BUY
            : outcome.surplus_qty < 0                ? DP_SIDE_SELL
                                                     : DP_SIDE_NONE);
    report->instrument_index = turn->book->index;
    report->price_nanos = outcome.price_nanos;
    report->qty = traded;
    report->leaves_qty =
        (uint64_t)(outcome.surplus_qty < 0 ? -outcome.surplus_qty : outcome.surplus_qty);
    report->match_number = turn->match->match_number_last;
    if (outcome.qty == 0)
        return;
    turn->book->reference_price_nanos = outcome.price_nanos;
    dp_match_book_bands(turn->book);
}
