/* Executions seen: found again whatever the order they came in, each order's its own. */
#include <errno.h>

#include "check.h"
#include "dp_exec_set.h"

enum { ORDERS = 5, IDS = 40, COUNT_MAX = ORDERS * IDS };

static struct dp_exec_set *make_set(uint32_t count_max)
{
    size_t size = dp_round_up(dp_exec_set_size(count_max), DP_CACHE_LINE);
    struct dp_exec_set *set = aligned_alloc(DP_CACHE_LINE, size);
    memset(set, 0xee, size);
    CHECK_EQUAL(dp_exec_set_init(set, count_max, NULL), 0);
    return set;
}

/* The model: which (order, id) was taken, and the quantity that was put there. */
static void walk(uint64_t seed)
{
    struct dp_exec_set *set = make_set(COUNT_MAX);
    uint32_t highest[ORDERS] = {0};
    uint32_t model[ORDERS][IDS] = {{0}};
    uint64_t state = seed;
    for (uint32_t step = 1; step <= 2000; step++) {
        uint32_t order = (uint32_t)(check_random(&state) % ORDERS);
        uint32_t id = (uint32_t)(check_random(&state) % IDS);
        struct dp_exec *exec = dp_exec_set_take(set, id, &highest[order]);
        bool right = exec != NULL && exec->exec_id == id && exec->qty == model[order][id] &&
            (exec->state == DP_EXEC_EMPTY) == (model[order][id] == 0);
        CHECK_THAT(right, "seed %" PRIu64 ", step %u: order %u, id %u", seed, step, order, id);
        if (!right)
            break;
        exec->state = DP_EXEC_APPLIED;
        exec->qty = model[order][id] = step;
    }
    free(set);
}

static void test_every_execution_is_found_again(void)
{
    for (uint64_t seed = 1; seed <= 50; seed++)
        walk(seed);
}

static void test_a_full_set_still_knows_what_it_has(void)
{
    struct dp_exec_set *set = make_set(2);
    uint32_t first = 0;
    uint32_t second = 0;
    CHECK(dp_exec_set_take(set, 7, &first) != NULL);
    CHECK(!dp_exec_set_is_full(set));
    CHECK(dp_exec_set_take(set, 7, &second) != NULL);
    CHECK(dp_exec_set_is_full(set));
    for (int count = 0; count < 3; count++)
        CHECK(dp_exec_set_take(set, 8, &first) == NULL);
    CHECK(dp_exec_set_take(set, 7, &first) == &set->execs[1]);
    CHECK(dp_exec_set_take(set, 7, &second) == &set->execs[2]);
    free(set);
}

static void test_a_count_that_cannot_be_is_refused(void)
{
    struct dp_exec_set set;
    struct dp_err err;
    CHECK_EQUAL(dp_exec_set_init(&set, 0, &err), -EINVAL);
    CHECK_TEXT(err.text, "orders: exec_count_max: 0; give at least 1, at most 268435456");
}

int main(void)
{
    RUN_TESTS(TEST(test_every_execution_is_found_again),
        TEST(test_a_full_set_still_knows_what_it_has),
        TEST(test_a_count_that_cannot_be_is_refused));
}
