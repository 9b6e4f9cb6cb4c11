/*
 * dp_port - packet I/O behind one small interface: bursts in, bursts out, counters, link, close.
 *
 * A port is owned by one thread (the engine's). Received packets stay valid until the next receive
 * on the same port, or until it is closed. Each kind of port is one file: dp_port_loop.c (two ends
 * in memory), dp_port_pcap.c (a capture in, a capture out); and with headers of their own
 * dp_port_uring.c (UDP through io_uring), dp_port_xdp.c (a NIC queue through AF_XDP) and
 * dp_port_dpdk.c (a DPDK device).
 *
 * What a port moves are Ethernet frames, or UDP payloads where the kernel takes care of the headers
 * (enum dp_port_framing).
 */
#ifndef DP_PORT_H
#define DP_PORT_H

#include "dp_base.h"
#include "dp_err.h"

#define DP_PORT_FRAME_MAX 2048 /* bytes that any port sends */
#define DP_PORT_JUMBO_MAX 9216 /* bytes that it receives whole, where it can: see docs/ports.md */
#define DP_PORT_LOOP_SLOTS_MAX 65536u

enum dp_port_framing { DP_PORT_ETHERNET = 0, DP_PORT_DATAGRAM };

/* Who read the clock for a received packet: the nearer to the wire, the better. */
enum dp_port_clock {
    DP_PORT_CLOCK_NONE = 0, /* time_ns is 0 */
    DP_PORT_CLOCK_CAPTURE,  /* the file says so */
    DP_PORT_CLOCK_USER,     /* this process, when it took the packet */
    DP_PORT_CLOCK_KERNEL,   /* the driver's receive path, in software */
    DP_PORT_CLOCK_HARDWARE, /* the network card; its own time scale unless it is disciplined */
};

struct dp_packet {
    const uint8_t *data;
    uint32_t size;
    uint32_t original_size; /* larger than size when a capture or a buffer cut it */
    int64_t time_ns;        /* when it was received, or is to be sent */
    uint8_t clock;          /* enum dp_port_clock: where a received time_ns is from */
};

struct dp_port_stats {
    uint64_t rx_packets;
    uint64_t rx_bytes;
    uint64_t tx_packets;
    uint64_t tx_bytes;
    uint64_t tx_refused; /* frames dropped: longer than the port takes, or its file cannot grow */
    uint64_t tx_failed;  /* taken, and then not sent: the kernel's or the driver's refusal */
    uint64_t rx_failed;  /* packets that arrived and were lost here: no buffer, a bad one */
};

struct dp_port;

struct dp_port_ops {
    const char *name; /* "pcap" */
    enum dp_port_framing framing;
    uint32_t (*receive)(struct dp_port *port, struct dp_packet *packets, uint32_t max);
    uint32_t (*send)(struct dp_port *port, const struct dp_packet *packets, uint32_t count);
    bool (*is_up)(struct dp_port *port); /* NULL: a port that has no link to lose */
    uint32_t (*buffers_used)(const struct dp_port *port); /* NULL: a port without buffers */
    int (*close)(struct dp_port *port, struct dp_err *err);
};

struct dp_port {
    const struct dp_port_ops *ops;
    struct dp_port_stats stats;
};

/* Up to max packets, at least one is asked for; 0 when there is none now (a file: no more). */
static inline uint32_t dp_port_receive(
    struct dp_port *port, struct dp_packet *packets, uint32_t max)
{
    return port->ops->receive(port, packets, max);
}

/* How many of the packets were taken, from the first; the caller keeps the rest and may try again.
 * Frames are copied or sent when it returns. A frame that can never be sent counts as taken and in
 * tx_refused, so that nobody tries it for ever. */
static inline uint32_t dp_port_send(
    struct dp_port *port, const struct dp_packet *packets, uint32_t count)
{
    return port->ops->send(port, packets, count);
}

/* Whether the link is there, as far as the system knows. Costs a system call on real ports. */
static inline bool dp_port_is_up(struct dp_port *port)
{
    return port->ops->is_up == NULL || port->ops->is_up(port);
}

/* Packet buffers that are out of their pool: in rings, lent to the receiver, on their way out. Up
 * and down under load; one that only grows is a leak. */
static inline uint32_t dp_port_buffers_used(const struct dp_port *port)
{
    return port->ops->buffers_used == NULL ? 0 : port->ops->buffers_used(port);
}

static inline bool dp_port_moves_frames(const struct dp_port *port)
{
    return port->ops->framing == DP_PORT_ETHERNET;
}

/* Releases everything, the dp_port included. 0 or -errno (a capture that could not be written). */
static inline int dp_port_close(struct dp_port *port, struct dp_err *err)
{
    return port->ops->close(port, err);
}

/* Two ends joined in memory, both owned by one thread: what one sends the other receives, in order
 * and with its time. Each direction holds slot_count frames (a power of two) of up to
 * DP_PORT_FRAME_MAX bytes; the frames of the last receive still count. Both are closed on their
 * own; what was sent to a closed end stays unread. 0 or -errno. */
int dp_port_loop_open(
    struct dp_port **a, struct dp_port **b, uint32_t slot_count, struct dp_err *err);

/* The frames of a pcap or pcapng as received packets; `tx_path` gets what is sent, as a nanosecond
 * pcap (NULL: it is counted and forgotten). NULL with err filled when either cannot be opened, when
 * rx_path is a BinaryFILE, or when both name one file. */
struct dp_port *dp_port_pcap_open(const char *rx_path, const char *tx_path, struct dp_err *err);
/* The capture such a port reads: for its position, and at the end for what was wrong with it. The
 * port's until it is closed. */
struct dp_capture;
const struct dp_capture *dp_port_pcap_capture(const struct dp_port *port);

#endif
