/*
 * queue_bench - a queue in memory that child processes share, and what its tests ask of it.
 */
#ifndef QUEUE_BENCH_H
#define QUEUE_BENCH_H

#include <sys/mman.h>

#include "check.h"
#include "dp_queue.h"

static inline void *shared_memory(size_t size)
{
    void *memory =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (memory == MAP_FAILED) {
        perror("mmap");
        exit(1);
    }
    return memory;
}

static inline struct dp_queue *open_queue(uint32_t lanes, uint32_t seats, uint32_t slots)
{
    struct dp_queue_config config = {.lane_count = lanes, .seat_count = seats, .slot_count = slots};
    struct dp_queue *queue = shared_memory(dp_queue_size(&config));
    CHECK_EQUAL(dp_queue_init(queue, &config, NULL), 0);
    return queue;
}

static inline void close_queue(struct dp_queue *queue)
{
    munmap(queue, dp_queue_size(&queue->config));
}

#endif
