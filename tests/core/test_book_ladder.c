/* Books whose prices go everywhere, against the model: what windows, buckets and empty levels must
 * never show. The ladder's own rules are looked at as well. */
#include "book_model.h"
#include "dp_book_layout.h"

#define INSTRUMENTS 2u
#define CENT 10000000ll
#define DOLLAR (100 * CENT)
#define LAST_PRICE (INT64_MAX - 1)
#define STEPS 1500u
#define SEEDS 48u

/* ---- prices ---- */

static uint64_t below(uint64_t *random, uint64_t end)
{
    return check_random(random) % end;
}

static int64_t outwards(enum dp_side side, int64_t middle, int64_t nanos)
{
    return side == DP_SIDE_BUY ? middle - nanos : middle + nanos;
}

static int64_t near(uint64_t *random, enum dp_side side, int64_t middle, int64_t tick)
{
    return outwards(side, middle, (int64_t)below(random, 40) * tick);
}

/* Up to `high` and back to 0. */
static int64_t up_and_down(uint32_t step, uint32_t high)
{
    uint32_t at = step % (2 * high);
    return at < high ? at : 2 * high - at;
}

static int64_t drifting(uint64_t *random, uint32_t step, enum dp_side side)
{
    return near(random, side, 100 * DOLLAR + up_and_down(step, 700) * 7 * CENT, CENT);
}

static int64_t creeping(uint64_t *random, uint32_t step, enum dp_side side)
{
    return near(random, side, 300 * DOLLAR - up_and_down(step, 500) * CENT, CENT);
}

static int64_t far(uint64_t *random, uint32_t step, enum dp_side side)
{
    uint64_t away = below(random, 2 + (50000ull >> below(random, 15)));
    return outwards(side, 600 * DOLLAR + step % 16 * CENT, (int64_t)away * CENT);
}

/* More levels in one bucket than a walk has steps. */
static int64_t crowded_far_out(uint64_t *random, uint32_t step, enum dp_side side)
{
    int64_t away = step % 16 == 0 ? (int64_t)below(random, 20) : 9500 + (int64_t)below(random, 800);
    return outwards(side, 600 * DOLLAR, away * CENT);
}

static int64_t off_the_cent(uint64_t *random, uint32_t step, enum dp_side side)
{
    int64_t off = below(random, 8) == 0 ? (int64_t)below(random, (uint64_t)CENT) : 0;
    return near(random, side, 50 * DOLLAR, CENT) + off + step % 2 * CENT / 100;
}

static int64_t prime(uint64_t *random, uint32_t step, enum dp_side side)
{
    (void)step;
    return outwards(side, 50 * DOLLAR + 11, (int64_t)below(random, 300) * 7919);
}

static int64_t one_nano_apart(uint64_t *random, uint32_t step, enum dp_side side)
{
    return outwards(side, DOLLAR + step % 100, (int64_t)below(random, 300));
}

static int64_t lowest(uint64_t *random, uint32_t step, enum dp_side side)
{
    static const int64_t ticks[] = {1, 2, 3, CENT};
    (void)side;
    return 1 + (int64_t)below(random, 350) * ticks[step / 200 % 4];
}

static int64_t highest(uint64_t *random, uint32_t step, enum dp_side side)
{
    static const int64_t ticks[] = {1, 2, 5, CENT, 4 * DOLLAR};
    (void)side;
    return LAST_PRICE - (int64_t)below(random, 350) * ticks[step / 200 % 5];
}

static int64_t lowest_and_highest(uint64_t *random, uint32_t step, enum dp_side side)
{
    return below(random, 2) == 0 ? lowest(random, step, side) : highest(random, step, side);
}

static int64_t five_dollars_apart(uint64_t *random, uint32_t step, enum dp_side side)
{
    return near(random, side, (5000 + step / 500) * DOLLAR, 5 * DOLLAR);
}

/* The widest ticks there are, and prices a few nanos away from them: where a quotient by
 * multiplication comes out too large. */
