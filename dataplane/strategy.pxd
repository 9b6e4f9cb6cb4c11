"""What a strategy written in Cython, inside or outside this tree, derives from."""

from dataplane.dp_event cimport dp_event
from dataplane.dp_strategy cimport dp_gateway, dp_strategy


cdef class Strategy:
    # Callbacks and their state. A subclass sets the ones it wants in __cinit__ or __init__;
    # NULL is skipped.
    cdef dp_strategy table
    # What a Python callback raised; the engine stops and raises it.
    cdef public object failure


cdef class PythonStrategy(Strategy):
    cdef readonly object target


cdef class LibraryStrategy(Strategy):
    cdef void *_library
    cdef bint _opened


cdef class OrderEvent:
    cdef dp_event _event


cdef OrderEvent order_event_of(const dp_event *event)


cdef class Gateway:
    # NULL outside a callback.
    cdef dp_gateway *_gateway
    cdef dp_gateway *open(self) except NULL
