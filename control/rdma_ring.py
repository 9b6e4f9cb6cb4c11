"""A ring of records in memory that another host writes by RDMA: its layout, writer and reader.

    slot   sequence (8)   size (4)   crc32 (4)   payload

The reader owns the memory. A slot holds a record when its sequence is the one that is waited for,
and the CRC over sequence, size and payload is right: so nothing depends on the order in which a
card writes a record's bytes, and a record that was torn is one that is not there yet. Records are
numbered from 1; an empty slot has 0. The writer sends no more than the ring holds beyond what the
reader said it has taken. Pure: bytes in, bytes out.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass

HEAD = struct.Struct(">QII")
SLOTS_MAX = 1 << 16
PAYLOAD_MAX = 1 << 16


@dataclass(frozen=True)
class Ring:
    """How many slots, and how long a payload may be."""

    slots: int
    payload_bytes: int

    def __post_init__(self) -> None:
        if not 2 <= self.slots <= SLOTS_MAX:
            raise ValueError(f"ring: {self.slots} slots; give 2 to {SLOTS_MAX}")
        if not 1 <= self.payload_bytes <= PAYLOAD_MAX:
            raise ValueError(f"ring: payload of {self.payload_bytes}; give 1 to {PAYLOAD_MAX}")

    @property
    def slot_bytes(self) -> int:
        """Bytes from one slot to the next: whole cache lines."""
        return (HEAD.size + self.payload_bytes + 63) // 64 * 64

    @property
    def bytes(self) -> int:
        """Bytes of the whole ring."""
        return self.slots * self.slot_bytes

    def offset(self, sequence: int) -> int:
        """Return where that record stands."""
        return (sequence - 1) % self.slots * self.slot_bytes


def pack(sequence: int, payload: bytes) -> bytes:
    """Return the record's bytes."""
    head = struct.pack(">QI", sequence, len(payload))
    return HEAD.pack(sequence, len(payload), zlib.crc32(payload, zlib.crc32(head))) + payload


class Writer:
    """The end that has records; ``write(offset, bytes)`` puts bytes into the other's memory."""

    def __init__(self, ring: Ring, write: Callable[[int, bytes], None]) -> None:
        self.ring, self._write = ring, write
        self.written = 0

    def push(self, payload: bytes, taken: int) -> bool:
        """Write a record. False when the ring is full: the reader has taken ``taken`` so far."""
        if len(payload) > self.ring.payload_bytes:
            raise ValueError(
                f"ring: record of {len(payload)}; its slots take {self.ring.payload_bytes}"
            )
        if self.written - taken >= self.ring.slots:
            return False
        self.written += 1
        self._write(self.ring.offset(self.written), pack(self.written, payload))
        return True


class Reader:
    """The end whose memory it is; ``read(offset, size)`` returns bytes of it."""

    def __init__(self, ring: Ring, read: Callable[[int, int], bytes]) -> None:
        self.ring, self._read = ring, read
        self.taken = 0

    def pop(self) -> bytes | None:
        """Return the next record; None when it is not there, or not whole, yet."""
        at = self.ring.offset(self.taken + 1)
        sequence, size, crc = HEAD.unpack(self._read(at, HEAD.size))
        if sequence != self.taken + 1 or size > self.ring.payload_bytes:
            return None
        payload = self._read(at + HEAD.size, size)
        if zlib.crc32(payload, zlib.crc32(struct.pack(">QI", sequence, size))) != crc:
            return None
        self.taken += 1
        return payload
