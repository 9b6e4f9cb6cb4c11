#include "dp_match_auction.h"

#include "dp_match_extra.h"
#include "dp_match_session.h"
#include "dp_match_trade.h"
#include "dp_match_trigger.h"

/* What a price would do. */
struct outcome {
    int64_t price_nanos;
    uint64_t qty;
    int64_t surplus_qty; /* above 0: of buyers */
};

struct totals {
    uint64_t buy; /* of all orders that would buy at the price at hand */
    uint64_t sell;
};

/* Minimum quantities mean nothing where everybody meets everybody: those orders stay out. */
static bool takes_part(const struct dp_match *match, const struct dp_match_slot *slot)
{
    return !dp_match_is_conditional(match, slot);
}

static uint64_t level_qty(const struct dp_match *match, uint32_t number)
{
    const struct dp_match_level *level = dp_match_level(match, number);
    uint64_t qty = 0;
    if (level->special_count == 0 && level->hidden_first == 0)
        return level->display_qty;
    for (uint32_t order = dp_match_level_next(match, level, 0); order != 0;
         order = dp_match_level_next(match, level, order)) {
        const struct dp_match_slot *slot = dp_match_slot(match, order);
        qty += takes_part(match, slot) ? slot->leaves_qty : 0;
    }
    return qty;
}

/* ---- the rule chain ---- */

static uint64_t smaller(uint64_t left, uint64_t right)
{
    return left < right ? left : right;
}

static uint64_t size_of(int64_t surplus_qty)
{
    return (uint64_t)(surplus_qty < 0 ? -surplus_qty : surplus_qty);
}

static uint64_t distance(int64_t left, int64_t right)
{
    return left > right ? (uint64_t)(left - right) : (uint64_t)(right - left);
}

/* Whether `other`, at a higher price, is to be preferred. 1 most quantity, 2 least surplus,
 * 3 buyers left over at both: the higher price, sellers at both: the lower, 4 nearest to the
 * reference, the higher of two as near. Without a reference the lower. */
static bool is_preferred(
    const struct outcome *best, const struct outcome *other, int64_t reference_nanos)
{
    if (other->qty != best->qty)
        return other->qty > best->qty;
    if (size_of(other->surplus_qty) != size_of(best->surplus_qty))
        return size_of(other->surplus_qty) < size_of(best->surplus_qty);
    if (best->surplus_qty > 0 && other->surplus_qty > 0)
        return true;
    if (best->surplus_qty < 0 && other->surplus_qty < 0)
        return false;
    return reference_nanos != DP_PRICE_NONE &&
        distance(other->price_nanos, reference_nanos) <=
        distance(best->price_nanos, reference_nanos);
}

static struct outcome outcome_at(int64_t price_nanos, const struct totals *totals)
{
    return (struct outcome){
        .price_nanos = price_nanos,
        .qty = smaller(totals->buy, totals->sell),
        .surplus_qty = (int64_t)(totals->buy - totals->sell),
    };
}

/* ---- walking prices upwards ---- */

/* Both ladders from low to high prices: asks best first, bids worst first. */
struct walk {
    const struct dp_match_turn *turn;
    const struct dp_match_ladder *bids;
    const struct dp_match_ladder *asks;
    uint32_t bid; /* levels; 0: no more */
    uint32_t ask;
    uint32_t bid_key;
    uint32_t ask_key;
};

static uint32_t price_of(const struct dp_match_ladder *ladder, uint32_t level, uint32_t key)
{
    return level != 0 ? dp_match_ladder_key(ladder, key) : UINT32_MAX;
}

static void next_bid(struct walk *walk)
{
    walk->bid = walk->bid_key == 0
        ? 0
        : dp_match_ladder_at_or_before(
              walk->bids, dp_match_nodes(walk->turn->match), walk->bid_key - 1, &walk->bid_key);
}

static void next_ask(struct walk *walk)
{
    walk->ask = dp_match_ladder_at_or_after(
        walk->asks, dp_match_nodes(walk->turn->match), walk->ask_key + 1, &walk->ask_key);
}

