"""``tickplane status``: how a running appliance is, as facts and as alerts; read-only.

An alert is a state, not an event: it is there as long as what it says is so. The exit status is 0
when there is none, 1 otherwise, so that a script can watch.
"""

from __future__ import annotations

import argparse
import json
import time
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import Any

from appliance import switches
from appliance.errors import CommandError
from appliance.report import durability_line
from appliance.top import find, is_alive
from appliance.top_risk import share
from dataplane.errors import DataplaneError
from dataplane.journal import does_not_survive
from dataplane.page import Page
from dataplane.region import Region

STALLED_NS = 2_000_000_000  # a live run says something ten times a second
SILENT_NS = 2_000_000_000  # a line has heartbeats once a second
NEAR_PERCENT = 90  # of a limit
HASH_SHOWN = 12

Facts = dict[str, Any]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="the appliance, or a path (default: the newest)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object")


def run(args: argparse.Namespace) -> int:
    """Print facts and alerts; 0 when there is no alert."""
    facts = take(find(args.name, "status"))
    print(json.dumps(facts) if args.json else render(facts))
    return 1 if facts["alerts"] else 0


def take(path: Path) -> Facts:
    """Return everything that one look at a region tells."""
    try:
        with Region.attach(path) as region, Page.attach(path) as page:
            facts = gather(region, page)
    except DataplaneError as error:
        raise CommandError(f"status: {error}") from error
    facts["mode"] = mode_of(facts)
    facts["alerts"] = list(alerts_of(facts))
    return facts


def gather(region: Region, page: Page) -> Facts:
    """Return the facts, without judging them."""
    header, status, counters = region.header, region.status(), region.counters()
    return {
        "name": status["name"],
        "pid": header["pid"],
        "is_alive": is_alive(header["pid"]),
        "state": status["state"],
        "build": header["build"],
        "taken_ns": time.time_ns(),
        **page.run(),
        "feed": {
            **page.feed(),
            "messages": counters["itch_messages"],
            "gaps": counters["mold_gaps"],
            "lost": counters["mold_lost"],
        },
        "books": page.books(),
        "sessions": page.sessions(),
        "ports": page.ports(),
        "orders": region.orders(),
        "switches": [
            {"scope": row["scope"], "mode": row["mode"], "source": row["source"]}
            for row in region.risk()
            if row["mode"] != "clear"
        ],
        "journal": journal_facts(page.run()["journal"]),
        "kept_switches": kept_switches(page.run()),
        "limits": list(limits_in_use(region.risk())),
        "journal_lost": counters["journal_lost"],
    }


def journal_facts(journal: Facts | None) -> Facts | None:
    """Return the journal's facts, and what they are not enough for."""
    if journal is None:
        return None
    return journal | {"does_not_survive": does_not_survive(journal["durability"].values())}


def kept_switches(run: Facts) -> list[Facts] | None:
    """Return what the next start would begin with; None when nothing keeps it."""
    if not run["is_live"] or run["journal"] is None:
        return None
    kept = switches.read(switches.path_of(run["journal"]["directory"]))
    return [asdict(switch) for switch in kept.values()]


def limits_in_use(scopes: list[Facts]) -> Iterator[Facts]:
    """Yield the limit of each scope that is used most, in percent of what it allows."""
    for scope in scopes:
        shares = {name: share(name, use) for name, use in scope["uses"].items()}
        used = {name: value for name, value in shares.items() if value is not None}
        if used:
            name = max(used, key=lambda name: used[name])
            yield {"scope": scope["scope"], "limit": name, "percent": round(used[name], 1)}


def mode_of(facts: Facts) -> str:
    """Return in one word what the appliance does about new orders."""
    if not facts["is_alive"]:
        return "ended" if facts["state"] == "finished" else "dead"
    firm = next((row for row in facts["switches"] if row["scope"] == "firm"), None)
    if firm is not None:
        return str(firm["mode"])
    closed = [one for one in facts["sessions"] if one["state"] != "OPEN"]
    if any(one["state"] == "HELD" for one in closed):
        return "session held"
    if facts["sessions"] and len(closed) == len(facts["sessions"]):
        return f"session {closed[0]['state'].lower()}"
    return "trading"


