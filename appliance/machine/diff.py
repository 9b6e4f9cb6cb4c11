"""``tickplane diff``: where this machine is otherwise than a profile, or than it once was."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from appliance.machine.common import add_facts_argument, add_profile_argument, chosen, read_facts
from control import render
from control.facts import Facts
from control.plan import plan
from control.setting import OK


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    add_profile_argument(parser)
    add_facts_argument(parser)
    parser.add_argument(
        "--since", metavar="FILE", help="compare with these facts instead of with a profile"
    )


def run(args: argparse.Namespace) -> int:
    """Print what differs; status 1 when something does, as diff(1) has it."""
    if args.since:
        lines = list(since(read_facts(args.since), read_facts(args.facts)))
        if lines:
            print("\n".join([f"--- {args.since}", "+++ this machine", *lines]))
        return int(bool(lines))
    found = plan(*chosen(args.profile, args.facts))
    differs = any(one.state != OK for one in found.findings)
    if differs:
        print(render.diff_text(found))
    return int(differs)


def since(before: Facts, after: Facts) -> Iterator[str]:
    """Return every setting whose value is another one; what nobody can set is left out."""
    quiet = {*before.read_only, *after.read_only}
    for target in sorted({*before.values, *after.values} - quiet):
        old, new = before.values.get(target), after.values.get(target)
        if old != new:
            yield from (f"-{target} {render.show(old)}", f"+{target} {render.show(new)}")
