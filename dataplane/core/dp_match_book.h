/*
 * dp_match_book - orders, their index, and the queues of the price levels; private to the dp_match
 * files.
 *
 * An order is found by the low bits of its id: give ids from one counter and every chain is one
 * long. Nothing here decides or reports; callers keep priorities and accounts.
 */
#ifndef DP_MATCH_BOOK_H
#define DP_MATCH_BOOK_H

#include "dp_match_state.h"

static inline uint32_t dp_match_find(const struct dp_match *match, uint64_t order_id)
{
    uint32_t order = *dp_match_bucket(match, order_id);
    while (order != 0 && dp_match_slot(match, order)->order_id != order_id)
        order = dp_match_slot(match, order)->bucket_next;
    return order;
}

static inline struct dp_match_book *dp_match_book_of(const struct dp_match *match, uint32_t order)
{
    uint32_t level = dp_match_slot(match, order)->level;
    return dp_match_book(match, dp_match_level(match, level)->instrument_index);
}

static inline bool dp_match_is_collecting(const struct dp_match_book *book)
{
    return book->session != DP_MATCH_CONTINUOUS;
}

/* What a trailing stop is measured from: the last price, before the first the reference. */
static inline int64_t dp_match_trail_from(const struct dp_match_book *book)
{
    return book->last_price_nanos != DP_PRICE_NONE ? book->last_price_nanos
                                                   : book->reference_price_nanos;
}

static inline bool dp_match_has_free(const struct dp_match_table *table)
{
    return table->live_count < table->capacity;
}

/* ---- the steps, for those who take them one by one ---- */

static inline uint32_t dp_match_take_record(struct dp_match_table *table, uint32_t free_next)
{
    uint32_t record = table->free_first;
    if (record != 0)
        table->free_first = free_next;
    else
        record = ++table->used;
    table->live_count++;
    return record;
}

/* Returns what the record must name as the next free one. */
static inline uint32_t dp_match_give_record(struct dp_match_table *table, uint32_t record)
{
    uint32_t free_next = table->free_first;
    table->free_first = record;
    table->live_count--;
    return free_next;
}

static inline void dp_match_index_insert(struct dp_match *match, uint32_t order)
{
    struct dp_match_slot *slot = dp_match_slot(match, order);
    uint32_t *bucket = dp_match_bucket(match, slot->order_id);
    slot->bucket_next = *bucket;
    *bucket = order;
}

static inline void dp_match_index_remove(struct dp_match *match, uint32_t order)
{
    struct dp_match_slot *slot = dp_match_slot(match, order);
    uint32_t *link = dp_match_bucket(match, slot->order_id);
    while (*link != order)
        link = &dp_match_slot(match, *link)->bucket_next;
    *link = slot->bucket_next;
}

static inline void dp_match_append(
    struct dp_match *match, uint32_t order, uint32_t *first, uint32_t *last)
{
    struct dp_match_slot *slot = dp_match_slot(match, order);
    slot->next = 0;
    slot->back = *last;
    if (*last != 0)
        dp_match_slot(match, *last)->next = order;
    else
        *first = order;
    *last = order;
}

static inline void dp_match_detach(
    struct dp_match *match, uint32_t order, uint32_t *first, uint32_t *last)
{
    const struct dp_match_slot *slot = dp_match_slot(match, order);
    *(slot->back != 0 ? &dp_match_slot(match, slot->back)->next : first) = slot->next;
    *(slot->next != 0 ? &dp_match_slot(match, slot->next)->back : last) = slot->back;
}

/* ---- whole ---- */

/* Keeps the order, whose level is 0, in a record and in the index; it stands nowhere yet. 0 when
 * none is free. */
uint32_t dp_match_store(struct dp_match *match, const struct dp_match_slot *order);
/* The contrary of both: takes it out of its queue and of the index and gives the record back. Its
 * extra record stays. */
void dp_match_unstore(struct dp_match *match, struct dp_match_book *book, uint32_t order);
void dp_match_rename(struct dp_match *match, uint32_t order, uint64_t order_id);

/* The level at this price, made if there is none; 0 when no record is free for it. */
uint32_t dp_match_level_for(struct dp_match *match, struct dp_match_book *book,
    enum dp_match_ladder_name name, uint32_t slot);
/* Takes out a level that has no orders. The one for held orders stays. */
void dp_match_level_drop(struct dp_match *match, struct dp_match_book *book, uint32_t level);

/* Puts a stored order at the end of the queue for its price. False when there is no free level. */
bool dp_match_enqueue(struct dp_match *match, struct dp_match_book *book, uint32_t order,
    enum dp_match_ladder_name ladder, uint32_t slot);
/* Takes it out of its queue; a level without orders goes. */
void dp_match_dequeue(struct dp_match *match, struct dp_match_book *book, uint32_t order);
/* From the front of the displayed queue to its end. */
void dp_match_requeue(struct dp_match *match, uint32_t order);

/* The next record of a level, displayed ones before hidden ones; begins with 0. 0: no more. */
uint32_t dp_match_level_next(
    const struct dp_match *match, const struct dp_match_level *level, uint32_t order);

uint32_t dp_match_extra_take(struct dp_match *match); /* zeroed; 0 when none is free */
void dp_match_extra_give(struct dp_match *match, uint32_t extra);
uint32_t dp_match_level_take(struct dp_match *match); /* zeroed; 0 when none is free */

#endif
