"""``tickplane bench``: each row beside a reference measured in the same run, on the same bytes.

A further row is one function in its family's ``ROWS``. Rounds are interleaved (reference, row, row,
reference ...), so that a machine that slows down slows all of them; what is printed is the median.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

from appliance.bench import (
    itch,
    journal,
    kill,
    match,
    queue,
    risk,
    seal,
    skiplist,
    submit,
    venue,
    wire,
)
from appliance.bench.rows import Bench, Row
from appliance.errors import CommandError
from appliance.outputs import check_output
from dataplane.errors import DataplaneError

MESSAGES_DEFAULT = 20_000_000
ROUNDS_DEFAULT = 7
ROUNDS_MIN = 5

# Names are stable: scripts compare them from release to release.
ROWS: dict[str, Callable[[Bench], Row]] = {
    **itch.ROWS,
    **journal.ROWS,
    **match.ROWS,
    **queue.ROWS,
    **skiplist.ROWS,
    **risk.ROWS,
    **seal.ROWS,
    **submit.ROWS,
    **venue.ROWS,
    **wire.ROWS,
    **kill.ROWS,
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
    bench = Bench(args)
    rows = [ROWS[name](bench) for name in args.names or ROWS]
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
        f"{'row':<23}{'median':>9}  {'unit':<12}{'min':>9} {'max':>12}  {'beside':<12}{'median':>9}"
        f"{'ratio':>8}{'instructions':>14}{'branch misses':>15}"
    ]
    for of in rows:
        reference = of["reference"]
        lines.append(
            f"{of['name']:<23}{measured(of['value']):>9}  {of['unit']:<12}"
            f"{measured(of['min']):>9} {measured(of['max']):>12}"
            f"  {reference['name']:<12}{measured(reference['value']):>9}"
            f"{measured(of['ratio']):>8}"
            f"{known(of['instructions']):>14}{known(of['branch_misses']):>15}"
        )
    lines.append(f"{rows[0]['runs']} interleaved rounds; {rows[0]['machine']}")
    return "\n".join(lines)


def measured(value: float | None) -> str:
    """Return a figure, or that there was nothing to measure."""
    return "-" if value is None else f"{value:.2f}"


def known(value: float | None) -> str:
    """Return a count, or that this machine does not count."""
    return "not counted" if value is None else f"{value:g}"
