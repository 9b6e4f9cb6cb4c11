"""Rows ``wire.*``: ticks in and orders out over real links, and how many packets a port moves.

Two hosts (network namespaces) are joined by a veth pair; the exchange's side is plain sockets that
never sleep, the same for all, and takes the time from a tick to its order. Over each kind of port
stand the whole appliance, an echo through the port, a bare echo on the library itself, and the
appliance on a socket that blocks. Without root only ``uring`` is measured, on loopback.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from functools import partial
from statistics import median
from typing import Any

from appliance.bench import wire_run
from appliance.bench.rows import Bench, Figures, Row, absent, row, say
from appliance.bench.wire_run import Reading

KINDS = ("uring", "xdp", "dpdk")
ROLES = ("echo", "send_back", "trade", "plain")
IDLES = ("spin", "yield", "adaptive")
STEADY = 0.7  # of the rate at which a port must lose nothing

Readings = dict[str, list[Reading]]


def rounds(bench: Bench, loops: dict[str, Callable[[], Any]]) -> dict[str, list[Any]]:
    """Run the loops in turn, round by round; the first round is not counted."""
    runs: dict[str, list[Any]] = {name: [] for name in loops}
    for number in range(bench.args.rounds + 1):
        for name, loop in loops.items():
            say(f"round {number} of {bench.args.rounds}: {name}")
            runs[name].append(loop())
    say("")
    return {name: readings[1:] for name, readings in runs.items()}


def figures(values: list[float]) -> Figures:
    """Return values as rows take them; nothing counts instructions across two processes."""
    return Figures(values, None, None)


# ---- ticks to orders ----


def answering(kind: str) -> Callable[[Bench], Readings]:
    """Return what measures everything that answers ticks over a kind of port."""

    def measure(bench: Bench) -> Readings:
        return rounds(
            bench,
            {
                "echo": lambda: wire_run.answers(kind, "echo"),
                "send_back": lambda: wire_run.answers(kind, "send_back"),
                "trade": lambda: wire_run.answers(kind, "trade"),
                "plain": lambda: wire_run.answers("plain", "trade"),
            },
        )

    return measure


ANSWERING = {kind: answering(kind) for kind in KINDS}


def place(readings: list[Reading], name: str) -> float:
    """Return the median over the rounds of one percentile."""
    return float(median(getattr(reading, name) for reading in readings))


def answers_of(readings: list[Reading]) -> dict[str, float]:
    """Return what is said of one loop besides its p50."""
    return {name: place(readings, name) for name in ("p50", "p99", "least")} | {
        "lost": sum(reading.lost for reading in readings)
    }


def answer_row(bench: Bench, kind: str, name: str, role: str) -> Row:
    """Return the row of one loop beside the bare echo of the same kind."""
    why = wire_run.why_not(kind)
    if why is not None:
        return absent(f"wire.{kind}.{name}", "ns p50", why)
    runs = bench.shared(ANSWERING[kind])
    bare = [reading.p50 for reading in runs["echo"]]
    made = row(
        f"wire.{kind}.{name}", "ns p50", figures([reading.p50 for reading in runs[role]]),
        f"bare.{kind}", figures(bare),
    )  # fmt: skip
    return made | {
        "answers": answers_of(runs[role]),
        "bare": answers_of(runs["echo"]),
        "plain": answers_of(runs["plain"]),
        "ratio_p99": round(place(runs[role], "p99") / place(runs["echo"], "p99"), 3),
        "ratio_plain": round(place(runs[role], "p50") / place(runs["plain"], "p50"), 3),
    }


# ---- packets a second ----


def reference_rates(kind: str) -> dict[str, Callable[[], float]] | None:
    """Return what a port's rates stand beside; None where it is not installed."""
    if kind == "uring":
        return {
            "in beside": lambda: wire_run.taken_a_second("mmsg"),
            "out beside": lambda: wire_run.given_a_second("mmsg"),
        }
    if not wire_run.has_testpmd():
        return None
    return {
        "in beside": wire_run.testpmd_taken_a_second,
        "out beside": wire_run.testpmd_given_a_second,
    }


