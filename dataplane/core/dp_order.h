/*
 * dp_order - every order of ours and its state: a pure function of the events applied to it.
 *
 * An order is found by its user_ref_num (rising from user_ref_num_first) in O(1); a replaced order
 * keeps its record and is found by all its numbers. Two axes make the state: a base and what is
 * pending; OrdStatus(39) is derived from both. docs/orders.md has the transitions T01-T36 and the
 * rules for races; dp_order_rules.h has them as data. Quantities change only by events, each
 * applied once: a fill is known by (exec_id, order), and a second copy is answered DUPLICATE.
 *
 * Who may do what. One thread makes orders and replaces (NEW, DENIED, REPLACE): their numbers must
 * leave in the order in which they are given. Any number of threads may apply all other events; any
 * thread of any process may read. Each transition is one change of one order's state word:
 *
 *   claim     CAS, acquire: CHANGING is set in the word that was seen; whoever sees it set tries
 *             again, a bounded number of times, and is then answered BUSY
 *   change    on a copy of the record, which is then stored word by word, each with release
 *   publish   store, release: CHANGING gone, version one higher
 *
 * A reader (dp_order_read) loads the word, acquire, then every other word, acquire, then the word
 * again: unchanged and not CHANGING, it has the record of that version, for a reader that saw one
 * word of a later change also sees the claim before it. Without fences, which ThreadSanitizer does
 * not understand; on x86 all but the claim are plain moves. A thread that dies between claim and
 * publish leaves that order, and no other, CHANGING: it stays BUSY until the table is rebuilt from
 * its events. No pointers inside; memory belongs to the caller.
 */
#ifndef DP_ORDER_H
#define DP_ORDER_H

#include "dp_atomic.h"
#include "dp_base.h"
#include "dp_err.h"
#include "dp_event.h"
#include "dp_reason.h"

#define DP_ORDER_NONE UINT32_MAX

enum dp_order_base {
    DP_ORDER_FREE = 0,
    DP_ORDER_DENIED,
    DP_ORDER_PENDING_NEW,
    DP_ORDER_NEW,
    DP_ORDER_PARTIALLY_FILLED,
    DP_ORDER_FILLED,
    DP_ORDER_CANCELED,
    DP_ORDER_REJECTED,
    DP_ORDER_EXPIRED,
    DP_ORDER_DONE_FOR_DAY,
    DP_ORDER_SUSPENDED,
    DP_ORDER_UNKNOWN,
};

/* Bits. Only a live order has any. */
enum dp_order_pending {
    DP_PENDING_NONE = 0,
    DP_PENDING_CANCEL = 1,
    DP_PENDING_REPLACE = 2,
    DP_PENDING_COUNT = 4, /* combinations */
};

/* What an operator should look at. Bits; once set they stay. */
enum dp_order_flag {
    DP_ORDER_FLAG_ANOMALY = 1,          /* some event did not fit */
    DP_ORDER_FLAG_OVERFILL = 2,         /* more executed or cancelled than was open */
    DP_ORDER_FLAG_LATE_FILL = 4,        /* executed after it was closed */
    DP_ORDER_FLAG_EXEC_ID_CONFLICT = 8, /* one exec_id, two contents: the second was not applied */
    DP_ORDER_FLAG_ORPHAN_BREAK = 16,    /* an execution was broken that we had not seen */
    DP_ORDER_FLAG_REVIVED = 32,         /* closed, then alive again by the venue's word */
};

/* state word: bits 0-7 base, 8-14 pending, 15 CHANGING, 16-31 flags, 32-63 version (one a change).
 */
#define DP_ORDER_CHANGING ((uint64_t)1 << 15)
#define DP_ORDER_STATE(base, pending, flags, version) \
    ((uint64_t)(base) | (uint64_t)(pending) << 8 | (uint64_t)(flags) << 16 | \
        (uint64_t)(version) << 32)
#define DP_ORDER_BASE(state) ((enum dp_order_base)((state)&0xff))
#define DP_ORDER_PENDING(state) ((uint32_t)((state) >> 8 & 0x7f))
#define DP_ORDER_FLAGS(state) ((uint32_t)((state) >> 16 & 0xffff))
#define DP_ORDER_VERSION(state) ((uint32_t)((state) >> 32))

struct dp_order {
    alignas(DP_CACHE_LINE) _Atomic uint64_t state;
    /* Small fields are stored as whole words on the path of an order: see dp_event_numbers(). */
    union {
        struct {
            uint32_t user_ref_num;         /* the number the venue knows it by now */
            uint32_t pending_user_ref_num; /* of the replace in flight; 0 when none */
        };
        uint64_t numbers; /* dp_event_numbers() */
    };
    union {
        struct {
            uint32_t instrument_index;
            uint8_t strategy_index;
            uint8_t session_index; /* of the venue's order sessions: all about it goes there */
            uint8_t side;
            uint8_t time_in_force;
        };
        uint64_t origin; /* dp_order_origin() */
    };
    uint64_t qty;        /* of the accepted terms, executed shares included */
    uint64_t leaves_qty; /* qty - cum_qty - cxl_qty - bust_qty while live, 0 afterwards */
    uint64_t cum_qty;
    uint64_t cxl_qty;  /* cancelled or decremented since the last replace */
    uint32_t bust_qty; /* executed, then broken: neither open nor ours */
    /* Taken by self-match prevention in the whole chain: counts in OUCH replaces. */
    uint32_t stp_qty;
    /* second line */
    int64_t price_nanos;
    int64_t pending_price_nanos; /* of the replace in flight; else 0 */
    uint64_t pending_qty;     /* total asked by the replace in flight, executed shares included */
    uint64_t venue_order_id;  /* 0 until the venue has told */
    dp_money_nanos cum_money; /* sum of fill price * quantity: AvgPx = cum_money / cum_qty */
    int64_t entered_ns;
    int64_t changed_ns;
};

