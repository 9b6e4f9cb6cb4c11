from dataplane.dp_hist cimport dp_stage
from dataplane.mapping cimport Mapping


cdef class Region(Mapping):
    cdef dict _latency(self, dp_stage stage)
