/*
 * dp_port - packet I/O behind one small interface: bursts in, bursts out, counters, close.
 *
 * A port is owned by one thread (the engine's). Received packets stay valid until the next receive on the same port.
 * Each kind of port is one file: dp_port_loop.c (two ends in memory), dp_port_pcap.c (a capture in, a capture out).
 */
#ifndef DP_PORT_H
#define DP_PORT_H

#include "dp_base.h"
#include "dp_err.h"

#define DP_PORT_FRAME_MAX 2048

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
    uint64_t tx_refused; /* frames that the port could not take */
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

/* Up to max packets; 0 when there is none now (or, for a file, no more: see dp_port_pcap_is_done). */
static inline uint32_t dp_port_receive(struct dp_port *port, struct dp_packet *packets, uint32_t max)
{
    return port->ops->receive(port, packets, max);
}

/* How many of the packets were taken, from the first; the caller keeps the rest. Frames are copied or sent when it returns. */
static inline uint32_t dp_port_send(struct dp_port *port, const struct dp_packet *packets, uint32_t count)
{
    return port->ops->send(port, packets, count);
}

/* Releases everything, the dp_port included. 0 or -errno (a capture that could not be written). */
static inline int dp_port_close(struct dp_port *port, struct dp_err *err)
{
    return port->ops->close(port, err);
}

/* Two ends joined in memory: what one sends the other receives. Both are closed on their own. */
int dp_port_loop_open(struct dp_port **a, struct dp_port **b, uint32_t slot_count, struct dp_err *err);

/* A capture read as received packets; `tx_path` (may be NULL) gets what is sent, as a nanosecond pcap. */
struct dp_port *dp_port_pcap_open(const char *rx_path, const char *tx_path, struct dp_err *err);

#endif