static int64_t widest(uint64_t *random, uint32_t step, enum dp_side side)
{
    static const int64_t ticks[] = {UINT32_MAX, UINT32_MAX - 1, 1ll << 31, 4 * DOLLAR, 1ll << 32};
    int64_t away = (int64_t)below(random, 400) * ticks[step / 300 % 5];
    int64_t off = step % 300 > 250 ? (int64_t)below(random, 300) : 0;
    return outwards(side, 3000 * DOLLAR, away - off);
}

static int64_t on_and_off(uint64_t *random, uint32_t step, enum dp_side side)
{
    static const int64_t offs[] = {0, CENT / 2, 0, 1, 0, CENT - 1};
    return near(random, side, 20 * DOLLAR, CENT) + offs[step % 6];
}

/* Each side on ticks of its own. */
static int64_t out_of_phase(uint64_t *random, uint32_t step, enum dp_side side)
{
    (void)step;
    return near(random, side, 20 * DOLLAR + (side == DP_SIDE_BUY ? 0 : CENT / 3), CENT);
}

static int64_t crossed(uint64_t *random, uint32_t step, enum dp_side side)
{
    return near(random, side, 80 * DOLLAR + (side == DP_SIDE_BUY ? 1 : -1) * DOLLAR, CENT) +
        step % 3 * CENT;
}

static int64_t anywhere(uint64_t *random, uint32_t step, enum dp_side side);

/* ---- flows ---- */

struct flow {
    const char *name;
    int64_t (*price_nanos)(uint64_t *random, uint32_t step, enum dp_side side);
    uint32_t sell_share;  /* of 64 */
    bool is_oldest_first; /* who leaves */
};

static const struct flow flows[] = {
    {"drifting", drifting, 32, true},
    {"drifting away from old orders", drifting, 32, false},
    {"creeping", creeping, 32, true},
    {"far", far, 32, false},
    {"far, bids only", far, 0, false},
    {"drifting, asks only", drifting, 64, true},
    {"drifting, hardly an ask", drifting, 1, true},
    {"crowded far out", crowded_far_out, 6, false},
    {"off the cent", off_the_cent, 32, false},
    {"prime", prime, 32, false},
    {"one nano apart", one_nano_apart, 32, false},
    {"lowest", lowest, 32, false},
    {"highest", highest, 32, false},
    {"lowest and highest", lowest_and_highest, 32, false},
    {"five dollars apart", five_dollars_apart, 32, true},
    {"widest", widest, 32, false},
    {"on and off", on_and_off, 32, false},
    {"out of phase", out_of_phase, 32, false},
    {"crossed", crossed, 32, false},
    {"anywhere", anywhere, 32, false},
};

#define FLOWS (sizeof(flows) / sizeof(flows[0]))

static int64_t anywhere(uint64_t *random, uint32_t step, enum dp_side side)
{
    return flows[(step / 100 + below(random, 2)) % (FLOWS - 1)].price_nanos(random, step, side);
}

/* ---- the ladder's rules ---- */

static bool bit(const uint64_t *words, uint64_t at)
{
    return words[at / 64] >> at % 64 & 1;
}

static void check_on_rung(const struct dp_book *book, uint32_t side_index,
    const struct dp_skiplist_level *level, uint32_t number, uint64_t rung)
{
    uint64_t word = dp_load_relaxed(&book->occupied[side_index * DP_BOOK_RUNG_WORDS + rung / 64]);
    uint64_t occupied = word >> rung % 64 & 1;
    CHECK_EQUAL(dp_load_relaxed(dp_book_rung(book, side_index, rung)), number);
    CHECK(bit(dp_book_side(book, side_index)->hung, rung));
    CHECK_EQUAL(level->mark_word, DP_BOOK_MARK_WORD(side_index, rung));
    CHECK_EQUAL(level->mark_bit, rung % 64);
    CHECK_EQUAL(occupied, dp_load_relaxed(&level->order_count) != 0);
}

struct found {
    uint32_t hung_count;
    uint32_t bucket_count;
    uint32_t before_count;
    uint64_t bucket; /* of the last level */
};

