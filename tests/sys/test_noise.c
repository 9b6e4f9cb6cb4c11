/* dp_noise: gaps that are there are found, and sums are right. How long they are is the machine's.
 */
#include "check.h"
#include "dp_noise.h"

#include <errno.h>
#include <sched.h>

#define SHORT_TSC 20000000u /* some milliseconds */

static struct dp_err err;

static void test_a_spinning_thread_is_listened_to_for_that_long(void)
{
    struct dp_noise noise;
    dp_noise_listen(&noise, SHORT_TSC, 1);
    CHECK(noise.duration_tsc >= SHORT_TSC);
    CHECK(noise.read_count > 0);
}

static void test_with_the_least_gap_every_tick_is_in_a_pause(void)
{
    struct dp_noise noise;
    /* Every gap counts, so together they are the whole time. */
    dp_noise_listen(&noise, SHORT_TSC, 0);
    CHECK_EQUAL(noise.pause_total_tsc, noise.duration_tsc);
    CHECK_EQUAL(noise.pause_count, noise.read_count);
    CHECK(noise.pause_max_tsc <= noise.pause_total_tsc);
    uint64_t counted = 0;
    for (uint32_t bucket = 0; bucket < DP_NOISE_BUCKETS; bucket++)
        counted += noise.buckets[bucket];
    CHECK_EQUAL(counted, noise.pause_count);
}

static void test_the_longest_pause_is_in_the_highest_bucket(void)
{
    struct dp_noise noise;
    dp_noise_listen(&noise, SHORT_TSC, 0);
    uint32_t highest = 0;
    for (uint32_t bucket = 0; bucket < DP_NOISE_BUCKETS; bucket++)
        if (noise.buckets[bucket] > 0)
            highest = bucket;
    CHECK(noise.pause_max_tsc >> highest == 1);
}

static void test_no_gap_is_as_long_as_for_ever(void)
{
    struct dp_noise noise;
    dp_noise_listen(&noise, SHORT_TSC, UINT64_MAX);
    CHECK_EQUAL(noise.pause_count, 0);
    CHECK_EQUAL(noise.pause_max_tsc, 0);
}

static void test_a_line_goes_to_another_core_and_back(void)
{
    struct dp_noise_trips trips;
    cpu_set_t may;
    CHECK(sched_getaffinity(0, sizeof(may), &may) == 0);
    uint32_t cores[2];
    uint32_t found = 0;
    for (uint32_t core = 0; core < CPU_SETSIZE && found < 2; core++)
        if (CPU_ISSET(core, &may))
            cores[found++] = core;
    if (found < 2)
        return; /* one core: there is no other to go to */
    CHECK_EQUAL(dp_noise_trip(cores[0], cores[1], 100, UINT64_MAX / 2, &trips, &err), 0);
    CHECK_EQUAL(trips.count, 100);
    CHECK(trips.min_tsc > 0 && trips.min_tsc <= trips.median_tsc);
    /* No time at all: not one comes back, and the other thread ends all the same. */
    CHECK_EQUAL(dp_noise_trip(cores[0], cores[1], 100, 0, &trips, &err), 0);
    CHECK(trips.count <= 1);
    CHECK(sched_setaffinity(0, sizeof(may), &may) == 0);
}

static void test_a_trip_needs_two_cores_that_are_there(void)
{
    struct dp_noise_trips trips;
    cpu_set_t may;
    CHECK(sched_getaffinity(0, sizeof(may), &may) == 0);
    CHECK_EQUAL(dp_noise_trip(0, 0, 1, 0, &trips, &err), -EINVAL);
    CHECK_TEXT(err.text, "cpu: 0: both ends; give two cores");
    CHECK_EQUAL(dp_noise_trip(0, 1, 0, 0, &trips, &err), -EINVAL);
    CHECK_TEXT(err.text, "trips: count is 0; it must be 1 to 4096");
    CHECK(dp_noise_trip((uint32_t)sched_getcpu(), 1023, 1, 0, &trips, &err) < 0);
    CHECK_THAT(strncmp(err.text, "cpu: 1023: cannot run there: ", 29) == 0, "%s", err.text);
    CHECK(sched_setaffinity(0, sizeof(may), &may) == 0);
}

static void test_memory_is_walked_all_over(void)
{
    uint64_t ticks = 0;
    CHECK_EQUAL(dp_noise_memory(1 << 20, 1000, &ticks, &err), 0);
    CHECK(ticks > 0);
    CHECK_EQUAL(dp_noise_memory(64, 1000, &ticks, &err), -EINVAL);
    CHECK_TEXT(err.text, "memory: size is 64, loads 1000; give two lines, one load");
}

int main(void)
{
    RUN_TESTS(TEST(test_a_spinning_thread_is_listened_to_for_that_long),
        TEST(test_with_the_least_gap_every_tick_is_in_a_pause),
        TEST(test_the_longest_pause_is_in_the_highest_bucket),
        TEST(test_no_gap_is_as_long_as_for_ever), TEST(test_a_line_goes_to_another_core_and_back),
        TEST(test_a_trip_needs_two_cores_that_are_there), TEST(test_memory_is_walked_all_over));
}
