/* dp_pool against an array of who is out. */
#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "check.h"
#include "dp_pool.h"

static struct dp_pool *make_pool(uint32_t count)
{
    struct dp_pool *pool = malloc(dp_pool_size(count));
    CHECK_EQUAL(dp_pool_init(pool, count, NULL), 0);
    return pool;
}

static void test_a_pool_has_at_least_one_record(void)
{
    struct dp_err err = {0};
    struct dp_pool *pool = make_pool(1);
    CHECK_EQUAL(dp_pool_init(pool, 0, &err), -EINVAL);
    CHECK_TEXT(err.text, "pool: count: 0; give at least 1, at most 4294967294");
    free(pool);
}

static void test_an_exhausted_pool_says_none_and_recovers(void)
{
    struct dp_pool *pool = make_pool(2);
    CHECK_EQUAL(dp_pool_take(pool), 0);
    CHECK_EQUAL(dp_pool_take(pool), 1);
    CHECK_EQUAL(dp_pool_take(pool), DP_POOL_NONE);
    dp_pool_give(pool, 0);
    CHECK_EQUAL(dp_pool_take(pool), 0);
    CHECK_EQUAL(pool->used_max, 2);
    free(pool);
}

static void test_a_stale_index_has_an_older_generation(void)
{
    struct dp_pool *pool = make_pool(1);
    uint32_t index = dp_pool_take(pool);
    uint32_t first = dp_pool_generation(pool, index);
    CHECK_EQUAL(first % 2, 1);
    dp_pool_give(pool, index);
    CHECK_EQUAL(dp_pool_generation(pool, index) % 2, 0);
    dp_pool_take(pool);
    CHECK_EQUAL(dp_pool_generation(pool, index), first + 2);
    free(pool);
}

static bool dies(struct dp_pool *pool, uint32_t index)
{
    pid_t child = fork();
    if (child == 0) {
        fclose(stderr);
        dp_pool_give(pool, index);
        _exit(0);
    }
    int status = 0;
    waitpid(child, &status, 0);
    return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void test_giving_back_what_is_not_out_ends_the_process(void)
{
    struct dp_pool *pool = make_pool(2);
    uint32_t index = dp_pool_take(pool);
    CHECK(!dies(pool, index));
    CHECK(dies(pool, index + 1)); /* never taken */
    CHECK(dies(pool, 2));         /* no such record */
    dp_pool_give(pool, index);
    CHECK(dies(pool, index)); /* twice */
    free(pool);
}

static void walk(uint64_t seed)
{
    enum { COUNT = 50 };
    struct dp_pool *pool = make_pool(COUNT);
    bool out[COUNT] = {false};
    uint32_t out_count = 0;
    uint64_t state = seed;
    for (int step = 0; step < 20000; step++) {
        uint32_t index = (uint32_t)(check_random(&state) % COUNT);
        if (out[index]) {
            dp_pool_give(pool, index);
            out[index] = false;
            out_count--;
        } else {
            uint32_t taken = dp_pool_take(pool);
            CHECK_THAT(taken < COUNT && !out[taken], "seed %" PRIu64 ", step %d", seed, step);
            out[taken] = true;
            out_count++;
        }
        CHECK_EQUAL(pool->free_count, COUNT - out_count);
        CHECK(pool->used_max >= out_count);
    }
    free(pool);
}

static void test_no_record_is_out_twice(void)
{
    for (uint64_t seed = 1; seed <= 5; seed++)
        walk(seed);
}

int main(void)
{
    RUN_TESTS(TEST(test_a_pool_has_at_least_one_record),
        TEST(test_an_exhausted_pool_says_none_and_recovers),
        TEST(test_a_stale_index_has_an_older_generation),
        TEST(test_giving_back_what_is_not_out_ends_the_process), TEST(test_no_record_is_out_twice));
}