def rate_row(bench: Bench, kind: str) -> Row:
    """Return the row of the packets a second that a port takes, and those that it gives."""
    name = f"wire.{kind}.rate"
    why = wire_run.why_not(kind)
    if why is not None:
        return absent(name, "packets/s in", why)
    beside = "recvmmsg" if kind == "uring" else "testpmd"
    reference = reference_rates(kind)
    runs = rounds(
        bench,
        {
            "in": lambda: wire_run.taken_a_second(kind),
            "out": lambda: wire_run.given_a_second(kind),
            **(reference or {}),
        },
    )
    made = row(
        name, "packets/s in", figures(runs["in"]),
        beside if reference else "none: install dpdk-dev",
        figures(runs["in beside"]) if reference else None,
    )  # fmt: skip
    out = median(runs["out"])
    out_beside = median(runs["out beside"]) if reference else None
    sent, lost = wire_run.lost_at(kind, STEADY * median(runs["in"]), steady_seconds())
    return made | {
        "out": round(out),
        "out_beside": out_beside and round(out_beside),
        "ratio_out": out_beside and round(out / out_beside, 3),
        "steady": {"rate": round(STEADY * median(runs["in"])), "sent": sent, "lost": lost},
    }


def steady_seconds() -> float:
    """Return how long a steady rate is held."""
    return float(os.environ.get("TICKPLANE_WIRE_SECONDS", "2"))


# ---- order sessions ----


def sessions(bench: Bench) -> Readings:
    """Return what measures the same order session over every TCP."""
    tcps = ("plain", "kernel") if wire_run.why_not("xdp") else ("plain", "kernel", "lwip")
    return rounds(bench, {tcp: partial(wire_run.session_answers, tcp) for tcp in tcps})


def session_row(bench: Bench, tcp: str, beside: str) -> Row:
    """Return the row of one TCP."""
    name, unit = f"wire.tcp.{tcp}", "ns p50"
    why = wire_run.why_not("xdp" if tcp == "lwip" else "uring")
    if why is not None:
        return absent(name, unit, why)
    runs = bench.shared(sessions)
    times = {name: figures([reading.p50 for reading in runs[name]]) for name in (tcp, beside)}
    return row(name, unit, times[tcp], f"tcp.{beside}", times[beside]) | {
        "answers": answers_of(runs[tcp]),
        "beside": answers_of(runs[beside]),
        "ratio_p99": round(place(runs[tcp], "p99") / place(runs[beside], "p99"), 3),
    }


def tcp_kernel(bench: Bench) -> Row:
    """Return the row of the kernel's TCP through io_uring."""
    return session_row(bench, "kernel", "plain")


def tcp_lwip(bench: Bench) -> Row:
    """Return the row of TCP in user space."""
    return session_row(bench, "lwip", "kernel")


# ---- idling ----


def idlings(bench: Bench, kind: str) -> dict[str, list[wire_run.Idling]]:
    """Return what measures every way to idle over one kind of port."""
    return rounds(bench, {idle: partial(wire_run.idling, kind, idle) for idle in IDLES})


IDLINGS = {kind: partial(idlings, kind=kind) for kind in KINDS}


def idle(kind: str, name: str) -> Callable[[Bench], Row]:
    """Return the row of one way to idle: its answers to ticks after a pause, and its core."""

    def measure(bench: Bench) -> Row:
        why = wire_run.why_not(kind)
        if why is not None:
            return absent(f"wire.{kind}.idle.{name}", "ns p50", why)
        runs = bench.shared(IDLINGS[kind])
        answers = {way: [one.answers for one in runs[way]] for way in (name, "spin")}
        times = {way: figures([one.p50 for one in found]) for way, found in answers.items()}
        row_ = row(f"wire.{kind}.idle.{name}", "ns p50", times[name], f"{kind}.spin", times["spin"])
        return row_ | {
            "answers": answers_of(answers[name]),
            "cpu_quiet": round(median(one.quiet for one in runs[name]), 3),
            "cpu_busy": round(median(one.busy for one in runs[name]), 3),
        }

    return measure


# ---- the rows ----


def tick_to_trade(kind: str) -> Callable[[Bench], Row]:
    """Return the row of the whole appliance."""
    return lambda bench: answer_row(bench, kind, "tick_to_trade", "trade")


def echo(kind: str) -> Callable[[Bench], Row]:
    """Return the row of an echo through the port."""
    return lambda bench: answer_row(bench, kind, "echo", "send_back")


def rate(kind: str) -> Callable[[Bench], Row]:
    """Return the row of packets a second."""
    return lambda bench: rate_row(bench, kind)


ROWS = {
    f"wire.{kind}.{name}": make(kind)
    for kind in KINDS
    for name, make in (("tick_to_trade", tick_to_trade), ("echo", echo), ("rate", rate))
} | {"wire.tcp.kernel": tcp_kernel, "wire.tcp.lwip": tcp_lwip}
ROWS |= {f"wire.{kind}.idle.{name}": idle(kind, name) for kind in KINDS for name in IDLES}
