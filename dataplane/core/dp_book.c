#include "dp_book_change.h"

uint32_t dp_book_open_level(const struct dp_book_writer *writer, struct dp_book *book,
    uint32_t side_index, int64_t price_nanos, uint32_t before)
{
    struct dp_skiplist_pool *pool = dp_books_pool(writer->books);
    /* A move whose order was the last one of its level, in a pool without any other. */
    if (DP_UNLIKELY(dp_skiplist_pool_is_full(pool))) {
        dp_book_sweep(book, pool);
        before = DP_BOOK_BEFORE_UNKNOWN;
    }
    uint32_t level = dp_book_side_open(book, side_index, pool, price_nanos, before);
    pool->levels[level].instrument_index = (uint16_t)(book - writer->books->book);
    return level;
}

void dp_book_close_level(const struct dp_book_writer *writer, struct dp_book *book, uint32_t place)
{
    dp_book_side_close(
        book, place >> 31, dp_books_pool(writer->books), place & DP_BOOK_PLACE_LEVEL);
}

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

bool dp_book_make_level_room(const struct dp_book_writer *writer)
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

/* ---- changes, for callers outside ---- */

enum dp_book_result dp_book_add(struct dp_books *books, uint32_t instrument_index,
    uint64_t order_ref, enum dp_side side, uint64_t qty, int64_t price_nanos, int64_t time_ns)
{
    struct dp_book_writer writer = dp_book_writer(books);
    if (!dp_book_is_open(books, instrument_index) || !dp_book_is_legal(qty, price_nanos) ||
        (side != DP_SIDE_BUY && side != DP_SIDE_SELL))
        return DP_BOOK_INVALID;
    struct dp_book *book = &books->book[instrument_index];
    struct dp_book_arrival arrival = {
        .order_ref = order_ref,
        .side_index = dp_book_side_index(side),
        .qty = (uint32_t)qty,
        .price_nanos = price_nanos,
    };
    uint32_t before;
    uint32_t level =
        dp_book_find_level(book, arrival.side_index, dp_books_pool(books), price_nanos, &before);
    uint32_t *home = dp_book_index_home(&writer.index, order_ref);
    return dp_book_change_add(&writer, book, home, &arrival, level, before, time_ns);
}

enum dp_book_result dp_book_reduce(
    struct dp_books *books, uint64_t order_ref, uint64_t qty, int64_t time_ns)
{
    struct dp_book_writer writer = dp_book_writer(books);
    uint32_t *home = dp_book_index_home(&writer.index, order_ref);
    uint32_t number = dp_book_index_find_at(&writer.index, home, order_ref);
    if (number == 0)
        return DP_BOOK_UNKNOWN_ORDER;
    return dp_book_change_reduce(
        &writer, dp_book_of_order(&writer, number), home, number, qty, time_ns);
}

enum dp_book_result dp_book_remove(struct dp_books *books, uint64_t order_ref, int64_t time_ns)
{
    struct dp_book_writer writer = dp_book_writer(books);
    uint32_t *home = dp_book_index_home(&writer.index, order_ref);
    uint32_t number = dp_book_index_find_at(&writer.index, home, order_ref);
    if (number == 0)
        return DP_BOOK_UNKNOWN_ORDER;
    dp_book_change_remove(&writer, dp_book_of_order(&writer, number), home, number, time_ns);
    return DP_BOOK_OK;
}

enum dp_book_result dp_book_replace(struct dp_books *books, uint64_t order_ref,
    uint64_t new_order_ref, uint64_t qty, int64_t price_nanos, int64_t time_ns)
{
    struct dp_book_writer writer = dp_book_writer(books);
    uint32_t *home = dp_book_index_home(&writer.index, order_ref);
    uint32_t number = dp_book_index_find_at(&writer.index, home, order_ref);
    if (number == 0)
        return DP_BOOK_UNKNOWN_ORDER;
    if (!dp_book_is_legal(qty, price_nanos))
        return DP_BOOK_INVALID;
    const uint32_t bare = DP_SKIPLIST_NONE;
    struct dp_book_arrival arrival = {
        .order_ref = new_order_ref,
        .side_index = dp_book_order_side(&writer.index.orders[number]),
        .qty = (uint32_t)qty,
        .price_nanos = price_nanos,
    };
    return dp_book_change_replace(
        &writer, dp_book_of_order(&writer, number), home, number, &arrival, &bare, time_ns);
}
