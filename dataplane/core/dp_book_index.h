/*
 * dp_book_index - from an order reference to the number of its record.
 *
 * Exchanges number orders upwards, so the low bits of a reference are the best hash there is:
 * references that came together share a cache line. They name the entry of the front table that is
 * the home of a reference. Where an older order has it still, the reference goes to another of the
 * eight entries of that bucket, found by comparing all at once; from a full bucket to a hash table
 * behind. A home remembers that some of its own are away, and a bucket counts those behind; only
 * where one of them says so does anyone look there. References in any other order (sparse, random,
 * strided) cost a probe of that table, never a wrong answer.
 *
 *   front[bucket][8]  one entry:  bit 31     some that are at home here are, or were, elsewhere
 *                                 bit 30     of all eight together: how many the bucket has spilled
 *                                            (255: that many once)
 *                                 then       those bits of the reference, as many as there is room
 *                                 low bits   record number; 0: free
 *   spill[hash]       open addressing, Robin Hood order: 32-bit tag, 32-bit record number
 *
 * Zeroed memory is an empty index. Record 0 is nobody's. Writer only, plain memory.
 */
#ifndef DP_BOOK_INDEX_H
#define DP_BOOK_INDEX_H

#include "dp_base.h"

#define DP_BOOK_INDEX_WAYS 8u
#define DP_BOOK_INDEX_AWAY (1u << 31)
#define DP_BOOK_INDEX_COUNT (1u << 30)

struct dp_book_order {
    uint64_t order_ref;
    uint64_t priority;
    uint32_t qty;
    uint32_t place;  /* level, and the side index in bit 31 */
    uint32_t ahead;  /* order before this one in the queue of the level */
    uint32_t behind; /* order after it; the free list of the pool */
};

static_assert(sizeof(struct dp_book_order) == 32, "two orders a cache line");

/* Process-local view of an index: made on the stack where it is needed. */
struct dp_book_index {
    uint32_t *front; /* at a cache line */
    uint64_t *spill;
    struct dp_book_order *orders;
    uint32_t bits;     /* logarithm of the entries in each table */
    uint32_t mask;     /* entries, less one */
    uint32_t numbers;  /* the bits of an entry that are the record number */
    uint32_t compared; /* those that are of the reference */
};

/* Logarithm of the entries for a load of at most three quarters: 12 to 32 bytes an order in both
 * tables. */
uint32_t dp_book_index_bits(uint32_t record_count);
struct dp_book_index dp_book_index_view(
    void *front, void *spill, struct dp_book_order *orders, uint32_t bits);

/* What the inline ones below do when the home of a reference does not settle it. */
uint32_t dp_book_index_find_far(const struct dp_book_index *index, uint64_t order_ref);
bool dp_book_index_room_far(
    const struct dp_book_index *index, uint64_t order_ref, uint32_t **entry);
void dp_book_index_put_far(
    const struct dp_book_index *index, uint32_t *entry, uint64_t order_ref, uint32_t number);
void dp_book_index_delete_far(
    const struct dp_book_index *index, uint64_t order_ref, uint32_t number);
/* How many the bucket of that reference has spilled. */
uint32_t dp_book_index_spilled_count(const struct dp_book_index *index, uint64_t order_ref);

/* The home of a reference: the entry that its changes begin at. */
static inline uint32_t *dp_book_index_home(const struct dp_book_index *index, uint64_t order_ref)
{
    return &index->front[(uint32_t)order_ref & index->mask];
}

/* The record of a live order, or 0. */
static inline uint32_t dp_book_index_find_at(
    const struct dp_book_index *index, const uint32_t *home, uint64_t order_ref)
{
    uint32_t number = *home & index->numbers;
    return DP_LIKELY(index->orders[number].order_ref == order_ref) && DP_LIKELY(number != 0)
        ? number
        : dp_book_index_find_far(index, order_ref);
}

static inline uint32_t dp_book_index_find(const struct dp_book_index *index, uint64_t order_ref)
{
    return dp_book_index_find_at(index, dp_book_index_home(index, order_ref), order_ref);
}

/* Where the reference is to be put, NULL for among the spilled; false when it is live. */
static inline bool dp_book_index_room_at(
    const struct dp_book_index *index, uint32_t *home, uint64_t order_ref, uint32_t **entry)
{
    *entry = home;
    return DP_LIKELY((*home & ~DP_BOOK_INDEX_COUNT) == 0) ||
        dp_book_index_room_far(index, order_ref, entry);
}

/* entry: from dp_book_index_room_at(); since then nothing was put. The record has the reference. */
static inline void dp_book_index_put_at(const struct dp_book_index *index, const uint32_t *home,
    uint32_t *entry, uint64_t order_ref, uint32_t number)
{
    if (DP_LIKELY(entry == home))
        *entry |= ((uint32_t)order_ref & index->compared) | number;
    else
        dp_book_index_put_far(index, entry, order_ref, number);
}

static inline void dp_book_index_delete_at(
    const struct dp_book_index *index, uint32_t *home, uint64_t order_ref, uint32_t number)
{
    if (DP_LIKELY((*home & index->numbers) == number))
        *home &= DP_BOOK_INDEX_AWAY | DP_BOOK_INDEX_COUNT;
    else
        dp_book_index_delete_far(index, order_ref, number);
}

#endif
