"""``tickplane journal drop``: let go of the oldest sealed segments of journals that have ended.

What recovery may still need never goes: a journal that is being written, that did not end, or in
which orders are open stays whole, and of every journal the last segment stays. What proves the rest
stays too: the signatures of each dropped segment, so that the chain of roots still begins at the
first one, and in `dropped.json` the records that named instruments. `journal verify` checks both.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import json
import os
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

from appliance import sign
from appliance.audit_keys import Verifier, statement_of, write_whole
from appliance.errors import CommandError
from appliance.proof import segment_part
from appliance.seal import HOUR_NS, MIB, has_ended, natural
from dataplane import dropped
from dataplane.errors import DataplaneError
from dataplane.journal import SEALED, SEGMENT, Journal, indexes
from dataplane.recovery import capacity_of, recover
from dataplane.seal import Block, Sealed
from dataplane.sealing import flush, path_of, sealer

INSTRUMENT = 3  # kind of a record


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument("archive", metavar="ARCHIVE", help="a journal, or a folder of journals")
    parser.add_argument(
        "--keep-mib", type=natural, metavar="N", help="sealed bytes that stay, in all"
    )
    parser.add_argument(
        "--keep-hours", type=natural, metavar="N", help="sealed in the last N hours"
    )
    parser.add_argument("--keys", metavar="PUBLIC", help="drop only what these keys have signed")
    parser.add_argument("-n", "--dry-run", action="store_true", help="say it and do nothing")


def run(args: argparse.Namespace) -> int:
    """Drop; 1 when something that is not to be kept had to stay."""
    if args.keep_mib is None and args.keep_hours is None:
        raise CommandError("drop: say what is kept: --keep-mib N, --keep-hours N, or both")
    found = [Work(path) for path in journals_in(args.archive)]
    mark(found, args.keep_mib, args.keep_hours)
    verifier = Verifier(args.keys) if args.keys is not None else None
    for work in found:
        work.do(verifier, args.dry_run)
    if args.json:
        print(json.dumps([vars(work) for work in found if work.superfluous]))
    else:
        show(found, args.dry_run)
    return 1 if any(work.stays for work in found) else 0


def journals_in(archive: str) -> list[str]:
    """Return the journal, or those in the folder, the oldest first."""
    try:
        names = sorted(os.listdir(archive))
    except OSError as error:
        raise CommandError(f"drop: {archive}: {error.strerror}; name a journal") from None
    paths = [path for name in names if is_journal(path := os.path.join(archive, name))]
    if is_journal(archive):
        paths = [archive]
    if not paths:
        raise CommandError(f"drop: {archive}: holds no journal, nor does a folder in it")
    return sorted(paths, key=begun_ns)


def is_journal(path: str) -> bool:
    """Say whether the folder holds a journal's files."""
    try:
        return bool(indexes(path))
    except DataplaneError:
        return False


def begun_ns(path: str) -> int:
    """Return when a journal was begun, as its first segment has it."""
    segment = next(Journal(path).segments(), None)
    return int(segment.header["created_ns"]) if segment is not None else 0


# ---- what is too much ----


@dataclass
class Work:
    """One journal: what is not to be kept of it, what was dropped, and why the rest stays."""

    directory: str
    superfluous: list[int] = field(default_factory=list)
    dropped: list[int] = field(default_factory=list)
    bytes: int = 0
    stays: str = ""

    def do(self, verifier: Verifier | None, dry_run: bool) -> None:
        """Drop what is superfluous as far as may be; note what keeps the rest."""
        try:
            if self.superfluous or leftovers(self.directory):
                with held(self.directory), sealer(self.directory):
                    self._do(verifier, dry_run)
        except (CommandError, DataplaneError) as error:
            self.stays = str(error)

    def _do(self, verifier: Verifier | None, dry_run: bool) -> None:
        for path in leftovers(self.directory):
            os.unlink(path)
        check_ended(self.directory)
        for index in self.superfluous:
            problem = unproven(self.directory, index, verifier)
            if problem:
                raise CommandError(f"{self.directory}: segment {index}: {problem}")
            self.bytes += sum(os.path.getsize(path) for path in files_of(self.directory, index))
            if not dry_run:
                drop(self.directory, index)
            self.dropped.append(index)


