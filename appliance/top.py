"""``tickplane top``: a running appliance at a glance, refreshed like top(1).

Attaches read-only to the region that the appliance keeps in /dev/shm; the appliance never notices.
Each refresh attaches anew, so a run that replaces an earlier one of the same name is followed.
"""

from __future__ import annotations

import argparse
import contextlib
import datetime
import errno
import os
import re
import shutil
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from appliance.errors import CommandError
from appliance.top_risk import render_limits, render_risk
from dataplane.errors import DataplaneError
from dataplane.region import Region

SHM = Path("/dev/shm")
PREFIX = "tickplane-"
BOOK_ROWS = 10
ENTER = "\x1b[?1049h\x1b[?25l"  # the other screen, no cursor
LEAVE = "\x1b[?25h\x1b[?1049l"
HOME, REST_OF_LINE, REST_OF_SCREEN = "\x1b[H", "\x1b[K", "\x1b[J"
READY_WAIT_S = 2.0

Top = tuple[str, int, int | None, int, int | None, int]


@dataclass(frozen=True)
class Sample:
    """What one look at the region showed."""

    taken_ns: int  # of this machine's clock
    header: dict[str, Any]
    status: dict[str, Any]
    counters: dict[str, int]
    orders: dict[str, int]
    latencies: dict[str, dict[str, int]]
    tops: dict[int, Top]
    risk: list[dict[str, Any]]
    writer_alive: bool


RenderOne = Callable[[Sample, Sample | None], str]


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument(
        "name", metavar="NAME", nargs="?", help="the appliance, or a path (default: the newest)"
    )
    parser.add_argument(
        "--risk", action="store_true", help="every limit that is used up: how much, of how much"
    )
    parser.add_argument("--once", action="store_true", help="print one screen and exit")
    parser.add_argument(
        "--interval", metavar="S", type=float, default=1.0, help="seconds (default: 1)"
    )


def run(args: argparse.Namespace) -> int:
    """Show the appliance until it ends or Ctrl-C."""
    if not 0.05 <= args.interval <= 3600:
        raise CommandError(f"--interval: {args.interval:g}; give 0.05 to 3600 seconds")
    path = find(args.name)
    render_one = render_risk_screen if args.risk else render
    if args.once:
        print(render_one(take(path), None))
        return 0
    with screen() as show:
        last = watch(path, args.interval, show, render_one)
    if sys.stdout.isatty():
        print(last)  # the other screen is gone; this one stays
    return 0


def watch(path: Path, interval: float, show: Callable[[str], None], render_one: RenderOne) -> str:
    """Refresh until the writer is gone; return the last screen. Ctrl-C returns it too."""
    text = ""
    before: Sample | None = None
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            sample = take(path)
            text = render_one(sample, before)
            show(text)
            if not sample.writer_alive:
                break
            before = sample
            time.sleep(interval)
    return text


@contextlib.contextmanager
def screen() -> Iterator[Callable[[str], None]]:
    """Give a function that shows a text in place; a pipe just gets one text after the other."""
    if not sys.stdout.isatty():
        yield lambda text: print(text, flush=True)
        return

    def show(text: str) -> None:
        size = shutil.get_terminal_size()
        rows = [row[: size.columns] + REST_OF_LINE for row in text.split("\n")[: size.lines - 1]]
        sys.stdout.write(HOME + "\n".join(rows) + "\n" + REST_OF_SCREEN)
        sys.stdout.flush()

    sys.stdout.write(ENTER)
    try:
        yield show
    finally:
        sys.stdout.write(LEAVE)
        sys.stdout.flush()


def find(name: str | None, verb: str = "top") -> Path:
    """Return the region's file: the one named, else the newest of that appliance, or of all."""
    if name is not None and "/" in name:
        return Path(name)
    found = regions()
    if name is not None:
        # A run adds its process id, so that two runs of one appliance do not collide.
        runs = re.compile(rf"{PREFIX}{re.escape(name)}(-\d+)?")
        found = [path for path in found if runs.fullmatch(path.name)]
        if not found:
            raise CommandError(
                f"{verb}: {name}: no such appliance in {SHM}; running now: {running()}"
            )
    if not found:
        raise CommandError(
            f"{verb}: no appliance in {SHM}; start one in another terminal: tickplane replay FILE"
        )
    return found[-1]


def regions() -> list[Path]:
    """Return all regions in /dev/shm, the newest last."""
    dated = []
    for path in SHM.glob(PREFIX + "*"):
        with contextlib.suppress(FileNotFoundError):  # one that is just leaving
            if ".making." not in path.name:
                dated.append((path.stat().st_mtime_ns, path))
    return [path for _, path in sorted(dated)]


def running() -> str:
    """Return the names of all regions in words."""
    return ", ".join(path.name.removeprefix(PREFIX) for path in regions()) or "none"


def take(path: Path) -> Sample:
    """Attach, read everything once, detach; wait a moment for one that is still being made."""
    until = time.monotonic() + READY_WAIT_S
    while True:
        try:
            with Region.attach(path) as region:
                return read(region)
        except DataplaneError as error:
            if error.code != errno.EAGAIN or time.monotonic() > until:
                raise CommandError(f"top: {error}") from error
        time.sleep(0.05)


