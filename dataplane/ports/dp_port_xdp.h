/*
 * dp_port_xdp - Ethernet frames of one NIC queue through AF_XDP, past the kernel's network stack.
 *
 * The frames of the chosen flows (dp_xdp_program) land in memory that this port shares with the
 * driver; with zero copy the card writes there itself, else the kernel copies once. Received frames
 * are read where they landed. Sending copies each frame into a free buffer of the same memory and
 * rings once a burst.
 *
 * One port a queue; several ports of one interface share its program, which must outlive them. One
 * thread a port. A frame's time is this process's, read once a burst. Needs root (CAP_NET_RAW,
 * CAP_NET_ADMIN, locked memory).
 */
#ifndef DP_PORT_XDP_H
#define DP_PORT_XDP_H

#include "dp_port.h"
#include "dp_xdp_program.h"

enum dp_xdp_zero_copy {
    DP_XDP_ZERO_COPY_PREFER = 0, /* with it if the driver can, else by copy */
    DP_XDP_ZERO_COPY_REQUIRE,
    DP_XDP_ZERO_COPY_OFF,
};

struct dp_port_xdp_config {
    uint32_t queue;
    enum dp_xdp_zero_copy zero_copy;
    /* Prefer busy polling: the receiver drives the driver's queue, at most so many frames a call;
     * interrupts stay off while it does. 0: off. */
    uint32_t busy_poll_budget;
    uint32_t frame_count; /* of memory, half for each direction, a power of two; 0: 4096 */
};

/* NULL with err filled in: no such queue, a queue that another socket holds (tried again for a
 * moment: a closed one takes that long to go), zero copy required and not there. */
struct dp_port *dp_port_xdp_open(
    struct dp_xdp_program *program, const struct dp_port_xdp_config *config, struct dp_err *err);
/* What is in force, read back from the kernel, not what was asked for. */
bool dp_port_xdp_is_zero_copy(const struct dp_port *port);
/* Longest frame that is received whole; a longer one is lost and counted. */
uint32_t dp_port_xdp_packet_max(const struct dp_port *port);
/* Frames that the kernel dropped for want of a buffer or a slot, added to stats.rx_failed since the
 * last call. A system call: not for the hot path. */
void dp_port_xdp_update_stats(struct dp_port *port);

#endif
