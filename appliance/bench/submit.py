"""Rows ``submit.*`` and ``lifecycle``: the order path, from a strategy's call to the frame.

A latency is open loop at a fixed rate, from when the order was due to its frame in the transmit
ring, less what the clock costs: the same loop without an order, in the same round, which stands
beside it. A rate is a closed loop that also does what the engine does when a callback is over.
"""

from __future__ import annotations

from statistics import median
from typing import Any

from appliance.bench.rows import Bench, Figures, Row, rounded, row, say
from dataplane.bench_submit import SubmitBench

CALLERS = ("clock", "c", "cython", "python")
BETWEEN = ("warm", "cold", "rewarmed")
PLACES = ("p50", "p99", "p999", "max")
ORDERS_A_SECOND = 1_000_000

Percentiles = tuple[float, float, float, float]
Latencies = dict[tuple[str, str], list[tuple[Percentiles, Percentiles]]]


def loops(_bench: Bench) -> SubmitBench:
    """Return the path in memory, one for all rows."""
    return SubmitBench()


def rates(bench: Bench) -> dict[str, Figures]:
    """Return the closed loops over interleaved rounds."""
    path = bench.shared(loops)
    return bench.rounds(
        {"one": path.one, "ungated": path.ungated, "batch": path.batch, "life": path.life}
    )


def latencies(bench: Bench) -> Latencies:
    """Return every caller's percentiles, warm, cold and warmed again, over interleaved rounds."""
    path = bench.shared(loops)
    runs: Latencies = {(caller, between): [] for caller in CALLERS for between in BETWEEN}
    for number in range(bench.args.rounds + 1):
        say(f"round {number} of {bench.args.rounds}")
        for (caller, between), readings in runs.items():
            readings.append(path.latency(caller, between))
    say("")
    return {which: readings[1:] for which, readings in runs.items()}


def at(runs: Latencies, caller: str, between: str, since: int, place: int) -> list[float]:
    """Return one percentile of every round, less the clock's median of that round."""
    clocks = runs["clock", between]
    return [
        reading[since][place] - clock[since][0]
        for reading, clock in zip(runs[caller, between], clocks, strict=True)
    ]


def places(runs: Latencies, caller: str, between: str, since: int) -> dict[str, Any]:
    """Return the median of every percentile over the rounds."""
    return {
        name: rounded(median(at(runs, caller, between, since, place)), 1)
        for place, name in enumerate(PLACES)
    }


def latency_row(bench: Bench, name: str, caller: str) -> Row:
    """Return the row of one caller; its value is the p50 of a warm path."""
    runs = bench.shared(latencies)
    clock = [reading[0][0] for reading in runs["clock", "warm"]]
    one = bench.shared(rates)["one"] if caller == "c" else Figures([], None, None)
    figures = Figures(at(runs, caller, "warm", 0, 0), one.instructions, one.branch_misses)
    made = row(name, "ns p50", figures, "submit.clock", Figures(clock, None, None))
    return made | {
        "orders_a_second": ORDERS_A_SECOND,
        "since_due": places(runs, caller, "warm", 0),
        "since_begun": places(runs, caller, "warm", 1),
        "since_begun_cold": places(runs, caller, "cold", 1),
        "since_begun_rewarmed": places(runs, caller, "rewarmed", 1),
        "clock": {
            name: rounded(median([reading[0][place] for reading in runs["clock", "warm"]]), 1)
            for place, name in enumerate(PLACES)
        },
    }


def one(bench: Bench) -> Row:
    """Send one order at a time from C."""
    return latency_row(bench, "submit.one", "c")


def cython(bench: Bench) -> Row:
    """Send one order at a time from a Cython strategy."""
    return latency_row(bench, "submit.cython", "cython")


def python(bench: Bench) -> Row:
    """Send one order at a time from a Python strategy, calling its function included."""
    return latency_row(bench, "submit.python", "python")


def rate_row(bench: Bench, name: str, loop: str) -> Row:
    """Return the row of one closed loop beside the loop of single orders."""
    runs = bench.shared(rates)
    made = row(name, "ns/order", runs[loop], "submit.loop", runs["one"])
    return made | {"orders_a_second": round(1e9 / runs[loop].median)}


def batch(bench: Bench) -> Row:
    """Send 32 orders with one doorbell."""
    return rate_row(bench, "submit.batch", "batch")


def lifecycle(bench: Bench) -> Row:
    """Send an order, apply its accept and its fill."""
    return rate_row(bench, "lifecycle", "life")


ROWS = {
    "submit.one": one,
    "submit.cython": cython,
    "submit.python": python,
    "submit.batch": batch,
    "lifecycle": lifecycle,
}
