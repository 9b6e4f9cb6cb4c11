"""What the verbs about the machine share: where facts come from, and which profile is meant."""

from __future__ import annotations

import argparse
from collections.abc import Iterable
from pathlib import Path

from control import facts, profile
from control.collect import collect
from control.errors import ControlError
from control.facts import Facts
from control.host import Host
from control.match import rank
from control.profile import Profile


def add_facts_argument(parser: argparse.ArgumentParser) -> None:
    """Add where the facts come from."""
    parser.add_argument(
        "--facts", metavar="FILE", help="facts of another machine, from `tickplane facts --json`"
    )


def add_profile_argument(parser: argparse.ArgumentParser) -> None:
    """Add which profile is meant."""
    parser.add_argument(
        "profile", nargs="?", help="a shipped name or a file (default: what fits this machine)"
    )


def read_facts(source: str | None, extra: Iterable[str] = ()) -> Facts:
    """Return the facts of a file, or of this machine."""
    if source is None:
        return collect(Host(), extra)
    try:
        text = Path(source).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not text"
        raise ControlError(f"{source}: {reason.lower()}; give a file of facts") from None
    return facts.parse(text, source=source)


def shipped_profiles() -> dict[str, Profile]:
    """Return every profile that comes with tickplane."""
    return {name: profile.load(name) for name in profile.shipped()}


def chosen(name: str | None, source: str | None) -> tuple[Profile, Facts]:
    """Return the profile that is meant, and the facts that it is about."""
    if name is not None:
        wanted = profile.load(name)
        return wanted, read_facts(source, wanted.extra_targets())
    found = read_facts(source)
    best = rank(shipped_profiles(), found)[0]
    if not best.fits:
        raise ControlError("profile: none of the shipped ones fits this machine; "
                           "name one, or make one with `tickplane profile init`")  # fmt: skip
    return best.profile, read_facts(source, best.profile.extra_targets())
