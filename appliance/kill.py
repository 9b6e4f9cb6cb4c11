"""``tickplane kill``: stop new orders of a scope, from any terminal, at once.

The switch is one word in the appliance's memory: it holds before this command returns, whatever the
appliance is doing. A file beside the journal keeps it for the next start, also when no appliance
runs. The appliance then journals who did it and why. Cancels pass. `tickplane arm` clears it.
"""

from __future__ import annotations

import argparse
import sys
import time
from typing import NamedTuple

from appliance import switches
from appliance.errors import CommandError
from appliance.running import (
    Target,
    add_common,
    add_config,
    check_scope,
    check_words,
    control_of,
    targets,
)
from appliance.switches import Switch
from dataplane.control import MODES


class Outcome(NamedTuple):
    """What a kill came to, and whether all of it holds that was meant to."""

    words: str
    is_kept: bool


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument(
        "scope", metavar="SCOPE", nargs="?", default="firm",
        help="firm (default), account:NAME, strategy:NAME, session:NUMBER, instrument:SYMBOL",
    )  # fmt: skip
    parser.add_argument(
        "--mode", choices=MODES, default="cancel-all",
        help="reject-new: no new order; cancel-all: and cancel what is open; hard-stop: and end "
        "the run; reduce-only: only what makes a position smaller (default: %(default)s)",
    )  # fmt: skip
    add_config(parser)
    add_common(parser, cause_needed=False, default="all that run")


def run(args: argparse.Namespace) -> int:
    """Set the switch wherever it is meant, then say what holds; 1 when some of it does not."""
    check_words(args)
    found = targets("kill", args)
    if len(found) == 1:
        outcome = kill(args, found[0])
        print(outcome.words)
        return int(not outcome.is_kept)
    return max(kill_one_of_many(args, target) for target in found)


def kill_one_of_many(args: argparse.Namespace, target: Target) -> int:
    """Set one appliance's switch; what goes wrong with it keeps nobody from the others."""
    try:
        outcome = kill(args, target)
    except CommandError as error:
        print(f"tickplane: {target.name}: {error}", file=sys.stderr)
        return 1
    print(f"{target.name}: {outcome.words}")
    return int(not outcome.is_kept)


def kill(args: argparse.Namespace, target: Target) -> Outcome:
    """Set one appliance's switch: in its memory first, then in the file."""
    if target.is_alive or target.kept is None:
        return kill_running(args, target)
    check_scope(args.scope, args)
    kept = keep(args, target)
    started = [one for one in targets("kill", args) if one.is_alive and one.kept == target.kept]
    if started:  # meanwhile: it may have read the file before
        return kill_running(args, started[0])
    return kept._replace(words=f"{args.scope}: {args.mode}, nothing runs; {kept.words}")


def kill_running(args: argparse.Namespace, target: Target) -> Outcome:
    """Set the switch of a run; the file is written while its answer is awaited."""
    assert target.region is not None
    kept: list[Outcome] = []
    with control_of("kill", target.region) as control:
        recorded = control.kill(
            args.scope, args.mode, author=args.author, cause=args.cause,
            meanwhile=lambda: kept.append(keep(args, target)),
        )  # fmt: skip
        mode, source, _ = control.mode(args.scope)
    words = "journalled" if recorded else "in force, but the appliance has not answered"
    words = f"{args.scope}: {mode}, set by {source}; {words}; {kept[0].words}"
    return kept[0]._replace(words=words)


def keep(args: argparse.Namespace, target: Target) -> Outcome:
    """Write the file; say how far that went."""
    if target.kept is None:
        return Outcome("not kept: it ends with this run", is_kept=True)
    switch = Switch(args.scope, args.mode, "person", args.author, args.cause, time.time_ns())
    try:
        return Outcome(f"kept {switches.keep(target.kept, switch)}", is_kept=True)
    except CommandError as error:
        return Outcome(f"NOT kept, a restart would forget it: {error}", is_kept=False)
