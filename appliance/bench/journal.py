"""Rows ``journal.*``: append, group commit, recovery and verification, on this machine's disk.

Beside them SQLite (WAL) and LMDB store and read back the same 128-byte records in the same rounds,
where they are installed; their figures include what Python costs around each batch of 1,000.
"""

from __future__ import annotations

import contextlib
import importlib
import os
import shutil
import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from statistics import median
from typing import Any

from appliance.bench.rows import Bench, Figures, Reading, Row, figures, row, say
from dataplane.bench_journal import JournalBench
from dataplane.journal import Journal
from dataplane.recovery import Capacity, recover, save_checkpoint

SEGMENT = 64 << 20
RECORDS = 400_000  # of one segment
PEER_RECORDS = 100_000
PEER_BATCH = 1_000
ORDERS_A_SECOND = 1_000_000
GROUP_ORDERS = 1_000_000
BARRIERS = 300
EVENTS = (100_000, 1_000_000, 4_000_000)
SINCE_CHECKPOINT = 1_000_000
MEMORY, FSYNC = 0, 1

Timed = Callable[[], int]


@contextlib.contextmanager
def scratch() -> Iterator[str]:
    """Give a folder on disk: TICKPLANE_BENCH_DIR, or /var/tmp."""
    base = os.environ.get("TICKPLANE_BENCH_DIR", "/var/tmp")
    with tempfile.TemporaryDirectory(prefix="tickplane-bench-", dir=base) as folder:
        yield folder


def loops(_bench: Bench) -> JournalBench:
    """Return the loops, one for all rows."""
    return JournalBench()


def on_new_journal(
    bench: Bench, durability: int, work: Callable[[JournalBench], Any]
) -> Callable[[], Any]:
    """Return a call that does the work on a journal of its own; what is returned is the work's."""

    def call() -> Any:
        journal = bench.shared(loops)
        with scratch() as folder:
            journal.open(os.path.join(folder, "j"), SEGMENT, durability)
            try:
                return work(journal)
            finally:
                journal.close()

    return call


# ---- peers: the same records, in transactions of PEER_BATCH ----


def batches() -> Iterator[list[tuple[int, bytes]]]:
    """Yield the records of one round with their numbers."""
    body = os.urandom(124)
    for first in range(0, PEER_RECORDS, PEER_BATCH):
        yield [(at, at.to_bytes(4, "big") + body) for at in range(first, first + PEER_BATCH)]


def timed(work: Callable[[], int]) -> Reading:
    """Return a reading of what counts its own operations."""
    started = time.perf_counter_ns()
    count = work()
    return time.perf_counter_ns() - started, count, None, None


def sqlite_rounds() -> tuple[Reading, Reading]:
    """Append and read back with SQLite in WAL mode, nothing waiting for the disk."""
    with scratch() as folder:
        base = sqlite3.connect(os.path.join(folder, "log.db"), isolation_level=None)
        base.execute("PRAGMA journal_mode=WAL")
        base.execute("PRAGMA synchronous=OFF")
        base.execute("CREATE TABLE log (seq INTEGER PRIMARY KEY, record BLOB NOT NULL)")
        rounds = list(batches())

        def append() -> int:
            for batch in rounds:
                base.execute("BEGIN")
                base.executemany("INSERT INTO log VALUES (?, ?)", batch)
                base.execute("COMMIT")
            return PEER_RECORDS

        def read() -> int:
            return sum(1 for _ in base.execute("SELECT record FROM log ORDER BY seq"))

        readings = timed(append), timed(read)
        base.close()
        return readings


