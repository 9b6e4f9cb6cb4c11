from libc.stdint cimport int64_t, uint64_t

from dataplane.dp_perf cimport dp_perf


cdef class Meter:
    cdef dp_perf _perf
    cdef int64_t _start_ns

    cdef void start(self) noexcept
    cdef object stop(self, uint64_t count)
