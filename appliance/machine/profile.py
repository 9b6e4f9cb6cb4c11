"""``tickplane profile``: which there are, what is in one, which fits, and making one."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path

from appliance.machine.common import add_facts_argument, read_facts, shipped_profiles
from control import derive, profile, reference
from control.errors import ControlError
from control.match import Verdict, rank
from control.profile import Entry, Profile


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", required=True)
    actions.add_parser("list", help="the shipped profiles")
    show = actions.add_parser("show", help="every value of one, with its line and its reason")
    show.add_argument("profile", help="a shipped name or a file")
    match = actions.add_parser("match", help="which of them fit a machine, best first, and why not")
    add_facts_argument(match)
    check = actions.add_parser("check", help="say whether files are profiles; needs no privilege")
    check.add_argument("profile", nargs="+", help="a shipped name or a file")
    init = actions.add_parser("init", help="make one of this machine as it is")
    init.add_argument("file", nargs="?", help="write it there (default: print it)")
    add_facts_argument(init)
    actions.add_parser("reference", help="print the reference of all keys")


def run(args: argparse.Namespace) -> int:
    """Do what was asked."""
    match args.action:
        case "list":
            lines = (f"{one.name:<20} {one.text('description')}" for one in
                     shipped_profiles().values())  # fmt: skip
            print("\n".join(lines))
        case "show":
            print("\n".join(render(profile.load(args.profile))))
        case "match":
            verdicts = rank(shipped_profiles(), read_facts(args.facts))
            print("\n".join(map(render_verdict, verdicts)))
            return 0 if verdicts[0].fits else 1
        case "check":
            for name in args.profile:
                found = profile.load(name)
                print(f"{name}: good; {len(found.entries)} values from {', '.join(found.chain)}")
        case "init":
            write(args.file, read_facts_and_render(args.facts))
        case "reference":
            print(reference.render(), end="")
    return 0


def render(found: Profile) -> Iterator[str]:
    """Return a profile with everything it inherits."""
    yield f"# {found.name}: {found.text('description')}"
    yield f"# files: {', '.join(found.chain)}"
    for key, entry in sorted(found.entries.items()):
        if not profile.is_own(key):
            yield from render_entry(key, entry)


def render_entry(key: str, entry: Entry) -> Iterator[str]:
    """Return one value: key, value, line, reason, source."""
    value = ", ".join(entry.value) if isinstance(entry.value, tuple) else entry.value
    yield f"{key}: {value}  # {entry.where}"
    if entry.why:
        yield f"    {entry.why}"
    if entry.source:
        yield f"    source: {entry.source}"


def render_verdict(verdict: Verdict) -> str:
    """Return one line about a profile and a machine."""
    name = verdict.profile.name
    if verdict.fits:
        return f"yes {name:<20} {verdict.met} conditions hold"
    reason = "; ".join(verdict.missed) or "it has no conditions: others extend it"
    return f"no  {name:<20} {reason}"


def read_facts_and_render(source: str | None) -> str:
    """Return a profile of a machine as it is."""
    facts = read_facts(source)
    return derive.render(facts, rank(shipped_profiles(), facts))


def write(path: str | None, text: str) -> None:
    """Print the profile, or put it into a file that is not there yet."""
    if path is None:
        print(text, end="")
        return
    try:
        with Path(path).open("x", encoding="utf-8") as file:
            file.write(text)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise ControlError(f"{path}: {reason}; give a new file in a folder of yours") from None
    print(f"{path}: written; next: tickplane profile check {path}")
