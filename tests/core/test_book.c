/* The books against a model too simple to be wrong, and their edges. */
#include "book_model.h"

#define INSTRUMENTS 3u
#define ORDERS 200u
#define LEVELS 40u
#define REFS 300u
#define CENT 10000000

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
        CHECK_EQUAL(dp_book_remove(books, order.order_ref, 0), model_remove(order.order_ref));
}

static void run_seed(uint64_t seed)
{
    struct dp_books_config config = {INSTRUMENTS, ORDERS, LEVELS};
    struct dp_books *books = model_new_books(&config);
    uint64_t random = seed * 2 + 1;
    for (int step = 0; step < 1500 && check_failures == 0; step++) {
        change(books, &random, step / 300 % 2 == 0 ? 55 : 15);
        if (step % 20 == 0)
            model_compare(books);
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
    struct dp_books *books = model_new_books(&small);
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
    struct dp_books *books = model_new_books(&small);
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

static void test_some_instruments_start_empty_and_others_stay(void)
{
    struct dp_books *books = model_new_books(&small);
    CHECK_EQUAL(dp_book_add(books, 1, 9, DP_SIDE_SELL, 5, CENT, 1), DP_BOOK_OK);
    CHECK_EQUAL(dp_book_add(books, 2, 10, DP_SIDE_BUY, 6, CENT, 1), DP_BOOK_OK);
    CHECK_EQUAL(dp_book_add(books, 3, 11, DP_SIDE_SELL, 7, CENT, 1), DP_BOOK_OK);
    CHECK_EQUAL(dp_book_add(books, 2, 12, DP_SIDE_SELL, 8, 2 * CENT, 1), DP_BOOK_OK);
    dp_books_set_flags(books, DP_BOOK_STALE);
    dp_books_clear_some(books, 2, 2);
    CHECK_EQUAL(dp_books_order_count(books), 1);
    CHECK_EQUAL(dp_book_best_ask(books, 1), CENT);
    CHECK_EQUAL(dp_book_flags(books, 1), DP_BOOK_STALE);
    CHECK(!dp_book_is_open(books, 2) && !dp_book_is_open(books, 3));
    CHECK_EQUAL(dp_book_flags(books, 2), 0);
    CHECK_EQUAL(dp_book_open(books, 2, "ABC.D   "), DP_BOOK_OK);
    CHECK_EQUAL(dp_book_add(books, 2, 12, DP_SIDE_SELL, 1, CENT, 2), DP_BOOK_OK);
    dp_book_drop_flags(books, 1, DP_BOOK_STALE);
    CHECK_EQUAL(dp_book_flags(books, 1), 0);
    free(books);
}

static void test_a_new_session_starts_empty(void)
{
    struct dp_books *books = model_new_books(&small);
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
    struct dp_books *books = model_new_books(&small);
    struct dp_err err;
    struct dp_books_config config = {0, 1, 1};
    CHECK(dp_books_init(books, &config, &err) < 0);
    CHECK_TEXT(err.text, "books: instrument_count_max: 0; give 1 to 65536");
    config = (struct dp_books_config){65536, 1, 0};
    CHECK(dp_books_init(books, &config, &err) < 0);
    CHECK_TEXT(err.text, "books: level_count_max: 0; give 1 to 1073741824");
    free(books);
}

/* What one more costs, at any size: an order its record and its share of the index. */
static void test_an_order_a_level_and_an_instrument_cost_what_is_promised(void)
{
    struct dp_books_config few = {1, 1, 1};
    size_t base = dp_books_size(&few);
    for (uint32_t count = 256; count < 1u << 24; count += count / 7) {
        struct dp_books_config orders = {1, count, 1};
        struct dp_books_config levels = {1, 1, count};
        CHECK((dp_books_size(&orders) - base) / count <= 64);
        CHECK((dp_books_size(&levels) - base) / count <= 128);
    }
    struct dp_books_config instruments = {DP_BOOK_INSTRUMENTS_MAX, 1, 1};
    CHECK((dp_books_size(&instruments) - base) / (DP_BOOK_INSTRUMENTS_MAX - 1) <= 4096);
}

int main(void)
{
    RUN_TESTS(TEST(test_agrees_with_the_model), TEST(test_a_wrong_change_changes_nothing),
        TEST(test_flags_and_states_stay_with_their_instrument),
        TEST(test_some_instruments_start_empty_and_others_stay),
        TEST(test_a_new_session_starts_empty), TEST(test_a_configuration_out_of_range_is_refused),
        TEST(test_an_order_a_level_and_an_instrument_cost_what_is_promised));
}
