"""A load of orders over sockets and a bare echo, for the row ``venue.orders``."""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memcpy, memset

from dataplane.dp_bench_venue cimport (
    DP_BENCH_VENUE_SESSIONS_MAX,
    DP_BENCH_VENUE_WINDOW_MAX,
    dp_bench_echo,
    dp_bench_echo_close,
    dp_bench_echo_open,
    dp_bench_echo_port,
    dp_bench_echo_run,
    dp_bench_venue_load,
    dp_bench_venue_run,
)
from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_hist cimport dp_hist, dp_hist_init, dp_hist_percentile

SESSIONS_MAX = DP_BENCH_VENUE_SESSIONS_MAX
WINDOW_MAX = DP_BENCH_VENUE_WINDOW_MAX


def load(uint16_t port, *, uint32_t sessions, uint32_t window, uint64_t orders, uint32_t first):
    """Send so many orders on each session; (nanoseconds for all, p50, p99 of one's answer)."""
    cdef dp_err err
    cdef dp_bench_venue_load config
    cdef int64_t elapsed_ns = 0
    cdef int result = 0
    cdef dp_hist *hist = <dp_hist *>malloc(sizeof(dp_hist))
    if hist is NULL:
        raise MemoryError()
    memset(&err, 0, sizeof(err))
    dp_hist_init(hist)
    config.port = port
    config.session_count = sessions
    config.window = window
    config.orders_per_session = orders
    config.user_ref_num_first = first
    memcpy(config.symbol, b"TPLN    ", 8)
    with nogil:
        result = dp_bench_venue_run(&config, hist, &elapsed_ns, &err)
    p50, p99 = dp_hist_percentile(hist, 50_000), dp_hist_percentile(hist, 99_000)
    free(hist)
    if result < 0:
        raise_err(&err)
    return elapsed_ns, p50, p99


cdef class Echo:
    """Sends back what it reads, on a free port of the loopback."""

    cdef dp_bench_echo *_echo

    def __cinit__(self):
        cdef dp_err err
        memset(&err, 0, sizeof(err))
        self._echo = dp_bench_echo_open(&err)
        if self._echo is NULL:
            raise_err(&err)

    def __dealloc__(self):
        dp_bench_echo_close(self._echo)

    @property
    def port(self):
        """The port it listens at."""
        return dp_bench_echo_port(self._echo)

    def run(self, int64_t budget_ns) -> None:
        """Work for so long."""
        with nogil:
            dp_bench_echo_run(self._echo, budget_ns)
