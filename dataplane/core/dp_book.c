#include "dp_book_change.h"

/* ---- levels ---- */

static bool has_empty_level(const struct dp_book *book)
{
    return dp_book_side(book, 0)->list.level_count != dp_book_side_level_count(book, 0) ||
        dp_book_side(book, 1)->list.level_count != dp_book_side_level_count(book, 1);
}

/* A book without empty levels keeps its sequence number: a change that is refused is none. */
static void sweep(struct dp_book *book, struct dp_skiplist_pool *pool)
{
    if (!has_empty_level(book))
        return;
    uint64_t sequence = dp_book_begin_change(book);
    dp_book_sweep(book, pool);
    dp_book_end_change_untimed(book, sequence);
}

/* Makes room for a level by closing empty ones, of any book; false: all hold orders. */
static bool make_level_room(const struct dp_book_writer *writer)
{
    struct dp_books *books = writer->books;
    struct dp_skiplist_pool *pool = dp_books_pool(books);
    uint32_t count = dp_load_relaxed(&books->instrument_count);
    for (uint32_t tries = 0; tries < count && dp_skiplist_pool_is_full(pool); tries++) {
        books->sweep_next = books->sweep_next + 1 < count ? books->sweep_next + 1 : 0;
        if (dp_book_is_open(books, books->sweep_next))
            sweep(&books->book[books->sweep_next], pool);
    }
    return !dp_skiplist_pool_is_full(pool);
}

/* The same, at little cost while there is room. *before may be one of those that went. */
static bool has_level_room(const struct dp_book_writer *writer, uint32_t *before)
{
    if (DP_LIKELY(!dp_skiplist_pool_is_full(dp_books_pool(writer->books))))
        return true;
    *before = DP_BOOK_BEFORE_UNKNOWN;
    return make_level_room(writer);
}

static uint32_t open_level(const struct dp_book_writer *writer, struct dp_book *book,
    uint32_t side_index, int64_t price_nanos, uint32_t before)
{
    struct dp_skiplist_pool *pool = dp_books_pool(writer->books);
    /* A move whose order was the last one of its level, in a pool without any other. */
    if (DP_UNLIKELY(dp_skiplist_pool_is_full(pool))) {
        dp_book_sweep(book, pool);
        before = DP_BOOK_BEFORE_UNKNOWN;
    }
    uint32_t level = dp_book_side_open(book, side_index, pool, price_nanos, before);
    pool->levels[level].instrument_index = (uint16_t)(book - writer->book);
    pool->levels[level].side_index = (uint16_t)side_index;
    return level;
}

/* ---- orders and their levels ---- */

static void join_level(const struct dp_book_writer *writer, struct dp_book *book,
    struct dp_book_order *order, uint32_t number, uint32_t level)
{
    struct dp_skiplist_level *at = &writer->levels[level];
    dp_book_join_queue(writer, order, number, at);
    if (dp_book_has_rung(at))
        dp_book_set_occupied(book, at, true);
}

/* An empty level stays on its rung; without one it goes. */
static void leave_level(const struct dp_book_writer *writer, struct dp_book *book,
    const struct dp_book_order *order, uint32_t number)
{
    struct dp_skiplist_level *level = &writer->levels[order->level];
    bool is_occupied = dp_book_leave_queue(writer, order, number, level);
    if (dp_book_has_rung(level))
        dp_book_set_occupied(book, level, is_occupied);
    else if (!is_occupied)
        dp_book_side_close(book, level->side_index, dp_books_pool(writer->books), order->level);
}

static struct dp_book *book_of(
    const struct dp_book_writer *writer, const struct dp_book_order *order)
{
    return &writer->book[writer->levels[order->level].instrument_index];
}

/* ---- changes ---- */

static bool orders_are_full(const struct dp_books *books)
{
    return books->order_free_first == 0 && books->order_used == books->config.order_count_max;
}

