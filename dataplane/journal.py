"""The journal: its files put together, its records, and whether all of them are there.

Reads what sys/dp_wal wrote, closed or still being written, and changes nothing. docs/journal.md
has the format.
"""

from __future__ import annotations

import errno
import os
import re
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from dataplane import dropped
from dataplane.errors import DataplaneError
from dataplane.seal import Block
from dataplane.segment import Segment

LOSSES = {
    "memory": "power loss, a crash of the kernel",
    "fsync": "loss of the disk",
    "replica": "loss of both machines at once",
    "fsync+replica": "loss of both disks",
}
NAME = re.compile(r"(journal-(\d{6,}))\.tp[js]")
SEGMENT, SEALED = ".tpj", ".tps"  # the file as it was written, and the one that took its place

Wanted = Callable[[Block], bool]


def segment_names(directory: str) -> list[str]:
    """Return the names of a journal's segments in the order of their numbers, without ending.

    Those that were dropped have none.
    """
    return names_from(directory, dropped.load(directory).segments)


def names_from(directory: str, first: int) -> list[str]:
    """Return the names of the segments with that number and behind it."""
    try:
        found = {
            (int(match[2]), match[1])
            for name in os.listdir(directory)
            if (match := NAME.fullmatch(name)) and int(match[2]) >= first
        }
    except OSError as error:
        raise DataplaneError(
            error.errno or errno.EIO,
            f"journal: {directory}: {error.strerror}; name the directory"
            " that a run was given as --journal",
        ) from error
    if not found:
        raise DataplaneError(
            errno.ENOENT,
            f"journal: {directory}: holds no journal; name the directory"
            " that a run was given as --journal",
        )
    return [name for _, name in sorted(found)]


def indexes(directory: str) -> range:
    """Return the numbers of a journal's segments, those dropped are not among them."""
    first = dropped.load(directory).segments
    return range(first, first + len(names_from(directory, first)))


def name_of(index: int) -> str:
    """Return the name of a segment, without ending."""
    return f"journal-{index:06d}"


def open_segment(directory: str, name: str) -> Segment:
    """Open a segment: its own file where there is one, else the sealed one."""
    path = os.path.join(directory, name)
    try:
        return Segment(path + SEGMENT)
    except DataplaneError as error:
        if error.code != errno.ENOENT or not os.path.exists(path + SEALED):
            raise
    return Segment(path + SEALED)


def does_not_survive(durabilities: Iterable[str]) -> str:
    """Say what a journal with orders of these durabilities may lose records by."""
    weakest = min(durabilities, key=list(LOSSES).index, default="memory")
    return LOSSES[weakest]


def tainted(directory: str) -> str | None:
    """Return what the writer left about a flush that failed; None when none ever did."""
    try:
        with open(os.path.join(directory, "tainted"), encoding="utf-8", errors="replace") as file:
            return file.readline().strip() or "a flush failed"
    except FileNotFoundError:
        return None


