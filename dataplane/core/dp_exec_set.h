/*
 * dp_exec_set - every execution seen in this run, so that each is applied once.
 *
 * The key is (exec_id, order): a venue gives both sides of a match the same number, and both may be
 * ours; a replaced order stays one order. The content is kept, not a hash of it: a second copy is
 * compared whole, and a broken trade, whose message carries no quantity, finds what it breaks.
 *
 * The executions of an order form a list, highest exec_id first. Venues count upward, so a new
 * execution is recognised by one look at the first, and is put down behind the last one of all
 * orders: no hash, no search, and the next line to write is always known. An execution that comes
 * out of order walks past those that overtook it.
 *
 * Nothing is ever removed. Several threads may take at once, as long as each holds the order it
 * takes for (dp_order_claim()): the list is the order's, the place for a new execution comes from
 * one counter. No pointers inside; memory belongs to the caller.
 */
#ifndef DP_EXEC_SET_H
#define DP_EXEC_SET_H

#include "dp_atomic.h"
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
    uint32_t next; /* place of the same order's next lower exec_id; 0 behind the last */
    uint32_t qty;
    uint8_t state; /* enum dp_exec_state */
    uint8_t reserved[7];
};

static_assert(sizeof(struct dp_exec) == 32, "two to a cache line");

struct dp_exec_set {
    _Atomic uint32_t count; /* places handed out; may pass count_max, then the set is full */
    uint32_t count_max;
    alignas(DP_CACHE_LINE) struct dp_exec execs[]; /* place 0 is never used */
};

size_t dp_exec_set_size(uint32_t count_max);
/* set: dp_exec_set_size() bytes, cache-line aligned; cleared here. count_max: at least 1. */
int dp_exec_set_init(struct dp_exec_set *set, uint32_t count_max, struct dp_err *err);
/* The execution of that key, made when it was not there (state EMPTY); NULL when the set is full.
 * highest: of the order, its place of the highest exec_id; 0 when it has none yet. */
struct dp_exec *dp_exec_set_take(struct dp_exec_set *set, uint64_t exec_id, uint32_t *highest);

static inline bool dp_exec_set_is_full(const struct dp_exec_set *set)
{
    return dp_load_relaxed(&set->count) >= set->count_max;
}

#endif
