"""Mirror of bench/dp_bench_venue.h."""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t

from dataplane.dp_err cimport dp_err
from dataplane.dp_hist cimport dp_hist


cdef extern from "dp_bench_venue.h" nogil:
    enum:
        DP_BENCH_VENUE_SESSIONS_MAX
        DP_BENCH_VENUE_WINDOW_MAX

    struct dp_bench_venue_load:
        uint16_t port
        uint32_t session_count
        uint32_t window
        uint64_t orders_per_session
        uint32_t user_ref_num_first
        char symbol[8]

    int dp_bench_venue_run(
        const dp_bench_venue_load *load, dp_hist *hist, int64_t *elapsed_ns, dp_err *err)

    struct dp_bench_echo:
        pass

    dp_bench_echo *dp_bench_echo_open(dp_err *err)
    uint16_t dp_bench_echo_port(const dp_bench_echo *echo)
    void dp_bench_echo_run(dp_bench_echo *echo, int64_t budget_ns)
    void dp_bench_echo_close(dp_bench_echo *echo)
