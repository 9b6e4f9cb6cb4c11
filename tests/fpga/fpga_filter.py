"""The way in: the instrument filter and arbitration against a model in Python and scapy's sums."""

from __future__ import annotations

import random
import struct

import cocotb
import fpga_bus as bus
from scapy.layers.inet import IP, UDP
from scapy.layers.l2 import Dot1Q, Ether

PORT = 26477
SESSION = b"0000000001"
FLOW = [bytes([letter]) for letter in b"AFECXDUPQBI"]
FRAMES_IN, OTHER, TWICE, MESSAGES, EMPTIED = range(5)


def packet(rng: random.Random, sequence: int, messages: list[bytes], tags: int = 0) -> Ether:
    blocks = b"".join(struct.pack(">H", len(message)) + message for message in messages)
    payload = SESSION + struct.pack(">QH", sequence, len(messages)) + blocks
    frame = Ether(dst="01:00:5e:36:0c:01", src="02:00:00:00:00:01")
    for _ in range(tags):
        frame /= Dot1Q(vlan=rng.randrange(1, 4095))
    return frame / IP(src="10.7.0.1", dst="233.54.12.1") / UDP(dport=PORT) / payload


def message(rng: random.Random) -> bytes:
    locate = rng.choice([0, rng.randrange(64), rng.randrange(65536)])
    kind = rng.choice(b"AAAFECXDUPQBIRHYS")
    return bytes([kind]) + struct.pack(">H", locate) + rng.randbytes(rng.randrange(8, 40))


def is_wanted(data: bytes, armed: set[int]) -> bool:
    locate = struct.unpack(">H", data[1:3])[0]
    return data[:1] not in FLOW or locate == 0 or locate in armed


def expected(
    rng_state, rng: random.Random, sequence: int, messages: list[bytes], tags: int, armed: set[int]
) -> bytes:
    """Return the frame with unwanted messages empty and no UDP sum; as it was if none is."""
    rng.setstate(rng_state)
    kept = [data if is_wanted(data, armed) else b"" for data in messages]
    frame = packet(rng, sequence, kept, tags)
    if kept != messages:
        frame[UDP].chksum = 0
    return bytes(frame)


@cocotb.test()
async def random_frames_come_out_as_the_model_says(card):
    pins = await bus.Bus.start(card)
    rng = random.Random(7)
    armed = set(rng.sample(range(64), 20)) | {40000}
    for word in range(2):
        bits = sum(1 << locate % 32 for locate in armed if locate // 32 == word)
        await pins.write(bus.ARMED + 4 * word, bits)
    await pins.write(bus.ARMED + 4 * (40000 // 32), 1 << 40000 % 32)
    await pins.write(bus.CONTROL, bus.FILTER)
    emptied = 0
    for round_ in range(60):
        messages = [message(rng) for _ in range(rng.randrange(6))]
        tags = rng.randrange(3)
        state = rng.getstate()
        frame = bytes(packet(rng, 1 + round_, messages, tags))
        wanted = expected(state, rng, 1 + round_, messages, tags, armed)
        assert await pins.push("in", frame, pauses=rng.choice([0, 0, 3])) == wanted
        emptied += sum(not is_wanted(data, armed) for data in messages)
    assert await pins.count(FRAMES_IN) == 60
    assert await pins.count(EMPTIED) == emptied > 50


@cocotb.test()
async def what_is_no_feed_passes_as_it_is(card):
    pins = await bus.Bus.start(card)
    rng = random.Random(8)
    await pins.write(bus.CONTROL, bus.FILTER)
    await pins.write(bus.FEED_PORT, PORT)
    await pins.write(bus.ARMED, 0)  # a reset leaves what the test before armed
    good = packet(rng, 1, [b"A\0\x05" + bytes(33)])
    for change in (
        lambda frame: frame[UDP].setfieldval("dport", PORT + 1),
        lambda frame: frame[UDP].setfieldval("chksum", 0x1234),
        lambda frame: frame[IP].setfieldval("chksum", 0x1234),
        lambda frame: frame[IP].setfieldval("frag", 1),
        lambda frame: frame[IP].setfieldval("proto", 6),
        lambda frame: frame.setfieldval("type", 0x86DD),
    ):
        frame = good.copy()
        change(frame)
        assert await pins.push("in", bytes(frame)) == bytes(frame)
    assert await pins.count(OTHER) == 6
    assert len(await pins.push("in", bytes(good))) == len(good) - 36


@cocotb.test()
async def the_second_copy_is_dropped(card):
    pins = await bus.Bus.start(card)
    rng = random.Random(9)
    await pins.write(bus.CONTROL, bus.ARBITRATE)
    await pins.write_words(bus.SESSION, SESSION + bytes(2))
    await pins.write(bus.EXPECTED, 1)
    await pins.write(bus.EXPECTED + 4, 0)
    seen = 1
    for _ in range(60):
        messages = [message(rng) for _ in range(rng.randrange(1, 4))]
        sequence = max(1, seen + rng.randrange(-4, 3))
        frame = bytes(packet(rng, sequence, messages))
        end = sequence + len(messages)
        assert await pins.push("in", frame) == (b"" if end <= seen else frame)
        if sequence <= seen:
            seen = max(seen, end)
    assert await pins.read(bus.EXPECTED) == seen > 20
    assert await pins.count(TWICE) > 5


@cocotb.test()
async def the_stamp_is_when_the_frame_began(card):
    pins = await bus.Bus.start(card)
    await pins.write(bus.TIME, 0xFFFFFF00)
    await pins.write(bus.TIME + 4, 0x12)
    before = await pins.read(bus.TIME)
    await pins.push("in", bytes(packet(random.Random(1), 1, [])))
    stamp = await pins.read(bus.STAMP)
    assert stamp == before + 4, "a byte a cycle of 4 ns, the cycle behind the reading"
    after = (await pins.read(bus.TIME + 4)) << 32 | await pins.read(bus.TIME)
    assert after > 0x13_0000_0000, "the low half ran over"
