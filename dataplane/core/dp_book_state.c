/* Setting up, naming, flagging and clearing books: everything that is not about orders. */
#include "dp_book_layout.h"

#include <errno.h>

static uint64_t place(uint64_t *used, uint64_t size)
{
    uint64_t offset = *used;
    *used = dp_round_up(offset + size, DP_CACHE_LINE);
    return offset;
}

/* Fills in where everything lies; returns the bytes of the whole. */
static uint64_t lay_out(struct dp_books *books, const struct dp_books_config *config)
{
    uint64_t used = 0;
    books->config = *config;
    books->index_bits = dp_book_index_bits(config->order_count_max);
    place(&used, sizeof(*books) + config->instrument_count_max * sizeof(struct dp_book));
    books->depths_offset =
        place(&used, config->instrument_count_max * sizeof(struct dp_book_depth));
    books->orders_offset =
        place(&used, (config->order_count_max + 1ull) * sizeof(struct dp_book_order));
    books->front_offset = place(&used, dp_book_index_front_size(books->index_bits));
    books->spill_offset = place(&used, dp_book_index_spill_size(books->index_bits));
    books->pool_offset = place(&used, dp_skiplist_pool_size(config->level_count_max));
    return used;
}

size_t dp_books_size(const struct dp_books_config *config)
{
    struct dp_books scratch;
    return lay_out(&scratch, config);
}

static int check_count(const char *what, uint32_t value, uint32_t max, struct dp_err *err)
{
    if (value >= 1 && value <= max)
        return 0;
    return dp_err_set(err, EINVAL, "books: %s: %u; give 1 to %u", what, value, max);
}

int dp_books_init(struct dp_books *books, const struct dp_books_config *config, struct dp_err *err)
{
    DP_ASSERT((uintptr_t)books % DP_CACHE_LINE == 0);
    int code = check_count(
        "instrument_count_max", config->instrument_count_max, DP_BOOK_INSTRUMENTS_MAX, err);
    if (code == 0)
        code = check_count("order_count_max", config->order_count_max, DP_BOOK_ORDERS_MAX, err);
    if (code == 0)
        code = check_count("level_count_max", config->level_count_max, DP_SKIPLIST_LEVELS_MAX, err);
    if (code != 0)
        return code;

    lay_out(books, config);
    books->priority_next = 1;
    /* Record 0 stands for orders that are not there yet when somebody looks ahead at them: at a
     * level, because none would be one to be opened. */
    dp_books_orders(books)[0].level = 1;
    dp_skiplist_pool_init(dp_books_pool(books), config->level_count_max);
    const struct dp_book_depth *depths = dp_books_at(books, books->depths_offset);
    for (uint32_t index = 0; index < config->instrument_count_max; index++)
        books->book[index].depth_offset =
            (uintptr_t)&depths[index] - (uintptr_t)&books->book[index];
    return 0;
}

void dp_books_set_writer(struct dp_books *books, uint64_t writer_id)
{
    dp_store_release(&books->writer_id, writer_id);
}

uint64_t dp_books_writer(const struct dp_books *books)
{
    return dp_load_acquire(&books->writer_id);
}

enum dp_book_result dp_book_open(
    struct dp_books *books, uint32_t instrument_index, const char symbol[8])
{
    if (instrument_index >= books->config.instrument_count_max)
        return DP_BOOK_INVALID;
    uint64_t word;
    memcpy(&word, symbol, sizeof(word));
    struct dp_book *book = &books->book[instrument_index];
    uint64_t sequence = dp_book_begin_change(book);
    if (dp_load_relaxed(&book->is_open) == 0) {
        dp_skiplist_init(&dp_book_side(book, 0)->list, DP_SIDE_BUY, 2 * instrument_index);
        dp_skiplist_init(&dp_book_side(book, 1)->list, DP_SIDE_SELL, 2 * instrument_index + 1);
    }
    dp_store_release(&dp_book_depth(book)->symbol, word);
    dp_store_release(&book->is_open, 1);
    dp_book_end_change_untimed(book, sequence);
    /* Release: a reader that counts this instrument finds its symbol. */
    if (instrument_index >= dp_load_relaxed(&books->instrument_count))
        dp_store_release(&books->instrument_count, instrument_index + 1);
    return DP_BOOK_OK;
}