/* Looks at each price with an order on it; slots beyond the prices hold market orders. */
static struct outcome best_outcome(struct walk *walk, struct totals totals, int64_t reference)
{
    const struct dp_match_book *book = walk->turn->book;
    struct outcome best = {.price_nanos = DP_PRICE_NONE};
    for (;;) {
        uint32_t bid_slot = price_of(walk->bids, walk->bid, walk->bid_key);
        uint32_t ask_slot = price_of(walk->asks, walk->ask, walk->ask_key);
        uint32_t slot = bid_slot < ask_slot ? bid_slot : ask_slot;
        if (slot >= book->slot_max || totals.buy == 0)
            return best;
        if (ask_slot == slot) {
            totals.sell += level_qty(walk->turn->match, walk->ask);
            next_ask(walk);
        }
        struct outcome here = outcome_at(dp_match_slot_price(book, slot), &totals);
        if (here.price_nanos != DP_PRICE_NONE && here.qty > 0 &&
            (best.qty == 0 || is_preferred(&best, &here, reference)))
            best = here;
        if (bid_slot == slot) {
            totals.buy -= level_qty(walk->turn->match, walk->bid);
            next_bid(walk);
        }
    }
}

/* Everything that would buy at the lowest price of an ask: the bids from there up. Leaves the walk
 * at the worst of them. */
static uint64_t crossing_bids(struct walk *walk, uint32_t lowest_ask_slot)
{
    uint32_t last = dp_match_ladder_key(walk->bids, lowest_ask_slot);
    uint32_t key = walk->bids->best_key;
    uint32_t level = walk->bids->best_level;
    uint64_t qty = 0;
    while (key <= last) {
        qty += level_qty(walk->turn->match, level);
        walk->bid = level;
        walk->bid_key = key;
        level = dp_match_ladder_at_or_after(
            walk->bids, dp_match_nodes(walk->turn->match), key + 1, &key);
    }
    return qty;
}

static uint64_t market_qty(const struct dp_match_turn *turn, enum dp_match_ladder_name name)
{
    const struct dp_match_ladder *ladder = &turn->book->ladders[name];
    uint32_t slot = name == DP_MATCH_BIDS ? turn->book->slot_max : 0;
    bool is_there =
        ladder->level_count != 0 && ladder->best_key == dp_match_ladder_key(ladder, slot);
    return is_there ? level_qty(turn->match, ladder->best_level) : 0;
}

static struct outcome find_price(const struct dp_match_turn *turn)
{
    struct dp_match_book *book = turn->book;
    struct walk walk = {
        .turn = turn, .bids = &book->ladders[DP_MATCH_BIDS], .asks = &book->ladders[DP_MATCH_ASKS]};
    if (walk.bids->level_count == 0 || walk.asks->level_count == 0)
        return (struct outcome){.price_nanos = DP_PRICE_NONE};
    walk.ask = walk.asks->best_level;
    walk.ask_key = walk.asks->best_key;
    int64_t reference = dp_match_trail_from(book);
    struct totals totals = {
        .buy = crossing_bids(&walk, dp_match_ladder_key(walk.asks, walk.ask_key))};
    struct outcome best = best_outcome(&walk, totals, reference);
    if (best.qty != 0 || reference == DP_PRICE_NONE)
        return best;
    /* Nobody names a price at which they meet: market orders meet at the reference. */
    totals = (struct totals){market_qty(turn, DP_MATCH_BIDS), market_qty(turn, DP_MATCH_ASKS)};
    struct outcome at_reference = outcome_at(reference, &totals);
    return at_reference.qty != 0 ? at_reference : best;
}

/* ---- trading ---- */

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
            if (takes_part(turn->match, dp_match_slot(turn->match, order)))
                return order;
        number = dp_match_ladder_at_or_after(ladder, dp_match_nodes(turn->match), key + 1, &key);
    }
    return 0;
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
    struct outcome outcome = find_price(turn);
    uint64_t traded = outcome.qty != 0 ? trade_all(turn, outcome.price_nanos) : 0;
    struct dp_match_report *report = dp_match_report_next(turn->sink, DP_MATCH_AUCTION);
    report->side = (uint8_t)(outcome.surplus_qty > 0 ? DP_SIDE_BUY
            : outcome.surplus_qty < 0                ? DP_SIDE_SELL
                                                     : DP_SIDE_NONE);
    report->instrument_index = turn->book->index;
    report->price_nanos = outcome.price_nanos;
    report->qty = traded;
    report->leaves_qty = size_of(outcome.surplus_qty);
    report->match_number = turn->match->match_number_last;
    if (outcome.qty == 0)
        return;
    turn->book->reference_price_nanos = outcome.price_nanos;
    dp_match_book_bands(turn->book);
}
