#include "dp_clock.h"

#include <cpuid.h>
#include <time.h>

#define READINGS 64 /* tries for one end point; the least disturbed counts */
#define OVERHEAD_READINGS 1001
#define CPUID_POWER 0x80000007u
#define CPUID_INVARIANT_TSC (1u << 8) /* in EDX */

/* The same instant on both clocks: the TSC lies within `half_width` ticks of `tsc` when
 * monotonic_ns was read. */
struct instant {
    uint64_t tsc;
    uint64_t half_width;
    int64_t monotonic_ns;
};

static int64_t read_ns(clockid_t id)
{
    struct timespec now;
    clock_gettime(id, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

int64_t dp_clock_wall_ns(void)
{
    return read_ns(CLOCK_REALTIME);
}

int64_t dp_clock_monotonic_ns(void)
{
    return read_ns(CLOCK_MONOTONIC);
}

static struct instant read_instant(void)
{
    struct instant best = {.half_width = UINT64_MAX};
    for (int reading = 0; reading < READINGS; reading++) {
        uint64_t before = dp_tsc();
        int64_t monotonic_ns = dp_clock_monotonic_ns();
        uint64_t half_width = (dp_tsc() - before + 1) / 2;
        if (half_width < best.half_width)
            best = (struct instant){before + half_width, half_width, monotonic_ns};
    }
    return best;
}

static int compare_ticks(const void *left, const void *right)
{
    uint64_t a = *(const uint64_t *)left;
    uint64_t b = *(const uint64_t *)right;
    return (a > b) - (a < b);
}

static uint64_t measure_overhead(void)
{
    uint64_t ticks[OVERHEAD_READINGS];
    for (int reading = 0; reading < OVERHEAD_READINGS; reading++) {
        uint64_t before = dp_tsc();
        ticks[reading] = dp_tsc() - before;
    }
    qsort(ticks, OVERHEAD_READINGS, sizeof(ticks[0]), compare_ticks);
    return ticks[OVERHEAD_READINGS / 2];
}

static bool tsc_is_invariant(void)
{
    unsigned eax = 0, ebx = 0, ecx = 0, edx = 0;
    return __get_cpuid(CPUID_POWER, &eax, &ebx, &ecx, &edx) != 0 &&
        (edx & CPUID_INVARIANT_TSC) != 0;
}

/* value * multiplier / divisor, rounded to nearest, without overflow on the way. */
static uint64_t scale(uint64_t value, uint64_t multiplier, uint64_t divisor)
{
    dp_money_nanos product = (dp_money_nanos)value * multiplier;
    return (uint64_t)((product + divisor / 2) / divisor);
}

void dp_clock_calibrate(struct dp_clock *clock, uint32_t duration_ms)
{
    if (duration_ms == 0)
        duration_ms = 1;
    struct timespec pause = {duration_ms / 1000, (long)(duration_ms % 1000) * 1000000};
    struct instant start = read_instant();
    struct instant end;
    do {
        nanosleep(&pause, NULL);
        end = read_instant();
        /* A signal may cut the sleep short: sleep again until the two ends are apart. */
    } while (end.monotonic_ns - start.monotonic_ns < (int64_t)duration_ms * 1000000);

    uint64_t ticks = end.tsc - start.tsc;
    clock->tsc_hz = scale(ticks, 1000000000, (uint64_t)(end.monotonic_ns - start.monotonic_ns));
    clock->error_ppb = scale(start.half_width + end.half_width, 1000000000, ticks);
    clock->overhead_tsc = measure_overhead();
    clock->invariant = tsc_is_invariant();
}

uint64_t dp_clock_ticks_to_ns(const struct dp_clock *clock, uint64_t ticks)
{
    return scale(ticks, 1000000000, clock->tsc_hz);
}
