#include "dp_pool.h"

#include <errno.h>

size_t dp_pool_size(uint32_t count)
{
    return sizeof(struct dp_pool) + count * sizeof(struct dp_pool_link);
}

int dp_pool_init(struct dp_pool *pool, uint32_t count, struct dp_err *err)
{
    if (count == 0 || count == DP_POOL_NONE)
        return dp_err_set(
            err, EINVAL, "pool: count: %u; give at least 1, at most %u", count, DP_POOL_NONE - 1);

    /* Linked in rising order: a fresh pool hands out neighbours, which prefetch well. */
    for (uint32_t index = 0; index < count; index++)
        pool->links[index] = (struct dp_pool_link){.next_free = index + 1};
    pool->links[count - 1].next_free = DP_POOL_NONE;
    pool->count = count;
    pool->free_count = count;
    pool->free_first = 0;
    pool->used_max = 0;
    return 0;
}

uint32_t dp_pool_take(struct dp_pool *pool)
{
    uint32_t index = pool->free_first;
    if (DP_UNLIKELY(index == DP_POOL_NONE))
        return DP_POOL_NONE;

    struct dp_pool_link *link = &pool->links[index];
    pool->free_first = link->next_free;
    pool->free_count--;
    link->generation++;
    uint32_t used = pool->count - pool->free_count;
    if (used > pool->used_max)
        pool->used_max = used;
    return index;
}

void dp_pool_give(struct dp_pool *pool, uint32_t index)
{
    DP_ASSERT(index < pool->count);
    struct dp_pool_link *link = &pool->links[index];
    DP_ASSERT(link->generation % 2 == 1);

    /* Last out, first in again: the record is still in the cache. */
    link->generation++;
    link->next_free = pool->free_first;
    pool->free_first = index;
    pool->free_count++;
}
