"""Switches that outlive a process: a file beside the journal has what stays until a person arms.

`DIR.switches` has its full size from the first start on, so that a full disk takes a kill too. It
holds two halves; a change is written over the older one and flushed, so that a loss of power leaves
one of them whole. `tickplane kill` and `tickplane arm` write it themselves, whether a run is there
or not; a run adds what its breakers set (see switch_keeper), and begins with all of it.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import json
import os
import select
import struct
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path

from appliance.errors import CommandError
from appliance.top import is_alive
from dataplane.control import MODES
from dataplane.errors import DataplaneError
from dataplane.page import Page
from dataplane.region import Region

SUFFIX = ".switches"
HALF_BYTES = 32 << 10
MAGIC = b"TPSWITCH"
HEAD = struct.Struct("<8sIIQ")  # magic, CRC-32 of what follows it, bytes of text, generation
LOCK_WAIT_S = 1.0
FLUSH_WAIT_S = 2.0
WRITTEN, FLUSHED = b"w", b"f"


@dataclass(frozen=True)
class Switch:
    """One scope that is set, by whom, and why."""

    scope: str
    mode: str
    source: str
    author: str = ""
    cause: str = ""
    time_ns: int = 0

    def words(self) -> str:
        """Return it for a person: ``firm: cancel-all, set by person (ada: drill), 2026-...``."""
        who = f"{self.author}: {self.cause}" if self.cause else self.author
        moment = datetime.fromtimestamp(self.time_ns // 1_000_000_000, UTC)
        return (
            f"{self.scope}: {self.mode}, set by {self.source}{f' ({who})' if who else ''}"
            f", {moment:%Y-%m-%d %H:%M:%S} UTC"
        )

    def mark(self) -> int:
        """Return the number that says which switch a person saw, where no run has one."""
        return zlib.crc32(json.dumps(asdict(self)).encode())


Kept = dict[str, Switch]  # by scope
Marks = dict[str, tuple[str, str]]  # of a run's memory: scope to mode and source


def path_of(directory: str | Path) -> Path:
    """Return the file of the runs that write their journal there."""
    return Path(os.path.abspath(directory) + SUFFIX)


def stronger(before: Switch | None, after: Switch) -> Switch:
    """Return the one that refuses more; of equals the older one that says who did it."""
    if before is None or MODES.index(after.mode) > MODES.index(before.mode):
        return after
    return after if after.mode == before.mode and after.author and not before.author else before


# ---- the file ----


def make(path: Path) -> None:
    """Give the file its full size, on the disk; one that is there keeps what it says."""
    try:
        with opened(path, os.O_CREAT) as file:
            if os.fstat(file).st_size < 2 * HALF_BYTES:
                os.posix_fallocate(file, 0, 2 * HALF_BYTES)
            give(path, file)
            flush(path, file)
    except OSError as error:
        raise CommandError(f"{path}: {words_of(error)}; switches must outlive the run") from None


def read(path: Path) -> Kept:
    """Return what is set; nothing when there is no file."""
    try:
        with opened(path) as file:
            return newest(path, file)[1]
    except FileNotFoundError:
        return {}
    except OSError as error:
        raise CommandError(f"{path}: {words_of(error)}") from None


def change(
    path: Path, decide: Callable[[Kept], Kept], written: Callable[[], object] | None = None
) -> None:
    """Replace what is set by what ``decide`` makes of it; on the disk when this returns.

    ``written`` is called when it is in the file, which a death of any process does not undo.
    """
    with opened(path, os.O_CREAT) as file:
        with locked(path, file):
            generation, kept = newest(path, file)
            after = decide(kept)
            if after == kept:
                return
            write_half(path, file, generation + 1, after)
            give(path, file)
        if written is not None:
            written()
        flush(path, file)


def give(path: Path, file: int) -> None:
    """Have the folder's owner own the file: root may kill for a run of another user."""
    folder = os.stat(path.parent)
    if os.geteuid() == 0 and os.fstat(file).st_uid != folder.st_uid:
        os.fchown(file, folder.st_uid, folder.st_gid)


def flush(path: Path, file: int) -> None:
    """Bring the file to the disk, and its name."""
    os.fsync(file)
    directory = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(directory)
    finally:
        os.close(directory)


@contextlib.contextmanager
def opened(path: Path, flags: int = 0) -> Iterator[int]:
    file = os.open(path, os.O_RDWR | os.O_CLOEXEC | flags, 0o660)
    try:
        yield file
    finally:
        os.close(file)


@contextlib.contextmanager
def locked(path: Path, file: int) -> Iterator[None]:
    """Hold the file; a holder that hangs is waited for a moment only."""
    until = time.monotonic() + LOCK_WAIT_S
    while True:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            break
        except BlockingIOError:
            if time.monotonic() > until:
                raise OSError(errno.EBUSY, os.strerror(errno.EBUSY), str(path)) from None
        time.sleep(0.01)
    try:
        yield
    finally:
        fcntl.flock(file, fcntl.LOCK_UN)