class Journal:
    """A journal directory: iterate over it for its records, ask its summary afterwards.

    Every record is checked on the way, and every file against the one before it. Iteration stops
    at the first fault; what was yielded before is whole.
    """

    def __init__(self, directory: str | os.PathLike[str], start: int = 0) -> None:
        """Begin at segment ``start``: what stands before it is not read."""
        self._start = start
        self.directory = os.fspath(directory)
        self.dropped = dropped.load(self.directory)
        self._names = names_from(self.directory, self.dropped.segments)
        self._first: dict[str, Any] = {}  # header of the first segment
        self._run: dict[str, Any] = {}  # header of the last one
        self._fault: tuple[str, str, int | None, str] | None = None  # verdict, file, offset, what
        self._unfinished = False
        self._behind: int | None = None
        self._segment: Segment | None = None  # the last one that was started
        self._segments = 0
        self._records = 0
        self._time_ns: int | None = None  # of the last record
        # What verify() counts: enough to lay out a state for all of them.
        self.events = 0
        self.executions = 0
        self.user_ref_num_max = 0
        self.durable_sequence = 0

    def __iter__(self) -> Iterator[dict[str, Any]]:
        return self.records()

    def records(self, wanted: Wanted | None = None) -> Iterator[dict[str, Any]]:
        """Yield every record; of sealed segments only blocks that are ``wanted``, by their index.

        What a block holds that was stepped over is not checked.
        """
        symbols = self.dropped.symbols()
        for segment in self.segments():
            yield from segment.records(symbols, wanted)

    def verify(self) -> dict[str, Any]:
        """Check everything; return the summary."""
        for segment in self.segments():
            segment.skip()
            self.events += segment.event_count
            self.executions += segment.execution_count
            self.user_ref_num_max = max(self.user_ref_num_max, segment.user_ref_num_max)
            self.durable_sequence = segment.durable_sequence
        return self.summary()

    @property
    def cl_ord_id_prefix(self) -> str:
        """What every ClOrdID of the last run begins with."""
        return str(self._run.get("cl_ord_id_prefix", ""))

    def summary(self) -> dict[str, Any]:
        """What the walk found so far, as a dictionary: docs/journal.md explains its keys."""
        verdict, path, offset, what = self._fault or (self._verdict(), None, None, None)
        segment = self._segment
        return {
            "directory": self.directory,
            "verdict": verdict,
            "valid": verdict in ("closed", "open") and not tainted(self.directory),
            "records": self._records,
            "segments": self._segments,
            "dropped": self.dropped.segments,
            "sequence_last": segment.sequence - 1 if segment else 0,
            "time_ns_last": self._time_ns,
            "unfinished": self._unfinished,
            "fault": what,
            "fault_file": path,
            "fault_offset": offset,
            "sequence_behind": self._behind,
            "tainted": tainted(self.directory),
            **{key: self._run.get(key) for key in ("build", "configuration", "durability")},
            "does_not_survive": does_not_survive(self._run.get("durability", {}).values()),
            **{key: self._first.get(key) for key in ("appliance", "generation", "created_ns")},
        }

    def _verdict(self) -> str:
        last = self._segment
        return "closed" if last and last.verdict == "closed" and last.final else "open"

    def _fail(self, verdict: str, name: str, offset: int | None, what: str) -> None:
        self._fault = verdict, os.path.join(self.directory, name), offset, what

    def follow(self) -> Iterator[dict[str, Any] | None]:
        """Yield every record, and None whenever there is no more for now; end with the journal."""
        symbols = self.dropped.symbols()
        index, segment = max(self._start, self.dropped.segments), None
        while True:
            segment = segment or self._started(index)
            if segment is not None:
                yield from segment.records(symbols)
                if segment.verdict == "closed":
                    index += 1
                    if segment.cause == "final" and not self._exists(index):
                        return
                    segment = None
                    continue
                if not segment.retry():
                    self._take(segment)
                    return
            yield None

    def _exists(self, index: int) -> bool:
        path = os.path.join(self.directory, name_of(index))
        return os.path.exists(path + SEGMENT) or os.path.exists(path + SEALED)

    def _started(self, index: int) -> Segment | None:
        """Return that segment once its writer has begun it."""
        segment = open_segment(self.directory, name_of(index)) if self._exists(index) else None
        if segment is None or segment.unused:
            return None
        self._begin(segment)
        return segment

    def _begin(self, segment: Segment) -> None:
        self._segments += 1
        self._segment = segment
        self._first = self._first or segment.header
        self._run = segment.header

    def segments(self) -> Iterator[Segment]:
        """Yield each segment for the caller to walk through; stop at the first fault."""
        prepared = False
        for index, name in enumerate(self._names, self.dropped.segments):
            if name != name_of(index):
                what = f"the next file there is {name}{SEGMENT}"
                self._fail("missing", name_of(index) + SEGMENT, None, what)
                return
            if index < self._start:
                continue
            try:
                segment = open_segment(self.directory, name)
            except DataplaneError as error:
                if error.code not in (errno.EBADMSG, errno.EINVAL):
                    raise
                self._fail("corrupt", self._file_of(name), 0, str(error))
                return
            what = self._mismatch(segment, index, prepared)
            if what:
                self._fail("corrupt", os.path.basename(segment.path), 0, what)
                return
            prepared = segment.unused
            if prepared:
                self._segments += 1
                continue
            self._begin(segment)
            yield segment
            if self._take(segment):
                return
        self._check_end(prepared)

    def _mismatch(self, segment: Segment, index: int, prepared: bool) -> str:
        """What keeps this segment from standing behind the last one, in words; "" for nothing."""
        last = self._segment
        if prepared:
            return "it stands behind a segment that was never started"
        if segment.unused:
            after_end = last is not None and last.cause == "final"
            return "it stands behind the end of the journal" if after_end else ""
        if last is not None and last.verdict != "closed":
            return "the segment before it was not closed"
        header = segment.header
        # Another run (another generation) may go on behind any end: the chain ties them together.
        wanted = {
            "segment_index": index,
            **(
                {}
                if last is None and self._start
                else {
                    "sequence_first": last.sequence if last else self.dropped.sequence_last + 1,
                    **self._chain_before(last),
                }
            ),
            **({"appliance": self._run["appliance"]} if last else {}),
        }
        return "; ".join(
            f"{key} is {header[key]}, not {value}"
            for key, value in wanted.items()
            if header[key] != value
        )

    def _chain_before(self, last: Segment | None) -> dict[str, int]:
        """What the header must say of the segment before; of one that was dropped the roots do."""
        if last is None and self.dropped.segments:
            return {}
        return {"chain_previous": last.chain if last else 0}

    def _file_of(self, name: str) -> str:
        is_there = os.path.exists(os.path.join(self.directory, name + SEGMENT))
        return name + (SEGMENT if is_there else SEALED)

    def _take(self, segment: Segment) -> bool:
        """Count what a walked segment held; True when it ends in a fault."""
        name = os.path.basename(segment.path)
        self._records += segment.record_count
        if segment.time_ns is not None:
            self._time_ns = segment.time_ns
        self._unfinished = segment.verdict == "unfinished"
        size = segment.header["segment_size"]
        if segment.verdict in ("torn", "corrupt"):
            words = "was cut while it was written" if segment.verdict == "torn" else "was changed"
            self._behind = segment.behind()
            self._fail(
                segment.verdict, name, segment.fault_offset, f"record {segment.sequence} {words}"
            )
        elif segment.size != size:
            verdict = "torn" if segment.size < size else "corrupt"
            self._fail(verdict, name, segment.size, f"{segment.size} bytes of {size}")
        return self._fault is not None

    def _check_end(self, prepared: bool) -> None:
        last = self._segment
        if last is not None and last.verdict == "closed" and not last.final and not prepared:
            what = "the last segment says that another follows"
            following = name_of(self.dropped.segments + len(self._names))
            self._fail("missing", following + SEGMENT, None, what)


def verify(directory: str | os.PathLike[str]) -> dict[str, Any]:
    """Check a whole journal; return the summary. Raise DataplaneError when there is none."""
    return Journal(directory).verify()
