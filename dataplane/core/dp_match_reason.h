/*
 * dp_match_reason - every reason for which the matching engine refuses or ends an order, in one
 * list: number, name (the stable code), words. Append only: numbers are recorded.
 */
#ifndef DP_MATCH_REASON_H
#define DP_MATCH_REASON_H

#include "dp_base.h"

#define DP_MATCH_REASONS(X) \
    X(0, NONE, "nothing was refused") \
    X(1, ORDER_UNKNOWN, "no live order has that id") \
    X(2, ORDER_DUPLICATE, "a live order has that id, or the id is 0") \
    X(3, INSTRUMENT_UNKNOWN, "no such instrument") \
    X(4, PARTICIPANT_UNKNOWN, "no such participant") \
    X(5, SIDE, "side is neither buy nor sell") \
    X(6, TYPE, "no such order type, or it does not go with this time in force") \
    X(7, TIME_IN_FORCE, "no such time in force, or it has passed") \
    X(8, QTY, "quantity is 0, above the limit, or no multiple of the lot") \
    X(9, PRICE, "price is missing, given where there is none, or outside the instrument's range") \
    X(10, TICK, "price is no multiple of the tick") \
    X(11, TERMS, "the further terms contradict each other or the order") \
    X(12, STP_MODE, "no such self-trade prevention mode") \
    X(13, SESSION, "the instrument takes no such order in its present session") \
    X(14, CAPACITY, "no free record for another order, price level or set of terms") \
    X(15, POST_ONLY, "a post-only order would have traded on entry") \
    X(16, GROUP, "the order that this one is linked to is not live, or not of that kind") \
    X(17, DISPLAY, "this instrument shows no orders; send it hidden") \
    X(18, REQUEST, "cancelled on request") \
    X(19, IMMEDIATE, "the rest of an immediate-or-cancel order") \
    X(20, FILL_OR_KILL, "a fill-or-kill order could not trade in full") \
    X(21, NO_LIQUIDITY, "the rest of a market order found nobody") \
    X(22, SELF_TRADE, "self-trade prevention") \
    X(23, EXPIRED, "time in force ended") \
    X(24, MASS_CANCEL, "mass cancel") \
    X(25, GROUP_ENDED, "another order of its group traded or ended") \
    X(26, BANDS, "the rest would trade outside the price bands")

enum dp_match_reason {
#define X(number, name, words) DP_MATCH_REASON_##name = number,
    DP_MATCH_REASONS(X) DP_MATCH_REASON_COUNT
#undef X
};

const char *dp_match_reason_name(enum dp_match_reason reason);  /* "UNKNOWN" outside the list */
const char *dp_match_reason_words(enum dp_match_reason reason); /* "unknown" outside the list */

#endif
