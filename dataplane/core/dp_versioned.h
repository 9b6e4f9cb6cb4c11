/*
 * dp_versioned - a few words that change together and are never seen half changed.
 *
 * Two copies: readers take the one that the version names, the writer fills the other and then
 * moves the version. A writer that dies in the middle has changed nothing. A reader tries again
 * when the version moved meanwhile; two changes within one read of a few words are rare, so it
 * gives up after DP_VERSIONED_TRIES, and who cannot know the limits refuses the order.
 *
 * One writer at a time (the one that applies commands), any number of readers in any process.
 * Readers never stop the writer; a read is bounded. Release fence and acquire fence pair: a reader
 * that met a word of change n + 1 also sees version n, which is not the one it started from.
 */
#ifndef DP_VERSIONED_H
#define DP_VERSIONED_H

#include "dp_atomic.h"
#include "dp_base.h"

#define DP_VERSIONED_TRIES 64

/* words: two copies of word_count words, one behind the other. */
static inline void dp_versioned_write(
    _Atomic uint64_t *version, _Atomic uint64_t *words, uint32_t word_count, const uint64_t *from)
{
    uint64_t next = dp_load_relaxed(version) + 1;
    _Atomic uint64_t *copy = words + (next & 1) * word_count;
    dp_fence_release(); /* the last version before this change's first word */
    for (uint32_t index = 0; index < word_count; index++)
        dp_store_relaxed(&copy[index], from[index]);
    dp_store_release(version, next); /* pairs with the acquire below: all words before it */
}

/* False when it was changed at every try: *to is then not whole. */
static inline bool dp_versioned_read(const _Atomic uint64_t *version, const _Atomic uint64_t *words,
    uint32_t word_count, uint64_t *to)
{
    for (int count = 0; count < DP_VERSIONED_TRIES; count++) {
        uint64_t seen = dp_load_acquire(version);
        const _Atomic uint64_t *copy = words + (seen & 1) * word_count;
        for (uint32_t index = 0; index < word_count; index++)
            to[index] = dp_load_relaxed(&copy[index]);
        dp_fence_acquire(); /* pairs with the writer's fence */
        if (dp_load_relaxed(version) == seen)
            return true;
    }
    return false;
}

#endif
