/*
 * dp_stream_lwip - TCP in user space (lwIP) over a port that moves Ethernet frames: the order
 * session goes past the kernel as market data does.
 *
 * One stack a process, on one port, with an address of its own: the machine's kernel must not have
 * that address on that interface, or it would answer with resets. Over an xdp port the flow to
 * local_ip and local_port must be one of the program's. The next hop's hardware address is
 * configuration: ARP would be answered to the kernel.
 *
 * One thread opens, polls and closes stack and streams; dp_stream_poll() of any of its streams
 * moves the whole stack. lwIP keeps state in the process: like DPDK, link this into one extension
 * module only. Limits of the packaged lwIP: segments of 1,460 bytes, software checksums, a timer of
 * 250 ms before the first retransmission.
 */
#ifndef DP_STREAM_LWIP_H
#define DP_STREAM_LWIP_H

#include "dp_port.h"
#include "dp_stream.h"

struct dp_lwip; /* the stack */

/* Addresses in host order. */
struct dp_lwip_config {
    struct dp_port *port; /* the caller's; must outlive the stack */
    uint8_t mac[6];
    uint8_t next_hop_mac[6]; /* of the gateway, or of the peer on the same wire */
    uint32_t ip;
    uint32_t netmask;
};

/* NULL with err filled in: the port moves no frames, a stack is there already. */
struct dp_lwip *dp_lwip_open(const struct dp_lwip_config *config, struct dp_err *err);
/* All its streams must be closed before. */
void dp_lwip_close(struct dp_lwip *lwip);

struct dp_stream_lwip_config {
    uint16_t local_port; /* 0: any */
    uint32_t remote_ip;
    uint16_t remote_port;
};

/* Begins to connect. */
struct dp_stream *dp_stream_lwip_open(
    struct dp_lwip *lwip, const struct dp_stream_lwip_config *config, struct dp_err *err);

#endif
