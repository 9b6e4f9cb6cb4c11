"""The way out: limits, credit and the kill switch over frames that scapy makes."""

from __future__ import annotations

import random
import struct

import cocotb
import fpga_bus as bus
from scapy.layers.inet import IP, TCP, UDP
from scapy.layers.l2 import ARP, Dot1Q, Ether

SENT, ORDERS, HALTED, QTY, PRICE, CREDIT, UNCLEAR = range(5, 12)  # of the card's counters


def enter(qty: int, price: int, options: bytes = b"") -> bytes:
    """Return an OUCH 5.0 Enter Order."""
    return (struct.pack(">cIcI8sQ", b"O", 1, b"B", qty, b"AAPL    ", price) + b"0YPNN"
            + b"TP00000001".ljust(14) + struct.pack(">H", len(options)) + options)  # fmt: skip


def replace(qty: int, price: int) -> bytes:
    return struct.pack(">cIIIQ", b"U", 1, 2, qty, price) + b"0YN" + bytes(14) + bytes(2)


CANCEL = struct.pack(">cII", b"X", 1, 0)


def frame(*messages: bytes, kind: bytes = b"U", tags: int = 0) -> bytes:
    payload = b"".join(struct.pack(">Hc", len(data) + 1, kind) + data for data in messages)
    head = Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02")
    for _ in range(tags):
        head /= Dot1Q(vlan=7)
    return bytes(head / IP(src="10.7.0.2", dst="10.7.0.1") / TCP(dport=15000, flags="PA") / payload)


async def leaves(pins: bus.Bus, data: bytes) -> bool:
    passed = await pins.push("out", data)
    assert passed in (b"", data), "as it was or not at all"
    return passed == data


@cocotb.test()
async def halted_only_what_is_no_order_leaves(card):
    pins = await bus.Bus.start(card)
    assert await leaves(pins, frame(enter(1, 1)))
    await pins.write(bus.CONTROL, bus.HALT)
    for tags in range(3):
        assert not await leaves(pins, frame(enter(1, 1), tags=tags))
    assert not await leaves(pins, frame(CANCEL, replace(1, 1)))
    assert await leaves(pins, frame(CANCEL, CANCEL))
    assert await leaves(pins, frame(b"", kind=b"R")), "a heartbeat"
    assert await leaves(pins, bytes(Ether() / ARP()))
    assert await leaves(pins, bytes(Ether() / IP() / UDP(dport=53) / (b"O" * 47)))
    await pins.write(bus.CONTROL, 0)
    assert await leaves(pins, frame(enter(1, 1)))
    assert await pins.count(HALTED) == 4


@cocotb.test()
async def limits_hold_to_the_unit(card):
    pins = await bus.Bus.start(card)
    rng = random.Random(5)
    await pins.write(bus.CONTROL, bus.GATE)
    await pins.write(bus.QTY_MAX, 1000)
    await pins.write(bus.PRICE_MAX, 50000)
    for _ in range(60):
        qty = rng.choice([1, 999, 1000, 1001, 0xFFFFFFFF])
        price = rng.choice([1, 49999, 50000, 50001, 1 << 32, (1 << 64) - 1])
        make = rng.choice([enter, replace])
        ok = qty <= 1000 and price <= 50000
        assert await leaves(pins, frame(make(qty, price), tags=rng.randrange(3))) == ok
    assert await pins.count(QTY) > 5 and await pins.count(PRICE) > 5


@cocotb.test()
async def credit_is_spent_by_whole_frames(card):
    pins = await bus.Bus.start(card)
    await pins.write(bus.CONTROL, bus.GATE)
    await pins.write(bus.CREDIT, 3)
    pair = frame(enter(1, 1), replace(1, 1))
    assert await leaves(pins, pair)
    assert not await leaves(pins, pair)
    assert await leaves(pins, frame(enter(1, 1)))
    assert not await leaves(pins, frame(enter(1, 1)))
    assert await leaves(pins, frame(CANCEL))
    assert await pins.read(bus.CREDIT) == 0
    assert await pins.count(CREDIT) == 2 and await pins.count(ORDERS) == 3


@cocotb.test()
async def what_may_hide_an_order_does_not_leave(card):
    pins = await bus.Bus.start(card)
    await pins.write(bus.CONTROL, bus.HALT)
    whole = frame(CANCEL)
    cut = Ether(whole)
    cut[IP].frag = 3
    del cut[IP].chksum
    long = bytearray(whole)
    long[54:56] = struct.pack(">H", 200)
    bad_options = enter(1, 1, options=b"\x05\x01\x00")
    for data in (whole[:-1], whole[:30], bytes(cut), bytes(long), frame(bad_options),
                 frame(enter(1, 1)[:-1])):  # fmt: skip
        assert not await leaves(pins, data)
    assert await pins.count(UNCLEAR) == 6