def lmdb_rounds() -> tuple[Reading, Reading] | None:
    """Append and read back with LMDB, nothing waiting for the disk; None: not installed."""
    try:
        lmdb = importlib.import_module("lmdb")
    except ImportError:
        return None
    with scratch() as folder:
        base = lmdb.open(os.path.join(folder, "l"), map_size=1 << 30, sync=False, writemap=True)
        rounds = [[(at.to_bytes(8, "big"), data) for at, data in batch] for batch in batches()]

        def append() -> int:
            for batch in rounds:
                with base.begin(write=True) as transaction:
                    transaction.cursor().putmulti(batch, append=True)
            return PEER_RECORDS

        def read() -> int:
            with base.begin() as transaction:
                return sum(1 for _ in transaction.cursor().iternext(keys=False, values=True))

        readings = timed(append), timed(read)
        base.close()
        return readings


def peers(bench: Bench) -> dict[str, dict[str, float | None]]:
    """Return nanoseconds a record for appending and reading, by peer; None: not installed."""
    runs: dict[str, list[tuple[Reading, Reading] | None]] = {"sqlite_wal": [], "lmdb": []}
    for number in range(bench.args.rounds):
        say(f"peers: round {number} of {bench.args.rounds}")
        runs["sqlite_wal"].append(sqlite_rounds())
        runs["lmdb"].append(lmdb_rounds())
    say("")
    return {
        what: {name: middle(readings, at) for name, readings in runs.items()}
        for at, what in enumerate(("append", "read"))
    }


def middle(readings: list[tuple[Reading, Reading] | None], at: int) -> float | None:
    """Return the median per record; None where a peer is not installed."""
    known = [reading[at] for reading in readings if reading is not None]
    return round(figures(known).median, 1) if known else None


# ---- append ----


def append(bench: Bench) -> Row:
    """Append records to a mapped segment; beside it, copy as many bytes the same way."""
    work = {
        "copy": on_new_journal(bench, MEMORY, lambda journal: journal.copy(RECORDS)),
        "append": on_new_journal(bench, MEMORY, lambda journal: journal.append(RECORDS)),
    }
    each = on_new_journal(bench, MEMORY, lambda journal: journal.append_each(RECORDS))
    runs = bench.rounds(work)
    made = row("journal.append", "ns/record", runs["append"], "journal.copy", runs["copy"])
    above = [one - other for one, other in zip(runs["append"].ns, runs["copy"].ns, strict=True)]
    return made | {
        "above_copy_ns": round(median(above), 3),
        "one_ns": each(),
        "peers_ns": bench.shared(peers)["append"],
    }


# ---- group commit ----


def group_commit(bench: Bench) -> Row:
    """Let orders wait for the disk, many to a barrier; beside it, one bare fdatasync after another.

    A million orders are due a second; the value is how many left.
    """
    runs, bare = [], []
    for number in range(bench.args.rounds + 1):
        say(f"round {number} of {bench.args.rounds}")
        with scratch() as folder:
            path = os.path.join(folder, "block")
            bare.append(bench.shared(loops).fdatasync(path, BARRIERS))
        work = on_new_journal(
            bench, FSYNC, lambda journal: journal.group(GROUP_ORDERS, ORDERS_A_SECOND)
        )
        runs.append(work())
    say("")
    rates = Figures([float(run["orders_a_second"]) for run in runs[1:]], None, None)
    barriers = Figures([1e9 / one["mean"] for one in bare[1:]], None, None)
    made = row("journal.group_commit", "orders/s", rates, "fdatasync/s", barriers)
    return made | {
        "orders_a_barrier": round(
            median(GROUP_ORDERS / max(int(run["barriers"]), 1) for run in runs[1:]), 1
        ),
        "wait_ns": medians([run["wait_ns"] for run in runs[1:]]),
        "fdatasync_ns": medians(bare[1:]),
    }


def medians(rows: list[dict[str, int]]) -> dict[str, float]:
    """Return the median of every percentile over the rounds."""
    return {name: median(one[name] for one in rows) for name in rows[0]}


# ---- recovery and verification ----


