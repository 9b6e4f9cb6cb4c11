"""Mirror of sys/dp_noise.h."""

from libc.stdint cimport uint32_t, uint64_t

from dataplane.dp_err cimport dp_err


cdef extern from "dp_noise.h" nogil:
    const uint32_t DP_NOISE_BUCKETS
    const uint32_t DP_NOISE_TRIPS_MAX
    struct dp_noise:
        uint64_t duration_tsc
        uint64_t read_count
        uint64_t pause_count
        uint64_t pause_total_tsc
        uint64_t pause_max_tsc
        uint64_t buckets[40]
    struct dp_noise_trips:
        uint64_t count
        uint64_t min_tsc
        uint64_t median_tsc

    void dp_noise_listen(dp_noise *noise, uint64_t duration_tsc, uint64_t pause_tsc_min)
    int dp_noise_trip(uint32_t here, uint32_t there, uint32_t trip_count, uint64_t duration_tsc,
                      dp_noise_trips *trips, dp_err *err)
    int dp_noise_memory(size_t size, uint32_t load_count, uint64_t *duration_tsc, dp_err *err)
