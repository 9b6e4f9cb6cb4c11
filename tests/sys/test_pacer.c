/* Recorded times in real time: never early, at any speed, and interrupted by a signal. */
#include "check.h"
#include "dp_clock.h"
#include "dp_pacer.h"

#include <signal.h>
#include <sys/time.h>

#define MS 1000000ll

/* How long it takes to release times that are 2 ms apart. */
static int64_t taken_ns(uint32_t speed_permille, uint32_t count)
{
    struct dp_pacer pacer;
    dp_pacer_init(&pacer, speed_permille);
    int64_t begun_ns = dp_clock_monotonic_ns();
    for (uint32_t at = 0; at < count; at++)
        CHECK(dp_pacer_wait(&pacer, 1700000000000 * MS + at * 2 * MS));
    return dp_clock_monotonic_ns() - begun_ns;
}

static void test_nothing_is_early(void)
{
    CHECK(taken_ns(1000, 11) >= 20 * MS);
    CHECK(taken_ns(4000, 41) >= 20 * MS);
    CHECK(taken_ns(500, 6) >= 20 * MS);
}

static void test_lateness_is_of_each_and_does_not_add_up(void)
{
    struct dp_pacer pacer;
    dp_pacer_init(&pacer, 1000);
    for (int64_t at = 0; at < 10; at++)
        CHECK(dp_pacer_wait(&pacer, at * MS));
    CHECK_EQUAL(pacer.count, 9);
    CHECK(pacer.late_sum_ns >= pacer.late_max_ns && pacer.late_max_ns >= 0);
    CHECK(dp_clock_monotonic_ns() >= pacer.begun_ns + 9 * MS);
}

static void test_times_that_go_back_are_due_at_once(void)
{
    struct dp_pacer pacer;
    dp_pacer_init(&pacer, 1);
    CHECK(dp_pacer_wait(&pacer, 5000 * MS));
    CHECK(dp_pacer_wait(&pacer, 1 * MS));
    CHECK(pacer.late_max_ns > 0);
}

static void test_no_speed_waits_for_nothing(void)
{
    struct dp_pacer pacer;
    dp_pacer_init(&pacer, 0);
    CHECK(dp_pacer_wait(&pacer, 0));
    CHECK(dp_pacer_wait(&pacer, INT64_MAX));
    CHECK_EQUAL(pacer.count, 0);
}

static void on_alarm(int number)
{
    (void)number;
}

static void test_a_signal_ends_a_wait(void)
{
    struct dp_pacer pacer;
    struct sigaction action = {.sa_handler = on_alarm};
    const struct itimerval soon = {.it_value.tv_usec = 1000, .it_interval.tv_usec = 100000};
    const struct itimerval never = {0};
    CHECK_EQUAL(sigaction(SIGALRM, &action, NULL), 0);
    dp_pacer_init(&pacer, 1000);
    CHECK(dp_pacer_wait(&pacer, 0));
    CHECK_EQUAL(setitimer(ITIMER_REAL, &soon, NULL), 0);
    CHECK(!dp_pacer_wait(&pacer, 86400000 * MS));
    CHECK_EQUAL(setitimer(ITIMER_REAL, &never, NULL), 0);
}

int main(void)
{
    RUN_TESTS(TEST(test_nothing_is_early), TEST(test_lateness_is_of_each_and_does_not_add_up),
        TEST(test_times_that_go_back_are_due_at_once), TEST(test_no_speed_waits_for_nothing),
        TEST(test_a_signal_ends_a_wait));
}
