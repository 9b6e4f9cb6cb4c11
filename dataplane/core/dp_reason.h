/*
 * dp_reason - every reason for which an order of ours is refused before it leaves, in one list.
 *
 * number, name (the stable code), words, FIX OrdRejReason(103) of FIX 5.0 SP2. Numbers are written
 * into journals: append only. Codes and meanings: docs/risk.md.
 */
#ifndef DP_REASON_H
#define DP_REASON_H

#include "dp_base.h"

#define DP_REASONS(X) \
    X(0, ACCEPTED, "accepted", 0) \
    X(1, KILL_SWITCH, "the kill switch is set", 0) \
    X(2, HALTED, "the instrument is not trading", 2) \
    X(3, MAX_ORDER_QTY, "quantity above the limit for one order", 26) \
    X(4, NO_REFERENCE_PRICE, "no reference price for the collar", 19) \
    X(5, STALE_MARKET_DATA, "the book has a gap or is suspect", 19) \
    X(6, PRICE_COLLAR, "price outside the collar around the reference price", 16) \
    X(7, MAX_ORDER_NOTIONAL, "value above the limit for one order", 27) \
    X(8, DUPLICATE_ORDER, "the same order was sent a moment ago", 6) \
    X(9, ORDER_RATE, "more orders a second than allowed", 21) \
    X(10, OPEN_ORDER_COUNT, "too many orders open", 3) \
    X(11, POSITION, "position could pass its limit", 3) \
    X(12, NET_EXPOSURE, "net exposure could pass its limit", 3) \
    X(13, GROSS_EXPOSURE_ENTERED, "gross exposure entered would pass its limit", 25) \
    X(14, NO_POLICY, "no limits are configured for this instrument or strategy", 0) \
    X(15, ORDER_INVALID, "quantity, price, side or time in force is outside what the venue takes", \
        11) \
    X(16, ORDER_UNKNOWN, "no live order of this strategy has that number", 5) \
    X(17, ORDER_PENDING, "the order waits for an answer of the venue", 99) \
    X(18, POOL_EXHAUSTED, "no free order record; wait for orders to end", 99) \
    X(19, JOURNAL_UNAVAILABLE, "the journal cannot take the record", 99) \
    X(20, TX_FULL, "the transmit ring is full", 99) \
    X(21, NOT_AUTHORISED, "the strategy's session is not authenticated", 0) \
    X(22, NODE_DEGRADED, "journal, clock or adapter is not healthy", 0) \
    X(23, RESTRICTED_SYMBOL, "the instrument is restricted for this account", 0) \
    X(24, ORDER_ATTRIBUTE, "an attribute of the order is not permitted", 11) \
    X(25, SHORT_SALE, "a short sale unmarked, without locate, or against the price test", 22) \
    X(26, TYPICAL_SIZE_MULTIPLE, "many times the size of the last orders", 26) \
    X(27, ADV_FRACTION, "too large a part of the average daily volume", 3) \
    X(28, MARKET_IMPACT, "the order would sweep too far through the book", 3) \
    X(29, ORDER_TO_TRADE, "too many messages for the executions they led to", 21) \
    X(30, FAN_OUT, "too many orders from one message in", 21) \
    X(31, SELF_TRADE, "the order could trade with one of our own", 99) \
    X(32, OPEN_NOTIONAL, "too much money in open orders", 3) \
    X(33, ACCUMULATED_VALUE, "value of all orders of the day would pass its limit", 25) \
    X(34, MESSAGE_RATE, "more messages a second than the firm allows", 21) \
    X(35, SESSION_THROTTLED, "the session has sent what its venue takes for now", 21)

enum dp_reason {
#define X(number, name, words, fix) DP_REASON_##name = number,
    DP_REASONS(X) DP_REASON_COUNT
#undef X
};

const char *dp_reason_name(enum dp_reason reason); /* "MAX_ORDER_QTY"; "UNKNOWN" outside the list */
const char *dp_reason_words(enum dp_reason reason);
int dp_reason_ord_rej_reason(enum dp_reason reason);

#endif