/* Outside the window no level is empty; the first of a bucket is known. */
static void check_far(const struct dp_book *book, uint32_t side_index,
    const struct dp_skiplist_level *level, uint32_t number, struct found *found)
{
    const struct dp_book_side *side = dp_book_side(book, side_index);
    int64_t rank = dp_load_relaxed(&level->price_nanos) ^ dp_book_flip(side_index);
    uint64_t ticks = dp_book_ladder_ticks(&book->window, side_index, rank);
    CHECK_EQUAL(level->mark_word, DP_BOOK_MARK_NONE);
    CHECK(dp_load_relaxed(&level->order_count) != 0);
    if (book->window.tick == 0)
        return;
    CHECK(ticks >= DP_BOOK_RUNGS);
    found->before_count += rank < book->window.first_ranks[side_index];
    uint64_t bucket = dp_book_ladder_bucket(ticks);
    if (bucket < DP_BOOK_BUCKETS && bucket != found->bucket) {
        CHECK_EQUAL(side->buckets[bucket], number);
        CHECK(bit(side->filled, bucket));
        found->bucket_count++;
    }
    found->bucket = bucket;
}

static void check_counts(const struct dp_book_side *side, const struct found *found)
{
    uint32_t hung_count = 0;
    uint32_t filled_count = 0;
    for (uint32_t word = 0; word < DP_BOOK_RUNG_WORDS; word++)
        hung_count += (uint32_t)__builtin_popcountll(side->hung[word]);
    for (uint32_t word = 0; word < DP_BOOK_BUCKETS / 64; word++)
        filled_count += (uint32_t)__builtin_popcountll(side->filled[word]);
    CHECK_EQUAL(hung_count, found->hung_count);
    CHECK_EQUAL(filled_count, found->bucket_count);
    CHECK_EQUAL(dp_load_relaxed(&side->before_count), found->before_count);
}

static void check_ladder(const struct dp_books *books, uint32_t instrument, uint32_t side_index)
{
    const struct dp_skiplist_pool *pool = dp_books_pool(books);
    const struct dp_book *book = &books->book[instrument];
    const struct dp_book_side *side = dp_book_side(book, side_index);
    struct found found = {.bucket = UINT64_MAX};
    uint32_t before = DP_SKIPLIST_NONE;
    uint32_t number = dp_skiplist_best(&side->list);
    for (; number != DP_SKIPLIST_NONE; number = dp_skiplist_worse(pool, number)) {
        const struct dp_skiplist_level *level = &pool->levels[number];
        int64_t rank = dp_load_relaxed(&level->price_nanos) ^ dp_book_flip(side_index);
        uint64_t rung = dp_book_ladder_rung(&book->window, side_index, rank);
        CHECK_EQUAL(level->back, before);
        CHECK_EQUAL(level->instrument_index, instrument);
        CHECK_EQUAL(level->side_index, side_index);
        if (rung < DP_BOOK_RUNGS)
            check_on_rung(book, side_index, level, number, rung);
        else
            check_far(book, side_index, level, number, &found);
        found.hung_count += rung < DP_BOOK_RUNGS;
        before = number;
    }
    check_counts(side, &found);
}

/* A price may have a level in the model or none: both say the same. */
static void probe(const struct dp_books *books, const struct flow *flow, uint32_t step)
{
    uint64_t random = step * 2 + 1;
    for (uint32_t times = 0; times < 16; times++) {
        enum dp_side side = times % 2 == 0 ? DP_SIDE_BUY : DP_SIDE_SELL;
        int64_t price = flow->price_nanos(&random, step, side) + times % 3 - 1;
        struct dp_book_level_view level;
        CHECK_EQUAL(dp_book_level_at(books, 0, side, price, &level),
            model_level(0, side, price).order_count != 0);
    }
}

static void compare(const struct dp_books *books, const struct flow *flow, uint32_t step)
{
    model_compare(books);
    for (uint32_t instrument = 0; instrument < INSTRUMENTS; instrument++) {
        check_ladder(books, instrument, 0);
        check_ladder(books, instrument, 1);
    }
    probe(books, flow, step);
}

/* ---- changes ---- */

/* References go up; one in eight was used before. */
static struct model_order random_order(const struct flow *flow, uint64_t *random, uint32_t step)
{
    bool is_sell = below(random, 64) < flow->sell_share;
    enum dp_side side = is_sell ? DP_SIDE_SELL : DP_SIDE_BUY;
    return (struct model_order){
        .order_ref = below(random, 8) == 0 ? below(random, step + 1) : step,
        .price_nanos = flow->price_nanos(random, step, side),
        .qty = 1 + below(random, 3),
        .side = side,
    };
}

