/*
 * dp_live_stack - TCP in user space for the order session of a live run, on a port of frames.
 *
 * The stack has an address of its own, which the kernel must not have, and a range of local ports,
 * used in turn: one that was just closed waits for late segments. lwIP keeps state in the process;
 * one stack, one thread.
 */
#ifndef DP_LIVE_STACK_H
#define DP_LIVE_STACK_H

#include "dp_live_ports.h"

#define DP_LIVE_STACK_PORTS 16u

struct dp_live_stack; /* opaque */

/* port: frames for the stack, the caller's, open longer. mac: of the interface. NULL with err
 * filled in: a build without lwIP, a stack that is there already. */
struct dp_live_stack *dp_live_stack_open(const struct dp_live_tcp *config, struct dp_port *port,
    const uint8_t mac[6], struct dp_err *err);
struct dp_stream *dp_live_stack_connect(struct dp_live_stack *stack,
    const struct dp_order_session_address *address, struct dp_err *err);
/* Its streams are closed before. NULL is fine. */
void dp_live_stack_close(struct dp_live_stack *stack);

#endif
