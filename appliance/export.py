"""``tickplane journal export``: records for other people's tools, as Parquet or DBN.

Filters are those of ``dump``. The file appears under its name when it is whole; after a fault in
the journal it holds what stood before, and the exit status is 1.
"""

from __future__ import annotations

import argparse
import os
from collections.abc import Iterator

from appliance import export_dbn, export_parquet
from appliance.errors import CommandError
from appliance.journal_print import Filter, Record, add_filters, complain
from dataplane.journal import Journal

WORDS = {"parquet": "rows", "dbn": "messages"}
FORMATS = {"parquet": export_parquet.write, "dbn": export_dbn.write}


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes beside the directory."""
    parser.add_argument("--format", required=True, choices=tuple(FORMATS), help="of the file")
    parser.add_argument("-o", "--output", required=True, metavar="F", help="the file to write")
    add_filters(parser)


def run(args: argparse.Namespace) -> int:
    """Write the file; 1 when the journal has a fault."""
    journal, wanted = Journal(args.directory), Filter(args)
    part = args.output + ".part"
    try:
        count = FORMATS[args.format](part, chosen(journal, wanted), journal)
        os.replace(part, args.output)
    except OSError as error:
        raise CommandError(f"export: {args.output}: {error.strerror}") from None
    finally:
        if os.path.exists(part):
            os.unlink(part)
    print(f"{count} {WORDS[args.format]}: {args.output}")
    return complain(journal, wanted)


def chosen(journal: Journal, wanted: Filter) -> Iterator[Record]:
    """Yield the records that were asked for."""
    return (record for record in journal.records(wanted.may_be_in) if wanted(record))
