"""Mirror of bench/dp_bench_risk.h."""

from libc.stdint cimport uint64_t

from dataplane.dp_hist cimport dp_hist


cdef extern from "dp_bench_risk.h" nogil:
    struct dp_bench_risk:
        pass
    size_t dp_bench_risk_size()
    void dp_bench_risk_init(dp_bench_risk *bench, void *memory)
    uint64_t dp_bench_risk_decide(dp_bench_risk *bench, uint64_t count)
    uint64_t dp_bench_risk_empty(dp_bench_risk *bench, uint64_t count)
    void dp_bench_risk_each(
        dp_bench_risk *bench, uint64_t count, uint64_t overhead_tsc, dp_hist *hist)
