"""The pins of ``dp_card``: clock and reset, registers, frames in and out on its two ways."""

from __future__ import annotations

import cocotb
from cocotb.clock import Clock
from cocotb.triggers import FallingEdge, ReadOnly

CONTROL, FEED_PORT, EXPECTED, SESSION = 0x030, 0x040, 0x048, 0x060
QTY_MAX, PRICE_MAX, CREDIT = 0x050, 0x054, 0x058
SLOT, BUILD, FRAME, LAYOUT, FIELDS, BUILT = 0x070, 0x074, 0x1000, 0x1080, 0x1100, 0x1180
TIME, STAMP, COUNTERS, ARMED = 0x078, 0x080, 0x100, 0x2000
FILTER, ARBITRATE, GATE, HALT = 1, 2, 4, 8
ANY = 0xFFFFFFFF
CYCLES_MAX = 10_000  # a card that needs more for a frame hangs


class Bus:
    """Pins are set while the clock is low, and looked at before it rises."""

    def __init__(self, card) -> None:
        self.card = card

    @classmethod
    async def start(cls, card) -> Bus:
        for pin in ("register_write", "in_valid", "in_last", "out_valid", "out_last"):
            getattr(card, pin).value = 0
        cocotb.start_soon(Clock(card.clk, 4, unit="ns").start())
        card.reset.value = 1
        await FallingEdge(card.clk)
        await FallingEdge(card.clk)
        card.reset.value = 0
        return cls(card)

    async def write(self, offset: int, value: int) -> None:
        card = self.card
        card.register_at.value, card.register_in.value = offset, value
        card.register_write.value = 1
        await FallingEdge(card.clk)
        card.register_write.value = 0

    async def read(self, offset: int) -> int:
        self.card.register_at.value = offset
        await ReadOnly()
        value = int(self.card.register_out.value)
        await FallingEdge(self.card.clk)
        return value

    async def write_words(self, offset: int, data: bytes) -> None:
        for at in range(0, len(data), 4):
            await self.write(offset + at, int.from_bytes(data[at : at + 4], "big"))

    async def count(self, index: int) -> int:
        low = await self.read(COUNTERS + 8 * index)
        return (await self.read(COUNTERS + 8 * index + 4)) << 32 | low

    async def push(self, way: str, frame: bytes, pauses: int = 0) -> bytes:
        """Send a frame in on ``in`` or ``out``; return what passes. ``pauses``: one byte in so many
        comes a cycle late."""
        pins = [getattr(self.card, f"{way}_{name}") for name in ("valid", "last", "byte")]
        valid, last, byte = pins
        assert getattr(self.card, f"{way}_ready").value == 1
        for at, value in enumerate(frame):
            if pauses and at % pauses == 0:
                valid.value = 0
                await FallingEdge(self.card.clk)
            valid.value, byte.value, last.value = 1, value, at + 1 == len(frame)
            await FallingEdge(self.card.clk)
        valid.value = 0
        return await self._take(way)

    async def _take(self, way: str) -> bytes:
        names = ("passed_valid", "passed_end", "passed_byte")
        valid, end, byte = (getattr(self.card, f"{way}_{name}") for name in names)
        passed = bytearray()
        for _ in range(CYCLES_MAX):
            await ReadOnly()
            if end.value == 1:
                await FallingEdge(self.card.clk)
                return bytes(passed)
            if valid.value == 1:
                passed.append(int(byte.value))
            await FallingEdge(self.card.clk)
        raise AssertionError(f"{way}: no end of the frame after {CYCLES_MAX} cycles")
