/*
 * dp_book_change - what dp_book.c changes books with; and the short ways of the commonest changes,
 * inline, for the block path of dp_itch_apply: orders that the index has at home, levels that are
 * there and have a rung. Nobody else includes this.
 */
#ifndef DP_BOOK_CHANGE_H
#define DP_BOOK_CHANGE_H

#include "dp_book_layout.h"

/* Where things are, worked out once for one change or for many. On the stack of the writer. */
struct dp_book_writer {
    struct dp_books *books;
    struct dp_book *book; /* the first of all */
    struct dp_skiplist_level *levels;
    struct dp_book_index index;
    uint32_t instrument_count;
};

static inline struct dp_book_writer dp_book_writer(struct dp_books *books)
{
    return (struct dp_book_writer){
        .books = books,
        .book = books->book,
        .levels = dp_books_pool(books)->levels,
        .index = dp_books_order_index(books),
        .instrument_count = books->config.instrument_count_max,
    };
}

/* Where a message's order is, if it is where most are: at home in the index. */
struct dp_book_found {
    struct dp_book_order *order;
    struct dp_skiplist_level *level;
    struct dp_book *book;
    uint32_t number;
};

/* False: look the long way, in dp_book.c. */
static inline bool dp_book_find_near(const struct dp_book_writer *writer, const uint32_t *home,
    uint64_t order_ref, struct dp_book_found *found)
{
    found->number = dp_book_index_find_home(&writer->index, home, order_ref);
    found->order = &writer->index.orders[found->number];
    if (DP_UNLIKELY(found->number == 0))
        return false;
    found->level = &writer->levels[found->order->level];
    found->book = &writer->book[found->level->instrument_index];
    return true;
}

/* ---- records ---- */

/* 0 when all are taken. */
static inline uint32_t dp_book_take_order(const struct dp_book_writer *writer)
{
    struct dp_books *books = writer->books;
    uint32_t number = books->order_free_first;
    if (DP_LIKELY(number != 0)) {
        uint32_t next = writer->index.orders[number].behind;
        books->order_free_first = next;
        DP_PREFETCH_WRITE(&writer->index.orders[next]);
    } else if (books->order_used != books->config.order_count_max) {
        number = ++books->order_used;
    } else {
        return 0;
    }
    books->order_live_count++;
    return number;
}

static inline void dp_book_give_order(
    const struct dp_book_writer *writer, struct dp_book_order *order, uint32_t number)
{
    struct dp_books *books = writer->books;
    order->behind = books->order_free_first;
    books->order_free_first = number;
    books->order_live_count--;
}

/* ---- queues ---- */

/* Returns the orders that it holds then. */
static inline uint32_t dp_book_change_level(
    struct dp_skiplist_level *level, uint64_t qty_change, uint32_t count_change)
{
    uint32_t count = dp_load_relaxed(&level->order_count) + count_change;
    dp_store_release(&level->qty, dp_load_relaxed(&level->qty) + qty_change);
    dp_store_release(&level->order_count, count);
    return count;
}

/* The end of a queue writes to record 0, which nobody reads: whether an order has neighbours is a
 * branch that the processor would guess wrong every third time. order->qty is what joins. */
static inline void dp_book_join_queue(const struct dp_book_writer *writer,
    struct dp_book_order *order, uint32_t number, struct dp_skiplist_level *level)
{
    uint32_t last = level->last_order;
    order->priority = writer->books->priority_next++;
    order->level = (uint32_t)(level - writer->levels);
    order->ahead = last;
    order->behind = 0;
    writer->index.orders[last].behind = number;
    level->last_order = number;
    dp_book_change_level(level, order->qty, 1);
}

/* Whether others stay. What is to be done about an empty level is the caller's. */
static inline bool dp_book_leave_queue(const struct dp_book_writer *writer,
    const struct dp_book_order *order, uint32_t number, struct dp_skiplist_level *level)
{
    struct dp_book_order *orders = writer->index.orders;
    uint32_t ahead = order->ahead;
    uint32_t behind = order->behind;
    uint32_t last = level->last_order;

    orders[ahead].behind = behind;
    orders[behind].ahead = ahead;
    level->last_order = last == number ? ahead : last;
    return dp_book_change_level(level, -(uint64_t)order->qty, UINT32_MAX) != 0;
}

/* ---- the writer ---- */

/* An order that comes. */
struct dp_book_arrival {
    uint64_t order_ref;
    uint64_t qty;
    int64_t price_nanos;
};

/* The changes of dp_book.h. */
enum dp_book_result dp_book_change_add(const struct dp_book_writer *writer,
    uint32_t instrument_index, enum dp_side side, const struct dp_book_arrival *arrival,
    int64_t time_ns);
enum dp_book_result dp_book_change_reduce(
    const struct dp_book_writer *writer, uint64_t order_ref, uint64_t qty, int64_t time_ns);
enum dp_book_result dp_book_change_remove(
    const struct dp_book_writer *writer, uint64_t order_ref, int64_t time_ns);
enum dp_book_result dp_book_change_replace(const struct dp_book_writer *writer, uint64_t order_ref,
    const struct dp_book_arrival *arrival, int64_t time_ns);

