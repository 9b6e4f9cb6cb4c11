/*
 * dp_wall - the wall time of a run: read once when the run begins, counted by CLOCK_MONOTONIC
 * since.
 *
 * A person or a time server may set the machine's clock (CLOCK_REALTIME) while orders are open.
 * Timers, heartbeats, limits by the second and the times of records must not jump with it, so time
 * here never does. That the machine's clock has been set is found by reading both, once a
 * millisecond, and is told once each time. A server that slews moves both clocks alike: no step.
 * What can step them apart is also a leap second, and a machine that was asleep.
 *
 * One thread; the struct belongs to the caller.
 */
#ifndef DP_WALL_H
#define DP_WALL_H

#include "dp_base.h"

#define DP_WALL_STEP_NS 1000000 /* what is less is no step, however often both are read */
#define DP_WALL_LOOK_NS 1000000

struct dp_wall {
    int64_t offset_ns;   /* wall time of this run minus CLOCK_MONOTONIC; constant */
    int64_t machine_ns;  /* the same of the machine's clock, as last found */
    int64_t look_ns;     /* CLOCK_MONOTONIC: when both are read again */
    int64_t step_ns;     /* the last step; above 0: forward */
    uint64_t step_count; /* how often the machine's clock was set */
};

void dp_wall_open(struct dp_wall *wall);
/* Nanoseconds since the Unix epoch, never less than before. Looks for a step when it is time. */
int64_t dp_wall_now(struct dp_wall *wall);
/* The step itself: three readings in a row, CLOCK_MONOTONIC before and after. When they lie too far
 * apart to tell, nothing is decided. */
void dp_wall_look(struct dp_wall *wall, int64_t before_ns, int64_t machine_ns, int64_t after_ns);

#endif
