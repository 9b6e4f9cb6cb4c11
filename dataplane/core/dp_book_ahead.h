/*
 * dp_book_ahead - starting the memory loads of changes that are still some messages away, in three
 * steps.
 *
 *   far   knows the reference and the instrument:  hash slot, book, best levels of the side
 *   mid   reads them:                              order record, or the level an add will join
 *   near  reads the order, or the level:           its level and its neighbours in the queue
 *
 * Hints only: what has moved since costs a wasted load, never a wrong change. No step branches on
 * the kind of the message, because that is what the processor guesses wrong. Writer only; for the
 * block path of dp_itch_apply.
 */
#ifndef DP_BOOK_AHEAD_H
#define DP_BOOK_AHEAD_H

#include "dp_book_layout.h"

/* Not a matter of taste: gcc 12 takes a void function of nothing but prefetches for one without
 * effect and drops the call, unless it was inlined before that is looked at. */
#define DP_BOOK_AHEAD_INLINE static inline __attribute__((always_inline))

/* Where things are, worked out once for many messages. */
struct dp_book_ahead {
    const struct dp_book *book;
    const uint64_t *slots;
    const struct dp_book_order *orders;
    const struct dp_skiplist_level *levels;
    uint32_t slot_bits;
    uint32_t instrument_count;
    struct dp_book_top no_top; /* stands in where a message is no add */
};

/* One message on its way. */
struct dp_book_hint {
    const struct dp_book_top *top; /* of the side an add will join */
    int64_t rank;                  /* of its price there */
    uint32_t slot;                 /* home of its order reference */
    uint32_t not_add;              /* all ones, zero for an add */
    uint32_t order;
    uint32_t level;
};

static inline void dp_book_ahead_init(struct dp_book_ahead *ahead, const struct dp_books *books)
{
    *ahead = (struct dp_book_ahead){
        .book = books->book,
        .slots = dp_books_order_index(books).slots,
        .orders = dp_books_orders(books),
        .levels = dp_books_pool(books)->levels,
        .slot_bits = books->order_bits,
        .instrument_count = books->config.instrument_count_max,
    };
}

/* side_index and price_nanos count for an add only. */
DP_BOOK_AHEAD_INLINE void dp_book_ahead_far(const struct dp_book_ahead *ahead,
    struct dp_book_hint *hint, uint32_t instrument_index, uint64_t order_ref, bool is_add,
    uint32_t side_index, int64_t price_nanos)
{
    const struct dp_book *book =
        &ahead->book[instrument_index < ahead->instrument_count ? instrument_index : 0];
    uintptr_t add_mask = -(uintptr_t)is_add;
    hint->top = (const struct dp_book_top *)(((uintptr_t)&book->tops[side_index] & add_mask) |
        ((uintptr_t)&ahead->no_top & ~add_mask));
    hint->rank = price_nanos ^ dp_book_side_flip(side_index);
    hint->slot = dp_book_index_home(dp_book_ref_tag(order_ref), ahead->slot_bits);
    hint->not_add = (uint32_t)~add_mask;
    DP_PREFETCH_WRITE(&ahead->slots[hint->slot]);
    DP_PREFETCH_WRITE(book);
    DP_PREFETCH_WRITE(hint->top->ranks);
    DP_PREFETCH_WRITE(hint->top->levels);
}

DP_BOOK_AHEAD_INLINE void dp_book_ahead_mid(
    const struct dp_book_ahead *ahead, struct dp_book_hint *hint)
{
    hint->order = (uint32_t)ahead->slots[hint->slot] & hint->not_add;
    hint->level = hint->top->levels[dp_book_top_better_in_line(hint->top->ranks, hint->rank)];
    DP_PREFETCH_WRITE(&ahead->orders[hint->order]);
    DP_PREFETCH_WRITE(&ahead->levels[hint->level]);
}

DP_BOOK_AHEAD_INLINE void dp_book_ahead_near(
    const struct dp_book_ahead *ahead, const struct dp_book_hint *hint)
{
    const struct dp_book_order *order = &ahead->orders[hint->order];
    DP_PREFETCH_WRITE(&ahead->levels[order->level]);
    DP_PREFETCH_WRITE(&ahead->orders[order->ahead]);
    DP_PREFETCH_WRITE(&ahead->orders[order->behind]);
    DP_PREFETCH_WRITE(&ahead->orders[ahead->levels[hint->level].last_order]);
}

#endif
