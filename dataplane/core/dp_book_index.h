/*
 * dp_book_index - from an order reference to the number of its record.
 *
 * Exchanges number orders upwards, so the low bits of a reference are the best hash there is: the
 * front table has one 4-byte entry for each value of them, orders that came together share a cache
 * line, and adding or deleting is one store. Two live orders of the same low bits are rare (the
 * older one rests while a whole table of others came), so the older one is spilled into a hash
 * table behind; the entry counts how many of its references were, and only where that is not zero
 * does anyone look there. References in any other order (sparse, random, strided) cost a probe of
 * that table, never a wrong answer.
 *
 *   front[ref & mask]   bits 0-29 record number, 30-31 how many are spilled (3: three or more once)
 *   spill[hash]         open addressing, Robin Hood order: 32-bit tag, 32-bit record number
 *
 * Zeroed memory is an empty index. Writer only, plain memory.
 */
#ifndef DP_BOOK_INDEX_H
#define DP_BOOK_INDEX_H

#include "dp_base.h"

#define DP_BOOK_INDEX_SPILL_SHIFT 30
#define DP_BOOK_INDEX_RECORD ((1u << DP_BOOK_INDEX_SPILL_SHIFT) - 1)

struct dp_book_order {
    uint64_t order_ref;
    uint64_t priority;
    uint32_t qty;
    uint32_t place;  /* level * 2 + side index */
    uint32_t ahead;  /* order before this one in the queue of the level */
    uint32_t behind; /* order after it; the free list of the pool */
};

static_assert(sizeof(struct dp_book_order) == 32, "two orders a cache line");

/* Process-local view of an index: made on the stack where it is needed. */
struct dp_book_index {
    uint32_t *front;
    uint64_t *spill;
    struct dp_book_order *orders;
    uint32_t mask;  /* entries in each table, less one */
    uint32_t shift; /* 32 - their logarithm */
};

/* Entries for a load of at most three quarters: 12 to 32 bytes an order in both tables. */
uint32_t dp_book_index_bits(uint32_t record_count);

static inline uint32_t *dp_book_index_entry(const struct dp_book_index *index, uint64_t order_ref)
{
    return &index->front[(uint32_t)order_ref & index->mask];
}

/* The order that stands in the entry of that reference; record 0 when none does. */
static inline struct dp_book_order *dp_book_index_hint(
    const struct dp_book_index *index, uint64_t order_ref)
{
    return &index->orders[*dp_book_index_entry(index, order_ref) & DP_BOOK_INDEX_RECORD];
}

/* Where it was spilled to: the record, or 0. */
uint32_t dp_book_index_find_spilled(const struct dp_book_index *index, uint64_t order_ref);
/* The entry of that reference is not blank: spills what is in the way. False when the reference is
 * live itself. */
bool dp_book_index_make_room(const struct dp_book_index *index, uint64_t order_ref);
/* Deletes a reference that does not stand in the front table. */
void dp_book_index_delete_spilled(const struct dp_book_index *index, uint64_t order_ref);

/* The record of a live order, or 0. */
static inline uint32_t dp_book_index_find(const struct dp_book_index *index, uint64_t order_ref)
{
    uint32_t entry = *dp_book_index_entry(index, order_ref);
    uint32_t number = entry & DP_BOOK_INDEX_RECORD;
    if (DP_LIKELY(number != 0) && DP_LIKELY(index->orders[number].order_ref == order_ref))
        return number;
    return DP_LIKELY(entry == number) ? 0 : dp_book_index_find_spilled(index, order_ref);
}

/* Whether the reference is free to be put; it has its place then. */
static inline bool dp_book_index_is_free(const struct dp_book_index *index, uint64_t order_ref)
{
    return DP_LIKELY(*dp_book_index_entry(index, order_ref) == 0) ||
        dp_book_index_make_room(index, order_ref);
}

/* After dp_book_index_is_free(). */
static inline void dp_book_index_put(
    const struct dp_book_index *index, uint64_t order_ref, uint32_t number)
{
    *dp_book_index_entry(index, order_ref) |= number;
}

static inline void dp_book_index_delete(
    const struct dp_book_index *index, uint64_t order_ref, uint32_t number)
{
    uint32_t *entry = dp_book_index_entry(index, order_ref);
    if (DP_LIKELY((*entry & DP_BOOK_INDEX_RECORD) == number))
        *entry &= ~DP_BOOK_INDEX_RECORD;
    else
        dp_book_index_delete_spilled(index, order_ref);
}

#endif
