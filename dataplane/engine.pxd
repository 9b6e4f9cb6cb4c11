from libc.stdint cimport uint32_t

from dataplane.dp_engine cimport dp_engine, dp_risk_position
from dataplane.dp_hist cimport dp_hist


cdef class Engine:
    cdef dp_engine *_engine
    cdef object _settings
    cdef list _names
    cdef list _strategies  # kept alive: the engine holds pointers to their tables
    cdef bint _failure_raised

    cdef void close(self) noexcept
    cdef dict _percentiles(self, const dp_hist *hist)
    cdef dict _position_row(self, uint32_t index, dp_risk_position position)
