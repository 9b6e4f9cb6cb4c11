/* The skip list against a sorted array, both sides, with seeds that are printed when they fail. */
#include "check.h"
#include "dp_skiplist.h"

#define CAPACITY 300u
#define PRICES 400

static struct dp_skiplist_pool *new_pool(uint32_t capacity)
{
    size_t size = dp_round_up(dp_skiplist_pool_size(capacity), DP_CACHE_LINE);
    struct dp_skiplist_pool *pool = aligned_alloc(DP_CACHE_LINE, size);
    memset(pool, 0, size);
    dp_skiplist_pool_init(pool, capacity);
    return pool;
}

/* The model: which price has which level. */
struct model {
    uint32_t level_at[PRICES];
    uint32_t count;
};

static int64_t outwards(enum dp_side side, int step)
{
    return side == DP_SIDE_BUY ? PRICES - 1 - step : step;
}

static void compare(const struct dp_skiplist *list, const struct dp_skiplist_pool *pool,
    const struct model *model, enum dp_side side)
{
    struct dp_skiplist_cursor cursor = dp_skiplist_begin(list);
    uint32_t number = dp_skiplist_best(list);
    uint32_t before = DP_SKIPLIST_NONE;
    for (int step = 0; step < PRICES; step++) {
        int64_t price = outwards(side, step);
        uint32_t expected = model->level_at[price];
        uint32_t better;
        CHECK_EQUAL(dp_skiplist_seek(list, pool, price, &better), expected);
        CHECK_EQUAL(better, before);
        if (expected == DP_SKIPLIST_NONE)
            continue;
        struct dp_skiplist_reading reading;
        CHECK_EQUAL(number, expected);
        CHECK_EQUAL(pool->levels[number].back, before);
        CHECK_EQUAL(dp_skiplist_next(pool, pool->capacity, &cursor, &reading), DP_SKIPLIST_LEVEL);
        CHECK_EQUAL(reading.price_nanos, price);
        before = number;
        number = dp_skiplist_worse(pool, number);
    }
    CHECK_EQUAL(number, DP_SKIPLIST_NONE);
    CHECK_EQUAL(dp_skiplist_next(pool, pool->capacity, &cursor, &(struct dp_skiplist_reading){0}),
        DP_SKIPLIST_END);
    CHECK_EQUAL(list->level_count, model->count);
}

/* By its own search, or behind a level that another one found, with a tower or without. */
static uint32_t insert(struct dp_skiplist *list, struct dp_skiplist_pool *pool, int64_t price)
{
    uint32_t before;
    if (price % 3 == 0)
        return dp_skiplist_insert(list, pool, price);
    dp_skiplist_seek(list, pool, price, &before);
    return dp_skiplist_insert_behind(list, pool, price, before, price % 3 == 1);
}

static void toggle(
    struct dp_skiplist *list, struct dp_skiplist_pool *pool, struct model *model, int64_t price)
{
    uint32_t *level = &model->level_at[price];
    if (*level != DP_SKIPLIST_NONE) {
        dp_skiplist_remove(list, pool, *level);
        *level = DP_SKIPLIST_NONE;
        model->count--;
    } else if (dp_skiplist_pool_is_full(pool)) {
        CHECK_EQUAL(dp_skiplist_insert(list, pool, price), DP_SKIPLIST_NONE);
    } else {
        *level = insert(list, pool, price);
        model->count++;
    }
}

static void run_seed(enum dp_side side, uint64_t seed)
{
    struct dp_skiplist_pool *pool = new_pool(CAPACITY);
    struct dp_skiplist list = {0};
    struct model model = {0};
    uint64_t random = seed * 2 + 1;
    int before = check_failures;

    dp_skiplist_init(&list, side, (uint32_t)seed);
    for (int step = 0; step < 4000; step++) {
        /* The range breathes, so that the list is empty, small and full by turns. */
        int64_t range = 1 + (step / 500 % 2 == 0 ? PRICES - 1 : 8);
        toggle(&list, pool, &model, (int64_t)(check_random(&random) % (uint64_t)range));
        if (step % 50 == 0)
            compare(&list, pool, &model, side);
        if (check_failures != before) {
            printf("seed %llu side %d step %d\n", (unsigned long long)seed, (int)side, step);
            break;
        }
    }
    compare(&list, pool, &model, side);
    free(pool);
}

static void test_agrees_with_a_sorted_array(void)
{
    for (uint64_t seed = 0; seed < 20; seed++) {
        run_seed(DP_SIDE_BUY, seed);
        run_seed(DP_SIDE_SELL, seed);
    }
}

static void test_towers_thin_out(void)
{
    struct dp_skiplist_pool *pool = new_pool(1u << 14);
    struct dp_skiplist list = {0};
    uint32_t counts[DP_SKIPLIST_HEIGHT_MAX + 1] = {0};
    dp_skiplist_init(&list, DP_SIDE_SELL, 7);
    for (int64_t price = 0; price < 1 << 14; price++)
        counts[pool->levels[dp_skiplist_insert(&list, pool, (1 << 14) - price)].height]++;
    CHECK_EQUAL(counts[0], 0);
    for (uint32_t height = 1; height < 4; height++)
        CHECK_THAT(counts[height] > 4 * counts[height + 1], "height %u: %u levels, above it %u",
            height, counts[height], counts[height + 1]);
    free(pool);
}

static void test_a_reader_on_a_removed_level_walks_on(void)
{
    struct dp_skiplist_pool *pool = new_pool(8);
    struct dp_skiplist list = {0};
    struct dp_skiplist_reading reading;
    dp_skiplist_init(&list, DP_SIDE_SELL, 1);
    uint32_t first = dp_skiplist_insert(&list, pool, 10);
    dp_skiplist_insert(&list, pool, 20);
    struct dp_skiplist_cursor cursor = dp_skiplist_begin(&list);
    dp_skiplist_remove(&list, pool, first);
    CHECK_EQUAL(dp_skiplist_next(pool, 8, &cursor, &reading), DP_SKIPLIST_LEVEL);
    CHECK_EQUAL(reading.price_nanos, 10);
    CHECK_EQUAL(dp_skiplist_next(pool, 8, &cursor, &reading), DP_SKIPLIST_LEVEL);
    CHECK_EQUAL(reading.price_nanos, 20);
    CHECK_EQUAL(dp_skiplist_next(pool, 8, &cursor, &reading), DP_SKIPLIST_END);
    free(pool);
}

static void test_a_reader_on_a_recycled_level_is_told(void)
{
    struct dp_skiplist_pool *pool = new_pool(8);
    struct dp_skiplist list = {0};
    struct dp_skiplist_reading reading;
    dp_skiplist_init(&list, DP_SIDE_SELL, 1);
    uint32_t first = dp_skiplist_insert(&list, pool, 10);
    struct dp_skiplist_cursor cursor = dp_skiplist_begin(&list);
    dp_skiplist_remove(&list, pool, first);
    CHECK_EQUAL(dp_skiplist_insert(&list, pool, 5), first);
    CHECK_EQUAL(dp_skiplist_next(pool, 8, &cursor, &reading), DP_SKIPLIST_RECYCLED);
    cursor = (struct dp_skiplist_cursor){9};
    CHECK_EQUAL(dp_skiplist_next(pool, 8, &cursor, &reading), DP_SKIPLIST_RECYCLED);
    free(pool);
}

int main(void)
{
    RUN_TESTS(TEST(test_agrees_with_a_sorted_array), TEST(test_towers_thin_out),
        TEST(test_a_reader_on_a_removed_level_walks_on),
        TEST(test_a_reader_on_a_recycled_level_is_told));
}
