"""``tickplane reconcile``: our journal against a venue's own record, packet by packet.

``tickplane venue`` keeps a record of every packet in and out (``record:`` in its configuration).
What it saw of us must be what our journal says was sent, once each; each message that it sent us
must be one answer in our journal; executions and positions must be equal. Every difference is one
line with its class.
"""

from __future__ import annotations

import argparse
import json
from collections import Counter
from collections.abc import Iterator
from typing import Any, NamedTuple

from appliance.reconcile_answers import applied_answers, positions_of, positions_that_differ
from appliance.reconcile_sessions import REQUESTS, Sides
from dataplane.journal import Journal

LINES_MAX = 50
SENT = {"NEW": "O", "REPLACE": "U"}
ENDED = ("FILLED", "CANCELED", "EXPIRED", "DONE_FOR_DAY")


class Difference(NamedTuple):
    """One thing that one side has and the other has not."""

    kind: str
    what: str


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument("journal", metavar="JOURNAL", help="folder of the journal")
    parser.add_argument("record", metavar="RECORD", help="what its `record:` names")
    parser.add_argument(
        "--account", type=int, metavar="N", action="append",
        help="of the venue; once for each session (default: all that logged in)",
    )  # fmt: skip
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Compare; 0 when both say the same."""
    facts, differences = compare(args.journal, args.record, args.account)
    if args.json:
        print(json.dumps({**facts, "differences": [one._asdict() for one in differences]}))
    else:
        print(render(facts, differences))
    return 1 if differences else 0


def compare(
    journal: str, tape: str, accounts: list[int] | None = None
) -> tuple[dict[str, Any], list[Difference]]:
    """Return what both sides have, in numbers, and every difference."""
    events = [event for event in Journal(journal) if "user_ref_num" in event]
    sides = Sides(events, tape, accounts)
    sent, seen = sent_requests(events), Counter(one.key for one in sides.received)
    never = never_received(events)
    told, applied = sides.told_fills(), applied_fills(events)
    told_all, applied_all = sides.told_answers(), applied_answers(events)
    ours, theirs = positions_of(applied_all), positions_of(told_all)
    differences = [
        *requests_that_differ(sent, seen, never, overtaken(events)),
        *fills_that_differ(applied, told),
        *(Difference(*one) for one in sides.answers_that_differ()),
        *(Difference(*one) for one in sides.sessions_that_differ()),
        *(Difference(*one) for one in positions_that_differ(ours, theirs)),
    ]
    facts = {
        "sessions": len(sides.accounts),
        "requests_sent": len(sent),
        "requests_seen": sum(seen.values()),
        "requests_never_received": len(set(sent) - set(seen)),
        "fills_told": len(told),
        "fills_applied": len(applied),
        "shares_told": sum(told.values()),
        "shares_applied": sum(applied.values()),
        "messages_told": len(told_all),
        "messages_applied": len(applied_all),
        "positions": ours,
    }
    return facts, differences


def sent_requests(events: list[dict[str, Any]]) -> set[tuple[str, int]]:
    """Return orders and replaces that our journal says were sent: (message, number)."""
    return {
        (SENT[event["event"]], event["user_ref_num"]) for event in events if event["event"] in SENT
    }


def never_received(events: list[dict[str, Any]]) -> set[int]:
    """Return numbers that our journal says never reached the venue.

    A replace that did not is recorded as refused by nobody: without a reason.
    """
    return {
        event["user_ref_num"]
        for event in events
        if event["event"] == "NOT_SENT"
        or (event["event"] == "REPLACE_REJECTED" and event["reason"] is None)
    }


def overtaken(events: list[dict[str, Any]]) -> set[int]:
    """Return replaces whose order ended before they were answered.

    Whether such a one still reached the venue makes no difference, and nobody says.
    """
    pending: dict[int, int] = {}  # number of the order -> of the replace that waits
    found: set[int] = set()
    for event in events:
        number = event["user_ref_num"]
        if event["event"] == "REPLACE":
            pending[event["orig_user_ref_num"]] = number
        elif event["event"] in ("REPLACED", "REPLACE_REJECTED"):
            pending.pop(event["orig_user_ref_num"], None)
        elif number in pending and event["ord_status"] in ENDED:
            found.add(pending.pop(number))
    return found


def applied_fills(events: list[dict[str, Any]]) -> dict[tuple[int, int], int]:
    """Return what our journal applied: quantity by (number, match number)."""
    found: dict[tuple[int, int], int] = {}
    for event in events:
        key = (event["user_ref_num"], event["exec_id"])
        if event["event"] == "FILLED":
            found.setdefault(key, event["qty"])  # told again otherwise: not applied
        elif event["event"] == "BROKEN":
            found.pop(key, None)
    return found


def requests_that_differ(
    sent: set[tuple[str, int]], seen: Counter[tuple[str, int]], never: set[int], moot: set[int]
) -> Iterator[Difference]:
    """Name what was doubled, what only one side has, and what cannot both be true."""
    for key, count in sorted(seen.items()):
        kind, number = key
        if count > 1:
            yield Difference("doubled", f"{REQUESTS[kind]} {number} was seen {count} times")
        if key not in sent:
            yield Difference("venue only", f"{REQUESTS[kind]} {number} is not in the journal")
        if number in never:
            yield Difference("contradiction", f"{REQUESTS[kind]} {number} was seen after all")
    for kind, number in sorted(sent - set(seen)):
        if number not in never and number not in moot:
            yield Difference("lost", f"{REQUESTS[kind]} {number} was never seen")


def fills_that_differ(
    applied: dict[tuple[int, int], int], told: dict[tuple[int, int], int]
) -> Iterator[Difference]:
    """Name executions that only one side has, or that differ in quantity."""
    for key in sorted(applied.keys() | told.keys()):
        ours, theirs = applied.get(key), told.get(key)
        number, match_number = key
        name = f"execution {match_number} of order {number}"
        if ours is None:
            yield Difference("venue only", f"{name}: {theirs} shares are not in the journal")
        elif theirs is None:
            yield Difference("local only", f"{name}: {ours} shares were never reported")
        elif ours != theirs:
            yield Difference("quantity", f"{name}: {ours} shares here, {theirs} at the venue")


def render(facts: dict[str, Any], differences: list[Difference]) -> str:
    """Return the comparison as people read it."""
    lines = [
        f"requests: {facts['requests_sent']:,} in the journal, {facts['requests_seen']:,} seen by "
        f"the venue, {facts['requests_never_received']:,} never reached it",
        f"executions: {facts['fills_applied']:,} in the journal ({facts['shares_applied']:,} "
        f"shares), {facts['fills_told']:,} reported by the venue ({facts['shares_told']:,} shares)",
        f"answers: {facts['messages_applied']:,} in the journal, {facts['messages_told']:,} sent "
        "by the venue",
        f"positions: {words_of(facts['positions'])}",
    ]
    lines += [f"{one.kind}: {one.what}" for one in differences[:LINES_MAX]]
    if len(differences) > LINES_MAX:
        lines.append(f"... and {len(differences) - LINES_MAX} more")
    lines.append(
        f"{len(differences)} differences" if differences else "0 lost, 0 doubled: both say the same"
    )
    return "\n".join(lines)


def words_of(positions: dict[str, int]) -> str:
    """Return positions as people read them."""
    return ", ".join(f"{symbol} {shares:+,}" for symbol, shares in positions.items()) or "none"
