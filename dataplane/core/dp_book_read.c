/* Looking into books: the writer's own view, and the view of readers in any thread or process. */
#include "dp_book_layout.h"

/* Tries before a reader is told BUSY: a change lasts well under a microsecond, a look at ten levels
 * as well. */
#define READ_TRIES 256

/* ---- the writer's own look ---- */

static int64_t best_nanos(
    const struct dp_books *books, uint32_t instrument_index, uint32_t side_index)
{
    uint32_t level = dp_book_first_level(books, instrument_index, side_index);
    return level == DP_SKIPLIST_NONE
        ? DP_PRICE_NONE
        : dp_load_relaxed(&dp_books_pool(books)->levels[level].price_nanos);
}

int64_t dp_book_best_bid(const struct dp_books *books, uint32_t instrument_index)
{
    return best_nanos(books, instrument_index, 0);
}

int64_t dp_book_best_ask(const struct dp_books *books, uint32_t instrument_index)
{
    return best_nanos(books, instrument_index, 1);
}

uint32_t dp_book_flags(const struct dp_books *books, uint32_t instrument_index)
{
    return instrument_index < books->config.instrument_count_max
        ? dp_load_acquire(&books->book[instrument_index].flags) & DP_BOOK_PUBLIC_FLAGS
        : 0;
}

static uint32_t state_of(const struct dp_book *book)
{
    uint32_t state = dp_load_acquire(&book->trading_state);
    return dp_load_acquire(&book->flags) & DP_BOOK_OPERATIONAL_HALT ? DP_TRADING_HALTED : state;
}

uint32_t dp_book_trading_state(const struct dp_books *books, uint32_t instrument_index)
{
    return instrument_index < books->config.instrument_count_max
        ? state_of(&books->book[instrument_index])
        : DP_TRADING_UNKNOWN;
}

static int64_t level_nanos(const struct dp_skiplist_pool *pool, uint32_t level)
{
    level = dp_book_skip_empty(pool, level);
    return level == DP_SKIPLIST_NONE ? DP_PRICE_NONE
                                     : dp_load_relaxed(&pool->levels[level].price_nanos);
}

struct dp_book_touch dp_book_touch(const struct dp_books *books, uint32_t instrument_index)
{
    struct dp_book_touch touch = {DP_PRICE_NONE, 0, DP_PRICE_NONE, DP_TRADING_UNKNOWN};
    if (DP_UNLIKELY(instrument_index >= books->config.instrument_count_max))
        return touch;
    const struct dp_book *book = &books->book[instrument_index];
    const struct dp_skiplist_pool *pool = dp_books_pool(books);
    touch.flags = dp_load_acquire(&book->flags) & DP_BOOK_PUBLIC_FLAGS;
    touch.trading_state = state_of(book);
    if (dp_load_acquire(&book->is_open) != 0) {
        touch.bid_nanos = level_nanos(pool, dp_book_side_first(book, 0));
        touch.ask_nanos = level_nanos(pool, dp_book_side_first(book, 1));
    }
    return touch;
}

bool dp_book_is_open(const struct dp_books *books, uint32_t instrument_index)
{
    return dp_book_is_open_inline(books, instrument_index);
}

void dp_book_symbol(const struct dp_books *books, uint32_t instrument_index, char symbol[9])
{
    uint64_t word = 0;
    if (dp_book_is_open(books, instrument_index))
        word = dp_load_acquire(&dp_book_depth(&books->book[instrument_index])->symbol);
    memcpy(symbol, &word, sizeof(word));
    size_t size = sizeof(word);
    while (size > 0 && (symbol[size - 1] == ' ' || symbol[size - 1] == '\0'))
        size--;
    symbol[size] = '\0';
}

uint32_t dp_books_instrument_count(const struct dp_books *books)
{
    return dp_load_acquire(&books->instrument_count);
}