/* What most messages ask for, inline. False: nothing has changed; ask the ones above. home: of the
 * reference in the index, as dp_book_index_home() says. */

/* level: of that book, at the price that the order has. */
static inline bool dp_book_join_near(const struct dp_book_writer *writer, struct dp_book *book,
    uint32_t *home, const struct dp_book_arrival *arrival, struct dp_skiplist_level *level,
    int64_t time_ns)
{
    if (!dp_book_index_is_bare(home))
        return false;
    uint32_t number = dp_book_take_order(writer);
    if (DP_UNLIKELY(number == 0))
        return false;
    struct dp_book_order *order = &writer->index.orders[number];
    order->order_ref = arrival->order_ref;
    order->qty = (uint32_t)arrival->qty;
    dp_book_index_put_home(&writer->index, home, arrival->order_ref, number);
    uint64_t sequence = dp_book_begin_change(book);
    dp_book_join_queue(writer, order, number, level);
    if (dp_book_has_rung(level))
        dp_book_set_occupied(book, level, true);
    dp_book_end_change(book, sequence, time_ns);
    return true;
}

/* Without a rung an empty level does not stay: the last order of one goes the long way. */
static inline bool dp_book_can_leave(const struct dp_book_found *found)
{
    return dp_book_has_rung(found->level) || dp_load_relaxed(&found->level->order_count) > 1;
}

static inline void dp_book_leave_near(const struct dp_book_writer *writer,
    const struct dp_book_found *found, uint32_t *home, int64_t time_ns)
{
    uint64_t sequence = dp_book_begin_change(found->book);
    bool is_occupied = dp_book_leave_queue(writer, found->order, found->number, found->level);
    if (dp_book_has_rung(found->level))
        dp_book_set_occupied(found->book, found->level, is_occupied);
    dp_book_index_delete_home(home);
    dp_book_give_order(writer, found->order, found->number);
    dp_book_end_change(found->book, sequence, time_ns);
}

static inline bool dp_book_remove_near(
    const struct dp_book_writer *writer, uint32_t *home, uint64_t order_ref, int64_t time_ns)
{
    struct dp_book_found found;
    if (DP_UNLIKELY(!dp_book_find_near(writer, home, order_ref, &found)) ||
        DP_UNLIKELY(!dp_book_can_leave(&found)))
        return false;
    dp_book_leave_near(writer, &found, home, time_ns);
    return true;
}

static inline bool dp_book_reduce_near(const struct dp_book_writer *writer, uint32_t *home,
    uint64_t order_ref, uint32_t qty, int64_t time_ns)
{
    struct dp_book_found found;
    if (DP_UNLIKELY(!dp_book_find_near(writer, home, order_ref, &found)) ||
        DP_UNLIKELY(qty > found.order->qty))
        return false;
    if (qty == found.order->qty) {
        if (DP_UNLIKELY(!dp_book_can_leave(&found)))
            return false;
        dp_book_leave_near(writer, &found, home, time_ns);
        return true;
    }
    uint64_t sequence = dp_book_begin_change(found.book);
    found.order->qty -= qty;
    dp_book_change_level(found.level, -(uint64_t)qty, 0);
    dp_book_end_change(found.book, sequence, time_ns);
    return true;
}

/* The level on the rung of that price; record 0 when the rung is bare, or there is none. */
static inline struct dp_skiplist_level *dp_book_level_on_rung(const struct dp_book_writer *writer,
    const struct dp_book *book, uint32_t side_index, int64_t price_nanos)
{
    int64_t rank = price_nanos ^ dp_book_flip(side_index);
    uint64_t rung = dp_book_ladder_rung(&book->window, side_index, rank);
    return DP_LIKELY(rung < DP_BOOK_RUNGS)
        ? &writer->levels[dp_load_relaxed(dp_book_rung(book, side_index, rung))]
        : writer->levels;
}

static inline bool dp_book_replace_near(const struct dp_book_writer *writer, uint32_t *home,
    uint64_t order_ref, const struct dp_book_arrival *arrival, int64_t time_ns)
{
    struct dp_book_found found;
    uint32_t *new_home = dp_book_index_home(&writer->index, arrival->order_ref);
    if (DP_UNLIKELY(!dp_book_find_near(writer, home, order_ref, &found)) ||
        !dp_book_has_rung(found.level) || !dp_book_index_is_bare(new_home))
        return false;
    struct dp_skiplist_level *level =
        dp_book_level_on_rung(writer, found.book, found.level->side_index, arrival->price_nanos);
    if (DP_UNLIKELY(level == writer->levels))
        return false;
    uint64_t sequence = dp_book_begin_change(found.book);
    bool is_occupied = dp_book_leave_queue(writer, found.order, found.number, found.level);
    dp_book_set_occupied(found.book, found.level, is_occupied);
    dp_book_index_delete_home(home);
    found.order->order_ref = arrival->order_ref;
    found.order->qty = (uint32_t)arrival->qty;
    dp_book_index_put_home(&writer->index, new_home, arrival->order_ref, found.number);
    dp_book_join_queue(writer, found.order, found.number, level);
    dp_book_set_occupied(found.book, level, true);
    dp_book_end_change(found.book, sequence, time_ns);
    return true;
}

#endif