static uint64_t leaving_ref(const struct flow *flow, uint64_t *random)
{
    uint32_t end = flow->is_oldest_first && model.count > 4 ? 4 : model.count;
    return end == 0 ? UINT64_MAX : model.orders[below(random, end)].order_ref;
}

static void change(struct dp_books *books, const struct flow *flow, struct model_order order,
    uint64_t *random, uint32_t add_share)
{
    uint64_t old_ref = leaving_ref(flow, random);
    uint64_t kind = below(random, 100);
    if (kind < add_share)
        CHECK_EQUAL(dp_book_add(books, order.instrument_index, order.order_ref,
                        (enum dp_side)order.side, order.qty, order.price_nanos, 0),
            model_add(&order));
    else if (kind < add_share + 15)
        CHECK_EQUAL(
            dp_book_replace(books, old_ref, order.order_ref, order.qty, order.price_nanos, 0),
            model_replace(old_ref, order));
    else if (kind < add_share + 20)
        CHECK_EQUAL(dp_book_reduce(books, old_ref, order.qty, 0), model_reduce(old_ref, order.qty));
    else
        CHECK_EQUAL(dp_book_remove(books, old_ref, 0), model_remove(old_ref));
}

static void clear(struct dp_books *books)
{
    dp_books_clear(books);
    model.count = 0;
    model_open(books);
}

/* A quarter has room for all levels; the others must close empty ones again and again. */
static struct dp_books *books_of_seed(uint64_t seed)
{
    static const uint32_t level_counts[] = {400, 3, 12, 40};
    struct dp_books_config config = {INSTRUMENTS, seed / 4 % 2 == 0 ? 40 : 250, 0};
    config.level_count_max = level_counts[seed % 4];
    return model_new_books(&config);
}

/* One instrument in the flow, a few orders of the next flow in the other one. */
static void run_flow(size_t number, uint64_t seed)
{
    struct dp_books *books = books_of_seed(seed);
    uint64_t random = (seed * FLOWS + number) * 2 + 1;
    for (uint32_t step = 0; step < STEPS && check_failures == 0; step++) {
        uint32_t instrument = below(&random, 8) == 0;
        const struct flow *flow = &flows[(number + instrument) % FLOWS];
        struct model_order order = random_order(flow, &random, step);
        order.instrument_index = instrument;
        change(books, flow, order, &random, step / 250 % 3 == 2 ? 25 : 60);
        if (below(&random, 1000) == 0)
            clear(books);
        if (step % 50 == 49)
            compare(books, &flows[number], step);
        if (check_failures != 0)
            printf("%s: seed %llu step %u\n", flows[number].name, (unsigned long long)seed, step);
    }
    free(books);
}

static void test_agrees_with_the_model_wherever_prices_go(void)
{
    for (uint64_t seed = 0; seed < SEEDS && check_failures == 0; seed++)
        for (size_t number = 0; number < FLOWS && check_failures == 0; number++)
            run_flow(number, seed);
}

/* ---- a pool without a level to spare ---- */

static enum dp_book_result add(struct dp_books *books, uint64_t order_ref, int64_t cents)
{
    struct model_order order = {order_ref, cents * CENT, 1, 0, DP_SIDE_BUY};
    enum dp_book_result result = dp_book_add(books, 0, order_ref, DP_SIDE_BUY, 1, cents * CENT, 0);
    CHECK_EQUAL(result, model_add(&order));
    return result;
}

static enum dp_book_result move(
    struct dp_books *books, uint64_t order_ref, uint64_t new_order_ref, int64_t cents)
{
    struct model_order order = {new_order_ref, cents * CENT, 1, 0, DP_SIDE_BUY};
    enum dp_book_result result =
        dp_book_replace(books, order_ref, new_order_ref, 1, cents * CENT, 0);
    CHECK_EQUAL(result, model_replace(order_ref, order));
    return result;
}

static struct dp_books *books_of_four_levels(void)
{
    static const struct dp_books_config config = {INSTRUMENTS, 100, 4};
    struct dp_books *books = model_new_books(&config);
    for (uint64_t at = 0; at < 4; at++)
        CHECK_EQUAL(add(books, at, 1000 + (int64_t)at), DP_BOOK_OK);
    return books;
}

