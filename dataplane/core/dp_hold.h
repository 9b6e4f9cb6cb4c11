/*
 * dp_hold - which finished frames may leave, where orders wait for the disk.
 *
 * Frames stand in the transmit ring in the order of their records, and leave in that order. After a
 * batch of calls the owner notes how far the ring is filled and which record must be on disk before
 * what was added may leave (0: none; a frame that waits for nothing still stands behind those
 * before it). When the disk has come so far, dp_hold_open() says up to which frame the ring is
 * free. One barrier frees everything that was noted before it: orders share it without waiting for
 * each other.
 *
 * Pure; one thread (the engine's). Counts are those of the ring: frames since it was made.
 */
#ifndef DP_HOLD_H
#define DP_HOLD_H

#include "dp_base.h"

#define DP_HOLD_MARKS 1024u /* at most one for each frame that waits */

/* Frames before `count` may leave when that record is on disk. */
struct dp_hold_mark {
    uint64_t count;
    uint64_t sequence;
};

/* All zero is a hold that nothing waits in. */
struct dp_hold {
    uint64_t head; /* marks ever taken off */
    uint64_t tail; /* marks ever noted */
    uint64_t open; /* frames before this one may leave */
    struct dp_hold_mark marks[DP_HOLD_MARKS];
};

/* After a batch: the ring is filled up to `count`. With all marks in use the last one takes the new
 * frames too, and waits for their record. */
static inline void dp_hold_note(struct dp_hold *hold, uint64_t count, uint64_t sequence)
{
    struct dp_hold_mark *last = &hold->marks[(hold->tail - 1) % DP_HOLD_MARKS];
    bool is_first = hold->tail == hold->head;
    if (count == (is_first ? hold->open : last->count))
        return;
    if (is_first && sequence == 0) {
        hold->open = count;
        return;
    }
    if (is_first || hold->tail - hold->head < DP_HOLD_MARKS) {
        uint64_t before = is_first ? 0 : last->sequence;
        hold->marks[hold->tail++ % DP_HOLD_MARKS] =
            (struct dp_hold_mark){count, sequence > before ? sequence : before};
        return;
    }
    last->count = count;
    last->sequence = sequence > last->sequence ? sequence : last->sequence;
}

/* Frames before the returned count may leave: their records are at most `durable`. */
static inline uint64_t dp_hold_open(struct dp_hold *hold, uint64_t durable)
{
    while (hold->head != hold->tail) {
        const struct dp_hold_mark *mark = &hold->marks[hold->head % DP_HOLD_MARKS];
        if (mark->sequence > durable)
            break;
        hold->open = mark->count;
        hold->head++;
    }
    return hold->open;
}

#endif
