/*
 * dp_skiplist - price levels of one side of a book, best first, in a skip list without pointers.
 *
 *   list.head[h] --> level --> level --> ... --> 0    for each height h; all hang at height 0
 *
 * Levels live in a pool of 64-byte records that belongs to the caller (shared memory) and are
 * named by their number; number 0 means none. The height of a level is drawn from a generator of
 * its list (one level in eight reaches the next height), so the same changes give the same list on
 * every machine. A search starts at the best end and climbs only as high as the target is far:
 * O(log of the rank), because most of a book's life happens near the touch.
 *
 * Who writes: one thread, all lists of a pool. Who reads: any thread of any process that maps the
 * pool, without a lock, while the writer writes. The argument:
 *
 * - A link is one 64-bit word: number of the next level, a mark, and the generation that record
 *   had when it was linked. Words are read and written whole, so no half-made link is ever seen.
 * - insert fills the record first and stores the link to it with release; a reader loads links
 *   with acquire, so what it reaches is completely filled in.
 * - remove marks the level's own link, then swings its predecessors' links past it. The record
 *   keeps its links, so a reader that stands on it walks on into the live list.
 * - Reusing a record stores its new generation before anything else (all its later stores are
 *   releases). A reader checks the generation after it has read the fields with acquire: equal
 *   means that nothing of the record was overwritten for a later life, else dp_skiplist_next says
 *   RECYCLED and the reader starts again from the best.
 * - Records are never given back to the system: a reader may hold an old number for ever and still
 *   reads a level record.
 * - Progress: the writer never waits. A reader's step is a bounded number of loads; a walk that
 *   must be consistent as a whole is bounded by its caller (dp_book_read retries through the
 *   book's sequence number).
 *
 * Generations are 31 bits: a reader would have to sleep through 2^31 lives of one record and wake
 * up inside a life with the same number to be deceived, and the book's sequence number would still
 * catch it.
 */
#ifndef DP_SKIPLIST_H
#define DP_SKIPLIST_H

#include "dp_atomic.h"
#include "dp_base.h"

#define DP_SKIPLIST_HEIGHT_MAX 6 /* 8^6 levels a side keep their logarithm */
#define DP_SKIPLIST_NONE 0u
#define DP_SKIPLIST_MARK (1ull << 32)
#define DP_SKIPLIST_GENERATION_SHIFT 33
#define DP_SKIPLIST_LEVELS_MAX (1u << 30)

#define DP_SKIPLIST_HEIGHT_LOW 3 /* links that a record has room for: 511 of 512 need no more */

/* One price level: a cache line. The links above stand in an array of their own behind all levels.
 */
struct dp_skiplist_level {
    alignas(DP_CACHE_LINE) _Atomic int64_t price_nanos;
    _Atomic uint64_t qty; /* of all orders here */
    _Atomic uint32_t order_count;
    _Atomic uint32_t generation; /* which life of this record this is */
    /* Writer only: the next better level; the free list of the pool. */
    uint32_t back;
    uint32_t last_order;       /* the book's: tail of the queue of orders */
    uint16_t instrument_index; /* the book's: whose level this is */
    uint16_t side_index;       /* the book's: on which side */
    uint8_t mark_word; /* the book's: word, and bit in it, that say whether it holds orders */
    uint8_t mark_bit;
    uint16_t height; /* writer only: links in use */
    _Atomic uint64_t links[DP_SKIPLIST_HEIGHT_LOW];
};

static_assert(sizeof(struct dp_skiplist_level) == DP_CACHE_LINE, "one cache line a level");

struct dp_skiplist_tower {
    _Atomic uint64_t links[DP_SKIPLIST_HEIGHT_MAX - DP_SKIPLIST_HEIGHT_LOW];
};

/* One side. Zeroed memory and dp_skiplist_init() make an empty list. */
struct dp_skiplist {
    alignas(DP_CACHE_LINE) _Atomic uint64_t head[DP_SKIPLIST_HEIGHT_MAX];
    uint32_t random;      /* writer only: state of the height generator */
    uint32_t level_count; /* writer only */
    uint32_t height;      /* writer only: heights in use */
    /* price ^ flip grows from the best level outwards: 0 for asks, -1 for bids. */
    int32_t flip;
};

