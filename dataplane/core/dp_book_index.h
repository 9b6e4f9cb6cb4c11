/*
 * dp_book_index - from an order reference to the number of its record.
 *
 * Exchanges number orders upwards, so the low bits of a reference are the best hash there is:
 * references that came together share a cache line. The front table has buckets of eight entries
 * for each eight values of those bits; a reference may stand in any entry of its bucket, found by
 * comparing all eight at once. So an order that rests while a whole table of others comes and goes
 * is in nobody's way. A bucket that is full spills what comes next into a hash table behind, and
 * counts it; only where that is not zero does anyone look there. References in any other order
 * (sparse, random, strided) cost a probe of that table, never a wrong answer.
 *
 *   front[bucket][8]  one entry:  bit 31     taken
 *                                 bit 30     of all eight together: how many the bucket has spilled
 *                                            (255: that many once)
 *                                 then       a hash of the reference, as many bits as there is room
 *                                 low bits   record number
 *   spill[hash]       open addressing, Robin Hood order: 32-bit tag, 32-bit record number
 *
 * Zeroed memory is an empty index. Writer only, plain memory.
 */
#ifndef DP_BOOK_INDEX_H
#define DP_BOOK_INDEX_H

#include "dp_base.h"

#include <immintrin.h>

#define DP_BOOK_INDEX_WAYS 8u
#define DP_BOOK_INDEX_TAKEN (1u << 31)
#define DP_BOOK_INDEX_COUNT (1u << 30)
#define DP_BOOK_INDEX_MIX 0x9e3779b97f4a7c15ull

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
    uint32_t *front; /* at a cache line */
    uint64_t *spill;
    struct dp_book_order *orders;
    uint32_t bits;     /* logarithm of the entries in each table */
    uint32_t mask;     /* entries, less one */
    uint32_t numbers;  /* the bits of an entry that are the record number */
    uint32_t compared; /* those that tell whose it is, and that it is taken */
};

/* Logarithm of the entries for a load of at most three quarters: 12 to 32 bytes an order in both
 * tables. */
uint32_t dp_book_index_bits(uint32_t record_count);
struct dp_book_index dp_book_index_view(
    void *front, void *spill, struct dp_book_order *orders, uint32_t bits);

/* Where a search for it among the spilled begins. */
uint64_t *dp_book_index_home(const struct dp_book_index *index, uint64_t order_ref);
/* The record of a live order by the long way: among the spilled, or behind one that looks alike.
 * 0 when there is none. */
uint32_t dp_book_index_find_far(const struct dp_book_index *index, uint64_t order_ref);
bool dp_book_index_room_far(
    const struct dp_book_index *index, uint64_t order_ref, uint32_t **entry);
void dp_book_index_put_spilled(
    const struct dp_book_index *index, uint64_t order_ref, uint32_t number);
void dp_book_index_delete_far(
    const struct dp_book_index *index, uint64_t order_ref, uint32_t number);

/* ---- one bucket ---- */

static inline uint32_t *dp_book_index_bucket(const struct dp_book_index *index, uint64_t order_ref)
{
    return &index->front[(uint32_t)order_ref & index->mask & ~(DP_BOOK_INDEX_WAYS - 1)];
}

/* What an entry of that reference has beside the record number. */
static inline uint32_t dp_book_index_tag(const struct dp_book_index *index, uint64_t order_ref)
{
    uint32_t mixed = (uint32_t)(order_ref * DP_BOOK_INDEX_MIX >> 32);
    return (mixed & index->compared) | DP_BOOK_INDEX_TAKEN;
}

static inline __m256i dp_book_index_load(const uint32_t *bucket)
{
    return _mm256_load_si256((const __m256i *)(const void *)bucket);
}

/* A bit for each lane whose highest bit is set. */
static inline uint32_t dp_book_index_lanes(__m256i lanes)
{
    return (uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(lanes));
}

