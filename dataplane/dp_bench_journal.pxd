"""Mirror of bench/dp_bench_journal.h."""

from libc.stdint cimport uint8_t, uint64_t

from dataplane.dp_engine cimport dp_orders
from dataplane.dp_hist cimport dp_hist
from dataplane.dp_wal cimport dp_wal


cdef extern from "dp_bench_journal.h" nogil:
    struct dp_bench_group:
        uint64_t count
        uint64_t barriers
        uint64_t ticks
        dp_hist wait

    void dp_bench_journal_copy(uint8_t *memory, uint64_t count)
    bint dp_bench_journal_append(dp_wal *wal, uint64_t count, dp_hist *hist)
    bint dp_bench_journal_fill(dp_wal *wal, dp_orders *orders, uint64_t count)
    bint dp_bench_journal_group(
        dp_wal *wal, uint64_t count, uint64_t interval_tsc, dp_bench_group *group)
    int dp_bench_journal_fdatasync(const char *path, uint64_t count, dp_hist *hist)
