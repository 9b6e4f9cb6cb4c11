"""Records as a Parquet table: a row a record of any kind, a column a field; null says nothing.

COLUMNS is the schema that docs/journal.md documents. Needs pyarrow (`pip install
'tickplane[parquet]'`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from decimal import Decimal
from itertools import islice
from typing import Any

from appliance.journal_print import Record
from appliance.optional import require
from dataplane.journal import Journal

SCHEMA_VERSION = 1
ROWS = 65_536  # of a row group
NANO = Decimal(1).scaleb(-9)
# Column: type. `word` is text of few values.
COLUMNS = {
    "seq": "uint64", "time_ns": "time", "clock": "word", "event": "word", "cl_ord_id": "text",
    "user_ref_num": "uint32", "orig_user_ref_num": "uint32", "venue_order_id": "uint64",
    "strategy_index": "uint16", "instrument_index": "uint32", "symbol": "word", "side": "word",
    "time_in_force": "word", "qty": "uint64", "price": "price", "price_nanos": "int64",
    "exec_id": "uint64", "liquidity": "word", "ord_status": "word", "order_state": "word",
    "leaves_qty": "uint64", "cum_qty": "uint64", "reason": "word", "observed": "int64",
    "limit": "int64", "policy_version": "uint64", "session": "uint8", "inbound_sequence": "uint64",
    "scope": "word", "limit_name": "word", "before": "text", "after": "text", "source": "word",
    "author": "text", "cause": "text", "record_count": "uint64", "request_key": "uint64",
    "session_name": "word", "next_user_ref_num": "uint32",
}  # fmt: skip


def schema_of(pa: Any, journal: Journal) -> Any:
    """Return the table's schema."""
    types = {
        "time": pa.timestamp("ns", "UTC"),
        "price": pa.decimal128(19, 9),
        "text": pa.string(),
        "word": pa.dictionary(pa.int32(), pa.string()),
    }
    fields = [(name, types[kind] if kind in types else getattr(pa, kind)())
              for name, kind in COLUMNS.items()]  # fmt: skip
    facts = {
        "tickplane.export": str(SCHEMA_VERSION),
        "tickplane.directory": journal.directory,
    }
    return pa.schema(fields, metadata=facts)


def row_of(record: Record) -> Record:
    """Return a record in the columns' words."""
    row = {name: record.get(name) for name in COLUMNS}
    price = record.get("price_nanos")
    row["price"] = Decimal(price).scaleb(-9).quantize(NANO) if price else None
    if isinstance(row["limit"], str):  # of a changed limit: which
        row["limit"], row["limit_name"] = None, row["limit"]
    for name in ("before", "after"):
        row[name] = None if row[name] is None else str(row[name])
    return row


def groups(records: Iterable[Record]) -> Iterator[list[Record]]:
    """Yield the rows in row groups."""
    rows = (row_of(record) for record in records)
    while group := list(islice(rows, ROWS)):
        yield group


def write(path: str, records: Iterable[Record], journal: Journal) -> int:
    """Write the file; return how many rows it has."""
    pa, parquet = require("pyarrow", "parquet"), require("pyarrow.parquet", "parquet")
    schema, count = schema_of(pa, journal), 0
    with parquet.ParquetWriter(path, schema, compression="zstd") as writer:
        for group in groups(records):
            writer.write_table(pa.Table.from_pylist(group, schema))
            count += len(group)
    return count
