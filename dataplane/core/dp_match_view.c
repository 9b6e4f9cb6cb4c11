#include "dp_match_view.h"

#include "dp_match_equilibrium.h"
#include "dp_match_sweep.h"

static struct dp_match_order_view view_of(const struct dp_match *match, uint32_t order)
{
    const struct dp_match_slot *slot = dp_match_slot(match, order);
    const struct dp_match_level *level = dp_match_level(match, slot->level);
    struct dp_match_order_view view = {
        .order_id = slot->order_id,
        .tag = slot->tag,
        .price_nanos = level->price_nanos,
        .leaves_qty = slot->leaves_qty,
        .priority = slot->priority,
        .instrument_index = level->instrument_index,
        .participant = slot->participant,
        .side = slot->side,
        .place = DP_MATCH_PLACE_TRIGGER,
        .time_in_force = slot->time_in_force,
        .flags = slot->flags & DP_MATCH_ORDER_FLAGS,
    };
    if (level->ladder <= DP_MATCH_ASKS) {
        view.place = DP_MATCH_PLACE_BOOK;
        view.display_qty = dp_match_shown_qty(match, slot);
    } else if (level->ladder == DP_MATCH_HELD) {
        view.place = DP_MATCH_PLACE_HELD;
    }
    return view;
}

bool dp_match_view_order(
    const struct dp_match *match, uint64_t order_id, struct dp_match_order_view *view)
{
    uint32_t order = order_id != 0 ? dp_match_find(match, order_id) : 0;
    if (order == 0)
        return false;
    *view = view_of(match, order);
    return true;
}

uint32_t dp_match_view_levels(const struct dp_match *match, uint32_t instrument_index,
    enum dp_side side, struct dp_match_level_view *levels, uint32_t capacity)
{
    DP_ASSERT(instrument_index < match->instrument_count);
    const struct dp_match_ladder *ladder =
        &dp_match_book(match, instrument_index)->ladders[side == DP_SIDE_SELL];
    uint32_t count = 0;
    uint32_t key = ladder->best_key;
    uint32_t number = ladder->level_count != 0 ? ladder->best_level : 0;
    while (number != 0 && count < capacity) {
        const struct dp_match_level *level = dp_match_level(match, number);
        if (level->display_qty != 0)
            levels[count++] = (struct dp_match_level_view){
                level->price_nanos, level->display_qty, level->order_count};
        number = dp_match_ladder_at_or_after(ladder, dp_match_nodes(match), key + 1, &key);
    }
    return count;
}

uint32_t dp_match_view_orders(const struct dp_match *match, uint32_t instrument_index,
    struct dp_match_order_view *views, uint32_t skip, uint32_t capacity)
{
    DP_ASSERT(instrument_index < match->instrument_count);
    const struct dp_match_book *book = dp_match_book(match, instrument_index);
    struct dp_match_walk walk = {.ladder = 0};
    uint32_t count = 0;
    uint32_t order;
    while (count < capacity && (order = dp_match_walk_next(match, book, &walk)) != 0) {
        if (skip != 0)
            skip--;
        else
            views[count++] = view_of(match, order);
    }
    return count;
}

struct dp_match_indication dp_match_view_indication(
    const struct dp_match *match, uint32_t instrument_index)
{
    DP_ASSERT(instrument_index < match->instrument_count);
    const struct dp_match_book *book = dp_match_book(match, instrument_index);
    int64_t near_nanos = dp_match_equilibrium(match, book, false).price_nanos;
    int64_t reference_nanos = dp_match_trail_from(book);
    struct dp_match_indication indication = {
        .reference_nanos = reference_nanos != DP_PRICE_NONE ? reference_nanos : near_nanos,
        .near_nanos = near_nanos,
        .far_nanos = dp_match_equilibrium(match, book, true).price_nanos,
    };
    if (indication.reference_nanos == DP_PRICE_NONE)
        return indication;
    struct dp_match_outcome outcome = dp_match_outcome_at(match, book, indication.reference_nanos);
    indication.paired_qty = outcome.qty;
    indication.imbalance_qty = outcome.surplus_qty;
    return indication;
}

enum dp_match_session dp_match_view_session(const struct dp_match *match, uint32_t instrument_index)
{
    DP_ASSERT(instrument_index < match->instrument_count);
    return (enum dp_match_session)dp_match_book(match, instrument_index)->session;
}

int64_t dp_match_view_last_price(const struct dp_match *match, uint32_t instrument_index)
{
    DP_ASSERT(instrument_index < match->instrument_count);
    return dp_match_book(match, instrument_index)->last_price_nanos;
}

uint32_t dp_match_view_order_count(const struct dp_match *match)
{
    return match->orders.live_count;
}
