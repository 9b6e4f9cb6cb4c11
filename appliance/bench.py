"""``tickplane bench``: each row beside a reference measured in the same run, on the same bytes.

A further row is one function in ``ROWS``; functions that share an input and its rounds share them
through ``Session``. Rounds are interleaved (reference, row, row, reference ...), so that a machine
that slows down slows all of them; what is printed is the median.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import sys
from collections.abc import Callable
from functools import cached_property
from pathlib import Path
from typing import Any, NamedTuple

from appliance.errors import CommandError
from appliance.outputs import check_output
from dataplane.bench import ItchBench
from dataplane.errors import DataplaneError
from dataplane.generate import session_bytes

MESSAGES_DEFAULT = 20_000_000
SYMBOLS_DEFAULT = 8_000
ROUNDS_DEFAULT = 7
ROUNDS_MIN = 5

Row = dict[str, Any]
# Nanoseconds, messages, instructions, branch misses; None where the machine does not count.
Reading = tuple[int, int, int | None, int | None]


class Figures(NamedTuple):
    """One loop over all rounds, per message."""

    ns: list[float]
    instructions: float | None
    branch_misses: float | None

    @property
    def median(self) -> float:
        """Return the middle of the times."""
        return statistics.median(self.ns)


class Session:
    """The session to measure on, and its rounds, each made when a row first asks for it."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args

    @cached_property
    def data(self) -> bytes | bytearray:
        """Return the bytes of a BinaryFILE: the file given, or a generated session."""
        if self.args.file is None:
            say(f"generating {self.args.messages:,} messages")
            return session_bytes(self.args.messages, SYMBOLS_DEFAULT, self.args.seed)
        return read_file(self.args.file)

    @cached_property
    def itch(self) -> dict[str, Figures]:
        """Return floor, parse and books over interleaved rounds."""
        bench = ItchBench(self.data)
        loops = {"floor": bench.floor, "parse": bench.parse, "books": bench.books}
        readings: dict[str, list[Reading]] = {name: [] for name in loops}
        # The first round touches all memory for the first time; it is not counted.
        for number in range(self.args.rounds + 1):
            say(f"round {number} of {self.args.rounds}")
            for name, loop in loops.items():
                readings[name].append(loop())
        say("")
        return {name: figures(runs[1:]) for name, runs in readings.items()}


def say(words: str) -> None:
    """Show progress on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{words}", end="", file=sys.stderr, flush=True)


def read_file(path: str) -> bytes:
    """Return a BinaryFILE's bytes; refuse what begins with no message before reading it all."""
    try:
        with open(path, "rb") as file:
            head = file.read(3)
            size = int.from_bytes(head[:2], "big")
            if not 0 < size <= os.fstat(file.fileno()).st_size - 2 or not chr(head[2]).isalpha():
                raise CommandError(
                    f"{path}: begins with no ITCH message; give an unpacked BinaryFILE"
                )
            return head + file.read()
    except OSError as error:
        raise DataplaneError(
            error.errno or 1, f"{path}: {error.strerror}; give a BinaryFILE"
        ) from None


def figures(runs: list[Reading]) -> Figures:
    """Return the runs per message."""
    count = runs[0][1]
    return Figures([run[0] / count for run in runs], per_message(runs, 2), per_message(runs, 3))


def per_message(runs: list[Reading], at: int) -> float | None:
    """Return the median of a count per message; None when the machine did not count."""
    counts = [run[at] for run in runs]
    known = [count for count in counts if count is not None]
    return statistics.median(known) / runs[0][1] if len(known) == len(counts) else None


def machine() -> str:
    """Return processor, cores and kernel."""
    model = platform.processor() or platform.machine()
    cores = 0
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        cores += key.strip() == "processor"
        if key.strip() == "model name":
            model = value.strip()
    return f"{model}, {cores} cores, Linux {platform.release()}"


