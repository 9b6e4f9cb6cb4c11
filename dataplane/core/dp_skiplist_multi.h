/*
 * dp_skiplist_multi - sides of books that several threads and processes change at the same time.
 *
 * Price levels in skip lists without pointers, best first, in shared memory. Each of the list_count
 * lists is one side of one instrument: list 2 * i holds the bids, 2 * i + 1 the asks. All of them
 * take their records from one pool. A level holds an amount, quantity and order count in one word,
 * so that both change together and a reader never sees one without the other.
 *
 *   writer    insert, change, remove    lock-free, O(log n); a writer joins a dp_epoch first
 *   reader    find, begin and next      lock-free, O(log n) and O(1); anybody who maps the memory
 *
 * dp_skiplist is the same idea for one writer, at half the price: no compare-and-swap, no fence,
 * and links back. The books of a feed have one writer a shard, so they use that one (see
 * docs/decisions).
 *
 * The argument.
 *
 * - A link is one word: number of the next level, mark, generation of that record. A level is in
 * the list when the link at height 0 before it leads to it; greater heights are shortcuts.
 * - insert fills a record that nobody sees and swings the link before it by compare-and-swap
 *   (release; whoever follows the link acquires). The same word cannot come back while a writer
 *   holds it: no record that a writer can reach is used again before it leaves the epoch.
 * - remove happens when the amount is closed: one compare-and-swap, which also tells the last
 *   amount, so that no change is lost between. What follows is cleaning up, which anybody does who
 *   comes across a closed level: mark its links, from the top down, so that nothing more is put
 *   behind it; a search unlinks what is marked on its way. Nobody ever waits for another.
 * - Two levels of one price are never next to each other at any height, so that the search for a
 *   price finds each record of that price: insert puts nothing before an equal rank, but cleans it
 * up.
 * - A record belongs to somebody at each moment; its claim says to whom, and changes only by the
 *   one it belongs to, or by compare-and-swap:
 *
 *     FREE ---> SPARE(w) ---> TAKEN(w) ---> LIVE ---> LIMBO(w') ---> SPARE(w') or FREE
 *                                 \----> DOOMED(w) ---> LIMBO(w)
 *
 *   TAKEN is a record that writer w is linking in. Who removes it before w has linked all heights
 * makes it DOOMED and leaves the rest to w, which may just be linking it somewhere. From LIMBO it
 *   goes on when its epoch is past.
 * - A reader needs no epoch: it checks the generation of each record after reading it, as in
 *   dp_skiplist. When a record was used again it searches the next worse price from the top. Each
 *   level that is given out was in the list, with that amount, at some moment since begin or find
 *   was called; prices get strictly worse; a level that stays is not missed.
 * - A writer that dies anywhere leaves a list that all others go on using. Its claims say which
 *   records it had: dp_skiplist_multi_recover() looks at every record once, finishes what was half
 *   done, takes over the dead one's garbage and frees its slot. Until then the records in its hands
 *   and all garbage since its death stay unused, at most what the pool holds: insert says FULL, and
 *   dp_epoch_advance() whom to look at. Dead readers leave no trace at all.
 *
 * Garbage: a writer keeps at most 64 spares and gives back the rest; what it removed waits for
 * somebody who is inside since before, at most 16 removals longer than that one stays. So a pool of
 * the levels wanted and 100 more for each writer is enough while all writers move.
 *
 * Progress: every retry of a loop means that another writer's compare-and-swap succeeded.
 * Generations have 31 bits, see dp_skiplist.h.
 */
#ifndef DP_SKIPLIST_MULTI_H
#define DP_SKIPLIST_MULTI_H

#include "dp_atomic.h"
#include "dp_base.h"
#include "dp_epoch.h"
#include "dp_err.h"

/* One level in four reaches each next height: 4^8 levels a list keep their logarithm. */
#ifndef DP_SKIPLIST_MULTI_HEIGHT_MAX /* the model checker takes a smaller one */
#define DP_SKIPLIST_MULTI_HEIGHT_MAX 8u
#endif

#define DP_SKIPLIST_MULTI_LEVELS_MAX (1u << 24)
#define DP_SKIPLIST_MULTI_LISTS_MAX 65536u
#define DP_SKIPLIST_MULTI_QTY_MAX ((1ull << 40) - 1)
#define DP_SKIPLIST_MULTI_ORDERS_MAX ((1u << 23) - 1)

struct dp_skiplist_multi; /* opaque: dp_skiplist_multi_layout.h */

