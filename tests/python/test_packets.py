"""Odd packets, built by scapy; two lossy MoldUDP64 lines against the union of what they carry."""

from __future__ import annotations

import random
import struct
from collections.abc import Callable
from dataclasses import dataclass

import pytest
from scapy.layers.inet import IP, TCP, UDP, IPOption_Router_Alert
from scapy.layers.inet6 import IPv6
from scapy.layers.l2 import ARP, Dot1AD, Dot1Q, Ether
from scapy.packet import Packet, Raw

from dataplane import moldudp, net
from dataplane.errors import DataplaneError

ETHER = Ether(src="02:00:00:00:00:01", dst="01:00:5e:36:0c:65")
IP_HEADER = IP(src="10.0.0.1", dst="233.54.12.101", id=1)
UDP_HEADER = UDP(sport=1234, dport=26477)
TCP_HEADER = TCP(sport=1234, dport=5000, seq=7, ack=9, flags="PA")
PAYLOAD = b"hello, packet"
UDP_FRAME = ETHER / IP_HEADER / UDP_HEADER / PAYLOAD


def raw(packet: Packet) -> bytes:
    return bytes(packet)


def flipped(frame: bytes, at: int) -> bytes:
    return frame[:at] + bytes([frame[at] ^ 0x40]) + frame[at + 1 :]


def tagged(*tags: Packet) -> bytes:
    packet = ETHER
    for tag in tags:
        packet = packet / tag
    return raw(packet / IP_HEADER / UDP_HEADER / PAYLOAD)


READABLE: dict[str, tuple[bytes, dict[str, object]]] = {
    "plain udp": (raw(UDP_FRAME), {"vlan": 0, "protocol": 17}),
    "padded to 60 bytes": (
        raw(ETHER / IP_HEADER / UDP_HEADER / b"hi") + bytes(16),
        {"payload": b"hi"},
    ),
    "no payload": (raw(ETHER / IP_HEADER / UDP_HEADER), {"payload": b""}),
    "vlan": (tagged(Dot1Q(vlan=7, prio=5)), {"vlan": 7}),
    "vlan in vlan": (tagged(Dot1AD(vlan=4095), Dot1Q(vlan=7)), {"vlan": 4095}),
    "two plain tags": (tagged(Dot1Q(vlan=12), Dot1Q(vlan=7)), {"vlan": 12}),
    "ip options": (
        raw(
            ETHER
            / IP(src="10.0.0.1", dst="233.54.12.101", options=[IPOption_Router_Alert()])
            / UDP_HEADER
            / PAYLOAD
        ),
        {},
    ),
    "zero udp checksum": (
        raw(ETHER / IP_HEADER / UDP(sport=1234, dport=26477, chksum=0) / PAYLOAD),
        {},
    ),
    "do not fragment": (
        raw(ETHER / IP(src="10.0.0.1", dst="233.54.12.101", flags="DF") / UDP_HEADER / PAYLOAD),
        {},
    ),
    "tcp": (
        raw(ETHER / IP_HEADER / TCP_HEADER / PAYLOAD),
        {"protocol": 6, "tcp_seq": 7, "tcp_ack": 9, "tcp_flags": 0x18, "target_port": 5000},
    ),
    "tcp with options": (
        raw(
            ETHER
            / IP_HEADER
            / TCP(
                sport=1234, dport=5000, flags="SA", options=[("MSS", 1460), ("Timestamp", (1, 2))]
            )
            / PAYLOAD
        ),
        {"protocol": 6, "tcp_flags": 0x12, "target_port": 5000},
    ),
}