def row(name: str, unit: str, of: Figures, beside: str, reference: Figures) -> Row:
    """Return one row of the table."""
    return {
        "name": name,
        "value": round(of.median, 3),
        "unit": unit,
        "reference": {"name": beside, "value": round(reference.median, 3)},
        "ratio": round(of.median / reference.median, 3),
        "runs": len(of.ns),
        "min": round(min(of.ns), 3),
        "max": round(max(of.ns), 3),
        "instructions": None if of.instructions is None else round(of.instructions, 1),
        "branch_misses": None if of.branch_misses is None else round(of.branch_misses, 3),
        "reference_instructions": (
            None if reference.instructions is None else round(reference.instructions, 1)
        ),
        "machine": machine(),
    }


def itch_parse(session: Session) -> Row:
    """Decode every message of the session; beside it, byte-swap every order field."""
    runs = session.itch
    return row("itch.parse", "ns/message", runs["parse"], "itch.floor", runs["floor"])


def itch_books(session: Session) -> Row:
    """Decode, and keep the books of all instruments order by order, published to readers."""
    runs = session.itch
    return row("itch.books", "ns/message", runs["books"], "itch.floor", runs["floor"])


# Names are stable: scripts compare them from release to release.
ROWS: dict[str, Callable[[Session], Row]] = {
    "itch.parse": itch_parse,
    "itch.books": itch_books,
}


def whole(least: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from least on."""

    def parse(text: str) -> int:
        if not (text.isascii() and text.isdigit()) or int(text) < least:
            raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} on")
        return int(text)

    return parse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument(
        "names", metavar="NAME", nargs="*", help=f"of {', '.join(ROWS)}; default all"
    )
    parser.add_argument("--file", metavar="F", help="measure on this BinaryFILE")
    parser.add_argument(
        "--messages", type=whole(1), default=MESSAGES_DEFAULT, metavar="N", help="to generate"
    )
    parser.add_argument("--seed", type=whole(0), default=1, metavar="N", help="of the generator")
    parser.add_argument(
        "--rounds",
        type=whole(ROUNDS_MIN),
        default=ROUNDS_DEFAULT,
        metavar="N",
        help="to take the median of",
    )
    parser.add_argument(
        "--json",
        metavar="F",
        nargs="?",
        const="-",
        help="write the rows here too; without F, or as -, to stdout instead",
    )


def run(args: argparse.Namespace) -> int:
    """Measure and print the table."""
    unknown = [name for name in args.names if name not in ROWS]
    if unknown:
        raise CommandError(f"bench: {unknown[0]!r} is no row; known: {', '.join(ROWS)}")
    if args.json != "-":
        check_output("--json", args.json, {"session": args.file})
    session = Session(args)
    rows = [ROWS[name](session) for name in args.names or ROWS]
    if args.json == "-":
        print(json.dumps(rows, indent=2))
        return 0
    print(table(rows))
    if args.json is not None:
        write_json(args.json, rows)
    return 0


def write_json(path: str, rows: list[Row]) -> None:
    """Write the rows as a list."""
    try:
        Path(path).write_text(json.dumps(rows, indent=2) + "\n")
    except OSError as error:
        raise DataplaneError(
            error.errno or 1, f"{path}: {error.strerror}; give a writable file"
        ) from None


def table(rows: list[Row]) -> str:
    """Return the rows as people read them."""
    lines = [
        f"{'row':<14}{'median':>9}  {'unit':<12}{'min':>9}{'max':>9}  {'beside':<12}{'median':>9}"
        f"{'ratio':>8}{'instructions':>14}{'branch misses':>15}"
    ]
    for of in rows:
        reference = of["reference"]
        lines.append(
            f"{of['name']:<14}{of['value']:>9.2f}  {of['unit']:<12}{of['min']:>9.2f}"
            f"{of['max']:>9.2f}  {reference['name']:<12}{reference['value']:>9.2f}"
            f"{of['ratio']:>8.2f}"
            f"{known(of['instructions']):>14}{known(of['branch_misses']):>15}"
        )
    lines.append(f"{rows[0]['runs']} interleaved rounds; {rows[0]['machine']}")
    return "\n".join(lines)


def known(value: float | None) -> str:
    """Return a count, or that this machine does not count."""
    return "not counted" if value is None else f"{value:g}"
