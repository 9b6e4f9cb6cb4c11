/*
 * dp_ring - a bounded queue of byte slots between one producer and one consumer.
 *
 *     producer                         consumer
 *     --------                         --------
 *     dp_ring_reserve() -> slot        dp_ring_peek() -> slot
 *     (fill it)                        (use it)
 *     dp_ring_publish()                dp_ring_release()
 *
 * No call blocks, allocates or enters the kernel; each is wait-free (a bounded number of own
 * steps). A ring holds no pointers, so two processes may map it at different addresses. Its memory
 * belongs to the caller and must outlive both ends. Slots are filled and used in place: a frame is
 * written once.
 *
 * head and tail count slots since the ring was made and never wrap: at one slot a nanosecond 64
 * bits last 584 years. A slot carries the turn it was published in, which is its count + 1. The
 * producer fills a slot and then stores its turn (release); the consumer looks at the turn of the
 * slot that it waits for (acquire) and at nothing else. So news and data are in one cache line, and
 * a hop costs one line going over. Only the producer writes slots, tail and head_seen, only the
 * consumer head. Giving a slot back is the release store to head, which the producer reads
 * (acquire) only when its last look says full. Of several slots published at once the first one's
 * turn is stored last; until then the consumer stands before it.
 *
 * An end that dies leaves a whole ring: a slot reserved and never published was never there, one
 * peeked at and not released comes again. A new producer first calls dp_ring_adopt(): the dead one
 * may have published slots that it had not counted, or given turns to some and not to the first.
 */
#ifndef DP_RING_H
#define DP_RING_H

#include "dp_atomic.h"
#include "dp_base.h"
#include "dp_err.h"

#define DP_RING_SLOTS_MAX (1u << 20)

struct dp_ring {
    /* The producer's line. */
    alignas(DP_CACHE_LINE) _Atomic uint64_t tail; /* for itself, and for who watches */
    uint64_t head_seen; /* the producer's last look at head; may be behind, never ahead */

    /* The consumer's line. */
    alignas(DP_CACHE_LINE) _Atomic uint64_t head;

    /* Written by dp_ring_init(), then read-only. */
    alignas(DP_CACHE_LINE) uint64_t slot_mask;
    uint64_t slot_size; /* bytes, a multiple of DP_CACHE_LINE: struct dp_ring_slot */

    alignas(DP_CACHE_LINE) uint8_t slots[];
};

/* What a slot holds: `size` valid bytes of `data`; the rest is undefined. */
struct dp_ring_slot {
    _Atomic uint64_t turn; /* the ring's own: 1 + the count of the slot that was published here */
    uint32_t size;
    uint32_t tag; /* the producer's word to the consumer (for a frame: its line or session) */
    int64_t time_ns;
    uint8_t data[];
};

static_assert(offsetof(struct dp_ring, head) >= DP_CACHE_LINE, "ends must not share a line");
static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a lock inside shared memory would deadlock");

/* data_size: the most bytes a slot can hold. */
size_t dp_ring_size(uint32_t slot_count, uint32_t data_size);
/* ring: dp_ring_size() bytes, cache-line aligned. slot_count a power of two. */
int dp_ring_init(struct dp_ring *ring, uint32_t slot_count, uint32_t data_size, struct dp_err *err);
/* For the heir of a producer that died; afterwards it is the producer. */
void dp_ring_adopt(struct dp_ring *ring);

static inline struct dp_ring_slot *dp_ring_slot_at(struct dp_ring *ring, uint64_t count)
{
    return (
        struct dp_ring_slot *)(void *)(ring->slots + (count & ring->slot_mask) * ring->slot_size);
}

/* Producer only. The next free slot, or NULL when the ring is full. Asking again without publishing
 * gives the same slot. */
static inline struct dp_ring_slot *dp_ring_reserve(struct dp_ring *ring)
{
    uint64_t tail = dp_load_relaxed(&ring->tail);
    if (DP_UNLIKELY(tail - ring->head_seen > ring->slot_mask)) {
        /* Looks full: the consumer may have moved on. Acquire pairs with dp_ring_release(): a slot
         * seen as given back is no longer being read. */
        ring->head_seen = dp_load_acquire(&ring->head);
        if (tail - ring->head_seen > ring->slot_mask)
            return NULL;
    }
    return dp_ring_slot_at(ring, tail);
}

/* Producer only. Whether the next `count` slots are free. */
static inline bool dp_ring_has_room(struct dp_ring *ring, uint64_t count)
{
    uint64_t tail = dp_load_relaxed(&ring->tail);
    if (DP_UNLIKELY(tail + count - ring->head_seen > ring->slot_mask + 1))
        ring->head_seen = dp_load_acquire(&ring->head); /* as in dp_ring_reserve() */
    return tail + count - ring->head_seen <= ring->slot_mask + 1;
}

/* Producer only. The slot `ahead` of the next free one; dp_ring_has_room() said that it is free. */
static inline struct dp_ring_slot *dp_ring_slot_ahead(struct dp_ring *ring, uint64_t ahead)
{
    return dp_ring_slot_at(ring, dp_load_relaxed(&ring->tail) + ahead);
}

/* Producer only: hands the next `count` slots over, all at once; 0 hands over none. */
static inline void dp_ring_publish_n(struct dp_ring *ring, uint64_t count)
{
    uint64_t tail = dp_load_relaxed(&ring->tail);
    DP_CHECK(tail + count - ring->head_seen <= ring->slot_mask + 1);
    if (count == 0)
        return;
    for (uint64_t ahead = count - 1; ahead != 0; ahead--)
        dp_store_relaxed(&dp_ring_slot_at(ring, tail + ahead)->turn, tail + ahead + 1);
    /* Release: the consumer that sees this turn also sees the other turns, and what all these slots
     * hold. */
    dp_store_release(&dp_ring_slot_at(ring, tail)->turn, tail + 1);
    dp_store_relaxed(&ring->tail, tail + count);
}

/* Producer only: hands the reserved slot over. */
static inline void dp_ring_publish(struct dp_ring *ring)
{
    dp_ring_publish_n(ring, 1);
}

/* Consumer only. The oldest slot, or NULL when the ring is empty. */
static inline struct dp_ring_slot *dp_ring_peek(struct dp_ring *ring)
{
    uint64_t head = dp_load_relaxed(&ring->head);
    struct dp_ring_slot *slot = dp_ring_slot_at(ring, head);
    /* Acquire pairs with dp_ring_publish_n(): the slot's bytes are there before its turn is. */
    return dp_load_acquire(&slot->turn) == head + 1 ? slot : NULL;
}

/* Consumer only: gives the peeked slot back. */
static inline void dp_ring_release(struct dp_ring *ring)
{
    uint64_t head = dp_load_relaxed(&ring->head);
    DP_CHECK(dp_load_relaxed(&dp_ring_slot_at(ring, head)->turn) == head + 1);
    /* Release: the producer that sees the new head writes after our last read of the slot. */
    dp_store_release(&ring->head, head + 1);
}

#endif
