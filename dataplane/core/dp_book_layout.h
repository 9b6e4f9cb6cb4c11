/*
 * dp_book_layout - how the books lie in memory. For dp_book*.c and their tests only.
 *
 *   struct dp_books | books (one an instrument) | orders | order slots | level pool
 *
 * Record 0 of orders and levels is never used, so a zero is "none" everywhere. Memory of a pool is
 * touched only as far as it was ever in use. Bytes: 48 to 64 an order (32 and 2 to 4 slots of 8),
 * 128 a level, 1,728 an instrument.
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
#include "dp_book_top.h"
#include "dp_skiplist.h"

#define DP_BOOK_PUBLIC_FLAGS 0xffu
#define DP_BOOK_OPERATIONAL_HALT 0x100u /* private bit of the flags word */

struct dp_book_order {
    uint64_t order_ref;
    uint64_t priority;
    uint32_t qty;
    uint32_t level;
    uint32_t ahead;  /* order before this one in the queue of the level */
    uint32_t behind; /* order after it; the free list of the pool */
};

static_assert(sizeof(struct dp_book_order) == 32, "two orders a cache line");

struct dp_book {
    alignas(
        DP_CACHE_LINE) _Atomic uint64_t sequence; /* twice the changes, plus one during a change */
    _Atomic int64_t time_ns;
    _Atomic uint64_t symbol; /* the 8 bytes as they are on the wire */
    _Atomic uint32_t flags;
    _Atomic uint32_t trading_state;
    _Atomic uint32_t is_open;
    uint8_t top_counts[2]; /* writer only: levels in each top */
    uint16_t reserved;
    struct dp_skiplist sides[2]; /* bid, ask */
    struct dp_book_top tops[2];  /* writer only */
};

static_assert(sizeof(struct dp_book) == 1728, "at most 4,096 bytes an instrument");

struct dp_books {
    alignas(DP_CACHE_LINE) struct dp_books_config config;
    uint32_t order_bits; /* log2 of slots */
    uint64_t orders_offset;
    uint64_t order_slots_offset;
    uint64_t pool_offset;
    alignas(DP_CACHE_LINE) uint64_t priority_next; /* writer only from here on */
    uint32_t order_used;                           /* highest order record ever handed out */
    uint32_t order_free_first;
    uint32_t order_live_count;
    _Atomic uint32_t instrument_count;
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
    return (struct dp_book_index){dp_books_at(books, books->order_slots_offset), books->order_bits};
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

/* The same as the side's list has, without touching its memory. */
static inline int64_t dp_book_side_flip(uint32_t side_index)
{
    return (int64_t)side_index - 1;
}

/* Whether the order rests; *slot is where its entry is, or would go. */
static inline bool dp_book_find_order(
    const struct dp_books *books, uint64_t order_ref, uint32_t tag, uint32_t *slot)
{
    struct dp_book_index index = dp_books_order_index(books);
    const struct dp_book_order *orders = dp_books_orders(books);
    uint32_t at = dp_book_index_home(tag, index.bits);
    bool found = false;

    for (uint32_t distance = 0; !dp_book_index_ends(&index, at, distance); distance++) {
        uint64_t entry = index.slots[at];
        found = entry >> 32 == tag && orders[(uint32_t)entry].order_ref == order_ref;
        if (found)
            break;
        at = (at + 1) & ((1u << index.bits) - 1);
    }
    *slot = at;
    return found;
}

/* Slot of a resting order, or DP_BOOK_NONE. */
static inline uint32_t dp_book_order_slot(const struct dp_books *books, uint64_t order_ref)
{
    uint32_t slot;
    return dp_book_find_order(books, order_ref, dp_book_ref_tag(order_ref), &slot) ? slot
                                                                                   : DP_BOOK_NONE;
}

/* The level of that side and price, or DP_SKIPLIST_NONE. *position: where it stands or would stand
 * in the top. */
static inline uint32_t dp_book_find_level(const struct dp_books *books, const struct dp_book *book,
    uint32_t side_index, int64_t price_nanos, uint32_t *position)
{
    const struct dp_book_top *top = &book->tops[side_index];
    const struct dp_skiplist *list = &book->sides[side_index];
    uint32_t count = book->top_counts[side_index];
    int64_t rank = price_nanos ^ dp_book_side_flip(side_index);
    *position = dp_book_top_position(top, rank);
    if (DP_LIKELY(*position < count))
        return top->ranks[*position] == rank ? top->levels[*position] : DP_SKIPLIST_NONE;
    if (count == list->level_count)
        return DP_SKIPLIST_NONE;
    return dp_skiplist_find(list, dp_books_pool(books), price_nanos);
}

static inline uint32_t dp_book_index_record(const struct dp_book_index *index, uint32_t slot)
{
    return (uint32_t)index->slots[slot];
}

#endif
