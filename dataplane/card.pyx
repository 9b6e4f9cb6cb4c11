"""Which cards this build knows, and what each offers: the face of dp_card.h for people."""

from libc.stdint cimport uint8_t, uint32_t

from dataplane.dp_card cimport (
    DP_CARD_ARBITRATE,
    DP_CARD_CAN_ARBITRATE,
    DP_CARD_CAN_DELTA,
    DP_CARD_CAN_FILTER,
    DP_CARD_CAN_GATE,
    DP_CARD_CAN_STAMP,
    DP_CARD_CAN_TEMPLATE,
    DP_CARD_CAN_TRIGGER,
    DP_CARD_COUNT_END,
    DP_CARD_FILTER,
    DP_CARD_FRAME_MAX,
    DP_CARD_GATE,
    DP_CARD_HALT,
    DP_CARD_IDENTITY_SIZE,
    DP_CARD_REG_IDENTITY,
    DP_CARD_REG_VERSION,
    DP_CARD_SESSION_SIZE,
    dp_card,
    dp_card_arm,
    dp_card_close,
    dp_card_control,
    dp_card_count,
    dp_card_count_id,
    dp_card_count_words,
    dp_card_egress,
    dp_card_expect,
    dp_card_ingress,
    dp_card_kind,
    dp_card_kind_at,
    dp_card_open,
    dp_card_read,
    dp_card_set_time,
    dp_card_stamp,
    dp_card_time,
    dp_card_write,
)
from dataplane.dp_err cimport dp_err, raise_err

import os
import struct

CAPABILITIES = (
    ("filter", DP_CARD_CAN_FILTER),
    ("arbitrate", DP_CARD_CAN_ARBITRATE),
    ("template", DP_CARD_CAN_TEMPLATE),
    ("gate", DP_CARD_CAN_GATE),
    ("stamp", DP_CARD_CAN_STAMP),
    ("delta", DP_CARD_CAN_DELTA),
    ("trigger", DP_CARD_CAN_TRIGGER),
)


CONTROLS = {
    "filter": DP_CARD_FILTER,
    "arbitrate": DP_CARD_ARBITRATE,
    "gate": DP_CARD_GATE,
    "halt": DP_CARD_HALT,
}


def kinds() -> list[dict]:
    """Return every backend of this build: name, words, and what must be said of where it is."""
    found = []
    cdef const dp_card_kind *kind
    cdef size_t index = 0
    while True:
        kind = dp_card_kind_at(index)
        if kind is NULL:
            return found
        where = "" if kind.where is NULL else kind.where.decode()
        found.append({"name": kind.name.decode(), "words": kind.words.decode(), "where": where})
        index += 1


cdef class Card:
    """One card, open as long as it lives: ``soft``, ``pci:0000:3b:00.0``, ``rtl:/path``.

    Raises DataplaneError when there is none of that name, or it has another bitstream than the one
    whose SHA-256 is given. The methods are the functions of dp_card.h. One thread.
    """

    cdef dp_card *_card

    def __init__(self, name: str, identity: bytes = b""):
        cdef dp_err err
        if len(identity) not in (0, DP_CARD_IDENTITY_SIZE):
            raise ValueError(f"identity: {len(identity)} bytes; a SHA-256 has 32")
        cdef const uint8_t *wanted = <const uint8_t *><const char *>identity if identity else NULL
        if self._card is not NULL:
            dp_card_close(self._card)
        self._card = dp_card_open(os.fsencode(name), wanted, &err)
        if self._card is NULL:
            raise_err(&err)

    def __dealloc__(self):
        if self._card is not NULL:
            dp_card_close(self._card)

    def capabilities(self) -> dict[str, bool]:
        """Return what it can do, by hook."""
        return {name: bool(self._card.capabilities & bit) for name, bit in CAPABILITIES}

    def version(self) -> str:
        """Return the version of its register map, like 1.0."""
        cdef uint32_t version = dp_card_read(self._card, DP_CARD_REG_VERSION)
        return f"{version >> 16}.{version & 0xffff}"

    def identity(self) -> bytes:
        """Return the SHA-256 of its bitstream; zeroes where there is none."""
        words = [
            dp_card_read(self._card, DP_CARD_REG_IDENTITY + 4 * index)
            for index in range(DP_CARD_IDENTITY_SIZE // 4)
        ]
        return struct.pack(">8I", *words)

    def counters(self) -> dict[str, int]:
        """Return its counters by their words."""
        return {
            dp_card_count_words(<dp_card_count_id>index).decode():
                dp_card_count(self._card, <dp_card_count_id>index)
            for index in range(DP_CARD_COUNT_END)
        }

    def read(self, offset: int) -> int:
        """Return a register."""
        return dp_card_read(self._card, offset)

    def write(self, offset: int, value: int) -> None:
        """Write a register."""
        dp_card_write(self._card, offset, value)

    def control(self, name: str, on: bool) -> None:
        """Turn ``filter``, ``arbitrate``, ``gate`` or ``halt`` on or off, and see that it took."""
        cdef dp_err err
        if dp_card_control(self._card, CONTROLS[name], on, &err) < 0:
            raise_err(&err)

    def arm(self, stock_locate: int, armed: bool = True) -> None:
        """Let messages of that instrument through the filter, or not."""
        dp_card_arm(self._card, stock_locate, armed)

    def expect(self, session: bytes, sequence: int) -> None:
        """Say what arbitration is to expect next."""
        if len(session) != DP_CARD_SESSION_SIZE:
            raise ValueError(f"session: {len(session)} bytes; MoldUDP64 has 10")
        dp_card_expect(self._card, <const uint8_t *><const char *>session, sequence)

    def ingress(self, frame: bytes) -> bytes:
        """Return what the program gets of a frame from the wire; nothing when it is dropped."""
        cdef uint8_t out[DP_CARD_FRAME_MAX]
        size = dp_card_ingress(self._card, check_frame(frame), len(frame), out)
        return (<const char *>out)[:size]

    def egress(self, frame: bytes) -> bool:
        """Return whether a frame may leave."""
        return dp_card_egress(self._card, check_frame(frame), len(frame))

    def set_time(self, time_ns: int) -> None:
        """Set the card's clock."""
        cdef dp_err err
        if dp_card_set_time(self._card, time_ns, &err) < 0:
            raise_err(&err)

    def time(self) -> int:
        """Return the card's time in nanoseconds; 0 when it has no clock."""
        return dp_card_time(self._card)

    def stamp(self) -> int:
        """Return when the last frame from the wire began, by the card's clock."""
        return dp_card_stamp(self._card)


cdef const uint8_t *check_frame(bytes frame) except NULL:
    if not 0 < len(frame) <= DP_CARD_FRAME_MAX:
        raise ValueError(f"frame: {len(frame)} bytes; a card takes 1 to {DP_CARD_FRAME_MAX}")
    return <const uint8_t *><const char *>frame
