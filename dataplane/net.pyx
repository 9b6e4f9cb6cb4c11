"""Ethernet, VLAN, IPv4, UDP and TCP headers: take a frame apart, put one together."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t
from libc.string cimport memcpy

from dataplane.dp_net cimport (
    DP_NET_OK,
    DP_NET_TCP_HEADERS_SIZE,
    DP_NET_UDP_HEADERS_SIZE,
    dp_net_build_tcp,
    dp_net_build_udp,
    dp_net_endpoint,
    dp_net_packet,
    dp_net_parse,
    dp_net_result,
)

# In the order of enum dp_net_result.
RESULTS = ("ok", "short", "other", "fragment", "checksum", "malformed")
cdef enum:
    IP_TOTAL_MAX = 65535
    ETHERNET_SIZE = 14


def parse(bytes frame not None, bint check_checksums=True) -> dict | str:
    """Return the packet's fields, or the name of what is wrong: one of RESULTS but "ok"."""
    cdef dp_net_packet packet
    cdef dp_net_result answer = dp_net_parse(
        <const uint8_t *>frame, len(frame), check_checksums, &packet)
    if answer != DP_NET_OK:
        return RESULTS[answer]
    return {
        "payload": packet.payload[:packet.payload_size],
        "source_ip": packet.source_ip,
        "target_ip": packet.target_ip,
        "source_port": packet.source_port,
        "target_port": packet.target_port,
        "protocol": packet.protocol,
        "tcp_flags": packet.tcp_flags,
        "vlan": packet.vlan,
        "tcp_seq": packet.tcp_seq,
        "tcp_ack": packet.tcp_ack,
    }


cdef dp_net_endpoint _endpoint(tuple parts) except *:
    cdef bytes mac = parts[0]
    cdef dp_net_endpoint endpoint
    if len(mac) != 6:
        raise ValueError(f"net: mac: {len(mac)} bytes; give 6")
    memcpy(endpoint.mac, <const char *>mac, 6)
    endpoint.ip = parts[1]
    endpoint.port = parts[2]
    return endpoint


cdef bytearray _frame(size_t headers_size, bytes payload):
    cdef size_t payload_max = IP_TOTAL_MAX + ETHERNET_SIZE - headers_size
    if <size_t>len(payload) > payload_max:
        raise ValueError(f"net: payload: {len(payload)} bytes; give at most {payload_max}")
    return bytearray(headers_size) + payload


def build_udp(
    tuple source not None, tuple target not None, bytes payload not None, uint16_t ip_id=0
) -> bytes:
    """Return a frame around payload. An end is (mac, ip, port), ip as a number."""
    cdef dp_net_endpoint us = _endpoint(source)
    cdef dp_net_endpoint them = _endpoint(target)
    cdef bytearray frame = _frame(DP_NET_UDP_HEADERS_SIZE, payload)
    dp_net_build_udp(<uint8_t *><char *>frame, &us, &them, <uint32_t>len(payload), ip_id)
    return bytes(frame)


def build_tcp(
    tuple source not None,
    tuple target not None,
    bytes payload not None,
    uint32_t seq=0,
    uint32_t ack=0,
    uint16_t ip_id=0,
) -> bytes:
    """Return a frame around payload, flags PSH and ACK."""
    cdef dp_net_endpoint us = _endpoint(source)
    cdef dp_net_endpoint them = _endpoint(target)
    cdef bytearray frame = _frame(DP_NET_TCP_HEADERS_SIZE, payload)
    dp_net_build_tcp(
        <uint8_t *><char *>frame, &us, &them, <uint32_t>len(payload), ip_id, seq, ack)
    return bytes(frame)
