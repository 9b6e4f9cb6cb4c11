"""ITCH 5.0 against the layout facts in tests/specs, which share nothing with the C table."""

from __future__ import annotations

import json
import random
import struct
from pathlib import Path
from typing import Any

import pytest
import yaml

from dataplane import itch

SPEC: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[1] / "specs" / "itch50.yaml").read_text()
)["messages"]
TYPES = sorted(SPEC)
SEEDS = range(20)

# What the decoder's common fields are called in each type.
ORDER_REF = ("order_reference_number", "original_order_reference_number")
QTY = ("shares", "executed_shares", "canceled_shares")
PRICE4 = ("execution_price", "cross_price")
CODE = {
    "S": "event_code",
    "H": "trading_state",
    "h": "operational_halt_action",
    "C": "printable",
    "Q": "cross_type",
    "I": "cross_type",
    "Y": "reg_sho_action",
    "W": "breached_level",
}
SIDES = {"B": 1, "S": 2}


def random_message(letter: str, rng: random.Random) -> bytes:
    body = bytearray(rng.randbytes(SPEC[letter]["length"]))
    body[0] = ord(letter)
    for field in SPEC[letter]["fields"]:
        at, size = field["offset"], field["length"]
        if field["kind"] == "alpha":
            text = "".join(rng.choices("ABCXYZ.", k=rng.randrange(size + 1)))
            body[at : at + size] = text.ljust(size).encode()
        elif field["name"] == "side" and rng.random() < 0.9:
            body[at] = rng.choice(b"BS")
    return bytes(body)


def unpack(letter: str, body: bytes) -> dict[str, Any]:
    """Take a message apart by one struct format, built from the facts."""
    form = ">"
    for field in SPEC[letter]["fields"]:
        size = field["length"]
        number = {1: "B", 2: "H", 4: "I", 8: "Q"}.get(size, f"{size}s")
        form += f"{size}s" if field["kind"] in ("char", "alpha", "ts6") else number
    assert struct.calcsize(form) == SPEC[letter]["length"]
    values = struct.unpack(form, body)
    fields: dict[str, Any] = {}
    for field, value in zip(SPEC[letter]["fields"], values, strict=True):
        if field["kind"] == "ts6":
            value = int.from_bytes(value, "big")
        elif field["kind"] == "alpha":
            value = value.decode("latin-1").rstrip(" ")
        elif field["kind"] == "char":
            value = value.decode("latin-1")
        fields[field["name"]] = value
    return fields


def first_of(fields: dict[str, Any], names: tuple[str, ...]) -> int:
    return next((fields[name] for name in names if name in fields), 0)


def expected(letter: str, body: bytes) -> itch.Message:
    fields = unpack(letter, body)
    is_order_price = letter in "AFUP"
    stock = next((f["offset"] for f in SPEC[letter]["fields"] if f["name"] == "stock"), None)
    return {
        "type": ord(letter),
        "side": SIDES.get(fields.get("side", ""), 0),
        "code": ord(fields[CODE[letter]]) if letter in CODE else 0,
        "market_code": ord(fields["market_code"]) if letter == "h" else 0,
        "stock_locate": fields["stock_locate"],
        "tracking_number": fields["tracking_number"],
        "price4": first_of(fields, ("price",) if is_order_price else PRICE4),
        "timestamp_ns": fields["timestamp"],
        "order_ref": first_of(fields, ORDER_REF),
        "new_order_ref": fields.get("new_order_reference_number", 0),
        "qty": first_of(fields, QTY),
        "match_number": fields.get("match_number", 0),
        "stock": None if stock is None else body[stock : stock + 8],
    }


def test_the_table_is_that_of_the_specification() -> None:
    table = {entry.pop("type"): entry for entry in itch.message_types()}  # type: ignore[misc]
    assert len(table) == 23
    assert table == SPEC


@pytest.mark.parametrize("letter", TYPES)
def test_fields_are_contiguous(letter: str) -> None:
    offset = 0
    for field in SPEC[letter]["fields"]:
        assert field["offset"] == offset
        offset += field["length"]
    assert offset == SPEC[letter]["length"]


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("letter", TYPES)
def test_decoding_agrees_with_struct(letter: str, seed: int) -> None:
    body = random_message(letter, random.Random(f"{letter}{seed}"))
    assert itch.decode(body) == expected(letter, body)
    assert itch.decode(body + b"more") == expected(letter, body)
    assert itch.decode(body[:-1]) is None


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("letter", TYPES)
def test_json_is_type_name_and_all_fields_in_wire_order(letter: str, seed: int) -> None:
    body = random_message(letter, random.Random(f"{letter}{seed}"))
    line = itch.render(body, json=True)
    assert line is not None and line.isascii()
    parsed = json.loads(line)
    wanted = {"type": letter, "name": SPEC[letter]["name"], **unpack(letter, body)}
    assert list(parsed.items()) == list(wanted.items())


def decimal(value: int, decimals: int) -> str:
    digits = str(value).rjust(decimals + 1, "0")
    return f"{digits[:-decimals]}.{digits[-decimals:]}"


def shown(kind: str, value: Any) -> str:
    if kind in ("price4", "price8"):
        return decimal(value, int(kind[-1]))
    if kind not in ("char", "alpha"):
        return str(value)
    return "".join(
        char if "!" <= char <= "~" and char != "\\" else f"\\u{ord(char):04x}"
        for char in value.rstrip(" ")
    )


@pytest.mark.parametrize("seed", SEEDS)
@pytest.mark.parametrize("letter", TYPES)
def test_text_is_time_name_and_fields(letter: str, seed: int) -> None:
    body = random_message(letter, random.Random(f"{letter}{seed}"))
    fields = unpack(letter, body)
    seconds, ns = divmod(fields["timestamp"], 10**9)
    words = [f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}.{ns:09}"]
    words.append(SPEC[letter]["name"])
    for field in SPEC[letter]["fields"]:
        if field["name"] not in ("message_type", "timestamp"):
            words.append(f"{field['name']}={shown(field['kind'], fields[field['name']])}")
    assert itch.render(body) == " ".join(words)


def test_what_cannot_be_decoded_is_none_and_says_why() -> None:
    assert itch.render(b"") is None
    assert itch.render(b"z" * 40) is None
    assert [itch.result(body) for body in (b"", b"A", b"z", b"D" * 19, b"D" * 20)] == [
        "short",
        "short",
        "unknown",
        "ok",
        "longer",
    ]
