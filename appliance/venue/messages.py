"""OUCH and SoupBinTCP in words: what a person writes becomes bytes, what came becomes words.

``enter 1 B 100 TPLN 10.00 time_in_force=3`` is a request; ``order_executed 1 quantity=40`` is
what a report is compared with. Names of fields and messages are the specification's.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Callable
from decimal import Decimal, InvalidOperation
from typing import NamedTuple

from appliance.errors import CommandError
from dataplane import itch, ouch

PRICE_SCALE = 10_000
PRICE_FIELDS = ("price", "execution_price")
NANOS_PER_PRICE = 100_000  # prices of OUCH have four decimals

# option name -> (tag, struct format)
OPTIONS = {
    "firm": (2, "4s"),
    "min_qty": (3, "I"),
    "max_floor": (5, "I"),
    "price_type": (6, "c"),
    "peg_offset": (7, "i"),
    "discretion_price": (9, "Q"),
    "post_only": (12, "c"),
    "random_reserves": (13, "I"),
    "route": (14, "4s"),
    "expire_time": (15, "I"),
    "group_id": (24, "H"),
    "shares_located": (25, "c"),
    "side": (27, "c"),
    "user_ref_idx": (28, "B"),
    "aiq_strategy": (29, "c"),
    "aiq_group_id": (30, "2s"),
}
SIGNED_PRICE_OPTIONS = ("peg_offset", "discretion_price")
FIELDS = {
    "time_in_force": "0",
    "display": "Y",
    "capacity": "P",
    "intermarket_sweep": "N",
    "cross_type": "N",
    "cl_ord_id": "",
}


class Request(NamedTuple):
    """A request in words: its verb, what stands alone, what is named."""

    verb: str
    words: list[str]
    named: dict[str, str]

    def word(self, at: int, what: str) -> str:
        """Return a word by its place, or say which one is missing."""
        if at >= len(self.words):
            raise CommandError(f"{self.verb}: {what}: missing; write it as word {at + 1}")
        return self.words[at]

    def number(self, at: int, what: str) -> int:
        """Return a whole number by its place."""
        return whole(self.word(at, what), f"{self.verb}: {what}")


def split(text: str) -> Request:
    """Take a line apart: words, then ``name=value`` in any place."""
    parts = text.split()
    if not parts:
        raise CommandError("an empty line; write a verb")
    named = dict(part.split("=", 1) for part in parts[1:] if "=" in part)
    return Request(parts[0], [part for part in parts[1:] if "=" not in part], named)


def whole(text: str, what: str) -> int:
    """Return a whole number, decimal or 0x."""
    try:
        return int(text, 0)
    except ValueError:
        raise CommandError(f"{what}: {text!r} is not a whole number; give one like 100") from None


def price(text: str, what: str) -> int:
    """Return a price with four decimals as a whole number.

    >>> price("10.01", "price")
    100100
    """
    try:
        scaled = Decimal(text) * PRICE_SCALE
    except InvalidOperation:
        scaled = Decimal("NaN")
    if not scaled.is_finite() or scaled != int(scaled):
        raise CommandError(f"{what}: {text!r} is not a price; give one like 10.01")
    return int(scaled)


DURATION = re.compile(r"([0-9]+(?:\.[0-9]+)?)(ns|us|ms|s|m)")
UNITS_NS = {"ns": 1, "us": 1_000, "ms": 1_000_000, "s": 1_000_000_000, "m": 60_000_000_000}


def duration_ns(text: str, what: str) -> int:
    """Return nanoseconds.

    >>> duration_ns("1.5s", "wait")
    1500000000
    """
    found = DURATION.fullmatch(text.replace(" ", ""))
    if found is None:
        raise CommandError(f"{what}: {text!r} is not a time; give one like 50ms or 1.5s")
    return int(Decimal(found[1]) * UNITS_NS[found[2]])


# ---- SoupBinTCP ----


def packet(kind: str, payload: bytes = b"") -> bytes:
    """Return a SoupBinTCP packet."""
    return struct.pack(">HB", len(payload) + 1, ord(kind)) + payload


def login(user: str, password: str, session: str = "", sequence: int = 1) -> bytes:
    """Return a login request."""
    text = f"{user:<6.6}{password:<10.10}{session:<10.10}{sequence:>20}"
    return packet("L", text.encode("ascii"))


def take_packets(data: bytearray) -> list[tuple[str, bytes]]:
    """Cut whole packets off the beginning: (type, payload) each."""
    packets = []
    while len(data) >= 2 and len(data) >= 2 + (size := data[0] << 8 | data[1]):
        packets.append((chr(data[2]), bytes(data[3 : 2 + size])))
        del data[: 2 + size]
    return packets


# ---- requests ----


def options(named: dict[str, str], taken: tuple[str, ...] = ()) -> bytes:
    """Return the options among the named values as tag-length-values."""
    data = b""
    for name, text in named.items():
        if name in taken:
            continue
        if name not in OPTIONS:
            raise CommandError(f"{name}: no such field or option; known: {', '.join(OPTIONS)}")
        tag, form = OPTIONS[name]
        data += struct.pack(">BB", struct.calcsize(">" + form) + 1, tag)
        data += struct.pack(">" + form, option_value(name, form, text))
    return data


def option_value(name: str, form: str, text: str) -> int | bytes:
    """Return what struct.pack takes for an option."""
    if name in SIGNED_PRICE_OPTIONS:
        return price(text, name)
    if form.endswith(("s", "c")):
        size = struct.calcsize(form)
        return text.ljust(size).encode("ascii")[:size]
    return whole(text, name)


def enter(request: Request) -> bytes:
    """``enter NUMBER SIDE QTY SYMBOL PRICE``"""
    fields = FIELDS | {key: value for key, value in request.named.items() if key in FIELDS}
    tail = options(request.named, tuple(FIELDS))
    return (
        struct.pack(">cI", b"O", request.number(0, "number"))
        + request.word(1, "side").encode()[:1]
        + struct.pack(">I", request.number(2, "quantity"))
        + request.word(3, "symbol").ljust(8).encode()[:8]
        + struct.pack(">Q", price(request.word(4, "price"), "enter: price"))
        + "".join(fields[key] for key in list(FIELDS)[:5]).encode()
        + fields["cl_ord_id"].ljust(14).encode()[:14]
        + struct.pack(">H", len(tail))
        + tail
    )


def replace(request: Request) -> bytes:
    """``replace OLD NEW QTY PRICE``"""
    fields = FIELDS | {key: value for key, value in request.named.items() if key in FIELDS}
    tail = options(request.named, tuple(FIELDS))
    return (
        struct.pack(
            ">cIIIQ",
            b"U",
            request.number(0, "old number"),
            request.number(1, "new number"),
            request.number(2, "quantity"),
            price(request.word(3, "price"), "replace: price"),
        )
        + (fields["time_in_force"] + fields["display"] + fields["intermarket_sweep"]).encode()
        + fields["cl_ord_id"].ljust(14).encode()[:14]
        + struct.pack(">H", len(tail))
        + tail
    )


def optional(data: bytes, named: dict[str, str]) -> bytes:
    """Append the options to a message that may have some."""
    tail = options(named)
    return data + (struct.pack(">H", len(tail)) + tail if tail else b"")


def cancel(request: Request) -> bytes:
    """``cancel NUMBER [QTY]``"""
    qty = request.number(1, "quantity") if len(request.words) > 1 else 0
    return optional(struct.pack(">cII", b"X", request.number(0, "number"), qty), request.named)


def modify(request: Request) -> bytes:
    """``modify NUMBER SIDE QTY``"""
    side = request.word(1, "side").encode()[:1]
    data = struct.pack(">cI", b"M", request.number(0, "number")) + side
    return optional(data + struct.pack(">I", request.number(2, "quantity")), request.named)


def query(request: Request) -> bytes:
    """``query``"""
    return optional(b"Q", request.named)


def mass(kind: bytes, has_symbol: bool) -> Callable[[Request], bytes]:
    """``mass_cancel``, ``disable`` and ``enable NUMBER [firm=FIRM] [symbol=SYMBOL]``"""

    def build(request: Request) -> bytes:
        named = dict(request.named)
        firm = named.pop("firm", "")
        symbol = named.pop("symbol", "")
        tail = options(named)
        return (
            struct.pack(">cI", kind, request.number(0, "number"))
            + firm.ljust(4).encode()[:4]
            + (symbol.ljust(8).encode()[:8] if has_symbol else b"")
            + struct.pack(">H", len(tail))
            + tail
        )

    return build


BUILDERS: dict[str, Callable[[Request], bytes]] = {
    "enter": enter,
    "replace": replace,
    "cancel": cancel,
    "modify": modify,
    "query": query,
    "mass_cancel": mass(b"C", True),
    "disable": mass(b"D", False),
    "enable": mass(b"E", False),
}

# ---- what came ----

NAMES = {
    str(entry["type"]): str(entry["name"])
    for entry in ouch.message_types()
    if entry["direction"] == "outbound"
}
SOUP_NAMES = {"H": "heartbeat", "Z": "end_of_session", "+": "debug"}


class Seen(NamedTuple):
    """One packet that came, in words."""

    name: str
    fields: dict[str, str]

    def __str__(self) -> str:
        return " ".join([self.name, *(f"{key}={value}" for key, value in self.fields.items())])


def see(kind: str, payload: bytes) -> Seen:
    """Return a packet of a venue in words."""
    if kind == "A":
        session, sequence = payload[:10].decode().strip(), payload[10:].decode().strip()
        return Seen("login_accepted", {"session": session, "sequence": sequence})
    if kind == "J":
        return Seen("login_rejected", {"reason": payload.decode()})
    if kind == "S":
        return see_report(payload)
    return Seen(SOUP_NAMES.get(kind, "garbage"), {})


def see_report(payload: bytes) -> Seen:
    """Return an OUCH message in words; prices as a person writes them."""
    fields = ouch.decode(payload, "outbound")
    if fields is None:
        return Seen("malformed", {})
    name = NAMES[fields.pop("type")]
    for field in PRICE_FIELDS:
        if field in fields:
            fields[field] = str(Decimal(fields[field]) / PRICE_SCALE)
    if name == "rejected":
        fields["reason"] = ouch.reject_name(fields["reason"]).replace(" ", "_")
    for tag, value in fields.pop("options"):
        fields[f"tag_{tag}"] = str(int.from_bytes(value, "big"))
    return Seen(name, {key: str(value) for key, value in fields.items()})


def see_snapshot(kind: str, payload: bytes) -> Seen:
    """Return a packet of a snapshot in words: its messages are those of the feed."""
    if kind == "S" and payload[:1] == b"G":
        return Seen("end_of_snapshot", {"sequence": payload[1:].decode().strip()})
    return see_itch(payload) if kind == "S" else see(kind, payload)


def see_itch(payload: bytes) -> Seen:
    """Return an ITCH message in words."""
    text = itch.render(payload)
    if text is None:
        return Seen("malformed", {})
    _, name, *fields = text.split(" ")
    return Seen(name, dict(field.split("=", 1) for field in fields))


MOLD_HEADER = struct.Struct(">10sQH")
MOLD_END = 0xFFFF


def see_datagram(data: bytes) -> Seen:
    """Return a MoldUDP64 packet in words."""
    session, sequence, count = MOLD_HEADER.unpack_from(data)
    name = {0: "heartbeat", MOLD_END: "end_of_session"}.get(count, "data")
    fields = {"session": session.decode().strip(), "sequence": str(sequence)}
    return Seen(name, fields | ({"count": str(count)} if name == "data" else {}))


def blocks(data: bytes) -> list[bytes]:
    """Return the messages of a MoldUDP64 packet."""
    _, _, count = MOLD_HEADER.unpack_from(data)
    messages, at = [], MOLD_HEADER.size
    for _ in range(0 if count == MOLD_END else count):
        size = data[at] << 8 | data[at + 1]
        messages.append(data[at + 2 : at + 2 + size])
        at += 2 + size
    return messages


def differs(wanted: str, seen: Seen) -> str | None:
    """Return in which way a packet is not what was wanted; None when it is.

    The first word is the name, a number behind it the order's; what is not named may be anything.
    """
    request = split(wanted)
    named = dict(request.named)
    if request.words:
        named["user_ref_num"] = request.words[0]
    if request.verb != seen.name:
        return f"{seen.name} came"
    for field, value in named.items():
        found = seen.fields.get(field)
        if found is None or not is_same(value, found):
            return f"{field} is {found}"
    return None


def is_same(wanted: str, found: str) -> bool:
    """Say whether two values are the same, numbers by their worth."""
    try:
        return Decimal(wanted) == Decimal(found)
    except InvalidOperation:
        return wanted == found