static_assert(sizeof(struct dp_order) == 2 * DP_CACHE_LINE, "an order is two cache lines");

enum dp_order_result {
    DP_ORDER_APPLIED = 0,
    DP_ORDER_DUPLICATE,      /* seen before (an exec_id, a repeated answer): nothing changed */
    DP_ORDER_ANOMALY,        /* does not fit the state: flagged; fills are applied all the same */
    DP_ORDER_UNKNOWN_NUMBER, /* no order has that number */
    DP_ORDER_TABLE_FULL,     /* no record (nothing changed), or no room for the exec_id (applied) */
    DP_ORDER_BUSY, /* another thread is changing that order, or died doing so: nothing changed */
};

struct dp_orders_config {
    uint32_t order_count_max; /* user_ref_nums in one run: new orders, denied ones and replaces */
    uint32_t exec_count_max;  /* fills in one run */
    uint32_t user_ref_num_first; /* lowest number, at least 1 */
};

/* What became of a request. */
struct dp_order_answer {
    uint32_t user_ref_num; /* also of a denied order; 0 when it got none */
    enum dp_reason reason;
};

struct dp_orders; /* opaque: dp_order.c */

size_t dp_orders_size(const struct dp_orders_config *config);
/* orders: dp_orders_size() bytes, cache-line aligned; all of it is cleared, so that no page is
 * touched for the first time later. */
int dp_orders_init(
    struct dp_orders *orders, const struct dp_orders_config *config, struct dp_err *err);
/* Makes `orders`, initialised, a copy of another table: one rebuilt from a journal. False when that
 * one was laid out for another configuration; nothing is copied then. */
bool dp_orders_copy(struct dp_orders *orders, const struct dp_orders *from);

/* The number the next NEW, DENIED or REPLACE should carry: one above the highest used. 0 when there
 * is no number, no record, or no room for another execution. */
uint32_t dp_orders_next(const struct dp_orders *orders);
/* Asks for the memory of the next new order. */
void dp_orders_ask_for_next(const struct dp_orders *orders);
/* The order known by that number (also an earlier or a pending one of its chain), or NULL. What
 * stands in it may be half changed where other threads apply: dp_order_read(). */
struct dp_order *dp_orders_find(struct dp_orders *orders, uint32_t user_ref_num);
/*
 * Applies one event. NEW and DENIED make the record; NEW, DENIED and REPLACE use up their number,
 * which must be above all used before (gaps are allowed). Fills in the event's ord_status,
 * leaves_qty, cum_qty, instrument, strategy, side and time in force, the quantity and price of a
 * BROKEN, and turns a REJECTED that answers a replace into REPLACE_REJECTED. The result does not
 * depend on anything but the events applied so far.
 */
enum dp_order_result dp_orders_apply(struct dp_orders *orders, struct dp_event *event);

/* A whole copy of an order, whatever is applied to it meanwhile. False: BUSY, see above. */
bool dp_order_read(const struct dp_order *order, struct dp_order *copy);
/* What a request with that key was answered when it came first. False: it never came. */
bool dp_orders_find_key(const struct dp_orders *orders, uint16_t strategy_index, uint64_t key,
    struct dp_order_answer *answer);

/* Walk all orders ever made: index 0 .. count-1 in order of their first number. */
uint32_t dp_orders_count(const struct dp_orders *orders);
const struct dp_order *dp_orders_at(const struct dp_orders *orders, uint32_t index);

enum dp_ord_status dp_order_status(const struct dp_order *order);

static inline uint64_t dp_order_origin(uint32_t instrument_index, uint8_t strategy_index,
    uint8_t session_index, uint8_t side, uint8_t time_in_force)
{
    return instrument_index | (uint64_t)strategy_index << 32 | (uint64_t)session_index << 40 |
        (uint64_t)side << 48 | (uint64_t)time_in_force << 56;
}

static inline bool dp_order_base_is_live(enum dp_order_base base)
{
    const uint32_t live = 1u << DP_ORDER_PENDING_NEW | 1u << DP_ORDER_NEW |
        1u << DP_ORDER_PARTIALLY_FILLED | 1u << DP_ORDER_SUSPENDED | 1u << DP_ORDER_UNKNOWN;
    return (live >> base & 1u) != 0;
}

/* May still fill at the venue (Unknown included). */
static inline bool dp_order_is_live(const struct dp_order *order)
{
    return dp_order_base_is_live(DP_ORDER_BASE(dp_load_relaxed(&order->state)));
}

/* By halves: they were stored as words, maybe a moment ago. */
static inline dp_money_nanos dp_order_cum_money(const struct dp_order *order)
{
    const _Atomic uint64_t *halves = (const _Atomic uint64_t *)(const void *)&order->cum_money;
    return (dp_money_nanos)dp_load_relaxed(&halves[1]) << 64 | dp_load_relaxed(&halves[0]);
}

/* The higher price of the present terms and those of the replace in flight: for either side the one
 * that can move more money. */
static inline int64_t dp_order_worst_price(const struct dp_order *order)
{
    return order->pending_price_nanos > order->price_nanos ? order->pending_price_nanos
                                                           : order->price_nanos;
}

/* The larger open quantity of both. Reserved exposure is worst price * worst leaves (I5). */
static inline uint64_t dp_order_worst_leaves(const struct dp_order *order)
{
    uint64_t pending_leaves =
        order->pending_qty > order->cum_qty ? order->pending_qty - order->cum_qty : 0;
    return pending_leaves > order->leaves_qty ? pending_leaves : order->leaves_qty;
}

#endif
