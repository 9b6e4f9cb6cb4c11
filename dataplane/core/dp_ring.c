#include "dp_ring.h"

#include <errno.h>

static uint64_t slot_size(uint32_t data_size)
{
    return dp_round_up(sizeof(struct dp_ring_slot) + data_size, DP_CACHE_LINE);
}

size_t dp_ring_size(uint32_t slot_count, uint32_t data_size)
{
    return sizeof(struct dp_ring) + slot_count * slot_size(data_size);
}

int dp_ring_init(struct dp_ring *ring, uint32_t slot_count, uint32_t data_size, struct dp_err *err)
{
    if (!dp_is_power_of_two(slot_count) || slot_count > DP_RING_SLOTS_MAX)
        return dp_err_set(err, EINVAL, "ring: slot_count: %u; give a power of two, at most %u",
            slot_count, DP_RING_SLOTS_MAX);
    if (data_size == 0)
        return dp_err_set(err, EINVAL, "ring: data_size: 0; give at least 1 byte");

    dp_store_relaxed(&ring->tail, 0);
    dp_store_relaxed(&ring->head, 0);
    ring->head_seen = 0;
    ring->slot_mask = slot_count - 1;
    ring->slot_size = slot_size(data_size);
    for (uint32_t count = 0; count < slot_count; count++)
        dp_store_relaxed(&dp_ring_slot_at(ring, count)->turn, 0);
    return 0;
}

void dp_ring_adopt(struct dp_ring *ring)
{
    uint64_t tail = dp_load_relaxed(&ring->tail);
    while (dp_load_relaxed(&dp_ring_slot_at(ring, tail)->turn) == tail + 1)
        tail++;
    dp_store_relaxed(&ring->tail, tail);
    /* Behind a first slot without a turn the consumer has not looked yet. */
    for (uint64_t ahead = 1; ahead <= ring->slot_mask; ahead++) {
        struct dp_ring_slot *slot = dp_ring_slot_at(ring, tail + ahead);
        if (dp_load_relaxed(&slot->turn) == tail + ahead + 1)
            dp_store_relaxed(&slot->turn, 0);
    }
}
