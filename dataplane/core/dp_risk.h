/*
 * dp_risk - the pre-trade gate: one pass over integers, a code and two numbers as the answer.
 *
 * Exposure counts orders entered, not executions obtained: it is reserved in the same call that
 * says yes (dp_risk_decide) and released only by what the venue reports (dp_risk_apply). Missing,
 * stale or crossed inputs refuse. Cancels never come here. Equal to a limit passes, above is a
 * breach. docs/risk.md gives each check with its formula, its place in the order and its source.
 *
 * Scopes: order, instrument, strategy, account, firm; a strategy runs on one lane (a submitter: one
 * thread of some process), and only the lane's thread decides, applies, undoes and watches for it.
 * Lanes share the limits of instruments, accounts and the firm by credit that they lease
 * (dp_credit.h): no limit is passed, whichever lanes submit at once. Limits and names are written
 * by the one process that applies commands; the kill switch by any (dp_switch.h).
 *
 * A decision makes no loop over orders or limits, no division, no locked instruction and reads no
 * clock; it looks at one word to learn that nothing was killed or changed since it last looked.
 * Prices are whole ticks of 1e-4, money is counted in ticks times shares in 63 bits: the largest
 * order is 2^55, a limit 2^46, and what would pass them is refused. No pointers inside.
 */
#ifndef DP_RISK_H
#define DP_RISK_H

#include "dp_atomic.h"
#include "dp_base.h"
#include "dp_err.h"
#include "dp_event.h"
#include "dp_order.h"
#include "dp_reason.h"
#include "dp_risk_limits.h"
#include "dp_switch.h"

#define DP_RISK_TICK_NANOS 100000 /* prices are multiples of 1e-4 */
#define DP_RISK_NAME_SIZE 24
#define DP_RISK_FIRM 0 /* groups: the firm, then account n as n + 1 */

struct dp_books;

/* What the gate must know about one order, put together by the submit path from book and order
 * table. */
struct dp_risk_order {
    int64_t now_ns;
    int64_t price_nanos;
    union {
        struct {
            int64_t best_bid_nanos; /* DP_PRICE_NONE when that side is empty */
            int64_t best_ask_nanos;
        };
        int64_t best_nanos[2];
    };
    uint64_t qty; /* new order: its quantity; replace: the new total */
    /* Of a replace, how much worst-case leaves and worst-case price ticks * leaves grow, 0 when
     * they do not. Of a new order not looked at: all of it is new. */
    uint64_t increase_qty;
    int64_t increase_ticks;
    const struct dp_books *books; /* for MARKET_IMPACT; NULL: its depth is not known */
    union {
        struct {
            uint32_t trading_state; /* enum dp_trading_state */
            uint32_t book_flags;    /* enum dp_book_flag */
        };
        uint64_t market; /* both, compared as one: dp_risk_market() */
    };
    uint32_t instrument_index;
    uint32_t attributes; /* enum dp_risk_attribute */
    uint16_t strategy_index;
    uint8_t side;
    uint8_t session_index; /* that it leaves by */
    bool is_replace;       /* does not add to the count of open orders */
};

/* In one store, for who asks at once: a load waits for stores that are parts of it. */
static inline uint64_t dp_risk_market(uint32_t trading_state, uint32_t book_flags)
{
    return trading_state | (uint64_t)book_flags << 32;
}

struct dp_risk_verdict {
    enum dp_reason reason;
    int64_t observed; /* in the unit of the check that decided (last checked when accepted); clamped
                         to int64 */
    int64_t limit;
    uint64_t policy_version; /* changes of limits and switches before it */
};

struct dp_risk_config {
    uint32_t instrument_count_max;
    uint32_t strategy_count_max; /* 1 .. DP_RISK_STRATEGIES_MAX */
    uint32_t account_count_max;  /* 0: strategies stand alone, without accounts and firm */
    uint32_t lane_count_max;     /* submitters; 0 counts as 1 */
    bool starts_uncertain;       /* a restart: nothing passes until a person has armed it */
};

/* Exposure of one strategy (all amounts in money nanos) as a caller sees it. */
struct dp_risk_exposure {
    dp_money_nanos buy_open;      /* BO */
    dp_money_nanos sell_open;     /* SO */
    dp_money_nanos buy_executed;  /* BE */
    dp_money_nanos sell_executed; /* SE */
    uint64_t open_order_count;
    uint64_t alerts;       /* times that a soft limit was passed */
    dp_money_nanos profit; /* at the marks of the last dp_risk_watch() */
};

/* Position of one instrument, over all lanes. */
struct dp_risk_position {
    int64_t position;
    uint64_t buy_leaves;
    uint64_t sell_leaves;
    dp_money_nanos cash; /* sold minus bought: position * mark + cash = profit and loss */
    uint64_t bought_qty;
    uint64_t sold_qty;
};

struct dp_risk; /* opaque: dp_risk_layout.h, for dp_risk*.c only */

/* ---- set-up, and the commands of the one who may ---- */

size_t dp_risk_size(const struct dp_risk_config *config);
int dp_risk_init(struct dp_risk *risk, const struct dp_risk_config *config, struct dp_err *err);
const struct dp_risk_config *dp_risk_config(const struct dp_risk *risk);
int dp_risk_set_strategy(struct dp_risk *risk, uint16_t strategy_index,
    const struct dp_risk_strategy_limits *limits, struct dp_err *err);
int dp_risk_set_group(struct dp_risk *risk, uint32_t group,
    const struct dp_risk_group_limits *limits, struct dp_err *err);
int dp_risk_set_instrument(struct dp_risk *risk, uint32_t instrument_index,
    const struct dp_risk_instrument_limits *limits, struct dp_err *err);
