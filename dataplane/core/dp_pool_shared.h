/*
 * dp_pool_shared - records for many threads and processes, each with a cache of its own.
 *
 *     seat = dp_pool_seat_open(pool, owner)
 *     handle = dp_pool_shared_take(pool, seat)       0: exhausted, and nothing was taken
 *     (use record dp_pool_index(handle))
 *     dp_pool_shared_give(pool, seat, handle)        any seat may give what another has taken
 *
 * The pool keeps who has what; the records belong to the caller: orders, messages, frames. Holds no
 * pointers: lives in the region. A seat is used by one thread at a time. A handle is never 0; it
 * carries a generation, so that one that was given back is known as stale (dp_pool_shared_has) and
 * giving it again changes nothing and is answered false. It fits a value of dp_queue.
 *
 * Records lie in blocks of 64. A seat leases one block at a time, its cache: only it takes from
 * there, without a locked instruction. Giving to one's own block is a plain store, to another's
 * one atomic OR. When its block is empty a seat leases another that has something. So up to 64
 * records a seat may be free and yet out of reach of the others: make the pool that much larger.
 * There is no list and no pointer that is compared and swapped, so nothing that could come back
 * as another (ABA).
 *
 * Who writes what:
 *   word of a record   its generation, odd while it is out, and the seat that holds it or gave it
 *                      last. Written by the lessee when it is free, by its holder when it is out.
 *                      It alone is the truth; the bits are only where to look.
 *   own                the lessee: bits of free records that it knows.
 *   given              any seat: bits of free records, by OR, after the record's word (release);
 *                      the lessee takes all of them at once by an exchange (acquire), so who takes
 *                      a record sees all that was done with it.
 *   lease              by CAS from 0 to a seat (acquire), back to 0 by that seat (release).
 *   ready              a bit for each block that may have something and is not leased. A giver
 *                      sets it when it put the first bit into an empty `given`; the lessee clears
 *                      it before it looks at `given` for the last time. Both are
 *                      read-modify-writes, so one of them sees the other.
 * A bit of a record that is out is passed over. So setting one twice is harmless, and a record that
 * is free has a bit or is about to get it.
 *
 * Progress: take and give are wait-free. A take tries at most as many leases as there are blocks,
 * and each looks at one bit a block; almost always it is one bit of the block that it has. A give
 * is at most four steps. Recovery walks all records.
 *
 * Death, as the caller knows it (see dp_queue): dp_pool_seat_recover() frees its lease, and every
 * record that was lost in the middle of a take or a give. What the dead one still held stays out,
 * since it may be on its way to somebody in a queue; dp_pool_held() walks it, and the caller gives
 * what it knows to be nobody's. dp_pool_shared_hold() tells that a record has changed hands.
 */
#ifndef DP_POOL_SHARED_H
#define DP_POOL_SHARED_H

#include "dp_atomic.h"
#include "dp_base.h"
#include "dp_err.h"

#define DP_POOL_SHARED_RECORDS_MAX (1u << 24)
#define DP_POOL_SEATS_MAX 250u
#define DP_POOL_BLOCK 64u
#define DP_POOL_NO_BLOCK UINT32_MAX

struct dp_pool_block {
    alignas(DP_CACHE_LINE) _Atomic uint64_t own; /* the lessee's */
    uint64_t apart[7];
    _Atomic uint64_t given; /* everybody's */
    _Atomic uint32_t lease; /* 1 + the seat; 0: nobody's */
};

struct dp_pool_seat {
    alignas(DP_CACHE_LINE) _Atomic uint64_t owner; /* in the caller's words; 0: nobody */
    uint32_t index;
    uint32_t block; /* the owner's: leased; DP_POOL_NO_BLOCK: none */
};

struct dp_pool_shared {
    /* Written by dp_pool_shared_init(), then read-only. */
    uint32_t record_count;
    uint32_t seat_count;
    uint32_t block_count;
    uint32_t ready_count;
    uint64_t seats_offset;
    uint64_t blocks_offset;
    uint64_t words_offset;
    alignas(DP_CACHE_LINE) _Atomic uint64_t ready[]; /* then seats, blocks and words */
};

size_t dp_pool_shared_size(uint32_t record_count, uint32_t seat_count);
/* pool: dp_pool_shared_size() bytes, cache-line aligned. */
int dp_pool_shared_init(
    struct dp_pool_shared *pool, uint32_t record_count, uint32_t seat_count, struct dp_err *err);

/* NULL when all seats are owned. owner: as in dp_queue. */
struct dp_pool_seat *dp_pool_seat_open(struct dp_pool_shared *pool, uint64_t owner);
/* Returns its cache; what it holds stays out. */
void dp_pool_seat_close(struct dp_pool_shared *pool, struct dp_pool_seat *seat);
struct dp_pool_seat *dp_pool_seat_at(struct dp_pool_shared *pool, uint32_t index);
/* For a seat whose owner died: false when `dead` did not own it (any more). Afterwards the seat is
 * `owner`'s, with an empty cache, and dp_pool_held() walks what the dead one held. */
bool dp_pool_seat_recover(
    struct dp_pool_shared *pool, struct dp_pool_seat *seat, uint64_t dead, uint64_t owner);

uint64_t dp_pool_shared_take(struct dp_pool_shared *pool, struct dp_pool_seat *seat);
/* False when the handle is stale; nothing has happened then. */
bool dp_pool_shared_give(struct dp_pool_shared *pool, struct dp_pool_seat *seat, uint64_t handle);
/* The record is this seat's from now on. False when the handle is stale. */
bool dp_pool_shared_hold(
    struct dp_pool_shared *pool, const struct dp_pool_seat *seat, uint64_t handle);
/* Whether the handle is that of a record that is out. */
bool dp_pool_shared_has(struct dp_pool_shared *pool, uint64_t handle);

/* The next record from *index on that this seat holds, and *index behind it; 0: no more. */
uint64_t dp_pool_held(
    struct dp_pool_shared *pool, const struct dp_pool_seat *seat, uint32_t *index);
/* Records that are out, one by one counted: at the end of a run what is not 0 has leaked. */
uint32_t dp_pool_shared_out(struct dp_pool_shared *pool);

static inline uint32_t dp_pool_index(uint64_t handle)
{
    return (uint32_t)handle & (DP_POOL_SHARED_RECORDS_MAX - 1);
}

#endif
