/*
 * dp_book_change - the changes of dp_book.h themselves, inline: dp_book.c exports them, and the
 * block path of dp_itch_apply takes them in whole. Nobody else includes this.
 */
#ifndef DP_BOOK_CHANGE_H
#define DP_BOOK_CHANGE_H

#include "dp_book_layout.h"

/* In dp_book.c: one change in three opens or closes a level, so they stay out of the way of the
 * others. position: where the price stands in the top of the side. */
uint32_t dp_book_open_level(struct dp_books *books, struct dp_book *book, uint32_t side_index,
    int64_t price_nanos, uint32_t position);
void dp_book_close_level(struct dp_books *books, uint32_t number);

/* ---- publishing: see dp_book_layout.h for the argument ---- */

static inline void dp_book_begin_change(struct dp_book *book)
{
    dp_store_relaxed(&book->sequence, dp_load_relaxed(&book->sequence) + 1);
}

static inline void dp_book_end_change(struct dp_book *book, int64_t time_ns)
{
    dp_store_release(&book->time_ns, time_ns);
    /* Release: a reader that sees the even number sees the whole change. */
    dp_store_release(&book->sequence, dp_load_relaxed(&book->sequence) + 1);
}

/* ---- records ---- */

static inline bool dp_book_orders_are_full(const struct dp_books *books)
{
    return books->order_live_count == books->config.order_count_max;
}

static inline uint32_t dp_book_take_order(struct dp_books *books)
{
    uint32_t number = books->order_free_first;
    if (number != 0)
        books->order_free_first = dp_books_orders(books)[number].behind;
    else
        number = ++books->order_used;
    books->order_live_count++;
    return number;
}

static inline void dp_book_give_order(struct dp_books *books, uint32_t number)
{
    dp_books_orders(books)[number].behind = books->order_free_first;
    books->order_free_first = number;
    books->order_live_count--;
}

static inline struct dp_book *dp_book_of_level(
    struct dp_books *books, const struct dp_skiplist_level *level)
{
    return &books->book[level->instrument_index];
}

/* ---- queues ---- */

static inline void dp_book_change_level(
    struct dp_skiplist_level *level, uint64_t qty_change, uint32_t count_change)
{
    dp_store_release(&level->qty, dp_load_relaxed(&level->qty) + qty_change);
    dp_store_release(&level->order_count, dp_load_relaxed(&level->order_count) + count_change);
}

/* Here and below an end of a queue writes to record 0, which nobody reads: whether an order has
 * neighbours is a branch that the processor would guess wrong every third time. */
static inline void dp_book_join_queue(
    struct dp_books *books, uint32_t number, uint32_t level_number)
{
    struct dp_book_order *orders = dp_books_orders(books);
    struct dp_skiplist_level *level = &dp_books_pool(books)->levels[level_number];
    struct dp_book_order *order = &orders[number];

    order->priority = books->priority_next++;
    order->level = level_number;
    order->ahead = level->last_order;
    order->behind = 0;
    orders[level->last_order].behind = number;
    level->first_order = level->last_order == 0 ? number : level->first_order;
    level->last_order = number;
    dp_book_change_level(level, order->qty, 1);
}

/* Takes the order out of its queue, and the level out of the book when it was the last one. */
static inline void dp_book_leave_queue(struct dp_books *books, const struct dp_book_order *order)
{
    struct dp_book_order *orders = dp_books_orders(books);
    struct dp_skiplist_level *level = &dp_books_pool(books)->levels[order->level];
    uint32_t ahead = order->ahead;
    uint32_t behind = order->behind;

    if ((ahead | behind) == 0) {
        dp_book_close_level(books, order->level);
        return;
    }
    orders[ahead].behind = behind;
    orders[behind].ahead = ahead;
    level->first_order = ahead == 0 ? behind : level->first_order;
    level->last_order = behind == 0 ? ahead : level->last_order;
    dp_book_change_level(level, -(uint64_t)order->qty, UINT32_MAX);
}

static inline void dp_book_remove_order(struct dp_books *books, uint32_t slot, uint32_t number)
{
    struct dp_book_index index = dp_books_order_index(books);
    dp_book_leave_queue(books, &dp_books_orders(books)[number]);
    dp_book_index_delete(&index, slot);
    dp_book_give_order(books, number);
}

/* ---- the writer ---- */

static inline bool dp_book_is_legal(uint64_t qty, int64_t price_nanos)
{
    return qty - 1 < DP_BOOK_QTY_MAX && price_nanos > 0 && price_nanos != DP_PRICE_NONE;
}

