"""Rows ``itch.*``: decoding a session, and keeping all its books, beside a loop of byte swaps."""

from __future__ import annotations

import os

from appliance.bench.rows import Bench, Figures, Row, row, say
from appliance.errors import CommandError
from dataplane.bench_itch import ItchBench
from dataplane.errors import DataplaneError
from dataplane.generate import session_bytes

SYMBOLS_DEFAULT = 8_000


def session(bench: Bench) -> bytes | bytearray:
    """Return the bytes of a BinaryFILE: the file given, or a generated session."""
    args = bench.args
    if args.file is None:
        say(f"generating {args.messages:,} messages")
        return session_bytes(args.messages, SYMBOLS_DEFAULT, args.seed)
    return read_file(args.file)


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


def rounds(bench: Bench) -> dict[str, Figures]:
    """Return floor, parse and books over interleaved rounds."""
    loops = ItchBench(bench.shared(session))
    return bench.rounds({"floor": loops.floor, "parse": loops.parse, "books": loops.books})


def parse(bench: Bench) -> Row:
    """Decode every message of the session; beside it, byte-swap every order field."""
    runs = bench.shared(rounds)
    return row("itch.parse", "ns/message", runs["parse"], "itch.floor", runs["floor"])


def books(bench: Bench) -> Row:
    """Decode, and keep the books of all instruments order by order, published to readers."""
    runs = bench.shared(rounds)
    return row("itch.books", "ns/message", runs["books"], "itch.floor", runs["floor"])


ROWS = {"itch.parse": parse, "itch.books": books}
