/*
 * dp_risk_decision - what the files of one decision share. Private to dp_risk_decide.c, which has
 * the checks that every order goes through, and dp_risk_careful.c, which has the rare ones and the
 * answers to what is refused.
 */
#ifndef DP_RISK_DECISION_H
#define DP_RISK_DECISION_H

#include "dp_risk.h"
#include "dp_risk_layout.h"

/* Part of both: a call for each check would cost more than the check. */
#define CHECK inline __attribute__((always_inline)) enum dp_reason
/* Out of the way. What is handed there is a copy: a decision whose address is taken would have to
 * lie in memory on the plain path as well. */
#define COLD __attribute__((noinline, cold)) enum dp_reason
#define HAND_OVER(function, it) \
    __extension__({ \
        struct decision copy = *(it); \
        function(&copy); \
    })

/* Everything one decision looks at. */
struct decision {
    struct dp_risk *risk;
    const struct dp_risk_order *order;
    struct dp_risk_verdict *verdict;
    struct risk_seat *seat;
    struct risk_line *line;
    struct risk_share *account;
    struct risk_share *firm;
    uint64_t ticks; /* of the price */
    int64_t notional;
    uint32_t side;      /* 0 buy, 1 sell: an index, so that no branch depends on it */
    risk_four need_low; /* dims 0-3 */
    risk_four need_high;
    risk_four need_side;
};

static inline bool is_buy(const struct decision *it)
{
    return it->side == 0;
}

/* A difference of prices, positive where it goes towards the other side of the book. */
static inline int64_t outward(const struct decision *it, int64_t difference)
{
    int64_t mask = -(int64_t)it->side;
    return (difference ^ mask) - mask;
}

static inline bool is_marked(const struct decision *it)
{
    return (it->order->attributes & (DP_RISK_SHORT | DP_RISK_SHORT_EXEMPT)) != 0;
}

/* dp_risk_careful.c */
enum dp_reason dp_risk_refuse(const struct decision *it, enum dp_reason reason,
    dp_money_nanos observed, dp_money_nanos limit);
enum dp_reason dp_risk_check_scope(const struct decision *it);
enum dp_reason dp_risk_answer_collar(const struct decision *it);
enum dp_reason dp_risk_check_short_sale(const struct decision *it);
enum dp_reason dp_risk_check_impact(const struct decision *it);
enum dp_reason dp_risk_check_credit(const struct decision *it);

/* ---- the answer ---- */

static CHECK answer(
    const struct decision *it, enum dp_reason reason, dp_money_nanos observed, dp_money_nanos limit)
{
    const struct decision copy = *it; /* so that the plain path keeps it in registers */
    return dp_risk_refuse(&copy, reason, observed, limit);
}

static inline dp_money_nanos dp_risk_nanos(int64_t ticks)
{
    return ticks >= DP_CREDIT_UNLIMITED ? INT64_MAX : (dp_money_nanos)ticks * DP_RISK_TICK_NANOS;
}

#endif
