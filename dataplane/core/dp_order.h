/*
 * dp_order - every order of ours and its state: a pure function of the events applied to it.
 *
 * An order is found by its user_ref_num (dense: base, base+1, ...) in O(1); a replaced order keeps its record and
 * is found by all its numbers. Two axes make the state (docs/orders.md, transitions T01-T36): a base state and what is
 * pending; OrdStatus(39) is derived from both. Quantities change only by events, each applied once:
 * a fill is known by (exec_id, user_ref_num), and a second copy is answered DUPLICATE.
 *
 * One thread applies; readers in other processes may look (single words are whole, a record may be between two
 * events). No pointers inside; memory belongs to the caller.
 */
#ifndef DP_ORDER_H
#define DP_ORDER_H

#include "dp_atomic.h"
#include "dp_base.h"
#include "dp_err.h"
#include "dp_event.h"

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

enum dp_order_pending { DP_PENDING_NONE = 0, DP_PENDING_CANCEL = 1, DP_PENDING_REPLACE = 2 }; /* bits */

/* state word: bits 0-7 base, 8-15 pending, 16-31 flags (anomalies seen), 32-63 version (one a change). */
#define DP_ORDER_STATE(base, pending, flags, version) \
    ((uint64_t)(base) | (uint64_t)(pending) << 8 | (uint64_t)(flags) << 16 | (uint64_t)(version) << 32)
#define DP_ORDER_BASE(state) ((enum dp_order_base)((state)&0xff))
#define DP_ORDER_PENDING(state) ((uint32_t)((state) >> 8 & 0xff))

struct dp_order {
    alignas(DP_CACHE_LINE) _Atomic uint64_t state;
    uint32_t user_ref_num;         /* the number the venue knows it by now */
    uint32_t pending_user_ref_num; /* of the replace in flight; 0 when none */
    uint32_t instrument_index;
    uint16_t strategy_index;
    uint8_t side;
    uint8_t time_in_force;
    uint64_t qty;        /* of the accepted terms, executed shares included */
    uint64_t leaves_qty; /* qty - cum_qty - cxl_qty while live, 0 afterwards */
    uint64_t cum_qty;
    uint64_t cxl_qty;         /* cancelled or decremented */
    /* second line */
    int64_t price_nanos;
    int64_t pending_price_nanos; /* of the replace in flight */
    uint64_t pending_qty;        /* total asked by the replace in flight, executed shares included */
    uint64_t venue_order_id;
    dp_money_nanos cum_money;    /* sum of fill price * quantity: AvgPx = cum_money / cum_qty */
    int64_t entered_ns;
    int64_t changed_ns;
};

enum dp_order_result {
    DP_ORDER_APPLIED = 0,
    DP_ORDER_DUPLICATE,      /* seen before (same exec_id and content, or a repeated answer): nothing changed */
    DP_ORDER_ANOMALY,        /* does not fit the state; fills are applied all the same, the rest is recorded only */
    DP_ORDER_UNKNOWN_NUMBER, /* no order has that number */
    DP_ORDER_TABLE_FULL,     /* no record, or no room for the exec_id */
};

struct dp_orders_config {
    uint32_t order_count_max;       /* user_ref_nums in one run: new orders, denied ones and replaces */
    uint32_t exec_count_max;        /* fills in one run */
    uint32_t user_ref_num_first;    /* lowest number, at least 1 */
};

struct dp_orders; /* opaque: dp_order.c and its tests */

size_t dp_orders_size(const struct dp_orders_config *config);
int dp_orders_init(struct dp_orders *orders, const struct dp_orders_config *config, struct dp_err *err);

/* The number the next NEW, DENIED or REPLACE must carry; strictly increasing. 0 when the table is exhausted. */
uint32_t dp_orders_next(const struct dp_orders *orders);
/* The order known by that number (also an earlier or a pending one of its chain), or NULL. */
struct dp_order *dp_orders_find(struct dp_orders *orders, uint32_t user_ref_num);
/* Applies one event and fills in its ord_status, leaves_qty, cum_qty (and instrument, strategy, side of the order).
 * For NEW and DENIED it makes the record. Live and terminal orders alike take late fills (T33). */
enum dp_order_result dp_orders_apply(struct dp_orders *orders, struct dp_event *event);

enum dp_ord_status dp_order_status(const struct dp_order *order);
bool dp_order_is_live(const struct dp_order *order); /* may still fill at the venue (Unknown included) */
/* Worst-case price the open quantity may trade at: the dearer (buy) or cheaper... of current and pending terms;
 * and worst-case open quantity. Reserved exposure is their product (I5). */
int64_t dp_order_worst_price(const struct dp_order *order);
uint64_t dp_order_worst_leaves(const struct dp_order *order);

/* Walk all orders ever made: index 0 .. count-1 in order of their first number. */
uint32_t dp_orders_count(const struct dp_orders *orders);
const struct dp_order *dp_orders_at(const struct dp_orders *orders, uint32_t index);

#endif
