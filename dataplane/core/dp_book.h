/*
 * dp_book - full-depth books of all instruments of a feed, by order, in shared memory.
 *
 *   order reference --> order           --> level                   --> book
 *                       links, priority     price, quantity, count      two skip lists
 *
 * Every resting order has its exact place in the queue of its price level; levels hang in a skip
 * list per side (dp_skiplist), best first. One thread applies changes; any number of readers in any
 * process read top-N views without stopping it (dp_book_read). Everything is offsets and indexes
 * inside one block of memory that belongs to the caller; nothing is allocated after
 * dp_books_init().
 *
 * A wrong change (unknown order, too large a reduction, a reference used twice) is answered by a
 * result code and leaves every book as it was.
 */
#ifndef DP_BOOK_H
#define DP_BOOK_H

#include "dp_atomic.h"
#include "dp_base.h"
#include "dp_err.h"

#define DP_BOOK_INSTRUMENTS_MAX 65536u /* ITCH stock locate is 16 bits and serves as the index */
#define DP_BOOK_NONE UINT32_MAX
#define DP_BOOK_QTY_MAX UINT32_MAX /* of one order; a level's sum has 64 bits */
#define DP_BOOK_ORDERS_MAX ((1u << 30) - 1)

enum dp_book_result {
    DP_BOOK_OK = 0,
    DP_BOOK_UNKNOWN_ORDER,   /* the reference names no resting order */
    DP_BOOK_DUPLICATE_ORDER, /* an add or replace reuses a live reference */
    DP_BOOK_OVER_REDUCTION,  /* more than what was left */
    DP_BOOK_INVALID,         /* no such instrument, side, price or quantity */
    DP_BOOK_FULL,            /* no free order or level record */
};

/* Why a book must not be traded on: bits of dp_book_flags(). */
enum dp_book_flag {
    DP_BOOK_STALE = 1,   /* messages of its feed are missing since the gap */
    DP_BOOK_SUSPECT = 2, /* a message contradicted the book: something is missing or wrong */
};

/* FIX-like trading state, as the feed says: bits 8.. of the flags word are private to dp_book. */
enum dp_trading_state {
    DP_TRADING_UNKNOWN = 0, /* never announced: to be treated as halted */
    DP_TRADING_OPEN = 'T',
    DP_TRADING_HALTED = 'H',
    DP_TRADING_PAUSED = 'P',
    DP_TRADING_QUOTATION = 'Q',
};

struct dp_books_config {
    uint32_t instrument_count_max; /* 1 .. DP_BOOK_INSTRUMENTS_MAX; indexes 0 .. max-1 are legal */
    uint32_t order_count_max;      /* resting orders at once, all instruments together */
    uint32_t level_count_max;      /* price levels at once, all instruments together */
};

struct dp_books; /* opaque: dp_book_layout.h, for dp_book*.c and its tests only */

/* One resting order as a caller sees it. */
struct dp_book_order_view {
    uint64_t order_ref;
    /* Grows by one with every insertion into any book: lower is ahead at the same price. */
    uint64_t priority;
    int64_t price_nanos;
    uint64_t qty;
    uint32_t instrument_index;
    uint32_t side; /* enum dp_side */
};

struct dp_book_level_view {
    int64_t price_nanos;
    uint64_t qty;
    uint64_t order_count;
};

/* What a reader gets: consistent, taken between two changes of this book. */
struct dp_book_view {
    uint64_t sequence; /* changes of this book so far */
    int64_t time_ns;   /* of the last change */
    uint32_t flags;    /* enum dp_book_flag */
    uint32_t trading_state;
    uint32_t bid_count; /* levels filled in, best first */
    uint32_t ask_count;
    struct dp_book_level_view *bids; /* the caller's arrays */
    struct dp_book_level_view *asks;
};

size_t dp_books_size(const struct dp_books_config *config);
/* memory: dp_books_size() zeroed bytes, cache-line aligned. */
int dp_books_init(struct dp_books *books, const struct dp_books_config *config, struct dp_err *err);

/* Who writes, as sys/dp_process names processes: for readers that find a change unfinished. 0, as
 * in the beginning: nobody can tell. */
void dp_books_set_writer(struct dp_books *books, uint64_t writer_id);
uint64_t dp_books_writer(const struct dp_books *books);

/* ---- the writer ---- */

/* Tells which instrument an index stands for; symbol is 8 bytes, space padded.
 * Callable again (a new day, a spin). */
enum dp_book_result dp_book_open(
    struct dp_books *books, uint32_t instrument_index, const char symbol[8]);
enum dp_book_result dp_book_add(struct dp_books *books, uint32_t instrument_index,
    uint64_t order_ref, enum dp_side side, uint64_t qty, int64_t price_nanos, int64_t time_ns);
/* Takes qty off the order; the order leaves the book when nothing is left (E, C, X of ITCH). */
enum dp_book_result dp_book_reduce(
    struct dp_books *books, uint64_t order_ref, uint64_t qty, int64_t time_ns);
enum dp_book_result dp_book_remove(struct dp_books *books, uint64_t order_ref, int64_t time_ns);
/* The old order leaves; the new one takes its side and instrument and goes to the tail of its
 * level. Refused whole (old order stays) when the new reference is live, or qty or price is not
 * legal. */
