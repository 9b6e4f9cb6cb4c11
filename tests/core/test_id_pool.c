/* A number is used when it is reserved and not before; no more than a block is ever ahead. */
#include "check.h"
#include "dp_id_pool.h"

static void test_no_number_before_its_reservation(void)
{
    struct dp_id_pool pool;
    dp_id_pool_init(&pool, 100, 10);
    CHECK(!dp_id_pool_use(&pool, 100));
    CHECK_EQUAL(dp_id_pool_wanted(&pool), 110);
    dp_id_pool_extend(&pool, 110);
    for (uint32_t number = 100; number < 110; number++)
        CHECK(dp_id_pool_use(&pool, number));
    CHECK(!dp_id_pool_use(&pool, 110));
}

static void test_more_is_wanted_at_half_a_block(void)
{
    struct dp_id_pool pool;
    dp_id_pool_init(&pool, 1, 10);
    dp_id_pool_extend(&pool, dp_id_pool_wanted(&pool));
    for (uint32_t number = 1; number <= 5; number++) {
        CHECK_EQUAL(dp_id_pool_wanted(&pool), 0);
        CHECK(dp_id_pool_use(&pool, number));
    }
    CHECK_EQUAL(dp_id_pool_wanted(&pool), 16);
}

static void test_numbers_end_with_the_last_that_the_wire_can_carry(void)
{
    struct dp_id_pool pool;
    dp_id_pool_init(&pool, UINT32_MAX - 3, 10);
    CHECK_EQUAL(dp_id_pool_wanted(&pool), UINT32_MAX);
    dp_id_pool_extend(&pool, UINT32_MAX);
    CHECK_EQUAL(dp_id_pool_wanted(&pool), 0);
    CHECK(dp_id_pool_use(&pool, UINT32_MAX - 1));
    CHECK(!dp_id_pool_use(&pool, UINT32_MAX));
    CHECK_EQUAL(dp_id_pool_wanted(&pool), 0);
}

/* Numbers may jump: the venue or a journal has seen higher ones. */
static void test_a_jump_is_reserved_like_any_other(void)
{
    struct dp_id_pool pool;
    dp_id_pool_init(&pool, 1, 10);
    dp_id_pool_extend(&pool, 11);
    CHECK(!dp_id_pool_use(&pool, 50));
    CHECK(dp_id_pool_use(&pool, 9));
    dp_id_pool_extend(&pool, dp_id_pool_wanted(&pool));
    CHECK(dp_id_pool_use(&pool, 19));
    CHECK_EQUAL(dp_id_pool_wanted(&pool), 30);
}

int main(void)
{
    RUN_TESTS(TEST(test_no_number_before_its_reservation),
        TEST(test_more_is_wanted_at_half_a_block),
        TEST(test_numbers_end_with_the_last_that_the_wire_can_carry),
        TEST(test_a_jump_is_reserved_like_any_other));
}
