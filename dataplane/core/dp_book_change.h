/*
 * dp_book_change - the changes of dp_book.h themselves, inline: dp_book.c exports them, and the
 * block path of dp_itch_apply takes them in whole. Nobody else includes this.
 */
#ifndef DP_BOOK_CHANGE_H
#define DP_BOOK_CHANGE_H

#include "dp_book_layout.h"

/* Where things are, worked out once for one change or for many. On the stack of the writer. */
struct dp_book_writer {
    struct dp_books *books;
    struct dp_skiplist_level *levels;
    struct dp_book_index index;
    uint32_t instrument_count;
};

static inline struct dp_book_writer dp_book_writer(struct dp_books *books)
{
    return (struct dp_book_writer){
        .books = books,
        .levels = dp_books_pool(books)->levels,
        .index = dp_books_order_index(books),
        .instrument_count = books->config.instrument_count_max,
    };
}

/* In dp_book.c, out of the way of the changes that only join or leave a level. */
uint32_t dp_book_open_level(const struct dp_book_writer *writer, struct dp_book *book,
    uint32_t side_index, int64_t price_nanos, uint32_t before);
void dp_book_close_level(const struct dp_book_writer *writer, struct dp_book *book, uint32_t place);
/* Makes room for a level by closing empty ones, of any book; false: all hold orders. */
bool dp_book_make_level_room(const struct dp_book_writer *writer);
/* The same, at little cost while there is room. *before may be one of those that went. */
static inline bool dp_book_has_level_room(const struct dp_book_writer *writer, uint32_t *before)
{
    if (DP_LIKELY(!dp_skiplist_pool_is_full(dp_books_pool(writer->books))))
        return true;
    *before = DP_BOOK_BEFORE_UNKNOWN;
    return dp_book_make_level_room(writer);
}

/* ---- records ---- */

static inline bool dp_book_orders_are_full(const struct dp_books *books)
{
    return DP_UNLIKELY(books->order_free_first == 0) &&
        books->order_used == books->config.order_count_max;
}

static inline uint32_t dp_book_take_order(const struct dp_book_writer *writer)
{
    struct dp_books *books = writer->books;
    uint32_t number = books->order_free_first;
    if (DP_LIKELY(number != 0))
        books->order_free_first = writer->index.orders[number].behind;
    else
        number = ++books->order_used;
    DP_PREFETCH_WRITE(&writer->index.orders[books->order_free_first]); /* the next one's */
    books->order_live_count++;
    return number;
}

static inline void dp_book_give_order(const struct dp_book_writer *writer, uint32_t number)
{
    struct dp_books *books = writer->books;
    writer->index.orders[number].behind = books->order_free_first;
    books->order_free_first = number;
    books->order_live_count--;
}

static inline struct dp_book *dp_book_of_order(const struct dp_book_writer *writer, uint32_t number)
{
    uint32_t level = dp_book_order_level(&writer->index.orders[number]);
    return &writer->books->book[writer->levels[level].instrument_index];
}

/* ---- queues ---- */

static inline void dp_book_change_level(
    struct dp_skiplist_level *level, uint64_t qty_change, uint32_t count_change)
{
    dp_store_release(&level->qty, dp_load_relaxed(&level->qty) + qty_change);
    dp_store_release(&level->order_count, dp_load_relaxed(&level->order_count) + count_change);
}

/* The end of a queue writes to record 0, which nobody reads: whether an order has neighbours is a
 * branch that the processor would guess wrong every third time. */
static inline void dp_book_join_queue(
    const struct dp_book_writer *writer, struct dp_book *book, uint32_t number, uint32_t place)
{
    struct dp_book_order *orders = writer->index.orders;
    struct dp_skiplist_level *level = &writer->levels[place & DP_BOOK_PLACE_LEVEL];
    struct dp_book_order *order = &orders[number];
    uint32_t last = level->last_order;

    order->priority = writer->books->priority_next++;
    order->place = place;
    order->ahead = last;
    order->behind = 0;
    orders[last].behind = number;
    level->last_order = number;
    dp_book_change_level(level, order->qty, 1);
    if (DP_LIKELY(level->mark != DP_BOOK_MARK_NONE))
        dp_book_set_occupied(book, level->mark, true);
}

