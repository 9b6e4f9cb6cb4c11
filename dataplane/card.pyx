"""Which cards this build knows, and what each offers: the face of dp_card.h for people."""

from libc.stdint cimport uint32_t

from dataplane.dp_card cimport (
    DP_CARD_CAN_ARBITRATE,
    DP_CARD_CAN_DELTA,
    DP_CARD_CAN_FILTER,
    DP_CARD_CAN_GATE,
    DP_CARD_CAN_STAMP,
    DP_CARD_CAN_TEMPLATE,
    DP_CARD_COUNT_END,
    DP_CARD_IDENTITY_SIZE,
    DP_CARD_REG_IDENTITY,
    DP_CARD_REG_VERSION,
    dp_card,
    dp_card_close,
    dp_card_count,
    dp_card_count_id,
    dp_card_count_words,
    dp_card_kind,
    dp_card_kind_at,
    dp_card_open,
    dp_card_read,
)
from dataplane.dp_err cimport dp_err, raise_err

import struct

CAPABILITIES = (
    ("filter", DP_CARD_CAN_FILTER),
    ("arbitrate", DP_CARD_CAN_ARBITRATE),
    ("template", DP_CARD_CAN_TEMPLATE),
    ("gate", DP_CARD_CAN_GATE),
    ("stamp", DP_CARD_CAN_STAMP),
    ("delta", DP_CARD_CAN_DELTA),
)


def kinds() -> list[dict]:
    """Return every backend of this build: name and words."""
    found = []
    cdef const dp_card_kind *kind
    cdef size_t index = 0
    while True:
        kind = dp_card_kind_at(index)
        if kind is NULL:
            return found
        found.append({"name": kind.name.decode(), "words": kind.words.decode()})
        index += 1


cdef class Card:
    """One card, open as long as it lives; raises DataplaneError when there is none of that name."""

    cdef dp_card *_card

    def __init__(self, name: str):
        cdef dp_err err
        if self._card is not NULL:
            dp_card_close(self._card)
        self._card = dp_card_open(name.encode(), &err)
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
