"""OUCH 5.0 against the layout facts in tests/specs, which share nothing with the C table."""

from __future__ import annotations

import random
import struct
from pathlib import Path
from typing import Any

import pytest
import yaml

from dataplane import ouch

SPEC: dict[str, Any] = yaml.safe_load(
    (Path(__file__).parents[1] / "specs" / "ouch50.yaml").read_text()
)
MESSAGES = [
    pytest.param(direction, letter, id=f"{direction}-{letter}")
    for direction in ("inbound", "outbound")
    for letter in SPEC[direction]
]
APPENDAGE = {"none": "none", "optional_2025": "optional", "required": "required"}
INTEGERS = {2: "H", 4: "I", 8: "Q"}


def form_of(field: dict[str, Any]) -> str:
    """Return the struct format of one field."""
    if field["kind"] in ("char", "alpha"):
        return f"{field['length']}s"
    return INTEGERS[field["length"]]


def random_message(direction: str, letter: str, rng: random.Random) -> tuple[bytes, dict[str, Any]]:
    """Pack random values by the facts; return the bytes and what decoding must say."""
    fields = SPEC[direction][letter]["fields"]
    values: dict[str, Any] = {}
    for field in fields:
        if field["kind"] in ("char", "alpha"):
            size = field["length"]
            values[field["name"]] = "".join(rng.choices("ABXYZ019", k=rng.randrange(size + 1)))
        else:
            values[field["name"]] = rng.getrandbits(8 * field["length"])
    values["type"] = letter
    if "appendage_length" in values:
        values["appendage_length"] = 0
    packed = [
        value.ljust(field["length"]).encode() if isinstance(value, str) else value
        for field, value in zip(fields, values.values(), strict=True)
    ]
    return struct.pack(">" + "".join(map(form_of, fields)), *packed), values


def random_options(rng: random.Random) -> tuple[bytes, list[tuple[int, bytes]]]:
    options = [
        (tag, rng.randbytes(SPEC["tags"][tag]["size"]))
        for tag in rng.sample(sorted(SPEC["tags"]), rng.randrange(1, 6))
    ]
    return b"".join(bytes([1 + len(value), tag]) + value for tag, value in options), options


def test_the_tables_are_the_same() -> None:
    expected = [
        {
            "type": letter,
            "direction": direction,
            "name": message["name"],
            "length": message["length"],
            "appendage": APPENDAGE[message["appendage"]],
            "fields": message["fields"],
        }
        for direction in ("inbound", "outbound")
        for letter, message in SPEC[direction].items()
    ]
    assert ouch.message_types() == expected


def test_the_facts_leave_no_byte_out() -> None:
    for direction in ("inbound", "outbound"):
        for message in SPEC[direction].values():
            at = 0
            for field in message["fields"]:
                assert field["offset"] == at, (message["name"], field["name"])
                at += field["length"]
            assert at == message["length"], message["name"]


@pytest.mark.parametrize(("direction", "letter"), MESSAGES)
@pytest.mark.parametrize("seed", range(20))
def test_every_field_is_decoded_and_encoded(direction: str, letter: str, seed: int) -> None:
    data, values = random_message(direction, letter, random.Random(seed))
    assert ouch.decode(data, direction) == {**values, "options": []}
    assert ouch.recode(data, direction) == data


@pytest.mark.parametrize(("direction", "letter"), MESSAGES)
@pytest.mark.parametrize("seed", range(5))
def test_options_follow_in_their_order(direction: str, letter: str, seed: int) -> None:
    rng = random.Random(seed)
    data, values = random_message(direction, letter, rng)
    tail, options = random_options(rng)
    length = struct.pack(">H", len(tail))
    appendage = SPEC[direction][letter]["appendage"]
    if appendage == "required":
        data, values["appendage_length"] = data[:-2], len(tail)
    data += length + tail
    if appendage == "none":
        assert ouch.result(data, direction) == "malformed"
        return
    assert ouch.decode(data, direction) == {**values, "options": options}
    assert ouch.recode(data, direction) == data
    assert ouch.result(data[:-1], direction) == "malformed"
    assert ouch.result(data + b"\0", direction) == "malformed"


@pytest.mark.parametrize(("direction", "letter"), MESSAGES)
def test_every_shorter_length_is_short(direction: str, letter: str) -> None:
    data, _ = random_message(direction, letter, random.Random(1))
    for size in range(len(data)):
        assert ouch.result(data[:size], direction) == "short", size
        assert ouch.decode(data[:size], direction) is None, size


def test_letters_belong_to_a_direction() -> None:
    assert ouch.result(b"O" + bytes(46), "inbound") == "ok"
    assert ouch.result(b"O" + bytes(46), "outbound") == "unknown"
    assert ouch.result(b"A" + bytes(63), "inbound") == "unknown"


def test_every_reject_code_has_its_words() -> None:
    names = {code: name.replace("_", " ") for code, name in SPEC["reject_reasons"].items()}
    for code in [*range(0x200), 0xFFFF]:
        assert ouch.reject_name(code) == names.get(code, "code not in the list"), hex(code)


def test_another_direction_is_refused_in_words() -> None:
    with pytest.raises(ValueError, match="direction is 'up'; it must be 'inbound' or 'outbound'"):
        ouch.decode(b"O", "up")
