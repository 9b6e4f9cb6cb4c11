/*
 * dp_clock - wall time, and how many TSC ticks make a second.
 *
 * Latency figures are TSC ticks and become nanoseconds only when somebody reads them; the rate is
 * measured once against CLOCK_MONOTONIC, with the error that the measuring itself can have made. A
 * time server that slews the machine's clock meanwhile (at most 500 parts per million) is not in
 * that error. Any thread; the struct belongs to the caller.
 */
#ifndef DP_CLOCK_H
#define DP_CLOCK_H

#include "dp_base.h"

struct dp_clock {
    uint64_t tsc_hz;    /* never 0 */
    uint64_t error_ppb; /* half-width of tsc_hz, parts per 1e9: what the readings at both ends may
                           be off */
    uint64_t overhead_tsc; /* what reading the TSC twice in a row costs: median of many */
    bool invariant; /* CPUID says that the rate does not change with frequency and sleep states */
};

/* Blocks for about that long (at least 1 ms); 50 ms are good for a few parts per million. */
void dp_clock_calibrate(struct dp_clock *clock, uint32_t duration_ms);
int64_t dp_clock_wall_ns(void);      /* CLOCK_REALTIME */
int64_t dp_clock_monotonic_ns(void); /* CLOCK_MONOTONIC */
uint64_t dp_clock_ticks_to_ns(
    const struct dp_clock *clock, uint64_t ticks); /* rounded to nearest */

#endif
