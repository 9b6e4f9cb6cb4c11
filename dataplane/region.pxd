from libc.stdint cimport int64_t, uint32_t

from dataplane.dp_hist cimport dp_stage
from dataplane.dp_risk cimport dp_risk, dp_risk_scope
from dataplane.mapping cimport Mapping

# (label, kind, index) of the scopes that are known by name: "firm", "account:house" ...
cdef list named_scopes(const dp_risk *risk)


cdef class Region(Mapping):
    cdef dict _latency(self, dp_stage stage)
    cdef dict _scope_row(self, const dp_risk *risk, str label, dp_risk_scope scope)
    cdef list _instrument_rows(self, const dp_risk *risk)