uint32_t dp_books_find(const struct dp_books *books, const char *symbol)
{
    for (uint32_t index = 0; index < dp_books_instrument_count(books); index++) {
        char name[9];
        dp_book_symbol(books, index, name);
        if (dp_book_is_open(books, index) && strcmp(name, symbol) == 0)
            return index;
    }
    return DP_BOOK_NONE;
}

uint64_t dp_books_order_count(const struct dp_books *books)
{
    return books->order_live_count;
}

uint64_t dp_books_priority_next(const struct dp_books *books)
{
    return books->priority_next;
}

static void view_order(const struct dp_books *books, const struct dp_book_order *order,
    struct dp_book_order_view *view)
{
    const struct dp_skiplist_level *level = &dp_books_pool(books)->levels[order->level];
    *view = (struct dp_book_order_view){
        .order_ref = order->order_ref,
        .priority = order->priority,
        .price_nanos = dp_load_relaxed(&level->price_nanos),
        .qty = order->qty,
        .instrument_index = level->instrument_index,
        .side = DP_SIDE_BUY + level->side_index,
    };
}

static const struct dp_book_order *find_order(const struct dp_books *books, uint64_t order_ref)
{
    struct dp_book_index index = dp_books_order_index(books);
    uint32_t number = dp_book_index_find(&index, order_ref);
    return number == 0 ? NULL : &index.orders[number];
}

bool dp_book_order(
    const struct dp_books *books, uint64_t order_ref, struct dp_book_order_view *order)
{
    const struct dp_book_order *found = find_order(books, order_ref);
    if (found != NULL)
        view_order(books, found, order);
    return found != NULL;
}

bool dp_book_queue_ahead(
    const struct dp_books *books, uint64_t order_ref, uint64_t *order_count, uint64_t *qty)
{
    const struct dp_book_order *orders = dp_books_orders(books);
    const struct dp_book_order *order = find_order(books, order_ref);
    *order_count = 0;
    *qty = 0;
    if (order == NULL)
        return false;
    for (uint32_t ahead = order->ahead; ahead != 0; ahead = orders[ahead].ahead) {
        *order_count += 1;
        *qty += orders[ahead].qty;
    }
    return true;
}

static void view_level(const struct dp_skiplist_level *level, struct dp_book_level_view *view)
{
    view->price_nanos = dp_load_relaxed(&level->price_nanos);
    view->qty = dp_load_relaxed(&level->qty);
    view->order_count = dp_load_relaxed(&level->order_count);
}

uint32_t dp_book_levels(const struct dp_books *books, uint32_t instrument_index, enum dp_side side,
    struct dp_book_level_view *levels, uint32_t max)
{
    const struct dp_skiplist_pool *pool = dp_books_pool(books);
    uint32_t number = dp_book_first_level(books, instrument_index, dp_book_side_index(side));
    uint32_t count = 0;
    while (number != DP_SKIPLIST_NONE && count < max) {
        view_level(&pool->levels[number], &levels[count++]);
        number = dp_book_skip_empty(pool, dp_skiplist_worse(pool, number));
    }
    return count;
}

uint32_t dp_book_level_count(
    const struct dp_books *books, uint32_t instrument_index, enum dp_side side)
{
    return dp_book_is_open(books, instrument_index)
        ? dp_book_side_level_count(&books->book[instrument_index], dp_book_side_index(side))
        : 0;
}

static const struct dp_skiplist_level *find_level(
    const struct dp_books *books, uint32_t instrument_index, enum dp_side side, int64_t price_nanos)
{
    if (!dp_book_is_open(books, instrument_index))
        return NULL;
    const struct dp_skiplist_pool *pool = dp_books_pool(books);
    uint32_t before;
    uint32_t level = dp_book_find_level(
        &books->book[instrument_index], dp_book_side_index(side), pool, price_nanos, &before);
    return level == DP_SKIPLIST_NONE || dp_load_relaxed(&pool->levels[level].order_count) == 0
        ? NULL
        : &pool->levels[level];
}

