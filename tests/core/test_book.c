/* The books against a model too simple to be wrong:
 * one array of orders in the order of their arrival. */
#include "check.h"
#include "dp_book.h"

#define INSTRUMENTS 3u
#define ORDERS 200u
#define LEVELS 40u
#define REFS 300u
#define CENT 10000000

struct model_order {
    uint64_t order_ref;
    int64_t price_nanos;
    uint64_t qty; /* 0: gone */
    uint32_t instrument_index;
    uint32_t side;
};

struct model {
    struct model_order orders[200000];
    uint32_t count;
};

static struct model model;

static struct dp_books *new_books(const struct dp_books_config *config)
{
    size_t size = dp_round_up(dp_books_size(config), DP_CACHE_LINE);
    struct dp_books *books = aligned_alloc(DP_CACHE_LINE, size);
    memset(books, 0, size);
    CHECK_EQUAL(dp_books_init(books, config, NULL), 0);
    for (uint32_t index = 0; index < config->instrument_count_max; index++)
        dp_book_open(books, index, "TEST    ");
    return books;
}

/* ---- the model ---- */

static struct model_order *model_find(uint64_t order_ref)
{
    for (uint32_t index = model.count; index-- > 0;)
        if (model.orders[index].qty != 0 && model.orders[index].order_ref == order_ref)
            return &model.orders[index];
    return NULL;
}

static uint32_t model_live(void)
{
    uint32_t count = 0;
    for (uint32_t index = 0; index < model.count; index++)
        count += model.orders[index].qty != 0;
    return count;
}

static bool is_at(
    const struct model_order *order, uint32_t instrument, uint32_t side, int64_t price)
{
    return order->qty != 0 && order->instrument_index == instrument && order->side == side &&
        order->price_nanos == price;
}

static struct dp_book_level_view model_level(uint32_t instrument, uint32_t side, int64_t price)
{
    struct dp_book_level_view level = {price, 0, 0};
    for (uint32_t index = 0; index < model.count; index++)
        if (is_at(&model.orders[index], instrument, side, price)) {
            level.qty += model.orders[index].qty;
            level.order_count++;
        }
    return level;
}

static uint32_t model_level_count(void)
{
    uint32_t count = 0;
    for (uint32_t index = 0; index < model.count; index++) {
        const struct model_order *order = &model.orders[index];
        bool first = order->qty != 0;
        for (uint32_t earlier = 0; first && earlier < index; earlier++)
            first = !is_at(
                &model.orders[earlier], order->instrument_index, order->side, order->price_nanos);
        count += first;
    }
    return count;
}

static bool level_fits(uint32_t instrument, uint32_t side, int64_t price)
{
    return model_level(instrument, side, price).order_count != 0 || model_level_count() < LEVELS;
}

static void model_append(const struct model_order *order)
{
    model.orders[model.count++] = *order;
}

static enum dp_book_result model_add(const struct model_order *order)
{
    if (order->qty == 0 || order->price_nanos <= 0 || order->instrument_index >= INSTRUMENTS)
        return DP_BOOK_INVALID;
    if (model_find(order->order_ref) != NULL)
        return DP_BOOK_DUPLICATE_ORDER;
    if (model_live() == ORDERS ||
        !level_fits(order->instrument_index, order->side, order->price_nanos))
        return DP_BOOK_FULL;
    model_append(order);
    return DP_BOOK_OK;
}

static enum dp_book_result model_reduce(uint64_t order_ref, uint64_t qty)
{
    struct model_order *order = model_find(order_ref);
    if (order == NULL)
        return DP_BOOK_UNKNOWN_ORDER;
    if (qty > order->qty)
        return DP_BOOK_OVER_REDUCTION;
    order->qty -= qty;
    return DP_BOOK_OK;
}

static enum dp_book_result model_replace(uint64_t order_ref, struct model_order order)
{
    struct model_order *old = model_find(order_ref);
    if (old == NULL)
        return DP_BOOK_UNKNOWN_ORDER;
    if (order.qty == 0 || order.price_nanos <= 0)
        return DP_BOOK_INVALID;
    if (model_find(order.order_ref) != NULL)
        return DP_BOOK_DUPLICATE_ORDER;
    uint64_t old_qty = old->qty;
    old->qty = 0;
    order.instrument_index = old->instrument_index;
    order.side = old->side;
    if (!level_fits(order.instrument_index, order.side, order.price_nanos)) {
        old->qty = old_qty;
        return DP_BOOK_FULL;
    }
    model_append(&order);
    return DP_BOOK_OK;
}