def read(region: Region) -> Sample:
    """Read everything that a screen shows."""
    header = region.header
    return Sample(
        taken_ns=time.time_ns(),
        header=header,
        status=region.status(),
        counters=region.counters(),
        orders=region.orders(),
        latencies=region.latencies(),
        tops=region.tops(),
        risk=region.risk(),
        writer_alive=is_alive(header["pid"]),
    )


def is_alive(pid: int) -> bool:
    """Say whether that process exists, ours or not."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return pid > 0


def render(sample: Sample, before: Sample | None) -> str:
    """Return the screen; rates are since ``before``, or since the start of the run."""
    sections = (
        render_head(sample, before),
        render_orders(sample),
        render_risk(sample.risk),
        render_tops(sample, before),
        render_latencies(sample),
        render_counters(sample, before),
    )
    return join(sections)


def render_risk_screen(sample: Sample, before: Sample | None) -> str:
    """Return the screen of ``--risk``."""
    return join((render_head(sample, before), render_orders(sample), render_limits(sample.risk)))


def join(sections: Iterable[list[str]]) -> str:
    """Return sections one below the other."""
    return "\n".join(line for section in sections for line in [*section, ""]).rstrip("\n")


def render_head(sample: Sample, before: Sample | None) -> list[str]:
    """Name and state, time and progress, messages and rate."""
    status, header = sample.status, sample.header
    state = status["state"]
    if not sample.writer_alive:
        ended = state in ("finished", "failed")
        gone = f"pid {header['pid']} is gone"
        state = f"{state}, {gone}" if ended else f"the writer died while {state} ({gone})"
    else:
        state = f"{state}, pid {header['pid']}"
    progress = 100 * status["position"] / status["size"] if status["size"] else 0.0
    messages = sample.counters["itch_messages"]
    return [
        f"{status['name']}: {state}   {status['source']}",
        f"time {render_time(status['now_ns'])}   progress {progress:.1f} %"
        f"   messages {messages:,}   {rate(sample, before, 'itch_messages'):,.0f}/s",
    ]


def render_time(time_ns: int) -> str:
    """Return UTC to the nanosecond, or a dash before the first packet."""
    if time_ns <= 0:
        return "-"
    seconds, part = divmod(time_ns, 1_000_000_000)
    moment = datetime.datetime.fromtimestamp(seconds, datetime.UTC)
    return f"{moment:%Y-%m-%d %H:%M:%S}.{part:09d}"


def rate(sample: Sample, before: Sample | None, key: str) -> float:
    """Return how much the counter grows a second."""
    if before is not None and before.header["generation"] == sample.header["generation"]:
        start_ns, start = before.taken_ns, before.counters[key]
    else:
        start_ns, start = sample.status["wall_start_ns"], 0
    seconds = (sample.taken_ns - start_ns) / 1e9
    return (sample.counters[key] - start) / seconds if seconds > 0 else 0.0


def render_orders(sample: Sample) -> list[str]:
    """Orders by OrdStatus."""
    states = "   ".join(f"{name} {count:,}" for name, count in sorted(sample.orders.items()))
    return [f"orders  {states or 'none'}"]


def render_tops(sample: Sample, before: Sample | None) -> list[str]:
    """The books that changed most since the last look."""
    seen = before.tops if before is not None else {}
    busy = sorted(
        (seen[index][1] - top[1] if index in seen else -top[1], index)
        for index, top in sample.tops.items()
    )
    lines = [f"{'book':8} {'changes':>10} {'bid qty':>10} {'bid':>14} {'ask':>14} {'ask qty':>10}"]
    for changes, index in busy[:BOOK_ROWS]:  # negative: the most changes sort first
        symbol, _, bid, bid_qty, ask, ask_qty = sample.tops[index]
        lines.append(
            f"{symbol:8} {-changes:>10,} {bid_qty:>10,} {render_price(bid):>14}"
            f" {render_price(ask):>14} {ask_qty:>10,}"
        )
    return lines


def render_price(price_nanos: int | None) -> str:
    """Return the venue's four decimals, a dash for an empty side."""
    if price_nanos is None:
        return "-"
    return f"{price_nanos // 1_000_000_000:,}.{price_nanos % 1_000_000_000 // 100_000:04d}"


def render_latencies(sample: Sample) -> list[str]:
    """Percentiles of every stage that was measured."""
    lines = [f"{'latency ns':14} {'count':>12} {'p50':>8} {'p99':>8} {'p99.9':>8} {'max':>10}"]
    for stage, row in sample.latencies.items():
        if row["count"]:
            lines.append(
                f"{stage:14} {row['count']:>12,} {row['p50']:>8,} {row['p99']:>8,}"
                f" {row['p999']:>8,} {row['max']:>10,}"
            )
    return lines


def render_counters(sample: Sample, before: Sample | None) -> list[str]:
    """Every counter that is not 0."""
    lines = [f"{'counter':22} {'total':>16} {'per second':>14}"]
    for key, value in sample.counters.items():
        if value:
            lines.append(f"{key:22} {value:>16,} {rate(sample, before, key):>14,.0f}")
    return lines
