"""`tickplane match`: scenarios that read as a specification, and every kind of bad input.

`UPDATE_GOLDEN=1 pytest tests/python/test_match_verb.py` writes the expected reports anew.
"""

from __future__ import annotations

import io
import json
import os
import random
import sys
from pathlib import Path

import pytest

from appliance.cli import main

SCENARIOS = sorted((Path(__file__).parent.parent / "scenarios" / "match").glob("*.ndjson"))
ORDER = '{"do": "new", "id": "a", "participant": "A", "side": "buy", "qty": 1, "price": "1.00"}\n'


@pytest.mark.parametrize("path", SCENARIOS, ids=lambda path: path.stem)
def test_a_scenario_is_answered_as_expected(path, capsys):
    status = main(["match", str(path)])
    out = capsys.readouterr().out
    expected = path.with_suffix(".out")
    if os.environ.get("UPDATE_GOLDEN"):
        expected.write_text(out)
    assert out == expected.read_text(), f"see git diff {expected} after UPDATE_GOLDEN=1"
    assert status == ('"bad"' in out)


def test_there_are_scenarios():
    assert len(SCENARIOS) >= 19


def answers(capsys, monkeypatch, text: bytes) -> list[dict]:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(text)))
    main(["match", "-"])
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.mark.parametrize(
    ("line", "words"),
    [
        (b"{", "not JSON: "),
        (b"\xff\xfe\x00", "not JSON: "),
        (b'"' + b"x" * 70_000 + b'"', "a line of 65537 bytes; at most 65536"),
        (b"[" * 60_000, "not JSON: "),
        (b"9" * 5_000, "not JSON: "),
        (b"null", 'a request is an object: {"do": "new", ...}'),
        (b'{"do": ["new"]}', "do: ['new'] is not one of instrument, new, replace, cancel, "),
        (b'{"do": "time", "time_ns": true}', "time_ns: True is not a whole number from 0 to "),
        (b'{"do": "time", "time_ns": 9999999999999999999}', "time_ns: 9999999999999999999 is not "),
        (b'{"do": "cancel", "id": ""}', "id: '' is not a name of 1 to 64 characters"),
        (b'{"do": "cancel", "id": 7}', "id: 7 is not a name of 1 to 64 characters"),
        (b'{"do": "instrument", "instrument": "I", "dark": 1}', "dark: 1 is not true or false"),
        (b'{"do": "quote", "bid": "1.0000000001"}', "bid: '1.0000000001' is not a price; "),
        (b'{"do": "quote", "bid": "-1"}', "bid: '-1' is not a price; "),
        (b'{"do": "quote", "bid": "9223372036.854775807"}', "bid: '9223372036.854775807' is not "),
        (b'{"do": "quote", "bid": {}}', "bid: {} is not a price; "),
    ],
)
def test_a_line_that_cannot_be_read_is_answered_in_one_line(line, words, capsys, monkeypatch):
    bad, accepted = answers(capsys, monkeypatch, line + b"\n" + ORDER.encode())
    assert (bad["report"], bad["line"]) == ("bad", 1)
    assert bad["words"].startswith(words)
    assert accepted["report"] == "accepted"


def test_random_bytes_and_changed_requests_are_answered(capsys, monkeypatch):
    draw = random.Random(5)
    lines = [line for path in SCENARIOS for line in path.read_bytes().splitlines()]
    text = b""
    for _ in range(3_000):
        line = bytearray(draw.choice(lines))
        for _ in range(draw.choice([0, 1, 1, 3])):
            line[draw.randrange(len(line))] = draw.randrange(256)
        text += bytes(line) + b"\n"
    assert len(answers(capsys, monkeypatch, text)) > 2_000


def test_too_many_participants_are_answered(capsys, monkeypatch):
    orders = [json.loads(ORDER) | {"id": f"o{at}", "participant": f"p{at}"} for at in range(258)]
    text = "".join(json.dumps(order) + "\n" for order in orders).encode()
    reports = answers(capsys, monkeypatch, text)
    assert [report["report"] for report in reports[-3:]] == ["accepted", "bad", "bad"]
    assert reports[-1]["words"] == (
        "participant: 'p257': match: there are 256 participants already; raise "
        "participant_count_max"
    )


def test_a_file_that_is_not_there_is_said(capsys, tmp_path):
    assert main(["match", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err == (
        f"tickplane: {tmp_path / 'none'}: No such file or directory; give a file of requests\n"
    )
    assert main(["match", str(tmp_path)]) == 2
    assert capsys.readouterr().err == (
        f"tickplane: {tmp_path}: Is a directory; give a file of requests\n"
    )


def test_an_empty_file_has_no_answers(capsys, tmp_path):
    path = tmp_path / "empty.ndjson"
    path.write_text("\n# nothing\n\n")
    assert main(["match", str(path)]) == 0
    assert capsys.readouterr().out == ""
