/*
 * dp_perf - instructions and branch misses of this thread, where the machine lets us count them.
 */
#ifndef DP_PERF_H
#define DP_PERF_H

#include "dp_base.h"

struct dp_perf {
    int instructions_fd; /* -1: not available here */
    int branch_misses_fd;
};

struct dp_perf_reading {
    int64_t instructions; /* -1: not available */
    int64_t branch_misses;
};

void dp_perf_open(struct dp_perf *perf);
void dp_perf_start(struct dp_perf *perf);
struct dp_perf_reading dp_perf_stop(struct dp_perf *perf);
void dp_perf_close(struct dp_perf *perf);

#endif
