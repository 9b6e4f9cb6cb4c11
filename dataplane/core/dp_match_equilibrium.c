#include "dp_match_equilibrium.h"

struct totals {
    uint64_t buy; /* of all orders that would buy at the price at hand */
    uint64_t sell;
};

/* Whose orders count, and where they are. */
struct crowd {
    const struct dp_match *match;
    const struct dp_match_book *book;
    bool cross_only; /* orders for an opening or closing auction alone */
};

static bool counts(const struct crowd *crowd, const struct dp_match_slot *slot)
{
    bool of_cross =
        slot->time_in_force == DP_MATCH_AT_OPEN || slot->time_in_force == DP_MATCH_AT_CLOSE;
    return (of_cross || !crowd->cross_only) && dp_match_takes_part(crowd->match, slot);
}

static uint64_t level_qty(const struct crowd *crowd, uint32_t number)
{
    const struct dp_match_level *level = dp_match_level(crowd->match, number);
    uint64_t qty = 0;
    if (level->special_count == 0 && level->hidden_first == 0 && !crowd->cross_only)
        return level->display_qty;
    for (uint32_t order = dp_match_level_next(crowd->match, level, 0); order != 0;
         order = dp_match_level_next(crowd->match, level, order)) {
        const struct dp_match_slot *slot = dp_match_slot(crowd->match, order);
        qty += counts(crowd, slot) ? slot->leaves_qty : 0;
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
static bool is_preferred(const struct dp_match_outcome *best, const struct dp_match_outcome *other,
    int64_t reference_nanos)
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

static struct dp_match_outcome outcome_at(int64_t price_nanos, const struct totals *totals)
{
    return (struct dp_match_outcome){
        .price_nanos = price_nanos,
        .qty = smaller(totals->buy, totals->sell),
        .surplus_qty = (int64_t)(totals->buy - totals->sell),
    };
}

/* ---- walking prices upwards ---- */

/* Both ladders from low to high prices: asks best first, bids worst first. */
struct walk {
    const struct crowd *crowd;
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
              walk->bids, dp_match_nodes(walk->crowd->match), walk->bid_key - 1, &walk->bid_key);
}

static void next_ask(struct walk *walk)
{
    walk->ask = dp_match_ladder_at_or_after(
        walk->asks, dp_match_nodes(walk->crowd->match), walk->ask_key + 1, &walk->ask_key);
}

/* Looks at each price with an order on it; slots beyond the prices hold market orders. */
static struct dp_match_outcome best_outcome(
    struct walk *walk, struct totals totals, int64_t reference)
{
    const struct dp_match_book *book = walk->crowd->book;
    struct dp_match_outcome best = {.price_nanos = DP_PRICE_NONE};
    for (;;) {
        uint32_t bid_slot = price_of(walk->bids, walk->bid, walk->bid_key);
        uint32_t ask_slot = price_of(walk->asks, walk->ask, walk->ask_key);
        uint32_t slot = bid_slot < ask_slot ? bid_slot : ask_slot;
        if (slot >= book->slot_max || totals.buy == 0)
            return best;
        if (ask_slot == slot) {
            totals.sell += level_qty(walk->crowd, walk->ask);
            next_ask(walk);
        }
        struct dp_match_outcome here = outcome_at(dp_match_slot_price(book, slot), &totals);
        if (here.price_nanos != DP_PRICE_NONE && here.qty > 0 &&
            (best.qty == 0 || is_preferred(&best, &here, reference)))
            best = here;
        if (bid_slot == slot) {
            totals.buy -= level_qty(walk->crowd, walk->bid);
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
        qty += level_qty(walk->crowd, level);
        walk->bid = level;
        walk->bid_key = key;
        level = dp_match_ladder_at_or_after(
            walk->bids, dp_match_nodes(walk->crowd->match), key + 1, &key);
    }
    return qty;
}

static uint64_t market_qty(const struct crowd *crowd, enum dp_match_ladder_name name)
{
    const struct dp_match_ladder *ladder = &crowd->book->ladders[name];
    uint32_t slot = name == DP_MATCH_BIDS ? crowd->book->slot_max : 0;
    bool is_there =
        ladder->level_count != 0 && ladder->best_key == dp_match_ladder_key(ladder, slot);
    return is_there ? level_qty(crowd, ladder->best_level) : 0;
}

struct dp_match_outcome dp_match_equilibrium(
    const struct dp_match *match, const struct dp_match_book *book, bool cross_only)
{
    const struct crowd crowd = {.match = match, .book = book, .cross_only = cross_only};
    struct walk walk = {.crowd = &crowd,
        .bids = &book->ladders[DP_MATCH_BIDS],
        .asks = &book->ladders[DP_MATCH_ASKS]};
    if (walk.bids->level_count == 0 || walk.asks->level_count == 0)
        return (struct dp_match_outcome){.price_nanos = DP_PRICE_NONE};
    walk.ask = walk.asks->best_level;
    walk.ask_key = walk.asks->best_key;
    int64_t reference = dp_match_trail_from(book);
    struct totals totals = {
        .buy = crossing_bids(&walk, dp_match_ladder_key(walk.asks, walk.ask_key))};
    struct dp_match_outcome best = best_outcome(&walk, totals, reference);
    if (best.qty != 0 || reference == DP_PRICE_NONE)
        return best;
    /* Nobody names a price at which they meet: market orders meet at the reference. */
    totals = (struct totals){market_qty(&crowd, DP_MATCH_BIDS), market_qty(&crowd, DP_MATCH_ASKS)};
    struct dp_match_outcome at_reference = outcome_at(reference, &totals);
    return at_reference.qty != 0 ? at_reference : best;
}

/* Everything of a ladder up to a key. */
static uint64_t qty_up_to(
    const struct crowd *crowd, const struct dp_match_ladder *ladder, uint32_t key_last)
{
    uint32_t key = ladder->best_key;
    uint32_t level = ladder->best_level;
    uint64_t qty = 0;
    while (key <= key_last && ladder->level_count != 0) {
        qty += level_qty(crowd, level);
        level = dp_match_ladder_at_or_after(ladder, dp_match_nodes(crowd->match), key + 1, &key);
    }
    return qty;
}

struct dp_match_outcome dp_match_outcome_at(
    const struct dp_match *match, const struct dp_match_book *book, int64_t price_nanos)
{
    const struct crowd crowd = {.match = match, .book = book};
    uint32_t slot = (uint32_t)(price_nanos / book->half_tick_nanos);
    const struct dp_match_ladder *bids = &book->ladders[DP_MATCH_BIDS];
    const struct dp_match_ladder *asks = &book->ladders[DP_MATCH_ASKS];
    const struct totals totals = {
        .buy = qty_up_to(&crowd, bids, dp_match_ladder_key(bids, slot)),
        .sell = qty_up_to(&crowd, asks, dp_match_ladder_key(asks, slot)),
    };
    return outcome_at(price_nanos, &totals);
}
