"""What the verbs that speak to a running appliance share: which one, who speaks, why."""

from __future__ import annotations

import argparse
import errno
import getpass
import re
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from appliance import config as configuration
from appliance import switches
from appliance.errors import CommandError
from appliance.top import PREFIX, SHM, find, is_alive, regions
from dataplane.control import Control
from dataplane.errors import DataplaneError
from dataplane.page import Page
from dataplane.region import Region

AUTHOR_MAX, CAUSE_MAX = 15, 39  # bytes that a journal record keeps
MAKING_WAIT_S = 2.0
SCOPE = re.compile(r"firm|(account|strategy):.+|session:([0-9]|1[0-5])|instrument:[!-~]{1,8}")


def add_common(
    parser: argparse.ArgumentParser, *, cause_needed: bool, default: str = "the newest"
) -> None:
    """Add which appliance, who and why."""
    parser.add_argument(
        "--appliance", metavar="NAME", help=f"the appliance, or a path (default: {default})"
    )
    parser.add_argument(
        "--author", metavar="NAME", default=user(), help="who does it (default: %(default)s)"
    )
    parser.add_argument(
        "--cause", metavar="TEXT", default="", required=cause_needed, help="why, for the journal"
    )


def add_config(parser: argparse.ArgumentParser) -> None:
    """Add the configuration, which says where switches are kept when nothing runs."""
    parser.add_argument(
        "--config", metavar="FILE", help="the appliance of that configuration, also if none runs"
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
    with control_of(verb, find(args.appliance, verb)) as control:
        yield control


@contextmanager
def control_of(verb: str, path: Path) -> Iterator[Control]:
    """Attach to that region; what goes wrong is the verb's."""
    try:
        with Control.attach(path) as control:
            yield control
    except DataplaneError as error:
        raise CommandError(f"{verb}: {error}") from error


# ---- which appliances a switch is for ----


@dataclass(frozen=True)
class Target:
    """One appliance: its memory, when there is any, and the file that keeps its switches."""

    name: str
    region: Path | None
    is_alive: bool
    kept: Path | None  # None: not a live run, or one without a journal


def targets(verb: str, args: argparse.Namespace) -> list[Target]:
    """Return who is meant: by configuration, by name, else all that run, else the last that did."""
    if args.config is not None:
        return of_config(verb, args.config)
    if args.appliance is not None:
        return [target_of(find(args.appliance, verb))]
    known = [target_of(path) for path in regions()]
    found = [one for one in known if one.is_alive] or [one for one in known if one.kept][-1:]
    if not found:
        raise CommandError(f"{verb}: nothing runs here; for the next start name its --config FILE")
    return found


def of_config(verb: str, path: str) -> list[Target]:
    """Return the runs on that configuration's journal, or its file alone when there is none."""
    config = configuration.load(path)
    if not config.journal.directory:
        raise CommandError(f"{verb}: {path}: journal.directory: missing; switches are kept beside")
    kept = switches.path_of(config.journal.directory)
    found = [target_of(region) for region in SHM.glob(f"{PREFIX}{config.name}-*")]
    return [one for one in found if one.kept == kept] or [Target(config.name, None, False, kept)]


def running_pages() -> Iterator[tuple[str, Page]]:
    """Yield name and page of every appliance that runs and that this build can read."""
    for path in regions():
        with suppress(DataplaneError), Region.attach(path) as region:
            if is_alive(region.header["pid"]):
                with Page.attach(path) as page:
                    yield path.name.removeprefix(PREFIX), page


def target_of(path: Path) -> Target:
    """Return what a region says of itself; one that is just being made is waited for.

    One that this build cannot read (another build's) counts as running when its process does:
    whoever kills must be told that it was not reached.
    """
    until = time.monotonic() + MAKING_WAIT_S
    while True:
        try:
            return read_target(path)
        except DataplaneError as error:
            if error.code != errno.EAGAIN or time.monotonic() > until:
                pid = path.name.rpartition("-")[2]
                is_there = pid.isdigit() and is_alive(int(pid))
                return Target(path.name.removeprefix(PREFIX), path, is_there, None)
        time.sleep(0.02)


def read_target(path: Path) -> Target:
    with Region.attach(path) as region, Page.attach(path) as page:
        run = page.run()
        journal = run["journal"] if run["is_live"] else None
        kept = switches.path_of(journal["directory"]) if journal is not None else None
        name = path.name.removeprefix(PREFIX)
        return Target(name, path, is_alive(region.header["pid"]), kept)


def check_scope(scope: str, args: argparse.Namespace) -> None:
    """Refuse what no run would know, where none is there to ask."""
    if not SCOPE.fullmatch(scope):
        raise CommandError(
            f"scope: {scope!r} is none; write firm, account:NAME, strategy:NAME, session:NUMBER or"
            " instrument:SYMBOL"
        )
    kind, _, name = scope.partition(":")
    if args.config is None or kind not in ("account", "strategy"):
        return
    config = configuration.load(args.config)
    names = [one.name for one in (config.accounts if kind == "account" else config.strategies)]
    if name not in names:
        raise CommandError(f"scope: {scope!r} is not there; known: {', '.join(names) or 'none'}")
