"""``tickplane recover``: the state that the journal leads to, and what must be reconciled.

Reads the journal from its last checkpoint, rebuilds orders, exposure, numbers and session
positions, and lists what only the venue can settle. It sends nothing; the journal is not changed.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from typing import Any

from appliance import config as configuration
from appliance.errors import CommandError
from appliance.journal_print import render_summary
from dataplane.recovery import Capacity, Recovered, save_checkpoint
from dataplane.recovery import recover as recover_state

NANOS = 1_000_000_000


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument("config", metavar="CONFIG", help="the configuration of the appliance")
    parser.add_argument("--journal", metavar="DIR", help="in place of its journal.directory")
    parser.add_argument("--json", action="store_true", help="JSON, all fields")
    add_options(parser)


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what ``journal recover`` takes as well."""
    parser.add_argument(
        "--checkpoint", action="store_true", help="write one, so that the next time is quicker"
    )
    parser.add_argument(
        "--from-start", action="store_true", help="pass over checkpoints; read every record"
    )


def run(args: argparse.Namespace) -> int:
    """Recover as the appliance of that configuration would."""
    config = configuration.load(args.config)
    directory = args.journal or config.journal.directory
    if not directory:
        raise CommandError(
            f"{args.config}: journal.directory: missing; name it there, or with --journal"
        )
    capacity = Capacity(
        orders=config.capacity.own_orders,
        executions=config.capacity.own_orders,
        instruments=config.capacity.instruments,
    )
    return report(directory, capacity, args)


def report(directory: str, capacity: Capacity, args: argparse.Namespace) -> int:
    """Recover and print; 0 when nothing of the journal is in doubt, else 1."""
    started = time.perf_counter()
    found = recover_state(directory, capacity, from_checkpoint=not args.from_start)
    saved = None
    if args.checkpoint and found.summary["valid"]:
        saved = save_checkpoint(directory, found)
    unknown = found.state.settle()
    seconds = time.perf_counter() - started
    result = {**facts(found, unknown, seconds), "checkpoint_written": saved}
    for words in found.passed_over:
        print(f"tickplane: {words}; passed over", file=sys.stderr)
    print(json.dumps(result) if args.json else render(result))
    return 0 if result["valid"] and not result["problems"] else 1


def facts(found: Recovered, unknown: int, seconds: float) -> dict[str, Any]:
    """Return everything that is known, as a dictionary: docs/journal.md explains its keys."""
    state, counts = found.state, found.state.counts
    live = state.live_orders(found.prefix)
    return {
        **found.summary,
        "from_checkpoint": found.checkpoint,
        "sequence": state.sequence,
        "events": counts["events"],
        "orders": counts["orders"],
        "user_ref_num_next": counts["user_ref_num_max"] + 1,
        "inbound_sequences": state.inbound_sequences,
        "unknown": unknown,
        "reconcile": live,
        "exposure": exposure(live),
        "positions": state.positions(),
        "problems": state.problems() + no_room(counts),
        "trading": "blocked until reconciled",
        "seconds": round(seconds, 6),
    }


def no_room(counts: dict[str, int]) -> list[str]:
    """Say when the tables were too small for the journal."""
    if not counts["no_room"]:
        return []
    return [
        f"{counts['no_room']} events found no room; raise capacity.own_orders above"
        f" {counts['user_ref_num_max']}"
    ]


def exposure(live: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return what is reserved for each strategy: worst price times worst leaves, by side."""
    sums: dict[int, dict[str, int]] = {}
    for order in live:
        row = sums.setdefault(order["strategy_index"], {"BUY": 0, "SELL": 0, "orders": 0})
        row[order["side"]] += order["worst_price_nanos"] * order["worst_leaves_qty"]
        row["orders"] += 1
    return [
        {
            "strategy_index": index,
            "buy_open_nanos": row["BUY"],
            "sell_open_nanos": row["SELL"],
            "open_order_count": row["orders"],
        }
        for index, row in sorted(sums.items())
    ]


# ---- as people read it ----


def render(result: dict[str, Any]) -> str:
    """Return the report, a line a subject."""
    began = result["from_checkpoint"] or "the first record"
    lines = [
        render_summary(result),
        f"recovered from {began}: {result['events']} events, {result['orders']} orders in"
        f" {result['seconds'] * 1000:.1f} ms",
        f"next order number {result['user_ref_num_next']}; "
        + (sessions(result["inbound_sequences"]) or "no message of a session was heard"),
    ]
    lines += [exposure_line(row) for row in result["exposure"]]
    lines += [position_line(position) for position in result["positions"]]
    lines.append(
        f"trading is blocked until {len(result['reconcile'])} orders are reconciled with the venue,"
        f" {result['unknown']} of them Unknown"
        if result["reconcile"]
        else "no order is live: nothing is to be reconciled but the sessions' messages since"
    )
    lines += [order_line(order) for order in result["reconcile"]]
    if result["checkpoint_written"]:
        lines.append(f"checkpoint written: {result['checkpoint_written']}")
    return "\n".join(lines)


def sessions(inbound: dict[int, int]) -> str:
    """Say from where each session is to be replayed."""
    return ", ".join(
        f"session {session} from message {sequence + 1} on" for session, sequence in inbound.items()
    )


def exposure_line(row: dict[str, Any]) -> str:
    """One strategy."""
    buy, sell = row["buy_open_nanos"] / NANOS, row["sell_open_nanos"] / NANOS
    return (
        f"  strategy {row['strategy_index']}: {row['open_order_count']} orders open,"
        f" reserved {buy:,.2f} to buy, {sell:,.2f} to sell"
    )


def position_line(position: dict[str, Any]) -> str:
    """One instrument."""
    return (
        f"  {position['symbol']}: position {position['position']}, bought"
        f" {position['bought_qty']}, sold {position['sold_qty']}"
    )


def order_line(order: dict[str, Any]) -> str:
    """One live order."""
    replaced = f", replace {order['pending_user_ref_num']} in flight"
    return (
        f"  {order['cl_ord_id']} {order['ord_status']} {order['side']} {order['symbol']}"
        f" leaves {order['leaves_qty']} of {order['qty']} at {order['price_nanos'] / NANOS:.4f}"
        + (replaced if order["pending_user_ref_num"] else "")
    )
