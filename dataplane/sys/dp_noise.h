/*
 * dp_noise - what a machine takes from a thread that spins: pauses, cache lines, memory.
 *
 * Each call measures and comes back after a time that its caller names. It runs where its caller
 * runs (see dp_cpu_pin()); only dp_noise_trip() starts a thread, and waits for its end. Results
 * belong to the caller. Control path only; never beside trading on the same core.
 */
#ifndef DP_NOISE_H
#define DP_NOISE_H

#include "dp_base.h"
#include "dp_err.h"

#define DP_NOISE_BUCKETS 40u /* pauses up to 2^40 ticks: minutes */

/* Pauses of a thread that did nothing but read the counter. */
struct dp_noise {
    uint64_t duration_tsc;
    uint64_t read_count;
    uint64_t pause_count; /* gaps between two reads of at least the least one asked for */
    uint64_t pause_total_tsc;
    uint64_t pause_max_tsc;
    uint64_t buckets[DP_NOISE_BUCKETS]; /* bucket i: pauses of 2^i to 2^(i+1) - 1 ticks */
};

/* Round trips of one cache line between two cores. */
struct dp_noise_trips {
    uint64_t count; /* how many were made before the time was up */
    uint64_t min_tsc;
    uint64_t median_tsc;
};

/* Reads the counter for that long. Whatever stops the thread (interrupts, other threads, the
 * firmware, a hypervisor) shows as a gap. */
void dp_noise_listen(struct dp_noise *noise, uint64_t duration_tsc, uint64_t pause_tsc_min);

/* Sends a line from core to core and back, up to `trip_count` times (at most DP_NOISE_TRIPS_MAX)
 * and that long. Moves the calling thread to core `here`. -errno when a core cannot be had. */
#define DP_NOISE_TRIPS_MAX 4096u
int dp_noise_trip(uint32_t here, uint32_t there, uint32_t trip_count, uint64_t duration_tsc,
    struct dp_noise_trips *trips, struct dp_err *err);

/* Loads that each wait for the one before, all over `size` bytes in random order. Stores the ticks
 * of all of them. -errno when there is no such memory. */
int dp_noise_memory(size_t size, uint32_t load_count, uint64_t *duration_tsc, struct dp_err *err);

#endif
