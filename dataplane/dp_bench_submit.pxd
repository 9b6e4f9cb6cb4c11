"""Mirror of bench/dp_bench_submit.h."""

from libc.stdint cimport uint32_t, uint64_t

from dataplane.dp_err cimport dp_err
from dataplane.dp_hist cimport dp_hist
from dataplane.dp_strategy cimport dp_gateway, dp_request


cdef extern from "dp_bench_submit.h" nogil:
    enum dp_bench_between:
        DP_BENCH_WARM
        DP_BENCH_COLD
        DP_BENCH_REWARMED

    struct dp_bench_submit:
        pass

    struct dp_bench_latency:
        dp_hist since_due
        dp_hist since_begun

    dp_bench_submit *dp_bench_submit_open(uint32_t order_count, dp_err *err)
    void dp_bench_submit_close(dp_bench_submit *bench)
    void dp_bench_submit_reset(dp_bench_submit *bench)
    uint64_t dp_bench_submit_sent(const dp_bench_submit *bench)
    dp_gateway *dp_bench_submit_gateway(dp_bench_submit *bench)
    dp_request dp_bench_submit_request(uint64_t index)
    void dp_bench_submit_one(dp_bench_submit *bench, uint64_t count)
    void dp_bench_submit_ungated(dp_bench_submit *bench, uint64_t count)
    void dp_bench_submit_batch(dp_bench_submit *bench, uint64_t count)
    void dp_bench_submit_life(dp_bench_submit *bench, uint64_t count)

# With the interpreter's lock held: an order may be a Python call.
cdef extern from "dp_bench_submit.h":
    ctypedef void dp_bench_order(void *state, dp_gateway *gateway, uint64_t index) noexcept

    void dp_bench_submit_order(void *state, dp_gateway *gateway, uint64_t index) noexcept
    void dp_bench_submit_latency(
        dp_bench_submit *bench, dp_bench_between between, dp_bench_order *order, void *state,
        uint64_t count, uint64_t interval_tsc, dp_bench_latency *latency)
