"""``tickplane limits``: what a running appliance allows, and one limit changed at a time.

A change is a command to the appliance: it takes effect between two orders, as a whole, and is
journalled with its author and cause.
"""

from __future__ import annotations

import argparse

from appliance.config_risk import UNLIMITED, render_limit
from appliance.config_section import ConfigError, compose
from appliance.errors import CommandError
from appliance.running import add_common, attached, check_words
from dataplane.control import Control


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    verbs = parser.add_subparsers(dest="action", metavar="show|set", required=True)
    shown = verbs.add_parser("show", help="print limits and switches")
    shown.add_argument("scope", metavar="SCOPE", nargs="?", help="one scope (default: all)")
    shown.add_argument(
        "--appliance", metavar="NAME", help="the appliance, or a path (default: the newest)"
    )
    changed = verbs.add_parser("set", help="change one limit")
    changed.add_argument("scope", metavar="SCOPE", help="firm, account:NAME, strategy:NAME ...")
    changed.add_argument("name", metavar="LIMIT", help="as `limits show` calls it")
    changed.add_argument("value", metavar="VALUE", help="a number, or unlimited")
    add_common(changed, cause_needed=True)


def run(args: argparse.Namespace) -> int:
    """Show or change."""
    if args.action == "show":
        with attached("limits", args) as control:
            for scope in [args.scope] if args.scope else control.names():
                show(control, scope)
        return 0
    check_words(args)
    with attached("limits", args) as control:
        known = control.limits(args.scope)
        if args.name not in known:
            raise CommandError(
                f"limits: {args.name!r} is none of {args.scope}; known: {', '.join(known)}"
            )
        before, is_money = known[args.name]
        value = parse(args.name, args.value, is_money)
        if not control.set_limit(
            args.scope, args.name, value, author=args.author, cause=args.cause
        ):
            raise CommandError("limits: the appliance does not answer; is it running?")
    old, new = render_limit(before, is_money), render_limit(value, is_money)
    print(f"{args.scope}: {args.name}: {old} -> {new}")
    return 0


def show(control: Control, scope: str) -> None:
    """Print one scope's switch and limits."""
    mode, source, _ = control.mode(scope)
    print(f"{scope}: {mode}" + (f", set by {source}" if mode != "clear" else ""))
    for name, (value, is_money) in control.limits(scope).items():
        print(f"  {name:22} {render_limit(value, is_money)}")


def parse(name: str, text: str, is_money: bool) -> int:
    """Return a limit from what a person wrote."""
    if text == "unlimited":
        return UNLIMITED
    try:
        section = compose(f"{name}: {text}", "limits")
        return section.nanos(name) if is_money else section.integer(name, 0, UNLIMITED)
    except ConfigError as error:
        raise CommandError(str(error).replace("limits:1: ", "limits: ")) from None
