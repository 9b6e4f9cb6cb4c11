"""``tickplane journal``: print what a run recorded, or prove that all of it is there.

``verify`` exits with 0 when the journal is whole: closed, or open because its writer is still at
work or was killed (what an append had not finished was never acted on). It exits with 1 when a
record is torn, changed or missing.
"""

from __future__ import annotations

import argparse
import json
import sys
from typing import Any

from dataplane.journal import Journal

VERDICTS = {
    "closed": "closed: every record is there",
    "open": "open: every record is there, the last segment is not closed",
    "torn": "torn: the tail was cut",
    "corrupt": "corrupt: something written was changed",
    "missing": "missing: a segment is not there",
}
# Of use to a machine; a line for people leaves them out.
DETAILS = (
    "user_ref_num",
    "observed",
    "limit",
    "price_nanos",
    "instrument_index",
    "clock",
    "session",
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument(
        "action",
        choices=("dump", "verify"),
        help="dump: one line a record, in order; verify: check every record and every file",
    )
    parser.add_argument("directory", metavar="DIR", help="the directory of the journal")
    parser.add_argument("--json", action="store_true", help="JSON, all fields")


def run(args: argparse.Namespace) -> int:
    """Print records or the verdict; 1 when the journal is not whole."""
    journal = Journal(args.directory)
    if args.action == "dump":
        return dump(journal, as_json=args.json)
    summary = journal.verify()
    print(json.dumps(summary) if args.json else render_summary(summary))
    return 0 if summary["valid"] else 1


def dump(journal: Journal, *, as_json: bool) -> int:
    """Print each record up to the first fault; the fault goes to stderr."""
    render = json.dumps if as_json else render_record
    for record in journal:
        sys.stdout.write(render(record) + "\n")
    summary = journal.summary()
    if not summary["valid"]:
        print(f"tickplane: {render_summary(summary)}", file=sys.stderr)
    return 0 if summary["valid"] else 1


def render_record(record: dict[str, Any]) -> str:
    """Return one line: number, time, event, then every field that says something."""
    head = f"{record['seq']} {record['time_ns']} {record['event']}"
    skipped = {"seq", "time_ns", "event", *(DETAILS if "reason" in record else ())}
    fields = {key: value for key, value in record.items() if key not in skipped}
    if record.get("reason"):
        fields |= {key: record[key] for key in ("observed", "limit")}
    return head + "".join(f" {key}={value}" for key, value in fields.items() if value is not None)


def render_summary(summary: dict[str, Any]) -> str:
    """Return the verdict in words, a line a subject."""
    lines = [
        f"{summary['directory']}: {VERDICTS[summary['verdict']]}",
        f"{summary['records']} records in {summary['segments']} segments, last number"
        f" {summary['sequence_last']}, written by {summary['appliance']}",
    ]
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
    return "\n".join(lines)
