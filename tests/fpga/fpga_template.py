"""Order templates: frames patched byte by byte against scapy, which sums everything anew."""

from __future__ import annotations

import random
import struct

import cocotb
import fpga_bus as bus
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

# Register of the field, width, and where its offset stands in the layout.
NUMBER, ORIGINAL, QTY, PRICE, SEQ, ACK, ID, LETTERS = range(8)
EDGES = (0, 1, 0x7FFF, 0x8000, 0xFFFE, 0xFFFF, 0xFFFF0000, 0xFFFFFFFF)


def folded(data: bytes) -> int:
    """Return the one's complement sum of words, from 0 to 0xffff."""
    total = sum(struct.unpack(f">{len(data) // 2}H", data[: len(data) // 2 * 2]))
    total += data[-1] << 8 if len(data) % 2 else 0
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def blank(rng: random.Random, payload_size: int) -> bytes:
    """Return a frame whose fields are 0 in the header; the payload's are made 0 by its maker."""
    head = Ether(dst="02:00:00:00:00:01", src="02:00:00:00:00:02") / IP(
        src="10.7.0.2", dst="10.7.0.1", id=0, proto=6
    )
    frame = bytearray(bytes(head / TCP(sport=4000, dport=15000, flags="PA") / bytes(payload_size)))
    frame[54:] = rng.randbytes(payload_size)
    frame[38:46] = bytes(8)
    frame[24:26] = frame[50:52] = bytes(2)
    return bytes(frame)


def summed(frame: bytes) -> bytes:
    """Return the frame with both checksums right, by scapy."""
    packet = Ether(frame)
    del packet[IP].chksum, packet[TCP].chksum
    return bytes(packet)


class Template:
    """A random template: places for every field, none over another, at odd and even offsets."""

    def __init__(self, rng: random.Random) -> None:
        payload = rng.randrange(40, 74)
        frame = bytearray(blank(rng, payload))
        self.places = {}
        at = 54 + rng.randrange(3)
        fields = [("number", 4), ("original", 4), ("side", 1), ("qty", 4), ("price", 8),
                  ("force", 1), ("digits", 8)]  # fmt: skip
        rng.shuffle(fields)
        for name, width in fields:
            at += rng.randrange(2)
            self.places[name] = at
            frame[at : at + width] = bytes(width)
            at += width
        for name in rng.sample(["original", "side", "qty", "price", "force", "digits"], 2):
            self.places[name] = 0  # this one it has not
        self.frame = bytes(frame)

    def layout(self) -> bytes:
        at = self.places
        pseudo = self.frame[26:34] + struct.pack(">HH", 6, len(self.frame) - 34)
        sizes = struct.pack(">HH", len(self.frame), len(self.frame) - 54)
        names = ("number", "original", "side", "qty", "price", "force", "digits")
        offsets = bytes([18, 38, 42, *(at[name] for name in names), 0, 0])
        sums = struct.pack(">II", folded(pseudo + self.frame[34:]), folded(self.frame[14:34]))
        return sizes + offsets + sums

    def built(self, values: list[int]) -> bytes:
        frame = bytearray(self.frame)
        letters = values[LETTERS]

        def put(offset: int, data: bytes) -> None:
            if offset:
                frame[offset : offset + len(data)] = data

        put(18, struct.pack(">H", values[ID] & 0xFFFF))
        put(38, struct.pack(">II", values[SEQ], values[ACK]))
        put(self.places["number"], struct.pack(">I", values[NUMBER]))
        put(self.places["original"], struct.pack(">I", values[ORIGINAL]))
        put(self.places["side"], bytes([letters >> 8]))
        put(self.places["qty"], struct.pack(">I", values[QTY]))
        put(self.places["price"], struct.pack(">Q", values[PRICE]))
        put(self.places["force"], bytes([letters & 0xFF]))
        put(self.places["digits"], b"%08X" % values[NUMBER])
        return summed(bytes(frame))


def some_values(rng: random.Random) -> list[int]:
    def word() -> int:
        return rng.choice([rng.choice(EDGES), rng.getrandbits(32)])

    return [word(), word(), word(), word() << 32 | word(), word(), word(), word() & 0xFFFF,
            rng.getrandbits(16)]  # fmt: skip


async def build(pins: bus.Bus, slot: int, values: list[int]) -> bytes:
    words = [*values[:PRICE], values[PRICE] >> 32, values[PRICE] & 0xFFFFFFFF, *values[SEQ:]]
    await pins.write(bus.SLOT, slot)
    await pins.write_words(bus.FIELDS, struct.pack(">9I", *words))
    await pins.write(bus.BUILD, 1)
    for _ in range(bus.CYCLES_MAX):
        size = await pins.read(bus.BUILD)
        if not size >> 31:
            break
    words = [await pins.read(bus.BUILT + at) for at in range(0, size, 4)]
    return struct.pack(f">{len(words)}I", *words)[:size]


@cocotb.test()
async def every_frame_has_the_bytes_and_sums_of_one_made_anew(card):
    pins = await bus.Bus.start(card)
    rng = random.Random(11)
    for slot in (0, 1, 31, 63):
        template = Template(rng)
        await pins.write(bus.SLOT, slot)
        await pins.write_words(bus.FRAME, template.frame.ljust(128, b"\0"))
        await pins.write_words(bus.LAYOUT, template.layout())
        for _ in range(25):
            values = some_values(rng)
            assert await build(pins, slot, values) == template.built(values)


@cocotb.test()
async def a_slot_that_nothing_was_loaded_into_builds_nothing(card):
    pins = await bus.Bus.start(card)
    assert await build(pins, 40, [0] * 8) == b""
    await pins.write_words(bus.LAYOUT, struct.pack(">HH", 129, 0))
    assert await build(pins, 40, [0] * 8) == b"", "no longer than a slot"