/* A bit for each entry that may be of that reference. */
static inline uint32_t dp_book_index_matches(
    const struct dp_book_index *index, __m256i bucket, uint64_t order_ref)
{
    __m256i tags = _mm256_and_si256(bucket, _mm256_set1_epi32((int)index->compared));
    __m256i tag = _mm256_set1_epi32((int)dp_book_index_tag(index, order_ref));
    return dp_book_index_lanes(_mm256_cmpeq_epi32(tags, tag));
}

static inline uint32_t dp_book_index_spilled_count(__m256i bucket)
{
    return dp_book_index_lanes(_mm256_slli_epi32(bucket, 1));
}

/* A bit for each entry that is not taken. */
static inline uint32_t dp_book_index_rooms(__m256i bucket)
{
    return ~dp_book_index_lanes(bucket) & ((1u << DP_BOOK_INDEX_WAYS) - 1);
}

/* The entry that most likely is of that reference; when none is, the one that it will be put into.
 */
static inline uint32_t *dp_book_index_hint(
    const struct dp_book_index *index, uint32_t *bucket, uint64_t order_ref)
{
    __m256i entries = dp_book_index_load(bucket);
    uint32_t ways = dp_book_index_matches(index, entries, order_ref) |
        dp_book_index_rooms(entries) << DP_BOOK_INDEX_WAYS;
    return bucket + _tzcnt_u32(ways) % DP_BOOK_INDEX_WAYS;
}

/* ---- the index ---- */

/* The record of a live order, or 0. entry: any of the front table; the right one makes it fast. */
static inline uint32_t dp_book_index_find_at(
    const struct dp_book_index *index, const uint32_t *entry, uint64_t order_ref)
{
    uint32_t number = *entry & index->numbers;
    return DP_LIKELY(index->orders[number].order_ref == order_ref) &&
            DP_LIKELY(*entry >= DP_BOOK_INDEX_TAKEN)
        ? number
        : dp_book_index_find_far(index, order_ref);
}

static inline uint32_t *dp_book_index_entry(const struct dp_book_index *index, uint64_t order_ref)
{
    return dp_book_index_hint(index, dp_book_index_bucket(index, order_ref), order_ref);
}

static inline uint32_t dp_book_index_find(const struct dp_book_index *index, uint64_t order_ref)
{
    return dp_book_index_find_at(index, dp_book_index_entry(index, order_ref), order_ref);
}

/* Where the reference is to be put, NULL for among the spilled; false when it is live. */
static inline bool dp_book_index_room(
    const struct dp_book_index *index, uint64_t order_ref, uint32_t **entry)
{
    uint32_t *bucket = dp_book_index_bucket(index, order_ref);
    __m256i entries = dp_book_index_load(bucket);
    uint32_t rooms = dp_book_index_rooms(entries);
    if (DP_UNLIKELY((dp_book_index_matches(index, entries, order_ref) |
                        dp_book_index_spilled_count(entries)) != 0) ||
        DP_UNLIKELY(rooms == 0))
        return dp_book_index_room_far(index, order_ref, entry);
    *entry = bucket + _tzcnt_u32(rooms);
    return true;
}

/* entry: from dp_book_index_room(); since then nothing was put. The record has the reference. */
static inline void dp_book_index_put(
    const struct dp_book_index *index, uint32_t *entry, uint64_t order_ref, uint32_t number)
{
    if (DP_LIKELY(entry != NULL))
        *entry |= dp_book_index_tag(index, order_ref) | number;
    else
        dp_book_index_put_spilled(index, order_ref, number);
}

/* entry: as for dp_book_index_find_at(). */
static inline void dp_book_index_delete_at(
    const struct dp_book_index *index, uint32_t *entry, uint64_t order_ref, uint32_t number)
{
    if (DP_LIKELY((*entry & index->numbers) == number) && DP_LIKELY(*entry >= DP_BOOK_INDEX_TAKEN))
        *entry &= DP_BOOK_INDEX_COUNT;
    else
        dp_book_index_delete_far(index, order_ref, number);
}

#endif
