/*
 * dp_desk_layout - where the parts of all desks lie. Private to dp_desk.c and dp_desk_serve.c.
 */
#ifndef DP_DESK_LAYOUT_H
#define DP_DESK_LAYOUT_H

#include "dp_desk.h"

/* What lanes and seats know their owner by: the desk, whoever has it. The last one is the engine.
 */
#define DP_DESK_NAME(index) ((index) + 1ull)

#define DP_DESK_OPEN(process) ((process) << 2 | 1)
#define DP_DESK_LEFT(process) ((process) << 2 | 2)

static inline bool dp_desk_is_open(uint64_t owner)
{
    return (owner & 3) == 1;
}

static inline bool dp_desk_is_left(uint64_t owner)
{
    return (owner & 3) == 2;
}

static inline struct dp_queue *dp_desks_queue(struct dp_desks *desks)
{
    return (struct dp_queue *)(void *)((uint8_t *)desks + desks->queue_offset);
}

static inline struct dp_pool_shared *dp_desks_pool(struct dp_desks *desks)
{
    return (struct dp_pool_shared *)(void *)((uint8_t *)desks + desks->pool_offset);
}

static inline struct dp_desk_request *dp_desks_record(struct dp_desks *desks, uint64_t handle)
{
    void *records = (uint8_t *)desks + desks->records_offset;
    return (struct dp_desk_request *)records + dp_pool_index(handle);
}

static inline struct dp_ring *dp_desks_ring(struct dp_desks *desks, uint32_t index)
{
    void *ring = (uint8_t *)desks + desks->rings_offset + index * desks->ring_size;
    return ring;
}

#endif
