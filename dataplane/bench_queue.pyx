"""Timed loops between cores, for the rows ``queue.*`` and ``ring.hop`` of ``tickplane bench``.

Each run is many short bouts, of which the median counts: a bout in which the machine gave a core to
somebody else says nothing about a queue.
"""

from libc.stdint cimport int64_t, uint64_t

from dataplane.dp_bench_queue cimport (
    DP_BENCH_HOP_TURNS,
    DP_BENCH_QUEUE_HAS_RTE_RING,
    dp_bench_hop_bare,
    dp_bench_hop_ring,
    dp_bench_hop_single,
    dp_bench_queue_ours,
    dp_bench_queue_rte_ring,
    dp_bench_queue_work,
)
from dataplane.dp_clock cimport dp_clock, dp_clock_calibrate, dp_clock_ticks_to_ns

from statistics import median

cdef enum:
    HOP_BOUTS = 1_000
    QUEUE_BOUTS = 41
    CALIBRATION_MS = 50

cdef int64_t (*queues[2])(const dp_bench_queue_work *) noexcept nogil
queues[0] = dp_bench_queue_ours
queues[1] = dp_bench_queue_rte_ring
cdef void (*hops[3])(uint64_t *, unsigned int) noexcept nogil
hops[0] = dp_bench_hop_ring
hops[1] = dp_bench_hop_bare
hops[2] = dp_bench_hop_single


HAS_RTE_RING = bool(DP_BENCH_QUEUE_HAS_RTE_RING)


def queue_run(int kind, int pairs, int batch):
    """Return the reading of a bout of ``pairs`` producers and as many consumers.

    ``kind`` is 0 for dp_queue, 1 for rte_ring where ``HAS_RTE_RING``.
    """
    cdef dp_bench_queue_work work
    cdef int64_t ns
    work.pair_count = pairs
    work.batch = batch
    # Long enough that four threads on two cores take turns several times.
    work.count = (8_192 if pairs == 1 else 65_536) * (4 if batch > 1 else 1)
    bouts = []
    for _ in range(QUEUE_BOUTS):
        with nogil:
            ns = queues[kind](&work)
        bouts.append(ns)
    return int(median(bouts)), pairs * work.count, None, None


cdef class HopBench:
    """Messages between two cores and back; each run is 100,000 round trips."""

    cdef dp_clock _clock
    cdef uint64_t _ticks[HOP_BOUTS]

    def __cinit__(self):
        dp_clock_calibrate(&self._clock, CALIBRATION_MS)

    def run(self, int kind):
        """Return the reading of a bout: 0 rings, 1 a bare line each way, 2 one line for both."""
        with nogil:
            hops[kind](self._ticks, HOP_BOUTS)
        ticks = median(list(self._ticks))
        return dp_clock_ticks_to_ns(&self._clock, int(ticks)), 2 * DP_BENCH_HOP_TURNS, None, None
