"""``tickplane apply``: make this machine like a profile, and remember how it was."""

from __future__ import annotations

import argparse

from appliance.machine.common import add_profile_argument, chosen
from appliance.machine.verify import add_state_argument
from control import render
from control.apply import apply
from control.errors import ControlError
from control.host import Host
from control.plan import plan


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    add_profile_argument(parser)
    add_state_argument(parser)
    parser.add_argument("--yes", action="store_true", help="do it; without it nothing is written")
    parser.add_argument("--dry-run", action="store_true", help="print the plan and end")


def run(args: argparse.Namespace) -> int:
    """Print each write as it is done; 0 when the machine is then as promised, else 1."""
    profile, facts = chosen(args.profile, None)
    if args.dry_run:
        print(render.plan_text(plan(profile, facts)))
        return 0
    if not args.yes:
        count = len(plan(profile, facts).steps)
        raise ControlError(
            f"apply: {profile.name} would write {count} settings here; "
            "look at them with --dry-run, then say --yes"
        )
    report = apply(profile, Host(), args.state, print)
    assert report.after is not None
    print(render.verify_text(report.after, everything=False))
    print(f"written: {len(report.written)}, refused: {len(report.refused)}")
    return int(not report.after.holds)
