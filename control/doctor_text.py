"""The doctor's report as a page: a heat map of pauses, then the rest in lines."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import log10

from control.doctor import Report

# Columns of the map: pauses from this many ns up to the next one.
EDGES = (1_000, 2_000, 5_000, 10_000, 20_000, 50_000, 100_000, 1_000_000, 10_000_000)
NAMES = ("1us", "2us", "5us", "10us", "20us", "50us", "100us", "1ms", "10ms")
SHADES = " .:-=+*#%@"
COLOURS = (0, 22, 28, 34, 142, 178, 172, 166, 160, 196)


def render(report: Report, complaints: Sequence[str], *, colour: bool) -> str:
    """Return the page."""
    lines = [*heat_map(report, colour), *trips(report), *others(report)]
    verdict = ["", f"complaints: {len(complaints)}", *(f"  {line}" for line in complaints)]
    return "\n".join(lines + verdict)


def heat_map(report: Report, colour: bool) -> Iterator[str]:
    """Return pauses by core and length: the darker, the more a second."""
    yield "pauses of a spinning thread, by length (darker: more of them)"
    yield "core  " + "".join(f"{name:>6}" for name in NAMES) + "   longest     lost   irq/s"
    for core, noise in report["cores"].items():
        counts = columns(noise["histogram_ns"])
        cells = "".join(f"{cell(count, colour)}" for count in counts)
        yield (
            f"{core:>4}  {cells}{noise['pause_max_ns'] / 1000:>8.1f}us{noise['lost_ppm']:>6}ppm"
            f"{noise['interrupts_per_s']:>8}"
        )


def columns(histogram: dict[str, int]) -> list[int]:
    """Return how many pauses fall into each column."""
    counts = [0] * len(EDGES)
    for ns, count in histogram.items():
        # A bucket is named by its least pause; those below the first edge reach into it.
        at = max(0, sum(edge <= int(ns) for edge in EDGES) - 1)
        counts[at] += count
    return counts


def cell(count: int, colour: bool) -> str:
    """Return one field of the map: shade and number."""
    level = 0 if count == 0 else min(len(SHADES) - 1, 1 + int(2 * log10(count)))
    text = f"{count if count else '':>5}{SHADES[level]}"
    return f"\033[48;5;{COLOURS[level]}m{text}\033[0m" if colour and level else text


def trips(report: Report) -> Iterator[str]:
    """Return round trips of a cache line, the nearest pair first."""
    found = sorted(report["trips_ns"].items(), key=lambda pair: pair[1])
    if found:
        yield ""
        yield "round trip of a cache line between cores, least"
        for start in range(0, len(found), 6):
            row = found[start : start + 6]
            yield "  " + "  ".join(f"{pair:>7} {ns:>4} ns" for pair, ns in row)


def others(report: Report) -> Iterator[str]:
    """Return memory, huge pages, clock, cards, offload and heat."""
    yield ""
    loads = ", ".join(f"{name} {ns} ns" for name, ns in report["memory_ns"].items())
    yield f"memory      one load after the other over {loads}"
    for pool in report["huge_pages"]:
        yield (
            f"huge pages  node {pool['node']}, {pool['kib']} KiB: {pool['free']} of "
            f"{pool['total']} free; one of them lies on node {pool['lies_on']}"
        )
    clock = report["clock"]
    yield (
        f"clock       {clock['source']}; counter {clock['hz'] / 1e6:.3f} MHz, known to "
        f"{clock['error_ppb']} ppb, {'constant' if clock['invariant'] else 'NOT constant'}, "
        f"{clock['read_ns']} ns to read; kept by {clock['keepers'] or 'nobody'}"
    )
    for nic in report["cards"]:
        queues = ", ".join(f"{queue} on {cores}" for queue, cores in nic["queues"].items())
        lost = ", ".join(f"{item} {count}" for item, count in nic["lost"].items())
        yield f"card        {nic['name']}: queues {queues or 'of no interrupt'}; lost {lost or 0}"
    for each in report["offload"]:
        bitstream = f"; bitstream {each['identity']}" if each["identity"] else ""
        can = ", ".join(each["can"]) or each["why"] or "nothing"
        yield f"offload     {each['name']}: {can}{bitstream}"
    for each in report["rdma"]:
        can = f"{each['state']}, {len(each['gids'])} addresses, raw packets: {each['raw_packets']}"
        yield f"rdma        {each['name']}: {each['why'] or can}"
    if not report["rdma"]:
        yield "rdma        no device"
    degrees = " ".join(f"{each} degrees" for each in report["heat"]["degrees"])
    yield f"heat        {degrees or 'no sensors'}; slowed down {report['heat']['throttled']} times"
    if report["rtla"]:
        yield "rtla        is installed: `rtla osnoise top` names who interrupts"
