/*
 * dp_net - Ethernet, VLAN tags, IPv4, UDP and TCP headers: take apart and put together.
 *
 * Pure functions over (bytes, size); nothing is read past size. Offsets are into the caller's
 * frame; no copies.
 */
#ifndef DP_NET_H
#define DP_NET_H

#include "dp_base.h"

enum dp_net_result {
    DP_NET_OK = 0,
    DP_NET_SHORT,     /* a header or the length it promises runs past the end of the capture */
    DP_NET_OTHER,     /* not IPv4, or neither UDP nor TCP: somebody else's traffic */
    DP_NET_FRAGMENT,  /* a fragment: not reassembled, counted */
    DP_NET_CHECKSUM,  /* wrong IPv4 header or UDP/TCP checksum (a zero UDP checksum means none) */
    DP_NET_MALFORMED, /* a length that contradicts itself */
};

#define DP_NET_UDP 17
#define DP_NET_TCP 6

struct dp_net_packet {
    const uint8_t *payload;
    uint32_t payload_size;
    uint32_t source_ip; /* host order */
    uint32_t target_ip;
    uint16_t source_port;
    uint16_t target_port;
    uint8_t protocol; /* DP_NET_UDP or DP_NET_TCP */
    uint8_t tcp_flags;
    uint16_t vlan; /* of the outermost tag, 0 when untagged */
    uint32_t tcp_seq;
    uint32_t tcp_ack;
};

/* Up to two VLAN tags (0x8100, 0x88a8) and any IPv4 options are stepped over. Trailing Ethernet
 * padding is cut off. payload is NULL unless the result is OK or CHECKSUM of a segment; other
 * fields are filled as far as they were read. */
enum dp_net_result dp_net_parse(
    const uint8_t *frame, size_t size, bool check_checksums, struct dp_net_packet *packet);

struct dp_net_endpoint {
    uint8_t mac[6];
    uint32_t ip; /* host order */
    uint16_t port;
};

#define DP_NET_UDP_HEADERS_SIZE 42
#define DP_NET_TCP_HEADERS_SIZE 54

/* Writes Ethernet, IPv4 and UDP headers before payload_size bytes that stand at frame +
 * DP_NET_UDP_HEADERS_SIZE; sums included. Returns the frame's size. */
uint32_t dp_net_build_udp(uint8_t *frame, const struct dp_net_endpoint *source,
    const struct dp_net_endpoint *target, uint32_t payload_size, uint16_t ip_id);
/* The same for TCP (flags PSH and ACK, window 65,535, no options). */
uint32_t dp_net_build_tcp(uint8_t *frame, const struct dp_net_endpoint *source,
    const struct dp_net_endpoint *target, uint32_t payload_size, uint16_t ip_id, uint32_t seq,
    uint32_t ack);
/* One's complement sum of bytes (an odd last byte is padded with zero), added to `sum`; fold before
 * use. */
uint32_t dp_net_sum(const uint8_t *data, size_t size, uint32_t sum);
uint16_t dp_net_fold(uint32_t sum); /* to 16 bits, complemented: the value of a checksum field */

#endif
