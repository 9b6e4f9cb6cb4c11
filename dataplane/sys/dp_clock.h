/*
 * dp_clock - wall time, and how many TSC ticks make a second.
 */
#ifndef DP_CLOCK_H
#define DP_CLOCK_H

#include "dp_base.h"

struct dp_clock {
    uint64_t tsc_hz;
    uint64_t error_ppb;        /* half-width of tsc_hz, parts per 1e9: the worst of the end-point reading errors */
    uint64_t overhead_tsc;     /* what reading the TSC twice in a row costs: median of many */
    bool invariant;            /* CPUID says that the rate does not change with frequency and sleep states */
};

void dp_clock_calibrate(struct dp_clock *clock, uint32_t duration_ms); /* blocks for about that long */
int64_t dp_clock_wall_ns(void);      /* CLOCK_REALTIME */
int64_t dp_clock_monotonic_ns(void); /* CLOCK_MONOTONIC */
uint64_t dp_clock_ticks_to_ns(const struct dp_clock *clock, uint64_t ticks); /* rounded to nearest */

#endif
