/*
 * dp_bench_team - threads for rows that need several: pinned, begun together, timed until the last
 * one is done.
 */
#ifndef DP_BENCH_TEAM_H
#define DP_BENCH_TEAM_H

#include "dp_base.h"

#define DP_BENCH_TEAM_MAX 16u

struct dp_bench_member {
    void (*work)(void *context);
    void *context;
    uint32_t core; /* the how-manieth of those that this process may use; counted around */
};

/* Nanoseconds from the moment when all stand ready until all are done. */
int64_t dp_bench_team_run(const struct dp_bench_member *members, uint32_t count);

/* What a thread does that found nothing to do `tries` times in a row: 32 pauses (0.7 us), and from
 * the 17th time on it lets the other threads of its core run. */
void dp_bench_team_wait(uint32_t tries);

#endif
