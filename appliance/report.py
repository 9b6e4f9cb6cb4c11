"""The report of a run, as a trader reads it: pure text from the facts that replay gathered."""

from __future__ import annotations

from typing import Any

NANOS = 1_000_000_000
ROWS_MAX = 25  # positions shown; the JSON has them all
STAGES = ("decode", "book", "strategy", "risk", "submit", "tick_to_order")

MESSAGE_NAMES = {
    "S": "system event", "R": "directory", "H": "trading action", "Y": "reg sho",
    "L": "participant", "V": "mwcb levels", "W": "mwcb status", "K": "ipo quoting",
    "J": "auction collar", "h": "operational halt", "A": "add", "F": "add with mpid",
    "E": "executed", "C": "executed at price", "X": "cancel", "D": "delete", "U": "replace",
    "P": "trade", "Q": "cross", "B": "broken trade", "I": "imbalance", "N": "retail interest",
    "O": "direct listing",
}  # fmt: skip

# Counters that mean something was wrong with what came in, in the order they are shown.
FAULTS = (
    "net_dropped", "net_checksum_bad", "net_fragments", "mold_malformed", "mold_gaps", "mold_lost",
    "itch_unknown", "itch_malformed", "itch_longer", "book_unknown_order",
    "book_duplicate_order", "book_over_reduction", "book_invalid", "book_full",
    "reports_duplicate", "reports_anomaly", "reports_unknown", "ouch_malformed",
)  # fmt: skip


def render(facts: dict[str, Any]) -> str:
    """Return the whole report."""
    parts = (
        heading(facts), feed(facts), books(facts), orders(facts), positions(facts),
        latency(facts), proof(facts),
    )  # fmt: skip
    return "\n\n".join(part for part in parts if part)


def heading(facts: dict[str, Any]) -> str:
    """Say what ran, and how it ended."""
    ended = "stopped by Ctrl-C" if facts["interrupted"] else "ran to the end"
    if facts["fault"] or facts["failure"]:
        ended = f"ended early: {facts['fault'] or facts['failure']}"
    strategies = ", ".join(facts["strategies"])
    verb = facts.get("verb", "replay")
    return f"tickplane {verb}  {facts['source']}\nstrategies {strategies}; {ended}"


def feed(facts: dict[str, Any]) -> str:
    """Messages, rates and what was wrong with them."""
    by_type = sorted(facts["messages_by_type"].items(), key=lambda item: -item[1])
    busiest = ", ".join(
        f"{count:,} {MESSAGE_NAMES.get(kind, f'of type {kind}')}" for kind, count in by_type[:5]
    )
    rest = sum(count for _, count in by_type[5:])
    lines = [
        f"MARKET DATA   {facts['messages']:,} messages in {facts['seconds']:.2f} s: "
        f"{facts['messages_per_second']:,} a second",
        f"  {busiest}, {rest:,} others",
    ]
    if pace := facts.get("pace"):
        lines.append(
            f"  timing as recorded, {pace['speed']:g} times as fast; late by "
            f"{pace['late_ns_mean']:,} ns on average, at most {pace['late_ns_max']:,}"
        )
    faults = [f"{name} {facts['counters'][name]:,}" for name in FAULTS if facts["counters"][name]]
    lines.append("  faults: " + (", ".join(faults) if faults else "none"))
    return "\n".join(lines)


def books(facts: dict[str, Any]) -> str:
    """What state the books are in."""
    summary = facts["books"]
    return (
        f"BOOKS         {summary['instruments']:,} instruments, "
        f"{summary['orders']:,} resting orders, {summary['levels']:,} price levels\n"
        f"  trading {summary['trading']:,}, not trading {summary['not_trading']:,}, "
        f"stale {summary['stale']:,}, suspect {summary['suspect']:,}"
    )


def orders(facts: dict[str, Any]) -> str:
    """Orders by final state, and refusals by reason."""
    counters = facts["counters"]
    states = "  ".join(f"{name} {count:,}" for name, count in facts["orders"].items()) or "none"
    rejects = "  ".join(f"{code} {count:,}" for code, count in facts["risk_rejects"].items())
    return "\n".join(
        (
            f"ORDERS        {counters['orders_sent']:,} sent, "
            f"{counters['replaces_sent']:,} replaces, {counters['cancels_sent']:,} cancels, "
            f"{counters['reports']:,} reports",
            f"  by state: {states}",
            f"  refused by our gate: {rejects or 'none'}",
            f"  at the venue: {at_the_venue(facts)}",
        )
    )


def at_the_venue(facts: dict[str, Any]) -> str:
    """What the replay venue did; of a real one (None) only what it told us."""
    venue = facts["venue"]
    shares = f"{facts['filled_qty']:,} shares"
    if venue is None:
        return f"{shares} executed"
    return (
        f"{venue['executions']:,} executions, {shares}, "
        f"{venue['rejected']:,} rejected, {venue['ignored']:,} silently ignored"
    )


