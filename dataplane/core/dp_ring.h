/*
 * dp_ring - a bounded queue of byte slots between one producer and one consumer.
 *
 *     producer                         consumer
 *     --------                         --------
 *     dp_ring_reserve() -> slot        dp_ring_peek() -> slot
 *     (fill it)                        (use it)
 *     dp_ring_publish()                dp_ring_release()
 *
 * No call blocks, allocates or enters the kernel. A ring holds no pointers, so two processes may map it
 * at different addresses. Its memory belongs to the caller and must outlive both ends. Slots are filled and
 * used in place: a frame is written once. head and tail count slots since the ring was made and never wrap.
 */
#ifndef DP_RING_H
#define DP_RING_H

#include "dp_atomic.h"
#include "dp_base.h"
#include "dp_err.h"

#define DP_RING_SLOTS_MAX (1u << 20)

struct dp_ring {
    /* The producer's line. */
    alignas(DP_CACHE_LINE) _Atomic uint64_t tail;
    uint64_t head_seen; /* the producer's last look at head; may be behind, never ahead */

    /* The consumer's line. */
    alignas(DP_CACHE_LINE) _Atomic uint64_t head;
    uint64_t tail_seen; /* the consumer's last look at tail; may be behind, never ahead */

    /* Written by dp_ring_init(), then read-only. */
    alignas(DP_CACHE_LINE) uint64_t slot_mask;
    uint64_t slot_size; /* bytes, a multiple of DP_CACHE_LINE: the length, then the data */

    alignas(DP_CACHE_LINE) uint8_t slots[];
};

/* What a slot holds: `size` valid bytes of `data`; the rest is undefined. */
struct dp_ring_slot {
    uint32_t size;
    uint32_t tag; /* the producer's word to the consumer (for a frame: its line or session) */
    int64_t time_ns;
    uint8_t data[];
};

/* data_size: the most bytes a slot can hold. */
size_t dp_ring_size(uint32_t slot_count, uint32_t data_size);
/* ring: dp_ring_size() bytes, cache-line aligned. slot_count a power of two. */
int dp_ring_init(struct dp_ring *ring, uint32_t slot_count, uint32_t data_size, struct dp_err *err);

/* Producer only. The next free slot, or NULL when the ring is full. Asking again without publishing gives the same slot. */
struct dp_ring_slot *dp_ring_reserve(struct dp_ring *ring);
void dp_ring_publish(struct dp_ring *ring); /* producer only: hands the reserved slot over */
/* Consumer only. The oldest slot, or NULL when the ring is empty. */
struct dp_ring_slot *dp_ring_peek(struct dp_ring *ring);
void dp_ring_release(struct dp_ring *ring); /* consumer only: gives the peeked slot back */

#endif
