#include "dp_skiplist.h"

/* The last link before a price at each height. */
struct path {
    _Atomic uint64_t *links[DP_SKIPLIST_HEIGHT_MAX];
    uint32_t before; /* the level that owns links[0]; none when that is the head */
};

size_t dp_skiplist_pool_size(uint32_t capacity)
{
    return sizeof(struct dp_skiplist_pool) +
        ((size_t)capacity + 1) *
        (sizeof(struct dp_skiplist_level) + sizeof(struct dp_skiplist_tower));
}

void dp_skiplist_pool_init(struct dp_skiplist_pool *pool, uint32_t capacity)
{
    DP_ASSERT((uintptr_t)pool % DP_CACHE_LINE == 0 && capacity <= DP_SKIPLIST_LEVELS_MAX);
    pool->capacity = capacity;
    dp_store_relaxed(&pool->levels[0].price_nanos, -1);
}

void dp_skiplist_init(struct dp_skiplist *list, enum dp_side side, uint32_t seed)
{
    list->flip = side == DP_SIDE_BUY ? -1 : 0;
    list->random = seed;
}

/* The link of a level at a height. */
static _Atomic uint64_t *link_of(
    const struct dp_skiplist_pool *pool, uint32_t level, uint32_t height)
{
    struct dp_skiplist_level *levels = ((struct dp_skiplist_pool *)(uintptr_t)pool)->levels;
    struct dp_skiplist_tower *towers = (struct dp_skiplist_tower *)&levels[pool->capacity + 1ull];
    return height < DP_SKIPLIST_HEIGHT_LOW ? &levels[level].links[height]
                                           : &towers[level].links[height - DP_SKIPLIST_HEIGHT_LOW];
}

static uint32_t target_of(uint64_t link)
{
    return (uint32_t)link;
}

/* One level in eight reaches each next height. A linear congruential generator (Numerical Recipes'
 * constants); of its bits only the high ones are random enough, so they are taken from the top. */
static uint32_t draw_height(struct dp_skiplist *list)
{
    list->random = list->random * 1664525u + 1013904223u;
    uint32_t bits = list->random | 1u << (31 - 3 * (DP_SKIPLIST_HEIGHT_MAX - 1));
    return 1 + (uint32_t)__builtin_clz(bits) / 3;
}

static uint32_t take_record(struct dp_skiplist_pool *pool)
{
    uint32_t level = pool->free_first;
    if (level != DP_SKIPLIST_NONE)
        pool->free_first = pool->levels[level].back;
    else if (pool->used < pool->capacity)
        level = ++pool->used;
    else
        return DP_SKIPLIST_NONE;
    pool->live_count++;
    DP_PREFETCH_WRITE(&pool->levels[pool->free_first != 0 ? pool->free_first : pool->used + 1]);
    return level;
}

static void give_record(struct dp_skiplist_pool *pool, uint32_t level)
{
    pool->levels[level].back = pool->free_first;
    pool->free_first = level;
    pool->live_count--;
}

static bool leads_before(const struct dp_skiplist *list, const struct dp_skiplist_pool *pool,
    uint64_t link, int64_t rank)
{
    uint32_t next = target_of(link);
    return next != DP_SKIPLIST_NONE &&
        (dp_load_relaxed(&pool->levels[next].price_nanos) ^ list->flip) < rank;
}

static _Atomic uint64_t *head_of(const struct dp_skiplist *list, uint32_t height)
{
    return &((struct dp_skiplist *)(uintptr_t)list)->head[height];
}

/* From the last level found better than rank (DP_SKIPLIST_NONE: the head) down to height `lowest`.
 */
static void descend(const struct dp_skiplist *list, const struct dp_skiplist_pool *pool,
    int64_t rank, uint32_t height, uint32_t lowest, struct path *path)
{
    path->before = DP_SKIPLIST_NONE;
    for (uint32_t above = height; above < DP_SKIPLIST_HEIGHT_MAX; above++)
        path->links[above] = head_of(list, above);
    while (height-- > lowest) {
        _Atomic uint64_t *at = path->before == DP_SKIPLIST_NONE
            ? head_of(list, height)
            : link_of(pool, path->before, height);
        uint64_t link = dp_load_relaxed(at);
        while (leads_before(list, pool, link, rank)) {
            path->before = target_of(link);
            at = link_of(pool, path->before, height);
            link = dp_load_relaxed(at);
        }
        path->links[height] = at;
    }
}

/* Climbs from the best end while the head's links still lead to better levels than the
 * target, then descends. */
static void search(const struct dp_skiplist *list, const struct dp_skiplist_pool *pool,
    int64_t price_nanos, struct path *path)
{
    int64_t rank = price_nanos ^ list->flip;
    uint32_t height = 0;
    while (height < list->height &&
        leads_before(list, pool, dp_load_relaxed(&list->head[height]), rank))
        height++;
    descend(list, pool, rank, height, 0, path);
}

/* The same for the heights above 0 only, from the top down: without a step at height 0. */
static void search_above(const struct dp_skiplist *list, const struct dp_skiplist_pool *pool,
    int64_t price_nanos, struct path *path)
{
    descend(list, pool, price_nanos ^ list->flip, list->height, 1, path);
}

