"""``tickplane journal``: what a run recorded, whether all of it is there, and what it leads to.

``verify`` exits with 0 when the journal is whole: closed, or open because its writer is still at
work or was killed (what an append had not finished was never acted on). It exits with 1 when a
record is torn, changed or missing, or when what the records state does not add up.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from collections.abc import Callable
from typing import Any

from appliance import audit_keys, drop, export, journal_print, proof, recover, seal, sign
from appliance.errors import CommandError
from appliance.journal_print import render_summary
from appliance.moments import parse_time
from dataplane import sealing
from dataplane.journal import Journal
from dataplane.recovery import END, LAST_NS, Recovered, capacity_of, checkpoints
from dataplane.recovery import recover as recover_state

ACTIONS = {
    "verify": "check every record, every file, every order's states and quantities",
    "dump": "one line a record, in order",
    "tail": "the last records, and with -f those that follow",
    "stat": "size, rates, what its orders waited for and what that does not survive",
    "recover": "the state that it leads to, and what must be reconciled; sends nothing",
    "replay": "the state at a moment: what was live then",
    "export": "records for other tools: Parquet, or DBN",
    "seal": "closed segments become small files, and are signed; nothing is lost",
    "drop": "the oldest sealed segments of ended journals go; their signed roots stay",
    "keys": "make a key to sign with, in a folder of its own",
    "proof": "one order's records for somebody else, or the check of such an extract",
}


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    options: dict[str, tuple[Callable[[argparse.ArgumentParser], None], ...]] = {
        "verify": (add_directory, add_public),
        "dump": (add_directory, journal_print.add_filters),
        "tail": (add_directory, journal_print.add_filters, journal_print.add_tail),
        "recover": (add_directory, recover.add_options),
        "replay": (add_directory, add_moment),
        "export": (add_directory, export.add_options),
        "seal": (add_directory, seal.add_options),
        "drop": (drop.add_options,),
        "keys": (add_folder,),
        "proof": (proof.add_options,),
    }
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    for name, words in ACTIONS.items():
        action = actions.add_parser(name, help=words, description=words[0].upper() + words[1:])
        for add in options.get(name, (add_directory,)):
            add(action)
        action.add_argument("--json", action="store_true", help="JSON, all fields")


def add_directory(parser: argparse.ArgumentParser) -> None:
    """Add the journal."""
    parser.add_argument("directory", metavar="DIR", help="the directory of the journal")


def add_folder(parser: argparse.ArgumentParser) -> None:
    """Add the folder of keys."""
    parser.add_argument("folder", metavar="KEYS", help="made when it is missing")


def add_public(parser: argparse.ArgumentParser) -> None:
    """Add the keys to verify with."""
    parser.add_argument("--keys", metavar="PUBLIC", help="public keys: check the signatures too")


def add_moment(parser: argparse.ArgumentParser) -> None:
    """Add the options that name a moment."""
    moment = parser.add_mutually_exclusive_group()
    moment.add_argument(
        "--sequence", type=int, metavar="N", help="after record N; -N: N records before the end"
    )
    moment.add_argument(
        "--time",
        metavar="T",
        help="before the first record later than T: ns, or 10:31:07.123456789",
    )
    parser.add_argument(
        "--timezone", default="UTC", metavar="Z", help="of a time without one; default UTC"
    )


def run(args: argparse.Namespace) -> int:
    """Print what was asked for; 1 when the journal is not whole."""
    actions = {
        "dump": journal_print.dump,
        "tail": journal_print.tail,
        "verify": verify,
        "stat": stat,
        "recover": recover_directory,
        "replay": replay,
        "export": export.run,
        "seal": seal.run,
        "drop": drop.run,
        "keys": make_key,
        "proof": proof.run,
    }
    return actions[args.action](args)


# ---- verify ----


def verify(args: argparse.Namespace) -> int:
    """Check bytes, chain and files; then apply every event again and compare."""
    capacity, journal = capacity_of(args.directory)
    summary = journal.summary()
    summary["problems"] = []
    if not journal.dropped.segments:  # else no order's history is whole
        state = recover_state(args.directory, capacity, from_checkpoint=False).state
        summary["problems"] = state.problems()
    summary["sealed"], problems = sealing.check(args.directory)
    summary["problems"] += problems
    verifier = audit_keys.Verifier(args.keys) if args.keys is not None else None
    if verifier is not None:
        summary["signed"], problems = sign.check(args.directory, verifier)
        summary["problems"] += problems
    summary["problems"] += sign.check_dropped(args.directory, verifier)
    summary["valid"] = summary["valid"] and not summary["problems"]
    print(json.dumps(summary) if args.json else render_summary(summary))
    return 0 if summary["valid"] else 1


def make_key(args: argparse.Namespace) -> int:
    """Add a key to a folder and say what it is called."""
    key_id = audit_keys.make_key(args.folder)
    public = os.path.join(args.folder, audit_keys.PUBLIC)
    facts = {"key_id": key_id, "public": public}
    print(json.dumps(facts) if args.json else f"made key {key_id}; give {public} to who verifies")
    return 0


# ---- stat ----


def stat(args: argparse.Namespace) -> int:
    """Print figures of the journal."""
    started = time.perf_counter()
    journal = Journal(args.directory)
    summary = journal.verify()
    seconds = time.perf_counter() - started
    facts = {
        **summary,
        "events": journal.events,
        "executions": journal.executions,
        "user_ref_num_max": journal.user_ref_num_max,
        "durable_sequence": journal.durable_sequence,
        "bytes": directory_bytes(args.directory),
        "sealed": len(list(sign.sealed_indexes(args.directory))),
        "checkpoints": [os.path.basename(path) for path in checkpoints(args.directory)],
        "seconds_to_read": round(seconds, 6),
    }
    print(json.dumps(facts) if args.json else render_stat(facts))
    return 0 if summary["valid"] else 1


def directory_bytes(directory: str) -> int:
    """Return what the files of the journal take."""
    with os.scandir(directory) as entries:
        return sum(entry.stat().st_size for entry in entries if entry.is_file())


def render_stat(facts: dict[str, Any]) -> str:
    """Return the figures, a line a subject."""
    durability = facts["durability"] or {}
    waits = ", ".join(f"{name} {word}" for name, word in durability.items())
    return "\n".join(
        (
            render_summary(facts),
            f"{facts['events']} events, {facts['executions']} executions, order numbers up to"
            f" {facts['user_ref_num_max']}, {facts['bytes']} bytes on disk",
            f"written by {facts['build']}; configuration {facts['configuration'] or 'not told'}",
            f"an order waits for: {waits}; does not survive: {facts['does_not_survive']}",
            f"on disk for certain when the last record was written: up to number"
            f" {facts['durable_sequence']}",
            "checkpoints: " + (", ".join(facts["checkpoints"]) or "none"),
        )
    )


# ---- state ----


def recover_directory(args: argparse.Namespace) -> int:
    """Recover with tables as large as the journal needs."""
    capacity, _ = capacity_of(args.directory)
    return recover.report(args.directory, capacity, args)


def replay(args: argparse.Namespace) -> int:
    """Print the state at a moment."""
    capacity, journal = capacity_of(args.directory)
    summary = journal.summary()
    sequence, time_ns = END, LAST_NS
    if args.sequence is not None:
        last = int(summary["sequence_last"])
        sequence = args.sequence if args.sequence >= 0 else max(last + args.sequence, 0)
        if sequence > last:
            raise CommandError(f"--sequence: {sequence}; the last record is number {last}")
    if args.time is not None:
        time_ns = parse_time("--time", args.time, args.timezone, first_time_ns(journal))
    found = recover_state(
        args.directory,
        capacity,
        until_sequence=sequence,
        until_time_ns=time_ns,
        from_checkpoint=False,
    )
    facts = moment_facts(found)
    print(json.dumps(facts) if args.json else render_moment(facts))
    return 0


def first_time_ns(journal: Journal) -> int | None:
    """Return the time of the first record, which a time of day is taken to be near."""
    return next((int(record["time_ns"]) for record in Journal(journal.directory)), None)


def moment_facts(found: Recovered) -> dict[str, Any]:
    """Return the state as a dictionary."""
    state = found.state
    return {
        "sequence": state.sequence,
        "time_ns": state.time_ns,
        "orders": state.counts["orders"],
        "live_orders": state.live_orders(found.prefix),
        "positions": state.positions(),
        "inbound_sequences": state.inbound_sequences,
    }


def render_moment(facts: dict[str, Any]) -> str:
    """Return the state as lines: live orders, then positions."""
    lines = [
        f"after record {facts['sequence']} at {facts['time_ns']}: {facts['orders']} orders made,"
        f" {len(facts['live_orders'])} live"
    ]
    lines += [recover.order_line(order) for order in facts["live_orders"]]
    lines += [recover.position_line(position) for position in facts["positions"]]
    return "\n".join(lines)