static_assert(sizeof(struct dp_skiplist) == DP_CACHE_LINE, "one cache line a side");

/* All levels of all lists, and the free ones. Offsets only; record 0 is never handed out, and is at
 * no price that anybody asks for. */
struct dp_skiplist_pool {
    alignas(DP_CACHE_LINE) uint32_t capacity; /* records behind record 0 */
    uint32_t used;                            /* highest record ever handed out */
    uint32_t free_first;                      /* last one given back, chained through `back` */
    uint32_t live_count;
    struct dp_skiplist_level levels[]; /* capacity + 1, and as many towers behind them */
};

size_t dp_skiplist_pool_size(uint32_t capacity);
/* pool: dp_skiplist_pool_size() zeroed bytes, cache-line aligned. */
void dp_skiplist_pool_init(struct dp_skiplist_pool *pool, uint32_t capacity);
static inline bool dp_skiplist_pool_is_full(const struct dp_skiplist_pool *pool)
{
    return pool->live_count == pool->capacity;
}

void dp_skiplist_init(struct dp_skiplist *list, enum dp_side side, uint32_t seed);

/* ---- the writer ---- */

/* A new level without orders at this price, which must have none.
 * DP_SKIPLIST_NONE when the pool is exhausted. */
uint32_t dp_skiplist_insert(
    struct dp_skiplist *list, struct dp_skiplist_pool *pool, int64_t price_nanos);
/* The same where the next better level is known (DP_SKIPLIST_NONE: the new one is the best).
 * is_low: it hangs at height 0 only and costs no search at all; a search later has to step over it,
 * so it is for the few that are found by other ways (dp_book_ladder). */
uint32_t dp_skiplist_insert_behind(struct dp_skiplist *list, struct dp_skiplist_pool *pool,
    int64_t price_nanos, uint32_t before, bool is_low);
/* Takes a level out and gives its record back. */
void dp_skiplist_remove(struct dp_skiplist *list, struct dp_skiplist_pool *pool, uint32_t level);
/* The level at this price, or DP_SKIPLIST_NONE; *before: the next better one, or none. */
uint32_t dp_skiplist_seek(const struct dp_skiplist *list, const struct dp_skiplist_pool *pool,
    int64_t price_nanos, uint32_t *before);

static inline uint32_t dp_skiplist_best(const struct dp_skiplist *list)
{
    return (uint32_t)dp_load_relaxed(&list->head[0]);
}

static inline uint32_t dp_skiplist_worse(const struct dp_skiplist_pool *pool, uint32_t level)
{
    return (uint32_t)dp_load_relaxed(&pool->levels[level].links[0]);
}

/* ---- any reader ---- */

enum dp_skiplist_step {
    DP_SKIPLIST_LEVEL = 0, /* a level was read and the cursor moved behind it */
    DP_SKIPLIST_END,
    /* The record under the cursor began another life: start again from the best. */
    DP_SKIPLIST_RECYCLED,
};

/* What a reader carries from level to level: the link it will follow next. */
struct dp_skiplist_cursor {
    uint64_t link;
};

struct dp_skiplist_reading {
    int64_t price_nanos;
    uint64_t qty;
    uint32_t order_count;
};

static inline struct dp_skiplist_cursor dp_skiplist_begin(const struct dp_skiplist *list)
{
    /* Acquire: pairs with the release in dp_skiplist_insert();
     * the level behind the link is filled in. */
    return (struct dp_skiplist_cursor){dp_load_acquire(&list->head[0])};
}

/* The same from a level that stood in the list a moment ago. */
static inline struct dp_skiplist_cursor dp_skiplist_begin_at(
    const struct dp_skiplist_pool *pool, uint32_t level)
{
    uint64_t generation = dp_load_acquire(&pool->levels[level].generation);
    return (struct dp_skiplist_cursor){generation << DP_SKIPLIST_GENERATION_SHIFT | level};
}

/* Reads the level under the cursor. capacity is the caller's own copy, taken when it attached. */
enum dp_skiplist_step dp_skiplist_next(const struct dp_skiplist_pool *pool, uint32_t capacity,
    struct dp_skiplist_cursor *cursor, struct dp_skiplist_reading *reading);

#endif
