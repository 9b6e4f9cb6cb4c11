"""Timed loops over the order path, for the rows ``submit.*`` and ``lifecycle``."""

from libc.stdint cimport uint32_t, uint64_t
from libc.stdlib cimport free, malloc
from libc.string cimport memset

from dataplane.bench_meter cimport Meter
from dataplane.dp_bench_submit cimport (
    DP_BENCH_COLD,
    DP_BENCH_REWARMED,
    DP_BENCH_WARM,
    dp_bench_between,
    dp_bench_latency,
    dp_bench_order,
    dp_bench_submit,
    dp_bench_submit_batch,
    dp_bench_submit_close,
    dp_bench_submit_gateway,
    dp_bench_submit_latency,
    dp_bench_submit_life,
    dp_bench_submit_one,
    dp_bench_submit_open,
    dp_bench_submit_order,
    dp_bench_submit_request,
    dp_bench_submit_reset,
    dp_bench_submit_sent,
    dp_bench_submit_ungated,
)
from dataplane.dp_clock cimport dp_clock, dp_clock_calibrate
from dataplane.dp_err cimport dp_err, raise_err
from dataplane.dp_hist cimport dp_hist, dp_hist_percentile
from dataplane.dp_strategy cimport dp_gateway, dp_gateway_submit, dp_request
from dataplane.strategy cimport Gateway

cdef enum:
    ORDERS = 196_608  # a multiple of the batch
    WARM_ORDERS = 100_000
    INTERVAL_NS = 1_000
    COLD_ORDERS = 128
    COLD_INTERVAL_NS = 2_000_000
    CALIBRATION_MS = 50


cdef void cython_order(void *state, dp_gateway *gateway, uint64_t index) noexcept:
    """Make the order of a strategy written in Cython."""
    cdef uint32_t user_ref_num = 0
    cdef dp_request request = dp_bench_submit_request(index)
    dp_gateway_submit(gateway, &request, &user_ref_num)


cdef void python_order(void *state, dp_gateway *gateway, uint64_t index) noexcept:
    """Make the order of a strategy written in Python: a call of a Python function."""
    (<object>state)(index)


def python_strategy(Gateway gateway, prices):
    """Return a Python function that sends order ``index``."""
    submit = gateway.submit

    def order(index):
        submit(index & 15, 1 + (index & 1), 100, prices[index % 20])

    return order


cdef class SubmitBench:
    """The order path over memory of its own; each run begins with its first order."""

    cdef dp_bench_submit *_bench
    cdef dp_bench_latency *_latency
    cdef dp_clock _clock
    cdef Meter _meter
    cdef Gateway _gateway
    cdef object _python_order

    def __cinit__(self):
        cdef dp_err err
        memset(&err, 0, sizeof(err))
        self._meter = Meter()
        self._latency = <dp_bench_latency *>malloc(sizeof(dp_bench_latency))
        self._bench = dp_bench_submit_open(ORDERS, &err)
        if self._latency is NULL:
            raise MemoryError()
        if self._bench is NULL:
            raise_err(&err)
        dp_clock_calibrate(&self._clock, CALIBRATION_MS)
        self._gateway = Gateway.__new__(Gateway)
        self._gateway._gateway = dp_bench_submit_gateway(self._bench)
        self._python_order = python_strategy(
            self._gateway, [(990 + step) * 10_000_000 for step in range(20)])

    def __dealloc__(self):
        dp_bench_submit_close(self._bench)
        free(self._latency)

    def one(self):
        """Send orders one at a time, as fast as they go."""
        dp_bench_submit_reset(self._bench)
        self._meter.start()
        dp_bench_submit_one(self._bench, ORDERS)
        return self._meter.stop(dp_bench_submit_sent(self._bench))

    def ungated(self):
        """Send orders one at a time through a gate that says yes at once."""
        dp_bench_submit_reset(self._bench)
        self._meter.start()
        dp_bench_submit_ungated(self._bench, ORDERS)
        return self._meter.stop(dp_bench_submit_sent(self._bench))

    def batch(self):
        """Send orders 32 at a time, as fast as they go."""
        dp_bench_submit_reset(self._bench)
        self._meter.start()
        dp_bench_submit_batch(self._bench, ORDERS)
        return self._meter.stop(dp_bench_submit_sent(self._bench))

    def life(self):
        """Send orders one at a time, each accepted and filled before the next."""
        dp_bench_submit_reset(self._bench)
        self._meter.start()
        dp_bench_submit_life(self._bench, ORDERS)
        return self._meter.stop(dp_bench_submit_sent(self._bench))

    def latency(self, str caller, str between="warm"):
        """Send orders at a fixed rate; return (p50, p99, p99.9, max) twice, in nanoseconds.

        First from when an order was due to its frame in the ring, then from when it was begun.
        ``caller`` is c, cython or python; clock makes no order. ``between`` two orders: warm,
        nothing; cold, other memory is walked; rewarmed, that and then a shadow order.
        """
        cdef dp_bench_order *order = self.order_of(caller)
        cdef dp_bench_between what = self.between_of(between)
        cdef bint cold = what != DP_BENCH_WARM
        cdef uint64_t count = COLD_ORDERS if cold else WARM_ORDERS
        cdef uint64_t interval_ns = COLD_INTERVAL_NS if cold else INTERVAL_NS
        dp_bench_submit_reset(self._bench)
        dp_bench_submit_latency(
            self._bench, what, order,
            <void *>self._python_order, count, interval_ns * self._clock.tsc_hz // 1_000_000_000,
            self._latency)
        if order is not NULL and dp_bench_submit_sent(self._bench) != count:
            raise RuntimeError(f"bench: {count} orders made, {self.sent} sent")
        return self.percentiles(&self._latency.since_due), self.percentiles(
            &self._latency.since_begun)

    @property
    def sent(self):
        """Frames that reached the ring since the last run began."""
        return dp_bench_submit_sent(self._bench)

    cdef dp_bench_order *order_of(self, str caller) except? NULL:
        if caller == "clock":
            return NULL
        if caller == "c":
            return dp_bench_submit_order
        if caller == "cython":
            return cython_order
        if caller == "python":
            return python_order
        raise ValueError(f"caller is {caller!r}; it must be clock, c, cython or python")

    cdef dp_bench_between between_of(self, str between) except? DP_BENCH_WARM:
        if between == "warm":
            return DP_BENCH_WARM
        if between == "cold":
            return DP_BENCH_COLD
        if between == "rewarmed":
            return DP_BENCH_REWARMED
        raise ValueError(f"between is {between!r}; it must be warm, cold or rewarmed")

    cdef tuple percentiles(self, const dp_hist *hist):
        cdef double tick_ns = 1e9 / <double>self._clock.tsc_hz
        return (
            dp_hist_percentile(hist, 50_000) * tick_ns,
            dp_hist_percentile(hist, 99_000) * tick_ns,
            dp_hist_percentile(hist, 99_900) * tick_ns,
            dp_hist_percentile(hist, 100_000) * tick_ns,
        )
