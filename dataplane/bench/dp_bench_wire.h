/*
 * dp_bench_wire - the far end of a wire and the loops of this one, for the rows `wire.*`.
 *
 * The exchange's side is plain sockets that never sleep, the same for everything that is measured:
 * it sends a tick and takes the time until an order comes back, or sends as many datagrams as it is
 * asked for. Our side is a port that only takes, or only gives. What answers ticks is
 * dp_bench_wire_trade.h (the whole engine) and dp_bench_wire_echo.h (nothing but an echo). Each end
 * is a process of its own on a core of its own; one thread each.
 */
#ifndef DP_BENCH_WIRE_H
#define DP_BENCH_WIRE_H

#include "dp_err.h"
#include "dp_net.h"
#include "dp_port.h"

#define DP_BENCH_WIRE_SYMBOL "WIRE    "
#define DP_BENCH_WIRE_DATAGRAM_MAX 1400u

/* Both ends; of the far one's endpoint the hardware address is not used. */
struct dp_bench_wire_ends {
    struct dp_net_endpoint here;
    struct dp_net_endpoint there;
};

struct dp_bench_wire_ping {
    uint32_t warm_count; /* ticks before those that count */
    uint32_t count;
    int64_t pause_ns; /* from an answer to the next tick, and up to a sixteenth more */
};

/* A UDP socket with large buffers, bound here and connected there; the caller closes it. */
int dp_bench_wire_socket(const struct dp_bench_wire_ends *ends, struct dp_err *err);

/* Opens a session of market data (directory, trading state, a bid and an ask), then sends ticks
 * that change the touch, each when the one before was answered. ticks_tsc: how long each answer
 * took. *lost: ticks without one. 0 or -errno: no socket, or no answer to the first tick within
 * seconds. */
int dp_bench_wire_ping(const struct dp_bench_wire_ends *ends,
    const struct dp_bench_wire_ping *config, uint32_t *ticks_tsc, uint32_t *lost,
    struct dp_err *err);

struct dp_bench_wire_blast {
    uint32_t size;   /* of a datagram, at least 8: it begins with its number */
    uint64_t rate;   /* datagrams a second; 0: as many as go */
    uint64_t count;  /* 0: until the time is over */
    int64_t time_ns; /* at most */
};

/* Datagrams to the other end, in bursts; *sent says how many. */
int dp_bench_wire_blast(const struct dp_bench_wire_ends *ends,
    const struct dp_bench_wire_blast *config, uint64_t *sent, struct dp_err *err);

/* Receives for so long, reads each packet's first bytes, and returns how many there were. */
uint64_t dp_bench_wire_take(struct dp_port *port, int64_t time_ns);
/* Sends packets of so many payload bytes as fast as the port takes them; returns how many it took.
 */
uint64_t dp_bench_wire_give(struct dp_port *port, const struct dp_bench_wire_ends *ends,
    uint32_t payload_size, int64_t time_ns);

/* Sends each packet back to where it came from, through the port. */
void dp_bench_wire_return(struct dp_port *port, int64_t time_ns);

/* ---- the plain programs ---- */

/* What dp_bench_wire_take() does, with recvmmsg() on a socket and no port. */
uint64_t dp_bench_wire_sink(int file, int64_t time_ns);

/* A UDP socket whose receive sleeps in the kernel until a datagram is there (or for a tenth of a
 * second), one system call a datagram. */
struct dp_port *dp_bench_wire_plain_open(const struct dp_bench_wire_ends *ends, struct dp_err *err);

#endif
