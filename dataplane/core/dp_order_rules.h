/*
 * dp_order_rules - what an event does to an order, as data: (base state, pending, kind) -> effect.
 *
 * The table answers "may this happen here"; dp_order_effect.c holds one small function per effect.
 * docs/orders.md shows the same table in words. Private to dp_order*.c and its tests. Constant
 * data: no thread rules.
 */
#ifndef DP_ORDER_RULES_H
#define DP_ORDER_RULES_H

#include "dp_exec_set.h"
#include "dp_order.h"

enum dp_order_effect {
    DP_EFFECT_ANOMALY = '!',         /* does not fit: flagged, recorded, nothing moves */
    DP_EFFECT_NOTED = '=',           /* fits, and changes nothing */
    DP_EFFECT_REPEATED = 'd',        /* said before */
    DP_EFFECT_ACCEPT = 'a',          /* T06, T07; ids only when the order is past that */
    DP_EFFECT_ACCEPT_DEAD = 'A',     /* T34: a rejected order lives after all */
    DP_EFFECT_REJECT = 'r',          /* T08 */
    DP_EFFECT_FILL = 'f',            /* T09, T10, T11 */
    DP_EFFECT_FILL_LATE = 'l',       /* T33 */
    DP_EFFECT_FILL_OVER = 'o',       /* R15: more than there was */
    DP_EFFECT_FILL_DEAD = 'F',       /* T34: a rejected order fills */
    DP_EFFECT_FILL_DENIED = 'q',     /* T36: a number that never left fills */
    DP_EFFECT_CANCEL = 'c',          /* T14, T17, T18, T23 */
    DP_EFFECT_EXPIRE = 'x',          /* T25 */
    DP_EFFECT_DAY_DONE = 'y',        /* T26 */
    DP_EFFECT_REPLACE = 'u',         /* T20, T21 */
    DP_EFFECT_REPLACE_DEAD = 'U',    /* R6: a closed order is replaced and lives again */
    DP_EFFECT_WANT_CANCEL = 'k',     /* T12 */
    DP_EFFECT_WANT_REPLACE = 'p',    /* T19 */
    DP_EFFECT_CANCEL_NOTED = 'm',    /* T13 */
    DP_EFFECT_CANCEL_REFUSED = 'i',  /* T15 */
    DP_EFFECT_REPLACE_REFUSED = 'j', /* T22 */
    DP_EFFECT_RESTATE = 'v',         /* T29 */
    DP_EFFECT_SUSPEND = 's',         /* T27 */
    DP_EFFECT_RESUME = 't',          /* T28, T30 */
    DP_EFFECT_BREAK = 'b',           /* T31; R16 when the fill is not known */
    DP_EFFECT_LOSE = 'w',            /* T05, T24 */
    DP_EFFECT_UNSEND = 'n',          /* T04, and the verdict "never received" of T35 */
};

/* kind: any byte; what is not an event about an existing order is an anomaly. base: not FREE. */
enum dp_order_effect dp_order_rule(enum dp_order_base base, uint32_t pending, uint8_t kind);

/* One event on its way through one order. Base, pending and flags are written back by the caller,
 * last. */
struct dp_order_change {
    struct dp_order *order; /* the copy that is changed */
    struct dp_event *event;
    struct dp_exec_set *execs;
    uint32_t *exec_highest; /* of the order: dp_exec_set_take() */
    enum dp_order_base base;
    uint32_t pending;
    uint32_t flags;
};

enum dp_order_result dp_order_change_apply(struct dp_order_change *change);

#endif
