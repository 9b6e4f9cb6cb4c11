"""``tickplane arm``: clear a switch that a person or a breaker has set; a person's decision.

In two steps: without ``--mark`` the verb shows what is set and the mark to name; with it, and a
cause, the switch is cleared if the mark is still the same. So nobody clears what they have not
seen. It works on a running appliance, and on what the last one left for the next start.
"""

from __future__ import annotations

import argparse
import shlex

from appliance import switches
from appliance.errors import CommandError
from appliance.running import Target, add_common, add_config, check_words, control_of, targets
from appliance.switches import Switch


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument(
        "scope", metavar="SCOPE", nargs="?", default="firm",
        help="firm (default), account:NAME, strategy:NAME, session:NUMBER, instrument:SYMBOL",
    )  # fmt: skip
    parser.add_argument("--mark", type=int, help="the mark that the first step showed")
    add_config(parser)
    add_common(parser, cause_needed=False, default="the one that runs")


def run(args: argparse.Namespace) -> int:
    """Show the switch, or clear it."""
    check_words(args)
    target = one_of(targets("arm", args))
    kept = read_kept(target)
    if args.mark is None:
        print(show(args, target, kept))
        return 0
    if not args.cause:
        raise CommandError("arm: --cause: missing; say why orders may pass again")
    if not args.author:
        raise CommandError("arm: --author: missing; say who you are")
    is_memory = target.is_alive or target.kept is None
    words = clear_running(args, target) if is_memory else clear_kept(args, target, kept)
    if target.kept is not None:
        words = f"{words}; {drop(args, target)}"
    print(words)
    return 0


def read_kept(target: Target) -> switches.Kept:
    """Return what the next start would begin with."""
    if target.kept is None:
        return {}
    if target.region is not None:
        switches.take_over(target.kept, target.region)
    return switches.read(target.kept)


def one_of(found: list[Target]) -> Target:
    """Refuse to guess: each appliance is armed by itself."""
    if len(found) > 1:
        names = ", ".join(sorted(one.name for one in found))
        raise CommandError(f"arm: {len(found)} appliances run: {names}; name one with --appliance")
    return found[0]


# ---- step one ----


def show(args: argparse.Namespace, target: Target, kept: switches.Kept) -> str:
    """Return what is set and how to clear it."""
    words, mark = what_is_set(args.scope, target, kept)
    if mark is None:
        others = [switch.words() for switch in kept.values() if switch.scope != args.scope]
        return "\n".join([f"{args.scope}: clear", *others])
    again = ["tickplane", "arm", args.scope]
    for name in ("config", "appliance"):
        if getattr(args, name) is not None:
            again += [f"--{name}", getattr(args, name)]
    again += ["--mark", str(mark)]
    cause = shlex.quote(args.cause) if args.cause else "TEXT"
    return f"{words}\nto clear it: {shlex.join(again)} --cause {cause}"


def what_is_set(scope: str, target: Target, kept: switches.Kept) -> tuple[str, int | None]:
    """Return it in words with its mark; None when it is clear."""
    switch = kept.get(scope)
    if not target.is_alive and target.kept is not None:
        return ("", None) if switch is None else (f"{switch.words()}; nothing runs", switch.mark())
    assert target.region is not None
    with control_of("arm", target.region) as control:
        mode, source, mark = control.mode(scope)
    if mode == "clear" and switch is None:
        return "", None
    if switch is None or mode == "clear":
        switch = Switch(scope, mode, source)
        return f"{scope}: {mode}, set by {source}", mark
    return switch.words(), mark


# ---- step two ----


def clear_running(args: argparse.Namespace, target: Target) -> str:
    """Have a run clear its switch."""
    assert target.region is not None
    with control_of("arm", target.region) as control:
        if not control.arm(args.scope, args.mark, author=args.author, cause=args.cause):
            raise CommandError("arm: the appliance does not answer; is it running?")
        mode, _, _ = control.mode(args.scope)
    return f"{args.scope}: {mode}, by {args.author}: {args.cause}"


def clear_kept(args: argparse.Namespace, target: Target, kept: switches.Kept) -> str:
    """Clear what the next start would begin with."""
    switch = kept.get(args.scope)
    if switch is None or switch.mark() != args.mark:
        raise CommandError("arm: the switch has changed since you looked; look again")
    if target.region is not None:
        with control_of("arm", target.region) as control:
            control.forget(args.scope)
    return f"{args.scope}: clear at the next start, by {args.author}: {args.cause}"


def drop(args: argparse.Namespace, target: Target) -> str:
    """Take it out of the file; say how far that went."""
    assert target.kept is not None
    try:
        return switches.drop(target.kept, args.scope)
    except CommandError as error:
        raise CommandError(f"arm: cleared, but a restart would set it again: {error}") from None
