/*
 * dp_live_ports - the ports of a live run, opened from one description.
 *
 * What kind of port brings the lines is a matter of configuration; re-request servers are spoken to
 * through sockets in any case. This is where the libraries of all ports come together, DPDK's with
 * its process state among them: link it into one extension module only. One thread.
 */
#ifndef DP_LIVE_PORTS_H
#define DP_LIVE_PORTS_H

#include "dp_engine_live.h"

enum dp_live_kind { DP_LIVE_URING = 0, DP_LIVE_XDP, DP_LIVE_DPDK };

/* Which TCP carries the order session. */
struct dp_live_tcp {
    bool is_lwip; /* in user space, over the port of the lines; false: the kernel's */
    uint32_t ip;  /* of the stack; the kernel must not have it */
    uint16_t port_first;
    uint8_t next_hop_mac[6]; /* of the gateway, or of the venue on the same wire */
};

/* A channel of the feed: the next so many lines, and its own servers. */
struct dp_live_channel {
    uint32_t line_count;
    struct dp_feed_target servers[DP_FEED_SERVERS_MAX];
    uint32_t server_count;
};

struct dp_live_ports_config {
    const char *name; /* of the appliance: DPDK's file prefix */
    enum dp_live_kind kind;
    const char *interface; /* xdp: "eth1"; dpdk: "0000:3b:00.0" or a virtual device with arguments;
                              uring: "" */
    uint32_t queue;        /* xdp: the first of the interface that is read */
    uint32_t queue_count;  /* xdp and dpdk: so many, where a card spreads the lines */
    bool huge_pages;       /* dpdk */
    uint32_t mtu;          /* dpdk: longest packet of the lines; 0: 1500 */
    int32_t sqpoll_cpu;    /* uring: where a kernel thread submits; -1: none does */
    uint32_t busy_poll_us; /* uring and xdp; 0: off */
    uint32_t local_ip;     /* of the interface: to join groups on and to ask servers from */
    struct dp_feed_target lines[DP_FEED_CHANNELS_LINES_MAX]; /* of one channel behind the other */
    uint32_t line_count;
    struct dp_live_channel channels[DP_FEED_CHANNELS_MAX];
    uint32_t channel_count;
    struct dp_live_tcp tcp;
    const char *card;             /* before the port of frames, as of dp_card_open(); "" for none */
    const uint8_t *card_identity; /* NULL: any */
};

struct dp_live_ports; /* opaque */

/* Fills in lines and servers of each channel's feed. NULL with err filled in: a kind that this
 * build lacks, or what the port itself says. */
struct dp_live_ports *dp_live_ports_open(const struct dp_live_ports_config *config,
    struct dp_engine_live_channel *channels, struct dp_err *err);
void dp_live_ports_close(struct dp_live_ports *ports);                 /* NULL is fine */
struct dp_card *dp_live_ports_card(const struct dp_live_ports *ports); /* NULL: none */
/* Each port once, for its counters and its link; NULL behind the last. */
struct dp_port *dp_live_ports_at(const struct dp_live_ports *ports, uint32_t index);
/* One line for a person: what carries the lines, and what is in force. */
void dp_live_ports_describe(const struct dp_live_ports *ports, char *text, size_t size);

/* For dp_order_session_config.connect: the TCP that the configuration chose, the kernel's through
 * io_uring or lwIP. context: a struct dp_live_ports. */
struct dp_stream *dp_live_connect(
    void *context, const struct dp_order_session_address *address, struct dp_err *err);

#endif