bool dp_book_level_at(const struct dp_books *books, uint32_t instrument_index, enum dp_side side,
    int64_t price_nanos, struct dp_book_level_view *level)
{
    const struct dp_skiplist_level *found = find_level(books, instrument_index, side, price_nanos);
    if (found != NULL)
        view_level(found, level);
    return found != NULL;
}

uint32_t dp_book_level_orders(const struct dp_books *books, uint32_t instrument_index,
    enum dp_side side, int64_t price_nanos, struct dp_book_order_view *views, uint32_t max)
{
    const struct dp_book_order *orders = dp_books_orders(books);
    const struct dp_skiplist_level *level = find_level(books, instrument_index, side, price_nanos);
    uint32_t count = level == NULL ? 0 : dp_load_relaxed(&level->order_count);
    uint32_t number = level == NULL ? 0 : level->last_order;
    for (uint32_t at = count; at-- > 0; number = orders[number].ahead)
        if (at < max)
            view_order(books, &orders[number], &views[at]);
    return count < max ? count : max;
}

/* ---- any reader ---- */

/* False when a record changed its life under the walk. */
static bool read_side(const struct dp_books *books, const struct dp_book *book, uint32_t side_index,
    uint32_t depth, struct dp_book_level_view *levels, uint32_t *count)
{
    const struct dp_skiplist_pool *pool = dp_books_pool(books);
    struct dp_skiplist_cursor cursor =
        dp_skiplist_begin_at(pool, dp_book_side_first(book, side_index));
    *count = 0;
    while (*count < depth) {
        struct dp_skiplist_reading reading;
        enum dp_skiplist_step step =
            dp_skiplist_next(pool, books->config.level_count_max, &cursor, &reading);
        if (step != DP_SKIPLIST_LEVEL)
            return step == DP_SKIPLIST_END;
        levels[*count] =
            (struct dp_book_level_view){reading.price_nanos, reading.qty, reading.order_count};
        *count += reading.order_count != 0;
    }
    return true;
}

static bool read_once(const struct dp_books *books, const struct dp_book *book, uint32_t depth,
    struct dp_book_view *view)
{
    /* Acquire: an even number shows everything of the change that ended with it. */
    uint64_t sequence = dp_load_acquire(&book->sequence);
    if (sequence & 1)
        return false;
    view->sequence = sequence / 2;
    view->time_ns = dp_load_acquire(&book->time_ns);
    view->flags = dp_load_acquire(&book->flags) & DP_BOOK_PUBLIC_FLAGS;
    view->trading_state = state_of(book);
    /* Not after the last read: all of them were acquires, so this load comes later than each. */
    return read_side(books, book, 0, depth, view->bids, &view->bid_count) &&
        read_side(books, book, 1, depth, view->asks, &view->ask_count) &&
        dp_load_relaxed(&book->sequence) == sequence;
}

enum dp_book_read_result dp_book_read(const struct dp_books *books, uint32_t instrument_index,
    uint32_t depth, struct dp_book_view *view)
{
    if (!dp_book_is_open(books, instrument_index))
        return DP_BOOK_READ_NONE;
    for (uint32_t tries = 0; tries < READ_TRIES; tries++)
        if (read_once(books, &books->book[instrument_index], depth, view))
            return DP_BOOK_READ_OK;
    return DP_BOOK_READ_BUSY;
}

/* ---- prefetching ---- */

void dp_book_prefetch_ref(const struct dp_books *books, uint64_t order_ref)
{
    struct dp_book_index index = dp_books_order_index(books);
    DP_PREFETCH_WRITE(dp_book_index_home(&index, order_ref));
}

void dp_book_prefetch_order(const struct dp_books *books, uint64_t order_ref)
{
    struct dp_book_index index = dp_books_order_index(books);
    uint32_t entry = *dp_book_index_home(&index, order_ref);
    DP_PREFETCH_WRITE(&index.orders[entry & index.numbers]);
}

void dp_book_prefetch_instrument(const struct dp_books *books, uint32_t instrument_index)
{
    if (instrument_index < books->config.instrument_count_max)
        DP_PREFETCH_WRITE(&books->book[instrument_index]);
}
