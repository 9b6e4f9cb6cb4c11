#include "check.h"
#include "dp_clock.h"

static void test_calibration_agrees_with_itself(void)
{
    struct dp_clock one, two;
    dp_clock_calibrate(&one, 50);
    dp_clock_calibrate(&two, 50);
    uint64_t difference =
        one.tsc_hz > two.tsc_hz ? one.tsc_hz - two.tsc_hz : two.tsc_hz - one.tsc_hz;
    /* The clock may be slewed by up to 500 parts per million on top of the measuring error. */
    double bound = (double)one.tsc_hz * ((double)(one.error_ppb + two.error_ppb) + 500000.0) / 1e9;
    CHECK_THAT(
        (double)difference <= bound, "%" PRIu64 " and %" PRIu64 " Hz", one.tsc_hz, two.tsc_hz);
    CHECK(one.tsc_hz > 100000000 && one.tsc_hz < 20000000000);
    CHECK_THAT(
        one.error_ppb > 0 && one.error_ppb < 1000000, "error %" PRIu64 " ppb", one.error_ppb);
    CHECK(one.overhead_tsc < 100000);
}

static void test_no_duration_is_the_shortest(void)
{
    struct dp_clock clock;
    int64_t before = dp_clock_monotonic_ns();
    dp_clock_calibrate(&clock, 0);
    CHECK(dp_clock_monotonic_ns() - before >= 1000000);
    CHECK(clock.tsc_hz > 0);
}

static void test_ticks_become_nanoseconds_to_the_nearest(void)
{
    struct dp_clock clock = {.tsc_hz = 3000000000};
    CHECK_EQUAL(dp_clock_ticks_to_ns(&clock, 0), 0);
    CHECK_EQUAL(dp_clock_ticks_to_ns(&clock, 1), 0);
    CHECK_EQUAL(dp_clock_ticks_to_ns(&clock, 2), 1);
    CHECK_EQUAL(dp_clock_ticks_to_ns(&clock, 3000000000), 1000000000);
    CHECK(dp_clock_ticks_to_ns(&clock, UINT64_MAX) ==
        6148914691236517205u); /* 195 years: no overflow */
}

static void test_wall_time_is_in_this_century(void)
{
    CHECK(dp_clock_wall_ns() > 1600000000000000000);
    CHECK(dp_clock_wall_ns() < 4102444800000000000);
}

int main(void)
{
    RUN_TESTS(TEST(test_calibration_agrees_with_itself), TEST(test_no_duration_is_the_shortest),
        TEST(test_ticks_become_nanoseconds_to_the_nearest),
        TEST(test_wall_time_is_in_this_century));
}