/* Takes the order out of its queue. An empty level stays on its rung; without one it goes. */
static inline void dp_book_leave_queue(
    const struct dp_book_writer *writer, struct dp_book *book, const struct dp_book_order *order)
{
    struct dp_book_order *orders = writer->index.orders;
    struct dp_skiplist_level *level = &writer->levels[dp_book_order_level(order)];
    uint32_t ahead = order->ahead;
    uint32_t behind = order->behind;
    uint32_t is_last = -(uint32_t)(behind == 0); /* a mask, for the same reason */

    orders[ahead].behind = behind;
    orders[behind].ahead = ahead;
    level->last_order ^= (level->last_order ^ ahead) & is_last;
    dp_book_change_level(level, -(uint64_t)order->qty, UINT32_MAX);
    bool is_occupied = dp_load_relaxed(&level->order_count) != 0;
    if (DP_LIKELY(level->mark != DP_BOOK_MARK_NONE))
        dp_book_set_occupied(book, level->mark, is_occupied);
    else if (!is_occupied)
        dp_book_close_level(writer, book, order->place);
}

/* ---- the writer ---- */

static inline bool dp_book_is_legal(uint64_t qty, int64_t price_nanos)
{
    return qty - 1 < DP_BOOK_QTY_MAX && price_nanos > 0 && price_nanos != DP_PRICE_NONE;
}

/* An order that comes. */
struct dp_book_arrival {
    uint64_t order_ref;
    uint32_t side_index;
    uint32_t qty; /* legal, as the price */
    int64_t price_nanos;
};

/* Into an open book. home: of its reference in the index; level, before: of its price, as
 * dp_book_find_level() says. */
static inline enum dp_book_result dp_book_change_add(const struct dp_book_writer *writer,
    struct dp_book *book, uint32_t *home, const struct dp_book_arrival *arrival, uint32_t level,
    uint32_t before, int64_t time_ns)
{
    struct dp_books *books = writer->books;
    uint32_t *room;
    if (DP_UNLIKELY(!dp_book_index_room_at(&writer->index, home, arrival->order_ref, &room)))
        return DP_BOOK_DUPLICATE_ORDER;
    if (DP_UNLIKELY(dp_book_orders_are_full(books)) ||
        (DP_UNLIKELY(level == DP_SKIPLIST_NONE) && !dp_book_has_level_room(writer, &before)))
        return DP_BOOK_FULL;

    uint32_t number = dp_book_take_order(writer);
    struct dp_book_order *order = &writer->index.orders[number];
    order->order_ref = arrival->order_ref;
    order->qty = arrival->qty;
    dp_book_index_put_at(&writer->index, home, room, arrival->order_ref, number);
    uint64_t sequence = dp_book_begin_change(book);
    if (DP_UNLIKELY(level == DP_SKIPLIST_NONE))
        level = dp_book_open_level(writer, book, arrival->side_index, arrival->price_nanos, before);
    dp_book_join_queue(writer, book, number, dp_book_place(level, arrival->side_index));
    dp_book_end_change(book, sequence, time_ns);
    return DP_BOOK_OK;
}

/* book: the one its level belongs to; home: of its reference in the index. */
static inline void dp_book_change_remove(const struct dp_book_writer *writer, struct dp_book *book,
    uint32_t *home, uint32_t number, int64_t time_ns)
{
    const struct dp_book_order *order = &writer->index.orders[number];
    uint64_t sequence = dp_book_begin_change(book);
    dp_book_leave_queue(writer, book, order);
    dp_book_index_delete_at(&writer->index, home, order->order_ref, number);
    dp_book_give_order(writer, number);
    dp_book_end_change(book, sequence, time_ns);
}