/* Into an open book. */
static enum dp_book_result add(const struct dp_book_writer *writer, struct dp_book *book,
    uint32_t side_index, const struct dp_book_arrival *arrival, int64_t time_ns)
{
    uint32_t *entry;
    if (!dp_book_index_room(&writer->index, arrival->order_ref, &entry))
        return DP_BOOK_DUPLICATE_ORDER;
    uint32_t before;
    uint32_t level = dp_book_find_level(
        book, side_index, dp_books_pool(writer->books), arrival->price_nanos, &before);
    if (orders_are_full(writer->books) ||
        (level == DP_SKIPLIST_NONE && !has_level_room(writer, &before)))
        return DP_BOOK_FULL;

    uint32_t number = dp_book_take_order(writer);
    struct dp_book_order *order = &writer->index.orders[number];
    order->order_ref = arrival->order_ref;
    order->qty = (uint32_t)arrival->qty;
    dp_book_index_put(&writer->index, entry, arrival->order_ref, number);
    uint64_t sequence = dp_book_begin_change(book);
    if (level == DP_SKIPLIST_NONE)
        level = open_level(writer, book, side_index, arrival->price_nanos, before);
    join_level(writer, book, order, number, level);
    dp_book_end_change(book, sequence, time_ns);
    return DP_BOOK_OK;
}

static void remove_order(const struct dp_book_writer *writer, uint32_t number, int64_t time_ns)
{
    struct dp_book_order *order = &writer->index.orders[number];
    struct dp_book *book = book_of(writer, order);
    uint64_t sequence = dp_book_begin_change(book);
    leave_level(writer, book, order, number);
    dp_book_index_delete(&writer->index, order->order_ref, number);
    dp_book_give_order(writer, order, number);
    dp_book_end_change(book, sequence, time_ns);
}

static void reduce_order(
    const struct dp_book_writer *writer, uint32_t number, uint32_t qty, int64_t time_ns)
{
    struct dp_book_order *order = &writer->index.orders[number];
    struct dp_book *book = book_of(writer, order);
    uint64_t sequence = dp_book_begin_change(book);
    order->qty -= qty;
    dp_book_change_level(&writer->levels[order->level], -(uint64_t)qty, 0);
    dp_book_end_change(book, sequence, time_ns);
}

/* Whether an order can move to that price: a level is there, or free, or freed by the move. */
static bool can_move(
    const struct dp_book_writer *writer, const struct dp_book_order *order, int64_t price_nanos)
{
    const struct dp_skiplist_pool *pool = dp_books_pool(writer->books);
    const struct dp_skiplist_level *level = &writer->levels[order->level];
    uint32_t before;
    return DP_LIKELY(!dp_skiplist_pool_is_full(pool)) ||
        dp_load_relaxed(&level->order_count) == 1 ||
        dp_book_find_level(book_of(writer, order), level->side_index, pool, price_nanos, &before) !=
        DP_SKIPLIST_NONE ||
        make_level_room(writer);
}

static enum dp_book_result replace(const struct dp_book_writer *writer, uint32_t number,
    const struct dp_book_arrival *arrival, int64_t time_ns)
{
    uint32_t *entry;
    if (!dp_book_index_room(&writer->index, arrival->order_ref, &entry))
        return DP_BOOK_DUPLICATE_ORDER;
    struct dp_book_order *order = &writer->index.orders[number];
    if (!can_move(writer, order, arrival->price_nanos))
        return DP_BOOK_FULL;

    struct dp_book *book = book_of(writer, order);
    uint32_t side_index = writer->levels[order->level].side_index;
    uint64_t sequence = dp_book_begin_change(book);
    leave_level(writer, book, order, number);
    dp_book_index_delete(&writer->index, order->order_ref, number);
    order->order_ref = arrival->order_ref;
    order->qty = (uint32_t)arrival->qty;
    dp_book_index_put(&writer->index, entry, arrival->order_ref, number);
    uint32_t before;
    uint32_t level = dp_book_find_level(
        book, side_index, dp_books_pool(writer->books), arrival->price_nanos, &before);
    if (level == DP_SKIPLIST_NONE)
        level = open_level(writer, book, side_index, arrival->price_nanos, before);
    join_level(writer, book, order, number, level);
    dp_book_end_change(book, sequence, time_ns);
    return DP_BOOK_OK;
}