enum dp_book_result dp_book_replace(struct dp_books *books, uint64_t order_ref,
    uint64_t new_order_ref, uint64_t qty, int64_t price_nanos, int64_t time_ns);

/* Adds to the flags that are set. */
void dp_book_set_flags(struct dp_books *books, uint32_t instrument_index, uint32_t flags);
/* Marks every instrument opened so far. Instruments opened later start clean. */
void dp_books_set_flags(struct dp_books *books, uint32_t flags);
/* Takes them away: what they were about is over. */
void dp_book_drop_flags(struct dp_books *books, uint32_t instrument_index, uint32_t flags);
void dp_book_set_trading_state(
    struct dp_books *books, uint32_t instrument_index, uint32_t trading_state);
/* While set, the instrument shows as HALTED whatever its trading state (ITCH message h);
 * that state is kept underneath. */
void dp_book_set_operational_halt(struct dp_books *books, uint32_t instrument_index, bool halted);
/* Empties all books and forgets symbols, flags and states: a new session. */
void dp_books_clear(struct dp_books *books);
/* The same for so many instruments from `first` on. Looks at every order: not for a hot path. */
void dp_books_clear_some(struct dp_books *books, uint32_t first, uint32_t count);

/* Starts the memory loads that a coming change will need; never faults, any reference is fine. */
/* Far ahead: its entry in the index. */
void dp_book_prefetch_ref(const struct dp_books *books, uint64_t order_ref);
/* Nearer: the order it names. */
void dp_book_prefetch_order(const struct dp_books *books, uint64_t order_ref);
void dp_book_prefetch_instrument(const struct dp_books *books, uint32_t instrument_index);

/* ---- the writer's own look (same thread, no retry needed) ---- */

/* Best prices: DP_PRICE_NONE where a side is empty. */
int64_t dp_book_best_bid(const struct dp_books *books, uint32_t instrument_index);
int64_t dp_book_best_ask(const struct dp_books *books, uint32_t instrument_index);
uint32_t dp_book_flags(const struct dp_books *books, uint32_t instrument_index);
/* All of these at once: what the gate looks at. The writer's own look, as best bid and ask are. */
struct dp_book_touch {
    int64_t bid_nanos; /* DP_PRICE_NONE when that side is empty */
    /* Not beside trading_state: two halves stored one by one and then taken as one word would have
     * to wait for the cache. */
    uint32_t flags;
    int64_t ask_nanos;
    uint32_t trading_state;
};
struct dp_book_touch dp_book_touch(const struct dp_books *books, uint32_t instrument_index);
uint32_t dp_book_trading_state(const struct dp_books *books, uint32_t instrument_index);
/* Whether dp_book_open() was called for it. */
bool dp_book_is_open(const struct dp_books *books, uint32_t instrument_index);
/* The symbol without its spaces, and a NUL. */
void dp_book_symbol(const struct dp_books *books, uint32_t instrument_index, char symbol[9]);
/* One above the highest opened index. */
uint32_t dp_books_instrument_count(const struct dp_books *books);
/* The instrument of that trimmed symbol, or DP_BOOK_NONE. Linear; for set-up. */
uint32_t dp_books_find(const struct dp_books *books, const char *symbol);
uint64_t dp_books_order_count(const struct dp_books *books);

bool dp_book_order(
    const struct dp_books *books, uint64_t order_ref, struct dp_book_order_view *order);
/* Orders and quantity ahead of this one at its price: its exact queue position.
 * False when the reference is unknown. */
bool dp_book_queue_ahead(
    const struct dp_books *books, uint64_t order_ref, uint64_t *order_count, uint64_t *qty);
/* Levels best first into `levels`, at most max; returns how many. */
uint32_t dp_book_levels(const struct dp_books *books, uint32_t instrument_index, enum dp_side side,
    struct dp_book_level_view *levels, uint32_t max);
uint32_t dp_book_level_count(
    const struct dp_books *books, uint32_t instrument_index, enum dp_side side);
/* The level at exactly this price; false when there is none. */
bool dp_book_level_at(const struct dp_books *books, uint32_t instrument_index, enum dp_side side,
    int64_t price_nanos, struct dp_book_level_view *level);
/* Orders of one level, first in the queue first; returns how many. */
uint32_t dp_book_level_orders(const struct dp_books *books, uint32_t instrument_index,
    enum dp_side side, int64_t price_nanos, struct dp_book_order_view *orders, uint32_t max);
/* The priority that the next insertion will get:
 * an order arriving now stands behind all with a lower one. */
uint64_t dp_books_priority_next(const struct dp_books *books);

/* ---- any reader, any process ---- */

enum dp_book_read_result {
    DP_BOOK_READ_OK = 0,
    /* The writer was in the middle of a change at every try: ask again, or it died there. */
    DP_BOOK_READ_BUSY,
    DP_BOOK_READ_NONE, /* no such instrument */
    /* Of sys/dp_book_watch: it did die there. The book stays half changed until it is rebuilt. */
    DP_BOOK_READ_STALE,
};

/* Fills view->bids and view->asks with up to `depth` levels a side. Bounded tries;
 * never blocks the writer. */
enum dp_book_read_result dp_book_read(const struct dp_books *books, uint32_t instrument_index,
    uint32_t depth, struct dp_book_view *view);

#endif