static inline enum dp_book_result dp_book_change_reduce(const struct dp_book_writer *writer,
    struct dp_book *book, uint32_t *home, uint32_t number, uint64_t qty, int64_t time_ns)
{
    struct dp_book_order *order = &writer->index.orders[number];
    if (DP_UNLIKELY(qty > order->qty))
        return DP_BOOK_OVER_REDUCTION;
    if (qty == order->qty) {
        dp_book_change_remove(writer, book, home, number, time_ns);
        return DP_BOOK_OK;
    }
    uint64_t sequence = dp_book_begin_change(book);
    order->qty -= (uint32_t)qty;
    dp_book_change_level(&writer->levels[dp_book_order_level(order)], -qty, 0);
    dp_book_end_change(book, sequence, time_ns);
    return DP_BOOK_OK;
}

/* Whether an order can move to that price: a level is there, or free, or freed by the move. */
static inline bool dp_book_can_move(const struct dp_book_writer *writer, const struct dp_book *book,
    const struct dp_book_order *order, int64_t price_nanos)
{
    const struct dp_skiplist_pool *pool = dp_books_pool(writer->books);
    uint32_t side_index = dp_book_order_side(order);
    uint32_t before;
    return DP_LIKELY(!dp_skiplist_pool_is_full(pool)) ||
        dp_load_relaxed(&writer->levels[dp_book_order_level(order)].order_count) == 1 ||
        dp_book_find_level(book, side_index, pool, price_nanos, &before) != DP_SKIPLIST_NONE ||
        dp_book_make_level_room(writer);
}

/* Which side's rungs or buckets it is of; any for one of another book. */
static inline uint32_t dp_book_side_of_rung(const struct dp_book *book, const uint32_t *rung)
{
    return (uintptr_t)rung >= (uintptr_t)dp_book_side(book, 1);
}

/* rung: one of this book that may have the level of its price, or of none. home: of the reference
 * it has; arrival: what it becomes, of its own side. */
static inline enum dp_book_result dp_book_change_replace(const struct dp_book_writer *writer,
    struct dp_book *book, uint32_t *home, uint32_t number, const struct dp_book_arrival *arrival,
    const uint32_t *rung, int64_t time_ns)
{
    uint32_t *new_home = dp_book_index_home(&writer->index, arrival->order_ref);
    uint32_t *room;
    if (DP_UNLIKELY(!dp_book_index_room_at(&writer->index, new_home, arrival->order_ref, &room)))
        return DP_BOOK_DUPLICATE_ORDER;
    struct dp_book_order *order = &writer->index.orders[number];
    if (DP_UNLIKELY(!dp_book_can_move(writer, book, order, arrival->price_nanos)))
        return DP_BOOK_FULL;

    uint64_t sequence = dp_book_begin_change(book);
    dp_book_leave_queue(writer, book, order);
    dp_book_index_delete_at(&writer->index, home, order->order_ref, number);
    order->order_ref = arrival->order_ref;
    order->qty = arrival->qty;
    dp_book_index_put_at(&writer->index, new_home, room, arrival->order_ref, number);
    uint32_t before;
    uint32_t level = *rung;
    if (DP_UNLIKELY(dp_load_relaxed(&writer->levels[level].price_nanos) != arrival->price_nanos) ||
        DP_UNLIKELY(dp_book_side_of_rung(book, rung) != arrival->side_index))
        level = dp_book_find_level(
            book, arrival->side_index, dp_books_pool(writer->books), arrival->price_nanos, &before);
    if (DP_UNLIKELY(level == DP_SKIPLIST_NONE))
        level = dp_book_open_level(writer, book, arrival->side_index, arrival->price_nanos, before);
    dp_book_join_queue(writer, book, number, dp_book_place(level, arrival->side_index));
    dp_book_end_change(book, sequence, time_ns);
    return DP_BOOK_OK;
}

#endif