static void change_flags(
    struct dp_books *books, uint32_t instrument_index, uint32_t set, uint32_t drop)
{
    if (instrument_index >= books->config.instrument_count_max)
        return;
    uint32_t flags = dp_load_relaxed(&books->book[instrument_index].flags);
    uint32_t wanted = (flags & ~drop) | set;
    if (wanted == flags)
        return;
    struct dp_book *book = &books->book[instrument_index];
    uint64_t sequence = dp_book_begin_change(book);
    dp_store_release(&book->flags, wanted);
    dp_book_end_change_untimed(book, sequence);
}

void dp_book_set_flags(struct dp_books *books, uint32_t instrument_index, uint32_t flags)
{
    change_flags(books, instrument_index, flags & DP_BOOK_PUBLIC_FLAGS, 0);
}

void dp_books_set_flags(struct dp_books *books, uint32_t flags)
{
    for (uint32_t index = 0; index < dp_books_instrument_count(books); index++)
        if (dp_book_is_open(books, index))
            dp_book_set_flags(books, index, flags);
}

void dp_book_drop_flags(struct dp_books *books, uint32_t instrument_index, uint32_t flags)
{
    change_flags(books, instrument_index, 0, flags & DP_BOOK_PUBLIC_FLAGS);
}

void dp_book_set_operational_halt(struct dp_books *books, uint32_t instrument_index, bool halted)
{
    if (halted)
        change_flags(books, instrument_index, DP_BOOK_OPERATIONAL_HALT, 0);
    else
        change_flags(books, instrument_index, 0, DP_BOOK_OPERATIONAL_HALT);
}

void dp_book_set_trading_state(
    struct dp_books *books, uint32_t instrument_index, uint32_t trading_state)
{
    if (instrument_index >= books->config.instrument_count_max)
        return;
    struct dp_book *book = &books->book[instrument_index];
    uint64_t sequence = dp_book_begin_change(book);
    dp_store_release(&book->trading_state, (uint16_t)trading_state);
    dp_book_end_change_untimed(book, sequence);
}

static void clear_book(struct dp_books *books, uint32_t instrument_index)
{
    struct dp_book *book = &books->book[instrument_index];
    uint64_t sequence = dp_book_begin_change(book);
    if (dp_load_relaxed(&book->is_open) != 0) {
        dp_book_ladder_clear(book, dp_books_pool(books));
        dp_store_release(&dp_book_depth(book)->symbol, 0);
    }
    dp_store_release(&book->flags, 0);
    dp_store_release(&book->trading_state, DP_TRADING_UNKNOWN);
    dp_store_release(&book->is_open, 0);
    dp_book_end_change_untimed(book, sequence);
}

/* Never opened, or cleared since: a day has thousands of instruments, the table room for all. One
 * that was named but never opened may have a flag or a state. */
static bool is_blank(const struct dp_book *book)
{
    return (dp_load_relaxed(&book->is_open) | dp_load_relaxed(&book->flags) |
               dp_load_relaxed(&book->trading_state)) == 0;
}

void dp_books_clear(struct dp_books *books)
{
    /* Entries are blank where nothing rests or was spilled for good: an empty index needs no sweep
     * (it may be hundreds of megabytes). */
    if (books->order_live_count != 0) {
        memset(dp_books_at(books, books->front_offset), 0,
            dp_book_index_front_size(books->index_bits));
        memset(dp_books_at(books, books->spill_offset), 0,
            dp_book_index_spill_size(books->index_bits));
    }
    for (uint32_t index = 0; index < books->config.instrument_count_max; index++)
        if (!is_blank(&books->book[index]))
            clear_book(books, index);
    dp_store_release(&books->instrument_count, 0);
    books->order_live_count = 0;
    books->order_free_first = 0;
    books->order_used = 0;
}

/* A record that is free may name an order that has another one by now: who asks by name hears of
 * that. */
static void remove_orders(struct dp_books *books, uint32_t first, uint32_t count)
{
    const struct dp_book_order *orders = dp_books_orders(books);
    struct dp_book_order_view view;
    for (uint32_t record = 1; record <= books->order_used; record++) {
        uint64_t order_ref = orders[record].order_ref;
        if (dp_book_order(books, order_ref, &view) && view.instrument_index - first < count)
            dp_book_remove(books, order_ref, 0);
    }
}

void dp_books_clear_some(struct dp_books *books, uint32_t first, uint32_t count)
{
    remove_orders(books, first, count);
    for (uint32_t index = first; index - first < count; index++)
        if (index < books->config.instrument_count_max && !is_blank(&books->book[index]))
            clear_book(books, index);
}
