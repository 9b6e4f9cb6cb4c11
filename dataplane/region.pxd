from dataplane.dp_hist cimport dp_stage
from dataplane.dp_region cimport dp_region
from dataplane.dp_shm cimport dp_shm


cdef class Region:
    cdef dp_shm _shm
    cdef dp_region *_region

    # The part's first byte, valid until close(); raises when it is missing or too small.
    cdef void *part(self, str name, size_t size) except NULL
    cdef dp_region *_checked(self) except NULL
    cdef dict _latency(self, dp_stage stage)
