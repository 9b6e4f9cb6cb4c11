/*
 * dp_queue - a bounded queue of 64-bit values, many producers to many consumers, across processes.
 *
 *     producer                              consumer
 *     --------                              --------
 *     dp_queue_lane_open() -> lane          dp_queue_seat_open() -> seat
 *     dp_queue_push(values, count)          dp_queue_take() -> seat->values, seat->count
 *                                           (use them)
 *                                           dp_queue_done()
 *
 * Each producer has a lane, a ring of its own; consumers take from all lanes. So a producer that is
 * stopped or killed anywhere is in nobody's way, a full lane holds up the one that filled it and
 * nobody else, and no call ever has to guess whether somebody is dead. A value is a handle of
 * dp_pool_shared, or any 64 bits but 0. The queue holds offsets and indexes, no pointers: processes
 * may map it anywhere. Its memory belongs to the caller. A lane and a seat are each used by one
 * thread at a time.
 *
 * Order: the values of one lane are taken in the order they were pushed. Between lanes there is
 * none.
 *
 * Progress: dp_queue_push() and "full" are wait-free, at most 4 + count own steps on shared memory
 * whatever others do or wherever they stop. dp_queue_take() is wait-free too: each lane is tried
 * once, at most 10 + values steps each. It returns 0 when every lane was, at some moment of the
 * call, empty or just being taken from by another consumer; as long as values wait and consumers
 * call, one of them gets some (a take fails only because another one succeeded).
 *
 * Who writes what, and why it is right:
 *   slots    the producer. A slot that is 0 ends what waits: the slot behind the last value always
 *            is. A push stores the new 0 and its other values first; the release store of its
 *            first value publishes them all, and a consumer's acquire load of it sees them. So
 *            value and news of it travel in one cache line, and consumers read no tail.
 *   tail     the producer, for itself, its heir and who watches: values pushed.
 *   head     consumers, by CAS: how many were taken, and the seat that took last. A consumer
 *            copies the slots first and moves head afterwards. Head never comes back to a value,
 *            so a CAS that succeeds means that nobody took them meanwhile, and that the producer,
 *            which reuses a slot only after it has seen (acquire) a head beyond it, had not
 *            touched them. A CAS that fails throws the copies away.
 *   state    the seat's consumer: TAKING(lane, end) is stored before its CAS to `end`, HELD after
 *            it, FREE at dp_queue_done(). Whoever moves head on from a value that names another
 *            seat first turns that seat's TAKING(lane, end) into HELD. So when head no longer is
 *            (end, seat), TAKING means that the CAS had failed, or was never tried.
 *
 * Death, as the caller knows it (pidfd, waitpid: a fact, not a time-out; one that is only stopped
 * may come back and must not be taken for dead):
 *   of a producer   what it had pushed is taken as ever; of a push that was cut short all values
 *                   are there or none. dp_queue_lane_adopt() hands the lane to a successor.
 *   of a consumer   dp_queue_seat_adopt() hands the seat to a successor, with exactly the values
 *                   that the dead one had taken and not yet called done for: none is lost, and
 *                   none was given to anyone else. Values that it had used without getting to
 *                   dp_queue_done() come twice; a pool handle shows it by being stale.
 * An adoption is one CAS on the owner: of several successors one gets it.
 */
#ifndef DP_QUEUE_H
#define DP_QUEUE_H

#include "dp_atomic.h"
#include "dp_base.h"
#include "dp_err.h"

#define DP_QUEUE_LANES_MAX 64u
#define DP_QUEUE_SEATS_MAX 254u
#define DP_QUEUE_SLOTS_MAX (1u << 20)
#define DP_QUEUE_TAKE_MAX 64u /* values in one take */

/* Two lines: the processor fetches lines in pairs, and the neighbour would come along. */
#define DP_QUEUE_PAD (2 * DP_CACHE_LINE)

struct dp_queue_config {
    uint32_t lane_count; /* producers at once */
    uint32_t seat_count; /* consumers at once */
    uint32_t slot_count; /* one more than values can wait in a lane; a power of two */
};

struct dp_queue_lane {
    /* The producer's. */
    alignas(DP_QUEUE_PAD) _Atomic uint64_t tail; /* values pushed since the queue was made */
    uint64_t head_seen;     /* its last look at head's count; may be behind, never ahead */
    uint64_t slot_mask;     /* written by dp_queue_init() */
    _Atomic uint64_t owner; /* who pushes here, in the caller's words; 0: nobody */

