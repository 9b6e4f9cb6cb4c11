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
 *   spill[hash]       open addressing, Robin Hood order: record number, the hash is of its record
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
    uint32_t level;
    uint32_t ahead;  /* order before this one in the queue of the level */
    uint32_t behind; /* order after it; the free list of the pool */
};

static_assert(sizeof(struct dp_book_order) == 32, "two orders a cache line");
/* dp_book_ahead looks at the three together. */
static_assert(offsetof(struct dp_book_order, ahead) == offsetof(struct dp_book_order, level) + 4 &&
        offsetof(struct dp_book_order, behind) == offsetof(struct dp_book_order, level) + 8,
    "an order's neighbours stand behind its level");

/* Process-local view of an index: made on the stack where it is needed. */
struct dp_book_index {
    uint32_t *front; /* at a cache line */
    uint32_t *spill;
    struct dp_book_order *orders;
    uint32_t bits;     /* logarithm of the slots for the spilled; in front are twice as many */
    uint32_t mask;     /* entries in front, less one */
    uint32_t numbers;  /* the bits of an entry that are the record number */
    uint32_t compared; /* those that are of the reference */
};

/* Logarithm of the slots for a load of at most three quarters: 16 to 32 bytes an order in both
 * tables. */
uint32_t dp_book_index_bits(uint32_t record_count);
static inline size_t dp_book_index_front_size(uint32_t bits)
{
    return 2 * sizeof(uint32_t) << bits;
}

static inline size_t dp_book_index_spill_size(uint32_t bits)
{
    return sizeof(uint32_t) << bits;
}

struct dp_book_index dp_book_index_view(
    void *front, void *spill, struct dp_book_order *orders, uint32_t bits);

/* How many the bucket of that reference has spilled. */
uint32_t dp_book_index_spilled_count(const struct dp_book_index *index, uint64_t order_ref);

/* The home of a reference: the entry that its changes begin at. */
static inline uint32_t *dp_book_index_home(const struct dp_book_index *index, uint64_t order_ref)
{
    return &index->front[(uint32_t)order_ref & index->mask];
}

/* The record that its bucket most likely has for it, in whatever entry: to look ahead at. */
uint32_t dp_book_index_likely(const struct dp_book_index *index, uint64_t order_ref);

/* ---- those at home ---- */

/* Nobody has that home, and none of its own is elsewhere: a reference of it is not live. */
static inline bool dp_book_index_is_bare(const uint32_t *home)
{
    return DP_LIKELY((*home & ~DP_BOOK_INDEX_COUNT) == 0);
}

static inline void dp_book_index_put_home(
    const struct dp_book_index *index, uint32_t *home, uint64_t order_ref, uint32_t number)
{
    *home |= ((uint32_t)order_ref & index->compared) | number;
}

static inline void dp_book_index_delete_home(uint32_t *home)
{
    *home &= DP_BOOK_INDEX_AWAY | DP_BOOK_INDEX_COUNT;
}

/* The record of the order that is at home there, if it is that one; or 0. Of a bare home it is 0,
 * whatever record 0 has for a reference. */
static inline uint32_t dp_book_index_find_home(
    const struct dp_book_index *index, const uint32_t *home, uint64_t order_ref)
{
    uint32_t number = *home & index->numbers;
    return DP_LIKELY(index->orders[number].order_ref == order_ref) ? number : 0;
}

/* ---- all of them ---- */

/* What those below do when the home does not settle it. */
uint32_t dp_book_index_find_away(const struct dp_book_index *index, uint64_t order_ref);
bool dp_book_index_room_away(
    const struct dp_book_index *index, uint64_t order_ref, uint32_t **entry);
void dp_book_index_put_away(
    const struct dp_book_index *index, uint32_t *entry, uint64_t order_ref, uint32_t number);
void dp_book_index_delete_away(
    const struct dp_book_index *index, uint64_t order_ref, uint32_t number);

/* The record of a live order, or 0. */
static inline uint32_t dp_book_index_find(const struct dp_book_index *index, uint64_t order_ref)
{
    const uint32_t *home = dp_book_index_home(index, order_ref);
    uint32_t number = dp_book_index_find_home(index, home, order_ref);
    return DP_LIKELY(number != 0) || (*home & DP_BOOK_INDEX_AWAY) == 0
        ? number
        : dp_book_index_find_away(index, order_ref);
}

/* Where the reference is to be put, NULL for among the spilled; false when it is live. */
static inline bool dp_book_index_room(
    const struct dp_book_index *index, uint64_t order_ref, uint32_t **entry)
{
    *entry = dp_book_index_home(index, order_ref);
    return dp_book_index_is_bare(*entry) || dp_book_index_room_away(index, order_ref, entry);
}

/* entry: from dp_book_index_room(); since then nothing was put. The record has the reference. */
static inline void dp_book_index_put(
    const struct dp_book_index *index, uint32_t *entry, uint64_t order_ref, uint32_t number)
{
    uint32_t *home = dp_book_index_home(index, order_ref);
    if (DP_LIKELY(entry == home))
        dp_book_index_put_home(index, home, order_ref, number);
    else
        dp_book_index_put_away(index, entry, order_ref, number);
}

static inline void dp_book_index_delete(
    const struct dp_book_index *index, uint64_t order_ref, uint32_t number)
{
    uint32_t *home = dp_book_index_home(index, order_ref);
    if (DP_LIKELY((*home & index->numbers) == number))
        dp_book_index_delete_home(home);
    else
        dp_book_index_delete_away(index, order_ref, number);
}

#endif
