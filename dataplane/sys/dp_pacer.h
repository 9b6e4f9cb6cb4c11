/*
 * dp_pacer - recorded times in real time: at 1 x, at n x, or as fast as it goes.
 *
 * The first time that it is asked for is now; each later one is due when as much time has passed
 * since, divided by the speed. It sleeps until shortly before and spins the rest, so that what is
 * released is never early, and late by what the machine takes (late_max_ns). Recorded times that
 * go back are due at once. One thread.
 */
#ifndef DP_PACER_H
#define DP_PACER_H

#include "dp_base.h"

#define DP_PACER_SPEED_MAX 100000000u /* permille: 100,000 x, a day in a second */

struct dp_pacer {
    uint32_t speed_permille; /* 1000: as recorded; 0: does not wait */
    bool has_begun;
    int64_t recorded_first_ns;
    int64_t begun_ns; /* CLOCK_MONOTONIC, when that was released */
    int64_t late_max_ns;
    int64_t late_sum_ns;
    uint64_t count; /* released so far, the first not counted */
};

void dp_pacer_init(struct dp_pacer *pacer, uint32_t speed_permille);
/* Waits until what was recorded at that time is due. False when a signal came first. */
bool dp_pacer_wait(struct dp_pacer *pacer, int64_t recorded_ns);

#endif
