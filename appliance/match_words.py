"""The words of ``tickplane match``: codes of the engine by name, requests checked, reports told.

One table a kind of code, and one list of what each request may say. A request comes in as a mapping
from words to values; what is wrong with it is one line.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from dataplane.match import NONE, REASONS, Report

NANOS = 1_000_000_000
INT_MAX = 2**63 - 1

SIDES = {"buy": 1, "sell": 2}
TYPES = {
    "market": 1, "limit": 2, "stop": 3, "stop_limit": 4, "market_to_limit": 5,
    "market_if_touched": 6, "limit_if_touched": 7, "peg": 8,
}  # fmt: skip
TIMES_IN_FORCE = {
    "day": 0, "gtc": 1, "at_open": 2, "ioc": 3, "fok": 4, "gtd": 6, "at_close": 7,
}  # fmt: skip
STP_MODES = {
    "cancel_newest": 0, "cancel_oldest": 1, "cancel_both": 2, "decrement_and_cancel": 3,
}  # fmt: skip
PEGS = {"primary": 1, "market": 2, "midpoint": 3}
GROUPS = {"oco": 1, "parent": 2, "child": 3}
POLICIES = {
    "fifo": 0, "pro_rata": 1, "threshold_pro_rata": 2, "fifo_lmm": 3, "fifo_top_lmm": 4,
    "time_pro_rata": 5,
}  # fmt: skip
SESSIONS = {
    "closed": 0, "pre_open": 1, "continuous": 2, "pre_close": 3, "halted": 4, "paused": 5,
}  # fmt: skip
FLAGS = {"hidden": 1, "post_only": 2, "all_or_none": 4}
REPORTS = (
    "", "accepted", "rejected", "traded", "rested", "cancelled", "replaced", "restated",
    "triggered", "session", "auction",
)  # fmt: skip


class RequestError(ValueError):
    """What is wrong with one request, in words."""


@dataclass(frozen=True)
class Field:
    """What a key of a request holds, and what the engine calls it."""

    name: str
    read: Callable[[str, Any], Any]


def whole(least: int = 0, most: int = INT_MAX) -> Callable[[str, Any], int]:
    """Read a whole number."""

    def read(key: str, value: Any) -> int:
        if type(value) is not int or not least <= value <= most:
            raise RequestError(f"{key}: {value!r} is not a whole number from {least} to {most}")
        return value

    return read


def price(key: str, value: Any) -> int:
    """Read a price as text or whole number: exactly, without a binary fraction in between."""
    if type(value) is int:
        value = str(value)
    whole_part, _, fraction = value.partition(".") if isinstance(value, str) else ("", "", "")
    digits = whole_part + fraction
    is_number = digits.isascii() and digits.isdigit() and whole_part and len(fraction) <= 9
    nanos = int(whole_part + fraction.ljust(9, "0")) if is_number else INT_MAX + 1
    if nanos >= INT_MAX:
        raise RequestError(
            f'{key}: {value!r} is not a price; write it as text, "10.25", with up to nine decimals'
        )
    return nanos


def word(words: dict[str, int]) -> Callable[[str, Any], int]:
    """Read one of some words."""

    def read(key: str, value: Any) -> int:
        if not isinstance(value, str) or value not in words:
            raise RequestError(f"{key}: {value!r} is not one of {', '.join(words)}")
        return words[value]

    return read


def text(key: str, value: Any) -> str:
    """Read a name."""
    if not isinstance(value, str) or not 0 < len(value) <= 64:
        raise RequestError(f"{key}: {value!r} is not a name of 1 to 64 characters")
    return value


def truth(key: str, value: Any) -> bool:
    """Read true or false."""
    if type(value) is not bool:
        raise RequestError(f"{key}: {value!r} is not true or false")
    return value


NAMES = {
    "id": Field("id", text), "participant": Field("participant", text),
    "instrument": Field("instrument", text), "time_ns": Field("now_ns", whole()),
}  # fmt: skip
ORDER = {
    **NAMES,
    "side": Field("side", word(SIDES)),
    "qty": Field("qty", whole(0, 2**64 - 1)),
    "price": Field("price", price),
    "type": Field("type", word(TYPES)),
    "time_in_force": Field("time_in_force", word(TIMES_IN_FORCE)),
    "stp_group": Field("stp_group", whole(0, 2**32 - 1)),
    "stp_mode": Field("stp_mode", word(STP_MODES)),
    **{name: Field(name, truth) for name in FLAGS},
    "stop_price": Field("stop_price", price),
    "trail": Field("trail", price),
    "display_qty": Field("display_qty", whole()),
    "refresh_range_qty": Field("refresh_range_qty", whole()),
    "min_qty": Field("min_qty", whole()),
    "peg": Field("peg", word(PEGS)),
    "peg_offset": Field("peg_offset", price),
    "discretion": Field("discretion", price),
    "expire_ns": Field("expire_ns", whole()),
    "group": Field("group", word(GROUPS)),
    "group_id": Field("group_id", text),
}
INSTRUMENT = {
    "instrument": NAMES["instrument"],
    "tick": Field("tick", price),
    "price_max": Field("price_max", price),
    "reference_price": Field("reference_price", price),
    "lot": Field("lot", whole(0, 2**32 - 1)),
    "policy": Field("policy", word(POLICIES)),
    "session": Field("session", word(SESSIONS)),
    "allocation_min": Field("allocation_min", whole()),
    "top_max": Field("top_max", whole()),
    "band_ppm": Field("band_ppm", whole(0, 2**32 - 1)),
    "pause_ns": Field("pause_ns", whole()),
    "dark": Field("dark", truth),
    "quoted": Field("quoted", truth),
}
# do -> (what it may say, what it must say)
REQUESTS: dict[str, tuple[dict[str, Field], tuple[str, ...]]] = {
    "instrument": (INSTRUMENT, ("instrument",)),
    "new": (ORDER, ("id", "participant", "side", "qty")),
    "replace": (
        {
            "id": NAMES["id"], "new_id": Field("new_id", text), "time_ns": NAMES["time_ns"],
            "qty": ORDER["qty"], "price": ORDER["price"], "stop_price": ORDER["stop_price"],
        },
        ("id", "qty"),
    ),
    "cancel": (
        {
            "id": NAMES["id"], "time_ns": NAMES["time_ns"],
            "leaves_qty": Field("leaves_qty", whole()),
        },
        ("id",),
    ),
    "mass_cancel": (
        {
            "participant": NAMES["participant"], "instrument": NAMES["instrument"],
            "side": ORDER["side"], "time_ns": NAMES["time_ns"],
        },
        (),
    ),
    "session": (
        {
            "instrument": NAMES["instrument"], "session": INSTRUMENT["session"],
            "time_ns": NAMES["time_ns"],
        },
        ("session",),
    ),
    "quote": (
        {
            "instrument": NAMES["instrument"],
            "bid": Field("bid", price), "ask": Field("ask", price),
            "time_ns": NAMES["time_ns"],
        },
        (),
    ),
    "time": ({"time_ns": NAMES["time_ns"]}, ("time_ns",)),
}  # fmt: skip


def read_request(request: Any) -> tuple[str, dict[str, Any]]:
    """Return what a request asks for and its checked values, or raise RequestError."""
    if not isinstance(request, dict):
        raise RequestError('a request is an object: {"do": "new", ...}')
    do = request.get("do")
    if not isinstance(do, str) or do not in REQUESTS:
        raise RequestError(f"do: {do!r} is not one of {', '.join(REQUESTS)}")
    fields, needed = REQUESTS[do]
    for key in request:
        if key != "do" and key not in fields:
            raise RequestError(f"{key}: not known here; {do} takes {', '.join(fields)}")
    for key in needed:
        if key not in request:
            raise RequestError(f"{key}: missing; {do} needs {', '.join(needed)}")
    return do, {
        fields[key].name: fields[key].read(key, value)
        for key, value in request.items()
        if key != "do"
    }  # fmt: skip


# ---- reports ----


def price_text(nanos: int) -> str:
    """Return a price with as many decimals as it has, at least two."""
    fraction = f"{nanos % NANOS:09d}".rstrip("0").ljust(2, "0")
    return f"{nanos // NANOS}.{fraction}"


def money_text(nanos: int) -> str:
    """Return an amount, which may be negative."""
    return ("-" if nanos < 0 else "") + price_text(abs(nanos))


def name_of(words: dict[str, int], code: int) -> str | None:
    """Return the word of a code; None for 0 where 0 is none."""
    return next((name for name, value in words.items() if value == code), None)


def tell(report: Report, ids: dict[int, str], instruments: list[str]) -> dict[str, Any]:
    """Return a report as the mapping that is printed: what is nothing is left out."""
    kind = REPORTS[report.type]
    told: dict[str, Any] = {"report": kind}
    if report.instrument != NONE and report.instrument < len(instruments):
        told["instrument"] = instruments[report.instrument]
    if report.order_id:
        told["id"] = ids.get(report.order_id, str(report.order_id))
    if report.contra_order_id:
        told["old_id" if kind == "replaced" else "contra_id"] = ids.get(
            report.contra_order_id, str(report.contra_order_id)
        )
    if kind == "session":
        return told | {"session": name_of(SESSIONS, report.qty)}
    told |= {"side": name_of(SIDES, report.side), "qty": report.qty}
    if report.price is not None:
        told["price"] = price_text(report.price)
    told["leaves_qty"] = report.leaves_qty
    if kind == "traded":
        told |= {
            "contra_leaves_qty": report.contra_leaves_qty,
            "match": report.match_number,
        }
        if report.fee or report.contra_fee:
            told |= {
                "fee": money_text(report.fee),
                "contra_fee": money_text(report.contra_fee),
            }
    if report.flags & 1:
        told["display_qty"] = report.display_qty
    if report.reason:
        told |= {
            "reason": REASONS[report.reason][0],
            "words": REASONS[report.reason][1],
        }
    return {key: value for key, value in told.items() if value is not None}