static void test_a_pool_is_full_only_when_every_level_holds_orders(void)
{
    struct dp_books *books = books_of_four_levels();
    for (uint64_t at = 4; at < 2000 && check_failures == 0; at++) {
        int64_t cents = 1003 - (int64_t)(at * 13 % 101);
        CHECK_EQUAL(add(books, at, 5000), DP_BOOK_FULL);
        CHECK_EQUAL(dp_book_remove(books, at - 4, 0), model_remove(at - 4));
        CHECK_EQUAL(dp_books_pool(books)->live_count, 4); /* its level stays on its rung, empty */
        CHECK_EQUAL(add(books, at, cents), DP_BOOK_OK);
        compare(books, &flows[0], 0);
    }
    free(books);
}

static void test_the_last_order_of_a_level_takes_it_along(void)
{
    struct dp_books *books = books_of_four_levels();
    static const int64_t moves[] = {1004, 900, 1003, 99999, 1, 1005, 1005, 700, 100000, 1006};
    uint64_t order_ref = 3;
    for (size_t at = 0; at < sizeof(moves) / sizeof(moves[0]); at++, order_ref += 10) {
        CHECK_EQUAL(move(books, order_ref, order_ref + 10, moves[at]), DP_BOOK_OK);
        compare(books, &flows[0], 0);
    }
    free(books);
}

static void test_one_of_two_orders_cannot_take_the_level_along(void)
{
    struct dp_books *books = books_of_four_levels();
    CHECK_EQUAL(add(books, 4, 1003), DP_BOOK_OK);
    CHECK_EQUAL(move(books, 3, 30, 1004), DP_BOOK_FULL);
    compare(books, &flows[0], 0);
    CHECK_EQUAL(move(books, 3, 30, 1002), DP_BOOK_OK);
    CHECK_EQUAL(dp_book_remove(books, 0, 0), model_remove(0));
    CHECK_EQUAL(move(books, 30, 31, 1004), DP_BOOK_OK);
    compare(books, &flows[0], 0);
    free(books);
}

/* Levels that wait for orders in one book are room for another one. */
static void test_empty_levels_of_another_book_are_room(void)
{
    struct dp_books *books = books_of_four_levels();
    for (uint64_t at = 0; at < 4; at++)
        CHECK_EQUAL(dp_book_remove(books, at, 0), model_remove(at));
    for (uint64_t at = 0; at < 4; at++) {
        struct model_order order = {at, (500 + (int64_t)at) * CENT, 1, 1, DP_SIDE_SELL};
        CHECK_EQUAL(
            dp_book_add(books, 1, at, DP_SIDE_SELL, 1, order.price_nanos, 0), model_add(&order));
    }
    compare(books, &flows[0], 0);
    CHECK_EQUAL(add(books, 9, 1000), DP_BOOK_FULL);
    free(books);
}

static uint64_t sequence_of(const struct dp_books *books, uint32_t instrument)
{
    struct dp_book_level_view bids[1], asks[1];
    struct dp_book_view view = {.bids = bids, .asks = asks};
    CHECK_EQUAL(dp_book_read(books, instrument, 1, &view), DP_BOOK_READ_OK);
    return view.sequence;
}

static void test_a_refused_change_is_no_change(void)
{
    struct dp_books *books = books_of_four_levels();
    uint64_t before[] = {sequence_of(books, 0), sequence_of(books, 1)};
    CHECK_EQUAL(add(books, 4, 1004), DP_BOOK_FULL);
    CHECK_EQUAL(sequence_of(books, 0), before[0]);
    CHECK_EQUAL(sequence_of(books, 1), before[1]);
    free(books);
}

int main(void)
{
    RUN_TESTS(TEST(test_agrees_with_the_model_wherever_prices_go),
        TEST(test_a_pool_is_full_only_when_every_level_holds_orders),
        TEST(test_the_last_order_of_a_level_takes_it_along),
        TEST(test_one_of_two_orders_cannot_take_the_level_along),
        TEST(test_empty_levels_of_another_book_are_room), TEST(test_a_refused_change_is_no_change));
}