/* ---- comparing every view ---- */

static uint32_t model_levels(uint32_t instrument, uint32_t side, struct dp_book_level_view *levels)
{
    uint32_t count = 0;
    for (int step = 0; step <= 60; step++) {
        int64_t price = (side == DP_SIDE_BUY ? 60 - step : step) * (int64_t)CENT / 2;
        struct dp_book_level_view level = model_level(instrument, side, price);
        if (level.order_count != 0)
            levels[count++] = level;
    }
    return count;
}

static void compare_queue(const struct dp_books *books, uint32_t instrument, uint32_t side,
    const struct dp_book_level_view *level)
{
    static struct dp_book_order_view views[ORDERS];
    uint32_t count = dp_book_level_orders(
        books, instrument, (enum dp_side)side, level->price_nanos, views, ORDERS);
    uint32_t at = 0;
    uint64_t qty_before = 0;
    CHECK_EQUAL(count, level->order_count);
    for (uint32_t index = 0; index < model.count && check_failures == 0; index++) {
        const struct model_order *order = &model.orders[index];
        if (!is_at(order, instrument, side, level->price_nanos))
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

static void compare_side(const struct dp_books *books, uint32_t instrument, uint32_t side)
{
    struct dp_book_level_view expected[64], actual[64], bids[64], asks[64];
    struct dp_book_view view = {.bids = bids, .asks = asks};
    uint32_t count = model_levels(instrument, side, expected);
    CHECK_EQUAL(dp_book_levels(books, instrument, (enum dp_side)side, actual, 64), count);
    CHECK_EQUAL(dp_book_read(books, instrument, 64, &view), DP_BOOK_READ_OK);
    CHECK_EQUAL(side == DP_SIDE_BUY ? view.bid_count : view.ask_count, count);
    const struct dp_book_level_view *read = side == DP_SIDE_BUY ? bids : asks;
    int64_t best = side == DP_SIDE_BUY ? dp_book_best_bid(books, instrument)
                                       : dp_book_best_ask(books, instrument);
    CHECK_EQUAL(best, count == 0 ? DP_PRICE_NONE : expected[0].price_nanos);
    for (uint32_t index = 0; index < count && check_failures == 0; index++) {
        struct dp_book_level_view at;
        CHECK(memcmp(&actual[index], &expected[index], sizeof(expected[0])) == 0);
        CHECK(memcmp(&read[index], &expected[index], sizeof(expected[0])) == 0);
        CHECK(dp_book_level_at(
            books, instrument, (enum dp_side)side, expected[index].price_nanos, &at));
        CHECK(memcmp(&at, &expected[index], sizeof(at)) == 0);
        compare_queue(books, instrument, side, &expected[index]);
    }
}

static void compare(const struct dp_books *books)
{
    CHECK_EQUAL(dp_books_order_count(books), model_live());
    for (uint32_t instrument = 0; instrument < INSTRUMENTS; instrument++) {
        compare_side(books, instrument, DP_SIDE_BUY);
        compare_side(books, instrument, DP_SIDE_SELL);
    }
}

/* ---- random flows ---- */

static struct model_order random_order(uint64_t *random)
{
    uint64_t bits = check_random(random);
    return (struct model_order){
        /* References in one cache line, in many, and above 32 bits. */
        .order_ref = bits % REFS + (bits >> 20 & 1 ? 7ull << 32 : 0),
        .price_nanos = (int64_t)(bits >> 24 & 63) * CENT / 2 % (61ll * CENT / 2),
        .qty = bits >> 32 & 3,
        .instrument_index =
            (uint32_t)(bits >> 40 & 15) == 0 ? INSTRUMENTS : (uint32_t)(bits >> 44) % INSTRUMENTS,
        .side = bits >> 60 & 1 ? DP_SIDE_BUY : DP_SIDE_SELL,
    };
}

static void change(struct dp_books *books, uint64_t *random, uint32_t add_share)
{
    struct model_order order = random_order(random);
    uint64_t other_ref = random_order(random).order_ref;
    uint64_t kind = check_random(random) % 100;
    if (kind < add_share)
        CHECK_EQUAL(dp_book_add(books, order.instrument_index, order.order_ref,
                        (enum dp_side)order.side, order.qty, order.price_nanos, 0),
            model_add(&order));
    else if (kind < 65)
        CHECK_EQUAL(dp_book_reduce(books, order.order_ref, order.qty, 0),
            model_reduce(order.order_ref, order.qty));
    else if (kind < 85)
        CHECK_EQUAL(
            dp_book_replace(books, other_ref, order.order_ref, order.qty, order.price_nanos, 0),
            model_replace(other_ref, order));
    else
        CHECK_EQUAL(dp_book_remove(books, order.order_ref, 0),
            model_reduce(order.order_ref,
                model_find(order.order_ref) == NULL ? 0 : model_find(order.order_ref)->qty));
}

static void run_seed(uint64_t seed)
{
    struct dp_books_config config = {INSTRUMENTS, ORDERS, LEVELS};
    struct dp_books *books = new_books(&config);
    uint64_t random = seed * 2 + 1;
    model.count = 0;
    for (int step = 0; step < 1500 && check_failures == 0; step++) {
        change(books, &random, step / 300 % 2 == 0 ? 55 : 15);
        if (step % 20 == 0)
            compare(books);
        if (check_failures != 0)
            printf("seed %llu step %d\n", (unsigned long long)seed, step);
    }
    free(books);
}

static void test_agrees_with_the_model(void)
{
    for (uint64_t seed = 0; seed < 30 && check_failures == 0; seed++)
        run_seed(seed);
}

/* ---- edges ---- */

static const struct dp_books_config small = {4, 8, 8};

static void test_a_wrong_change_changes_nothing(void)
{
    struct dp_books *books = new_books(&small);
    CHECK_EQUAL(dp_book_add(books, 0, 1, DP_SIDE_BUY, 100, CENT, 5), DP_BOOK_OK);
    static const struct {
        const char *name;
        uint32_t instrument;
        uint64_t order_ref;
        enum dp_side side;
        uint64_t qty;
        int64_t price;
        enum dp_book_result result;
    } rows[] = {
        {"live reference", 0, 1, DP_SIDE_BUY, 1, CENT, DP_BOOK_DUPLICATE_ORDER},
        {"instrument behind the end", 4, 2, DP_SIDE_BUY, 1, CENT, DP_BOOK_INVALID},
        {"no side", 0, 2, DP_SIDE_NONE, 1, CENT, DP_BOOK_INVALID},
        {"no quantity", 0, 2, DP_SIDE_BUY, 0, CENT, DP_BOOK_INVALID},
        {"quantity above 32 bits", 0, 2, DP_SIDE_BUY, 1ull << 32, CENT, DP_BOOK_INVALID},
        {"no price", 0, 2, DP_SIDE_BUY, 1, 0, DP_BOOK_INVALID},
        {"price none", 0, 2, DP_SIDE_BUY, 1, DP_PRICE_NONE, DP_BOOK_INVALID},
    };
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        CHECK_THAT(dp_book_add(books, rows[row].instrument, rows[row].order_ref, rows[row].side,
                       rows[row].qty, rows[row].price, 6) == rows[row].result,
            "%s", rows[row].name);
    }
    CHECK_EQUAL(dp_book_reduce(books, 1, 101, 6), DP_BOOK_OVER_REDUCTION);
    CHECK_EQUAL(dp_book_reduce(books, 2, 1, 6), DP_BOOK_UNKNOWN_ORDER);
    CHECK_EQUAL(dp_book_remove(books, 2, 6), DP_BOOK_UNKNOWN_ORDER);
    CHECK_EQUAL(dp_book_replace(books, 1, 1, 5, CENT, 6), DP_BOOK_DUPLICATE_ORDER);
    CHECK_EQUAL(dp_book_replace(books, 1, 2, 0, CENT, 6), DP_BOOK_INVALID);
    struct dp_book_level_view bids[2], asks[2];
    struct dp_book_view view = {.bids = bids, .asks = asks};
    CHECK_EQUAL(dp_book_read(books, 0, 2, &view), DP_BOOK_READ_OK);
    CHECK_EQUAL(view.sequence, 2); /* opened, one order */
    CHECK_EQUAL(view.time_ns, 5);
    CHECK_EQUAL(bids[0].qty, 100);
    free(books);
}

static void test_flags_and_states_stay_with_their_instrument(void)
{
    struct dp_books *books = new_books(&small);
    dp_book_set_trading_state(books, 1, DP_TRADING_OPEN);
    dp_book_set_operational_halt(books, 1, true);
    CHECK_EQUAL(dp_book_trading_state(books, 1), DP_TRADING_HALTED);
    CHECK_EQUAL(dp_book_flags(books, 1), 0);
    dp_book_set_operational_halt(books, 1, false);
    CHECK_EQUAL(dp_book_trading_state(books, 1), DP_TRADING_OPEN);
    CHECK_EQUAL(dp_book_trading_state(books, 2), DP_TRADING_UNKNOWN);
    dp_book_set_flags(books, 2, DP_BOOK_SUSPECT);
    CHECK_EQUAL(dp_book_flags(books, 2), DP_BOOK_SUSPECT);
    dp_books_set_flags(books, DP_BOOK_STALE);
    CHECK_EQUAL(dp_book_flags(books, 2), DP_BOOK_SUSPECT | DP_BOOK_STALE);
    CHECK_EQUAL(dp_book_flags(books, 3), DP_BOOK_STALE);
    free(books);
}

static void test_a_new_session_starts_empty(void)
{
    struct dp_books *books = new_books(&small);
    CHECK_EQUAL(dp_book_add(books, 1, 9, DP_SIDE_SELL, 5, CENT, 1), DP_BOOK_OK);
    dp_book_open(books, 2, "ABC.D   ");
    CHECK_EQUAL(dp_books_find(books, "ABC.D"), 2);
    dp_books_set_flags(books, DP_BOOK_STALE);
    dp_books_clear(books);
    CHECK_EQUAL(dp_books_order_count(books), 0);
    CHECK_EQUAL(dp_books_instrument_count(books), 0);
    CHECK_EQUAL(dp_books_find(books, "ABC.D"), DP_BOOK_NONE);
    CHECK_EQUAL(dp_book_best_ask(books, 1), DP_PRICE_NONE);
    CHECK_EQUAL(dp_book_flags(books, 1), 0);
    CHECK_EQUAL(dp_book_add(books, 1, 9, DP_SIDE_SELL, 5, CENT, 1), DP_BOOK_INVALID);
    dp_book_open(books, 1, "TEST    ");
    for (uint64_t order_ref = 1; order_ref <= 8; order_ref++)
        CHECK_EQUAL(dp_book_add(books, 1, order_ref, DP_SIDE_SELL, 5, CENT * (int64_t)order_ref, 1),
            DP_BOOK_OK);
    CHECK_EQUAL(dp_book_add(books, 1, 9, DP_SIDE_SELL, 5, CENT, 1), DP_BOOK_FULL);
    free(books);
}

static void test_a_configuration_out_of_range_is_refused(void)
{
    struct dp_books *books = new_books(&small);
    struct dp_err err;
    struct dp_books_config config = {0, 1, 1};
    CHECK(dp_books_init(books, &config, &err) < 0);
    CHECK_TEXT(err.text, "books: instrument_count_max: 0; give 1 to 65536");
    config = (struct dp_books_config){65536, 1, 0};
    CHECK(dp_books_init(books, &config, &err) < 0);
    CHECK_TEXT(err.text, "books: level_count_max: 0; give 1 to 1073741824");
    free(books);
}

int main(void)
{
    RUN_TESTS(TEST(test_agrees_with_the_model), TEST(test_a_wrong_change_changes_nothing),
        TEST(test_flags_and_states_stay_with_their_instrument),
        TEST(test_a_new_session_starts_empty), TEST(test_a_configuration_out_of_range_is_refused));
}
