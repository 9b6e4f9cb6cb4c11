/*
 * dp_bench_wire_echo - the least that a kind of port can do: what comes goes back.
 *
 * Written on the libraries themselves, without dp_port, in the shortest way that each offers: a
 * frame is turned round where it lies (AF_XDP, DPDK), a datagram is received and sent by io_uring
 * one at a time. It is what the whole appliance is measured beside. One thread.
 */
#ifndef DP_BENCH_WIRE_ECHO_H
#define DP_BENCH_WIRE_ECHO_H

#include "dp_bench_wire.h"

struct dp_bench_wire_echo; /* opaque */

/* kind: "uring", "xdp", "dpdk". interface: as in dp_live_ports.h; of a dpdk device its name and
 * arguments. NULL with err filled in: not in this build, or it cannot be opened. */
struct dp_bench_wire_echo *dp_bench_wire_echo_open(const char *kind, const char *interface,
    const struct dp_bench_wire_ends *ends, struct dp_err *err);
void dp_bench_wire_echo_run(struct dp_bench_wire_echo *echo, int64_t time_ns);
void dp_bench_wire_echo_close(struct dp_bench_wire_echo *echo); /* NULL is fine */

/* ---- what each kind brings ---- */

struct dp_bench_wire_echo {
    void (*turn)(struct dp_bench_wire_echo *echo); /* one look, and back with what was there */
    void (*close)(struct dp_bench_wire_echo *echo);
};

typedef struct dp_bench_wire_echo *dp_bench_wire_echo_open_fn(
    const char *interface, const struct dp_bench_wire_ends *ends, struct dp_err *err);
dp_bench_wire_echo_open_fn dp_bench_wire_echo_uring;
dp_bench_wire_echo_open_fn dp_bench_wire_echo_xdp;
dp_bench_wire_echo_open_fn dp_bench_wire_echo_dpdk;

static inline void dp_bench_wire_swap(uint8_t *left, uint8_t *right, size_t size)
{
    uint8_t kept[6];
    memcpy(kept, left, size);
    memcpy(left, right, size);
    memcpy(right, kept, size);
}

/* Ethernet, IPv4 without options, UDP: no checksum changes when two ends are swapped. */
static inline void dp_bench_wire_turn_round(uint8_t *frame)
{
    dp_bench_wire_swap(frame, frame + 6, 6);
    dp_bench_wire_swap(frame + 26, frame + 30, 4);
    dp_bench_wire_swap(frame + 34, frame + 36, 2);
}

#endif
