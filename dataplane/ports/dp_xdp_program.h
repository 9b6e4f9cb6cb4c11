/*
 * dp_xdp_program - which packets of an interface go to AF_XDP sockets; all others go to the kernel.
 *
 * The program is loaded and attached by dp_xdp_program_open() and looks at each packet that the
 * interface receives: IPv4 without options and not a fragment, UDP or TCP, whose target address and
 * port are one of the flows, is redirected to the socket of the queue it came in on. Everything
 * else (ARP, ssh, other ports, VLAN-tagged frames) passes, and so does a chosen flow on a queue
 * that has no socket.
 *
 * It hangs on a link that this process holds: the kernel takes it off when the process ends,
 * however it ends. One thread; needs CAP_NET_ADMIN and CAP_BPF (root).
 */
#ifndef DP_XDP_PROGRAM_H
#define DP_XDP_PROGRAM_H

#include "dp_base.h"
#include "dp_err.h"

#define DP_XDP_FLOWS_MAX 64u
#define DP_XDP_QUEUES_MAX 64u

/* Host order. */
struct dp_xdp_flow {
    uint32_t target_ip;
    uint16_t target_port;
    uint8_t protocol; /* DP_NET_UDP or DP_NET_TCP */
};

/* Where the program runs: in the driver, or behind it (any driver, several times slower). */
enum dp_xdp_hook { DP_XDP_NATIVE = 0, DP_XDP_GENERIC };

struct dp_xdp_program; /* opaque */

/* interface: its name. Tries the driver first; *hook says where it ended up when generic_allowed.
 * NULL with err filled in: no such interface, a program of somebody else is attached, no
 * permission, a driver that cannot and generic_allowed is false. */
struct dp_xdp_program *dp_xdp_program_open(const char *interface, const struct dp_xdp_flow *flows,
    uint32_t flow_count, bool generic_allowed, struct dp_err *err);
enum dp_xdp_hook dp_xdp_program_hook(const struct dp_xdp_program *program);
/* Whether the interface's packets may be longer than a page takes: they come in pieces then. */
bool dp_xdp_program_takes_pieces(const struct dp_xdp_program *program);
const char *dp_xdp_program_interface(const struct dp_xdp_program *program);
/* The interface's hardware address; zeroes when it has gone. */
void dp_xdp_program_mac(const struct dp_xdp_program *program, uint8_t mac[6]);
/* Sends the flows of that queue to the socket; the kernel forgets it when the socket is closed. */
int dp_xdp_program_add_socket(
    struct dp_xdp_program *program, uint32_t queue, int socket, struct dp_err *err);
void dp_xdp_program_close(struct dp_xdp_program *program); /* NULL is fine */
/* Whether such programs may be loaded here at all: loads one, attaches it nowhere. 0 or -errno. */
int dp_xdp_program_probe(struct dp_err *err);

#endif
