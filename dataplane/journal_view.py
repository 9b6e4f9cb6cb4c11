"""The journal as numpy arrays over its mapped files: nothing is copied, no record made an object.

A sealed segment is unpacked into memory, once.

    with JournalView("journal") as view:
        for records in view:                  # one structured array a segment
            events = records[records["kind"] == EVENT]["event"]
            filled = events[events["kind"] == 18]["qty"].sum()
        for record in view.by_order(17): ...  # its replaces too, in order

The fields are those of the header's own description, so a later schema needs no change here. Needs
numpy (`pip install 'tickplane[numpy]'`).
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from types import TracebackType
from typing import Any

import numpy as np
from numpy.typing import NDArray

from dataplane.journal import Journal

EVENT = 1  # kind of a record
HEADER_SIZE = 4096
FORMATS = {
    "u8": "u1", "u16": "<u2", "u32": "<u4", "u64": "<u8", "i64": "<i8", "char": "S1", "char8": "S8",
}  # fmt: skip

Records = NDArray[np.void]


def dtype_of(schema: str, record_size: int = 128, payload_size: int = 96) -> np.dtype[np.void]:
    """Return the type of one record, its payloads nested and on top of each other."""
    structs: dict[str, list[tuple[str, Any, int]]] = {}
    for line in schema.splitlines():
        struct, name, kind, offset = line.split()
        if kind in FORMATS:
            structs.setdefault(struct, []).append((name, FORMATS[kind], int(offset)))
    fields = structs.pop("record")
    fields += [(name, layout(inner, payload_size), 0) for name, inner in structs.items()]
    return layout(fields, record_size)


def layout(fields: list[tuple[str, Any, int]], size: int) -> np.dtype[np.void]:
    """Return a structured type with fields at their offsets."""
    names, formats, offsets = zip(*fields, strict=True)
    return np.dtype(
        {"names": list(names), "formats": list(formats), "offsets": list(offsets), "itemsize": size}
    )


class JournalView:
    """A journal's good records, one array a segment; made anew to see later ones."""

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        """Check every record and keep the files mapped."""
        self._arrays: list[Records] = []
        journal = Journal(directory)
        for segment in journal.segments():
            segment.skip()
            count = (segment.offset - HEADER_SIZE) // 128
            dtype = dtype_of(segment.header["schema"])
            self._arrays.append(np.frombuffer(memoryview(segment), dtype, count, HEADER_SIZE))
        self.summary = journal.summary()

    def __enter__(self) -> JournalView:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the files; arrays taken from here keep theirs mapped."""
        self._arrays.clear()

    def __iter__(self) -> Iterator[Records]:
        return iter(self._arrays)

    def __len__(self) -> int:
        return sum(len(records) for records in self._arrays)

    def by_order(self, user_ref_num: int) -> Iterator[np.void]:
        """Yield the records of one order in their order, those of its replaces too."""
        numbers = {user_ref_num}
        for records in self._arrays:
            found = of_orders(records, numbers)
            while grown := named_in(found) - numbers:  # a replace was met: its number too
                numbers |= grown
                found = of_orders(records, numbers)
            yield from found


def of_orders(records: Records, numbers: set[int]) -> Records:
    """Return the events that name one of those orders."""
    events, wanted = records["event"], sorted(numbers)
    names = np.isin(events["user_ref_num"], wanted) | np.isin(events["orig_user_ref_num"], wanted)
    found: Records = records[names & (records["kind"] == EVENT)]
    return found


def named_in(records: Records) -> set[int]:
    """Return the numbers of all orders that those records name."""
    events = records["event"]
    return {*events["user_ref_num"].tolist(), *events["orig_user_ref_num"].tolist()} - {0}