def positions(facts: dict[str, Any]) -> str:
    """Position and profit per instrument, marked at mid."""
    rows = sorted(facts["positions"], key=lambda row: -abs(row["pnl_nanos"] or 0))
    lines = ["POSITIONS     " + ("" if rows else "none")]
    if rows:
        lines[0] += f"{len(rows)} instruments traded; marked at the last middle of the book"
        lines.append(f"  {'symbol':<8} {'position':>10} {'bought':>10} {'sold':>10} "
                     f"{'mark':>12} {'profit':>14}")  # fmt: skip
        lines += [position_line(row) for row in rows[:ROWS_MAX]]
    if len(rows) > ROWS_MAX:
        lines.append(f"  ... and {len(rows) - ROWS_MAX} more; --json has them all")
    if rows:
        marked = [row["pnl_nanos"] for row in rows if row["pnl_nanos"] is not None]
        lines.append(f"  {'total':<8} {'':>10} {'':>10} {'':>10} {'':>12} {money(sum(marked)):>14}")
    if any(row["pnl_nanos"] is None for row in rows):
        lines.append("  no mark: the book never had a middle; not in the total")
    return "\n".join(lines)


def position_line(row: dict[str, Any]) -> str:
    """One instrument."""
    mark = "no mark" if row["mark_nanos"] is None else price(row["mark_nanos"])
    profit = "-" if row["pnl_nanos"] is None else money(row["pnl_nanos"])
    return (
        f"  {row['symbol']:<8} {row['position']:>10,} {row['bought_qty']:>10,} "
        f"{row['sold_qty']:>10,} {mark:>12} {profit:>14}"
    )


def latency(facts: dict[str, Any]) -> str:
    """Nanoseconds a stage, and what measuring them costs."""
    clock = facts["clock"]
    lines = [
        f"LATENCY ns    TSC at {clock['tsc_hz'] / 1e9:.3f} GHz, calibrated to "
        f"{clock['error_ppb'] / 1000:.1f} ppm; "
        f"one reading costs {clock['overhead_ns']} ns of each figure",
        f"  {'stage':<14} {'p50':>8} {'p99':>8} {'p99.9':>8} {'max':>10} {'count':>12}",
    ]
    for stage in STAGES:
        row = facts["latency_ns"][stage]
        lines.append(
            f"  {stage.replace('_', '-'):<14} {row['p50']:>8,} {row['p99']:>8,} {row['p999']:>8,} "
            f"{row['max']:>10,} {row['count']:>12,}"
        )
    return "\n".join(lines)


def proof(facts: dict[str, Any]) -> str:
    """Digests, and the journal's verdict."""
    meaning = "the same input, configuration and seed give the same three digests"
    if facts.get("verb") == "run":
        meaning = "fingerprints of the books, of all order events, of all frames sent"
    lines = [
        f"PROOF         {meaning}",
        f"  books  {facts['books_digest']}",
        f"  events {facts['events_digest']}",
        f"  wire   {facts['wire_digest']}",
    ]
    journal = facts["journal"]
    if journal is None:
        lines.append("  journal: none asked for (--journal DIR)")
    else:
        verdict = "verified" if journal["verified"] else "NOT VALID: tickplane journal verify"
        if journal["lost"]:
            verdict += f"; {journal['lost']:,} EVENTS ARE MISSING: it took no more records"
        lines.append(f"  journal {journal['directory']}: {journal['records']:,} records, {verdict}")
        lines.append("  " + durability_line(journal["durability"], journal["does_not_survive"]))
    if facts["output_fault"]:
        lines.append(f"  NOT WHOLE: {facts['output_fault']}")
    return "\n".join(lines)


def durability_line(durability: dict[str, str], does_not_survive: str) -> str:
    """Say what an outgoing order waits for, and what that is not enough for."""
    waits = set(durability.values())
    words = (
        waits.pop()
        if len(waits) == 1
        else ", ".join(f"{name} {word}" for name, word in durability.items())
    )
    return f"an order waits for: {words}; does not survive: {does_not_survive}"


def price(nanos: int) -> str:
    """A price with the four decimals of the feed."""
    sign = "-" if nanos < 0 else ""
    whole, rest = divmod(abs(nanos), NANOS)
    return f"{sign}{whole:,}.{rest // 100_000:04}"


def money(nanos: int) -> str:
    """An amount in cents, rounded towards zero."""
    sign = "-" if nanos < 0 else ""
    whole, rest = divmod(abs(nanos), NANOS)
    return f"{sign}{whole:,}.{rest // 10_000_000:02}"
