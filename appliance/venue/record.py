"""Reads a venue's record of truth: every packet in and out, with its time and session.

docs/venue.md has the format. A file that ends in the middle of a record, as after a kill, is read
up to there.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from appliance.errors import CommandError
from appliance.venue import messages
from appliance.venue.messages import Seen

MAGIC = b"TPVENUE1"
HEADER = struct.Struct("<IBBHIIQq")
NONE = 0xFFFFFFFF
NO_ACCOUNT = 0xFFFF
# By the number of a record's kind.
KINDS = (
    "", "connected", "closed", "in", "out", "report", "line", "lost", "request", "reply",
)  # fmt: skip
REQUESTS = {"O": "enter", "U": "replace", "X": "cancel", "M": "modify", "Q": "query",
            "C": "mass_cancel", "D": "disable", "E": "enable"}  # fmt: skip


class Record(NamedTuple):
    """One record. What it is about no connection or account has None there."""

    kind: str
    venue: int
    account: int | None
    connection: int | None
    sequence: int
    time_ns: int
    data: bytes

    @property
    def report(self) -> Seen:
        """Return a report in words."""
        return messages.see_report(self.data[3:])


def parse(data: bytes) -> Iterator[Record]:
    """Return the records of bytes that hold nothing else."""
    at = 0
    while at + HEADER.size <= len(data):
        size, kind, venue, account, connection, _, sequence, time_ns = HEADER.unpack_from(data, at)
        end = at + HEADER.size + size
        if end > len(data):
            return
        yield Record(
            KINDS[kind] if kind < len(KINDS) else f"kind {kind}",
            venue,
            None if account == NO_ACCOUNT else account,
            None if connection == NONE else connection,
            sequence,
            time_ns,
            data[at + HEADER.size : end],
        )
        at += (HEADER.size + size + 7) // 8 * 8


def read(path: str) -> Iterator[Record]:
    """Return the records of a file, or raise CommandError."""
    try:
        with open(path, "rb") as file:
            data = file.read()
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}; give a venue's record") from None
    if not data.startswith(MAGIC):
        raise CommandError(f"{path}: begins with no {MAGIC.decode()}; give a venue's record")
    return parse(data[len(MAGIC) :])


def fills(records: Iterator[Record], account: int) -> dict[tuple[int, int], int]:
    """Return what an account was told it traded: quantity by (user_ref_num, match number).

    This is what the journal of a client at that account must hold, once each.
    """
    found: dict[tuple[int, int], int] = {}
    for record in records:
        if record.kind != "report" or record.account != account:
            continue
        fields = record.report.fields
        key = (int(fields.get("user_ref_num", 0)), int(fields.get("match_number", 0)))
        if record.report.name == "order_executed":
            found[key] = int(fields["quantity"])
        elif record.report.name == "broken_trade":
            found.pop(key, None)
    return found
