"""Mirror of engine/dp_bench_itch.h and sys/dp_perf.h."""

from libc.stdint cimport int64_t, uint8_t, uint64_t


cdef extern from "dp_bench_itch.h" nogil:
    uint64_t dp_bench_itch_floor(const uint8_t *data, size_t size, uint64_t *sum)
    uint64_t dp_bench_itch_parse(const uint8_t *data, size_t size, uint64_t *sum)


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
