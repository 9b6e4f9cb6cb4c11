#include "dp_net.h"

#define ETHERNET_SIZE 14u
#define VLAN_SIZE 4u
#define VLAN_TAGS_MAX 2
#define IP_SIZE_MIN 20u
#define UDP_SIZE 8u
#define TCP_SIZE_MIN 20u
#define IP_TOTAL_MAX 65535u

#define ETHERTYPE_IPV4 0x0800
#define ETHERTYPE_VLAN 0x8100
#define ETHERTYPE_QINQ 0x88a8

#define IP_VERSION_AND_SIZE 0x45 /* version 4, five words */
#define IP_DONT_FRAGMENT 0x4000
#define IP_FRAGMENT_MASK 0x3fff /* more fragments, or an offset */
#define IP_TTL 64
#define TCP_PSH_ACK 0x18
#define TCP_WINDOW 65535

/* What is left to take apart: the view that each layer hands to the next. */
struct view {
    const uint8_t *data;
    uint32_t size;
};

static struct view view_from(struct view view, uint32_t offset)
{
    return (struct view){view.data + offset, view.size - offset};
}

uint32_t dp_net_sum(const uint8_t *data, size_t size, uint32_t sum)
{
    uint64_t total = sum;
    for (; size >= 4; data += 4, size -= 4)
        total += dp_load_be32(data);
    for (uint32_t index = 0; index < size; index++)
        total += (uint64_t)data[index] << (24 - 8 * index);
    /* One's complement: a carry out of the top comes back in at the bottom. Twice, for the first
     * may carry again. */
    total = (total & 0xffffffff) + (total >> 32);
    total = (total & 0xffffffff) + (total >> 32);
    return (uint32_t)total;
}

uint16_t dp_net_fold(uint32_t sum)
{
    sum = (sum & 0xffff) + (sum >> 16);
    sum = (sum & 0xffff) + (sum >> 16);
    return (uint16_t)~sum;
}

/* Over the pseudo header and the segment. A right one, its checksum field included, folds to 0. */
static uint16_t segment_checksum(const uint8_t *ip_addresses, uint8_t protocol, struct view segment)
{
    uint8_t tail[4] = {0, protocol, (uint8_t)(segment.size >> 8), (uint8_t)segment.size};
    uint32_t sum = dp_net_sum(tail, sizeof(tail), dp_net_sum(ip_addresses, 8, 0));
    return dp_net_fold(dp_net_sum(segment.data, segment.size, sum));
}

static enum dp_net_result parse_udp(struct view segment, struct dp_net_packet *packet)
{
    if (segment.size < UDP_SIZE)
        return DP_NET_MALFORMED;
    packet->source_port = dp_load_be16(segment.data);
    packet->target_port = dp_load_be16(segment.data + 2);

    uint32_t udp_size = dp_load_be16(segment.data + 4);
    if (udp_size < UDP_SIZE || udp_size > segment.size)
        return DP_NET_MALFORMED;
    packet->payload = segment.data + UDP_SIZE;
    packet->payload_size = udp_size - UDP_SIZE;
    return DP_NET_OK;
}

static enum dp_net_result parse_tcp(struct view segment, struct dp_net_packet *packet)
{
    if (segment.size < TCP_SIZE_MIN)
        return DP_NET_MALFORMED;
    packet->source_port = dp_load_be16(segment.data);
    packet->target_port = dp_load_be16(segment.data + 2);
    packet->tcp_seq = dp_load_be32(segment.data + 4);
    packet->tcp_ack = dp_load_be32(segment.data + 8);
    packet->tcp_flags = segment.data[13];

    uint32_t header_size = 4u * (segment.data[12] >> 4);
    if (header_size < TCP_SIZE_MIN || header_size > segment.size)
        return DP_NET_MALFORMED;
    packet->payload = segment.data + header_size;
    packet->payload_size = segment.size - header_size;
    return DP_NET_OK;
}

static bool segment_sum_is_wrong(
    const uint8_t *ip_addresses, struct view segment, const struct dp_net_packet *packet)
{
    if (packet->protocol == DP_NET_UDP) {
        if (dp_load_be16(segment.data + 6) == 0)
            return false; /* the sender made none */
        segment.size = dp_load_be16(segment.data + 4);
    }
    return segment_checksum(ip_addresses, packet->protocol, segment) != 0;
}

static enum dp_net_result parse_segment(const uint8_t *ip_addresses, struct view segment,
    bool check_checksums, struct dp_net_packet *packet)
{
    enum dp_net_result result =
        packet->protocol == DP_NET_UDP ? parse_udp(segment, packet) : parse_tcp(segment, packet);
    if (result == DP_NET_OK && check_checksums &&
        segment_sum_is_wrong(ip_addresses, segment, packet))
        return DP_NET_CHECKSUM;
    return result;
}

static enum dp_net_result parse_ip(
    struct view ip, bool check_checksums, struct dp_net_packet *packet)
{
    if (ip.size < IP_SIZE_MIN)
        return DP_NET_SHORT;
    uint32_t header_size = 4u * (ip.data[0] & 15);
    uint32_t total_size = dp_load_be16(ip.data + 2);
    if (ip.data[0] >> 4 != 4 || header_size < IP_SIZE_MIN || total_size < header_size)
        return DP_NET_MALFORMED;
    if (total_size > ip.size)
        return DP_NET_SHORT;
    if (check_checksums && dp_net_fold(dp_net_sum(ip.data, header_size, 0)) != 0)
        return DP_NET_CHECKSUM;

