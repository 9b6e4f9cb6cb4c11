#include "dp_match_sweep.h"

#include "dp_match_end.h"

/* The first level from the walk's key on, in its ladder or a later one. */
static uint32_t next_level(
    const struct dp_match *match, const struct dp_match_book *book, struct dp_match_walk *walk)
{
    for (; walk->ladder < DP_MATCH_LADDER_COUNT; walk->ladder++, walk->key = 0) {
        uint32_t level = dp_match_ladder_at_or_after(
            &book->ladders[walk->ladder], dp_match_nodes(match), walk->key, &walk->key);
        if (level != 0)
            return level;
    }
    if (walk->ladder++ == DP_MATCH_HELD)
        return book->held_level;
    return 0;
}

uint32_t dp_match_walk_next(
    const struct dp_match *match, const struct dp_match_book *book, struct dp_match_walk *walk)
{
    if (walk->order != 0)
        walk->order = dp_match_level_next(match, dp_match_level(match, walk->level), walk->order);
    while (walk->order == 0) {
        walk->key += walk->level != 0;
        walk->level = next_level(match, book, walk);
        if (walk->level == 0)
            return 0;
        walk->order = dp_match_level_next(match, dp_match_level(match, walk->level), 0);
    }
    return walk->order;
}

void dp_match_sweep(struct dp_match_turn *turn,
    enum dp_match_reason (*reason_for)(
        const struct dp_match_turn *turn, const struct dp_match_slot *slot))
{
    struct dp_match_walk walk = {.ladder = 0};
    uint32_t order = dp_match_walk_next(turn->match, turn->book, &walk);
    while (order != 0) {
        uint32_t next = dp_match_walk_next(turn->match, turn->book, &walk);
        enum dp_match_reason reason = reason_for(turn, dp_match_slot(turn->match, order));
        if (reason != DP_MATCH_REASON_NONE)
            dp_match_cancel_order(turn, order, reason);
        order = next;
    }
}
