"""Mirror of sys/dp_perf.h."""

from libc.stdint cimport int64_t


cdef extern from "dp_perf.h" nogil:
    struct dp_perf:
        pass

    struct dp_perf_reading:
        int64_t instructions
        int64_t branch_misses

    void dp_perf_open(dp_perf *perf)
    void dp_perf_start(dp_perf *perf)
    dp_perf_reading dp_perf_stop(dp_perf *perf)
    void dp_perf_close(dp_perf *perf)