def mark(found: list[Work], mib: int | None, hours: int | None) -> None:
    """Note for each journal which segments are too many or too old; never its last one."""
    now_ns, kept = time.time_ns(), 0
    for work in reversed(found):
        numbers = indexes(work.directory)
        for index in reversed(numbers):
            try:
                status = os.stat(path_of(work.directory, index, SEALED))
            except FileNotFoundError:
                continue
            kept += status.st_size
            is_old = hours is not None and now_ns - status.st_mtime_ns > hours * HOUR_NS
            is_much = mib is not None and kept > mib * MIB
            if (is_old or is_much) and index != numbers[-1]:
                work.superfluous.append(index)
        work.superfluous = leading(work.superfluous, numbers[0])


def leading(found: list[int], first: int) -> list[int]:
    """Return those numbers that go on from the first one without a hole."""
    wanted = set(found)
    last = first
    while last in wanted:
        last += 1
    return list(range(first, last))


# ---- what may go ----


@contextlib.contextmanager
def held(directory: str) -> Iterator[None]:
    """Keep writers out; raise CommandError when one is at work."""
    descriptor = os.open(directory, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise CommandError(f"{directory}: it is being written; all of it is needed") from None
    finally:
        os.close(descriptor)


def check_ended(directory: str) -> None:
    """Raise CommandError when recovery may still need the journal."""
    if not has_ended(directory):
        raise CommandError(f"{directory}: it did not end; recovery needs all of it")
    if dropped.load(directory).segments:
        return  # it was looked at when the first segment went, and nobody can go on with it
    capacity, _ = capacity_of(directory)
    found = recover(directory, capacity, from_checkpoint=False)
    if not found.summary["valid"]:
        raise CommandError(f"{directory}: it is not whole; see tickplane journal verify")
    if count := len(found.state.live_orders(found.prefix)):
        raise CommandError(f"{directory}: {count} of its orders are open; recovery needs all of it")


def unproven(directory: str, index: int, verifier: Verifier | None) -> str | None:
    """Return why nothing would prove a segment any more that is dropped; None: its root stays."""
    signature = path_of(directory, index, sign.SIGNED)
    if not os.path.exists(signature):
        return "it is not signed, its root would be lost; see tickplane journal seal --keys"
    try:
        statement = sign.statement_in(signature)
    except ValueError as error:
        return f"its signatures cannot be read: {error}"
    if statement != statement_of(Sealed(path_of(directory, index, SEALED)).trailer):
        return "its signatures are of another segment"
    if verifier is None:
        return None
    return verifier.problem(statement, sign.signatures_of(signature))


# ---- dropping ----


def files_of(directory: str, index: int) -> list[str]:
    """Return what goes of a segment."""
    paths = [path_of(directory, index, ending) for ending in (SEALED, SEGMENT)]
    return [path for path in paths if os.path.exists(path)]


def leftovers(directory: str) -> list[str]:
    """Return files of segments that were noted as dropped by a process that died then."""
    gone = range(dropped.load(directory).segments)
    return [path for index in gone for path in files_of(directory, index)]


def drop(directory: str, index: int) -> None:
    """Drop a segment: first it is noted, then it goes; readers begin behind it from then on."""
    before = dropped.load(directory)
    sealed = Sealed(path_of(directory, index, SEALED))
    named = instruments_of(directory, index)
    parts = [segment_part(directory, index, named)] if named else []
    after = dropped.Dropped(
        index + 1,
        before.sequence_last + int(sealed.trailer["record_count"]),
        bytes(sealed.trailer["chained"]),
        before.parts + parts,
    )
    paths = files_of(directory, index)
    write_whole(os.path.join(directory, dropped.NAME), after.content(), 0o644)
    for path in paths:
        os.unlink(path)
    flush(directory)


def instruments_of(directory: str, index: int) -> list[int]:
    """Return the numbers of a segment's records that name instruments."""

    def may_hold(block: Block) -> bool:
        return bool(block["kinds"] >> INSTRUMENT & 1)

    segment = next(Journal(directory, index).segments())
    return [
        int(record["seq"])
        for record in segment.records({}, may_hold)
        if record["event"] == "INSTRUMENT"
    ]


def show(found: list[Work], dry_run: bool) -> None:
    """Say what went, and on stderr what had to stay."""
    verb = "would drop" if dry_run else "dropped"
    for work in found:
        if work.dropped:
            print(f"{work.directory}: {verb} {len(work.dropped)} segments, {work.bytes} bytes")
        if work.stays:
            print(f"tickplane: drop: {work.stays}", file=sys.stderr)
