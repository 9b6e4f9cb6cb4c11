#include "dp_pacer.h"

#include <time.h>

#include "dp_clock.h"

/* A sleep ends late by a timer's slack (50 us) and the way back onto the core. */
#define SPIN_NS 100000

void dp_pacer_init(struct dp_pacer *pacer, uint32_t speed_permille)
{
    DP_ASSERT(speed_permille <= DP_PACER_SPEED_MAX);
    *pacer = (struct dp_pacer){.speed_permille = speed_permille};
}

static bool sleep_until(int64_t due_ns)
{
    int64_t until_ns = due_ns - SPIN_NS;
    if (until_ns <= dp_clock_monotonic_ns())
        return true;
    const struct timespec until = {until_ns / 1000000000, until_ns % 1000000000};
    return clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL) == 0;
}

/* In double: exact to a nanosecond over a hundred days. */
static int64_t due_of(const struct dp_pacer *pacer, int64_t recorded_ns)
{
    double passed_ns = (double)(recorded_ns - pacer->recorded_first_ns);
    return pacer->begun_ns + (int64_t)(passed_ns * 1000 / pacer->speed_permille);
}

static void note(struct dp_pacer *pacer, int64_t late_ns)
{
    pacer->count++;
    pacer->late_sum_ns += late_ns;
    if (late_ns > pacer->late_max_ns)
        pacer->late_max_ns = late_ns;
}

bool dp_pacer_wait(struct dp_pacer *pacer, int64_t recorded_ns)
{
    if (pacer->speed_permille == 0)
        return true;
    if (!pacer->has_begun) {
        pacer->has_begun = true;
        pacer->recorded_first_ns = recorded_ns;
        pacer->begun_ns = dp_clock_monotonic_ns();
        return true;
    }
    int64_t due_ns = due_of(pacer, recorded_ns);
    if (!sleep_until(due_ns))
        return false;
    int64_t now_ns = dp_clock_monotonic_ns();
    while (now_ns < due_ns)
        now_ns = dp_clock_monotonic_ns();
    note(pacer, now_ns - due_ns);
    return true;
}
