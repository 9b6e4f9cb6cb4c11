/*
 * dp_bench_wire_port - the port under test, opened as a live run opens it.
 *
 * xdp and dpdk through dp_live_ports; uring with the exchange as its remote, because it sends too;
 * plain is the blocking socket (dp_bench_wire.h). One thread.
 */
#ifndef DP_BENCH_WIRE_PORT_H
#define DP_BENCH_WIRE_PORT_H

#include "dp_bench_wire.h"

struct dp_live_ports;

struct dp_bench_wire_port {
    struct dp_port *port;
    struct dp_live_ports *owner; /* of the port; NULL: the port stands by itself */
};

/* kind: "uring", "xdp", "dpdk", "plain". 0, or -errno with err filled in. */
int dp_bench_wire_port_open(struct dp_bench_wire_port *opened, const char *kind,
    const char *interface, const struct dp_bench_wire_ends *ends, struct dp_err *err);
void dp_bench_wire_port_close(struct dp_bench_wire_port *opened);

#endif
