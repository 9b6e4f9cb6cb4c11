"""``tickplane journal seal``: closed segments become small files, in the background if asked.

With ``--follow`` it goes on until the journal ends, Ctrl-C or SIGTERM; the process gives way to
every other one. A live run whose configuration says ``journal.seal: true`` starts one for itself.
"""

from __future__ import annotations

import argparse
import contextlib
import errno
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from types import FrameType
from typing import Any

from appliance import config as configuration
from appliance import sign
from appliance.audit_keys import load_signer
from dataplane.errors import DataplaneError
from dataplane.journal import SEALED, SEGMENT, indexes
from dataplane.sealing import Retention, is_closed, path_of
from dataplane.sealing import seal as seal_closed

POLL_SECONDS = 0.5
HOUR_NS = 3_600_000_000_000
MIB = 1 << 20


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes beside the directory."""
    parser.add_argument(
        "--config", metavar="F", help="keep and sign as its journal.keep_... and journal.keys say"
    )
    parser.add_argument("--keys", metavar="KEYS", help="folder of keys: sign what is sealed")
    parser.add_argument(
        "--keep-mib",
        type=natural,
        metavar="N",
        help="let go of segments sealed and older than these",
    )
    parser.add_argument(
        "--keep-hours",
        type=natural,
        metavar="N",
        help="let go of segments sealed and older than that",
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the journal ends")
    parser.add_argument("--parent", type=int, help=argparse.SUPPRESS)


def natural(text: str) -> int:
    """Return a number that is not below 0."""
    if not (text.isascii() and text.isdigit()):
        raise argparse.ArgumentTypeError(f"{text!r}; give a whole number, 0 or more")
    return int(text)


def run(args: argparse.Namespace) -> int:
    """Seal what is closed; 0 unless that could not be done."""
    mib, hours, keys = args.keep_mib, args.keep_hours, args.keys or ""
    if args.config:
        journal = configuration.load(args.config).journal
        mib = journal.keep_mib if mib is None else mib
        hours = journal.keep_hours if hours is None else hours
        keys = keys or journal.keys
    work = Work(args.directory, retention(mib, hours), keys)
    if args.follow:
        give_way()
        if args.parent is not None:
            follow_run(work, args.parent)
            return 0
        follow(work, args.json)
    show(work.round(last=True), args.json)
    return 0


def retention(mib: int | None, hours: int | None) -> Retention | None:
    """Return what is kept; None: everything."""
    if mib is None and hours is None:
        return None
    kept = Retention()
    return Retention(
        size=kept.size if mib is None else mib * MIB,
        age_ns=kept.age_ns if hours is None else hours * HOUR_NS,
    )


class Work:
    """What a round does: seal, sign, let go."""

    def __init__(self, directory: str, retention: Retention | None, keys: str) -> None:
        """Take the key that signs; ``keys`` "": none does."""
        self.directory = directory
        self._retention = retention
        self._signer = load_signer(keys, directory) if keys else None

    def round(self, *, last: bool) -> dict[str, Any]:
        """Do what there is to do and return it; without ``last`` not to the last segment."""
        done = seal_closed(self.directory, self._retention, last=last)
        signed = sign.sign(self.directory, self._signer) if self._signer else []
        return {**vars(done), "signed": signed}


def show(done: dict[str, Any], as_json: bool) -> None:
    """Say what a round did; nothing when it did nothing."""
    if as_json:
        print(json.dumps(done), flush=True)
        return
    if done["sealed"]:
        print(
            f"sealed {len(done['sealed'])} segments: {done['bytes_before']} bytes on disk are now"
            f" {done['bytes_after']}"
        )
    if done["signed"]:
        print(f"signed {len(done['signed'])} segments")
    for path in done["released"]:
        print(f"released {path}")
    sys.stdout.flush()


# ---- following ----


def give_way() -> None:
    """Run only when no other process wants the processor."""
    with contextlib.suppress(OSError):
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


class Told:
    """Whether somebody asked this process to end."""

    def __init__(self) -> None:
        self._told = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._told = True

    def __bool__(self) -> bool:
        return self._told


def follow(work: Work, as_json: bool) -> None:
    """Seal what gets closed until the journal ends, Ctrl-C or SIGTERM."""
    told = Told()
    while not told and not has_ended(work.directory):
        show(work.round(last=False), as_json)
        time.sleep(POLL_SECONDS)


def has_ended(directory: str) -> bool:
    """Say whether the last segment is closed and no other one was made ready behind it."""
    own = path_of(directory, indexes(directory)[-1], SEGMENT)
    return not os.path.exists(own) or is_closed(own)


# ---- beside a run ----


@contextlib.contextmanager
def beside(directory: str | None, config: configuration.Config) -> Iterator[None]:
    """Keep a sealer at work while a run writes its journal; seal what is left when it is over."""
    journal = config.journal
    if directory is None or not journal.seal:
        yield
        return
    # Made here too, so that keys that are not there are said before anything is traded.
    work = Work(directory, retention(journal.keep_mib, journal.keep_hours), journal.keys)
    process = start(directory, config)
    try:
        yield
    finally:
        process.kill()  # at any moment: what it had begun is nothing, what it named is whole
        process.wait()
        attempt(work, last=True)


def start(directory: str, config: configuration.Config) -> subprocess.Popen[bytes]:
    """Start the sealer, away from the engine's core."""
    words = ["journal", "seal", directory, "--follow", "--parent", str(os.getpid())]
    process = subprocess.Popen(
        [sys.executable, "-m", "appliance", *words, "--config", config.source],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    if config.cpu.engine is not None:
        others = os.sched_getaffinity(0) - {config.cpu.engine}
        os.sched_setaffinity(process.pid, others or {config.cpu.engine})
    return process


def follow_run(work: Work, parent: int) -> None:
    """Seal what gets closed until the run that asked for it is gone."""
    said, told = "", Told()
    while not told and os.getppid() == parent:
        said = attempt(work, last=False, said=said)
        time.sleep(POLL_SECONDS)


def attempt(work: Work, *, last: bool, said: str = "") -> str:
    """Do a round that may fail, for the run goes on; return what failed, said once.

    The sealer of a run that was killed may still be at work: that is no failure.
    """
    if not is_there(work.directory):
        return said
    try:
        work.round(last=last)
    except DataplaneError as error:
        if error.code != errno.EBUSY and str(error) != said:
            print(f"tickplane: {error}", file=sys.stderr, flush=True)
        return str(error)
    return ""


def is_there(directory: str) -> bool:
    """Say whether the journal was begun."""
    return os.path.exists(path_of(directory, 0, SEGMENT)) or os.path.exists(
        path_of(directory, 0, SEALED)
    )
