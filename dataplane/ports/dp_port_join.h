/*
 * dp_port_join - several ports of one kind as one: the queues of an interface for one thread.
 *
 * A card spreads flows over its queues; whoever reads one of them alone does not hear the others.
 * A receive asks each port once, beginning with another one each time, so that a busy queue starves
 * none. Sending goes through the first port, so that frames leave in the order in which they came.
 *
 * The ports are the caller's, open longer than this one, and all one thread's. Received packets are
 * valid until the next receive.
 */
#ifndef DP_PORT_JOIN_H
#define DP_PORT_JOIN_H

#include "dp_port.h"

#define DP_PORT_JOIN_MAX 16u

/* ports: count of them, 1 to DP_PORT_JOIN_MAX, all of frames or all of datagrams; the array is
 * copied. NULL with err filled in. */
struct dp_port *dp_port_join_open(struct dp_port *const *ports, uint32_t count, struct dp_err *err);

#endif
