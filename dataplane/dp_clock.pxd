"""Mirror of sys/dp_clock.h."""

from libc.stdint cimport int64_t, uint32_t, uint64_t


cdef extern from "dp_clock.h" nogil:
    struct dp_clock:
        uint64_t tsc_hz
        uint64_t error_ppb
        uint64_t overhead_tsc
        bint invariant

    void dp_clock_calibrate(dp_clock *clock, uint32_t duration_ms)
    int64_t dp_clock_wall_ns()
    int64_t dp_clock_monotonic_ns()
    uint64_t dp_clock_ticks_to_ns(const dp_clock *clock, uint64_t ticks)
