"""``tickplane kill``: stop new orders of a scope, from any terminal, at once.

The switch is one word in the appliance's memory: it holds before this command returns, whatever the
appliance is doing. The appliance then journals who did it and why. Cancels pass.
"""

from __future__ import annotations

import argparse

from appliance.running import add_common, attached, check_words
from dataplane.control import MODES


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument(
        "scope", metavar="SCOPE", nargs="?", default="firm",
        help="firm (default), account:NAME, strategy:NAME, session:NUMBER, instrument:SYMBOL",
    )  # fmt: skip
    parser.add_argument(
        "--mode", choices=MODES, default="cancel-all", help="how hard (default: %(default)s)"
    )
    add_common(parser, cause_needed=False)


def run(args: argparse.Namespace) -> int:
    """Set the switch, then say what holds."""
    check_words(args)
    with attached("kill", args) as control:
        recorded = control.kill(args.scope, args.mode, author=args.author, cause=args.cause)
        mode, source, _ = control.mode(args.scope)
    words = "journalled" if recorded else "in force, but the appliance has not answered"
    print(f"{args.scope}: {mode}, set by {source}; {words}")
    return 0
