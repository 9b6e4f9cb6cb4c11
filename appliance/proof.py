"""``tickplane journal proof``: one order's records out of a journal, checkable with a public key.

An extract holds the records that name the order or its replaces and those that name its
instrument; for each the path of hashes to its segment's root; and for each segment what its root
is made of and the signatures. Nothing else of the journal is in it. It proves that these records
stand in the signed journal at these places; not that there are no others.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from dataclasses import dataclass
from typing import Any

from appliance import sign
from appliance.audit_keys import ALGORITHMS, FORMAT, Statement, Verifier, decode, encode
from appliance.errors import CommandError
from appliance.journal_print import Filter, order_number, renderer
from dataplane import seal_tree
from dataplane.journal import SEALED, Journal
from dataplane.seal import HEADER_SIZE, RECORD_SIZE, Sealed
from dataplane.sealing import path_of
from dataplane.segment import decode_record

BLOCK_RECORDS = 8192
PREFIX = slice(144, 152)  # of a header: what every ClOrdID begins with


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument("directory", metavar="DIR", nargs="?", help="the directory of the journal")
    parser.add_argument("order", metavar="ORDER", nargs="?", help="its number or ClOrdID")
    parser.add_argument("-o", "--output", metavar="F", help="write the extract there")
    parser.add_argument("--check", metavar="F", help="check an extract instead; needs no journal")
    parser.add_argument("--keys", metavar="PUBLIC", help="public keys, to check with")


def run(args: argparse.Namespace) -> int:
    """Write an extract, or check one: 1 when it proves nothing."""
    if args.check is not None:
        if args.directory is not None or args.keys is None:
            raise CommandError("proof: --check: wants --keys PUBLIC and nothing else")
        return check(args.check, Verifier(args.keys), args.json)
    if args.order is None or args.output is None:
        raise CommandError("proof: name the journal, the order, and a file with -o")
    extract = extract_of(args.directory, order_number(args.order))
    with open(args.output, "w", encoding="utf-8") as file:
        json.dump(extract, file, indent=1)
        file.write("\n")
    count = sum(len(segment["records"]) for segment in extract["segments"])
    print(f"{count} records of {len(extract['segments'])} segments: {args.output}")
    return 0


# ---- writing ----


def extract_of(directory: str, number: int) -> dict[str, Any]:
    """Return the extract of an order; raise CommandError when it cannot be proven (yet)."""
    segments = [
        segment_part(directory, index, sequences)
        for index, sequences in sorted(places_of(directory, number).items())
    ]
    if not segments:
        raise CommandError(f"proof: {number}: no record of the journal names such an order")
    return {"format": FORMAT, "order": number, "segments": segments}


def places_of(directory: str, number: int) -> dict[int, list[int]]:
    """Return the numbers of the records to show, by segment."""
    nothing = dict.fromkeys(("symbol", "kind", "since", "until", "first", "last"))
    wanted = Filter(argparse.Namespace(order=[str(number)], **nothing))
    journal = Journal(directory)
    named: dict[int, tuple[int, int]] = {}  # instrument: segment and number of its record
    found: dict[int, set[int]] = {}
    symbols: dict[int, str] = {}
    for segment in journal.segments():
        index = segment.header["segment_index"]
        for record in segment.records(symbols, wanted.may_be_in):
            if record["event"] == "INSTRUMENT":
                named[record["instrument_index"]] = index, record["seq"]
            elif wanted(record):
                found.setdefault(index, set()).add(record["seq"])
                if record["instrument_index"] in named:
                    where, sequence = named[record["instrument_index"]]
                    found.setdefault(where, set()).add(sequence)
    if not journal.summary()["valid"]:
        raise CommandError(f"proof: {directory}: the journal is not whole; see journal verify")
    return {index: sorted(sequences) for index, sequences in found.items()}


def segment_part(directory: str, index: int, sequences: list[int]) -> dict[str, Any]:
    """Return what an extract says of one segment."""
    path, signature = path_of(directory, index, SEALED), path_of(directory, index, sign.SIGNED)
    if not (os.path.exists(path) and os.path.exists(signature)):
        raise CommandError(
            f"proof: record {sequences[0]}: its segment, number {index}, is not sealed and signed"
            " yet; see tickplane journal seal --keys"
        )
    sealed = Sealed(path)
    first = sealed.block(0)["sequence_first"]
    return {
        "segment_index": index,
        "record_count": sealed.trailer["record_count"],
        "header": encode(sealed.header_page),
        "previous": sealed.trailer["previous"].hex(),
        "signatures": sign.signatures_of(signature),
        "records": records_part(sealed, [sequence - first for sequence in sequences]),
    }


def records_part(sealed: Sealed, places: list[int]) -> list[dict[str, Any]]:
    """Return records with their paths; each block is read once."""
    blocks = [sealed.block(at)["tree"] for at in range(sealed.block_count)]
    parts = []
    for at in sorted({place // BLOCK_RECORDS for place in places}):
        data = sealed.records(at) or b""
        records = [data[start : start + RECORD_SIZE] for start in range(0, len(data), RECORD_SIZE)]
        leaves = [seal_tree.leaf(record) for record in records]
        for place in places:
            if place // BLOCK_RECORDS == at:
                beside = seal_tree.path(leaves, place % BLOCK_RECORDS)
                beside += seal_tree.path(blocks, at)
                parts.append(
                    {
                        "place": place,
                        "record": encode(records[place % BLOCK_RECORDS]),
                        "path": [found.hex() for found in beside],
                    }
                )
    return parts


# ---- checking ----


@dataclass(frozen=True)
class Shown:
    """A record that an extract shows and proves."""

    record: bytes
    prefix: str


def check(path: str, verifier: Verifier, as_json: bool) -> int:
    """Print the records of an extract and what proves them; 1 when it does not."""
    try:
        with open(path, encoding="utf-8") as file:
            extract = json.load(file)
        shown = [each for part in segments_in(extract) for each in proven(part, verifier)]
    except OSError as error:
        raise CommandError(f"proof: {path}: {error.strerror}; name an extract") from None
    except (ValueError, TypeError, KeyError, OverflowError, RecursionError) as error:
        print(f"tickplane: proof: {path}: {error}; it proves nothing", file=sys.stderr)
        return 1
    render, symbols = renderer(as_json), dict[int, str]()
    for each in shown:
        print(render(decode_record(each.record, each.prefix, symbols)))
    if not as_json:
        print(
            f"{len(shown)} records stand in the journal as signed with {' and '.join(ALGORITHMS)}"
        )
    return 0


def segments_in(extract: Any) -> list[dict[str, Any]]:
    """Return the extract's segments; raise ValueError when it is none."""
    if not isinstance(extract, dict) or extract.get("format") != FORMAT:
        raise ValueError("it is no extract of this format")
    segments = extract["segments"]
    if not isinstance(segments, list) or not segments:
        raise ValueError("it shows no record")
    return segments


