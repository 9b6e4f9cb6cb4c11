#include "dp_id_pool.h"

void dp_id_pool_init(struct dp_id_pool *pool, uint32_t first, uint32_t block)
{
    DP_ASSERT(first >= 1 && block >= 2);
    pool->block = block;
    pool->end_seen = first;
    dp_store_relaxed(&pool->next, first);
    dp_store_relaxed(&pool->end, first);
}