REFUSED: dict[str, tuple[bytes, str]] = {
    "empty": (b"", "short"),
    "cut in ethernet": (raw(UDP_FRAME)[:13], "short"),
    "cut in a tag": (tagged(Dot1Q(vlan=7))[:17], "short"),
    "cut in ip": (raw(UDP_FRAME)[:30], "short"),
    "cut in udp": (raw(UDP_FRAME)[:40], "short"),
    "cut in the payload": (raw(UDP_FRAME)[:-1], "short"),
    "three tags": (tagged(Dot1Q(vlan=1), Dot1Q(vlan=2), Dot1Q(vlan=3)), "other"),
    "arp": (raw(ETHER / ARP()), "other"),
    "ip version 6": (raw(ETHER / IPv6() / UDP_HEADER / PAYLOAD), "other"),
    "icmp": (raw(ETHER / IP(src="10.0.0.1", dst="10.0.0.2", proto=1) / Raw(PAYLOAD)), "other"),
    "first fragment": (
        raw(ETHER / IP(src="10.0.0.1", dst="10.0.0.2", flags="MF") / UDP_HEADER / PAYLOAD),
        "fragment",
    ),
    "last fragment": (
        raw(ETHER / IP(src="10.0.0.1", dst="10.0.0.2", frag=3, proto=17) / Raw(PAYLOAD)),
        "fragment",
    ),
    "wrong ip checksum": (raw(ETHER / IP(chksum=1) / UDP_HEADER / PAYLOAD), "checksum"),
    "wrong udp checksum": (flipped(raw(UDP_FRAME), 50), "checksum"),
    "wrong tcp checksum": (flipped(raw(ETHER / IP_HEADER / TCP_HEADER / PAYLOAD), 60), "checksum"),
    "udp longer than ip": (
        raw(ETHER / IP_HEADER / UDP(sport=1, dport=2, len=99, chksum=0) / PAYLOAD),
        "malformed",
    ),
    "udp shorter than itself": (
        raw(ETHER / IP_HEADER / UDP(sport=1, dport=2, len=7, chksum=0) / PAYLOAD),
        "malformed",
    ),
    "tcp header past its end": (
        raw(ETHER / IP_HEADER / TCP(sport=1, dport=2, dataofs=15) / b"x"),
        "malformed",
    ),
    "no room for udp": (raw(ETHER / IP(proto=17) / Raw(b"1234567")), "malformed"),
}


@pytest.mark.parametrize("name", READABLE)
def test_odd_but_right_packets_are_read(name: str) -> None:
    frame, differs = READABLE[name]
    packet = net.parse(frame)
    assert not isinstance(packet, str), packet
    wanted = {
        "payload": PAYLOAD,
        "source_ip": 0x0A000001,
        "target_ip": 0xE9360C65,
        "source_port": 1234,
        "target_port": 26477,
        "protocol": 17,
        "tcp_flags": 0,
        "vlan": 0,
        "tcp_seq": 0,
        "tcp_ack": 0,
        **differs,
    }
    assert packet == wanted


@pytest.mark.parametrize("name", REFUSED)
def test_other_packets_are_refused_with_a_name(name: str) -> None:
    frame, reason = REFUSED[name]
    assert net.parse(frame) == reason


@pytest.mark.parametrize("name", [name for name in REFUSED if "checksum" in name])
def test_checksums_are_checked_only_when_wanted(name: str) -> None:
    assert isinstance(net.parse(REFUSED[name][0], check_checksums=False), dict)


BUILDERS: dict[str, tuple[Callable[..., bytes], Packet]] = {
    "udp": (net.build_udp, UDP(sport=1234, dport=5000)),
    "tcp": (net.build_tcp, TCP(sport=1234, dport=5000, seq=0, ack=0, flags="PA", window=65535)),
}


@pytest.mark.parametrize("size", [0, 1, 2, 3, 47, 1400])
@pytest.mark.parametrize("protocol", BUILDERS)
def test_built_frames_are_those_of_scapy(protocol: str, size: int) -> None:
    build, header = BUILDERS[protocol]
    payload = random.Random(size).randbytes(size)
    ours = build(
        (bytes.fromhex("020000000001"), 0x0A000001, 1234),
        (bytes.fromhex("01005e360c65"), 0xE9360C65, 5000),
        payload,
        ip_id=9,
    )
    theirs = ETHER / IP(src="10.0.0.1", dst="233.54.12.101", id=9, flags="DF") / header / payload
    assert ours == raw(theirs)


def test_a_payload_that_fits_no_packet_is_refused() -> None:
    end = (bytes(6), 1, 1)
    assert len(net.build_udp(end, end, bytes(65507))) == 65549
    with pytest.raises(ValueError, match="net: payload: 65508 bytes; give at most 65507"):
        net.build_udp(end, end, bytes(65508))


# ---- MoldUDP64: two lines ----