def proven(part: dict[str, Any], verifier: Verifier) -> list[Shown]:
    """Return a segment's records; raise ValueError when one of them is not proven."""
    header, previous = decode(part["header"]), bytes.fromhex(part["previous"])
    count, index = int(part["record_count"]), int(part["segment_index"])
    if not 0 <= index < 1 << 32:
        raise ValueError(f"segment {index}: no segment has that number")
    if len(header) != HEADER_SIZE or len(previous) != len(seal_tree.leaf(b"")):
        raise ValueError(f"segment {index}: its header or hash has another size")
    prefix = header[PREFIX].split(b"\0")[0].decode("ascii", "replace")
    shown, root = [], None
    for each in part["records"]:
        record = decode(each["record"])
        tree = tree_of(record, int(each["place"]), count, each["path"])
        found = seal_tree.segment_root(header, count, tree)
        if root not in (None, found):
            raise ValueError(f"segment {index}: its records lead to different roots")
        root = found
        shown.append(Shown(record, prefix))
    if root is None:
        raise ValueError(f"segment {index}: it shows no record")
    statement = Statement(index, count, root, previous, seal_tree.chained(previous, root))
    problem = verifier.problem(statement, part["signatures"])
    if problem:
        raise ValueError(f"segment {index}: {problem}")
    return shown


def tree_of(record: bytes, place: int, count: int, path: list[str]) -> bytes:
    """Return the tree's hash that a record's path leads to."""
    if len(record) != RECORD_SIZE or not 0 <= place < count < 1 << 40:
        raise ValueError(f"the record at {place} of {count} has another size or place")
    found = seal_tree.top(
        seal_tree.leaf(record), place, count, [bytes.fromhex(each) for each in path]
    )
    if found is None:
        raise ValueError(f"the record at {place} has a path of another length")
    return found