    /* The consumers'. 56 bits of count last two years at one value a nanosecond. */
    alignas(DP_QUEUE_PAD) _Atomic uint64_t head; /* values taken << 8 | last taker's seat + 1 */

    alignas(DP_QUEUE_PAD) _Atomic uint64_t slots[];
};

struct dp_queue_seat {
    /* Written by the owner of the seat alone, but for `owner` and one CAS on `state`. */
    alignas(DP_QUEUE_PAD) _Atomic uint64_t state;
    _Atomic uint64_t owner; /* who takes here, in the caller's words; 0: nobody */
    uint32_t index;
    uint32_t count;     /* values held */
    uint32_t lane_next; /* where the next take begins */
    uint32_t lane_turn; /* takes from that lane in a row */
    alignas(DP_QUEUE_PAD) uint64_t values[DP_QUEUE_TAKE_MAX];
};

struct dp_queue {
    /* Written by dp_queue_init(), then read-only. */
    alignas(DP_QUEUE_PAD) struct dp_queue_config config;
    uint64_t lane_size;
    uint64_t lanes_offset;
    struct dp_queue_seat seats[]; /* then the lanes */
};

static_assert(ATOMIC_LLONG_LOCK_FREE == 2, "a lock inside shared memory would deadlock");

size_t dp_queue_size(const struct dp_queue_config *config);
/* queue: dp_queue_size() bytes at a multiple of DP_QUEUE_PAD. */
int dp_queue_init(struct dp_queue *queue, const struct dp_queue_config *config, struct dp_err *err);

static inline struct dp_queue_lane *dp_queue_lane_at(struct dp_queue *queue, uint32_t index)
{
    return (struct dp_queue_lane *)(void *)((uint8_t *)queue + queue->lanes_offset +
        index * queue->lane_size);
}

/* owner: any number but 0 that tells who this is when it has died (sys/dp_process.h has one). NULL
 * when all lanes are owned. */
struct dp_queue_lane *dp_queue_lane_open(struct dp_queue *queue, uint64_t owner);
void dp_queue_lane_close(struct dp_queue_lane *lane); /* what waits in it will still be taken */
/* False when `dead` did not own the lane (any more). */
bool dp_queue_lane_adopt(struct dp_queue_lane *lane, uint64_t dead, uint64_t owner);

/* NULL when all seats are owned. */
struct dp_queue_seat *dp_queue_seat_open(struct dp_queue *queue, uint64_t owner);
void dp_queue_seat_close(struct dp_queue_seat *seat); /* after dp_queue_done() */
/* False when `dead` did not own the seat (any more). Afterwards the seat is as after a take of
 * seat->count values, 0 when none were held. */
bool dp_queue_seat_adopt(
    struct dp_queue *queue, struct dp_queue_seat *seat, uint64_t dead, uint64_t owner);

/* Takes up to `count` (at most DP_QUEUE_TAKE_MAX) values of one lane into seat->values; returns
 * seat->count. Nothing may be held. */
uint32_t dp_queue_take(struct dp_queue *queue, struct dp_queue_seat *seat, uint32_t count);
/* The values are dealt with. Allowed when none are held. */
static inline void dp_queue_done(struct dp_queue_seat *seat)
{
    seat->count = 0;
    dp_store_relaxed(&seat->state, 0);
}

/* Stores the first values, as many as there is room for, and returns how many: fewer than `count`
 * when the lane is full then. They become visible all at once. No value may be 0. */
static inline uint32_t dp_queue_push(
    struct dp_queue_lane *lane, const uint64_t *values, uint32_t count)
{
    uint64_t tail = dp_load_relaxed(&lane->tail);
    uint64_t mask = lane->slot_mask;
    uint64_t room = mask - (tail - lane->head_seen);
    if (DP_UNLIKELY(room < count)) {
        /* Acquire pairs with the CAS in dp_queue_take(): copies were made before head moved. */
        lane->head_seen = dp_load_acquire(&lane->head) >> 8;
        room = mask - (tail - lane->head_seen);
        count = room < count ? (uint32_t)room : count;
    }
    if (DP_UNLIKELY(count == 0))
        return 0;
    dp_store_relaxed(&lane->slots[(tail + count) & mask], 0);
    for (uint32_t at = count - 1; at != 0; at--)
        dp_store_relaxed(&lane->slots[(tail + at) & mask], values[at]);
    /* Release: the consumer that sees the first value also sees the others, and the 0 behind. */
    dp_store_release(&lane->slots[tail & mask], values[0]);
    dp_store_relaxed(&lane->tail, tail + count);
    return count;
}

#endif
