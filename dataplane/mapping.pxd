from dataplane.dp_region cimport dp_region
from dataplane.dp_shm cimport dp_shm


cdef class Mapping:
    cdef dp_shm _shm
    cdef dp_region *_region
    cdef bint _is_writable

    # Called by attach() when the region is mapped and has been checked: finds what is needed.
    cdef int _find_parts(self) except -1
    # The part's first byte, valid until close(); raises when it is missing or too small.
    cdef void *part(self, str name, size_t size) except NULL
    cdef bint has_part(self, str name) except -1
    cdef dp_region *_checked(self) except NULL
