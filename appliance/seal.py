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

from appliance import config as configuration
from appliance import sign
from appliance.audit_keys import load_signer
from dataplane.errors import DataplaneError
from dataplane.journal import SEALED, SEGMENT, segment_names
from dataplane.sealing import Done, Retention, is_closed, path_of
from dataplane.sealing import seal as seal_closed

POLL_SECONDS = 0.5
PAUSE_SECONDS = 1.0  # after a round that failed
HOUR_NS = 3_600_000_000_000
MIB = 1 << 20


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes beside the directory."""
    parser.add_argument(
        "--config", metavar="F", help="keep and sign as its journal.keep_... and journal.keys say"
    )
    parser.add_argument("--keys", metavar="KEYS", help="folder of keys: sign what is sealed")
    parser.add_argument(
        "--keep-mib", type=int, metavar="N", help="let go of segments sealed and older than these"
    )
    parser.add_argument(
        "--keep-hours", type=int, metavar="N", help="let go of segments sealed and older than that"
    )
    parser.add_argument("-f", "--follow", action="store_true", help="go on until the journal ends")
    parser.add_argument("--parent", type=int, help=argparse.SUPPRESS)


def run(args: argparse.Namespace) -> int:
    """Seal what is closed; 0 unless that could not be done."""
    work = Work(args)
    if not args.follow:
        work.round(last=True)
        return 0
    give_way()
    stop = Stop(args)
    while not stop.is_due():
        if args.parent is None:
            work.round(last=False)
        elif is_there(args.directory):
            work.round_beside_a_run()
        time.sleep(POLL_SECONDS)
    work.last_round()
    return 0


class Work:
    """What a round does: seal, sign, let go."""

    def __init__(self, args: argparse.Namespace) -> None:
        journal = configuration.load(args.config).journal if args.config else None
        self._args = args
        self._complaint = ""
        self._retention = retention_of(args, journal)
        keys = args.keys or (journal.keys if journal else "")
        self._signer = load_signer(keys, args.directory) if keys else None

    def round(self, *, last: bool) -> None:
        """Do what there is to do, and say so; without ``last`` the last segment is left alone."""
        directory = self._args.directory
        done = seal_closed(directory, self._retention, last=last)
        signed = sign.sign(directory, self._signer) if self._signer else []
        show(done, signed, self._args.json)

    def last_round(self) -> None:
        """Seal the last segment as well; wait for the sealer of a run that was killed to end."""
        while True:
            try:
                return self.round(last=True)
            except DataplaneError as error:
                if error.code != errno.EBUSY or self._args.parent is None:
                    raise
            time.sleep(POLL_SECONDS)

    def round_beside_a_run(self) -> None:
        """Do a round that may fail: the run goes on, and what failed is said once and tried again.

        The sealer of a run that was killed may still be at its last round: that is no failure.
        """
        try:
            self.round(last=False)
        except DataplaneError as error:
            if error.code != errno.EBUSY and str(error) != self._complaint:
                print(f"tickplane: {error}", file=sys.stderr, flush=True)
                self._complaint = str(error)
            time.sleep(PAUSE_SECONDS)


def retention_of(
    args: argparse.Namespace, journal: configuration.JournalConfig | None
) -> Retention | None:
    """Return what is kept: as the options say, else as the configuration does; None: all."""
    mib, hours = args.keep_mib, args.keep_hours
    if journal is not None:
        mib = journal.keep_mib if mib is None else mib
        hours = journal.keep_hours if hours is None else hours
    if mib is None and hours is None:
        return None
    kept = Retention()
    return Retention(
        size=kept.size if mib is None else mib * MIB,
        age_ns=kept.age_ns if hours is None else hours * HOUR_NS,
    )


def give_way() -> None:
    """Run only when no other process wants the processor."""
    with contextlib.suppress(OSError):
        os.nice(19)
        os.sched_setscheduler(0, os.SCHED_IDLE, os.sched_param(0))


class Stop:
    """When following ends: at a signal, with the process that asked for it, or with the journal."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._told = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._note)

    def _note(self, _number: int, _frame: FrameType | None) -> None:
        self._told = True

    def is_due(self) -> bool:
        """Say whether this round is the last one."""
        if self._args.parent is not None:
            return self._told or os.getppid() != self._args.parent
        return self._told or has_ended(self._args.directory)


def has_ended(directory: str) -> bool:
    """Say whether the last segment is closed and no other one was made ready behind it."""
    own = path_of(directory, len(segment_names(directory)) - 1, SEGMENT)
    return not os.path.exists(own) or is_closed(own)


def is_there(directory: str) -> bool:
    """Say whether the journal was begun."""
    return os.path.exists(path_of(directory, 0, SEGMENT)) or os.path.exists(
        path_of(directory, 0, SEALED)
    )


def show(done: Done, signed: list[str], as_json: bool) -> None:
    """Say what a round did; nothing when it did nothing."""
    if as_json:
        print(json.dumps({**vars(done), "signed": signed}), flush=True)
        return
    if done.sealed:
        print(
            f"sealed {len(done.sealed)} segments: {done.bytes_before} bytes on disk are now"
            f" {done.bytes_after}"
        )
    if signed:
        print(f"signed {len(signed)} segments")
    for path in done.released:
        print(f"released {path}")
    sys.stdout.flush()


@contextlib.contextmanager
def beside(directory: str | None, config: configuration.Config) -> Iterator[None]:
    """Keep a sealer at work while a run writes its journal; wait for its last round."""
    if directory is None or not config.journal.seal:
        yield
        return
    words = ["journal", "seal", directory, "--follow", "--parent", str(os.getpid())]
    process = subprocess.Popen(
        [sys.executable, "-m", "appliance", *words, "--config", config.source],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
    )
    if config.cpu.engine is not None:
        others = os.sched_getaffinity(0) - {config.cpu.engine}
        os.sched_setaffinity(process.pid, others or {config.cpu.engine})
    try:
        yield
    finally:
        process.terminate()
        process.wait()
