"""Timed loops over flows of orders, for the rows ``match.*`` of ``tickplane bench``."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.stdlib cimport free, malloc, qsort
from libc.string cimport memset

from dataplane.bench_meter cimport Meter
from dataplane.dp_bench_match cimport (
    dp_bench_match_command,
    dp_bench_match_empty,
    dp_bench_match_flow,
    dp_bench_match_init,
    dp_bench_match_report_counts,
    dp_bench_match_result,
    dp_bench_match_run,
    dp_bench_match_shape,
    dp_bench_match_size,
    dp_bench_match_time,
    dp_bench_plain,
    dp_bench_plain_init,
    dp_bench_plain_run,
    dp_bench_plain_size,
)
from dataplane.dp_clock cimport dp_clock, dp_clock_calibrate, dp_clock_ticks_to_ns
from dataplane.dp_match cimport dp_match, dp_match_policy
from dataplane.sys_mman cimport MADV_HUGEPAGE, madvise

SHAPES = ("static", "normal", "swing25", "swing40", "crash")

cdef enum:
    HUGE_PAGE = 2 << 20

cdef extern from "<stdlib.h>" nogil:
    void *aligned_alloc(size_t alignment, size_t size)


cdef int _compare(const void *left, const void *right) noexcept nogil:
    cdef uint32_t a = (<const uint32_t *>left)[0]
    cdef uint32_t b = (<const uint32_t *>right)[0]
    return (a > b) - (a < b)


cdef object _result(dp_bench_match_result result):
    return result.traded_qty, result.trades, result.live, result.refused


cdef class MatchBench:
    """One flow in memory, and the engines that it goes through; each run begins anew."""

    cdef dp_bench_match_command *_commands
    cdef dp_match *_match
    cdef dp_bench_plain *_plain
    cdef uint32_t *_ticks
    cdef uint8_t *_report_counts
    cdef uint32_t _resting
    cdef uint32_t _count
    cdef Meter _meter
    cdef dp_clock _clock
    cdef readonly tuple result
    cdef readonly tuple plain_result

    def __cinit__(self, shape, uint32_t count, *, uint32_t resting=10_000, uint64_t seed=1):
        cdef uint32_t orders = resting + count
        cdef size_t size = dp_bench_match_size(orders)
        size = (size + HUGE_PAGE - 1) // HUGE_PAGE * HUGE_PAGE
        self._meter = Meter()
        self._resting = resting
        self._count = count
        self._commands = <dp_bench_match_command *>malloc(
            <size_t>orders * sizeof(dp_bench_match_command))
        self._match = <dp_match *>aligned_alloc(HUGE_PAGE, size)
        self._plain = <dp_bench_plain *>malloc(dp_bench_plain_size(orders))
        self._ticks = <uint32_t *>malloc(<size_t>count * sizeof(uint32_t))
        self._report_counts = <uint8_t *>malloc(count)
        if not (self._commands and self._match and self._plain and self._ticks
                and self._report_counts):
            raise MemoryError(f"bench: {size} bytes for an engine; free some memory")
        madvise(self._match, size, MADV_HUGEPAGE)  # where the machine has none, small ones do
        memset(self._match, 0, size)  # no page is touched first while time is taken
        dp_bench_match_flow(
            <dp_bench_match_shape><int>SHAPES.index(shape), seed, self._commands, resting, count)
        dp_clock_calibrate(&self._clock, 20)
        self._begin(0)
        dp_bench_match_report_counts(
            self._match, self._commands + resting, count, self._report_counts)

    def __dealloc__(self):
        free(self._commands)
        free(self._match)
        free(self._plain)
        free(self._ticks)
        free(self._report_counts)

    cdef void _begin(self, int policy):
        dp_bench_match_init(
            self._match, self._resting + self._count, <dp_match_policy>policy)
        dp_bench_match_run(self._match, self._commands, self._resting)

    cdef object _run(self, int policy):
        cdef dp_bench_match_result result
        self._begin(policy)
        self._meter.start()
        result = dp_bench_match_run(
            self._match, self._commands + self._resting, self._count)
        reading = self._meter.stop(self._count)
        self.result = _result(result)
        return reading

    def fifo(self):
        """Price, then time."""
        return self._run(0)

    def pro_rata(self):
        """The same flow, levels shared out by size."""
        return self._run(1)

    def empty(self):
        """The same requests made, and as many reports read, without an engine."""
        self._meter.start()
        dp_bench_match_empty(
            self._commands + self._resting, self._count, self._report_counts)
        return self._meter.stop(self._count)

    def plain(self):
        """The same flow through sorted arrays, without reports and accounts."""
        cdef dp_bench_match_result result
        cdef dp_bench_match_result before
        dp_bench_plain_init(self._plain, self._resting + self._count)
        before = dp_bench_plain_run(self._plain, self._commands, self._resting)
        self._meter.start()
        result = dp_bench_plain_run(
            self._plain, self._commands + self._resting, self._count)
        reading = self._meter.stop(self._count)
        result.live += before.live
        self.plain_result = _result(result)
        return reading

    def latency(self, permille):
        """Return that part of all commands' nanoseconds, one by one; each includes two readings of
        the clock."""
        self._begin(0)
        dp_bench_match_time(
            self._match, self._commands + self._resting, self._count, self._ticks)
        qsort(self._ticks, self._count, sizeof(uint32_t), _compare)
        return [
            dp_clock_ticks_to_ns(&self._clock, self._ticks[<uint32_t>(self._count * each // 1000)])
            for each in permille
        ]