SESSION = b"session 01"
END = 0xFFFF


def mold(sequence: int, messages: list[bytes], session: bytes = SESSION) -> bytes:
    blocks = b"".join(struct.pack(">H", len(message)) + message for message in messages)
    return session + struct.pack(">QH", sequence, len(messages)) + blocks


def mark(sequence: int, count: int) -> bytes:
    return SESSION + struct.pack(">QH", sequence, count)


@dataclass
class Arrival:
    time_ns: int
    packet: bytes
    numbers: range


def line(rng: random.Random, messages: list[bytes], loss: float) -> list[Arrival]:
    """One line's packets: its own cut, its own losses, doubles and delays."""
    arrivals = []
    sequence = 1
    while sequence <= len(messages):
        count = min(rng.choice([1, 1, 2, 3, 8]), len(messages) + 1 - sequence)
        packet = mold(sequence, messages[sequence - 1 : sequence - 1 + count])
        numbers = range(sequence, sequence + count)
        for _ in range(rng.choice([1, 1, 1, 2])):
            if rng.random() >= loss:
                delay = rng.choice([0, 0, 0, rng.randrange(3000)])
                arrivals.append(Arrival(sequence * 100 + delay, packet, numbers))
        if rng.random() < 0.05:
            beat = mark(sequence + count, 0)
            arrivals.append(Arrival(sequence * 100 + 50, beat, range(0)))
        sequence += count
    arrivals.append(Arrival(sequence * 100 + 9000, mark(sequence, END), range(0)))
    return arrivals


def gap_numbers(feed: moldudp.Feed) -> list[int]:
    return [number for first, last, _ in feed.gaps for number in range(first, last + 1)]


def scene(seed: int) -> tuple[list[bytes], list[Arrival]]:
    rng = random.Random(seed)
    messages = [rng.randbytes(rng.randrange(0, 6)) for _ in range(400)]
    loss = rng.choice([0.0, 0.05, 0.3])
    arrivals = line(rng, messages, loss) + line(rng, messages, loss)
    arrivals.sort(key=lambda arrival: arrival.time_ns)
    return messages, arrivals


@pytest.mark.parametrize("seed", range(40))
def test_two_lines_give_their_union_in_sequence(seed: int) -> None:
    messages, arrivals = scene(seed)
    feed = moldudp.Feed(hold_count_max=1000, gap_timeout_ns=10**12)
    for arrival in arrivals:
        feed.push(arrival.packet, arrival.time_ns)
    feed.poll()

    there = {number for arrival in arrivals for number in arrival.numbers}
    missing = [number for number in range(1, len(messages) + 1) if number not in there]
    delivered = [(number, data) for number, data, _ in feed.messages]
    assert delivered == [(number, messages[number - 1]) for number in sorted(there)]
    assert gap_numbers(feed) == missing
    assert feed.end_count == 1
    assert feed.expected == len(messages) + 1


@pytest.mark.parametrize("seed", range(40))
def test_with_little_patience_every_number_is_still_named_once_and_in_order(seed: int) -> None:
    messages, arrivals = scene(seed)
    feed = moldudp.Feed(hold_count_max=seed % 5, gap_timeout_ns=500)
    for arrival in arrivals:
        feed.push(arrival.packet, arrival.time_ns)
        feed.poll(arrival.time_ns)
    feed.poll()

    numbers = [number for number, _, _ in feed.messages]
    assert numbers == sorted(set(numbers))
    assert sorted(numbers + gap_numbers(feed)) == list(range(1, len(messages) + 1))
    assert all(messages[number - 1] == data for number, data, _ in feed.messages)
    times = [time_ns for _, _, time_ns in feed.messages]
    assert times == sorted(times)


@pytest.mark.parametrize("seed", range(10))
def test_random_bytes_deliver_nothing(seed: int) -> None:
    rng = random.Random(seed)
    feed = moldudp.Feed()
    for time_ns in range(200):
        assert feed.push(rng.randbytes(rng.randrange(20)), time_ns) == "malformed"
    assert feed.messages == []


def test_settings_are_refused_in_words() -> None:
    with pytest.raises(DataplaneError, match="moldudp: packet_size_max: 19; give 20 to 65535"):
        moldudp.Feed(packet_size_max=19)
