"""The class Exchange, for the modules that run one."""

from dataplane.dp_exchange cimport dp_exchange


cdef class Exchange:
    cdef dp_exchange *c
    cdef readonly str name
    cdef object _follower  # told by this one: kept as long
