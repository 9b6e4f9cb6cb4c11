/*
 * book_model - books too simple to be wrong: one array of the live orders, in the order of their
 * arrival. And how the real ones are compared with it through every view.
 */
#ifndef BOOK_MODEL_H
#define BOOK_MODEL_H

#include "check.h"
#include "dp_book.h"

#define MODEL_ORDERS 512u

struct model_order {
    uint64_t order_ref;
    int64_t price_nanos;
    uint64_t qty;
    uint32_t instrument_index;
    uint32_t side;
};

struct model {
    struct dp_books_config config; /* order_count_max: at most MODEL_ORDERS */
    uint32_t count;
    struct model_order orders[MODEL_ORDERS];
};

static struct model model;

static inline void model_open(struct dp_books *books)
{
    for (uint32_t index = 0; index < model.config.instrument_count_max; index++)
        dp_book_open(books, index, "TEST    ");
}

/* Books with all instruments open, and a model as empty as they are. */
static inline struct dp_books *model_new_books(const struct dp_books_config *config)
{
    size_t size = dp_round_up(dp_books_size(config), DP_CACHE_LINE);
    struct dp_books *books = aligned_alloc(DP_CACHE_LINE, size);
    memset(books, 0, size);
    CHECK_EQUAL(dp_books_init(books, config, NULL), 0);
    model.config = *config;
    model.count = 0;
    model_open(books);
    return books;
}

/* ---- looking ---- */

static inline struct model_order *model_find(uint64_t order_ref)
{
    for (uint32_t at = 0; at < model.count; at++)
        if (model.orders[at].order_ref == order_ref)
            return &model.orders[at];
    return NULL;
}

static inline bool model_is_at(
    const struct model_order *order, uint32_t instrument, uint32_t side, int64_t price)
{
    return order->instrument_index == instrument && order->side == side &&
        order->price_nanos == price;
}

static inline struct dp_book_level_view model_level(
    uint32_t instrument, uint32_t side, int64_t price)
{
    struct dp_book_level_view level = {price, 0, 0};
    for (uint32_t at = 0; at < model.count; at++)
        if (model_is_at(&model.orders[at], instrument, side, price)) {
            level.qty += model.orders[at].qty;
            level.order_count++;
        }
    return level;
}

/* Of all instruments together. */
static inline uint32_t model_level_count(void)
{
    uint32_t count = 0;
    for (uint32_t at = 0; at < model.count; at++) {
        const struct model_order *order = &model.orders[at];
        uint32_t earlier = 0;
        while (!model_is_at(
            &model.orders[earlier], order->instrument_index, order->side, order->price_nanos))
            earlier++;
        count += earlier == at;
    }
    return count;
}

/* Levels of one side, best first; returns how many. */
static inline uint32_t model_levels(
    uint32_t instrument, uint32_t side, struct dp_book_level_view *levels)
{
    uint32_t count = 0;
    for (uint32_t at = 0; at < model.count; at++) {
        const struct model_order *order = &model.orders[at];
        uint32_t place = 0;
        if (order->instrument_index != instrument || order->side != side)
            continue;
        while (place < count &&
            (side == DP_SIDE_BUY ? levels[place].price_nanos > order->price_nanos
                                 : levels[place].price_nanos < order->price_nanos))
            place++;
        if (place == count || levels[place].price_nanos != order->price_nanos) {
            memmove(&levels[place + 1], &levels[place], (count++ - place) * sizeof(levels[0]));
            levels[place] = (struct dp_book_level_view){order->price_nanos, 0, 0};
        }
        levels[place].qty += order->qty;
        levels[place].order_count++;
    }
    return count;
}

/* ---- changing ---- */

static inline bool model_is_legal(const struct model_order *order)
{
    return order->qty > 0 && order->qty <= DP_BOOK_QTY_MAX && order->price_nanos > 0 &&
        order->price_nanos != DP_PRICE_NONE;
}

static inline bool model_level_fits(const struct model_order *order)
{
    uint32_t max = model.config.level_count_max;
    return model.count < max ||
        model_level(order->instrument_index, order->side, order->price_nanos).order_count != 0 ||
        model_level_count() < max;
}

static inline void model_take_out(struct model_order *order)
{
    uint32_t behind = (uint32_t)(&model.orders[model.count] - order) - 1;
    memmove(order, order + 1, behind * sizeof(*order));
    model.count--;
}

static inline enum dp_book_result model_add(const struct model_order *order)
{
    if (!model_is_legal(order) || order->instrument_index >= model.config.instrument_count_max)
        return DP_BOOK_INVALID;
    if (model_find(order->order_ref) != NULL)
        return DP_BOOK_DUPLICATE_ORDER;
    if (model.count == model.config.order_count_max || !model_level_fits(order))
        return DP_BOOK_FULL;
    model.orders[model.count++] = *order;
    return DP_BOOK_OK;
}

static inline enum dp_book_result model_reduce(uint64_t order_ref, uint64_t qty)
{
    struct model_order *order = model_find(order_ref);
    if (order == NULL)
        return DP_BOOK_UNKNOWN_ORDER;
    if (qty > order->qty)
        return DP_BOOK_OVER_REDUCTION;
    order->qty -= qty;
    if (order->qty == 0)
        model_take_out(order);
    return DP_BOOK_OK;
}

static inline enum dp_book_result model_remove(uint64_t order_ref)
{
    const struct model_order *order = model_find(order_ref);
    return order == NULL ? DP_BOOK_UNKNOWN_ORDER : model_reduce(order_ref, order->qty);
}

