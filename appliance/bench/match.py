"""Rows ``match.*``: the matching engine over flows of orders, beside an engine of sorted arrays.

The plain engine decides the same but reports and books nothing; what both traded is compared, so a
row that is fast because it is wrong does not appear. A row's value includes the harness, whose own
part is told as ``harness``: requests made and reports read without an engine.
``match.pro_rata.normal`` stands beside FIFO on the same flow, ``match.latency`` (p99.9 of single
commands) beside the median of the same commands.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from appliance.bench.rows import Bench, Figures, Row, rounded, row, say
from appliance.errors import CommandError
from dataplane.bench_match import SHAPES, MatchBench

COMMANDS = 2_000_000
RESTING = 1_000_000
TIMED = 500_000


def rounds(shape: str, bench: Bench) -> dict[str, Figures]:
    """Return both engines, and FIFO's rival by size, over interleaved rounds."""
    say(f"making a flow: {shape}")
    flow = MatchBench(shape, COMMANDS)
    loops = {"plain": flow.plain, "fifo": flow.fifo, "empty": flow.empty}
    if shape == "normal":
        loops["pro_rata"] = flow.pro_rata
    figures = bench.rounds(loops)
    flow.fifo()
    if flow.result != flow.plain_result:
        raise CommandError(
            f"bench: match.fifo.{shape}: traded {flow.result}, the plain engine "
            f"{flow.plain_result}; one of them is wrong"
        )
    return figures


# One function a shape, so that a call of the verb makes each flow once.
FLOWS: dict[str, Callable[[Bench], dict[str, Figures]]] = {
    shape: partial(rounds, shape) for shape in SHAPES
}


def fifo(shape: str, bench: Bench) -> Row:
    """Match a flow by price and time."""
    runs = bench.shared(FLOWS[shape])
    made = row(f"match.fifo.{shape}", "ns/command", runs["fifo"], "match.plain", runs["plain"])
    made["harness"] = {
        "ns": round(runs["empty"].median, 3),
        "instructions": rounded(runs["empty"].instructions, 1),
    }
    return made


def pro_rata(bench: Bench) -> Row:
    """Match the flow by price and size; beside it, by price and time."""
    runs = bench.shared(FLOWS["normal"])
    return row("match.pro_rata.normal", "ns/command", runs["pro_rata"], "match.fifo", runs["fifo"])


def latency(bench: Bench) -> Row:
    """Take the time of every command among a million resting orders."""
    say("making a flow: a million resting orders")
    flow = MatchBench("normal", TIMED, resting=RESTING)
    readings: list[list[int]] = []
    for number in range(bench.args.rounds + 1):
        say(f"round {number} of {bench.args.rounds}")
        readings.append(flow.latency((500, 999)))
    say("")
    middle, far = (Figures([float(of[at]) for of in readings[1:]], None, None) for at in (0, 1))
    return row("match.latency", "ns p99.9", far, "the median", middle)


ROWS: dict[str, Callable[[Bench], Row]] = {
    **{f"match.fifo.{shape}": partial(fifo, shape) for shape in SHAPES},
    "match.pro_rata.normal": pro_rata,
    "match.latency": latency,
}
