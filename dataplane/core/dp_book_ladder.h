/*
 * dp_book_ladder - the two sides of a book: their skip lists of levels, and the ways to a level by
 * its price.
 *
 *   window    256 rungs, one a tick, around the touch: the level of a price is arithmetic
 *   buckets   128 of 8 ticks beyond it, then 32 of 64 and 32 of 1024: the best level in each, and a
 *             short walk from there
 *   elsewhere (better than the window, or farther out): a search of the list
 *
 * The lists stay the whole truth; windows and buckets say where things hang in them. Ranks are
 * price ^ flip of the list, growing from the best level outwards. Rules:
 *
 * - Every level whose rank lies inside the window hangs on its rung. A price there that is on no
 *   tick takes the windows of the book down; they are laid anew after some more levels, with a
 * finer tick.
 * - A level inside the window that loses its last order stays where it is, empty, and waits for the
 *   next one: near the touch prices come and go all the time, and joining an empty level costs no
 *   more than joining any. A bit says which rungs hold orders. Empty levels go when the window
 *   moves or the pool has no other level left; outside the window none stays.
 * - Readers of other threads look at the bits and the rungs to begin at the best level, under the
 *   sequence number of the book: see dp_book_layout.h.
 *
 * One writer. Included by dp_book_layout.h.
 */
#ifndef DP_BOOK_LADDER_H
#define DP_BOOK_LADDER_H

#include "dp_skiplist.h"

#define DP_BOOK_RUNGS 256u
#define DP_BOOK_RUNG_WORDS (DP_BOOK_RUNGS / 64)
#define DP_BOOK_BUCKETS 192u

/* A level that hangs on a rung keeps which bit of `occupied` is its own: in which word (see
 * dp_skiplist_level.mark_word), and the bit. */
#define DP_BOOK_MARK_WORD(side_index, rung) ((side_index)*DP_BOOK_RUNG_WORDS + (rung) / 64)
#define DP_BOOK_MARK_NONE (2 * DP_BOOK_RUNG_WORDS)

/* Where the rungs stand. */
struct dp_book_window {
    uint32_t tick;          /* nanos between two rungs; 0: no windows */
    uint32_t patience;      /* levels to be opened outside before the windows are laid anew */
    uint64_t inverse;       /* 2^64 / tick, rounded up */
    int64_t first_ranks[2]; /* of rung 0, the best one; bid, ask */
};

struct dp_book_side {
    struct dp_skiplist list;
    uint64_t hung[DP_BOOK_RUNG_WORDS];     /* a bit for each rung that has a level */
    uint64_t filled[DP_BOOK_BUCKETS / 64]; /* a bit for each bucket that has one */
    _Atomic uint32_t before_count;         /* levels better than the window */
    alignas(DP_CACHE_LINE) uint32_t buckets[DP_BOOK_BUCKETS]; /* the best level in each */
};

/* What every change touches; those of all instruments lie close together, because a page more is a
 * walk through the page tables more. */
struct dp_book {
    alignas(
        DP_CACHE_LINE) _Atomic uint64_t sequence; /* twice the changes, plus one during a change */
    _Atomic int64_t time_ns;
    _Atomic uint32_t flags;
    _Atomic uint16_t trading_state;
    _Atomic uint16_t is_open;
    uint64_t depth_offset; /* from here to its struct dp_book_depth */
    struct dp_book_window window;
    /* A bit for each rung that holds orders. */
    alignas(DP_CACHE_LINE) _Atomic uint64_t occupied[2 * DP_BOOK_RUNG_WORDS];
};

static_assert(sizeof(struct dp_book) == 2 * DP_CACHE_LINE, "two cache lines");

/* The rest of it. */
struct dp_book_depth {
    /* Their levels, empty ones too; the sides in turn, so that the way to one is short. */
    alignas(DP_CACHE_LINE) _Atomic uint32_t rungs[DP_BOOK_RUNGS][2];
    struct dp_book_side sides[2]; /* bid, ask */
    _Atomic uint64_t symbol;      /* the 8 bytes as they are on the wire */
};

static_assert(sizeof(struct dp_book) + sizeof(struct dp_book_depth) <= 4096,
    "at most 4,096 bytes an instrument");

static inline struct dp_book_depth *dp_book_depth(const struct dp_book *book)
{
    return (struct dp_book_depth *)((uintptr_t)book + book->depth_offset);
}

static inline struct dp_book_side *dp_book_side(const struct dp_book *book, uint32_t side_index)
{
    return &dp_book_depth(book)->sides[side_index];
}

static inline _Atomic uint32_t *dp_book_rung(
    const struct dp_book *book, uint32_t side_index, uint64_t rung)
{
    return &dp_book_depth(book)->rungs[rung][side_index];
}

