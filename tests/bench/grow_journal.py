"""How the journal's work grows with its length, as a table.

    python tests/bench/grow_journal.py [EVENTS...]

Writes journals of the lives of orders, and measures behind so many events: one more append, orders
that wait for the disk, the whole journal verified, recovered, sealed. Medians (least, most) of
rounds: ns a record of the core's own time, which neighbours disturb less than the clock's; of
orders that wait ns an order by the clock.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from appliance.bench.journal import FSYNC, MEMORY, ORDERS_A_SECOND, SEGMENT, filled, scratch
from dataplane import sealing
from dataplane.bench_journal import JournalBench
from dataplane.journal import SEALED, Journal, indexes
from dataplane.recovery import recover

EVENTS = (100_000, 1_000_000, 4_000_000, 16_000_000)
ROUNDS = 5
APPENDED = 200_000  # records, each round
WAITING = 200_000  # orders, each round


def ns_each(count: int, work: Callable[[], object]) -> float:
    """Return nanoseconds of each, of this thread's core."""
    started = time.thread_time_ns()
    work()
    return (time.thread_time_ns() - started) / count


def appended(bench: JournalBench, directory: str, events: int) -> list[float]:
    """Return nanoseconds of one more record, behind so many."""
    bench.open(directory, SEGMENT, MEMORY)
    try:
        bench.fill(events)
        return [ns_each(APPENDED, lambda: bench.append(APPENDED)) for _ in range(ROUNDS)]
    finally:
        bench.close()


def waiting(bench: JournalBench, directory: str, events: int) -> list[float]:
    """Return nanoseconds between orders that left, a million due a second."""
    bench.open(directory, SEGMENT, FSYNC)
    try:
        bench.fill(events)
        runs: list[dict[str, Any]] = [bench.group(WAITING, ORDERS_A_SECOND) for _ in range(ROUNDS)]
    finally:
        bench.close()
    return [1e9 / run["orders_a_second"] for run in runs]


def sealed(directory: str, events: int) -> float:
    """Seal a journal that is not sealed; return nanoseconds a record, and leave it as it was."""
    taken = ns_each(events, lambda: sealing.seal(directory))
    for index in indexes(directory):
        os.unlink(sealing.path_of(directory, index, SEALED))
    return taken


def read(bench: JournalBench, directory: str, events: int) -> dict[str, list[float]]:
    """Return what reads a whole journal; the first round warms up and is not counted."""
    capacity = filled(bench, directory, events)
    runs: dict[str, list[float]] = {"verify": [], "recover": [], "seal": []}
    for number in range(ROUNDS + 1):
        one = {
            "verify": ns_each(events, lambda: Journal(directory).verify()),
            "recover": ns_each(events, lambda: recover(directory, capacity, from_checkpoint=False)),
            "seal": sealed(directory, events),
        }
        for what, value in one.items() if number else ():
            runs[what].append(value)
    return runs


def main() -> None:
    """Print a row for each length."""
    bench = JournalBench()
    for events in map(int, sys.argv[1:] or EVENTS):
        with scratch() as folder:
            runs = {"append": appended(bench, os.path.join(folder, "a"), events)}
            runs["group_commit"] = waiting(bench, os.path.join(folder, "g"), events)
            runs |= read(bench, os.path.join(folder, "r"), events)
        cells = (
            f"{what} {median(values):,.1f} ({min(values):,.1f} to {max(values):,.1f})"
            for what, values in runs.items()
        )
        print(f"{events:>12,}  " + "  ".join(cells), flush=True)


if __name__ == "__main__":
    main()