def filled(journal: JournalBench, directory: str, events: int) -> Capacity:
    """Write a journal of the lives of orders; return what recovery needs for it."""
    journal.open(directory, SEGMENT, MEMORY)
    try:
        journal.fill(events)
    finally:
        journal.close()
    return Capacity(orders=events // 4 + 1, executions=events // 2 + 1)


def rounds_of(bench: Bench, work: Timed) -> list[Reading]:
    """Run the work again and again; the first run, which reads from disk, is not counted."""
    return [timed(work) for _ in range(bench.args.rounds + 1)][1:]


def reading_rounds(bench: Bench) -> dict[int, dict[str, list[Reading]]]:
    """Return recovery and verification of journals of growing size."""
    runs = {}
    for events in EVENTS:
        say(f"a journal of {events:,} events")
        with scratch() as folder:
            directory = os.path.join(folder, "j")
            capacity = filled(bench.shared(loops), directory, events)

            def recover_all(directory: str = directory, capacity: Capacity = capacity) -> int:
                return recover(directory, capacity, from_checkpoint=False).state.counts["events"]

            def verify_all(directory: str = directory) -> int:
                return int(Journal(directory).verify()["records"])

            runs[events] = {
                "recover": rounds_of(bench, recover_all),
                "verify": rounds_of(bench, verify_all),
            }
    say("")
    return runs


def start_to_ready(bench: Bench) -> dict[str, float]:
    """Return milliseconds from a checkpoint, a million events before the end, to ready."""
    events = 2 * SINCE_CHECKPOINT
    with scratch() as folder:
        directory = os.path.join(folder, "j")
        capacity = filled(bench.shared(loops), directory, events)
        found = recover(directory, capacity, until_sequence=events - SINCE_CHECKPOINT)
        save_checkpoint(directory, found)
        del found
        runs = rounds_of(bench, lambda: recover(directory, capacity).state.sequence)
        size = shutil.disk_usage(directory).used and max(
            os.path.getsize(os.path.join(directory, name))
            for name in os.listdir(directory)
            if name.startswith("checkpoint-")
        )
    times = sorted(run[0] / 1e6 for run in runs)
    return {
        "p50_ms": round(median(times), 1),
        "worst_ms": round(times[-1], 1),
        "checkpoint_bytes": size,
    }


def growth(runs: dict[int, dict[str, list[Reading]]], what: str) -> dict[str, float]:
    """Return nanoseconds a record by size of the journal."""
    return {str(size): round(figures(run[what]).median, 2) for size, run in runs.items()}


def recovery(bench: Bench) -> Row:
    """Apply every event of a journal to empty tables; beside it, verify the same bytes."""
    runs = bench.shared(reading_rounds)
    of, beside = (figures(runs[1_000_000][what]) for what in ("recover", "verify"))
    made = row("journal.recover", "ns/event", of, "journal.verify", beside)
    return made | {
        "events_a_second": round(1e9 / of.median),
        "by_events": growth(runs, "recover"),
        "start_to_ready": start_to_ready(bench),
        "peers_read_ns": bench.shared(peers)["read"],
    }


def verification(bench: Bench) -> Row:
    """Check every byte of a journal; beside it, read the same files."""
    runs = bench.shared(reading_rounds)
    with scratch() as folder:
        directory = os.path.join(folder, "j")
        filled(bench.shared(loops), directory, 1_000_000)
        bare = figures(rounds_of(bench, lambda: read_bytes(directory) // 128))
    of = figures(runs[1_000_000]["verify"])
    made = row("journal.verify", "ns/record", of, "read", bare)
    return made | {
        "bytes_a_second": round(128e9 / of.median),
        "by_events": growth(runs, "verify"),
    }


def read_bytes(directory: str) -> int:
    """Read every file whole; return how many bytes there were."""
    total = 0
    buffer = bytearray(1 << 20)
    for name in sorted(os.listdir(directory)):
        with open(os.path.join(directory, name), "rb", buffering=0) as file:
            while count := file.readinto(buffer):
                total += count
    return total


ROWS = {
    "journal.append": append,
    "journal.group_commit": group_commit,
    "journal.recover": recovery,
    "journal.verify": verification,
}
