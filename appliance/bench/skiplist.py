"""Rows ``skiplist.*``: a list that many may write, used by one, beside an uncontended std::map.

Without a suffix: lists of 10,000 levels. ``.100`` and ``.10`` are the same with smaller lists, as
many as make 10,000 levels together, so that what differs is the depth and not the memory.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from appliance.bench.rows import Bench, Figures, Reading, Row, row
from dataplane.bench_skiplist import MapBench, SkiplistBench

SIZES = (10_000, 100, 10)
OPERATIONS = ("insert", "delete", "lookup")
CALLS = 40  # of a loop in one reading


def total(readings: list[Reading]) -> Reading:
    """Return the sum of readings, of which all or none have counts."""
    ns, operations, instructions, misses = zip(*readings, strict=True)
    counted = [None if None in counts else sum(counts) for counts in (instructions, misses)]
    return sum(ns), sum(operations), counted[0], counted[1]


class Cycle:
    """Insert, delete and look up in turn; each reading is kept until it is asked for."""

    def __init__(self, loops: SkiplistBench | MapBench) -> None:
        self._loops = loops
        self._readings: dict[str, Reading] = {}

    def reading(self, operation: str) -> Reading:
        """Run all three when the first is asked for; return the reading of one."""
        if operation not in self._readings:
            runs = [[getattr(self._loops, name)() for name in OPERATIONS] for _ in range(CALLS)]
            sums = [total(list(column)) for column in zip(*runs, strict=True)]
            self._readings = dict(zip(OPERATIONS, sums, strict=True))
        return self._readings.pop(operation)


def rounds(bench: Bench) -> dict[str, Figures]:
    """Return every operation at every size, of both, over interleaved rounds."""
    made: dict[str, SkiplistBench | MapBench] = {}
    for size in SIZES:
        made[f"skiplist.{size}"] = SkiplistBench(size)
        if MapBench.is_there():
            made[f"map.{size}"] = MapBench(size)
    loops = {}
    for name, one in made.items():
        cycle = Cycle(one)
        for operation in OPERATIONS:
            loops[f"{name}.{operation}"] = partial(cycle.reading, operation)
    return bench.rounds(loops)


def measure(operation: str, size: int, bench: Bench) -> Row:
    """Return the row of one operation at one size."""
    runs = bench.shared(rounds)
    name = f"skiplist.{operation}" + ("" if size == SIZES[0] else f".{size}")
    mine = runs[f"skiplist.{size}.{operation}"]
    beside = "std::map" if MapBench.is_there() else "none: built without C++"
    return row(name, "ns", mine, beside, runs.get(f"map.{size}.{operation}"))


ROWS: dict[str, Callable[[Bench], Row]] = {
    f"skiplist.{operation}" + ("" if size == SIZES[0] else f".{size}"): partial(
        measure, operation, size
    )
    for operation in OPERATIONS
    for size in SIZES
}
