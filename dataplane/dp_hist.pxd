"""Mirror of core/dp_hist.h. Read through the functions: the fields are atomic in C."""

from libc.stdint cimport uint32_t, uint64_t


cdef extern from "dp_hist.h" nogil:
    enum dp_stage:
        DP_STAGE_DECODE
        DP_STAGE_COUNT

    struct dp_hist:
        uint64_t count
        uint64_t sum
        uint64_t min
        uint64_t max

    void dp_hist_init(dp_hist *hist)
    void dp_hist_record(dp_hist *hist, uint64_t value)
    uint64_t dp_hist_percentile(const dp_hist *hist, uint32_t per_100000)
    const char *dp_stage_key(dp_stage stage)
