/*
 * dp_book_ahead - starting the memory loads of changes that are still some messages away, in four
 * steps.
 *
 *   far   knows the references and the instrument:  index entries, hot part of the book
 *   mid   reads them:                               order record, rung
 *   near  reads those:                              level, neighbours in the queue
 *   last  reads the level:                          end of its queue, next step of a walk
 *
 * Hints only: what has moved since costs a wasted load, never a wrong change. Writer only; for the
 * block path of dp_itch_apply.
 */
#ifndef DP_BOOK_AHEAD_H
#define DP_BOOK_AHEAD_H

#include "dp_book_change.h"

/* Not a matter of taste: gcc 12 takes a void function of nothing but prefetches for one without
 * effect and drops the call, unless it was inlined before that is looked at, or holds an asm. */
#define DP_BOOK_AHEAD_INLINE inline __attribute__((always_inline))
#define DP_BOOK_AHEAD_KEEP() __asm__ volatile("")

/* ---- a reference: of a resting order, or one that will be put ---- */

static DP_BOOK_AHEAD_INLINE void dp_book_ahead_ref_far(
    const struct dp_book_writer *writer, uint64_t order_ref)
{
    DP_PREFETCH_WRITE(dp_book_index_entry(&writer->index, order_ref));
}

/* Returns the order to hand to dp_book_ahead_ref_near(). */
static DP_BOOK_AHEAD_INLINE const struct dp_book_order *dp_book_ahead_ref_mid(
    const struct dp_book_writer *writer, uint64_t order_ref)
{
    const struct dp_book_order *order = dp_book_index_hint(&writer->index, order_ref);
    DP_PREFETCH_WRITE(order);
    return order;
}

static DP_BOOK_AHEAD_INLINE void dp_book_ahead_ref_near(
    const struct dp_book_writer *writer, const struct dp_book_order *order)
{
    DP_PREFETCH_WRITE(&writer->levels[dp_book_order_level(order)]);
    DP_PREFETCH_WRITE(&writer->index.orders[order->ahead]);
    DP_PREFETCH_WRITE(&writer->index.orders[order->behind]);
}

/* ---- the level of a price ---- */

static DP_BOOK_AHEAD_INLINE void dp_book_ahead_book_far(const struct dp_book *book)
{
    DP_PREFETCH_WRITE(book);
    DP_PREFETCH_WRITE(book->occupied);
}

/* The rung of that price, to be read by dp_book_ahead_price_near(). Outside the window it gives any
 * one and says so. */
static DP_BOOK_AHEAD_INLINE const uint32_t *dp_book_ahead_rung(
    const struct dp_book *book, uint32_t side_index, int64_t price_nanos, bool *is_far)
{
    int64_t rank = price_nanos ^ dp_book_flip(side_index);
    uint64_t ticks = dp_book_ladder_ticks(&book->window, side_index, rank);
    *is_far = ticks >= DP_BOOK_RUNGS;
    return (const uint32_t *)&dp_book_side(book, side_index)->rungs[ticks % DP_BOOK_RUNGS];
}

/* The bucket of a price outside the window, to be read by the same. */
static __attribute__((noinline)) const uint32_t *dp_book_ahead_bucket(
    const struct dp_book *book, uint32_t side_index, int64_t price_nanos)
{
    const struct dp_book_side *side = dp_book_side(book, side_index);
    int64_t rank = price_nanos ^ dp_book_flip(side_index);
    uint64_t bucket = dp_book_ladder_bucket(dp_book_ladder_ticks(&book->window, side_index, rank));
    DP_PREFETCH_WRITE(side->hung);
    return &side->buckets[bucket < DP_BOOK_BUCKETS ? bucket : 0];
}

/* A price that has no level yet: what opening one will touch. The next better level with orders is
 * a good guess at the next better level. */
static __attribute__((noinline)) void dp_book_ahead_open(
    const struct dp_book_writer *writer, const struct dp_book *book, const uint32_t *rung)
{
    DP_BOOK_AHEAD_KEEP();
    uint32_t side_index = (const void *)rung >= (const void *)dp_book_side(book, 1);
    const struct dp_book_side *side = dp_book_side(book, side_index);
    uint32_t at = (uint32_t)(rung - (const uint32_t *)side->rungs) % DP_BOOK_RUNGS;
    uint32_t mark = DP_BOOK_MARK(side_index, at);
    uint64_t better = dp_load_relaxed(&book->occupied[mark / 64]) & ((1ull << mark % 64) - 1);
    uint32_t step = better == 0 ? 0 : (mark % 64) - 63 + (uint32_t)__builtin_clzll(better | 1);
    DP_PREFETCH_WRITE(&writer->levels[rung[-(ptrdiff_t)step]]);
    DP_PREFETCH_WRITE(&side->list);
    DP_PREFETCH_WRITE(side->hung);
}

static DP_BOOK_AHEAD_INLINE void dp_book_ahead_price_near(
    const struct dp_book_writer *writer, const struct dp_book *book, const uint32_t *rung)
{
    if (DP_LIKELY(*rung != DP_SKIPLIST_NONE))
        DP_PREFETCH_WRITE(&writer->levels[*rung]);
    else
        dp_book_ahead_open(writer, book, rung);
}

/* The level is there: the order at the end of its queue. */
static DP_BOOK_AHEAD_INLINE void dp_book_ahead_price_last(
    const struct dp_book_writer *writer, const uint32_t *rung)
{
    DP_PREFETCH_WRITE(&writer->index.orders[writer->levels[*rung].last_order]);
}

/* The level behind the one that was prefetched there: where the walk goes next. */
static __attribute__((noinline)) void dp_book_ahead_walk(
    const struct dp_book_writer *writer, const uint32_t *bucket)
{
    const uint32_t *line = (const uint32_t *)((uintptr_t)bucket & ~(uintptr_t)(DP_CACHE_LINE - 1));
    DP_BOOK_AHEAD_KEEP();
    while (bucket > line && *bucket == DP_SKIPLIST_NONE)
        bucket--;
    DP_PREFETCH_WRITE(
        &writer->levels[(uint32_t)dp_load_relaxed(&writer->levels[*bucket].links[0])]);
}

#endif
