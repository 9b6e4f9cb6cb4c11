"""Mirror of sys/dp_cpu.h."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from dataplane.dp_err cimport dp_err


cdef extern from "dp_cpu.h" nogil:
    struct dp_cpu_isolation:
        bint isolated
        bint nohz_full

    int dp_cpu_pin(uint32_t cpu, dp_err *err)
    dp_cpu_isolation dp_cpu_isolation_of "dp_cpu_isolation"(uint32_t cpu, const char *folder)
    int dp_cpu_lock_memory(uint64_t *locked_bytes, dp_err *err)
    int dp_cpu_unlock_memory(dp_err *err)
