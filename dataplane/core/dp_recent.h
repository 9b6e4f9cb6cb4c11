/*
 * dp_recent - the last events of our orders, in the region: what happened a moment ago, for whoever
 * looks from outside, without a disk.
 *
 *     the engine's thread          any reader, any process
 *     -------------------          -----------------------
 *     dp_recent_add()              dp_recent_count(), dp_recent_read()
 *
 * A ring that is written over. The writer marks a slot as changing (release fence behind the mark),
 * stores the event word by word, then the slot's number with release, then the count. A reader that
 * finds the number it asked for, with acquire, before its look, and the same behind it (acquire
 * fence between), has read that event whole; else the event is gone. Both sides are wait-free.
 * Events are added when a callback is over, not on the path of an order. No pointers; memory
 * belongs to the caller.
 */
#ifndef DP_RECENT_H
#define DP_RECENT_H

#include "dp_atomic.h"
#include "dp_base.h"
#include "dp_event.h"

#define DP_RECENT_SLOTS 4096u /* a power of two */
#define DP_RECENT_WORDS (sizeof(struct dp_event) / sizeof(uint64_t))

struct dp_recent_slot {
    alignas(DP_CACHE_LINE) _Atomic uint64_t number; /* of the event, from 1; 0: changing */
    _Atomic uint64_t words[DP_RECENT_WORDS];
};

/* All zero is an empty one. */
struct dp_recent {
    alignas(DP_CACHE_LINE) _Atomic uint64_t count; /* events ever added */
    struct dp_recent_slot slots[DP_RECENT_SLOTS];
};

/* The writer. */
void dp_recent_add(struct dp_recent *recent, const struct dp_event *event);
/* Events ever added; the last DP_RECENT_SLOTS of them may still be there. */
uint64_t dp_recent_count(const struct dp_recent *recent);
/* Event `number`, from 1. False when it is not there yet, or not any more. */
bool dp_recent_read(const struct dp_recent *recent, uint64_t number, struct dp_event *event);

#endif
