#include "dp_match_trigger.h"

#include "dp_match_extra.h"
#include "dp_match_place.h"
#include "dp_match_route.h"

static const struct dp_match_announcement triggered = {.type = DP_MATCH_TRIGGERED};

/* ---- trailing ---- */

static void trail(struct dp_match_turn *turn, uint32_t order)
{
    struct dp_match_slot *slot = dp_match_slot(turn->match, order);
    struct dp_match_level *level = dp_match_level(turn->match, slot->level);
    if (level->ladder != DP_MATCH_TRIGGERS_UP && level->ladder != DP_MATCH_TRIGGERS_DOWN)
        return; /* a bracket's child that is not active yet */
    uint32_t moved = dp_match_trigger_slot(turn, slot);
    if (slot->side == DP_SIDE_SELL ? moved <= level->slot : moved >= level->slot)
        return;
    enum dp_match_ladder_name ladder = (enum dp_match_ladder_name)level->ladder;
    dp_match_dequeue(turn->match, turn->book, order);
    slot->priority = ++turn->match->priority_last;
    bool is_placed = dp_match_enqueue(turn->match, turn->book, order, ladder, moved);
    DP_ASSERT(is_placed || !dp_match_has_free(&turn->match->levels));
    if (!is_placed) {
        struct dp_match_slot copy = *slot;
        dp_match_unstore(turn->match, turn->book, order);
        dp_match_give_up(turn, &copy, DP_MATCH_REASON_CAPACITY);
        return;
    }
    dp_match_report_order(turn, DP_MATCH_RESTATED, slot, slot->leaves_qty)->price_nanos =
        dp_match_level(turn->match, slot->level)->price_nanos;
}

bool dp_match_trail(struct dp_match_turn *turn)
{
    struct dp_match_book *book = turn->book;
    int64_t from_nanos = dp_match_trail_from(book);
    if (book->trigger_price_nanos == from_nanos)
        return false;
    book->trigger_price_nanos = from_nanos;
    book->watch_walk = book->trail_count != 0 ? book->watch_first : 0;
    while (book->watch_walk != 0) {
        const struct dp_match_extra *extra = dp_match_extra(turn->match, book->watch_walk);
        book->watch_walk = extra->watch_next;
        if (extra->terms.trail_nanos != 0 && extra->type == DP_MATCH_STOP && extra->order != 0)
            trail(turn, extra->order);
    }
    return true;
}

/* ---- becoming active ---- */

/* What is left of the condition once it is met. */
static enum dp_match_order_type type_when_active(uint8_t type)
{
    switch (type) {
    case DP_MATCH_STOP:
    case DP_MATCH_MARKET_IF_TOUCHED: return DP_MATCH_MARKET;
    case DP_MATCH_STOP_LIMIT:
    case DP_MATCH_LIMIT_IF_TOUCHED: return DP_MATCH_LIMIT;
    default: return (enum dp_match_order_type)type;
    }
}

void dp_match_activate(struct dp_match_turn *turn, uint32_t order, uint64_t leaves_qty)
{
    struct dp_match_slot copy = *dp_match_slot(turn->match, order);
    uint32_t ladder = dp_match_level(turn->match, copy.level)->ladder;
    struct dp_match_extra *extra = dp_match_extra(turn->match, copy.extra);
    dp_match_unstore(turn->match, turn->book, order);
    copy.level = 0;
    copy.leaves_qty = leaves_qty;
    copy.priority = ++turn->match->priority_last;
    if (ladder != DP_MATCH_HELD)
        extra->type = (uint8_t)type_when_active(extra->type);
    dp_match_route(
        turn, &copy, (enum dp_match_order_type)extra->type, extra->price_nanos, &triggered);
}

static bool is_reached(const struct dp_match_ladder *ladder, uint32_t slot)
{
    return ladder->best_key <= dp_match_ladder_key(ladder, slot);
}

bool dp_match_trigger(struct dp_match_turn *turn)
{
    struct dp_match_book *book = turn->book;
    if (book->last_price_nanos == DP_PRICE_NONE)
        return false;
    uint32_t slot = (uint32_t)(book->last_price_nanos / book->half_tick_nanos);
    for (uint32_t name = DP_MATCH_TRIGGERS_UP; name <= DP_MATCH_TRIGGERS_DOWN; name++) {
        const struct dp_match_ladder *ladder = &book->ladders[name];
        if (!is_reached(ladder, slot))
            continue;
        const struct dp_match_level *level = dp_match_level(turn->match, ladder->best_level);
        uint32_t order = dp_match_level_next(turn->match, level, 0);
        dp_match_activate(turn, order, dp_match_slot(turn->match, order)->leaves_qty);
        return true;
    }
    return false;
}