/* What was set last; false when nothing was. */
bool dp_risk_strategy_limits(
    const struct dp_risk *risk, uint16_t strategy_index, struct dp_risk_strategy_limits *limits);
bool dp_risk_group_limits(
    const struct dp_risk *risk, uint32_t group, struct dp_risk_group_limits *limits);
bool dp_risk_instrument_limits(const struct dp_risk *risk, uint32_t instrument_index,
    struct dp_risk_instrument_limits *limits);
/* A refusal for this reason trips the strategy's kill switch from then on (or no more). */
void dp_risk_set_trip(struct dp_risk *risk, enum dp_reason reason, bool trips);

/* ---- the lane's thread ---- */

/* Decides one new order or replace. Accepted: exposure is reserved before this returns. Refused:
 * nothing is reserved. An index out of range has no policy; numbers that no venue takes are
 * ORDER_INVALID. */
enum dp_reason dp_risk_decide(
    struct dp_risk *risk, const struct dp_risk_order *order, struct dp_risk_verdict *verdict);
/* Gives back what dp_risk_decide() reserved, when the order provably never left. Counters stay
 * charged. */
void dp_risk_undo(struct dp_risk *risk, const struct dp_risk_order *order);
/* A cancel left: it counts as a message, and is never refused for that. */
void dp_risk_cancel(struct dp_risk *risk, uint16_t strategy_index, int64_t now_ns);

/* What an order weighs at this moment. */
struct dp_risk_weight {
    dp_money_nanos cum_money; /* executed */
    int64_t ticks;            /* reserved: worst price ticks * worst leaves; 0 when not live */
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

/* Now and then (a millisecond is often enough), beside the hot path: profit and loss at marks, soft
 * limits, silence of the feed. `mark` answers DP_PRICE_NONE when it knows none: a position that
 * cannot be valued trips its strategy when that has a limit of loss. */
typedef int64_t dp_risk_mark(void *context, uint32_t instrument_index);
void dp_risk_watch(
    struct dp_risk *risk, uint32_t lane, int64_t now_ns, dp_risk_mark *mark, void *context);

/* The lane's thread is dead and its order table is whole: releases what it had reserved for orders
 * that are not there, and goes on from those that are. Nobody else uses the lane meanwhile. */
void dp_risk_recover(struct dp_risk *risk, uint32_t lane, const struct dp_orders *orders);

/* ---- what the node is: the engine ---- */

enum dp_risk_degraded {
    DP_RISK_JOURNAL_DEGRADED = 1,
    DP_RISK_CLOCK_UNSYNCED = 2,
    DP_RISK_ADAPTER_DEGRADED = 4,
};

void dp_risk_set_degraded(struct dp_risk *risk, enum dp_risk_degraded what, bool degraded);
void dp_risk_set_session(struct dp_risk *risk, uint16_t session_index, bool authenticated);
/* The feed was heard: for the age of reference prices and the breaker of silence. */
void dp_risk_heard(struct dp_risk *risk, int64_t now_ns);

/* ---- the kill switch: any process ---- */

#define DP_RISK_SCOPES(X) \
    X(0, FIRM, "firm") \
    X(1, ACCOUNT, "account") \
    X(2, STRATEGY, "strategy") \
    X(3, SESSION, "session") \
    X(4, INSTRUMENT, "instrument")

enum dp_risk_scope_kind {
#define X(number, name, word) DP_RISK_SCOPE_##name = number,
    DP_RISK_SCOPES(X) DP_RISK_SCOPE_COUNT
#undef X
};

const char *dp_risk_scope_word(enum dp_risk_scope_kind kind); /* "strategy" */

struct dp_risk_scope {
    enum dp_risk_scope_kind kind;
    uint32_t index; /* 0 for the firm */
};

/* False when there is no such scope. From the next decision on orders of that scope are refused as
 * the mode says; cancels still pass. A weaker mode changes nothing. */
bool dp_risk_kill(struct dp_risk *risk, struct dp_risk_scope scope, enum dp_switch_mode mode,
    enum dp_switch_source source);
/* A person's decision, about the mark that the person saw. False when it has changed since. */
bool dp_risk_arm(struct dp_risk *risk, struct dp_risk_scope scope, uint64_t mark_seen);
/* The mark of a scope; 0 (clear) when there is no such scope. */
uint64_t dp_risk_mark_of(const struct dp_risk *risk, struct dp_risk_scope scope);
/* The strongest mode that holds for an order of this strategy, by this session, in this instrument.
 */
enum dp_switch_mode dp_risk_mode_of(const struct dp_risk *risk, uint16_t strategy_index,
    uint8_t session_index, uint32_t instrument_index);
/* Every session is authenticated and no switch stands against any: an order may take any of them.
 */
bool dp_risk_are_sessions_clear(const struct dp_risk *risk);
uint64_t dp_risk_gate(const struct dp_risk *risk); /* moves whenever any of this changes */

/* ---- looking in: any process ---- */

/* The names of a group or a strategy, for people; cut to DP_RISK_NAME_SIZE - 1. */
void dp_risk_name_group(struct dp_risk *risk, uint32_t group, const char *name);
void dp_risk_name_strategy(struct dp_risk *risk, uint16_t strategy_index, const char *name);
const char *dp_risk_group_name(const struct dp_risk *risk, uint32_t group);
const char *dp_risk_strategy_name(const struct dp_risk *risk, uint16_t strategy_index);
struct dp_risk_exposure dp_risk_exposure(const struct dp_risk *risk, uint16_t strategy_index);
struct dp_risk_position dp_risk_position(const struct dp_risk *risk, uint32_t instrument_index);
/* Whether each pool and all leases add up to its limit: of the firm, accounts and instruments. When
 * no lane is in the middle of a lease. */
bool dp_risk_conserves(const struct dp_risk *risk);

#endif
