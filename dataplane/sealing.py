"""Sealing a journal: closed segments become small files, and their own files may go.

A sealed file is written under another name, flushed, read back and compared with the segment, and
only then given its name: whenever the process dies, a `.tps` is whole. A segment's own file goes
after that, and only when the next one is on disk, for that is where a writer goes on. The order of
the work is the segments' order: each root holds the one before it. docs/journal.md has the format.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import os
import time
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from dataplane import dropped
from dataplane.errors import DataplaneError
from dataplane.journal import SEALED, SEGMENT, indexes, name_of, segment_names
from dataplane.seal import Sealed, map_file, write
from dataplane.segment import Segment

LOCK = "seal.lock"
PART = ".part"
HEADER_CRC = 76  # byte of a segment
KEEP = 1 << 62


@dataclass(frozen=True)
class Retention:
    """How much of the segments' own files stays behind the writer, sealed or not."""

    size: int = KEEP  # bytes
    age_ns: int = KEEP


@dataclass(frozen=True)
class Done:
    """What one round of sealing did."""

    sealed: list[str]  # paths
    released: list[str]
    bytes_before: int
    bytes_after: int


@contextlib.contextmanager
def sealer(directory: str) -> Iterator[None]:
    """Keep a second sealer out."""
    descriptor = os.open(
        os.path.join(directory, LOCK), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644
    )
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    except BlockingIOError:
        raise DataplaneError(
            errno.EBUSY, f"journal: {directory}: another process seals it; let that one do it"
        ) from None
    finally:
        os.close(descriptor)


def seal(directory: str, retention: Retention | None = None, *, last: bool = True) -> Done:
    """Seal every closed segment that is not; with a retention let go of files it does not keep.

    Without ``last`` the last segment is passed over: to know whether it is closed, all of it would
    have to be read, again and again while it grows.
    """
    segment_names(directory)  # says what is wrong where there is none
    with sealer(directory):
        clear_parts(directory)
        sealed: list[str] = []
        before = after = 0
        for index in unsealed(directory, last):
            sealed.append(seal_one(directory, index))
            before += os.path.getsize(path_of(directory, index, SEGMENT))
            after += os.path.getsize(sealed[-1])
        released = release(directory, retention) if retention else []
    return Done(sealed, released, before, after)


def path_of(directory: str, index: int, ending: str) -> str:
    """Return the path of a segment's file."""
    return os.path.join(directory, name_of(index) + ending)


def clear_parts(directory: str) -> None:
    """Remove what a sealer that died had begun."""
    for name in os.listdir(directory):
        if name.startswith("journal-") and name.endswith(PART):
            os.unlink(os.path.join(directory, name))


def unsealed(directory: str, last: bool) -> Iterator[int]:
    """Yield the numbers of segments that are closed for good and not sealed, in order."""
    for index in indexes(directory):
        if os.path.exists(path_of(directory, index, SEALED)):
            continue
        own = path_of(directory, index, SEGMENT)
        if not is_begun(path_of(directory, index + 1, SEGMENT)) and not (last and is_closed(own)):
            return
        yield index


def is_begun(path: str) -> bool:
    """Whether the file is a segment in which records stand, or will: its header has its CRC."""
    try:
        with open(path, "rb") as file:
            return any(file.read(HEADER_CRC + 4)[HEADER_CRC:])
    except FileNotFoundError:
        return False


def is_closed(path: str) -> bool:
    """Whether the segment is whole and has its end record."""
    if not is_begun(path):
        return False
    segment = Segment(path)
    segment.skip()
    return segment.verdict == "closed"


# ---- one segment ----


def seal_one(directory: str, index: int) -> str:
    """Seal a segment; return the path of the sealed file, which is whole and on disk."""
    path, own = path_of(directory, index, SEALED), path_of(directory, index, SEGMENT)
    segment = map_file(own)
    try:
        # Who goes on after a power cut must not find it torn, and a sealed one beside it.
        flush(own)
        with open(path + PART, "wb") as file:
            write(file.fileno(), segment, previous_root(directory, index))
            os.fsync(file.fileno())
        compare(path, segment)
        os.rename(path + PART, path)
        flush(directory)
    except (OSError, DataplaneError) as error:
        with contextlib.suppress(OSError):
            os.unlink(path + PART)
        code = error.code if isinstance(error, DataplaneError) else error.errno
        raise DataplaneError(
            code or errno.EIO, f"journal: {own}: {error}; the segment stays"
        ) from error
    return path


def compare(path: str, segment: Any) -> None:
    """Read the new file back; raise DataplaneError when it is not the segment to the byte."""
    sealed = Sealed(path + PART)
    if not sealed.equals(segment):
        raise DataplaneError(errno.EBADMSG, "seal: what was written reads otherwise")


def previous_root(directory: str, index: int) -> bytes:
    """Return the chained root that stands in the sealed segment before."""
    before = dropped.load(directory)
    if index == before.segments:
        return before.chained
    trailer = Sealed(path_of(directory, index - 1, SEALED)).trailer
    return bytes(trailer["chained"])


def flush(path: str) -> None:
    """Wait until a file, or the names in a folder, are on disk."""
    descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


# ---- retention ----


def release(directory: str, retention: Retention) -> list[str]:
    """Remove the oldest segments' own files beyond what is kept; return their paths."""
    gone = []
    for index in superfluous(directory, retention):
        path = path_of(directory, index, SEGMENT)
        follower = path_of(directory, index + 1, SEGMENT)
        if not is_begun(follower):
            break
        flush(follower)
        os.unlink(path)
        flush(directory)
        gone.append(path)
    return gone


def superfluous(directory: str, retention: Retention) -> list[int]:
    """Return the numbers of sealed segments whose own files are too many or too old, in order."""
    now_ns, kept, found = time.time_ns(), 0, []
    for index in reversed(indexes(directory)):
        try:
            status = os.stat(path_of(directory, index, SEGMENT))
        except FileNotFoundError:
            continue
        kept += status.st_size
        is_old = now_ns - status.st_mtime_ns > retention.age_ns
        if (kept > retention.size or is_old) and os.path.exists(path_of(directory, index, SEALED)):
            found.append(index)
    return found[::-1]


# ---- checking ----


def check(directory: str) -> tuple[int, list[str]]:
    """Return how many segments are sealed, and what is wrong with them, in words."""
    count, problems, previous = 0, list[str](), dropped.load(directory).chained
    for index in indexes(directory):
        path = path_of(directory, index, SEALED)
        if not os.path.exists(path):
            continue
        count += 1
        try:
            sealed = Sealed(path)
        except DataplaneError as error:
            problems.append(f"{path}: {error}")
            continue
        problems += [f"{path}: {what}" for what in wrong(sealed, directory, index, previous)]
        previous = bytes(sealed.trailer["chained"])
    return count, problems


def wrong(sealed: Sealed, directory: str, index: int, previous: bytes) -> list[str]:
    """Return what keeps a sealed segment from being the one that was written, in words."""
    changed = sealed.read_all()
    if changed is not None:
        return [f"the block at byte {sealed.block(changed)['offset']} was changed"]
    found = []
    if not sealed.tree_fits():
        found.append("its hashes are not those of its records")
    if sealed.trailer["previous"] != previous:
        found.append("it is chained to another segment than the one before it")
    own = path_of(directory, index, SEGMENT)
    if os.path.exists(own) and not sealed.equals(map_file(own)):
        found.append(f"it is not what {own} holds")
    return found
