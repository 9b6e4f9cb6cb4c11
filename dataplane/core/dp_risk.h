/*
 * dp_risk - the pre-trade gate: one pass over integers, a code and two numbers as the answer.
 *
 * Exposure counts orders entered, not executions obtained: it is reserved in the same call that
 * says yes (dp_risk_decide) and released only by what the venue reports (dp_risk_apply). Missing,
 * stale or crossed inputs refuse. Cancels never come here. Equal to a limit passes, above is a
 * breach.
 *
 * Order of the checks: kill switch, halted, policy, quantity, reference price, stale data, collar,
 * notional, duplicate, order rate, open orders, position, net exposure, gross exposure. Rate and
 * duplicate counters are charged also when a later check refuses. docs/risk.md gives each rule with
 * its formula and its source.
 *
 * One thread decides and applies; the kill switch may be set from any process. A decision reads
 * about eight cache lines, without a loop over orders or limits and without a division. Memory
 * belongs to the caller; no pointers inside.
 */
#ifndef DP_RISK_H
#define DP_RISK_H

#include "dp_atomic.h"
#include "dp_base.h"
#include "dp_err.h"
#include "dp_event.h"
#include "dp_order.h"
#include "dp_reason.h"

#define DP_RISK_STRATEGIES_MAX 64
#define DP_RISK_UNLIMITED INT64_MAX  /* in a limit: never breached */
#define DP_RISK_RATE_MAX 1000000000u /* of order_rate_max and order_burst_max */
#define DP_RISK_DUPLICATES_MAX 29u   /* of duplicate_count_max */

/* Limits of one strategy. All must be set (no defaults): has_policy false refuses every order. */
struct dp_risk_strategy_limits {
    uint64_t order_qty_max;
    int64_t order_notional_max_nanos;
    int64_t gross_max_nanos;       /* BO + SO + BE + SE */
    int64_t net_max_nanos;         /* of BE + BO - SE and of SE + SO - BE */
    uint64_t open_order_count_max; /* open and in flight */
    uint64_t order_rate_max;       /* new orders and replaces a second (token bucket) */
    uint64_t order_burst_max;      /* depth of that bucket */
    /* Same (instrument, side, qty, price) within the window: this many pass, at least 1. */
    uint64_t duplicate_count_max;
    int64_t duplicate_window_ns;
    bool has_policy;
};

/* Limits of one instrument, over all strategies. */
struct dp_risk_instrument_limits {
    uint64_t order_qty_max;
    int64_t order_notional_max_nanos;
    uint64_t position_max; /* long and short alike: position plus all open orders of that side */
    uint32_t collar_bps;   /* band = max(reference * bps / 10,000, collar_abs_nanos) */
    int64_t collar_abs_nanos;
    bool has_policy;
};

/* What the gate must know about one order, put together by the submit path from book and order
 * table. */
struct dp_risk_order {
    int64_t now_ns;
    int64_t price_nanos;
    int64_t best_bid_nanos; /* DP_PRICE_NONE when that side is empty */
    int64_t best_ask_nanos;
    uint64_t qty;          /* new order: its quantity; replace: the new total */
    uint64_t increase_qty; /* new order: qty; replace: how much worst-case leaves grow, 0 when they
                              do not */
    dp_money_nanos increase_money; /* how much worst-case px * leaves grows; 0 when it does not */
    uint32_t instrument_index;
    uint32_t book_flags;    /* enum dp_book_flag */
    uint32_t trading_state; /* enum dp_trading_state */
    uint16_t strategy_index;
    uint8_t side;
    bool is_replace; /* does not add to the count of open orders */
};

struct dp_risk_verdict {
    enum dp_reason reason;
    int64_t observed; /* in the unit of the check that decided (last checked when accepted); clamped
                         to int64 */
    int64_t limit;
};

struct dp_risk_config {
    uint32_t instrument_count_max;
    uint32_t strategy_count_max; /* 1 .. DP_RISK_STRATEGIES_MAX */
};

/* Exposure of one strategy (all amounts in money nanos) as a caller sees it. */
struct dp_risk_exposure {
    dp_money_nanos buy_open;      /* BO */
    dp_money_nanos sell_open;     /* SO */
    dp_money_nanos buy_executed;  /* BE */
    dp_money_nanos sell_executed; /* SE */
    uint64_t open_order_count;
};

/* Position of one instrument. */
struct dp_risk_position {
    int64_t position;
    uint64_t buy_leaves;
    uint64_t sell_leaves;
    dp_money_nanos cash; /* sold minus bought: position * mark + cash = profit and loss */
    uint64_t bought_qty;
    uint64_t sold_qty;
};

struct dp_risk; /* opaque: dp_risk_layout.h, for dp_risk*.c only */

size_t dp_risk_size(const struct dp_risk_config *config);
int dp_risk_init(struct dp_risk *risk, const struct dp_risk_config *config, struct dp_err *err);
int dp_risk_set_strategy(struct dp_risk *risk, uint16_t strategy_index,
    const struct dp_risk_strategy_limits *limits, struct dp_err *err);
int dp_risk_set_instrument(struct dp_risk *risk, uint32_t instrument_index,
    const struct dp_risk_instrument_limits *limits, struct dp_err *err);

/* Decides one new order or replace. Accepted: exposure is reserved before this returns. Refused:
 * nothing is reserved. An index out of range has no policy; numbers that no venue takes are
 * ORDER_INVALID. */
enum dp_reason dp_risk_decide(
    struct dp_risk *risk, const struct dp_risk_order *order, struct dp_risk_verdict *verdict);
/* Gives back what dp_risk_decide() reserved, when the order provably never left. Counters stay
 * charged. */
void dp_risk_undo(struct dp_risk *risk, const struct dp_risk_order *order);

/* What an order weighs at this moment. */
struct dp_risk_weight {
    dp_money_nanos money;     /* reserved: worst price * worst leaves; 0 when not live */
    dp_money_nanos cum_money; /* executed */
    uint64_t leaves;          /* worst case; 0 when not live */
    uint64_t cum_qty;
    bool open;
};

struct dp_risk_weight dp_risk_weigh(const struct dp_order *order);
/* After dp_orders_apply() of a venue event: books the difference between `before`, weighed just
 * before it, and the order as it is now. So fills, late fills, breaks, cancels and replaces need no
 * case of their own, and a duplicate changes nothing. Not for NEW and REPLACE sent after
 * dp_risk_decide(), which has reserved them already. */
void dp_risk_apply(
    struct dp_risk *risk, const struct dp_order *order, const struct dp_risk_weight *before);

/* Any process. From the next decision on every new order and replace is refused; cancels still
 * pass. */
void dp_risk_kill(struct dp_risk *risk);
void dp_risk_clear(struct dp_risk *risk); /* a person's decision */
bool dp_risk_is_killed(const struct dp_risk *risk);

struct dp_risk_exposure dp_risk_exposure(const struct dp_risk *risk, uint16_t strategy_index);
struct dp_risk_position dp_risk_position(const struct dp_risk *risk, uint32_t instrument_index);

#endif
