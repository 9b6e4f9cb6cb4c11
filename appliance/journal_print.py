"""``tickplane journal dump`` and ``tail``: records as lines, those that were asked for."""

from __future__ import annotations

import argparse
import json
import re
import sys
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from appliance.errors import CommandError
from appliance.moments import parse_time
from dataplane.journal import Journal
from dataplane.seal import Block
from dataplane.segment import record_words

Record = dict[str, Any]
# Of use to a machine; a line for people leaves them out.
DETAILS = (
    "user_ref_num", "observed", "limit", "policy_version", "price_nanos", "instrument_index",
    "clock", "session",
)  # fmt: skip
POLL_SECONDS = 0.05
UNKNOWN_KIND = re.compile(r"(KIND|ACTION)_\d+")  # of a newer writer
ASKED = {"order": "order", "symbol": "symbol", "kind": "kind", "first": "from", "last": "to",
         "since": "since", "until": "until"}  # fmt: skip
VERDICTS = {
    "closed": "closed: every record is there",
    "open": "open: every record is there, the last segment is not closed",
    "torn": "torn: the tail was cut",
    "corrupt": "corrupt: something written was changed",
    "missing": "missing: a segment is not there",
}


def add_filters(parser: argparse.ArgumentParser) -> None:
    """Add the options that choose records."""
    parser.add_argument(
        "--order", action="append", metavar="N", help="of that number or ClOrdID, its replaces too"
    )
    parser.add_argument("--symbol", action="append", metavar="S", help="of that instrument")
    parser.add_argument(
        "--kind", action="append", metavar="K", help="of that kind: NEW, FILLED, DENIED ..."
    )
    parser.add_argument(
        "--from", type=int, dest="first", metavar="N", help="not before record number N"
    )
    parser.add_argument("--to", type=int, dest="last", metavar="N", help="not after record N")
    parser.add_argument("--since", metavar="T", help="not before T: ns, or 10:31:07.123456789")
    parser.add_argument("--until", metavar="T", help="not after T")
    parser.add_argument(
        "--timezone", default="UTC", metavar="Z", help="of a time without one; default UTC"
    )


def add_tail(parser: argparse.ArgumentParser) -> None:
    """Add what ``tail`` alone takes."""
    parser.add_argument("-f", "--follow", action="store_true", help="go on until Ctrl-C")
    parser.add_argument("-n", type=int, default=10, metavar="N", help="records; default 10")


class Filter:
    """What was asked for; call it with each record in order."""

    def __init__(self, args: argparse.Namespace) -> None:
        self._args = args
        self._numbers = {order_number(text) for text in args.order or ()}
        self._symbols = set(args.symbol or ())
        self._kinds = {known_kind(text) for text in args.kind or ()}
        check_range("--from", args.first, "--to", args.last)
        self._count = 0  # of records that were asked for
        self._named: set[str] = set()  # instruments met
        self._since: int | None = None
        self._until: int | None = None
        self._dated = args.since is None and args.until is None

    def __call__(self, record: Record) -> bool:
        """Say whether the record was asked for; remember the numbers of an order's replaces."""
        if not self._dated:
            self._date(record["time_ns"])
        if record["event"] == "INSTRUMENT":
            self._named.add(record["symbol"])
        fits = (
            self._is_numbered(record["seq"], record["seq"])
            and (not self._kinds or record["event"] in self._kinds)
            and (not self._symbols or record.get("symbol") in self._symbols)
            and (self._since is None or record["time_ns"] >= self._since)
            and (self._until is None or record["time_ns"] <= self._until)
        ) & (not self._numbers or self._is_of_order(record))
        self._count += fits
        return fits

    def complaint(self) -> str | None:
        """Return what to say when nothing that was asked for was there; None: something was."""
        asked = {word: getattr(self._args, key) for key, word in ASKED.items()}
        given = {word: value for word, value in asked.items() if value is not None}
        if self._count or not given:
            return None
        words = [
            f"--{word} {each}"
            for word, value in given.items()
            for each in (value if isinstance(value, list) else [value])
        ]
        is_named = "symbol" in given and self._named
        named = f"; instruments: {', '.join(sorted(self._named))}" if is_named else ""
        return f"no record fits {' '.join(words)}{named}"

    def may_be_in(self, block: Block) -> bool:
        """Say whether a sealed block can hold a record that was asked for, by its index."""
        if not self._dated:
            return True
        first, low, high = block["sequence_first"], block["number_min"], block["number_max"]
        return (
            self._is_numbered(first, first + block["record_count"] - 1)
            and (self._since is None or block["time_ns_max"] >= self._since)
            and (self._until is None or block["time_ns_min"] <= self._until)
            and (not self._numbers or any(low <= number <= high for number in self._numbers))
        )

    def _is_numbered(self, first: int, last: int) -> bool:
        """Say whether some of the records with these numbers were asked for."""
        args = self._args
        return (args.first is None or last >= args.first) and (
            args.last is None or first <= args.last
        )

    def _date(self, near_ns: int) -> None:
        """A time of day is that of the first record's day."""
        args, self._dated = self._args, True
        if args.since is not None:
            self._since = parse_time("--since", args.since, args.timezone, near_ns)
        if args.until is not None:
            self._until = parse_time("--until", args.until, args.timezone, near_ns)
        check_range("--since", self._since, "--until", self._until)

    def _is_of_order(self, record: Record) -> bool:
        named = (record.get("user_ref_num"), record.get("orig_user_ref_num"))
        numbers = {number for number in named if number is not None}
        if numbers.isdisjoint(self._numbers):
            return False
        if record["event"] in ("REPLACE", "REPLACED", "CANCEL"):
            self._numbers |= numbers
        return True


