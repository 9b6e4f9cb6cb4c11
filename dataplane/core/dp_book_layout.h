/*
 * dp_book_layout - how the books lie in memory. For dp_book*.c and their tests only.
 *
 *   struct dp_books | books | depths (one of each an instrument) | orders | front | spill | levels
 *
 * Record 0 of orders and levels is never used, so a zero is "none" everywhere. Memory of a pool is
 * touched only as far as it was ever in use. Bytes: 48 to 64 an order (32, and 1.3 to 2.7 times 12
 * in the index), 88 a level, 4,032 an instrument.
 *
 * Readers use struct dp_book's atomic fields, the lists and the levels; the rest belongs to the
 * writer. A book is guarded by its sequence number (a seqlock): odd while the writer is in the
 * middle of a change. Every store to shared fields between is a release and every load an acquire:
 * a reader that got a value of an unfinished change therefore finds the sequence moved when it
 * looks again. This is the fence-free form, which ThreadSanitizer understands; on x86 both are
 * plain moves.
 */
#ifndef DP_BOOK_LAYOUT_H
#define DP_BOOK_LAYOUT_H

#include "dp_book.h"
#include "dp_book_index.h"
#include "dp_book_ladder.h"
#include "dp_skiplist.h"

#define DP_BOOK_PUBLIC_FLAGS 0xffu
#define DP_BOOK_OPERATIONAL_HALT 0x100u /* private bit of the flags word */

struct dp_books {
    alignas(DP_CACHE_LINE) struct dp_books_config config;
    uint32_t index_bits;
    uint64_t depths_offset;
    uint64_t orders_offset;
    uint64_t front_offset;
    uint64_t spill_offset;
    uint64_t pool_offset;
    _Atomic uint64_t writer_id;
    alignas(DP_CACHE_LINE) uint64_t priority_next; /* writer only from here on */
    uint32_t order_used;                           /* highest order record ever handed out */
    uint32_t order_free_first;
    uint32_t order_live_count;
    _Atomic uint32_t instrument_count;
    uint32_t sweep_next; /* the instrument whose empty levels go next */
    alignas(DP_CACHE_LINE) struct dp_book book[];
};

static inline void *dp_books_at(const struct dp_books *books, uint64_t offset)
{
    return (uint8_t *)(uintptr_t)books + offset;
}

static inline struct dp_book_order *dp_books_orders(const struct dp_books *books)
{
    return dp_books_at(books, books->orders_offset);
}

static inline struct dp_skiplist_pool *dp_books_pool(const struct dp_books *books)
{
    return dp_books_at(books, books->pool_offset);
}

static inline struct dp_book_index dp_books_order_index(const struct dp_books *books)
{
    return dp_book_index_view(dp_books_at(books, books->front_offset),
        dp_books_at(books, books->spill_offset), dp_books_orders(books), books->index_bits);
}

/* The level at that price, maybe an empty one, or DP_SKIPLIST_NONE. *before: the next better one,
 * or DP_BOOK_BEFORE_UNKNOWN. */
static inline uint32_t dp_book_find_level(const struct dp_book *book, uint32_t side_index,
    const struct dp_skiplist_pool *pool, int64_t price_nanos, uint32_t *before)
{
    int64_t rank = price_nanos ^ dp_book_flip(side_index);
    uint64_t rung = dp_book_ladder_rung(&book->window, side_index, rank);
    *before = DP_BOOK_BEFORE_UNKNOWN;
    return DP_LIKELY(rung < DP_BOOK_RUNGS)
        ? dp_load_relaxed(dp_book_rung(book, side_index, rung))
        : dp_book_side_find_far(book, side_index, pool, price_nanos, before);
}

static inline uint32_t dp_book_side_index(enum dp_side side)
{
    return side - DP_SIDE_BUY;
}

static inline bool dp_book_is_open_inline(const struct dp_books *books, uint32_t instrument_index)
{
    return instrument_index < books->config.instrument_count_max &&
        dp_load_acquire(&books->book[instrument_index].is_open) != 0;
}

/* That level, or the next worse one that has orders; DP_SKIPLIST_NONE behind the last. The writer's
 * own walk: dp_book_first_level(), then dp_book_skip_empty() of what is worse. */
static inline uint32_t dp_book_skip_empty(const struct dp_skiplist_pool *pool, uint32_t level)
{
    while (level != DP_SKIPLIST_NONE && dp_load_relaxed(&pool->levels[level].order_count) == 0)
        level = dp_skiplist_worse(pool, level);
    return level;
}

static inline uint32_t dp_book_first_level(
    const struct dp_books *books, uint32_t instrument_index, uint32_t side_index)
{
    return dp_book_is_open_inline(books, instrument_index)
        ? dp_book_skip_empty(
              dp_books_pool(books), dp_book_side_first(&books->book[instrument_index], side_index))
        : DP_SKIPLIST_NONE;
}

/* ---- publishing: the argument stands above ---- */

/* Returns the sequence number, odd now. */
static inline uint64_t dp_book_begin_change(struct dp_book *book)
{
    uint64_t sequence = dp_load_relaxed(&book->sequence) + 1;
    dp_store_relaxed(&book->sequence, sequence);
    return sequence;
}

/* The book's time stays: nothing happened at the exchange. */
static inline void dp_book_end_change_untimed(struct dp_book *book, uint64_t sequence)
{
    /* Release: a reader that sees the even number sees the whole change. */
    dp_store_release(&book->sequence, sequence + 1);
}

static inline void dp_book_end_change(struct dp_book *book, uint64_t sequence, int64_t time_ns)
{
    dp_store_release(&book->time_ns, time_ns);
    dp_book_end_change_untimed(book, sequence);
}

#endif
