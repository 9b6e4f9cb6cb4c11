"""Row ``risk.check``: one decision of the gate with every check on."""

from __future__ import annotations

from statistics import median

from appliance.bench.rows import Bench, Figures, Row, rounded, row
from appliance.bench.submit import rates
from dataplane.bench_risk import RiskBench


def inside(bench: Bench) -> dict[str, float | None]:
    """Return what the gate adds to an order: the path with it and with one that says yes at once.

    Both send the same orders in the same rounds; the difference is of neighbours, then its median.
    """
    runs = bench.shared(rates)
    whole, without = runs["one"].ns, runs["ungated"].ns
    net = [mine - other for mine, other in zip(whole, without, strict=True)]
    return {
        "with_ns": rounded(median(whole), 2),
        "without_ns": rounded(median(without), 2),
        "difference_ns": rounded(median(net), 2),
    }


def check(bench: Bench) -> Row:
    """Decide orders of mixed sides, prices and sizes in 64 instruments; all of them pass.

    The value is the mean of a closed loop, walking the orders and calling a function that says yes
    taken off. Percentiles are of single decisions between two readings of the clock, whose own cost
    is taken off.
    """
    loops = RiskBench()
    runs = bench.rounds({"empty": loops.empty, "check": loops.decide})
    empty, whole = runs["empty"], runs["check"]
    net = [mine - nothing for mine, nothing in zip(whole.ns, empty.ns, strict=True)]
    instructions = None
    if whole.instructions is not None and empty.instructions is not None:
        instructions = whole.instructions - empty.instructions
    made = row(
        "risk.check",
        "ns mean",
        Figures(net, instructions, whole.branch_misses),
        "risk.empty",
        empty,
    )
    readings = [loops.each() for _ in range(bench.args.rounds)]
    for place, name in enumerate(("p50", "p99", "p999")):
        made[name] = rounded(median([float(reading[place]) for reading in readings]), 1)
    made["inside_submit"] = inside(bench)
    return made


ROWS = {"risk.check": check}
