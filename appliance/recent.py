"""``tickplane recent``: the last events of a running appliance's orders, from its memory.

Attaches read-only to the region, as ``top`` does; no disk is touched, and the appliance never
notices. What is older than the last 4,096 events is in the journal.
"""

from __future__ import annotations

import argparse
import json
from collections import deque
from typing import Any

from appliance.journal_print import order_number
from appliance.top import find
from dataplane.region import Region

Event = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument("name", metavar="NAME", nargs="?", help="of the appliance; default newest")
    parser.add_argument("--order", metavar="N", help="of that number or ClOrdID alone")
    parser.add_argument("-n", type=int, default=20, metavar="N", help="events; default 20")
    parser.add_argument("--json", action="store_true", help="JSON, one object a line")


def run(args: argparse.Namespace) -> int:
    """Print the events, the oldest first."""
    number = None if args.order is None else order_number(args.order)
    with Region.attach(find(args.name)) as region:
        found = deque(events_of(region, number), maxlen=max(args.n, 0))
    for event in found:
        print(json.dumps(event) if args.json else render(event))
    return 0


def events_of(region: Region, number: int | None) -> list[Event]:
    """Return the events of one order, those of its replaces too; of all orders for None."""
    numbers = {number}
    found = []
    for event in region.recent():
        names = {event["user_ref_num"], event["orig_user_ref_num"]} - {None}
        if number is None or names & numbers:
            numbers |= names
            found.append(event)
    return found


def render(event: Event) -> str:
    """Return one line: number, time, what happened, then every field that says something."""
    head = f"{event['number']} {event['time_ns']} {event['event']}"
    rest = {key: value for key, value in event.items() if key not in ("number", "time_ns", "event")}
    return head + "".join(f" {key}={value}" for key, value in rest.items() if value is not None)