static bool is_legal(const struct dp_book_arrival *arrival)
{
    return arrival->qty - 1 < DP_BOOK_QTY_MAX && arrival->price_nanos > 0 &&
        arrival->price_nanos != DP_PRICE_NONE;
}

enum dp_book_result dp_book_change_add(const struct dp_book_writer *writer,
    uint32_t instrument_index, enum dp_side side, const struct dp_book_arrival *arrival,
    int64_t time_ns)
{
    if (!dp_book_is_open_inline(writer->books, instrument_index) || !is_legal(arrival) ||
        (side != DP_SIDE_BUY && side != DP_SIDE_SELL))
        return DP_BOOK_INVALID;
    return add(writer, &writer->book[instrument_index], dp_book_side_index(side), arrival, time_ns);
}

enum dp_book_result dp_book_change_reduce(
    const struct dp_book_writer *writer, uint64_t order_ref, uint64_t qty, int64_t time_ns)
{
    uint32_t number = dp_book_index_find(&writer->index, order_ref);
    if (number == 0)
        return DP_BOOK_UNKNOWN_ORDER;
    if (qty > writer->index.orders[number].qty)
        return DP_BOOK_OVER_REDUCTION;
    if (qty == writer->index.orders[number].qty)
        remove_order(writer, number, time_ns);
    else
        reduce_order(writer, number, (uint32_t)qty, time_ns);
    return DP_BOOK_OK;
}

enum dp_book_result dp_book_change_remove(
    const struct dp_book_writer *writer, uint64_t order_ref, int64_t time_ns)
{
    uint32_t number = dp_book_index_find(&writer->index, order_ref);
    if (number == 0)
        return DP_BOOK_UNKNOWN_ORDER;
    remove_order(writer, number, time_ns);
    return DP_BOOK_OK;
}

enum dp_book_result dp_book_change_replace(const struct dp_book_writer *writer, uint64_t order_ref,
    const struct dp_book_arrival *arrival, int64_t time_ns)
{
    uint32_t number = dp_book_index_find(&writer->index, order_ref);
    if (number == 0)
        return DP_BOOK_UNKNOWN_ORDER;
    return is_legal(arrival) ? replace(writer, number, arrival, time_ns) : DP_BOOK_INVALID;
}

/* ---- the same for callers outside ---- */

enum dp_book_result dp_book_add(struct dp_books *books, uint32_t instrument_index,
    uint64_t order_ref, enum dp_side side, uint64_t qty, int64_t price_nanos, int64_t time_ns)
{
    struct dp_book_writer writer = dp_book_writer(books);
    struct dp_book_arrival arrival = {order_ref, qty, price_nanos};
    return dp_book_change_add(&writer, instrument_index, side, &arrival, time_ns);
}

enum dp_book_result dp_book_reduce(
    struct dp_books *books, uint64_t order_ref, uint64_t qty, int64_t time_ns)
{
    struct dp_book_writer writer = dp_book_writer(books);
    return dp_book_change_reduce(&writer, order_ref, qty, time_ns);
}

enum dp_book_result dp_book_remove(struct dp_books *books, uint64_t order_ref, int64_t time_ns)
{
    struct dp_book_writer writer = dp_book_writer(books);
    return dp_book_change_remove(&writer, order_ref, time_ns);
}

enum dp_book_result dp_book_replace(struct dp_books *books, uint64_t order_ref,
    uint64_t new_order_ref, uint64_t qty, int64_t price_nanos, int64_t time_ns)
{
    struct dp_book_writer writer = dp_book_writer(books);
    struct dp_book_arrival arrival = {new_order_ref, qty, price_nanos};
    return dp_book_change_replace(&writer, order_ref, &arrival, time_ns);
}
