"""Our orders as the venue had them, as DBN in the schema MBO: one order book whose orders are ours.

What only we know (requests, refusals of the gate, switches) has no place in it. docs/journal.md has
the mapping. Needs databento-dbn (`pip install 'tickplane[dbn]'`).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from appliance.errors import CommandError
from appliance.journal_print import Record
from appliance.optional import require
from dataplane.journal import Journal

DATASET = "TICKPLANE.OWN"
QTY_MAX = (1 << 32) - 1
ENTERED = {"ACCEPTED": "ADD", "REPLACED": "MODIFY"}
LEFT = ("FILLED", "CANCELED", "EXPIRED")
SECOND_NS = 1_000_000_000


@dataclass(frozen=True)
class Interval:
    """What DBN calls a mapping interval: dates [start, end) on which a symbol has a number."""

    start_date: date
    end_date: date
    symbol: str  # the number, as text


@dataclass(frozen=True)
class Mapping:
    """What DBN calls a symbol mapping."""

    raw_symbol: str
    intervals: list[Interval]


class Orders:
    """What an MBO message needs and an event does not repeat: the order's first number, its price.

    A replaced order has another number at the venue; here it stays one order, as in a book.
    """

    def __init__(self) -> None:
        self._first: dict[int, int] = {}
        self._price: dict[int, int] = {}

    def steps(self, record: Record) -> list[tuple[str, int, int, int]]:
        """Return what an event does to the book: action, order, price, size of each step.

        A fill changes no book by itself: the cancel behind it does.
        """
        number = int(record["user_ref_num"])
        before = int(record["orig_user_ref_num"] or number)
        first = self._first.setdefault(number, self._first.get(before, before))
        event, price = record["event"], record["price_nanos"]
        if event in ENTERED:
            self._price[first] = price
            return [(ENTERED[event], first, price, record["leaves_qty"])]
        gone = ("CANCEL", first, self._price.get(first, 0), record["qty"])
        return [("FILL", first, price, record["qty"]), gone] if event == "FILLED" else [gone]


def write(path: str, records: Iterable[Record], _journal: Journal) -> int:
    """Write the file; return how many messages it has."""
    dbn = require("databento_dbn", "dbn")
    orders, symbols, messages, times = Orders(), dict[int, str](), bytearray(), list[int]()
    count = 0
    for record in records:
        if record["event"] not in (*ENTERED, *LEFT) or record["order_state"] == "D":
            continue
        symbols[record["instrument_index"]] = record["symbol"] or ""
        times.append(record["time_ns"])
        steps = orders.steps(record)
        for at, step in enumerate(steps, 1):
            flags = dbn.F_LAST if at == len(steps) else 0
            messages += bytes(message(dbn, record, step, flags))
        count += len(steps)
    with open(path, "wb") as file:
        file.write(bytes(metadata(dbn, symbols, times)))
        file.write(messages)
    return count


def message(dbn: Any, record: Record, step: tuple[str, int, int, int], flags: int) -> Any:
    """Return the MBO message of a step."""
    action, first, price_nanos, size = step
    if size > QTY_MAX:
        raise CommandError(f"export: record {record['seq']}: {size} is more than DBN can hold")
    return dbn.MBOMsg(
        publisher_id=0,
        instrument_id=record["instrument_index"],
        ts_event=record["time_ns"],
        ts_recv=record["time_ns"],
        order_id=first,
        price=price_nanos,
        size=size,
        action=getattr(dbn.Action, action),
        side=dbn.Side.BID if record["side"] == "BUY" else dbn.Side.ASK,
        flags=flags,
        sequence=record["seq"] & QTY_MAX,
    )


def metadata(dbn: Any, symbols: dict[int, str], times: list[int]) -> Any:
    """Return the file's head, with the numbers of the instruments."""
    start, end = min(times, default=0), max(times, default=0) + 1
    first = datetime.fromtimestamp(start // SECOND_NS, UTC).date()
    last = datetime.fromtimestamp(end // SECOND_NS, UTC).date() + timedelta(days=1)
    return dbn.Metadata(
        dataset=DATASET,
        start=start,
        end=end,
        stype_in=dbn.SType.RAW_SYMBOL,
        stype_out=dbn.SType.INSTRUMENT_ID,
        schema=dbn.Schema.MBO,
        symbols=sorted(symbols.values()),
        mappings=[
            Mapping(symbol, [Interval(first, last, str(index))])
            for index, symbol in sorted(symbols.items())
        ],
        ts_out=False,
    )