/* Where a look at the side must begin to miss no level with orders; empty ones may follow. */
static inline uint32_t dp_book_side_first(const struct dp_book *book, uint32_t side_index)
{
    const struct dp_book_side *side = dp_book_side(book, side_index);
    const _Atomic uint64_t *occupied = &book->occupied[side_index * DP_BOOK_RUNG_WORDS];
    /* Acquire, each: for readers, whose look at the sequence number comes after. */
    uint32_t before_count = dp_load_acquire(&side->before_count);
    DP_UNROLL
    for (uint32_t word = 0; word < DP_BOOK_RUNG_WORDS && before_count == 0; word++) {
        uint64_t bits = dp_load_acquire(&occupied[word]);
        if (bits != 0)
            return dp_load_acquire(
                dp_book_rung(book, side_index, word * 64 + (uint32_t)__builtin_ctzll(bits)));
    }
    return (uint32_t)dp_load_acquire(&side->list.head[0]);
}

#define DP_BOOK_BEFORE_UNKNOWN UINT32_MAX

/* Opens a level at a price that has none; the pool must have one to give. before: the next better
 * level, if a search has just found it. */
uint32_t dp_book_side_open(struct dp_book *book, uint32_t side_index, struct dp_skiplist_pool *pool,
    int64_t price_nanos, uint32_t before);
/* Takes a level out that hangs on no rung. */
void dp_book_side_close(
    struct dp_book *book, uint32_t side_index, struct dp_skiplist_pool *pool, uint32_t level);
/* Closes the empty levels of both sides. */
void dp_book_sweep(struct dp_book *book, struct dp_skiplist_pool *pool);
/* Closes all levels of both sides. */
void dp_book_ladder_clear(struct dp_book *book, struct dp_skiplist_pool *pool);
/* The level of a price outside the window, or DP_SKIPLIST_NONE; *before: the next better one. */
uint32_t dp_book_side_find_far(const struct dp_book *book, uint32_t side_index,
    const struct dp_skiplist_pool *pool, int64_t price_nanos, uint32_t *before);
/* The next better rung that has a level; DP_BOOK_RUNGS or above when none has. */
uint32_t dp_book_side_better_rung(const struct dp_book_side *side, uint32_t rung);
/* Levels with orders. */
uint32_t dp_book_side_level_count(const struct dp_book *book, uint32_t side_index);

/* What price ^ flip is for bids and asks: the same as their lists have. */
static inline int64_t dp_book_flip(uint32_t side_index)
{
    return (int64_t)side_index - 1;
}

/* Ticks from rung 0, rounded down; huge for what is better. The product's high half is the
 * quotient: exact for 2^64 / tick ticks. */
static inline uint64_t dp_book_ladder_ticks(
    const struct dp_book_window *window, uint32_t side_index, int64_t rank)
{
    __extension__ typedef unsigned __int128 wide;
    uint64_t away = (uint64_t)rank - (uint64_t)window->first_ranks[side_index];
    return (uint64_t)((wide)away * window->inverse >> 64);
}

/* The bucket that many ticks from rung 0; DP_BOOK_BUCKETS or above when there is none. */
static inline uint64_t dp_book_ladder_bucket(uint64_t ticks)
{
    uint64_t beyond = ticks - DP_BOOK_RUNGS;
    return beyond < 1024 ? beyond / 8
        : beyond < 3072  ? 128 + (beyond - 1024) / 64
                         : 160 + (beyond - 3072) / 1024;
}

/* The rung of that rank; DP_BOOK_RUNGS or above: outside the window, or on no tick of it. */
static inline uint64_t dp_book_ladder_rung(
    const struct dp_book_window *window, uint32_t side_index, int64_t rank)
{
    uint64_t ticks = dp_book_ladder_ticks(window, side_index, rank);
    uint64_t away = (uint64_t)rank - (uint64_t)window->first_ranks[side_index];
    return ticks * window->tick == away ? ticks : DP_BOOK_RUNGS;
}

static inline bool dp_book_has_rung(const struct dp_skiplist_level *level)
{
    return DP_LIKELY(level->mark_word != DP_BOOK_MARK_NONE);
}

/* That level, which has a rung, holds orders, or none. */
static inline void dp_book_set_occupied(
    struct dp_book *book, const struct dp_skiplist_level *level, bool is_occupied)
{
    _Atomic uint64_t *word = &book->occupied[level->mark_word];
    uint64_t others = dp_load_relaxed(word) & ~(1ull << level->mark_bit % 64);
    dp_store_release(word, others | (uint64_t)is_occupied << level->mark_bit % 64);
}

#endif
