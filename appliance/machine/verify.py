"""``tickplane verify``: wanted, found, why it matters, what to do. Changes nothing."""

from __future__ import annotations

import argparse
from pathlib import Path

from appliance.machine.common import add_facts_argument, add_profile_argument, chosen
from control import effects, render, undo
from control.host import Host
from control.plan import plan
from control.setting import OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    add_profile_argument(parser)
    add_facts_argument(parser)
    add_state_argument(parser)
    parser.add_argument("--all", action="store_true", help="say also what is as wanted")
    parser.add_argument("--json", action="store_true", help="every finding as JSON")
    parser.add_argument(
        "--strict", action="store_true", help="also fail for what cannot be set or is unsupported"
    )
    parser.add_argument(
        "--prove", action="store_true",
        help="also look at effects: takes a huge page of each node, spins a second on each "
        "isolated core; not while trading",
    )  # fmt: skip


def add_state_argument(parser: argparse.ArgumentParser) -> None:
    """Add where the undo journal lies."""
    parser.add_argument(
        "--state", type=Path, default=undo.STATE, metavar="DIR",
        help="folder of the undo journal (default: %(default)s)",
    )  # fmt: skip


def run(args: argparse.Namespace) -> int:
    """Print the verdict; 0 when the machine is as promised, else 1."""
    profile, facts = chosen(args.profile, args.facts)
    journal = undo.read_only(args.state, Host()) if args.facts is None else None
    found = plan(profile, facts, journal.reasons() if journal else {})
    if args.prove and args.facts is None:
        found = effects.with_effects(found, facts)
    print(render.as_json(found) if args.json else render.verify_text(found, args.all))
    if args.strict:
        return int(any(one.state != OK for one in found.findings))
    return int(not found.holds)
