"""What the verbs that speak to a running appliance share: which one, who speaks, why."""

from __future__ import annotations

import argparse
import getpass
from collections.abc import Iterator
from contextlib import contextmanager

from appliance.errors import CommandError
from appliance.top import find
from dataplane.control import Control
from dataplane.errors import DataplaneError

AUTHOR_MAX, CAUSE_MAX = 15, 39  # bytes that a journal record keeps


def add_common(parser: argparse.ArgumentParser, *, cause_needed: bool) -> None:
    """Add which appliance, who and why."""
    parser.add_argument(
        "--appliance", metavar="NAME", help="the appliance, or a path (default: the newest)"
    )
    parser.add_argument(
        "--author", metavar="NAME", default=user(), help="who does it (default: %(default)s)"
    )
    parser.add_argument(
        "--cause", metavar="TEXT", default="", required=cause_needed, help="why, for the journal"
    )


def user() -> str:
    """Return the name of who is logged in."""
    try:
        return getpass.getuser()
    except (KeyError, OSError):
        return "unknown"


def check_words(args: argparse.Namespace) -> None:
    """Refuse what a record of the journal could not keep whole."""
    for name, most in (("author", AUTHOR_MAX), ("cause", CAUSE_MAX)):
        size = len(getattr(args, name).encode())
        if size > most:
            raise CommandError(f"--{name}: {size} bytes; give at most {most}")


@contextmanager
def attached(verb: str, args: argparse.Namespace) -> Iterator[Control]:
    """Attach to the appliance that was meant."""
    path = find(args.appliance, verb)
    try:
        with Control.attach(path) as control:
            yield control
    except DataplaneError as error:
        raise CommandError(f"{verb}: {error}") from error
