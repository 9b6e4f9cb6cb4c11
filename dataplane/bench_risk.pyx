"""Timed loops over the gate, for the row ``risk.check``."""

from libc.stdint cimport uint64_t
from libc.stdlib cimport free, malloc

from dataplane.bench_meter cimport Meter
from dataplane.dp_bench_risk cimport (
    dp_bench_risk,
    dp_bench_risk_decide,
    dp_bench_risk_each,
    dp_bench_risk_empty,
    dp_bench_risk_init,
    dp_bench_risk_size,
)
from dataplane.dp_clock cimport dp_clock, dp_clock_calibrate, dp_clock_ticks_to_ns
from dataplane.dp_hist cimport dp_hist, dp_hist_init, dp_hist_percentile

cdef extern from "<stdlib.h>" nogil:
    void *aligned_alloc(size_t alignment, size_t size)

cdef enum:
    WARM = 20_000
    ORDERS = 500_000
    EACH = 200_000
    CALIBRATION_MS = 50


cdef class RiskBench:
    """A gate with every check on, in memory of its own; each run begins with nothing open."""

    cdef dp_bench_risk *_bench
    cdef void *_memory
    cdef dp_hist *_hist
    cdef dp_clock _clock
    cdef Meter _meter

    def __cinit__(self):
        self._meter = Meter()
        self._bench = <dp_bench_risk *>malloc(sizeof(dp_bench_risk))
        self._hist = <dp_hist *>malloc(sizeof(dp_hist))
        self._memory = aligned_alloc(4096, (dp_bench_risk_size() + 4095) // 4096 * 4096)
        if self._bench is NULL or self._hist is NULL or self._memory is NULL:
            raise MemoryError()
        dp_clock_calibrate(&self._clock, CALIBRATION_MS)

    def __dealloc__(self):
        free(self._bench)
        free(self._hist)
        free(self._memory)

    cdef void _begin(self) noexcept:
        dp_bench_risk_init(self._bench, self._memory)
        dp_bench_risk_decide(self._bench, WARM)

    def decide(self):
        """Decide orders that all pass; raise AssertionError when one does not."""
        self._begin()
        self._meter.start()
        cdef uint64_t passed = dp_bench_risk_decide(self._bench, ORDERS)
        reading = self._meter.stop(ORDERS)
        assert passed == ORDERS, f"{ORDERS - passed} orders were refused"
        return reading

    def empty(self):
        """Walk the same orders, and call a function that says yes."""
        self._begin()
        self._meter.start()
        dp_bench_risk_empty(self._bench, ORDERS)
        return self._meter.stop(ORDERS)

    def each(self):
        """Return p50, p99 and p999 of single decisions in nanoseconds, the clock's cost taken off.
        """
        self._begin()
        dp_hist_init(self._hist)
        dp_bench_risk_each(self._bench, EACH, self._clock.overhead_tsc, self._hist)
        return [
            dp_clock_ticks_to_ns(&self._clock, dp_hist_percentile(self._hist, share))
            for share in (50_000, 99_000, 99_900)
        ]
