"""Mirror of core/dp_counter.h."""

from libc.stdint cimport uint64_t


cdef extern from "dp_counter.h" nogil:
    enum dp_counter:
        DP_COUNTER_COUNT

    struct dp_counters:
        pass

    void dp_counter_add(dp_counters *counters, dp_counter id, uint64_t count)
    uint64_t dp_counter_read(const dp_counters *counters, dp_counter id)
    const char *dp_counter_key(dp_counter id)
    const char *dp_counter_words(dp_counter id)
