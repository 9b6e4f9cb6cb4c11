/*
 * dp_skiplist_multi_layout - how its records lie in memory, and the words in them. For
 * dp_skiplist_multi*.c and their tests only.
 *
 *   struct dp_skiplist_multi | lists | levels | towers | hints
 *
 * Record 0 is never used. A hint is a bit for each record that may be free: where to look first;
 * the claim is the truth.
 */
#ifndef DP_SKIPLIST_MULTI_LAYOUT_H
#define DP_SKIPLIST_MULTI_LAYOUT_H

#include "dp_skiplist_multi.h"

#define DP_SKIPLIST_MULTI_MARK (1ull << 32)
#define DP_SKIPLIST_MULTI_GENERATION_SHIFT 33

/* Links that a record has room for; those above stand in the towers. */
#define DP_SKIPLIST_MULTI_LOW 4u
#if DP_SKIPLIST_MULTI_HEIGHT_MAX > 4
#define DP_SKIPLIST_MULTI_HIGH (DP_SKIPLIST_MULTI_HEIGHT_MAX - 4)
#else
#define DP_SKIPLIST_MULTI_HIGH 1u
#endif

/* Of the amount: closed, 23 bits of orders, 40 of quantity. */
#define DP_SKIPLIST_MULTI_CLOSED (1ull << 63)
#define DP_SKIPLIST_MULTI_ORDERS_SHIFT 40

enum dp_skiplist_multi_state { /* in the upper 8 bits of a claim; below it the slot of a writer */
    DP_SKIPLIST_MULTI_FREE = 0,
    DP_SKIPLIST_MULTI_SPARE,
    DP_SKIPLIST_MULTI_TAKEN,
    DP_SKIPLIST_MULTI_DOOMED,
    DP_SKIPLIST_MULTI_LIVE,
    DP_SKIPLIST_MULTI_LIMBO,
};

struct dp_skiplist_multi_record {
    alignas(DP_CACHE_LINE) _Atomic int64_t price_nanos;
    _Atomic uint64_t amount;
    _Atomic uint32_t generation; /* which life of this record this is */
    _Atomic uint32_t claim;
    uint32_t chain;  /* of the one it belongs to: the next spare or removed one */
    uint16_t height; /* links in use; written before the record is linked */
    uint16_t list;   /* likewise */
    _Atomic uint64_t links[DP_SKIPLIST_MULTI_LOW];
};

static_assert(sizeof(struct dp_skiplist_multi_record) == DP_CACHE_LINE, "one cache line a level");

struct dp_skiplist_multi_tower {
    _Atomic uint64_t links[DP_SKIPLIST_MULTI_HIGH];
};

struct dp_skiplist_multi_list {
    alignas(DP_CACHE_LINE) _Atomic uint64_t head[DP_SKIPLIST_MULTI_HEIGHT_MAX];
};

struct dp_skiplist_multi {
    alignas(DP_CACHE_LINE) uint32_t capacity;
    uint32_t list_count;
    uint64_t records_offset;
    uint64_t towers_offset;
    uint64_t hints_offset;
    struct dp_skiplist_multi_list lists[];
};

static inline void *dp_skiplist_multi_at(const struct dp_skiplist_multi *multi, uint64_t offset)
{
    return (uint8_t *)(uintptr_t)multi + offset;
}

static inline struct dp_skiplist_multi_record *dp_skiplist_multi_record(
    const struct dp_skiplist_multi *multi, uint32_t number)
{
    struct dp_skiplist_multi_record *records = dp_skiplist_multi_at(multi, multi->records_offset);
    return &records[number];
}

/* The link of a record at a height; number 0 stands for the head of the list. */
static inline _Atomic uint64_t *dp_skiplist_multi_link(
    const struct dp_skiplist_multi *multi, uint32_t list, uint32_t number, uint32_t height)
{
    if (number == 0)
        return (_Atomic uint64_t *)(uintptr_t)&multi->lists[list].head[height];
    if (height < DP_SKIPLIST_MULTI_LOW)
        return &dp_skiplist_multi_record(multi, number)->links[height];
    struct dp_skiplist_multi_tower *towers = dp_skiplist_multi_at(multi, multi->towers_offset);
    return &towers[number].links[height - DP_SKIPLIST_MULTI_LOW];
}

static inline uint32_t dp_skiplist_multi_target(uint64_t link)
{
    return (uint32_t)link;
}

/* Grows from the best level outwards. */
static inline int64_t dp_skiplist_multi_rank(uint32_t list, int64_t price_nanos)
{
    return price_nanos ^ ((int64_t)(list & 1) - 1);
}

static inline uint32_t dp_skiplist_multi_claim(enum dp_skiplist_multi_state state, uint32_t slot)
{
    return (uint32_t)state << 24 | slot;
}

static inline enum dp_skiplist_multi_state dp_skiplist_multi_state(uint32_t claim)
{
    return (enum dp_skiplist_multi_state)(claim >> 24);
}

static inline uint32_t dp_skiplist_multi_slot(uint32_t claim)
{
    return claim & 0xffffff;
}

static inline struct dp_skiplist_multi_level dp_skiplist_multi_view(
    int64_t price_nanos, uint64_t amount)
{
    return (struct dp_skiplist_multi_level){
        .price_nanos = price_nanos,
        .qty = amount & DP_SKIPLIST_MULTI_QTY_MAX,
        .order_count =
            (uint32_t)(amount >> DP_SKIPLIST_MULTI_ORDERS_SHIFT) & DP_SKIPLIST_MULTI_ORDERS_MAX,
    };
}

/* ---- dp_skiplist_multi_pool.c: whose a record is ---- */

/* From outside the epoch, after every change: now and then moves the epoch on, and gives back. */
void dp_skiplist_multi_tidy(struct dp_skiplist_multi_writer *writer);
/* From outside the epoch: sees to it that a spare is there. False when there is none to be had. */
bool dp_skiplist_multi_stock(struct dp_skiplist_multi_writer *writer);
/* The next spare; there must be one. Its claim stays SPARE. */
uint32_t dp_skiplist_multi_take(struct dp_skiplist_multi_writer *writer);
/* A record of our own that nobody else has seen in this life. */
void dp_skiplist_multi_give(struct dp_skiplist_multi_writer *writer, uint32_t number);
/* To nobody; anyone may take it. */
void dp_skiplist_multi_free(const struct dp_skiplist_multi *multi, uint32_t number);
/* A record that is in no list any more, LIMBO of our own: waits for its epoch. */
void dp_skiplist_multi_retire(struct dp_skiplist_multi_writer *writer, uint32_t number);
/* Says that the record may be free where the hint is missing. */
void dp_skiplist_multi_hint(const struct dp_skiplist_multi *multi, uint32_t number);

/* ---- dp_skiplist_multi.c ---- */

/* Unlinks what is marked on the way to a rank, all heights; the level there, or 0. From inside. */
uint32_t dp_skiplist_multi_search(
    const struct dp_skiplist_multi *multi, uint32_t list, int64_t rank);
/* Cleans up a closed level. From inside. */
void dp_skiplist_multi_finish(struct dp_skiplist_multi_writer *writer, uint32_t number);
/* Marks the links of a closed level, from the top down. */
void dp_skiplist_multi_mark(const struct dp_skiplist_multi *multi, uint32_t number);

#endif