# ---- alerts ----


def alerts_of(facts: Facts) -> Iterator[Facts]:
    """Yield what a person should look at: a name for programs, and words."""
    if not facts["is_alive"]:
        if facts["state"] not in ("finished", "failed"):
            yield alert("dead", f"pid {facts['pid']} is gone and did not end its run")
        return
    if facts["is_live"] and facts["taken_ns"] - facts["written_ns"] > STALLED_NS:
        yield alert("stalled", f"nothing said for {since(facts, facts['written_ns'])}")
    yield from session_alerts(facts)
    yield from feed_alerts(facts)
    for row in facts["switches"]:
        yield alert("killed", f"{row['scope']}: {row['mode']}, set by {row['source']}")
    yield from forgotten_alerts(facts)
    yield from journal_alerts(facts)
    if unknown := facts["orders"].get("UNKNOWN", 0):
        yield alert("unknown_orders", f"{unknown:,} orders whose outcome nobody has told yet")
    for row in facts["limits"]:
        if row["percent"] >= NEAR_PERCENT:
            yield alert("limit", f"{row['scope']}: {row['limit']} is used to {row['percent']} %")


def forgotten_alerts(facts: Facts) -> Iterator[Facts]:
    """Yield the switches that a restart would not set again: the disk did not take them."""
    if facts["kept_switches"] is None:
        return
    kept = {row["scope"] for row in facts["kept_switches"]}
    for row in facts["switches"]:
        if row["scope"] not in kept:
            yield alert("not_kept", f"{row['scope']}: {row['mode']}: a restart would forget it")


def session_alerts(facts: Facts) -> Iterator[Facts]:
    """Yield what is wrong with order sessions."""
    for one in facts["sessions"]:
        if one["state"] == "HELD":
            yield alert("session_held", f"{one['user']}: {one['unexplained']} are not explained")
        elif one["state"] != "OPEN":
            why = one["error"] or one["verdict"]
            yield alert("session", f"{one['user']} at {one['address']}: {one['state']}: {why}")


def feed_alerts(facts: Facts) -> Iterator[Facts]:
    """Yield what is wrong with market data and the books."""
    feed, books = facts["feed"], facts["books"]
    for where, channel in named_channels(feed):
        for letter, line in zip("ABC", channel["lines"], strict=False):
            if line["heard_ns"] == 0:
                yield alert("line_silent", f"{where}{letter} {line['address']}: never heard")
            elif facts["taken_ns"] - line["heard_ns"] > SILENT_NS:
                heard = f"not heard for {since(facts, line['heard_ns'])}"
                yield alert("line_silent", f"{where}{letter} {line['address']}: {heard}")
        if (missing := channel["missing"]) is not None:
            count = missing["last"] - missing["first"] + 1
            when = since(facts, missing["since_ns"])
            yield alert("gap", f"{where}{count:,} messages are missing since {when}")
    if books["stale"]:
        yield alert("stale_books", f"{books['stale']} of {books['instruments']} books")


def journal_alerts(facts: Facts) -> Iterator[Facts]:
    """Yield what is wrong with the journal."""
    if facts["journal_lost"]:
        yield alert("journal_lost", f"{facts['journal_lost']:,} records that it could not take")
    if facts["journal"] is not None and facts["journal"]["failed"]:
        yield alert("journal_failed", f"{facts['journal']['directory']}: a flush failed")


def alert(name: str, words: str) -> Facts:
    """Return one alert."""
    return {"name": name, "words": words}


def since(facts: Facts, then_ns: int) -> str:
    """Return how long ago that was."""
    return f"{(facts['taken_ns'] - then_ns) / 1e9:.1f} s"


# ---- words ----


