/*
 * dp_epoch - when may a record be used again that others may still be looking at?
 *
 *     slot = dp_epoch_join(epoch, owner)          once, each thread or process
 *     dp_epoch_enter(epoch, slot)                 before the first look at shared records
 *     ... read, link, unlink ...
 *     dp_epoch_exit(epoch, slot)                  no reference is kept
 *
 *     tag = dp_epoch_now(epoch)                   after the record was unlinked
 *     if (dp_epoch_is_past(epoch, tag))           nobody can hold it any more
 *
 * In shared memory, offsets only; its memory belongs to the caller. No call blocks. enter and exit
 * are wait-free, a store and a fence; advance looks at every slot once.
 *
 * The argument. `now` grows by one when everybody inside has announced it, so that nobody inside is
 * ever more than one behind. A record that was unlinked, and tagged after that with now = t by
 * someone who is inside, can be known only to those inside at that moment: they announced at most
 * t + 1, and as long as one of them stays, now stays at or below t + 2. When now is t + 3 they are
 * all gone.
 *
 * - enter stores the announcement, then a sequentially consistent fence, before it loads anything
 *   shared; advance has such a fence before it looks at the announcements. Either advance sees the
 *   announcement, or the one who enters sees all that was unlinked before that advance.
 * - exit is a release and pairs with the acquire in advance, whose change of now is a release and
 *   pairs with the acquire in is_past: who uses a record again does it after every look at it.
 *
 * Who stops inside, holds everything back. Garbage is then bounded by the pool it comes from: who
 * finds none left asks dp_epoch_advance() which slot it waits for. A stopped one that lives will go
 * on; a dead one is found by its owner word (a process id and its start time, or what else the
 * caller can tell a living one by), and somebody inherits: dp_epoch_inherit() makes sure that it is
 * one at a time, the heir finishes what the dead one began, and dp_epoch_bury() frees the slot. An
 * heir that dies has heirs.
 */
#ifndef DP_EPOCH_H
#define DP_EPOCH_H

#include "dp_atomic.h"
#include "dp_base.h"

#define DP_EPOCH_SLOTS_MAX 1024u
#define DP_EPOCH_NONE UINT32_MAX

struct dp_epoch_slot {
    alignas(DP_CACHE_LINE) _Atomic uint64_t owner; /* 0: free */
    _Atomic uint64_t seen;                         /* 2 * epoch + 1 inside; 0 outside */
    _Atomic uint64_t heir; /* the owner word of who cleans up after a dead owner; 0: nobody */
};

struct dp_epoch {
    alignas(DP_CACHE_LINE) _Atomic uint64_t now;
    alignas(DP_CACHE_LINE) uint32_t slot_count;
    struct dp_epoch_slot slots[];
};

/* Whether the owner of that word is dead for certain. A living one is never called dead. */
typedef bool (*dp_epoch_is_dead)(void *context, uint64_t owner);

size_t dp_epoch_size(uint32_t slot_count);
/* epoch: dp_epoch_size() zeroed bytes, cache-line aligned. */
void dp_epoch_init(struct dp_epoch *epoch, uint32_t slot_count);

/* A slot for that owner word, which no other participant has and which is not 0; DP_EPOCH_NONE when
 * all are taken. */
uint32_t dp_epoch_join(struct dp_epoch *epoch, uint64_t owner);
/* From outside, with nothing left to reclaim. */
void dp_epoch_leave(struct dp_epoch *epoch, uint32_t slot);

static inline void dp_epoch_enter(struct dp_epoch *epoch, uint32_t slot)
{
    DP_CHECK(dp_load_relaxed(&epoch->slots[slot].seen) == 0);
    uint64_t now = dp_load_relaxed(&epoch->now);
    dp_store_relaxed(&epoch->slots[slot].seen, 2 * now + 1);
    dp_fence_seq_cst(); /* the argument stands above */
}

static inline void dp_epoch_exit(struct dp_epoch *epoch, uint32_t slot)
{
    /* Release: who sees us outside, in dp_epoch_advance(), goes on after our last look. */
    dp_store_release(&epoch->slots[slot].seen, 0);
}

static inline uint64_t dp_epoch_now(const struct dp_epoch *epoch)
{
    return dp_load_relaxed(&epoch->now);
}

static inline bool dp_epoch_is_past(const struct dp_epoch *epoch, uint64_t tag)
{
    /* Acquire: pairs with the change of `now` in dp_epoch_advance(). */
    return dp_load_acquire(&epoch->now) - tag >= 3;
}

/* Moves on if nobody is in the way: DP_EPOCH_NONE. Else the slot that is. */
uint32_t dp_epoch_advance(struct dp_epoch *epoch);

/* True when the owner of the slot is dead, and the caller (whose owner word is heir) the one to
 * clean up after it. */
bool dp_epoch_inherit(
    struct dp_epoch *epoch, uint32_t slot, uint64_t heir, dp_epoch_is_dead is_dead, void *context);
/* The heir, when all is clean: the slot is free for others. */
void dp_epoch_bury(struct dp_epoch *epoch, uint32_t slot);

#endif
