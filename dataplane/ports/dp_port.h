/*
 * dp_port - packet I/O behind one small interface: bursts in, bursts out, counters, close.
 *
 * A port is owned by one thread (the engine's). Received packets stay valid until the next receive
 * on the same port, or until it is closed. Each kind of port is one file: dp_port_loop.c (two ends
 * in memory), dp_port_pcap.c (a capture in, a capture out).
 */
#ifndef DP_PORT_H
#define DP_PORT_H

#include "dp_base.h"
#include "dp_err.h"

#define DP_PORT_FRAME_MAX 2048
#define DP_PORT_LOOP_SLOTS_MAX 65536u

struct dp_packet {
    const uint8_t *data;
    uint32_t size;
    uint32_t original_size; /* larger than size when a capture cut the frame */
    int64_t time_ns;        /* when it was received, or is to be sent */
};

struct dp_port_stats {
    uint64_t rx_packets;
    uint64_t rx_bytes;
    uint64_t tx_packets;
    uint64_t tx_bytes;
    uint64_t tx_refused; /* frames dropped: longer than the port takes, or its file cannot grow */
};

struct dp_port;

struct dp_port_ops {
    const char *name; /* "pcap" */
    uint32_t (*receive)(struct dp_port *port, struct dp_packet *packets, uint32_t max);
    uint32_t (*send)(struct dp_port *port, const struct dp_packet *packets, uint32_t count);
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
