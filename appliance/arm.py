"""``tickplane arm``: clear a switch that a person or a breaker has set; a person's decision.

In two steps: without ``--mark`` the verb shows what is set and the mark to name; with it, and a
cause, the appliance clears the switch if the mark is still the same. So nobody clears what they
have not seen.
"""

from __future__ import annotations

import argparse

from appliance.errors import CommandError
from appliance.running import add_common, attached, check_words
from dataplane.control import Control


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument(
        "scope", metavar="SCOPE", nargs="?", default="firm",
        help="firm (default), account:NAME, strategy:NAME, session:NUMBER, instrument:SYMBOL",
    )  # fmt: skip
    parser.add_argument("--mark", type=int, help="the mark that the first step showed")
    add_common(parser, cause_needed=False)


def run(args: argparse.Namespace) -> int:
    """Show the switch, or clear it."""
    check_words(args)
    with attached("arm", args) as control:
        if args.mark is None:
            return show(control, args.scope)
        if not args.cause:
            raise CommandError("arm: --cause: missing; say why orders may pass again")
        if not control.arm(args.scope, args.mark, author=args.author, cause=args.cause):
            raise CommandError("arm: the appliance does not answer; is it running?")
        mode, _, _ = control.mode(args.scope)
    print(f"{args.scope}: {mode}, by {args.author}: {args.cause}")
    return 0


def show(control: Control, scope: str) -> int:
    """Say what is set and how to clear it."""
    mode, source, mark = control.mode(scope)
    if mode == "clear":
        print(f"{scope}: clear")
    else:
        print(f"{scope}: {mode}, set by {source}")
        print(f"to clear it: tickplane arm {scope} --mark {mark} --cause TEXT")
    return 0