    packet->protocol = ip.data[9];
    packet->source_ip = dp_load_be32(ip.data + 12);
    packet->target_ip = dp_load_be32(ip.data + 16);
    if (packet->protocol != DP_NET_UDP && packet->protocol != DP_NET_TCP)
        return DP_NET_OTHER;
    if ((dp_load_be16(ip.data + 6) & IP_FRAGMENT_MASK) != 0)
        return DP_NET_FRAGMENT;

    ip.size = total_size; /* what follows is Ethernet padding */
    return parse_segment(ip.data + 12, view_from(ip, header_size), check_checksums, packet);
}

static bool is_vlan(uint16_t ethertype)
{
    return ethertype == ETHERTYPE_VLAN || ethertype == ETHERTYPE_QINQ;
}

enum dp_net_result dp_net_parse(
    const uint8_t *frame, size_t size, bool check_checksums, struct dp_net_packet *packet)
{
    *packet = (struct dp_net_packet){0};
    struct view view = {frame, size > UINT32_MAX ? UINT32_MAX : (uint32_t)size};
    if (view.size < ETHERNET_SIZE)
        return DP_NET_SHORT;

    uint16_t ethertype = dp_load_be16(view.data + 12);
    for (int tag = 0; tag < VLAN_TAGS_MAX && is_vlan(ethertype); tag++) {
        if (view.size < ETHERNET_SIZE + VLAN_SIZE)
            return DP_NET_SHORT;
        if (tag == 0)
            packet->vlan = dp_load_be16(view.data + ETHERNET_SIZE) & 0xfff;
        view = view_from(view, VLAN_SIZE);
        ethertype = dp_load_be16(view.data + 12);
    }
    if (ethertype != ETHERTYPE_IPV4)
        return DP_NET_OTHER;
    return parse_ip(view_from(view, ETHERNET_SIZE), check_checksums, packet);
}

static void build_ethernet(
    uint8_t *frame, const struct dp_net_endpoint *source, const struct dp_net_endpoint *target)
{
    memcpy(frame, target->mac, 6);
    memcpy(frame + 6, source->mac, 6);
    dp_store_be16(frame + 12, ETHERTYPE_IPV4);
}

static void build_ip(uint8_t *ip, const struct dp_net_endpoint *source,
    const struct dp_net_endpoint *target, uint32_t total_size, uint16_t ip_id, uint8_t protocol)
{
    DP_ASSERT(total_size <= IP_TOTAL_MAX);
    ip[0] = IP_VERSION_AND_SIZE;
    ip[1] = 0;
    dp_store_be16(ip + 2, (uint16_t)total_size);
    dp_store_be16(ip + 4, ip_id);
    dp_store_be16(ip + 6, IP_DONT_FRAGMENT);
    ip[8] = IP_TTL;
    ip[9] = protocol;
    dp_store_be16(ip + 10, 0);
    dp_store_be32(ip + 12, source->ip);
    dp_store_be32(ip + 16, target->ip);
    dp_store_be16(ip + 10, dp_net_fold(dp_net_sum(ip, IP_SIZE_MIN, 0)));
}

uint32_t dp_net_build_udp(uint8_t *frame, const struct dp_net_endpoint *source,
    const struct dp_net_endpoint *target, uint32_t payload_size, uint16_t ip_id)
{
    uint8_t *ip = frame + ETHERNET_SIZE;
    struct view segment = {ip + IP_SIZE_MIN, UDP_SIZE + payload_size};
    uint8_t *udp = ip + IP_SIZE_MIN;
    build_ethernet(frame, source, target);
    build_ip(ip, source, target, IP_SIZE_MIN + segment.size, ip_id, DP_NET_UDP);

    dp_store_be16(udp, source->port);
    dp_store_be16(udp + 2, target->port);
    dp_store_be16(udp + 4, (uint16_t)segment.size);
    dp_store_be16(udp + 6, 0);
    uint16_t checksum = segment_checksum(ip + 12, DP_NET_UDP, segment);
    dp_store_be16(udp + 6, checksum == 0 ? 0xffff : checksum); /* 0 would say that there is none */
    return ETHERNET_SIZE + IP_SIZE_MIN + segment.size;
}

uint32_t dp_net_build_tcp(uint8_t *frame, const struct dp_net_endpoint *source,
    const struct dp_net_endpoint *target, uint32_t payload_size, uint16_t ip_id, uint32_t seq,
    uint32_t ack)
{
    uint8_t *ip = frame + ETHERNET_SIZE;
    struct view segment = {ip + IP_SIZE_MIN, TCP_SIZE_MIN + payload_size};
    uint8_t *tcp = ip + IP_SIZE_MIN;
    build_ethernet(frame, source, target);
    build_ip(ip, source, target, IP_SIZE_MIN + segment.size, ip_id, DP_NET_TCP);

    dp_store_be16(tcp, source->port);
    dp_store_be16(tcp + 2, target->port);
    dp_store_be32(tcp + 4, seq);
    dp_store_be32(tcp + 8, ack);
    tcp[12] = (TCP_SIZE_MIN / 4) << 4;
    tcp[13] = TCP_PSH_ACK;
    dp_store_be16(tcp + 14, TCP_WINDOW);
    dp_store_be32(tcp + 16, 0); /* checksum, urgent pointer */
    dp_store_be16(tcp + 16, segment_checksum(ip + 12, DP_NET_TCP, segment));
    return ETHERNET_SIZE + IP_SIZE_MIN + segment.size;
}
