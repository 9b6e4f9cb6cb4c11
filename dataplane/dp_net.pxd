"""Mirror of proto/dp_net.h."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t


cdef extern from "dp_net.h" nogil:
    enum:
        DP_NET_UDP_HEADERS_SIZE
        DP_NET_TCP_HEADERS_SIZE

    enum dp_net_result:
        DP_NET_OK
        DP_NET_SHORT
        DP_NET_OTHER
        DP_NET_FRAGMENT
        DP_NET_CHECKSUM
        DP_NET_MALFORMED

    struct dp_net_packet:
        const uint8_t *payload
        uint32_t payload_size
        uint32_t source_ip
        uint32_t target_ip
        uint16_t source_port
        uint16_t target_port
        uint8_t protocol
        uint8_t tcp_flags
        uint16_t vlan
        uint32_t tcp_seq
        uint32_t tcp_ack

    dp_net_result dp_net_parse(
        const uint8_t *frame, size_t size, bint check_checksums, dp_net_packet *packet)

    struct dp_net_endpoint:
        uint8_t mac[6]
        uint32_t ip
        uint16_t port

    uint32_t dp_net_build_udp(
        uint8_t *frame, const dp_net_endpoint *source, const dp_net_endpoint *target,
        uint32_t payload_size, uint16_t ip_id)
    uint32_t dp_net_build_tcp(
        uint8_t *frame, const dp_net_endpoint *source, const dp_net_endpoint *target,
        uint32_t payload_size, uint16_t ip_id, uint32_t seq, uint32_t ack)
