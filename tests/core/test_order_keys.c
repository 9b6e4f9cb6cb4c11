/* Idempotency keys: found as they were noted, one strategy's never another's, none forgotten. */
#include "check.h"
#include "dp_order_keys.h"

enum { COUNT = 3000 };

static struct dp_order_keys *make_keys(uint32_t count)
{
    struct dp_order_keys *keys =
        aligned_alloc(DP_CACHE_LINE, dp_round_up(dp_order_keys_size(count), DP_CACHE_LINE));
    dp_order_keys_init(keys, count);
    return keys;
}

/* Ways in which submitters number: counters, clocks, random, all in one bucket. */
static uint64_t key_of(int way, uint32_t index)
{
    uint64_t state = index + 1;
    switch (way) {
    case 0: return index + 1;
    case 1: return 1767225600000000000ull + index * 1000ull;
    case 2: return check_random(&state) | 1;
    default: return (uint64_t)(index + 1) << 60 | (uint64_t)(index + 1) << 40;
    }
}

static void check_way(int way)
{
    struct dp_order_keys *keys = make_keys(COUNT);
    for (uint32_t index = 0; index < COUNT; index += 2) {
        CHECK(dp_order_keys_find(keys, key_of(way, index), 3) == NULL);
        dp_order_keys_note(keys, index, key_of(way, index), 3, (uint16_t)(index % 20));
    }
    for (uint32_t index = 0; index < COUNT; index++) {
        const struct dp_order_key *found = dp_order_keys_find(keys, key_of(way, index), 3);
        if (index % 2 != 0 && way < 3)
            CHECK_THAT(found == NULL, "way %d, key %u was never noted", way, index);
        if (index % 2 == 0)
            CHECK_THAT(found == &keys->entries[index] && found->reason == index % 20,
                "way %d, key %u is lost", way, index);
        CHECK(dp_order_keys_find(keys, key_of(way, index), 4) == NULL);
    }
    free(keys);
}

static void test_every_key_is_found_as_it_was_noted(void)
{
    for (int way = 0; way < 4; way++)
        check_way(way);
}

static void test_two_strategies_may_use_one_key(void)
{
    struct dp_order_keys *keys = make_keys(2);
    dp_order_keys_note(keys, 0, 5, 1, 0);
    dp_order_keys_note(keys, 1, 5, 2, 9);
    CHECK(dp_order_keys_find(keys, 5, 1) == &keys->entries[0]);
    CHECK(dp_order_keys_find(keys, 5, 2) == &keys->entries[1]);
    CHECK(dp_order_keys_find(keys, 5, 3) == NULL);
    free(keys);
}

int main(void)
{
    RUN_TESTS(
        TEST(test_every_key_is_found_as_it_was_noted), TEST(test_two_strategies_may_use_one_key));
}