static inline enum dp_book_result model_replace(uint64_t order_ref, struct model_order order)
{
    static struct model before;
    struct model_order *old = model_find(order_ref);
    if (old == NULL)
        return DP_BOOK_UNKNOWN_ORDER;
    if (!model_is_legal(&order))
        return DP_BOOK_INVALID;
    if (model_find(order.order_ref) != NULL)
        return DP_BOOK_DUPLICATE_ORDER;
    order.instrument_index = old->instrument_index;
    order.side = old->side;
    before = model;
    model_take_out(old);
    enum dp_book_result result = model_add(&order);
    if (result != DP_BOOK_OK)
        model = before;
    return result;
}

/* ---- comparing every view ---- */

static inline void model_compare_queue(const struct dp_books *books, uint32_t instrument,
    uint32_t side, const struct dp_book_level_view *level)
{
    static struct dp_book_order_view views[MODEL_ORDERS];
    uint32_t count = dp_book_level_orders(
        books, instrument, (enum dp_side)side, level->price_nanos, views, MODEL_ORDERS);
    uint32_t at = 0;
    uint64_t qty_before = 0;
    CHECK_EQUAL(count, level->order_count);
    for (uint32_t index = 0; index < model.count && check_failures == 0; index++) {
        const struct model_order *order = &model.orders[index];
        if (!model_is_at(order, instrument, side, level->price_nanos))
            continue;
        uint64_t ahead, qty_ahead;
        CHECK(dp_book_queue_ahead(books, order->order_ref, &ahead, &qty_ahead));
        CHECK_EQUAL(ahead, at);
        CHECK_EQUAL(qty_ahead, qty_before);
        CHECK_EQUAL(views[at].order_ref, order->order_ref);
        CHECK_EQUAL(views[at].qty, order->qty);
        CHECK(at == 0 || views[at].priority > views[at - 1].priority);
        qty_before += order->qty;
        at++;
    }
}

static inline void model_compare_levels(const char *view, const struct dp_book_level_view *actual,
    uint32_t actual_count, const struct dp_book_level_view *expected, uint32_t count)
{
    CHECK_THAT(actual_count == count, "%s: %u levels, expected %u", view, actual_count, count);
    for (uint32_t at = 0; at < count && check_failures == 0; at++)
        CHECK_THAT(memcmp(&actual[at], &expected[at], sizeof(expected[0])) == 0,
            "%s: level %u: %lld, expected %lld", view, at, (long long)actual[at].price_nanos,
            (long long)expected[at].price_nanos);
}

/* What a reader sees, as deep as it goes and at the top alone. */
static inline void model_compare_read(const struct dp_books *books, uint32_t instrument,
    uint32_t side, const struct dp_book_level_view *expected, uint32_t count)
{
    static struct dp_book_level_view bids[MODEL_ORDERS], asks[MODEL_ORDERS];
    struct dp_book_view view = {.bids = bids, .asks = asks};
    static const uint32_t depths[] = {MODEL_ORDERS, 2};
    for (size_t at = 0; at < sizeof(depths) / sizeof(depths[0]); at++) {
        CHECK_EQUAL(dp_book_read(books, instrument, depths[at], &view), DP_BOOK_READ_OK);
        model_compare_levels("dp_book_read", side == DP_SIDE_BUY ? bids : asks,
            side == DP_SIDE_BUY ? view.bid_count : view.ask_count, expected,
            count < depths[at] ? count : depths[at]);
    }
}

static inline void model_compare_side(
    const struct dp_books *books, uint32_t instrument, enum dp_side side)
{
    static struct dp_book_level_view expected[MODEL_ORDERS], actual[MODEL_ORDERS];
    uint32_t count = model_levels(instrument, side, expected);
    model_compare_levels("dp_book_levels", actual,
        dp_book_levels(books, instrument, side, actual, MODEL_ORDERS), expected, count);
    model_compare_read(books, instrument, side, expected, count);
    int64_t best = side == DP_SIDE_BUY ? dp_book_best_bid(books, instrument)
                                       : dp_book_best_ask(books, instrument);
    CHECK_EQUAL(best, count == 0 ? DP_PRICE_NONE : expected[0].price_nanos);
    struct dp_book_touch touch = dp_book_touch(books, instrument);
    CHECK_EQUAL(side == DP_SIDE_BUY ? touch.bid_nanos : touch.ask_nanos, best);
    CHECK_EQUAL(touch.flags, dp_book_flags(books, instrument));
    CHECK_EQUAL(touch.trading_state, dp_book_trading_state(books, instrument));
    CHECK_EQUAL(dp_book_level_count(books, instrument, side), count);
    for (uint32_t index = 0; index < count && check_failures == 0; index++) {
        struct dp_book_level_view at;
        CHECK(dp_book_level_at(books, instrument, side, expected[index].price_nanos, &at));
        CHECK(memcmp(&at, &expected[index], sizeof(at)) == 0);
        model_compare_queue(books, instrument, side, &expected[index]);
    }
}

static inline void model_compare(const struct dp_books *books)
{
    CHECK_EQUAL(dp_books_order_count(books), model.count);
    for (uint32_t instrument = 0; instrument < model.config.instrument_count_max; instrument++) {
        model_compare_side(books, instrument, DP_SIDE_BUY);
        model_compare_side(books, instrument, DP_SIDE_SELL);
    }
}

#endif
