/*
 * The reference of the rows queue.mpmc.*; in the build only where DPDK is. All that runs is inline
 * in DPDK's headers, so nothing of it is linked.
 */
#include <rte_config.h>
#include <rte_ring.h>

#include "dp_atomic.h"
#include "dp_bench_queue.h"
#include "dp_bench_team.h"

static void produce(void *context)
{
    struct dp_bench_queue_part *part = context;
    uint32_t batch = part->work->batch;
    void *values[64];
    for (uint64_t sent = 0; sent < part->work->count; sent += batch) {
        for (uint32_t at = 0; at < batch; at++)
            values[at] = (void *)(uintptr_t)(sent + at + 1);
        uint32_t tries = 0;
        for (uint32_t stored = 0; stored < batch;) {
            uint32_t more =
                rte_ring_mp_enqueue_burst(part->queue, values + stored, batch - stored, NULL);
            stored += more;
            if (more == 0)
                dp_bench_team_wait(tries++);
        }
    }
    dp_fetch_add_relaxed(part->producing, -1u);
}

static void consume(void *context)
{
    struct dp_bench_queue_part *part = context;
    void *values[64];
    uint64_t sum = 0;
    for (uint32_t tries = 0;;) {
        bool is_last = dp_load_relaxed(part->producing) == 0;
        uint32_t count = rte_ring_mc_dequeue_burst(part->queue, values, part->work->batch, NULL);
        if (count == 0) {
            if (is_last)
                break;
            dp_bench_team_wait(tries++);
            continue;
        }
        for (uint32_t at = 0; at < count; at++)
            sum += (uintptr_t)values[at];
        tries = 0;
    }
    part->sum = sum;
}

/* As rte_ring_init() makes it without flags: many producers, many consumers. */
static struct rte_ring *make_ring(uint32_t slots)
{
    size_t size = sizeof(struct rte_ring) + slots * sizeof(void *);
    struct rte_ring *ring = aligned_alloc(2 * DP_CACHE_LINE, dp_round_up(size, 2 * DP_CACHE_LINE));
    DP_ASSERT(ring != NULL && dp_is_power_of_two(slots));
    memset(ring, 0, sizeof(*ring));
    ring->prod.sync_type = RTE_RING_SYNC_MT;
    ring->cons.sync_type = RTE_RING_SYNC_MT;
    ring->size = slots;
    ring->mask = slots - 1;
    ring->capacity = slots - 1;
    return ring;
}

int64_t dp_bench_queue_rte_ring(const struct dp_bench_queue_work *work)
{
    uint32_t slots = DP_BENCH_QUEUE_SLOTS;
    while (slots < DP_BENCH_QUEUE_SLOTS * work->pair_count)
        slots *= 2;
    struct rte_ring *ring = make_ring(slots);

    int64_t ns = dp_bench_queue_run(work, ring, produce, consume);
    free(ring);
    return ns;
}
