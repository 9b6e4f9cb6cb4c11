"""``tickplane generate``: a recorded session to play with, the same bytes for the same arguments.

A BinaryFILE, or a pcap of MoldUDP64 packets on two lines whose losses are drawn from the seed. The
file appears under its name only when it is whole: it is written beside it and then renamed.
"""

from __future__ import annotations

import argparse
import errno
import os
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from appliance.errors import CommandError
from dataplane.errors import DataplaneError
from dataplane.generate import SYMBOLS_MAX, Lines, Session

MESSAGES_DEFAULT = 1_000_000
PPM = 1_000_000
PROGRESS_SECONDS = 0.2
LINE_OPTIONS = {
    "loss_a": "packets of a million lost on line A",
    "loss_b": "packets of a million lost on line B",
    "reorder": "packets of a million that later ones overtake",
    "duplicate": "packets of a million that come twice on a line",
    "lose_both": "packets that come on neither line, exactly so many; they are listed",
}

Progress = Callable[[int], None]


def whole(first: int, last: int) -> Callable[[str], int]:
    """Return a parser of whole numbers from first to last."""

    def parse(text: str) -> int:
        digits = text.replace("_", "")
        if not (digits.isascii() and digits.isdigit()) or not first <= int(digits) <= last:
            raise argparse.ArgumentTypeError(
                f"'{text}' is not a whole number from {first} to {last}"
            )
        return int(digits)

    return parse


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument("out", metavar="OUT", help="the file to write; replaced when it exists")
    parser.add_argument(
        "--seed",
        type=whole(0, 2**64 - 1),
        default=1,
        metavar="N",
        help="another number, another session (default: 1)",
    )
    parser.add_argument(
        "--messages",
        type=whole(1, 4_000_000_000),
        default=MESSAGES_DEFAULT,
        metavar="N",
        help=f"how many messages, exactly (default: {MESSAGES_DEFAULT})",
    )
    parser.add_argument(
        "--symbols",
        type=whole(1, SYMBOLS_MAX),
        metavar="N",
        help=f"how many symbols (default: one for 2,500 messages, at most {SYMBOLS_MAX})",
    )
    parser.add_argument(
        "--format",
        choices=("itch", "pcap"),
        default="itch",
        help="itch: BinaryFILE; pcap: MoldUDP64 on lines A and B (default: itch)",
    )
    lines = parser.add_argument_group("the two lines of a pcap (default: nothing is lost)")
    for name, words in LINE_OPTIONS.items():
        lines.add_argument(
            "--" + name.replace("_", "-"),
            default=0,
            help=words,
            type=whole(0, 2**32 - 1 if name == "lose_both" else PPM),
            metavar="N" if name == "lose_both" else "PPM",
        )


def run(args: argparse.Namespace) -> int:
    """Write the file; say on stderr what was written, and on stdout which packets are missing."""
    lines = {name: getattr(args, name) for name in LINE_OPTIONS}
    if args.format == "itch" and any(lines.values()):
        name = next(name for name, value in lines.items() if value).replace("_", "-")
        raise CommandError(f"generate: --{name}: a BinaryFILE has no lines; add --format pcap")
    started = time.monotonic()
    progress = progress_of(args.messages)
    if args.format == "itch":
        write_itch(args.out, args.messages, args.symbols, args.seed, progress=progress)
    else:
        for first, last in write_pcap(
            args.out, args.messages, args.symbols, args.seed, progress=progress, **lines
        ):
            print(f"lost on both lines: sequence numbers {first} to {last}")
    size = os.stat(args.out).st_size
    print(
        f"{args.out}: {args.messages} messages, {size} bytes,"
        f" {time.monotonic() - started:.1f} seconds",
        file=sys.stderr,
    )
    return 0


def nothing(_written: int) -> None:
    """Show no progress."""


def progress_of(messages: int) -> Progress:
    """Return a function that shows progress where a person is watching."""
    if not sys.stderr.isatty():
        return nothing
    shown = 0.0

    def show(written: int) -> None:
        nonlocal shown
        now = time.monotonic()
        if written == messages:
            print("\r\x1b[K", end="", file=sys.stderr, flush=True)
        elif now - shown > PROGRESS_SECONDS:
            shown = now
            text = f"\rgenerate: {written * 100 // messages} % of {messages} messages"
            print(text, end="", file=sys.stderr, flush=True)

    return show


def write_itch(
    out: str,
    messages: int,
    symbols: int | None = None,
    seed: int = 1,
    *,
    progress: Progress = nothing,
) -> None:
    """Write a session as a BinaryFILE."""
    session = Session(messages, symbols, seed)
    with replacing(out) as path, open(path, "wb", buffering=0) as file:
        while part := session.read():
            rest = memoryview(part)
            while rest:
                rest = rest[file.write(rest) :]
            progress(session.messages)


def write_pcap(
    out: str,
    messages: int,
    symbols: int | None = None,
    seed: int = 1,
    *,
    progress: Progress = nothing,
    **lines: int,
) -> list[tuple[int, int]]:
    """Write a session as a pcap of two lines; return the sequence numbers that neither has."""
    with replacing(out) as path:
        session = Lines(path, messages, symbols, seed, **lines)
        while session.step():
            progress(session.messages)
        session.close()
        progress(messages)
        return session.gaps


@contextmanager
def replacing(out: str) -> Iterator[str]:
    """Give the name of a file beside ``out`` that takes its place when the block succeeds.

    A device or a pipe is written itself. When the block fails nothing is left behind, and an
    ``OSError`` becomes a ``DataplaneError`` that names ``out``.
    """
    if os.path.isdir(out):
        raise CommandError(f"{out}: it is a directory; name a file in it")
    target = part = out
    if os.path.isfile(out) or not os.path.exists(out):
        target = os.path.realpath(out)
        part = f"{target}.{os.getpid()}.part"
    try:
        yield part
        if part != target:
            os.replace(part, target)
    except OSError as error:
        code = error.errno or errno.EIO
        remedy = "make the folder first" if code == errno.ENOENT else "free some space"
        raise DataplaneError(
            code,
            f"{out}: writing failed: {os.strerror(code)}; {remedy} or name another file",
        ) from None
    except DataplaneError as error:
        raise DataplaneError(error.code, str(error).replace(part, out)) from None
    finally:
        if part != target and os.path.exists(part):
            os.unlink(part)
