"""Which session of ours is which account of the venue, and what each of both said.

The journal knows a session by its place in the configuration, the venue by its account. The first
request that the venue saw of a session tells which belongs to which.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, NamedTuple

from appliance.errors import CommandError
from appliance.reconcile_answers import (
    Answer,
    answers_that_differ,
    applied_answers,
    told_answers,
)
from appliance.venue import record
from dataplane.ouch import decode

REQUESTS = {"O": "order", "U": "replace"}


class Received(NamedTuple):
    """A request that the venue has seen: its message and number, and whose it was."""

    key: tuple[str, int]
    account: int


class Sides:
    """A journal's events and a venue's record, taken apart by session."""

    def __init__(
        self, events: list[dict[str, Any]], tape: str, accounts: list[int] | None = None
    ) -> None:
        self.events = events
        packets, logged_in = by_account(tape)
        self.accounts = sorted(accounts or logged_in)
        if not self.accounts:
            raise CommandError(f"{tape}: nobody has logged in; is it the record of that venue?")
        self.packets = {one: packets.get(one, []) for one in self.accounts}
        self.told = {one: told_answers(packets) for one, packets in self.packets.items()}
        self.received = [
            one for account in self.accounts for one in received(self.packets[account], account)
        ]
        self.account_of: dict[int, int] = {}  # by session
        self.session_of = sessions_of(events)  # by number
        for one in self.received:
            session = self.session_of.get(one.key[1])
            if session is not None:
                self.account_of.setdefault(session, one.account)

    def told_fills(self) -> dict[tuple[int, int], int]:
        """Return the executions that the venue reported: quantity by (number, match number)."""
        found: dict[tuple[int, int], int] = {}
        for account in self.accounts:
            found |= record.fills(iter(self.packets[account]), account)
        return found

    def told_answers(self) -> list[Answer]:
        """Return every answer of the venue, session by session."""
        return [one for account in self.accounts for one in self.told[account]]

    def answers_that_differ(self) -> Iterator[tuple[str, str]]:
        """Name messages and answers without an equal: each session counts for itself."""
        matched = set()
        for session in sorted({event["session"] for event in self.events}):
            account = self.account_of.get(session)
            matched.add(account)
            told = self.told[account] if account is not None else []
            ours = [event for event in self.events if event["session"] == session]
            yield from answers_that_differ(told, applied_answers(ours))
        for account in self.accounts:
            if account not in matched:
                yield from answers_that_differ(self.told[account], [])

    def sessions_that_differ(self) -> Iterator[tuple[str, str]]:
        """Name requests that came by another session than that of their order."""
        for one in self.received:
            kind, number = one.key
            session = self.session_of.get(number)
            if session is not None and self.account_of[session] != one.account:
                yield (
                    "wrong session",
                    f"{REQUESTS[kind]} {number} of session {session} (account "
                    f"{self.account_of[session]}) was seen of account {one.account}",
                )


def by_account(tape: str) -> tuple[dict[int, list[record.Record]], set[int]]:
    """Return every account's packets, and which have logged in: one a session; agents never do."""
    packets: dict[int, list[record.Record]] = {}
    logged_in = set()
    for packet in record.read(tape):
        if packet.account is None:
            continue
        packets.setdefault(packet.account, []).append(packet)
        if packet.connection is not None:
            logged_in.add(packet.account)
    return packets, logged_in


def received(packets: list[record.Record], account: int) -> Iterator[Received]:
    """Yield each order and replace that the venue saw of an account."""
    for packet in packets:
        if packet.kind != "in" or packet.data[2:3] != b"U":
            continue
        fields = decode(packet.data[3:], "inbound")
        if fields is not None and fields["type"] in REQUESTS:
            yield Received((str(fields["type"]), int(str(fields["user_ref_num"]))), account)


def sessions_of(events: list[dict[str, Any]]) -> dict[int, int]:
    """Return by which session our journal says that each number left."""
    found: dict[int, int] = {}
    for event in events:
        if event["event"] == "NEW":
            found[event["user_ref_num"]] = event["session"]
        elif event["event"] == "REPLACE" and event["orig_user_ref_num"] in found:
            found[event["user_ref_num"]] = found[event["orig_user_ref_num"]]
    return found
