/*
 * dp_exec_set - every execution seen in this run, so that each is applied once.
 *
 * The key is (exec_id, order): a venue gives both sides of a match the same number, and both may be
 * ours; a replaced order stays one order. The content is kept, not a hash of it: a second copy is
 * compared whole, and a broken trade, whose message carries no quantity, finds what it breaks.
 *
 * Open addressing in one block of the caller's memory, at most half full, nothing ever removed: a
 * search ends at the first empty slot. One thread. No pointers inside.
 */
#ifndef DP_EXEC_SET_H
#define DP_EXEC_SET_H

#include "dp_base.h"
#include "dp_err.h"

enum dp_exec_state {
    DP_EXEC_EMPTY = 0, /* the key was not there before this call; the caller fills the rest in */
    DP_EXEC_APPLIED,
    DP_EXEC_BROKEN,
    DP_EXEC_ORPHAN_BREAK, /* the break came first; quantity and price are not known yet */
};

struct dp_exec {
    uint64_t exec_id;
    int64_t price_nanos;
    uint32_t order_index;
    uint32_t qty;
    uint8_t used;  /* 1 once the slot holds a key */
    uint8_t state; /* enum dp_exec_state */
    uint8_t reserved[6];
};

static_assert(sizeof(struct dp_exec) == 32, "two to a cache line");

struct dp_exec_set {
    uint64_t slot_mask;
    uint32_t hash_shift;
    uint32_t count;
    uint32_t count_max;
    uint32_t reserved;
    alignas(DP_CACHE_LINE) struct dp_exec slots[];
};

size_t dp_exec_set_size(uint32_t count_max);
/* set: dp_exec_set_size() bytes, cache-line aligned; cleared here. count_max: at least 1. */
int dp_exec_set_init(struct dp_exec_set *set, uint32_t count_max, struct dp_err *err);
/* The slot of that key, made when it was not there (state EMPTY); NULL when the set is full. */
struct dp_exec *dp_exec_set_take(struct dp_exec_set *set, uint64_t exec_id, uint32_t order_index);

#endif
