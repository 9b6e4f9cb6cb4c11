/*
 * dp_exchange_order - the live orders of an exchange: records, found by account and number.
 *
 * The engine knows an order by its order reference and carries the record's index as its tag; a
 * client knows it by its account's UserRefNum. Records of one account are linked, oldest first.
 * One thread; all memory is taken at open.
 */
#ifndef DP_EXCHANGE_ORDER_H
#define DP_EXCHANGE_ORDER_H

#include "dp_base.h"

struct dp_pool;

#define DP_EXCHANGE_ORDER_NONE UINT32_MAX

/* account, sub-channel and UserRefNum in one number; never 0 for an order, as no number is 0. */
typedef uint64_t dp_exchange_order_key;

static inline dp_exchange_order_key dp_exchange_order_key_of(
    uint32_t account, uint8_t user_ref_idx, uint32_t user_ref_num)
{
    return (uint64_t)account << 40 | (uint64_t)user_ref_idx << 32 | user_ref_num;
}

struct dp_exchange_order {
    dp_exchange_order_key key;
    uint64_t order_ref; /* the engine's id; in its owner's reports */
    uint64_t feed_ref;  /* the name under which it is shown; 0: not shown */
    int64_t feed_nanos; /* the price and quantity it is shown with */
    uint32_t feed_qty;
    uint32_t leaves_qty;
    uint32_t executed_qty;  /* of the whole replace chain */
    uint32_t prevented_qty; /* of the chain: taken off by self-match prevention */
    uint32_t instrument_index;
    uint32_t account_next; /* DP_EXCHANGE_ORDER_NONE at the end */
    uint32_t account_previous;
    uint32_t price_wire;
    uint32_t expire_seconds; /* 0: none */
    uint16_t group_id;
    char side; /* as entered: B S T E */
    char time_in_force;
    char display;
    char capacity;
    char intermarket_sweep;
    char cross_type;
    bool was_shown;      /* the feed used order_ref: a refresh needs another name */
    bool requeued;       /* what is shown was the replaced order's */
    bool cancel_pending; /* a cancel waits for the cross */
    bool is_pegged;      /* to a side of the market: its owner hears when it moves */
    bool said;           /* P or I was sent for it: a repeated cancel is not answered */
    char cl_ord_id[14];
};

/* Head of an account's list. */
struct dp_exchange_order_list {
    uint32_t first;
    uint32_t last;
};

struct dp_exchange_orders {
    struct dp_pool *pool;
    struct dp_exchange_order *records;
    struct dp_exchange_order_slot {
        dp_exchange_order_key key; /* 0: empty */
        uint32_t record;
    } * slots; /* open addressing */
    uint64_t slot_mask;
};

bool dp_exchange_orders_open(struct dp_exchange_orders *orders, uint32_t count_max);
void dp_exchange_orders_close(struct dp_exchange_orders *orders);
/* A zeroed record under that key, at the end of the list; NULL when all are taken. */
struct dp_exchange_order *dp_exchange_orders_add(struct dp_exchange_orders *orders,
    dp_exchange_order_key key, struct dp_exchange_order_list *list);
void dp_exchange_orders_drop(struct dp_exchange_orders *orders, struct dp_exchange_order *order,
    struct dp_exchange_order_list *list);
/* NULL when no live order has the key. */
struct dp_exchange_order *dp_exchange_orders_find(
    const struct dp_exchange_orders *orders, dp_exchange_order_key key);
static inline struct dp_exchange_order *dp_exchange_orders_at(
    const struct dp_exchange_orders *orders, uint32_t index)
{
    return &orders->records[index];
}
static inline uint32_t dp_exchange_orders_index(
    const struct dp_exchange_orders *orders, const struct dp_exchange_order *order)
{
    return (uint32_t)(order - orders->records);
}

#endif
