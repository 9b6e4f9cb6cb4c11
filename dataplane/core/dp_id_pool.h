/*
 * dp_id_pool - how far the order numbers of one venue session are reserved, so that none is ever
 * used twice, whatever dies.
 *
 * OUCH 5.0 takes numbers that rise all day and silently ignores one that does not. A process that
 * begins again must therefore begin above all it may have used, and only the disk knows. Numbers
 * are reserved there in blocks, ahead: the reservation is written first, then the pool is extended,
 * then a number of the block is used. After a crash the next run begins at the reservation's end;
 * between the last number used and that end lies at most one block.
 *
 *     the order path                      the keeper (sys/dp_id_file, any one other thread)
 *     --------------                      ------------------------------------------------
 *     dp_id_pool_use(number)              dp_id_pool_wanted() -> a new end, or 0
 *                                         (write it, wait for the disk)
 *                                         dp_id_pool_extend(end)
 *
 * `next` is written by the order path alone and `end` by the keeper alone; both only grow.
 * Extending is a release and looking is an acquire, for form: all that a number needs is its own
 * place below the end. Both sides are wait-free. The order path never waits for the disk: without a
 * reserved number it refuses. No pointers inside; memory belongs to the caller.
 */
#ifndef DP_ID_POOL_H
#define DP_ID_POOL_H

#include "dp_atomic.h"
#include "dp_base.h"

struct dp_id_pool {
    alignas(DP_CACHE_LINE) _Atomic uint32_t next; /* above every number used */
    uint32_t end_seen; /* the order path's last look at end; may be behind, never ahead */
    alignas(DP_CACHE_LINE) _Atomic uint32_t end; /* above every number reserved on disk */
    uint32_t block;                              /* the most that is ever reserved ahead */
};

/* Nothing is reserved yet. first: of this run, at least 1; block: at least 2. */
void dp_id_pool_init(struct dp_id_pool *pool, uint32_t first, uint32_t block);

/* Order path. Whether that number may be used: it is reserved. Numbers must rise from call to call;
 * asking for one and not using it skips it. */
static inline bool dp_id_pool_use(struct dp_id_pool *pool, uint32_t number)
{
    if (DP_UNLIKELY(number >= pool->end_seen)) {
        pool->end_seen = dp_load_acquire(&pool->end);
        if (number >= pool->end_seen)
            return false;
    }
    /* Relaxed: the keeper concludes nothing from it but how much is left. */
    dp_store_relaxed(&pool->next, number + 1);
    return true;
}

/* Keeper. The end to reserve up to next: one block from the numbers used; 0 while more than half a
 * block is left. */
static inline uint32_t dp_id_pool_wanted(const struct dp_id_pool *pool)
{
    uint32_t next = dp_load_relaxed(&pool->next);
    uint32_t end = dp_load_relaxed(&pool->end);
    uint32_t left = end > next ? end - next : 0;
    uint32_t wanted = next > UINT32_MAX - pool->block ? UINT32_MAX : next + pool->block;
    return left > pool->block / 2 || wanted == end ? 0 : wanted;
}

/* Keeper. The reservation up to `end` is on disk. */
static inline void dp_id_pool_extend(struct dp_id_pool *pool, uint32_t end)
{
    DP_ASSERT(end >= dp_load_relaxed(&pool->end));
    dp_store_release(&pool->end, end);
}

#endif
