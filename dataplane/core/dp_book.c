#include "dp_book_change.h"

uint32_t dp_book_open_level(struct dp_books *books, struct dp_book *book, uint32_t side_index,
    int64_t price_nanos, uint32_t position)
{
    struct dp_skiplist_pool *pool = dp_books_pool(books);
    struct dp_skiplist *list = &book->sides[side_index];
    struct dp_book_top *top = &book->tops[side_index];
    uint32_t count = book->top_counts[side_index];
    bool is_in_top = position < count || count == list->level_count;
    uint32_t number;

    if (DP_LIKELY(is_in_top)) {
        uint32_t before = position == 0 ? DP_SKIPLIST_NONE : top->levels[position - 1];
        number = dp_skiplist_insert_behind(list, pool, price_nanos, before);
    } else {
        number = dp_skiplist_insert(list, pool, price_nanos);
        is_in_top = pool->levels[number].back == top->levels[count - 1];
    }
    if (is_in_top && position < DP_BOOK_TOP_MAX) {
        dp_book_top_insert(top, count, position, price_nanos ^ list->flip, number);
        book->top_counts[side_index] = (uint8_t)(count + (count < DP_BOOK_TOP_MAX));
    }
    pool->levels[number].instrument_index = (uint16_t)(book - books->book);
    pool->levels[number].side = side_index == 0 ? DP_SIDE_BUY : DP_SIDE_SELL;
    return number;
}

void dp_book_close_level(struct dp_books *books, uint32_t number)
{
    struct dp_skiplist_pool *pool = dp_books_pool(books);
    const struct dp_skiplist_level *level = &pool->levels[number];
    struct dp_book *book = dp_book_of_level(books, level);
    uint32_t side_index = dp_book_side_index(level->side);
    struct dp_skiplist *list = &book->sides[side_index];
    struct dp_book_top *top = &book->tops[side_index];
    uint32_t position =
        dp_book_top_position(top, dp_load_relaxed(&level->price_nanos) ^ list->flip);

    dp_skiplist_remove(list, pool, number);
    uint32_t count = book->top_counts[side_index];
    if (position < count) {
        dp_book_top_delete(top, count, position);
        book->top_counts[side_index] = (uint8_t)dp_book_top_refill(top, count - 1, list, pool);
    }
}

enum dp_book_result dp_book_add(struct dp_books *books, uint32_t instrument_index,
    uint64_t order_ref, enum dp_side side, uint64_t qty, int64_t price_nanos, int64_t time_ns)
{
    return dp_book_change_add(books, instrument_index, order_ref, side, qty, price_nanos, time_ns);
}

enum dp_book_result dp_book_reduce(
    struct dp_books *books, uint64_t order_ref, uint64_t qty, int64_t time_ns)
{
    return dp_book_change_reduce(books, order_ref, qty, time_ns);
}

enum dp_book_result dp_book_remove(struct dp_books *books, uint64_t order_ref, int64_t time_ns)
{
    return dp_book_change_remove(books, order_ref, time_ns);
}

enum dp_book_result dp_book_replace(struct dp_books *books, uint64_t order_ref,
    uint64_t new_order_ref, uint64_t qty, int64_t price_nanos, int64_t time_ns)
{
    return dp_book_change_replace(books, order_ref, new_order_ref, qty, price_nanos, time_ns);
}
