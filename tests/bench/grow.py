"""How ``itch.books`` grows with symbols, depth, open orders and cores, as a picture.

    python tests/bench/grow.py docs/images/grow.svg

Writes sessions that vary one thing at a time, measures each with ``tickplane bench --json`` beside
the floor of the same run, prints the table and draws it. Sessions are harder on memory than a
real day: every order, level and symbol is as likely to be next as any other.
"""

from __future__ import annotations

import json
import os
import random
import struct
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ADD = struct.Struct(">HcHHHIQcI8sI")
DELETE = struct.Struct(">HcHHHIQ")
MIDDLE_CENTS = 20_000
CHANGES = 1_000_000
ROUNDS = "5"


@dataclass(frozen=True)
class Load:
    """What a session holds at any moment, once it is full."""

    symbols: int = 100
    levels: int = 20  # of each side of a symbol
    orders: int = 20_000  # of all symbols together
    cores: int = 1  # as many processes at once, each with books of its own


@dataclass(frozen=True)
class Point:
    """One load measured: ns a message, and the same of the floor."""

    load: Load
    books: float
    floor: float


AXES: dict[str, tuple[str, Sequence[int]]] = {
    "symbols": ("symbols", (1, 10, 100, 1_000, 8_000)),
    "levels": ("levels of each side", (1, 10, 100, 1_000)),
    "orders": ("open orders", (1_000, 10_000, 100_000, 1_000_000)),
    "cores": ("processes at once", tuple(range(1, (os.cpu_count() or 1) + 1))),
}


def add(load: Load, rng: random.Random, ref: int) -> tuple[int, bytes]:
    """Return the stock locate and the frame of an add to any level of any symbol."""
    locate = rng.randrange(load.symbols) + 1
    away = rng.randrange(load.levels) + 1
    is_buy = rng.random() < 0.5
    cents = MIDDLE_CENTS - away if is_buy else MIDDLE_CENTS + away
    stock = f"S{locate:<7}".encode()
    return locate, ADD.pack(
        36, b"A", locate, 0, 0, ref, ref, b"B" if is_buy else b"S", 100, stock, cents * 100
    )


def frames(load: Load) -> Iterator[bytes]:
    """Fill the books, then delete any order and add another in turn."""
    rng = random.Random(1)
    live: list[tuple[int, int]] = []
    for ref in range(1, load.orders + CHANGES // 2):
        locate, frame = add(load, rng, ref)
        yield frame
        live.append((locate, ref))
        if len(live) > load.orders:
            at = rng.randrange(len(live))
            live[at], live[-1] = live[-1], live[at]
            locate, gone = live.pop()
            yield DELETE.pack(19, b"D", locate, 0, 0, ref, gone)


def measure(load: Load, folder: Path) -> Point:
    """Return the slowest process's figures at that load."""
    session = folder / "session.itch"
    session.write_bytes(b"".join(frames(load)))
    command = [
        *(sys.executable, "-m", "appliance", "bench", "itch.books"),
        *("--file", str(session), "--rounds", ROUNDS, "--json", "-"),
    ]
    runs = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(load.cores)]
    rows = [json.loads(run.communicate()[0])[0] for run in runs]
    slowest = max(rows, key=lambda row: row["value"])
    return Point(load, slowest["value"], slowest["reference"]["value"])


# ---- the picture ----

WIDTH, HEIGHT, LEFT, TOP, GAP = 340, 180, 60, 50, 110


def panel(title: str, xs: Sequence[int], points: Sequence[Point], highest: float) -> list[str]:
    """Return one chart: both lines over steps of equal width, as the values are decades apart."""
    steps = [WIDTH * (at + 0.5) / len(xs) for at in range(len(xs))]
    lines = [
        f'<text x="0" y="-14" font-weight="bold">{title}</text>',
        f'<path d="M0 0V{HEIGHT}H{WIDTH}" fill="none" stroke="#888"/>',
    ]
    for step, x in zip(steps, xs, strict=True):
        lines.append(f'<text x="{step:.0f}" y="{HEIGHT + 18}" text-anchor="middle">{x:,}</text>')
    for name, colour in (("books", "#1f5fbf"), ("floor", "#999999")):
        values = [getattr(point, name) for point in points]
        ys = [HEIGHT * (1 - value / highest) for value in values]
        path = " ".join(f"{x:.0f},{y:.0f}" for x, y in zip(steps, ys, strict=True))
        lines.append(f'<polyline points="{path}" fill="none" stroke="{colour}" stroke-width="2"/>')
        for x, y, value in zip(steps, ys, values, strict=True):
            lines.append(f'<circle cx="{x:.0f}" cy="{y:.0f}" r="3" fill="{colour}"/>')
            lines.append(
                f'<text x="{x:.0f}" y="{y - 7:.0f}" text-anchor="middle" fill="{colour}">'
                f"{value:.1f}</text>"
            )
    return lines


def picture(measured: dict[str, list[Point]]) -> str:
    """Return the SVG: a panel for each axis, all of one scale."""
    highest = 1.15 * max(point.books for points in measured.values() for point in points)
    width, height = 2 * (WIDTH + GAP), 2 * (HEIGHT + GAP) + 20
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="12">',
        f'<rect width="{width}" height="{height}" fill="white"/>',
        '<text x="60" y="20">ns a message: <tspan fill="#1f5fbf">itch.books</tspan> and '
        '<tspan fill="#777777">itch.floor</tspan></text>',
    ]
    for at, (name, points) in enumerate(measured.items()):
        title, xs = AXES[name]
        x, y = LEFT + at % 2 * (WIDTH + GAP), TOP + 20 + at // 2 * (HEIGHT + GAP)
        lines.append(f'<g transform="translate({x} {y})">')
        lines += panel(title, xs, points, highest)
        lines.append("</g>")
    return "\n".join([*lines, "</svg>", ""])


def main() -> None:
    """Measure all loads; draw them."""
    target = Path(sys.argv[1])
    measured: dict[str, list[Point]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for name, (title, values) in AXES.items():
            measured[name] = []
            for value in values:
                point = measure(replace(Load(), **{name: value}), Path(folder))
                measured[name].append(point)
                print(
                    f"{title:<20} {value:>9,}  {point.books:6.1f} ns/message, "
                    f"floor {point.floor:.1f}, {point.books / point.floor:.1f} x",
                    flush=True,
                )
    target.write_text(picture(measured))


if __name__ == "__main__":
    main()
