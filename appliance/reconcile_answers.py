"""Every message of a venue to one account, held against the answers in our journal, once each.

The venue's record has the number of each message in the account's stream. The journal has, with
each answer, the number of the message that it came with. So nothing is guessed: message and answer
either stand under the same number and say the same, or are a difference.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

from appliance.venue.messages import NANOS_PER_PRICE
from appliance.venue.record import Record
from dataplane.ouch import decode

# What a message of OUCH is called in the journal. All others change no order.
EVENTS = {
    "A": ("ACCEPTED",),
    "U": ("REPLACED",),
    "E": ("FILLED",),
    "B": ("BROKEN",),
    "C": ("CANCELED", "EXPIRED"),
    "D": ("CANCELED",),
    "J": ("REJECTED", "REPLACE_REJECTED"),
    "P": ("CANCEL_PENDING",),
    "I": ("CANCEL_REJECTED",),
    "T": ("RESTATED",),
    "R": ("RESTATED",),
    "M": ("RESTATED",),
}
ANSWERS = frozenset(name for names in EVENTS.values() for name in names)


class Answer(NamedTuple):
    """One answer of the venue, as one of the two sides has it."""

    sequence: int
    names: tuple[str, ...]  # one of ours; of the venue's message every one that it may become
    number: int
    symbol: str | None
    side: str | None
    match_number: int
    qty: int  # of fills, like the price: else 0
    price_nanos: int


def told_answers(records: Iterable[Record]) -> list[Answer]:
    """Return what the venue's record says it told the account of these records."""
    orders: dict[int, tuple[str, str]] = {}  # symbol and side by number
    found = []
    for record in records:
        fields = decode(record.data[3:], "outbound") if record.kind == "report" else None
        if fields is None or fields["type"] not in EVENTS:
            continue
        number = int(str(fields["user_ref_num"]))
        if "symbol" in fields:
            side = "BUY" if fields["side"] == "B" else "SELL"
            orders[number] = (str(fields["symbol"]).strip(), side)
        symbol, side_or_none = orders.get(number, (None, None))
        is_fill = fields["type"] == "E"
        found.append(
            Answer(
                sequence=record.sequence,
                names=EVENTS[str(fields["type"])],
                number=number,
                symbol=symbol,
                side=side_or_none,
                match_number=int(fields.get("match_number", 0)),
                qty=int(fields["quantity"]) if is_fill else 0,
                price_nanos=int(fields["price"]) * NANOS_PER_PRICE if is_fill else 0,
            )
        )
    return found


def applied_answers(events: Iterable[dict[str, Any]]) -> list[Answer]:
    """Return the answers that our journal applied; what we concluded ourselves is none."""
    found = []
    for event in events:
        sequence, name = event["inbound_sequence"], event["event"]
        is_ours = name == "REPLACE_REJECTED" and event["reason"] is None
        if sequence is None or name not in ANSWERS or is_ours:
            continue
        is_fill = name == "FILLED"
        found.append(
            Answer(
                sequence=sequence,
                names=(name,),
                number=event["user_ref_num"],
                symbol=event["symbol"],
                side=event["side"],
                match_number=event["exec_id"] or 0,
                qty=event["qty"] if is_fill else 0,
                price_nanos=event["price_nanos"] if is_fill else 0,
            )
        )
    return found


def answers_that_differ(told: list[Answer], applied: list[Answer]) -> Iterator[tuple[str, str]]:
    """Name (class, what) of every message or answer that has no equal under its number."""
    times = Counter(answer.sequence for answer in applied)
    ours = {answer.sequence: answer for answer in applied}
    seen = set()
    for message in told:
        seen.add(message.sequence)
        what = f"message {message.sequence}, {message.names[0]} of order {message.number}"
        if times[message.sequence] > 1:
            yield "doubled", f"{what}: was applied {times[message.sequence]} times"
        answer = ours.get(message.sequence)
        if answer is None:
            yield "lost", f"{what}: was never applied"
        elif not says_the_same(message, answer):
            yield "contradiction", f"{what}: the journal has {answer.names[0]} of {answer.number}"
    for answer in applied:
        if answer.sequence not in seen:
            what = f"message {answer.sequence}, {answer.names[0]} of order {answer.number}"
            yield "local only", f"{what}: was never sent"


def says_the_same(message: Answer, answer: Answer) -> bool:
    """Whether our answer is what became of that message.

    The venue never told the symbol of an order that it did not accept.
    """
    where = (answer.symbol, answer.side) if message.symbol is not None else (None, None)
    return (
        answer.names[0] in message.names
        and answer._replace(names=message.names, symbol=where[0], side=where[1]) == message
    )


def positions_of(answers: list[Answer]) -> dict[str, int]:
    """Return shares held by symbol: what the fills come to that were not broken, each once."""
    done = {(answer.number, answer.match_number) for answer in answers if "BROKEN" in answer.names}
    positions: Counter[str] = Counter()
    for answer in answers:
        key = (answer.number, answer.match_number)
        if "FILLED" in answer.names and key not in done:
            done.add(key)
            signed = answer.qty if answer.side == "BUY" else -answer.qty
            positions[answer.symbol or "?"] += signed
    return dict(sorted(positions.items()))


def positions_that_differ(
    ours: dict[str, int], theirs: dict[str, int]
) -> Iterator[tuple[str, str]]:
    """Name (class, what) of every symbol of which the sides hold different amounts."""
    for symbol in sorted(ours.keys() | theirs.keys()):
        here, there = ours.get(symbol, 0), theirs.get(symbol, 0)
        if here != there:
            yield "position", f"{symbol}: {here:+,} shares here, {there:+,} by the venue's record"
