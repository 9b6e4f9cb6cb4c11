/*
 * dp_port_split - one port of frames for two readers: market data, and a TCP stack.
 *
 * TCP over IPv4 and ARP, untagged, go to the stack; all else goes to the feed, whose reader counts
 * what nobody asked for. Both send through the port below.
 *
 * Readers take turns. One that finds nothing of its own looks at the port below, for both; while
 * the other has not taken what was found for it, it waits, but not for ever: after
 * DP_PORT_SPLIT_PATIENCE calls what lies there is dropped and counted in the other's rx_failed, so
 * that a reader who is away (a session that is down) holds nobody up. Received packets are valid
 * until either of the two receives again.
 *
 * Both and the one below are one thread's; close both, then the one below.
 */
#ifndef DP_PORT_SPLIT_H
#define DP_PORT_SPLIT_H

#include "dp_port.h"

#define DP_PORT_SPLIT_PATIENCE 8u

/* below: the caller's, open longer than both. 0, or -errno: a port of datagrams, no memory. */
int dp_port_split_open(
    struct dp_port *below, struct dp_port **feed, struct dp_port **stack, struct dp_err *err);

#endif
