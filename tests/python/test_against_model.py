"""``tickplane decode`` and ``tickplane book`` against the independent model in tests/model.

TICKPLANE_TEST_MESSAGES=1000000 compares a session of a million messages (default: 100,000).
"""

from __future__ import annotations

import gzip
import json
import os
import subprocess
import sys
from collections import Counter
from itertools import zip_longest
from pathlib import Path
from typing import Any, NamedTuple

import pytest
from itch_model import Books, Message, books_after, decode, frames

from appliance.generate import write_itch, write_pcap
from dataplane.books import Books as ProductBooks

MESSAGES = int(os.environ.get("TICKPLANE_TEST_MESSAGES", "100000"))
SECOND_NS = 1_000_000_000
TIMES = ["03:05:01", "09:29:59.999999999", "09:30:02", "13:00:01", "15:59:00", "19:00:00"]


class Recorded(NamedTuple):
    path: Path
    messages: list[Message]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Recorded:
    path = tmp_path_factory.mktemp("session") / "day.itch"
    write_itch(str(path), MESSAGES, seed=11)
    return Recorded(path, [decode(raw) for raw in frames(path.read_bytes())])


@pytest.fixture(scope="module")
def sample(sample_path: Path) -> Recorded:
    data = gzip.decompress(sample_path.read_bytes())
    return Recorded(sample_path, [decode(raw) for raw in frames(data)])


def tickplane(*words: str | Path) -> list[Any]:
    """Run the command; return the JSON values that it prints."""
    command = [sys.executable, "-P", "-m", "appliance", *map(str, words)]
    done = subprocess.run(command, capture_output=True, check=True)
    return [json.loads(line) for line in done.stdout.splitlines()]


def assert_same_books(actual: list[Any], expected: Books) -> None:
    *lines, last = actual
    for line, wanted in zip_longest(lines, expected.lines()):
        assert {key: line[key] for key in wanted} == wanted
    assert last["books_digest"] == expected.digest()


def nanoseconds(clock: str) -> int:
    hours, minutes, seconds = clock.split(":")
    whole, _, rest = seconds.partition(".")
    return (int(hours) * 3600 + int(minutes) * 60 + int(whole)) * SECOND_NS + int(
        rest.ljust(9, "0")
    )


def assert_same_messages(recorded: Recorded) -> None:
    lines = tickplane("decode", recorded.path, "--json")
    for number, (line, message) in enumerate(zip_longest(lines, recorded.messages), 1):
        assert line == message, f"message {number}"


def test_decode_shows_every_field_of_every_message(session: Recorded) -> None:
    assert_same_messages(session)


def test_books_at_the_end(session: Recorded) -> None:
    assert_same_books(tickplane("book", session.path, "--json"), books_after(session.messages))


@pytest.mark.parametrize("at", TIMES)
def test_books_at_a_time(session: Recorded, at: str) -> None:
    expected = books_after(session.messages, until_ns=nanoseconds(at))
    assert_same_books(tickplane("book", session.path, "--json", "--at", at), expected)


def test_depth_and_symbol_show_a_part(session: Recorded) -> None:
    expected = books_after(session.messages)
    line = max(expected.lines(), key=lambda line: len(line["bids"]))
    words = ["--json", "--symbol", line["symbol"], "--depth", "2"]
    shown, last = tickplane("book", session.path, *words)
    assert (shown["bids"], shown["asks"]) == (line["bids"][:2], line["asks"][:2])
    assert last["books_digest"] == expected.digest(), "the digest is over everything"


# ---- two lines ----


def test_lines_that_together_have_everything_give_the_same_books(tmp_path: Path) -> None:
    itch, pcap = tmp_path / "day.itch", tmp_path / "day.pcap"
    write_itch(str(itch), 50_000, 100, 5)
    lines = {"loss_a": 50_000, "loss_b": 100_000, "reorder": 20_000, "duplicate": 20_000}
    assert write_pcap(str(pcap), 50_000, 100, 5, **lines) == []
    expected = books_after(decode(raw) for raw in frames(itch.read_bytes()))
    assert_same_books(tickplane("book", pcap, "--json"), expected)
    books = ProductBooks()
    books.feed(pcap)
    assert not any(map(books.is_stale, books.instruments()))


@pytest.mark.parametrize("seed", [5, 6, 7])
def test_a_gap_makes_stale_exactly_the_books_opened_before_it(seed: int, tmp_path: Path) -> None:
    path = tmp_path / "day.pcap"
    # With so many symbols the directory is a sixteenth of the session: early gaps fall into it.
    gaps = write_pcap(str(path), 20_000, 1_500, seed, lose_both=60)
    lost = {sequence for first, last in gaps for sequence in range(first, last + 1)}
    write_itch(str(tmp_path / "day.itch"), 20_000, 1_500, seed)
    opened: dict[int, int] = {}
    model = Books()
    for sequence, raw in enumerate(frames((tmp_path / "day.itch").read_bytes()), 1):
        message = decode(raw)
        if sequence not in lost:
            model.apply(message)
            for locate in model.books:
                opened.setdefault(locate, sequence)
    last_gap = gaps[-1][0]
    books = ProductBooks()
    books.feed(path)
    assert set(books.instruments()) == set(opened)
    stale = {index for index in books.instruments() if books.is_stale(index)}
    assert stale == {locate for locate, sequence in opened.items() if sequence < last_gap}
    assert_same_books(tickplane("book", path, "--json"), model)


def test_a_gap_in_the_directory_leaves_later_books_whole(tmp_path: Path) -> None:
    path = tmp_path / "day.pcap"
    [(first, last)] = write_pcap(str(path), 20_000, 2_000, 4, lose_both=1)
    assert first <= 2_001, "this seed loses a part of the directory"
    books = ProductBooks()
    books.feed(path)
    stale = {index for index in books.instruments() if books.is_stale(index)}
    # Message 1 is the system event; message n + 1 opens stock locate n.
    assert stale == set(range(1, first - 1))
    assert set(range(last, 2_001)) <= set(books.instruments()) - stale


# ---- the outside sample ----


def test_the_sample_decodes(sample: Recorded) -> None:
    assert_same_messages(sample)


def test_the_sample_makes_the_same_books_and_every_message_is_accounted_for(
    sample: Recorded,
) -> None:
    expected = books_after(sample.messages)
    assert_same_books(tickplane("book", sample.path, "--json"), expected)
    books = ProductBooks()
    books.feed(sample.path)
    counts = {key: count for key, (count, _words) in books.counts().items()}
    assert counts["itch_messages"] == len(sample.messages)
    wrong = Counter(
        {
            "unknown": counts.get("book_unknown_order", 0),
            "duplicate": counts.get("book_duplicate_order", 0),
            "too much": counts.get("book_over_reduction", 0),
        }
    )
    assert +wrong == +expected.wrong
    assert expected.wrong["unknown"] > 0
