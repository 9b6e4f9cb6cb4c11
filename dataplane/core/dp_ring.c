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
    ring->tail_seen = 0;
    ring->slot_mask = slot_count - 1;
    ring->slot_size = slot_size(data_size);
    return 0;
}