def known_kind(text: str) -> str:
    """Return the word of a kind, however it was written; refuse what no record is."""
    word, words = text.upper(), record_words()
    if word not in words and not UNKNOWN_KIND.fullmatch(word):
        raise CommandError(f"--kind: {text!r} is none; write some of {', '.join(words)}")
    return word


def check_range(low: str, first: int | None, high: str, last: int | None) -> None:
    """Refuse a range that holds nothing."""
    if first is not None and last is not None and first > last:
        raise CommandError(f"{low}, {high}: from {first} to {last} there is nothing; swap them")


def order_number(text: str) -> int:
    """Return the number of an order, given as such or as its ClOrdID."""
    if text.isascii() and text.isdigit() and len(text) < 11:
        return int(text)
    try:
        if len(text) > 8:
            return int(text[-8:], 16)
    except ValueError:
        pass
    raise CommandError(f"--order: {text!r} is no order; write its number, or its ClOrdID")


def renderer(as_json: bool) -> Callable[[Record], str]:
    """Return what makes a line of a record."""
    return json.dumps if as_json else render_record


def render_record(record: Record) -> str:
    """Return one line: number, time, event, then every field that says something."""
    head = f"{record['seq']} {record['time_ns']} {record['event']}"
    skipped = {"seq", "time_ns", "event", *(DETAILS if "reason" in record else ())}
    fields = {key: value for key, value in record.items() if key not in skipped}
    if record.get("reason"):
        fields |= {key: record[key] for key in ("observed", "limit", "policy_version")}
    return head + "".join(f" {key}={value}" for key, value in fields.items() if value is not None)


def render_summary(summary: dict[str, Any]) -> str:
    """Return the verdict in words, a line a subject."""
    lines = [
        f"{summary['directory']}: {VERDICTS[summary['verdict']]}",
        f"{summary['records']} records in {summary['segments']} segments, last number"
        f" {summary['sequence_last']}, written by {summary['appliance']}",
    ]
    if summary["dropped"]:
        lines.append(
            f"its first {summary['dropped']} segments were dropped; their roots are there, what its"
            " orders went through is not"
        )
    if summary.get("sealed"):
        signed = f", {summary['signed']} signed by known keys" if "signed" in summary else ""
        lines.append(f"{summary['sealed']} segments sealed{signed}")
    if summary["unfinished"]:
        lines.append("the last append was never finished: nothing was sent on its strength")
    if summary["tainted"]:
        lines.append(f"tainted: {summary['tainted']}; the disk may lack what memory shows")
    if summary["fault"]:
        where = "" if summary["fault_offset"] is None else f" at byte {summary['fault_offset']}"
        lines.append(f"{summary['fault_file']}{where}: {summary['fault']}")
    if summary["sequence_behind"] is not None:
        lines.append(
            f"behind the fault there are whole records again, from number"
            f" {summary['sequence_behind']} on"
        )
    return "\n".join(lines + summary.get("problems", []))


def dump(args: argparse.Namespace) -> int:
    """Print each record up to the first fault; the fault goes to stderr."""
    journal, render, wanted = Journal(args.directory), renderer(args.json), Filter(args)
    for record in journal.records(wanted.may_be_in):
        if wanted(record):
            sys.stdout.write(render(record) + "\n")
    return complain(journal, wanted)


def complain(journal: Journal, wanted: Filter) -> int:
    """Say on stderr what ended the walk, or that it found nothing; return the exit status."""
    summary, complaint = journal.summary(), wanted.complaint()
    if not summary["valid"]:
        print(f"tickplane: {render_summary(summary)}", file=sys.stderr)
    elif complaint is not None:
        print(f"tickplane: {journal.directory}: {complaint}", file=sys.stderr)
    return 0 if summary["valid"] else 1


def tail(args: argparse.Namespace) -> int:
    """Print the last records; with --follow go on with those that are appended."""
    render, wanted = renderer(args.json), Filter(args)
    journal = Journal(args.directory)
    last: deque[Record] = deque(maxlen=max(args.n, 0))
    for record in journal.follow() if args.follow else journal:
        if record is None:  # that is all for now
            show(last, render)
            last = deque()
            time.sleep(POLL_SECONDS)
        elif wanted(record):
            last.append(record)
    show(last, render)
    return complain(journal, wanted)


def show(records: deque[Record], render: Callable[[Record], str]) -> None:
    """Print and forget."""
    while records:
        sys.stdout.write(render(records.popleft()) + "\n")
    sys.stdout.flush()
