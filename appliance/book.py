"""``tickplane book``: the order books of a recorded session, at a time or at its end.

As text a ladder for each instrument; with ``--json`` one line each and, last, the digest over all
books at full depth, whatever ``--symbol`` and ``--depth`` limit on the page. What contradicted the
books is counted on stderr.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator

from appliance.errors import CommandError
from dataplane.books import Books
from dataplane.errors import DataplaneError

DEPTH_TEXT = 5
DEPTH_MAX = 2**32 - 1
TIME = re.compile(r"(\d{1,2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?", re.ASCII)
STATES = {"": "state unknown", "T": "trading", "H": "halted", "P": "paused", "Q": "quotation only"}
# Counted by feed() and no sign of trouble.
HARMLESS = {"itch_messages", "rx_packets", "rx_bytes", "mold_duplicate", "mold_reordered"}


def time_ns(text: str) -> int:
    """Parse HH:MM:SS[.fraction] into nanoseconds since midnight."""
    match = TIME.fullmatch(text)
    if match is None or int(match[1]) > 23 or int(match[2]) > 59 or int(match[3]) > 59:
        raise argparse.ArgumentTypeError(f"{text!r} is not a time; give HH:MM:SS, as 09:30:00.5")
    seconds = int(match[1]) * 3600 + int(match[2]) * 60 + int(match[3])
    return seconds * 1_000_000_000 + int((match[4] or "").ljust(9, "0"))


def depth(text: str) -> int:
    """Parse a number of levels."""
    if not (text.isascii() and text.isdigit()) or not 1 <= int(text) <= DEPTH_MAX:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from 1 to {DEPTH_MAX}")
    return int(text)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument(
        "file", metavar="FILE", help="BinaryFILE, pcap or pcapng of MoldUDP64; plain or gzip"
    )
    parser.add_argument(
        "--at",
        type=time_ns,
        metavar="TIME",
        help="HH:MM:SS[.fraction]; messages stamped then count",
    )
    parser.add_argument("--symbol", metavar="S", help="only this instrument")
    parser.add_argument(
        "--depth", type=depth, metavar="N", help=f"levels a side (text: {DEPTH_TEXT}, JSON: all)"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Print the books; 1 when the file was not whole or did not fit, the books still printed."""
    books = Books()
    fault: DataplaneError | None = None
    try:
        books.feed(args.file, args.at)
    except DataplaneError as error:
        if not books.counts():
            raise
        fault = error
    shown = chosen(books, args.file, args.symbol)
    lines = (
        json_lines(books, shown, args.depth) if args.json else text_lines(books, shown, args.depth)
    )
    for line in lines:
        print(line)
    sys.stdout.flush()
    complaints = complaints_of(books)
    if complaints:
        print(f"{args.file}: {'; '.join(complaints)}", file=sys.stderr)
    if fault is not None:
        raise DataplaneError(0, str(fault))
    return 1 if "book_full" in books.counts() else 0


def chosen(books: Books, path: str, symbol: str | None) -> list[int]:
    """Return the instruments to show."""
    if symbol is None:
        return books.instruments()
    index = books.find(symbol)
    if index is None:
        raise CommandError(
            f"{path}: symbol: {symbol!r} is not in this session; it has {len(books.instruments())}"
            " others, see them without --symbol"
        )
    return [index]


def complaints_of(books: Books) -> list[str]:
    """Return what was counted on the way that should not be there, in words."""
    return [
        f"{count} {words}" for key, (count, words) in books.counts().items() if key not in HARMLESS
    ]


def json_lines(books: Books, shown: list[int], levels: int | None) -> Iterator[str]:
    """Yield a line a book, then the digest over all of them."""
    for index in shown:
        line = books.json_line(index, DEPTH_MAX if levels is None else levels).decode()
        extra = {
            "stale": books.is_stale(index),
            "suspect": books.is_suspect(index),
            "trading_state": books.trading_state(index),
        }
        yield line[:-1] + "," + json.dumps(extra, separators=(",", ":"))[1:]
    yield json.dumps({"books_digest": books.digest()}, separators=(",", ":"))


def price(nanos: int) -> str:
    """Return a price with two decimals, or as many as it needs."""
    whole, rest = divmod(nanos, 1_000_000_000)
    return f"{whole:,}." + f"{rest:09d}".rstrip("0").ljust(2, "0")


def text_lines(books: Books, shown: list[int], levels: int | None) -> Iterator[str]:
    """Yield a ladder for each instrument: worst ask on top, worst bid at the bottom."""
    limit = DEPTH_TEXT if levels is None else levels
    for index in shown:
        marks = [STATES.get(books.trading_state(index), "state unknown")]
        marks += ["STALE"] if books.is_stale(index) else []
        marks += ["SUSPECT"] if books.is_suspect(index) else []
        yield f"{books.symbol(index)}  {', '.join(marks)}"
        for side, ladder in (
            ("ask", books.asks(index, limit)[::-1]),
            ("bid", books.bids(index, limit)),
        ):
            for nanos, qty, orders in ladder:
                yield f"  {side} {price(nanos):>18} {qty:>12,} {orders:>7,} orders"
            if not ladder:
                yield f"  {side} {'-':>18}"
