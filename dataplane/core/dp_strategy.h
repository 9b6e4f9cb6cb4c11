/*
 * dp_strategy - what a strategy is told, and what it may say.
 *
 * A strategy is a table of functions and a state of its own. Callbacks run on the engine's thread,
 * to completion, in the order of the packets; a NULL callback is skipped. Inside one a strategy may
 * call the verbs and read books; it must not block, allocate or keep the pointers it was given.
 * Callbacks are made for the instruments that the strategy watches: those of its configuration, and
 * any it adds with dp_gateway_watch(). Same input, configuration and seed: same calls in the same
 * order. docs/strategy.md is the tutorial.
 */
#ifndef DP_STRATEGY_H
#define DP_STRATEGY_H

#include "dp_base.h"
#include "dp_book.h"
#include "dp_event.h"
#include "dp_submit.h"

struct dp_engine;
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

/* The top of the book when on_book is called.
 * Prices are DP_PRICE_NONE and quantities 0 where a side is empty. */
struct dp_top {
    int64_t time_ns;
    int64_t bid_price_nanos;
    int64_t ask_price_nanos;
    uint64_t bid_qty;
    uint64_t ask_qty;
    uint32_t instrument_index;
    uint32_t flags;         /* enum dp_book_flag: do not quote on a stale book */
    uint32_t trading_state; /* enum dp_trading_state */
    /* event_code of the last System Event: 'Q' is market hours; 0 before the first. */
    uint32_t session;
};

/* Whether a strategy may quote and take: a book that can be trusted, in market hours, not halted,
 * with both sides there and not crossed. */
static inline bool dp_top_is_tradable(const struct dp_top *top)
{
    return top->flags == 0 && top->trading_state == DP_TRADING_OPEN && top->session == 'Q' &&
        top->bid_price_nanos != DP_PRICE_NONE && top->ask_price_nanos != DP_PRICE_NONE &&
        top->bid_price_nanos < top->ask_price_nanos;
}

struct dp_strategy {
    void *state; /* the first argument of every callback; belongs to the strategy */
    /* Once, before the first packet. */
    void (*on_start)(void *state, struct dp_gateway *gateway);
    /* The directory named the instrument. */
    void (*on_open)(void *state, struct dp_gateway *gateway, uint32_t instrument_index);
    /* Touch, trading state or session changed. */
    void (*on_book)(void *state, struct dp_gateway *gateway, const struct dp_top *top);
    void (*on_trade)(void *state, struct dp_gateway *gateway, const struct dp_trade *trade);
    /* ACCEPTED and REPLACED. */
    void (*on_accepted)(void *state, struct dp_gateway *gateway, const struct dp_event *event);
    void (*on_filled)(void *state, struct dp_gateway *gateway, const struct dp_event *event);
    /* CANCELED and EXPIRED. */
    void (*on_canceled)(void *state, struct dp_gateway *gateway, const struct dp_event *event);
    /* By the venue: an order, a replace or a cancel. */
    void (*on_rejected)(void *state, struct dp_gateway *gateway, const struct dp_event *event);
    void (*on_timer)(void *state, struct dp_gateway *gateway, int64_t now_ns);
    /* Once, after the last packet; last reports may follow. */
    void (*on_stop)(void *state, struct dp_gateway *gateway);
};

/*
 * The verbs, as a table of functions: a strategy compiled elsewhere links nothing of ours, it calls
 * through its gateway. Each may be called inside any callback.
 */
struct dp_gateway_verbs {
    /* dp_submit.h says what the three answer. */
    enum dp_reason (*submit)(
        struct dp_gateway *gateway, const struct dp_request *request, uint32_t *user_ref_num);
    enum dp_reason (*replace)(struct dp_gateway *gateway, uint32_t user_ref_num, uint64_t qty,
        int64_t price_nanos, uint32_t *new_user_ref_num);
    enum dp_reason (*cancel)(struct dp_gateway *gateway, uint32_t user_ref_num);
    /* Levels best first, at most max; returns how many. */
    uint32_t (*levels)(const struct dp_gateway *gateway, uint32_t instrument_index,
        enum dp_side side, struct dp_book_level_view *levels, uint32_t max);
    /* The instrument's trimmed symbol. */
    void (*symbol)(const struct dp_gateway *gateway, uint32_t instrument_index, char symbol[9]);
    /* Signed position of the whole appliance in the instrument, from its executions. */
    int64_t (*position)(const struct dp_gateway *gateway, uint32_t instrument_index);
    /* Ends the session at the next message: for a strategy that cannot go on.
     * Open orders are cancelled then. */
    void (*stop)(struct dp_gateway *gateway);
    /* dp_submit_once() and dp_submit_n(). */
    enum dp_reason (*submit_once)(struct dp_gateway *gateway, const struct dp_request *request,
        uint64_t key, uint32_t *user_ref_num);
    uint32_t (*submit_n)(struct dp_gateway *gateway, const struct dp_request *requests,
        const uint64_t *keys, uint32_t count, struct dp_order_answer *answers);
};

/* A strategy's window on the appliance. Made by the engine, one per strategy;
 * valid until on_stop returns. */
struct dp_gateway {
    const struct dp_gateway_verbs *verbs;
    struct dp_engine *engine; /* the engine's, as is submit; strategies go through the verbs */
    struct dp_submit *submit;
    uint8_t *watched;          /* instrument_count_max bytes, 1 where callbacks are wanted */
    int64_t now_ns;            /* engine time of the running callback */
    int64_t timer_interval_ns; /* 0: no timer; the strategy may change it */
    int64_t timer_next_ns;     /* the engine's */
    uint32_t instrument_count_max;
    uint16_t strategy_index;
};

static inline void dp_gateway_watch(struct dp_gateway *gateway, uint32_t instrument_index)
{
    if (instrument_index < gateway->instrument_count_max)
        gateway->watched[instrument_index] = 1;
}

static inline enum dp_reason dp_gateway_submit(
    struct dp_gateway *gateway, const struct dp_request *request, uint32_t *user_ref_num)
{
    return gateway->verbs->submit(gateway, request, user_ref_num);
}

static inline enum dp_reason dp_gateway_submit_once(struct dp_gateway *gateway,
    const struct dp_request *request, uint64_t key, uint32_t *user_ref_num)
{
    return gateway->verbs->submit_once(gateway, request, key, user_ref_num);
}

static inline uint32_t dp_gateway_submit_n(struct dp_gateway *gateway,
    const struct dp_request *requests, const uint64_t *keys, uint32_t count,
    struct dp_order_answer *answers)
{
    return gateway->verbs->submit_n(gateway, requests, keys, count, answers);
}

static inline enum dp_reason dp_gateway_replace(struct dp_gateway *gateway, uint32_t user_ref_num,
    uint64_t qty, int64_t price_nanos, uint32_t *new_user_ref_num)
{
    return gateway->verbs->replace(gateway, user_ref_num, qty, price_nanos, new_user_ref_num);
}

static inline enum dp_reason dp_gateway_cancel(struct dp_gateway *gateway, uint32_t user_ref_num)
{
    return gateway->verbs->cancel(gateway, user_ref_num);
}

/* What a strategy is made from: the `params` of its configuration, values as written there. */
struct dp_strategy_param {
    const char *name;
    const char *value;
};

/*
 * A strategy in a shared library exports these two names. open fills the table (state included) and
 * returns 0, or writes why not into err->text and returns -1; close frees the state.
 */
typedef int dp_strategy_open_function(struct dp_strategy *strategy,
    const struct dp_strategy_param *params, uint32_t param_count, struct dp_err *err);
typedef void dp_strategy_close_function(void *state);

#endif
