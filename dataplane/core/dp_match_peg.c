#include "dp_match_peg.h"

#include "dp_match_band.h"
#include "dp_match_end.h"
#include "dp_match_extra.h"
#include "dp_match_place.h"
#include "dp_match_route.h"
#include "dp_match_take.h"

/* ---- the quote ---- */

/* The best price that a side shows. */
static int64_t best_shown(const struct dp_match_turn *turn, const struct dp_match_ladder *ladder)
{
    uint32_t key = ladder->best_key;
    uint32_t level = ladder->level_count != 0 ? ladder->best_level : 0;
    while (level != 0 && dp_match_level(turn->match, level)->display_count == 0)
        level = dp_match_ladder_at_or_after(ladder, dp_match_nodes(turn->match), key + 1, &key);
    return level != 0 ? dp_match_level(turn->match, level)->price_nanos : DP_PRICE_NONE;
}

bool dp_match_peg_look(struct dp_match_turn *turn)
{
    struct dp_match_book *book = turn->book;
    int64_t bid = book->quote_bid_nanos;
    int64_t ask = book->quote_ask_nanos;
    if (!book->quoted) {
        bid = best_shown(turn, &book->ladders[DP_MATCH_BIDS]);
        ask = best_shown(turn, &book->ladders[DP_MATCH_ASKS]);
    }
    if (dp_match_is_collecting(book))
        bid = ask = DP_PRICE_NONE;
    bool is_same = bid == book->bid_nanos && ask == book->ask_nanos;
    book->bid_nanos = bid;
    book->ask_nanos = ask;
    return !is_same;
}

/* ---- following it ---- */

static void move(struct dp_match_turn *turn, uint32_t order)
{
    static const struct dp_match_announcement restated = {.type = DP_MATCH_RESTATED};
    struct dp_match_slot copy = *dp_match_slot(turn->match, order);
    const struct dp_match_level *level = dp_match_level(turn->match, copy.level);
    uint32_t slot = dp_match_peg_slot(turn, &copy);
    if (level->ladder == DP_MATCH_HELD ? slot == 0 : slot == level->slot)
        return;
    dp_match_unstore(turn->match, turn->book, order);
    copy.level = 0;
    copy.priority = ++turn->match->priority_last;
    dp_match_route(
        turn, &copy, DP_MATCH_PEG, dp_match_extra(turn->match, copy.extra)->price_nanos, &restated);
}

/* A bracket's child that waits for its parent does not follow anything yet. */
static bool follows(const struct dp_match_extra *extra)
{
    return extra->type == DP_MATCH_PEG && extra->order != 0 &&
        extra->terms.group != DP_MATCH_GROUP_CHILD;
}

/* Pegs that trade while they move may change the quote: the caller looks again. All of this round
 * move by the quote it began with. */
bool dp_match_repeg(struct dp_match_turn *turn)
{
    struct dp_match_book *book = turn->book;
    if (book->peg_count == 0 || !dp_match_peg_look(turn))
        return false;
    book->watch_walk = book->watch_first;
    while (book->watch_walk != 0) {
        const struct dp_match_extra *extra = dp_match_extra(turn->match, book->watch_walk);
        book->watch_walk = extra->watch_next;
        if (follows(extra))
            move(turn, extra->order);
    }
    return true;
}

/* ---- discretion ---- */

static uint32_t discretion_slot(const struct dp_match_turn *turn,
    const struct dp_match_level *level, const struct dp_match_slot *slot)
{
    const struct dp_match_book *book = turn->book;
    const struct dp_match_terms *terms = &dp_match_extra(turn->match, slot->extra)->terms;
    int64_t steps = terms->discretion_nanos / book->half_tick_nanos;
    int64_t wanted = slot->side == DP_SIDE_BUY ? level->slot + steps : level->slot - steps;
    int64_t most = (int64_t)book->tick_count_max * 2;
    if (wanted < 2)
        return 2;
    return (uint32_t)(wanted < most ? wanted : most);
}

/* It keeps its place: what it trades is taken off the resting order afterwards. */
static bool reach(struct dp_match_turn *turn, uint32_t order)
{
    struct dp_match_slot *slot = dp_match_slot(turn->match, order);
    const struct dp_match_level *level = dp_match_level(turn->match, slot->level);
    if (level->ladder > DP_MATCH_ASKS)
        return false;
    uint32_t limit = dp_match_banded(turn->book, slot->side, discretion_slot(turn, level, slot));
    struct dp_match_slot taker = *slot;
    taker.level = 0;
    uint32_t live_before = turn->match->orders.live_count;
    dp_match_take(
        turn, &taker, dp_match_ladder_key(dp_match_opposite(turn->book, slot->side), limit));
    uint64_t qty = slot->leaves_qty - taker.leaves_qty;
    if (qty == 0)
        return turn->match->orders.live_count != live_before; /* self-trade prevention */
    dp_match_reduce(turn, order, qty);
    if (taker.leaves_qty == 0)
        dp_match_end(turn, order);
    else
        dp_match_report_on_book(
            turn, dp_match_report_order(turn, DP_MATCH_RESTATED, slot, slot->leaves_qty), order);
    return true;
}

bool dp_match_use_discretion(struct dp_match_turn *turn)
{
    const struct dp_match_book *book = turn->book;
    uint32_t number = book->discretion_count != 0 ? book->watch_first : 0;
    for (; number != 0; number = dp_match_extra(turn->match, number)->watch_next) {
        const struct dp_match_extra *extra = dp_match_extra(turn->match, number);
        if (extra->terms.discretion_nanos != 0 && extra->order != 0 && reach(turn, extra->order))
            return true;
    }
    return false;
}
