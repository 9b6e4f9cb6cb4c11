/*
 * dp_book_ahead - starting the memory loads of changes that are still some messages away, in four
 * steps.
 *
 *   far   knows the references and the instrument:  entry in the index, hot part of the book
 *   mid   reads them:                               order record, or rung
 *   near  reads that:                               level, neighbours in the queue
 *   last  reads the level:                          end of its queue
 *
 * A level is looked for by the word that names it: of an order, or of a rung. Behind that, nothing
 * differs between what comes and what goes. What most changes need is inline and without branches.
 * What few need is out of line: levels to be opened, prices outside the window, moves. Orders that
 * are not at home in the index are not looked ahead at. Hints only: what has moved since costs a
 * wasted load, never a wrong change. Writer only; for the block path of dp_itch_apply.
 */
#ifndef DP_BOOK_AHEAD_H
#define DP_BOOK_AHEAD_H

#include "dp_book_change.h"

/* Not a matter of taste: gcc 12 takes a void function of nothing but prefetches for one without
 * effect and drops the call, unless it was inlined before that is looked at, or holds an asm. */
#define DP_BOOK_AHEAD_INLINE inline __attribute__((always_inline))
#define DP_BOOK_AHEAD_RARE __attribute__((noinline))
#define DP_BOOK_AHEAD_KEEP() __asm__ volatile("")

/* The word of the order that is at home there: a level like any other when nobody is. */
static DP_BOOK_AHEAD_INLINE const uint32_t *dp_book_ahead_order(
    const struct dp_book_writer *writer, const uint32_t *home)
{
    return &writer->index.orders[*home & writer->index.numbers].level;
}

static DP_BOOK_AHEAD_INLINE void dp_book_ahead_book(const struct dp_book *book)
{
    DP_PREFETCH_WRITE(book);
    DP_PREFETCH_WRITE(book->occupied);
}

/* Ticks from rung 0: outside the window when DP_BOOK_RUNGS or above. */
static DP_BOOK_AHEAD_INLINE uint64_t dp_book_ahead_ticks(
    const struct dp_book *book, uint32_t side_index, int64_t price_nanos)
{
    return dp_book_ladder_ticks(&book->window, side_index, price_nanos ^ dp_book_flip(side_index));
}

/* The rung of a price, to be prefetched and read a step later; some rung, if it has none. */
static DP_BOOK_AHEAD_INLINE const uint32_t *dp_book_ahead_rung(
    const struct dp_book *book, uint32_t side_index, uint64_t ticks)
{
    return (const uint32_t *)dp_book_rung(book, side_index, ticks % DP_BOOK_RUNGS);
}

/* In its place for a price outside the window: the bucket. */
static DP_BOOK_AHEAD_RARE const uint32_t *dp_book_ahead_bucket(
    const struct dp_book *book, uint32_t side_index, uint64_t ticks)
{
    const struct dp_book_side *side = dp_book_side(book, side_index);
    uint64_t bucket = dp_book_ladder_bucket(ticks);
    DP_PREFETCH_WRITE(&side->list);
    DP_PREFETCH_WRITE(side->hung);
    return &side->buckets[bucket < DP_BOOK_BUCKETS ? bucket : 0];
}

static DP_BOOK_AHEAD_INLINE void dp_book_ahead_level(
    const struct dp_book_writer *writer, const uint32_t *word)
{
    DP_PREFETCH_WRITE(&writer->levels[*word]);
}

/* The end of its queue, when that level is there. */
static DP_BOOK_AHEAD_INLINE void dp_book_ahead_last(
    const struct dp_book_writer *writer, const uint32_t *word)
{
    DP_PREFETCH_WRITE(&writer->index.orders[writer->levels[*word].last_order]);
}

/* Those before and behind an order in its queue, of the word of an order; mask: all bits, or none
 * for a word that is none. */
static DP_BOOK_AHEAD_INLINE void dp_book_ahead_neighbours(
    const struct dp_book_writer *writer, const uint32_t *word, uint32_t mask)
{
    DP_PREFETCH_WRITE(&writer->index.orders[word[1] & mask]);
    DP_PREFETCH_WRITE(&writer->index.orders[word[2] & mask]);
}

/* The rung is bare: what opening a level there will touch, in two steps. */
static DP_BOOK_AHEAD_RARE void dp_book_ahead_open_near(
    const struct dp_book *book, uint32_t side_index)
{
    const struct dp_book_side *side = dp_book_side(book, side_index);
    DP_BOOK_AHEAD_KEEP();
    DP_PREFETCH_WRITE(&side->list);
    DP_PREFETCH_WRITE(side->hung);
}

static DP_BOOK_AHEAD_RARE void dp_book_ahead_open_last(const struct dp_book_writer *writer,
    const struct dp_book *book, uint32_t side_index, const uint32_t *rung)
{
    size_t at = (size_t)(rung - (const uint32_t *)dp_book_rung(book, side_index, 0)) / 2;
    uint32_t better = dp_book_side_better_rung(dp_book_side(book, side_index), at % DP_BOOK_RUNGS);
    DP_BOOK_AHEAD_KEEP();
    if (DP_LIKELY(better < DP_BOOK_RUNGS))
        DP_PREFETCH_WRITE(&writer->levels[dp_load_relaxed(dp_book_rung(book, side_index, better))]);
}

/* Where the walk from a bucket goes behind its first level. */
static DP_BOOK_AHEAD_RARE void dp_book_ahead_walk(
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
