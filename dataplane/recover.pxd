from libc.stdint cimport uint32_t

from dataplane.dp_checkpoint cimport dp_checkpoint_image
from dataplane.dp_engine cimport dp_order, dp_orders, dp_orders_config
from dataplane.dp_recover cimport dp_recover, dp_recover_instrument


cdef class State:
    cdef dp_checkpoint_image _image  # orders, instruments, recover: in this order
    cdef dp_orders_config _config
    cdef dp_recover *_recover
    cdef dp_orders *_orders
    cdef dp_recover_instrument *_instruments
    cdef uint32_t _instrument_count

    cdef int _begin(self) except -1
    cdef int _map(self) except -1
    cdef void _unmap(self) noexcept
    cdef list _position_problems(self)
    cdef dict _position(self, const dp_recover_instrument *instrument)
    cdef dict _row(self, const dp_order *order, bytes prefix)
