/*
 * dp_bench_wire_trade - a live engine that answers each tick with an order over the same port.
 *
 * Everything is the appliance's own: feed, arbitration, books, a strategy, the gate, the journal,
 * the order session. Only what stands under the session is not TCP here, so that one port carries
 * both ways as it does for an echo: each write of the session goes out as one datagram, and the
 * answers to login and account query are read from memory. One thread.
 */
#ifndef DP_BENCH_WIRE_TRADE_H
#define DP_BENCH_WIRE_TRADE_H

#include "dp_bench_wire.h"
#include "dp_order_session.h"
#include "dp_strategy.h"

struct dp_bench_wire_trade {
    struct dp_port *port; /* the caller's, open longer than the engine lives */
    struct dp_bench_wire_ends ends;
};

/* For dp_order_session_config.connect; context: a struct dp_bench_wire_trade. */
struct dp_stream *dp_bench_wire_connect(
    void *context, const struct dp_order_session_address *address, struct dp_err *err);

/* The strategy: a hundred shares at the bid or below the ask, in turn, whenever the touch changes.
 * state: a uint64_t that counts. For dp_strategy.on_book. */
void dp_bench_wire_on_book(void *state, struct dp_gateway *gateway, const struct dp_top *top);

#endif
