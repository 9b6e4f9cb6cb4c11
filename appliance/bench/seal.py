"""Row ``journal.seal``: the journals of generated sessions made small, read back, and signed.

Beside it the same bytes are written to another file, flushed and read back, as sealing does with
what it makes of them.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from statistics import median
from typing import Any

from appliance import config as configuration
from appliance.bench.journal import MEMORY, RECORDS, SEGMENT, filled, loops, scratch
from appliance.bench.rows import Bench, Figures, Reading, Row, figures, row, say
from dataplane import sealing
from dataplane.journal import SEALED
from dataplane.journal import SEGMENT as OWN
from dataplane.seal import HEADER_SIZE, RECORD_SIZE, Sealed, map_file

MESSAGES = 2_000_000
TRADED = (25, 400, 1600)  # instruments: the journal grows with them
USUAL = 400
BUSY_EVENTS = 2_000_000
BUSY_ROUNDS = 10


def tickplane(*words: str) -> None:
    """Run the command as a person would."""
    subprocess.run(
        [sys.executable, "-m", "appliance", *words],
        check=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def session_journal(folder: str, day: str, traded: int) -> str:
    """Trade so many instruments of a session as the example does; return the journal's folder."""
    journal, path = os.path.join(folder, f"j{traded}"), os.path.join(folder, "config.yaml")
    text = re.sub(r"(?m)^    first: \d+", f"    first: {traded}", configuration.example_text())
    with open(path, "w", encoding="utf-8") as file:
        file.write(text)
    tickplane("replay", day, "--config", path, "--journal", journal, "--quiet")
    return journal


def timed(count: int, work: Callable[[], object]) -> tuple[Reading, float]:
    """Return a reading of so many records, and nanoseconds of this core for each of them."""
    cpu, wall = time.process_time_ns(), time.perf_counter_ns()
    work()
    wall, cpu = time.perf_counter_ns() - wall, time.process_time_ns() - cpu
    return (wall, count, None, None), cpu / count


def seal_anew(journal: str) -> None:
    """Seal the first segment, whether it is sealed or not."""
    path = sealing.path_of(journal, 0, SEALED)
    if os.path.exists(path):
        os.unlink(path)
    sealing.seal_one(journal, 0)


def copy(journal: str, size: int) -> None:
    """Write that much of the segment to another file, flush it, and read it back."""
    segment = memoryview(map_file(sealing.path_of(journal, 0, OWN)))[:size]
    with tempfile.NamedTemporaryFile(dir=journal) as file:
        file.write(segment)
        file.flush()
        os.fsync(file.fileno())
        assert map_file(file.name)[:] == segment


def measured(bench: Bench, journal: str) -> dict[str, Any]:
    """Return how one session's first segment is sealed, copied and read."""
    seal_anew(journal)
    path = sealing.path_of(journal, 0, SEALED)
    count = int(Sealed(path).trailer["record_count"])
    size = HEADER_SIZE + count * RECORD_SIZE
    runs: dict[str, list[tuple[Reading, float]]] = {"seal": [], "copy": [], "read": []}
    for number in range(bench.args.rounds + 1):
        say(f"{count:,} records: round {number} of {bench.args.rounds}")
        runs["seal"].append(timed(count, lambda: seal_anew(journal)))
        runs["copy"].append(timed(count, lambda: copy(journal, size)))
        runs["read"].append(timed(count, Sealed(path).read_all))
    say("")
    return {
        "records": count,
        "ratio": round(size / os.path.getsize(path), 2),
        **{name: figures([each[0] for each in of[1:]]) for name, of in runs.items()},
        **{f"{name}_cpu_ns": median(each[1] for each in of[1:]) for name, of in runs.items()},
    }


def with_sealer(bench: Bench) -> dict[str, Any]:
    """Return percentiles of appending one record, alone and while a sealer works next to it."""
    journal = bench.shared(loops)
    with scratch() as folder:
        busy = os.path.join(folder, "busy")
        filled(journal, busy, BUSY_EVENTS)
        alone = append_each(journal, folder, "alone", lambda: True)
        sealer = subprocess.Popen(
            [sys.executable, "-m", "appliance", "journal", "seal", busy, "-f"],
            stdout=subprocess.DEVNULL,
        )
        try:
            while not os.path.exists(os.path.join(busy, sealing.LOCK)):
                time.sleep(0.001)
            beside = append_each(journal, folder, "beside", lambda: sealer.poll() is None)
        finally:
            sealer.terminate()
            sealer.wait()
    return {"alone": alone, "with_sealer": beside}


def append_each(
    journal: Any, folder: str, name: str, goes_on: Callable[[], bool]
) -> dict[str, float]:
    """Return the medians of percentiles over rounds on journals of their own."""
    rows = []
    for number in range(BUSY_ROUNDS):
        journal.open(os.path.join(folder, f"{name}{number}"), SEGMENT, MEMORY)
        try:
            one = journal.append_each(RECORDS)
        finally:
            journal.close()
        if not goes_on():
            break
        rows.append(one)
    found = {key: median(each[key] for each in rows) for key in rows[0]} if rows else {}
    return found | {"rounds": len(rows)}


def rate(ns: float) -> int:
    """Return bytes a second of so many nanoseconds a record."""
    return round(RECORD_SIZE * 1e9 / ns)


def seal(bench: Bench) -> Row:
    """Seal a generated session's journal: columns, zstd, hashes, flush, read back, compare."""
    found = {}
    with scratch() as folder:
        day = os.path.join(folder, "day.itch")
        say(f"a session of {MESSAGES:,} messages")
        tickplane("generate", day, "--messages", str(MESSAGES), "--seed", str(bench.args.seed))
        for traded in TRADED:
            found[traded] = measured(bench, session_journal(folder, day, traded))
    usual = found[USUAL]
    of, beside = usual["seal"], usual["copy"]
    made = row("journal.seal", "ns/record", of, "copy", beside)
    return made | {
        "times_smaller": usual["ratio"],
        "bytes_a_second": rate(of.median),
        "bytes_a_cpu_second": rate(usual["seal_cpu_ns"]),
        "read_bytes_a_second": rate(usual["read"].median),
        "read_bytes_a_cpu_second": rate(usual["read_cpu_ns"]),
        "by_records": {str(each["records"]): growth(each) for each in found.values()},
        "append_one_ns": with_sealer(bench),
    }


def growth(found: dict[str, Any]) -> dict[str, float]:
    """Return what grows with the session."""
    times: Figures = found["seal"]
    return {
        "ns": round(times.median, 2),
        "cpu_ns": round(found["seal_cpu_ns"], 2),
        "times_smaller": found["ratio"],
    }


ROWS = {"journal.seal": seal}