def render(facts: Facts) -> str:
    """Return all of it, a line a part."""
    books = facts["books"]
    lines = [
        f"{facts['name']}  pid {facts['pid']}: {facts['mode']}",
        f"build     {facts['build']}; configuration "
        f"{facts['configuration'][:HASH_SHOWN] or 'not known'}",
        *render_feed(facts),
        f"books     {books['instruments']} open, {books['trading']} trading, "
        f"{books['stale']} stale, {books['suspect']} suspect",
        *map(render_session, facts["sessions"]),
        f"switches  {render_switches(facts)}",
        f"limits    {render_limits(facts['limits'])}",
        f"orders    {render_counts(facts['orders'])}",
        f"journal   {render_journal(facts['journal'])}",
    ]
    alerts = [f"ALERT     {one['name']}: {one['words']}" for one in facts["alerts"]]
    return "\n".join([*lines, *(alerts or ["alerts    none"])])


def render_feed(facts: Facts) -> Iterator[str]:
    """Yield the sequence, then each line."""
    feed = facts["feed"]
    yield (
        f"feed      {feed['messages']:,} messages; {missing_words(feed)}; {feed['gaps']:,} gaps "
        f"given up ({feed['lost']:,} messages)"
    )
    for where, channel in named_channels(feed):
        if where:
            yield f"  {where}{channel['state']}"
        for letter, line in zip("ABC", channel["lines"], strict=False):
            heard = since(facts, line["heard_ns"])
            heard = f"heard {heard} ago" if line["heard_ns"] else "never heard"
            yield (
                f"  line {letter}  {line['address']}: {line['packets']:,} packets, "
                f"{line['first']:,} first, {line['lost']:,} lost, {heard}"
            )


def named_channels(feed: Facts) -> list[tuple[str, Facts]]:
    """Return each channel behind what names it; the only one needs no name."""
    channels = feed["channels"]
    if len(channels) == 1:
        return [("", channels[0])]
    return [(f"channel {number}: ", channel) for number, channel in enumerate(channels, 1)]


def missing_words(feed: Facts) -> str:
    """Say what is missing just now."""
    words = [
        f"{where}missing {missing['first']:,} to {missing['last']:,}"
        for where, channel in named_channels(feed)
        if (missing := channel["missing"]) is not None
    ]
    return "; ".join(words) or "nothing is missing"


def render_session(one: Facts) -> str:
    """Return one order session."""
    why = "" if one["state"] == "OPEN" else f" ({one['error'] or one['verdict']})"
    return (
        f"session   {one['user']} at {one['address']}: {one['state']}{why}; "
        f"{one['given']:,} orders, {one['waiting']:,} wait; "
        f"{one['logins']} logins, {one['losses']} losses; next message {one['sequence_next']:,}; "
        f"{one['unexplained']} unexplained"
    )


def render_switches(facts: Facts) -> str:
    """Return what is set, by whom and why; of a dead run also what its next start begins with."""
    kept = {row["scope"]: switches.Switch(**row) for row in facts["kept_switches"] or ()}
    words = [
        kept[row["scope"]].words()
        if row["scope"] in kept
        else f"{row['scope']}: {row['mode']}, set by {row['source']}"
        for row in facts["switches"]
    ]
    if not facts["is_alive"]:
        held = {row["scope"] for row in facts["switches"]}
        words += [switch.words() for scope, switch in kept.items() if scope not in held]
    return "; ".join(words) or "all clear"


def render_limits(limits: list[Facts]) -> str:
    """Return the limit of each scope that is used most."""
    words = [f"{row['scope']} {row['limit']} {row['percent']} %" for row in limits]
    return "; ".join(words) or "none in use"


def render_counts(orders: dict[str, int]) -> str:
    """Return how many orders are in each state."""
    return "  ".join(f"{name} {count:,}" for name, count in sorted(orders.items())) or "none"


def render_journal(journal: Facts | None) -> str:
    """Return where it is, how far it is, and what an order waits for."""
    if journal is None:
        return "none"
    words = durability_line(journal["durability"], journal["does_not_survive"])
    return f"{journal['directory']}: {journal['records']:,} records; {words}"
