"""What every timed loop of ``tickplane bench`` is measured with."""

from libc.stdint cimport int64_t, uint64_t

from dataplane.dp_clock cimport dp_clock_monotonic_ns
from dataplane.dp_perf cimport (
    dp_perf_close,
    dp_perf_open,
    dp_perf_reading,
    dp_perf_start,
    dp_perf_stop,
)


cdef class Meter:
    """Time and counts of one loop on the calling thread, for the loops of other modules.

    A reading is (nanoseconds, operations, instructions, branch misses); the last two are None
    where the machine does not let us count them.
    """

    def __cinit__(self):
        dp_perf_open(&self._perf)

    def __dealloc__(self):
        dp_perf_close(&self._perf)

    cdef void start(self) noexcept:
        dp_perf_start(&self._perf)
        self._start_ns = dp_clock_monotonic_ns()

    cdef object stop(self, uint64_t count):
        """Return the reading of `count` operations since the start."""
        cdef int64_t end_ns = dp_clock_monotonic_ns()
        cdef dp_perf_reading reading = dp_perf_stop(&self._perf)
        return (
            end_ns - self._start_ns,
            count,
            None if reading.instructions < 0 else reading.instructions,
            None if reading.branch_misses < 0 else reading.branch_misses,
        )
