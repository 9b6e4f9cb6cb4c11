"""Mirror of sys/dp_wal.h."""

from libc.stdint cimport int64_t, uint8_t, uint64_t

from dataplane.dp_err cimport dp_err
from dataplane.dp_journal cimport dp_journal_segment


cdef extern from "dp_wal.h" nogil:
    struct dp_wal_file:
        uint8_t *memory
        uint64_t size

    struct dp_wal:
        dp_journal_segment segment
        dp_wal_file file
        dp_err err

    struct dp_wal_config:
        uint64_t segment_size
        uint64_t generation
        int64_t created_ns
        const char *appliance
        const char *cl_ord_id_prefix
        uint8_t durability[3]
        bint resume
        uint64_t resume_sequence

    int dp_wal_open(
        dp_wal *wal, const char *directory, const dp_wal_config *config, dp_err *err)
    bint dp_wal_next(void *wal)
    int dp_wal_close(dp_wal *wal, dp_err *err)
