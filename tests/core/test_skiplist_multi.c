/* dp_skiplist_multi in one thread, against an array; seeds are printed when they fail. Several
 * threads: tests/prove and test_skiplist_threads; processes that die: test_skiplist_death. */
#include "check.h"
#include "dp_skiplist_multi_layout.h"

#define CAPACITY 200u
#define PRICES 300

struct world {
    struct dp_skiplist_multi *multi;
    struct dp_epoch *epoch;
    struct dp_skiplist_multi_writer writer;
};

static void *zeroed(size_t size)
{
    size = dp_round_up(size, DP_CACHE_LINE);
    return memset(aligned_alloc(DP_CACHE_LINE, size), 0, size);
}

static struct world begin(uint32_t capacity)
{
    struct dp_err err;
    struct world world = {
        .multi = zeroed(dp_skiplist_multi_size(2, capacity)), .epoch = zeroed(dp_epoch_size(2))};
    dp_epoch_init(world.epoch, 2);
    CHECK_EQUAL(dp_skiplist_multi_init(world.multi, 2, capacity, &err), 0);
    CHECK(dp_skiplist_multi_join(&world.writer, world.multi, world.epoch, 1));
    return world;
}

static void end(struct world *world)
{
    CHECK(dp_skiplist_multi_leave(&world->writer));
    free(world->multi);
    free(world->epoch);
}

/* ---- against a model: quantity of each price, -1 for none ---- */

static int64_t outwards(uint32_t list, int step)
{
    return list == 0 ? PRICES - step : 1 + step;
}

static void compare(const struct world *world, uint32_t list, const int64_t *model)
{
    struct dp_skiplist_multi_cursor cursor = dp_skiplist_multi_begin(world->multi, list);
    struct dp_skiplist_multi_level level;
    for (int step = 0; step < PRICES; step++) {
        int64_t price = outwards(list, step);
        bool is_there = model[price] >= 0;
        CHECK_EQUAL(dp_skiplist_multi_find(world->multi, list, price, &level), is_there);
        if (!is_there)
            continue;
        CHECK_EQUAL(level.qty, model[price]);
        CHECK(dp_skiplist_multi_next(&cursor, &level));
        CHECK_EQUAL(level.price_nanos, price);
        CHECK_EQUAL(level.order_count, model[price] / 2);
    }
    CHECK(!dp_skiplist_multi_next(&cursor, &level));
}

static void put(struct world *world, uint32_t list, int64_t *model, int64_t price, uint32_t *count)
{
    enum dp_skiplist_multi_result result =
        dp_skiplist_multi_insert(&world->writer, list, price, (uint64_t)price, (uint32_t)price / 2);
    if (model[price] >= 0) {
        CHECK_EQUAL(result, *count < CAPACITY ? DP_SKIPLIST_MULTI_EXISTS : DP_SKIPLIST_MULTI_FULL);
        return;
    }
    CHECK_EQUAL(result, *count < CAPACITY ? DP_SKIPLIST_MULTI_OK : DP_SKIPLIST_MULTI_FULL);
    if (result == DP_SKIPLIST_MULTI_OK) {
        model[price] = price;
        ++*count;
    }
}

static void take(struct world *world, uint32_t list, int64_t *model, int64_t price, uint32_t *count)
{
    struct dp_skiplist_multi_level last = {0};
    enum dp_skiplist_multi_result result =
        dp_skiplist_multi_remove(&world->writer, list, price, &last);
    CHECK_EQUAL(result, model[price] >= 0 ? DP_SKIPLIST_MULTI_OK : DP_SKIPLIST_MULTI_NONE);
    if (result == DP_SKIPLIST_MULTI_OK) {
        CHECK_EQUAL(last.qty, model[price]);
        --*count;
    }
    model[price] = -1;
}

static void grow(struct world *world, uint32_t list, int64_t *model, int64_t price)
{
    enum dp_skiplist_multi_result result =
        dp_skiplist_multi_change(&world->writer, list, price, 2, 1);
    CHECK_EQUAL(result, model[price] >= 0 ? DP_SKIPLIST_MULTI_OK : DP_SKIPLIST_MULTI_NONE);
    if (model[price] >= 0)
        model[price] += 2;
}

static void run_seed(uint64_t seed)
{
    struct world world = begin(CAPACITY);
    int64_t model[2][PRICES + 1];
    uint32_t count = 0;
    uint64_t random = seed * 2 + 1;
    int before = check_failures;
    memset(model, 0xff, sizeof(model));
    for (int step = 0; step < 4000 && check_failures == before; step++) {
        /* The range breathes, so that the lists are empty, small and full by turns. */
        uint64_t range = step / 500 % 2 == 0 ? PRICES : 8;
        uint32_t list = check_random(&random) & 1;
        int64_t price = 1 + (int64_t)(check_random(&random) % range);
        switch (check_random(&random) % 3) {
        case 0: put(&world, list, model[list], price, &count); break;
        case 1: take(&world, list, model[list], price, &count); break;
        default: grow(&world, list, model[list], price);
        }
        if (step % 100 == 0)
            compare(&world, list, model[list]);
    }
    compare(&world, 0, model[0]);
    compare(&world, 1, model[1]);
    if (check_failures != before)
        printf("seed %llu\n", (unsigned long long)seed);
    end(&world);
}

static void test_agrees_with_an_array(void)
{
    for (uint64_t seed = 0; seed < 20; seed++)
        run_seed(seed);
}

/* ---- edges ---- */

