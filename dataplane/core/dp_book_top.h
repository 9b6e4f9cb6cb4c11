/*
 * dp_book_top - the best 64 levels of a side in one place, so that most changes find theirs without
 * touching any other.
 *
 * A copy of the front of the skip list, never ahead of it: the first `count` levels, by rank (price
 * ^ flip of the list: growing from the best outwards) and number. It may hold fewer than the list
 * has, but never none while there are some. Finding a rank compares eight at a time, a cache line,
 * and does not branch on where among them it stands. Writer only, plain memory.
 */
#ifndef DP_BOOK_TOP_H
#define DP_BOOK_TOP_H

#ifdef __AVX2__
#include <immintrin.h>
#endif

#include "dp_skiplist.h"

#define DP_BOOK_TOP_MAX 64u
#define DP_BOOK_TOP_LINE 8u
#define DP_BOOK_TOP_REFILL \
    8u /* below this many, and with more in the list, the next ones are fetched */

struct dp_book_top {
    alignas(DP_CACHE_LINE) int64_t ranks[DP_BOOK_TOP_MAX]; /* INT64_MAX behind the last */
    uint32_t levels[DP_BOOK_TOP_MAX];
};

static inline void dp_book_top_clear(struct dp_book_top *top)
{
    for (uint32_t index = 0; index < DP_BOOK_TOP_MAX; index++)
        top->ranks[index] = INT64_MAX;
}

/* How many of the eight ranks of a line are below that one: without a branch, in a dozen
 * instructions where there is AVX2. */
static inline uint32_t dp_book_top_better_in_line(const int64_t *ranks, int64_t rank)
{
#ifdef __AVX2__
    __m256i wanted = _mm256_set1_epi64x(rank);
    __m256i low = _mm256_cmpgt_epi64(wanted, _mm256_load_si256((const __m256i *)ranks));
    __m256i high = _mm256_cmpgt_epi64(wanted, _mm256_load_si256((const __m256i *)(ranks + 4)));
    /* The ranks grow: those below stand in front, and a mask of them counts by its bits. */
    return (uint32_t)__builtin_popcount((uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(low))) +
        (uint32_t)__builtin_popcount((uint32_t)_mm256_movemask_pd(_mm256_castsi256_pd(high)));
#else
    uint32_t better = 0;
    for (uint32_t index = 0; index < DP_BOOK_TOP_LINE; index++)
        better += ranks[index] < rank;
    return better;
#endif
}

/* How many levels here are better than that rank. */
static inline uint32_t dp_book_top_position(const struct dp_book_top *top, int64_t rank)
{
    uint32_t position = 0;
    while (position < DP_BOOK_TOP_MAX) {
        uint32_t better = dp_book_top_better_in_line(top->ranks + position, rank);
        position += better;
        if (DP_LIKELY(better < DP_BOOK_TOP_LINE))
            break;
    }
    return position;
}

static inline void dp_book_top_insert(
    struct dp_book_top *top, uint32_t count, uint32_t position, int64_t rank, uint32_t level)
{
    uint32_t moved = (count < DP_BOOK_TOP_MAX ? count : DP_BOOK_TOP_MAX - 1) - position;
    memmove(&top->ranks[position + 1], &top->ranks[position], moved * sizeof(top->ranks[0]));
    memmove(&top->levels[position + 1], &top->levels[position], moved * sizeof(top->levels[0]));
    top->ranks[position] = rank;
    top->levels[position] = level;
}

static inline void dp_book_top_delete(struct dp_book_top *top, uint32_t count, uint32_t position)
{
    uint32_t moved = count - 1 - position;
    memmove(&top->ranks[position], &top->ranks[position + 1], moved * sizeof(top->ranks[0]));
    memmove(&top->levels[position], &top->levels[position + 1], moved * sizeof(top->levels[0]));
    top->ranks[count - 1] = INT64_MAX;
}

/* Takes more levels from the list, once few are left; returns how many there are now. */
static inline uint32_t dp_book_top_refill(struct dp_book_top *top, uint32_t count,
    const struct dp_skiplist *list, const struct dp_skiplist_pool *pool)
{
    if (DP_LIKELY(count >= DP_BOOK_TOP_REFILL || count == list->level_count))
        return count;
    uint32_t next =
        count == 0 ? dp_skiplist_best(list) : dp_skiplist_worse(pool, top->levels[count - 1]);
    while (next != DP_SKIPLIST_NONE && count < DP_BOOK_TOP_MAX) {
        top->ranks[count] = dp_load_relaxed(&pool->levels[next].price_nanos) ^ list->flip;
        top->levels[count++] = next;
        next = dp_skiplist_worse(pool, next);
    }
    return count;
}

#endif