enum dp_skiplist_multi_result {
    DP_SKIPLIST_MULTI_OK = 0,
    DP_SKIPLIST_MULTI_EXISTS, /* insert: the price has a level */
    DP_SKIPLIST_MULTI_NONE,   /* the price has none */
    DP_SKIPLIST_MULTI_FULL,   /* no record is free, or will be before somebody leaves the epoch */
    DP_SKIPLIST_MULTI_RANGE,  /* the amount would be below 0 or above the largest */
    DP_SKIPLIST_MULTI_IN_USE, /* remove_empty: it has orders */
};

struct dp_skiplist_multi_level {
    int64_t price_nanos;
    uint64_t qty;
    uint32_t order_count;
};

/* 96 bytes and a bit for each level, 64 for each list. */
size_t dp_skiplist_multi_size(uint32_t list_count, uint32_t capacity);
/* multi: dp_skiplist_multi_size() zeroed bytes, cache-line aligned. capacity: levels at once. */
int dp_skiplist_multi_init(
    struct dp_skiplist_multi *multi, uint32_t list_count, uint32_t capacity, struct dp_err *err);

/* ---- a writer ---- */

#define DP_SKIPLIST_MULTI_LIMBO_COUNT 4u

/* What one writer keeps for itself; private memory of one thread. */
struct dp_skiplist_multi_writer {
    struct dp_skiplist_multi *multi;
    struct dp_epoch *epoch;
    uint32_t slot;
    uint32_t random;
    uint32_t spare_first; /* records for the next insertions, chained */
    uint32_t spare_count;
    uint32_t word_next; /* where to look for free records */
    uint32_t retired_count;
    struct {
        uint64_t tag;
        uint32_t first; /* removed at that tag, chained */
        uint32_t last;
        uint32_t count;
    } limbo[DP_SKIPLIST_MULTI_LIMBO_COUNT];
};

/* Joins the epoch with that owner word, see dp_epoch.h. False when no slot is free. */
bool dp_skiplist_multi_join(struct dp_skiplist_multi_writer *writer,
    struct dp_skiplist_multi *multi, struct dp_epoch *epoch, uint64_t owner);
/* False when its garbage is not past yet, because somebody is inside: call again. */
bool dp_skiplist_multi_leave(struct dp_skiplist_multi_writer *writer);

enum dp_skiplist_multi_result dp_skiplist_multi_insert(struct dp_skiplist_multi_writer *writer,
    uint32_t list, int64_t price_nanos, uint64_t qty, uint32_t order_count);
/* Adds to the amount of a level; either may be negative. */
enum dp_skiplist_multi_result dp_skiplist_multi_change(struct dp_skiplist_multi_writer *writer,
    uint32_t list, int64_t price_nanos, int64_t qty_change, int32_t order_change);
/* Takes a level out, whatever it holds; *last: what that was. */
enum dp_skiplist_multi_result dp_skiplist_multi_remove(struct dp_skiplist_multi_writer *writer,
    uint32_t list, int64_t price_nanos, struct dp_skiplist_multi_level *last);
/* Takes a level out if it has no orders at that moment. */
enum dp_skiplist_multi_result dp_skiplist_multi_remove_empty(
    struct dp_skiplist_multi_writer *writer, uint32_t list, int64_t price_nanos);

/* After the death of the owner of a slot of the epoch: finishes what it began and frees the slot.
 * False when the owner lives, or another one is at it. A look at every record. */
bool dp_skiplist_multi_recover(struct dp_skiplist_multi_writer *writer, uint32_t slot,
    dp_epoch_is_dead is_dead, void *context);

/* ---- any reader ---- */

/* The level at that price; false, and *level as it was, when there is none. */
bool dp_skiplist_multi_find(const struct dp_skiplist_multi *multi, uint32_t list,
    int64_t price_nanos, struct dp_skiplist_multi_level *level);

struct dp_skiplist_multi_cursor {
    const struct dp_skiplist_multi *multi;
    uint32_t list;
    uint64_t link; /* to the next level */
    int64_t rank;  /* of the last level given out */
    bool has_rank;
};

/* From the best level on. */
struct dp_skiplist_multi_cursor dp_skiplist_multi_begin(
    const struct dp_skiplist_multi *multi, uint32_t list);
/* The next worse level; false behind the last. */
bool dp_skiplist_multi_next(
    struct dp_skiplist_multi_cursor *cursor, struct dp_skiplist_multi_level *level);

#endif
