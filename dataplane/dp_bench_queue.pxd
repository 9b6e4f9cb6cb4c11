"""Mirror of bench/dp_bench_queue.h and bench/dp_bench_hop.h."""

from libc.stdint cimport int64_t, uint32_t, uint64_t


cdef extern from "dp_bench_queue.h" nogil:
    enum:
        DP_BENCH_QUEUE_HAS_RTE_RING

    struct dp_bench_queue_work:
        uint32_t pair_count
        uint32_t batch
        uint64_t count

    int64_t dp_bench_queue_ours(const dp_bench_queue_work *work)
    int64_t dp_bench_queue_rte_ring(const dp_bench_queue_work *work)


cdef extern from "dp_bench_hop.h" nogil:
    enum:
        DP_BENCH_HOP_TURNS

    void dp_bench_hop_bare(uint64_t *ticks, uint32_t bout_count)
    void dp_bench_hop_single(uint64_t *ticks, uint32_t bout_count)
    void dp_bench_hop_ring(uint64_t *ticks, uint32_t bout_count)