uint32_t dp_skiplist_seek(const struct dp_skiplist *list, const struct dp_skiplist_pool *pool,
    int64_t price_nanos, uint32_t *before)
{
    struct path path;
    search(list, pool, price_nanos, &path);
    *before = path.before;
    uint32_t level = target_of(dp_load_relaxed(path.links[0]));
    if (level == DP_SKIPLIST_NONE ||
        dp_load_relaxed(&pool->levels[level].price_nanos) != price_nanos)
        return DP_SKIPLIST_NONE;
    return level;
}

/* A record's new life. The generation goes first: see the argument in the header. */
static uint64_t begin_life(struct dp_skiplist_level *level, uint32_t number, int64_t price_nanos)
{
    uint32_t generation = (dp_load_relaxed(&level->generation) + 1) & INT32_MAX;
    dp_store_relaxed(&level->generation, generation);
    /* Release, here and below: who sees any of these also sees the new generation. */
    dp_store_release(&level->price_nanos, price_nanos);
    dp_store_release(&level->qty, 0);
    dp_store_release(&level->order_count, 0);
    level->last_order = 0;
    return (uint64_t)generation << DP_SKIPLIST_GENERATION_SHIFT | number;
}

/* Links a taken record in at path, which must lead to the first worse level at each height. */
static void link_in(struct dp_skiplist *list, struct dp_skiplist_pool *pool, uint32_t number,
    int64_t price_nanos, uint32_t height, const struct path *path)
{
    struct dp_skiplist_level *level = &pool->levels[number];
    uint64_t link = begin_life(level, number, price_nanos);
    uint32_t worse = target_of(dp_load_relaxed(path->links[0]));
    level->height = (uint16_t)height;
    level->back = path->before;
    pool->levels[worse].back = number; /* of record 0 when there is none: never read */
    for (uint32_t h = 0; h < height; h++)
        dp_store_release(link_of(pool, number, h), dp_load_relaxed(path->links[h]));
    /* Release: the reader that finds the link also finds the level filled in. Lowest height first:
     * whoever arrives from above can always go on below. */
    for (uint32_t h = 0; h < height; h++)
        dp_store_release(path->links[h], link);
    if (height > list->height)
        list->height = height;
    list->level_count++;
}

uint32_t dp_skiplist_insert(
    struct dp_skiplist *list, struct dp_skiplist_pool *pool, int64_t price_nanos)
{
    uint32_t before;
    dp_skiplist_seek(list, pool, price_nanos, &before);
    return dp_skiplist_insert_behind(list, pool, price_nanos, before, false);
}

uint32_t dp_skiplist_insert_behind(struct dp_skiplist *list, struct dp_skiplist_pool *pool,
    int64_t price_nanos, uint32_t before, bool is_low)
{
    struct path path;
    uint32_t number = take_record(pool);
    if (DP_UNLIKELY(number == DP_SKIPLIST_NONE))
        return DP_SKIPLIST_NONE;
    uint32_t height = is_low ? 1 : draw_height(list);
    if (height > 1)
        search_above(list, pool, price_nanos, &path);
    path.before = before;
    path.links[0] = before == DP_SKIPLIST_NONE ? list->head : pool->levels[before].links;
    link_in(list, pool, number, price_nanos, height, &path);
    return number;
}

void dp_skiplist_remove(struct dp_skiplist *list, struct dp_skiplist_pool *pool, uint32_t number)
{
    struct dp_skiplist_level *level = &pool->levels[number];
    uint64_t onward = dp_load_relaxed(&level->links[0]);
    _Atomic uint64_t *before =
        level->back == DP_SKIPLIST_NONE ? list->head : pool->levels[level->back].links;

    /* Release: who follows this link finds the next level filled in, as with the link before. */
    dp_store_release(&level->links[0], onward | DP_SKIPLIST_MARK);
    if (level->height > 1) {
        struct path path;
        search_above(list, pool, dp_load_relaxed(&level->price_nanos), &path);
        for (uint32_t h = level->height - 1u; h > 0; h--)
            dp_store_release(path.links[h], dp_load_relaxed(link_of(pool, number, h)));
    }
    /* Release: readers may follow it straight to the next level, filled in long ago. */
    dp_store_release(&before[0], onward);
    pool->levels[target_of(onward)].back = level->back;
    list->level_count--;
    give_record(pool, number);
}

enum dp_skiplist_step dp_skiplist_next(const struct dp_skiplist_pool *pool, uint32_t capacity,
    struct dp_skiplist_cursor *cursor, struct dp_skiplist_reading *reading)
{
    uint32_t number = target_of(cursor->link);
    if (number == DP_SKIPLIST_NONE)
        return DP_SKIPLIST_END;
    if (number > capacity)
        return DP_SKIPLIST_RECYCLED;

    const struct dp_skiplist_level *level = &pool->levels[number];
    uint64_t generation = cursor->link >> DP_SKIPLIST_GENERATION_SHIFT;
    /* Acquire, each: the generation is loaded after them and cannot be older than they are. */
    reading->price_nanos = dp_load_acquire(&level->price_nanos);
    reading->qty = dp_load_acquire(&level->qty);
    reading->order_count = dp_load_acquire(&level->order_count);
    cursor->link = dp_load_acquire(&level->links[0]) & ~DP_SKIPLIST_MARK;
    return dp_load_relaxed(&level->generation) == generation ? DP_SKIPLIST_LEVEL
                                                             : DP_SKIPLIST_RECYCLED;
}
