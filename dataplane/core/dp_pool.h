/*
 * dp_pool - indexes 0 .. count-1 of fixed-size records, handed out and taken back in O(1).
 *
 * The pool keeps only the free list; the records belong to the caller. One thread takes and gives.
 * Holds no pointers: lives in the region. A generation per record catches a stale index: it grows
 * with each give.
 */
#ifndef DP_POOL_H
#define DP_POOL_H

#include "dp_base.h"
#include "dp_err.h"

#define DP_POOL_NONE UINT32_MAX

struct dp_pool {
    uint32_t count;      /* records in all */
    uint32_t free_count; /* records not handed out */
    uint32_t free_first; /* DP_POOL_NONE when exhausted */
    uint32_t used_max;   /* most records ever out at once */
    struct dp_pool_link {
        uint32_t next_free;
        uint32_t generation; /* odd while handed out */
    } links[];
};

size_t dp_pool_size(uint32_t count);
int dp_pool_init(struct dp_pool *pool, uint32_t count, struct dp_err *err);
uint32_t dp_pool_take(struct dp_pool *pool); /* an index, or DP_POOL_NONE when exhausted */
void dp_pool_give(struct dp_pool *pool, uint32_t index); /* asserts that the index is out */
static inline uint32_t dp_pool_generation(const struct dp_pool *pool, uint32_t index)
{
    return pool->links[index].generation;
}

#endif
