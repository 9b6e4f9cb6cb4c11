/*
 * dp_strategy - what a strategy is told, and what it may say.
 *
 * A strategy is a table of functions and a state of its own. Callbacks run on the engine's thread, to completion, in
 * the order of the packets; a NULL callback is skipped. Inside one a strategy may call the three verbs and read
 * books; it must not block, allocate or keep the pointers it was given. Callbacks are made for the instruments that the
 * strategy asked for (dp_gateway_watch). Same input, configuration and seed: same calls in the same order.
 */
#ifndef DP_STRATEGY_H
#define DP_STRATEGY_H

#include "dp_base.h"
#include "dp_book.h"
#include "dp_event.h"
#include "dp_submit.h"

struct dp_gateway;

/* A trade printed by the feed (ITCH E, C printable, P, Q). */
struct dp_trade {
    int64_t time_ns;
    int64_t price_nanos;
    uint64_t qty;
    uint64_t match_number;
    uint32_t instrument_index;
    uint8_t aggressor; /* enum dp_side of the taker; DP_SIDE_NONE when the feed does not tell */
    uint8_t kind;      /* the ITCH message type */
};

/* The top of the book when on_book is called. Prices are DP_PRICE_NONE and quantities 0 where a side is empty. */
struct dp_top {
    int64_t time_ns;
    int64_t bid_price_nanos;
    int64_t ask_price_nanos;
    uint64_t bid_qty;
    uint64_t ask_qty;
    uint32_t instrument_index;
    uint32_t flags;         /* enum dp_book_flag: do not quote on a stale book */
    uint32_t trading_state; /* enum dp_trading_state */
    uint32_t reserved;
};

struct dp_strategy {
    void *state; /* the first argument of every callback; belongs to the strategy */
    void (*on_start)(void *state, struct dp_gateway *gateway); /* once, before the first packet */
    void (*on_open)(void *state, struct dp_gateway *gateway, uint32_t instrument_index); /* directory entry seen */
    void (*on_book)(void *state, struct dp_gateway *gateway, const struct dp_top *top); /* the touch changed */
    void (*on_trade)(void *state, struct dp_gateway *gateway, const struct dp_trade *trade);
    void (*on_accepted)(void *state, struct dp_gateway *gateway, const struct dp_event *event); /* and REPLACED */
    void (*on_filled)(void *state, struct dp_gateway *gateway, const struct dp_event *event);
    void (*on_canceled)(void *state, struct dp_gateway *gateway, const struct dp_event *event); /* and EXPIRED */
    void (*on_rejected)(void *state, struct dp_gateway *gateway, const struct dp_event *event); /* by the venue */
    void (*on_timer)(void *state, struct dp_gateway *gateway, int64_t now_ns);
    void (*on_stop)(void *state, struct dp_gateway *gateway); /* once, after the last packet */
};

/* A strategy's window on the appliance. Made by the engine, one per strategy; valid until on_stop returns. */
struct dp_gateway {
    struct dp_submit *submit;
    uint8_t *watched;      /* instrument_count_max bytes, 1 where callbacks are wanted */
    uint32_t instrument_count_max;
    uint16_t strategy_index;
    int64_t timer_interval_ns; /* 0: no timer; the strategy may change it */
    int64_t timer_next_ns;
};

static inline void dp_gateway_watch(struct dp_gateway *gateway, uint32_t instrument_index)
{
    if (instrument_index < gateway->instrument_count_max)
        gateway->watched[instrument_index] = 1;
}

static inline const struct dp_books *dp_gateway_books(const struct dp_gateway *gateway)
{
    return gateway->submit->books;
}

static inline int64_t dp_gateway_now_ns(const struct dp_gateway *gateway)
{
    return gateway->submit->now_ns;
}

static inline enum dp_reason dp_gateway_submit(
    struct dp_gateway *gateway, const struct dp_request *request, uint32_t *user_ref_num)
{
    return dp_submit_new(gateway->submit, gateway->strategy_index, request, user_ref_num);
}

static inline enum dp_reason dp_gateway_replace(struct dp_gateway *gateway, uint32_t user_ref_num,
    uint64_t qty, int64_t price_nanos, uint32_t *new_user_ref_num)
{
    return dp_submit_replace(gateway->submit, gateway->strategy_index, user_ref_num, qty,
        price_nanos, new_user_ref_num);
}

static inline enum dp_reason dp_gateway_cancel(struct dp_gateway *gateway, uint32_t user_ref_num)
{
    return dp_submit_cancel(gateway->submit, gateway->strategy_index, user_ref_num);
}

#endif
