/*
 * dp_bench_queue - values through a queue, by so many producers to so many consumers on the cores
 * of this machine.
 *
 * Each producer sends `count` 64-bit values in pushes of `batch`; the consumers take up to `batch`
 * at a time and add them up (the sum is checked). Producer i stands on core i, consumer i on the
 * next one. Whoever finds the queue full or empty waits with dp_bench_team_wait(). The same work
 * through dp_queue and through DPDK's rte_ring in its default mode, many producers and many
 * consumers; both hold 1,024 values a producer. The rte_ring lies in memory of ours: DPDK itself is
 * not started.
 */
#ifndef DP_BENCH_QUEUE_H
#define DP_BENCH_QUEUE_H

#include "dp_base.h"

#define DP_BENCH_QUEUE_SLOTS 1024u

struct dp_bench_queue_work {
    uint32_t pair_count; /* producers, and as many consumers */
    uint32_t batch;      /* at most 64 */
    uint64_t count;      /* values of each producer, a multiple of batch */
};

/* What one thread of it is given; producers count themselves off when they are done. */
struct dp_bench_queue_part {
    const struct dp_bench_queue_work *work;
    void *queue;                 /* of the kind that is measured */
    _Atomic uint32_t *producing; /* producers that are not done */
    uint64_t sum;                /* of the values that a consumer took */
};

/* Nanoseconds that the work takes through a queue with these two threads; checks the sum. */
int64_t dp_bench_queue_run(const struct dp_bench_queue_work *work, void *queue,
    void (*produce_one)(void *part), void (*consume_one)(void *part));

/* Nanoseconds for all of it. */
int64_t dp_bench_queue_ours(const struct dp_bench_queue_work *work);
/* The build sets DP_BENCH_RTE_RING where DPDK's headers are. */
#ifdef DP_BENCH_RTE_RING
#define DP_BENCH_QUEUE_HAS_RTE_RING 1
int64_t dp_bench_queue_rte_ring(const struct dp_bench_queue_work *work);
#else
#define DP_BENCH_QUEUE_HAS_RTE_RING 0
#define dp_bench_queue_rte_ring NULL
#endif

#endif
