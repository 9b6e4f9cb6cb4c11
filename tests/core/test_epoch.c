/* dp_epoch in one thread: when an epoch moves on, and who is in the way. Beside others:
 * tests/prove. */
#include "check.h"
#include "dp_epoch.h"

#define SLOTS 2u

static alignas(DP_CACHE_LINE) unsigned char memory[512];
static struct dp_epoch *const epoch = (struct dp_epoch *)(void *)memory;

static void begin(void)
{
    memset(memory, 0, sizeof(memory));
    CHECK(dp_epoch_size(SLOTS) <= sizeof(memory));
    dp_epoch_init(epoch, SLOTS);
    CHECK_EQUAL(dp_epoch_join(epoch, 11), 0);
    CHECK_EQUAL(dp_epoch_join(epoch, 22), 1);
}

static void test_slots_are_taken_and_left(void)
{
    begin();
    CHECK_EQUAL(dp_epoch_join(epoch, 33), DP_EPOCH_NONE);
    dp_epoch_leave(epoch, 0);
    CHECK_EQUAL(dp_epoch_join(epoch, 33), 0);
}

static void test_an_epoch_is_past_after_three_steps(void)
{
    begin();
    uint64_t tag = dp_epoch_now(epoch);
    for (int steps = 0; steps < 3; steps++) {
        CHECK(!dp_epoch_is_past(epoch, tag));
        CHECK_EQUAL(dp_epoch_advance(epoch), DP_EPOCH_NONE);
    }
    CHECK(dp_epoch_is_past(epoch, tag));
}

static void test_who_stays_inside_is_named(void)
{
    begin();
    dp_epoch_enter(epoch, 1);
    CHECK_EQUAL(dp_epoch_advance(epoch), DP_EPOCH_NONE); /* it has announced this one */
    CHECK_EQUAL(dp_epoch_advance(epoch), 1);
    CHECK_EQUAL(dp_epoch_advance(epoch), 1);
    dp_epoch_exit(epoch, 1);
    CHECK_EQUAL(dp_epoch_advance(epoch), DP_EPOCH_NONE);
}

static bool is_in_list(void *context, uint64_t owner)
{
    for (const uint64_t *dead = context; *dead != 0; dead++)
        if (*dead == owner)
            return true;
    return false;
}

static void test_only_the_dead_have_heirs_and_one_at_a_time(void)
{
    uint64_t nobody[] = {0}, first[] = {11, 0}, heir_too[] = {11, 33, 0};
    begin();
    dp_epoch_enter(epoch, 0);
    CHECK(!dp_epoch_inherit(epoch, 0, 22, is_in_list, nobody));
    CHECK(dp_epoch_inherit(epoch, 0, 33, is_in_list, first));
    CHECK(!dp_epoch_inherit(epoch, 0, 22, is_in_list, first));
    CHECK(dp_epoch_inherit(epoch, 0, 22, is_in_list, heir_too));
    dp_epoch_bury(epoch, 0);
    CHECK(!dp_epoch_inherit(epoch, 0, 22, is_in_list, heir_too));
    CHECK_EQUAL(dp_epoch_advance(epoch), DP_EPOCH_NONE);
    CHECK_EQUAL(dp_epoch_advance(epoch), DP_EPOCH_NONE);
    CHECK_EQUAL(dp_epoch_join(epoch, 44), 0);
}

int main(void)
{
    RUN_TESTS(TEST(test_slots_are_taken_and_left), TEST(test_an_epoch_is_past_after_three_steps),
        TEST(test_who_stays_inside_is_named),
        TEST(test_only_the_dead_have_heirs_and_one_at_a_time));
}
