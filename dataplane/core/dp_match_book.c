#include "dp_match_book.h"

uint32_t dp_match_extra_take(struct dp_match *match)
{
    if (!dp_match_has_free(&match->extras))
        return 0;
    uint32_t free_next = dp_match_extra(match, match->extras.free_first)->group_next;
    uint32_t extra = dp_match_take_record(&match->extras, free_next);
    memset(dp_match_extra(match, extra), 0, sizeof(struct dp_match_extra));
    return extra;
}

void dp_match_extra_give(struct dp_match *match, uint32_t extra)
{
    dp_match_extra(match, extra)->group_next = dp_match_give_record(&match->extras, extra);
}

uint32_t dp_match_level_take(struct dp_match *match)
{
    if (!dp_match_has_free(&match->levels))
        return 0;
    uint32_t level =
        dp_match_take_record(&match->levels, dp_match_level(match, match->levels.free_first)->slot);
    memset(dp_match_level(match, level), 0, sizeof(struct dp_match_level));
    return level;
}

uint32_t dp_match_store(struct dp_match *match, const struct dp_match_slot *order)
{
    if (DP_UNLIKELY(!dp_match_has_free(&match->orders)))
        return 0;
    uint32_t record =
        dp_match_take_record(&match->orders, dp_match_slot(match, match->orders.free_first)->next);
    *dp_match_slot(match, record) = *order;
    dp_match_index_insert(match, record);
    if (DP_UNLIKELY(order->extra != 0)) {
        struct dp_match_extra *extra = dp_match_extra(match, order->extra);
        extra->order = record;
        if (extra->shown_qty > order->leaves_qty)
            extra->shown_qty = order->leaves_qty; /* it traded on its way in */
    }
    return record;
}

void dp_match_unstore(struct dp_match *match, struct dp_match_book *book, uint32_t order)
{
    struct dp_match_slot *slot = dp_match_slot(match, order);
    if (slot->level != 0)
        dp_match_dequeue(match, book, order);
    dp_match_index_remove(match, order);
    if (DP_UNLIKELY(slot->extra != 0))
        dp_match_extra(match, slot->extra)->order = 0;
    slot->order_id = 0;
    slot->next = dp_match_give_record(&match->orders, order);
}

void dp_match_rename(struct dp_match *match, uint32_t order, uint64_t order_id)
{
    dp_match_index_remove(match, order);
    dp_match_slot(match, order)->order_id = order_id;
    dp_match_index_insert(match, order);
}

/* ---- levels ---- */

static uint32_t make_level(struct dp_match *match, struct dp_match_book *book,
    enum dp_match_ladder_name name, uint32_t slot, uint32_t key)
{
    uint32_t level = dp_match_level_take(match);
    if (level == 0)
        return 0;
    struct dp_match_level *made = dp_match_level(match, level);
    made->price_nanos = dp_match_slot_price(book, slot);
    made->slot = slot;
    made->instrument_index = book->index;
    made->ladder = name;
    if (!dp_match_ladder_insert(&book->ladders[name], dp_match_nodes(match), key, level)) {
        made->slot = dp_match_give_record(&match->levels, level);
        return 0;
    }
    book->attention += name >= DP_MATCH_TRIGGERS_UP;
    return level;
}

void dp_match_level_drop(struct dp_match *match, struct dp_match_book *book, uint32_t level)
{
    struct dp_match_level *dropped = dp_match_level(match, level);
    if (dropped->ladder == DP_MATCH_HELD)
        return;
    book->attention -= dropped->ladder >= DP_MATCH_TRIGGERS_UP;
    struct dp_match_ladder *ladder = &book->ladders[dropped->ladder];
    dp_match_ladder_remove(
        ladder, dp_match_nodes(match), dp_match_ladder_key(ladder, dropped->slot));
    dropped->slot = dp_match_give_record(&match->levels, level);
}

uint32_t dp_match_level_for(struct dp_match *match, struct dp_match_book *book,
    enum dp_match_ladder_name name, uint32_t slot)
{
    if (name == DP_MATCH_HELD)
        return book->held_level;
    struct dp_match_ladder *ladder = &book->ladders[name];
    uint32_t key = dp_match_ladder_key(ladder, slot);
    uint32_t level = dp_match_ladder_find(ladder, dp_match_nodes(match), key);
    return DP_LIKELY(level != 0) ? level : make_level(match, book, name, slot, key);
}

/* ---- queues ---- */

bool dp_match_enqueue(struct dp_match *match, struct dp_match_book *book, uint32_t order,
    enum dp_match_ladder_name ladder, uint32_t price_slot)
{
    struct dp_match_slot *slot = dp_match_slot(match, order);
    uint32_t number = dp_match_level_for(match, book, ladder, price_slot);
    if (DP_UNLIKELY(number == 0))
        return false;
    struct dp_match_level *level = dp_match_level(match, number);
    slot->level = number;
    level->order_count++;
    level->special_count += dp_match_is_special(slot);
    if (DP_UNLIKELY(slot->flags & DP_MATCH_SLOT_UNSHOWN)) {
        dp_match_append(match, order, &level->hidden_first, &level->hidden_last);
        return true;
    }
    level->display_count++;
    level->display_qty += dp_match_shown_qty(match, slot);
    dp_match_append(match, order, &level->first, &level->last);
    return true;
}

void dp_match_dequeue(struct dp_match *match, struct dp_match_book *book, uint32_t order)
{
    struct dp_match_slot *slot = dp_match_slot(match, order);
    struct dp_match_level *level = dp_match_level(match, slot->level);
    level->special_count -= dp_match_is_special(slot);
    if (DP_UNLIKELY(slot->flags & DP_MATCH_SLOT_UNSHOWN)) {
        dp_match_detach(match, order, &level->hidden_first, &level->hidden_last);
    } else {
        level->display_count--;
        level->display_qty -= dp_match_shown_qty(match, slot);
        dp_match_detach(match, order, &level->first, &level->last);
    }
    if (--level->order_count == 0)
        dp_match_level_drop(match, book, slot->level);
    slot->level = 0;
}

void dp_match_requeue(struct dp_match *match, uint32_t order)
{
    struct dp_match_level *level = dp_match_level(match, dp_match_slot(match, order)->level);
    dp_match_detach(match, order, &level->first, &level->last);
    dp_match_append(match, order, &level->first, &level->last);
}

uint32_t dp_match_level_next(
    const struct dp_match *match, const struct dp_match_level *level, uint32_t order)
{
    if (order == 0)
        return level->first != 0 ? level->first : level->hidden_first;
    const struct dp_match_slot *slot = dp_match_slot(match, order);
    if (slot->next != 0 || (slot->flags & DP_MATCH_SLOT_UNSHOWN) != 0)
        return slot->next;
    return level->hidden_first;
}
