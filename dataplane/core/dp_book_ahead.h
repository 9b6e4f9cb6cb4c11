/*
 * dp_book_ahead - starting the memory loads of changes that are still some messages away, in three steps.
 *
 *   far   knows the reference and the instrument:  hash slot, book, best levels of the side
 *   mid   reads them:                              order record, or the level an add will join
 *   near  reads the order, or the level:           its level and its neighbours in the queue
 *
 * Hints only: a slot that has moved since costs a wasted load, never a wrong change. No step branches on the kind of the
 * message, because that is what the processor guesses wrong. Writer only; for dp_itch_apply.
 */
#ifndef DP_BOOK_AHEAD_H
#define DP_BOOK_AHEAD_H

#include "dp_book_layout.h"

/* Not a matter of taste: gcc 12 takes a void function of nothing but prefetches for one without effect and drops the
 * call, unless it was inlined before that is looked at. */
#define DP_BOOK_AHEAD_INLINE static inline __attribute__((always_inline))

struct dp_book_ahead {
    uint32_t order_slot;
    uint32_t instrument_index;
    uint32_t side_index; /* of an add */
    uint32_t is_add;     /* all ones or zero */
    uint32_t level;      /* that an add will join, known from the middle on; 0 when it will open one */
};

DP_BOOK_AHEAD_INLINE struct dp_book_ahead dp_book_ahead_far(const struct dp_books *books,
    uint32_t instrument_index, uint64_t order_ref, bool is_add, enum dp_side side)
{
    struct dp_book_index orders = dp_books_order_index(books);
    struct dp_book_ahead ahead = {
        .order_slot = dp_book_index_home(dp_book_ref_tag(order_ref), orders.bits),
        .instrument_index = instrument_index,
        .side_index = side == DP_SIDE_SELL,
        .is_add = -(uint32_t)is_add,
    };
    const struct dp_book *book = &books->book[instrument_index];
    /* The side of anything but an add is not known yet: then the first line again. */
    size_t top_offset = offsetof(struct dp_book, tops) + ahead.side_index * sizeof(struct dp_book_top);
    const uint8_t *top = (const uint8_t *)book + (top_offset & ahead.is_add);
    DP_PREFETCH_WRITE(&orders.slots[ahead.order_slot]);
    DP_PREFETCH_WRITE(book);
    DP_PREFETCH_WRITE(top);
    DP_PREFETCH_WRITE(top + (offsetof(struct dp_book_top, levels) & ahead.is_add));
    return ahead;
}

DP_BOOK_AHEAD_INLINE void dp_book_ahead_mid(
    const struct dp_books *books, struct dp_book_ahead *ahead, int64_t price_nanos)
{
    struct dp_book_index orders = dp_books_order_index(books);
    const struct dp_book_top *top = &books->book[ahead->instrument_index].tops[ahead->side_index];
    uint32_t order = dp_book_index_record(&orders, ahead->order_slot);
    uint32_t position = dp_book_top_better_in_line(
        top->ranks, price_nanos ^ dp_book_side_flip(ahead->side_index));
    ahead->level = top->levels[position] & ahead->is_add;
    DP_PREFETCH_WRITE(&dp_books_orders(books)[order]);
    DP_PREFETCH_WRITE(&dp_books_pool(books)->levels[ahead->level]);
}

DP_BOOK_AHEAD_INLINE void dp_book_ahead_near(const struct dp_books *books, const struct dp_book_ahead *ahead)
{
    struct dp_book_index orders = dp_books_order_index(books);
    const struct dp_book_order *order =
        &dp_books_orders(books)[dp_book_index_record(&orders, ahead->order_slot)];
    const struct dp_skiplist_level *levels = dp_books_pool(books)->levels;
    uint32_t neighbour = order->ahead & ~ahead->is_add;
    DP_PREFETCH_WRITE(&dp_books_orders(books)[neighbour | levels[ahead->level].last_order]);
    DP_PREFETCH_WRITE(&dp_books_orders(books)[order->behind & ~ahead->is_add]);
    DP_PREFETCH_WRITE(&levels[order->level & ~ahead->is_add]);
}

#endif