static void test_amounts_stay_in_range(void)
{
    struct world world = begin(4);
    struct dp_skiplist_multi_writer *writer = &world.writer;
    struct dp_skiplist_multi_level level;
    uint64_t most = DP_SKIPLIST_MULTI_QTY_MAX;
    CHECK_EQUAL(dp_skiplist_multi_insert(writer, 0, 5, most + 1, 0), DP_SKIPLIST_MULTI_RANGE);
    CHECK_EQUAL(dp_skiplist_multi_insert(writer, 0, 5, 0, DP_SKIPLIST_MULTI_ORDERS_MAX + 1),
        DP_SKIPLIST_MULTI_RANGE);
    CHECK_EQUAL(dp_skiplist_multi_insert(writer, 0, 5, most, DP_SKIPLIST_MULTI_ORDERS_MAX),
        DP_SKIPLIST_MULTI_OK);
    CHECK_EQUAL(dp_skiplist_multi_change(writer, 0, 5, 1, 0), DP_SKIPLIST_MULTI_RANGE);
    CHECK_EQUAL(dp_skiplist_multi_change(writer, 0, 5, 0, 1), DP_SKIPLIST_MULTI_RANGE);
    CHECK_EQUAL(
        dp_skiplist_multi_change(writer, 0, 5, -(int64_t)most - 1, 0), DP_SKIPLIST_MULTI_RANGE);
    CHECK_EQUAL(dp_skiplist_multi_change(
                    writer, 0, 5, -(int64_t)most + 7, -(int32_t)DP_SKIPLIST_MULTI_ORDERS_MAX + 3),
        DP_SKIPLIST_MULTI_OK);
    CHECK(dp_skiplist_multi_find(world.multi, 0, 5, &level));
    CHECK_EQUAL(level.qty, 7);
    CHECK_EQUAL(level.order_count, 3);
    end(&world);
}

static void test_only_an_empty_level_goes_when_empty_is_asked_for(void)
{
    struct world world = begin(4);
    struct dp_skiplist_multi_writer *writer = &world.writer;
    CHECK_EQUAL(dp_skiplist_multi_remove_empty(writer, 1, 5), DP_SKIPLIST_MULTI_NONE);
    CHECK_EQUAL(dp_skiplist_multi_insert(writer, 1, 5, 10, 1), DP_SKIPLIST_MULTI_OK);
    CHECK_EQUAL(dp_skiplist_multi_remove_empty(writer, 1, 5), DP_SKIPLIST_MULTI_IN_USE);
    CHECK_EQUAL(dp_skiplist_multi_change(writer, 1, 5, -10, -1), DP_SKIPLIST_MULTI_OK);
    CHECK_EQUAL(dp_skiplist_multi_remove_empty(writer, 1, 5), DP_SKIPLIST_MULTI_OK);
    CHECK_EQUAL(dp_skiplist_multi_remove_empty(writer, 1, 5), DP_SKIPLIST_MULTI_NONE);
    end(&world);
}

static void test_what_is_wrong_is_named(void)
{
    struct dp_err err;
    void *memory = zeroed(4096);
    CHECK_EQUAL(dp_skiplist_multi_init(memory, 0, 5, &err), -22);
    CHECK_TEXT(err.text, "skiplist: list_count: 0; give 1 to 65536");
    CHECK_EQUAL(dp_skiplist_multi_init(memory, 2, 1u << 25, &err), -22);
    CHECK_TEXT(err.text, "skiplist: capacity: 33554432; give 1 to 16777216");
    free(memory);
}

/* Nothing is lost of the pool to somebody who is inside, but nothing comes back either. */
static void test_a_sleeper_inside_holds_garbage_back(void)
{
    struct world world = begin(8);
    struct dp_skiplist_multi_level last;
    uint32_t sleeper = dp_epoch_join(world.epoch, 2);
    dp_epoch_enter(world.epoch, sleeper);
    uint32_t done = 0;
    while (dp_skiplist_multi_insert(&world.writer, 1, 5, 1, 1) == DP_SKIPLIST_MULTI_OK) {
        CHECK_EQUAL(dp_skiplist_multi_remove(&world.writer, 1, 5, &last), DP_SKIPLIST_MULTI_OK);
        done++;
    }
    CHECK_EQUAL(done, 8);
    CHECK_EQUAL(dp_epoch_advance(world.epoch), sleeper);
    dp_epoch_exit(world.epoch, sleeper);
    CHECK_EQUAL(dp_skiplist_multi_insert(&world.writer, 1, 5, 1, 1), DP_SKIPLIST_MULTI_OK);
    end(&world);
}

static void test_towers_thin_out(void)
{
    struct world world = begin(1u << 14);
    uint32_t counts[DP_SKIPLIST_MULTI_HEIGHT_MAX + 2] = {0};
    for (int64_t price = 1; price <= 1 << 14; price++)
        CHECK_EQUAL(dp_skiplist_multi_insert(&world.writer, 1, price * 7919 % 16411, 1, 1),
            DP_SKIPLIST_MULTI_OK);
    for (uint32_t number = 1; number <= 1u << 14; number++)
        counts[dp_skiplist_multi_record(world.multi, number)->height]++;
    CHECK_EQUAL(counts[0], 0);
    for (uint32_t height = 1; height < 5; height++)
        CHECK_THAT(counts[height] > 2 * counts[height + 1], "height %u: %u levels, above it %u",
            height, counts[height], counts[height + 1]);
    end(&world);
}

int main(void)
{
    RUN_TESTS(TEST(test_agrees_with_an_array), TEST(test_amounts_stay_in_range),
        TEST(test_only_an_empty_level_goes_when_empty_is_asked_for),
        TEST(test_what_is_wrong_is_named), TEST(test_a_sleeper_inside_holds_garbage_back),
        TEST(test_towers_thin_out));
}
