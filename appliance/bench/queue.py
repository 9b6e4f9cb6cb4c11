"""Rows ``queue.mpmc.*`` and ``ring.hop``: between cores.

The queue's stand beside DPDK's rte_ring, many producers and many consumers, with as many values in
a call; the row without ``batch`` in its name hands over one value in each call. The ring's hop
stands beside a bare cache line each way.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial

from appliance.bench.rows import Bench, Figures, Row, row
from dataplane.bench_queue import HAS_RTE_RING, HopBench, queue_run

BATCHES = (1, 8, 32)
HOPS = {"ring": 0, "bare": 1, "single": 2}


def queue_name(pairs: int, batch: int) -> str:
    """Return the row's name."""
    return f"queue.mpmc.{pairs}x{pairs}" + (f".batch{batch}" if batch > 1 else "")


def queue_row(pairs: int, batch: int) -> Callable[[Bench], Row]:
    """Return the maker of one row."""

    def make(bench: Bench) -> Row:
        loops = {"ours": partial(queue_run, 0, pairs, batch)}
        if HAS_RTE_RING:
            loops["rte_ring"] = partial(queue_run, 1, pairs, batch)
        runs = bench.rounds(loops)
        beside = "rte_ring" if HAS_RTE_RING else "none: built without libdpdk"
        name = queue_name(pairs, batch)
        made = row(name, "ns/value", runs["ours"], beside, runs.get("rte_ring"))
        return {**made, "batch": batch}

    return make


def hops(bench: Bench) -> dict[str, Figures]:
    """Return the hops over interleaved rounds."""
    loops = HopBench()
    return bench.rounds({name: partial(loops.run, kind) for name, kind in HOPS.items()})


def ring_hop(bench: Bench) -> Row:
    """Hand a message to another core; beside it, a bare cache line each way."""
    runs = bench.shared(hops)
    made = row("ring.hop", "ns/hop", runs["ring"], "hop.bare", runs["bare"])
    return {**made, "single_line": round(runs["single"].median, 3)}


ROWS = {
    "ring.hop": ring_hop,
    **{queue_name(pairs, batch): queue_row(pairs, batch) for pairs in (1, 2) for batch in BATCHES},
}
