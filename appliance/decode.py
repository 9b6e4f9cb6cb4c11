"""``tickplane decode``: every message of a recorded session as one line, the rest counted.

A pcap is shown as recorded: every packet of every line, without arbitration. The lines of a
BinaryFILE and of the packets that carry the same messages are the same. What gave no line is
counted on stderr by its kind.
"""

from __future__ import annotations

import argparse
import sys
from typing import Any

from dataplane.capture import CaptureText


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument(
        "file", metavar="FILE", help="BinaryFILE, pcap or pcapng of MoldUDP64; plain or gzip"
    )
    parser.add_argument("--json", action="store_true", help="one JSON object a line")


def run(args: argparse.Namespace) -> int:
    """Print the messages to stdout and the summary to stderr; raise when the file was cut."""
    text = CaptureText(args.file, json=args.json)
    while lines := text.render():
        sys.stdout.buffer.write(lines)
    sys.stdout.buffer.flush()
    print(render_summary(args.file, text.format, text.counts()), file=sys.stderr)
    text.check()
    return 0


def render_summary(path: str, kind: str, counts: dict[str, Any]) -> str:
    """Return the counts in words, a line a subject."""
    types = counts["messages"]
    skipped = "bytes behind the end of the session" if "frames" not in counts else "blocks"
    lines = [
        f"{path}: {kind}: {sum(types.values())} messages, {counts['longer']} longer than"
        f" specified; not shown: {counts['unknown']} of unknown type,"
        f" {counts['incomplete']} too short; skipped: {counts['skipped']} {skipped}"
    ]
    if types:
        lines.append("messages by type: " + ", ".join(f"{key} {types[key]}" for key in types))
    if "frames" in counts:
        reasons = ", ".join(f"{why} {count}" for why, count in counts["dropped"].items())
        lines.append(
            f"frames: {counts['frames']}, of these {counts['heartbeats']} heartbeats,"
            f" {counts['ends']} ends of session; dropped: {reasons}"
        )
    return "\n".join(lines)
