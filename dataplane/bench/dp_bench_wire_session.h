/*
 * dp_bench_wire_session - how long an order session waits for an answer, by the TCP under it.
 *
 * The client is dp_order_session, as a live run has it: an order of 50 bytes goes out when the
 * answer to the one before is there. The server, the same for all, is a socket of the kernel's that
 * never sleeps and gives each message back as a sequenced one. Each is one thread of its own.
 */
#ifndef DP_BENCH_WIRE_SESSION_H
#define DP_BENCH_WIRE_SESSION_H

#include "dp_bench_wire.h"

/* tcp: "kernel" (io_uring), "lwip" (over AF_XDP on that interface, with the address and as first
 * local port those of ends->here), "plain" (a socket that sleeps in recv()). As
 * dp_bench_wire_ping(), of sessions. */
int dp_bench_wire_session_ping(const char *tcp, const char *interface,
    const struct dp_bench_wire_ends *ends, const struct dp_bench_wire_ping *config,
    uint32_t *ticks_tsc, struct dp_err *err);

struct dp_bench_wire_server; /* opaque */

struct dp_bench_wire_server *dp_bench_wire_server_open(
    const struct dp_bench_wire_ends *ends, struct dp_err *err);
void dp_bench_wire_server_run(struct dp_bench_wire_server *server, int64_t time_ns);
void dp_bench_wire_server_close(struct dp_bench_wire_server *server); /* NULL is fine */

#endif
