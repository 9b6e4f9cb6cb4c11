"""Does a card honour its flow rules? Frames of each flow are sent to it, and its queues counted.

The frames come from another interface of this machine that is cabled to the same switch, or is the
other end: nothing else can make a frame arrive. The counts are those of the driver, which each
names in its own way (`ethtool -S`).
"""

from __future__ import annotations

import ipaddress
import re
import socket
import struct
import time

from control import ethtool
from control.host import Host
from control.steering import RULE

FRAMES = 64
PATIENCE_S = 2.0  # drivers count when their cards report, some of them once a second
PROTOCOLS = {"tcp": socket.IPPROTO_TCP, "udp": socket.IPPROTO_UDP}
DISCARD = 9  # port of the end that a rule does not name
NOWHERE = "192.0.2.1"  # of TEST-NET-1: nobody has it
COUNTER = re.compile(r"rx[_-]?(?:queue[_-]?)?(\d+)[_.-](?:rx_)?(?:xdp_)?packets")


def queue_of(rule: str, interface: str, sender: str) -> int | None:
    """Send frames of a rule's flow; return the queue that counted them, None when none did."""
    host = Host()
    frame = build(rule, mac(host, interface), mac(host, sender))
    before = counts(interface)
    with socket.socket(socket.AF_PACKET, socket.SOCK_RAW) as raw:
        raw.bind((sender, 0))
        for _ in range(FRAMES):
            raw.send(frame)
    end = time.monotonic() + PATIENCE_S
    while time.monotonic() < end:
        now = counts(interface)
        grown = [queue for queue in now if now[queue] - before.get(queue, 0) >= FRAMES]
        if grown:
            return max(grown, key=lambda queue: now[queue] - before.get(queue, 0))
        time.sleep(0.01)
    return None


def counts(interface: str) -> dict[int, int]:
    """Return the packets that each receive queue has counted."""
    found: dict[int, int] = {}
    with ethtool.opened() as library:
        for name, value in ethtool.Card(interface, library).statistics().items():
            words = COUNTER.fullmatch(name)
            if words:
                found[int(words[1])] = found.get(int(words[1]), 0) + value
    return found


def mac(host: Host, interface: str) -> bytes:
    """Return an interface's address."""
    return bytes.fromhex((host.read(f"/sys/class/net/{interface}/address") or "").replace(":", ""))


def build(rule: str, to: bytes, sender: bytes) -> bytes:
    """Return a frame of a rule's flow; without data, so nothing that listens takes it for news."""
    words = RULE.fullmatch(rule)
    if words is None:
        raise OSError(f"{rule}: no flow to send")
    ours, other = (words[3], int(words[4])), (NOWHERE, DISCARD)
    (to_ip, to_port), (from_ip, from_port) = (
        (ours, other) if words[2] == "to" else (other, ours)
    )  # fmt: skip
    ip = ipaddress.IPv4Address(to_ip)
    if ip.is_multicast:
        to = b"\x01\x00\x5e" + bytes([ip.packed[1] & 0x7F]) + ip.packed[2:]
    if words[1] == "udp":
        payload = struct.pack("!4H", from_port, to_port, 8, 0)
    else:  # a bare acknowledgement, of no connection
        payload = struct.pack("!2H2I4H", from_port, to_port, 0, 0, 0x5010, 0, 0, 0)
    header = struct.pack(
        "!2B3H2BH4s4s", 0x45, 0, 20 + len(payload), 0, 0, 1, PROTOCOLS[words[1]], 0,
        ipaddress.IPv4Address(from_ip).packed, ip.packed,
    )  # fmt: skip
    header = header[:10] + struct.pack("!H", checksum(header)) + header[12:]
    return (to + sender + b"\x08\x00" + header + payload).ljust(60, b"\0")


def checksum(header: bytes) -> int:
    """Return the sum of an IPv4 header whose own field is 0."""
    total: int = sum(struct.unpack(f"!{len(header) // 2}H", header))
    total = (total & 0xFFFF) + (total >> 16)
    return ~((total & 0xFFFF) + (total >> 16)) & 0xFFFF