def newest(path: Path, file: int) -> tuple[int, Kept]:
    """Return the generation and the switches of the younger half that is whole."""
    halves = [os.pread(file, HALF_BYTES, number * HALF_BYTES) for number in range(2)]
    found = [half for half in map(decode, halves) if half is not None]
    if not found and any(half.strip(b"\0") for half in halves):
        raise CommandError(
            f"{path}: neither half is whole; see what is set in the journal, then remove the file"
        )
    return max(found, key=lambda half: half[0], default=(0, {}))


def decode(half: bytes) -> tuple[int, Kept] | None:
    """Return generation and switches; None when it is not whole."""
    if len(half) < HEAD.size:
        return None
    magic, crc, size, generation = HEAD.unpack_from(half)
    text = half[HEAD.size : HEAD.size + size]
    if magic != MAGIC or len(text) != size or zlib.crc32(half[12 : HEAD.size] + text) != crc:
        return None
    return generation, {row["scope"]: Switch(**row) for row in json.loads(text)}


def write_half(path: Path, file: int, generation: int, kept: Kept) -> None:
    text = json.dumps([asdict(switch) for switch in kept.values()]).encode()
    if HEAD.size + len(text) > HALF_BYTES:
        raise CommandError(f"{path}: {len(kept)} switches; set a wider scope instead")
    rest = struct.pack("<IQ", len(text), generation) + text
    data = MAGIC + struct.pack("<I", zlib.crc32(rest)) + rest
    os.pwrite(file, data, generation % 2 * HALF_BYTES)


def words_of(error: OSError) -> str:
    return (error.strerror or str(error)).lower()


# ---- what a verb does to it ----


def keep(path: Path, switch: Switch) -> str:
    """Add a switch, or make it stronger; return how far that went, in words."""

    def add(kept: Kept) -> Kept:
        return {**kept, switch.scope: stronger(kept.get(switch.scope), switch)}

    return apart(lambda written: change(path, add, written))


def drop(path: Path, scope: str) -> str:
    """Take a switch out; return how far that went, in words."""

    def remove(kept: Kept) -> Kept:
        return {name: switch for name, switch in kept.items() if name != scope}

    return apart(lambda written: change(path, remove, written))


def apart(work: Callable[[Callable[[], object]], object]) -> str:
    """Do it in a process of its own: a disk that hangs must not hold whoever kills.

    Return "on disk", or "in the file, ..." when the disk has not answered in time; raise
    CommandError when it is not even in the file.
    """
    ours, theirs = os.pipe()
    child = os.fork()
    if child == 0:
        answer(work, theirs)
    os.close(theirs)
    heard = listen(ours)
    os.close(ours)
    with contextlib.suppress(ChildProcessError):
        os.waitpid(child, os.WNOHANG)
    if heard.endswith(FLUSHED):
        return "on disk"
    if heard.startswith(WRITTEN):
        return "in the file, but the disk has not confirmed it: a loss of power would lose it"
    raise CommandError(heard.decode("utf-8", "replace") or "the disk does not answer")


def answer(work: Callable[[Callable[[], object]], object], pipe: int) -> None:
    """Be that process: work, say how it goes, end. It holds nobody's output open."""
    try:
        nothing = os.open(os.devnull, os.O_RDWR)
        for stream in (0, 1, 2):
            os.dup2(nothing, stream)
        try:
            work(lambda: os.write(pipe, WRITTEN))
            os.write(pipe, FLUSHED)
        except CommandError as error:
            os.write(pipe, str(error).encode())
        except OSError as error:
            os.write(pipe, f"{error.filename or 'switches'}: {words_of(error)}".encode())
    finally:
        os._exit(0)


def listen(pipe: int) -> bytes:
    """Return what it says, until it ends or the time is over."""
    heard = b""
    until = time.monotonic() + FLUSH_WAIT_S
    while (left := until - time.monotonic()) > 0:
        if not select.select([pipe], [], [], left)[0]:
            break
        if not (data := os.read(pipe, 4096)):
            break
        heard += data
    return heard


# ---- what runs that were killed left in memory ----


def added(kept: Kept, marks: Marks) -> Kept:
    """Return what is kept together with what an engine has."""
    after = dict(kept)
    for scope, (mode, source) in marks.items():
        switch = Switch(scope, mode, source, time_ns=time.time_ns())
        after[scope] = stronger(kept.get(scope), switch)
    return after


def take_over(path: Path, region: Path) -> None:
    """Keep what is set in a dead run's memory: its breakers may have had no time to write it."""
    left = marks_of_dead(path, region)
    if not left:
        return
    try:
        change(path, lambda kept: added(kept, left))
    except OSError as error:
        raise CommandError(f"{path}: {words_of(error)}") from None


def marks_of_dead(path: Path, region_path: Path) -> Marks:
    """Return what is set there; nothing when the run lives, has another file, or is no run."""
    with (
        contextlib.suppress(DataplaneError),
        Region.attach(region_path) as region,
        Page.attach(region_path) as page,
    ):
        journal = page.run()["journal"]
        is_dead = journal is not None and not is_alive(region.header["pid"])
        if is_dead and path_of(journal["directory"]) == path:
            return {
                row["scope"]: (row["mode"], row["source"])
                for row in region.risk()
                if row["mode"] != "clear"
            }
    return {}