static inline enum dp_book_result dp_book_change_add(struct dp_books *books,
    uint32_t instrument_index, uint64_t order_ref, enum dp_side side, uint64_t qty,
    int64_t price_nanos, int64_t time_ns)
{
    if (DP_UNLIKELY(!dp_book_is_open_inline(books, instrument_index) ||
            !dp_book_is_legal(qty, price_nanos) || (side != DP_SIDE_BUY && side != DP_SIDE_SELL)))
        return DP_BOOK_INVALID;
    uint32_t tag = dp_book_ref_tag(order_ref);
    uint32_t slot;
    if (DP_UNLIKELY(dp_book_find_order(books, order_ref, tag, &slot)))
        return DP_BOOK_DUPLICATE_ORDER;
    struct dp_book *book = &books->book[instrument_index];
    uint32_t position;
    uint32_t level =
        dp_book_find_level(books, book, dp_book_side_index(side), price_nanos, &position);
    if (DP_UNLIKELY(dp_book_orders_are_full(books) ||
            (level == DP_SKIPLIST_NONE && dp_skiplist_pool_is_full(dp_books_pool(books)))))
        return DP_BOOK_FULL;

    struct dp_book_index index = dp_books_order_index(books);
    uint32_t number = dp_book_take_order(books);
    struct dp_book_order *order = &dp_books_orders(books)[number];
    order->order_ref = order_ref;
    order->qty = (uint32_t)qty;
    dp_book_index_put_at(&index, slot, tag, number);
    dp_book_begin_change(book);
    if (level == DP_SKIPLIST_NONE)
        level = dp_book_open_level(books, book, dp_book_side_index(side), price_nanos, position);
    dp_book_join_queue(books, number, level);
    dp_book_end_change(book, time_ns);
    return DP_BOOK_OK;
}

static inline enum dp_book_result dp_book_change_reduce(
    struct dp_books *books, uint64_t order_ref, uint64_t qty, int64_t time_ns)
{
    uint32_t slot = dp_book_order_slot(books, order_ref);
    if (DP_UNLIKELY(slot == DP_BOOK_NONE))
        return DP_BOOK_UNKNOWN_ORDER;
    struct dp_book_index index = dp_books_order_index(books);
    uint32_t number = dp_book_index_record(&index, slot);
    struct dp_book_order *order = &dp_books_orders(books)[number];
    if (DP_UNLIKELY(qty > order->qty))
        return DP_BOOK_OVER_REDUCTION;

    struct dp_skiplist_level *level = &dp_books_pool(books)->levels[order->level];
    struct dp_book *book = dp_book_of_level(books, level);
    dp_book_begin_change(book);
    if (qty == order->qty) {
        dp_book_remove_order(books, slot, number);
    } else {
        order->qty -= (uint32_t)qty;
        dp_book_change_level(level, -qty, 0);
    }
    dp_book_end_change(book, time_ns);
    return DP_BOOK_OK;
}

static inline enum dp_book_result dp_book_change_remove(
    struct dp_books *books, uint64_t order_ref, int64_t time_ns)
{
    uint32_t slot = dp_book_order_slot(books, order_ref);
    if (DP_UNLIKELY(slot == DP_BOOK_NONE))
        return DP_BOOK_UNKNOWN_ORDER;
    struct dp_book_index index = dp_books_order_index(books);
    uint32_t number = dp_book_index_record(&index, slot);
    uint32_t level = dp_books_orders(books)[number].level;
    struct dp_book *book = dp_book_of_level(books, &dp_books_pool(books)->levels[level]);

    dp_book_begin_change(book);
    dp_book_remove_order(books, slot, number);
    dp_book_end_change(book, time_ns);
    return DP_BOOK_OK;
}

/* Whether an order of this level can move to that price: a level is there, or free, or freed by the
 * move. */
static inline bool dp_book_can_move(
    const struct dp_books *books, const struct dp_skiplist_level *level, int64_t price_nanos)
{
    uint32_t position;
    return !dp_skiplist_pool_is_full(dp_books_pool(books)) ||
        dp_load_relaxed(&level->order_count) == 1 ||
        dp_book_find_level(books, &books->book[level->instrument_index],
            dp_book_side_index(level->side), price_nanos, &position) != DP_SKIPLIST_NONE;
}

static inline enum dp_book_result dp_book_change_replace(struct dp_books *books, uint64_t order_ref,
    uint64_t new_order_ref, uint64_t qty, int64_t price_nanos, int64_t time_ns)
{
    uint32_t slot = dp_book_order_slot(books, order_ref);
    if (DP_UNLIKELY(slot == DP_BOOK_NONE))
        return DP_BOOK_UNKNOWN_ORDER;
    if (DP_UNLIKELY(!dp_book_is_legal(qty, price_nanos)))
        return DP_BOOK_INVALID;
    if (DP_UNLIKELY(dp_book_order_slot(books, new_order_ref) != DP_BOOK_NONE))
        return DP_BOOK_DUPLICATE_ORDER;
    struct dp_book_index index = dp_books_order_index(books);
    uint32_t number = dp_book_index_record(&index, slot);
    struct dp_book_order *order = &dp_books_orders(books)[number];
    const struct dp_skiplist_level *level = &dp_books_pool(books)->levels[order->level];
    if (DP_UNLIKELY(!dp_book_can_move(books, level, price_nanos)))
        return DP_BOOK_FULL;

    /* The level may be gone once the order has left it. */
    uint32_t side_index = dp_book_side_index(level->side);
    struct dp_book *book = &books->book[level->instrument_index];
    dp_book_begin_change(book);
    dp_book_leave_queue(books, order);
    dp_book_index_delete(&index, slot);
    dp_book_index_put(&index, dp_book_ref_tag(new_order_ref), number);
    order->order_ref = new_order_ref;
    order->qty = (uint32_t)qty;
    uint32_t position;
    uint32_t target = dp_book_find_level(books, book, side_index, price_nanos, &position);
    if (target == DP_SKIPLIST_NONE)
        target = dp_book_open_level(books, book, side_index, price_nanos, position);
    dp_book_join_queue(books, number, target);
    dp_book_end_change(book, time_ns);
    return DP_BOOK_OK;
}

#endif
