#include "check.h"
#include "dp_clock.h"
#include "dp_wall.h"

#define SECOND 1000000000ll
#define START (1700000000 * SECOND)

static struct dp_wall begun(void)
{
    return (struct dp_wall){.offset_ns = START, .machine_ns = START};
}

/* The machine's clock says so much more than the run's when CLOCK_MONOTONIC says now_ns. */
static void look(struct dp_wall *wall, int64_t now_ns, int64_t away_ns, int64_t taken_ns)
{
    dp_wall_look(wall, now_ns, START + now_ns + away_ns, now_ns + taken_ns);
}

static void test_each_step_is_told_once(void)
{
    static const int64_t aways[] = {3600 * SECOND, 3600 * SECOND, -SECOND, -SECOND, 0, 0};
    struct dp_wall wall = begun();
    for (uint32_t at = 0; at < 6; at++) {
        look(&wall, (at + 1) * SECOND, aways[at], 50);
        CHECK_EQUAL(wall.step_count, at / 2 + 1);
        CHECK_EQUAL(wall.offset_ns, START);
    }
    CHECK_EQUAL(wall.step_ns, SECOND);
}

static void test_both_ways_and_by_how_much(void)
{
    static const int64_t steps[] = {DP_WALL_STEP_NS, -DP_WALL_STEP_NS, 7 * SECOND, -86400 * SECOND};
    for (uint32_t at = 0; at < 4; at++) {
        struct dp_wall wall = begun();
        look(&wall, SECOND, steps[at], 50);
        CHECK_EQUAL(wall.step_count, 1);
        CHECK_EQUAL(wall.step_ns, steps[at]);
    }
}

static void test_what_reading_alone_can_differ_by_is_no_step(void)
{
    struct dp_wall wall = begun();
    for (int64_t away_ns = -400000; away_ns <= 400000; away_ns += 1000)
        look(&wall, SECOND, away_ns, 50);
    CHECK_EQUAL(wall.step_count, 0);
}

static void test_small_ones_that_add_up_are_found(void)
{
    struct dp_wall wall = begun();
    for (int64_t at = 1; at <= 10; at++)
        look(&wall, at * SECOND, at * DP_WALL_STEP_NS / 10, 50);
    CHECK_EQUAL(wall.step_count, 1);
    CHECK_EQUAL(wall.step_ns, DP_WALL_STEP_NS);
}

static void test_readings_that_were_interrupted_decide_nothing(void)
{
    struct dp_wall wall = begun();
    look(&wall, SECOND, 4000000, 5000000); /* the core was lost before the machine's clock */
    CHECK_EQUAL(wall.step_count, 0);
    look(&wall, 2 * SECOND, 3600 * SECOND, 5000000); /* a step meanwhile is found the next time */
    CHECK_EQUAL(wall.step_count, 0);
    look(&wall, 2 * SECOND, 3600 * SECOND, 50);
    CHECK_EQUAL(wall.step_count, 1);
}

static void test_time_is_the_machines_and_goes_on(void)
{
    struct dp_wall wall;
    dp_wall_open(&wall);
    int64_t away_ns = dp_wall_now(&wall) - dp_clock_wall_ns();
    CHECK_THAT(away_ns < SECOND && away_ns > -SECOND, "%" PRId64 " ns away", away_ns);
    int64_t before_ns = dp_wall_now(&wall);
    for (uint32_t turn = 0; turn < 100000; turn++) {
        int64_t now_ns = dp_wall_now(&wall);
        CHECK(now_ns >= before_ns);
        before_ns = now_ns;
    }
}

int main(void)
{
    RUN_TESTS(TEST(test_each_step_is_told_once), TEST(test_both_ways_and_by_how_much),
        TEST(test_what_reading_alone_can_differ_by_is_no_step),
        TEST(test_small_ones_that_add_up_are_found),
        TEST(test_readings_that_were_interrupted_decide_nothing),
        TEST(test_time_is_the_machines_and_goes_on));
}
