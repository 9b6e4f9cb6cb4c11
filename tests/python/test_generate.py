"""The generated session: legal, complete, the same every time; and the files that carry it."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest
from itch_model import SPEC, Books, Message, decode, frames

from appliance import generate as verb
from appliance.cli import main
from dataplane.errors import DataplaneError
from dataplane.generate import (
    SYMBOLS_MAX,
    Session,
    messages_min,
    session_bytes,
    symbols_default,
)

GOLDEN_SHA256 = "d508ca1628886162c4f859aebb320f50862d4d1044463065a23d581e4d3b4da8"
SECOND_NS = 1_000_000_000
SESSIONS = [(1_000, None, 1), (5_000, 1, 2), (20_000, 3, 3), (30_000, None, 4), (60_000, 2000, 5)]


def messages_of(count: int, symbols: int | None, seed: int) -> list[Message]:
    return [decode(raw) for raw in frames(bytes(session_bytes(count, symbols, seed)))]


@pytest.fixture(scope="module", params=SESSIONS, ids=str)
def messages(request: pytest.FixtureRequest) -> list[Message]:
    return messages_of(*request.param)


class Market:
    """Follows a session and complains about everything that no market would do."""

    def __init__(self) -> None:
        self.books = Books()
        self.states: dict[int, str] = {}
        self.halted_here: set[int] = set()
        self.matches: dict[int, int] = {}
        self.order_refs: set[int] = set()
        self.phase = ""

    def apply(self, message: Message) -> None:
        self.check_before(message)
        self.books.apply(message)
        assert not self.books.wrong, message
        locate, kind = message["stock_locate"], message["type"]
        if kind == "S":
            self.phase = message["event_code"]
        elif kind == "H":
            self.states[locate] = message["trading_state"]
        elif kind == "h":
            change = self.halted_here.add
            if message["operational_halt_action"] == "T":
                change = self.halted_here.discard
            change(locate)
        self.check_prices(locate)

    def check_before(self, message: Message) -> None:
        kind, locate = message["type"], message["stock_locate"]
        if kind in "AFEPCXDUP":
            assert locate in self.books.books
        if kind in "AFU":
            assert self.phase in "SQM", "orders come within system hours only"
            self.check_new_order(message)
        if kind in "EPC":
            assert self.states[locate] == "T" and locate not in self.halted_here, message
        if kind in "ECPQ":
            assert message["match_number"] not in self.matches
            self.matches[message["match_number"]] = locate
        if kind in "EC":
            self.check_execution(message)
        if kind == "X":
            left = self.books.orders[message["order_reference_number"]].qty
            assert 0 < message["canceled_shares"] < left, "a whole order leaves with D"
        if kind == "B":
            assert self.matches.pop(message["match_number"]) == locate

    def check_new_order(self, message: Message) -> None:
        prefix = "new_" if message["type"] == "U" else ""
        reference = message[prefix + "order_reference_number"]
        assert reference not in self.order_refs, "references are unique within the day"
        self.order_refs.add(reference)
        assert message["shares"] > 0
        price = message["price"]
        assert 0 < price <= 2_000_000_000
        assert price < 10_000 or price % 100 == 0, "whole cents from one dollar up"

    def check_execution(self, message: Message) -> None:
        reference = message["order_reference_number"]
        order = self.books.orders[reference]
        assert order.locate == message["stock_locate"]
        assert 0 < message["executed_shares"] <= order.qty
        book = self.books.books[order.locate]
        assert order.price == book.best(order.side), "the best price trades first"
        assert book.sides[order.side][order.price][0] == reference, "first come, first served"

    def check_prices(self, locate: int) -> None:
        book = self.books.books.get(locate)
        if book is None:
            return
        bid, ask = book.best("B"), book.best("S")
        assert bid is None or ask is None or bid < ask, (locate, bid, ask)


def test_no_market_would_do_otherwise(messages: list[Message]) -> None:
    market = Market()
    for message in messages:
        market.apply(message)


def test_all_types_appear(messages: list[Message]) -> None:
    assert {message["type"] for message in messages} == set(SPEC)


def test_codes_are_those_of_the_specification(messages: list[Message]) -> None:
    for message in messages:
        for field in SPEC[message["type"]]["fields"]:
            value = message[field["name"]]
            assert value in field.get("codes", [value]), message


def test_time_never_goes_back_and_fills_the_day(messages: list[Message]) -> None:
    times = [message["timestamp"] for message in messages]
    assert times == sorted(times)
    assert times[0] == 3 * 3600 * SECOND_NS
    assert times[-1] == (20 * 3600 + 300) * SECOND_NS


def test_system_events_come_in_their_order(messages: list[Message]) -> None:
    events = [message["event_code"] for message in messages if message["type"] == "S"]
    assert "".join(events) == "OSQMEC"
    assert messages[-1]["type"] == "S"
    after_e = [m["type"] for m in messages if m["timestamp"] > 20 * 3600 * SECOND_NS]
    assert set(after_e) <= {"D", "B", "S"}


@pytest.mark.parametrize("symbols", [1, 2, 3, 7, 100, SYMBOLS_MAX])
def test_counts_are_exact_from_the_fewest_on(symbols: int) -> None:
    least = messages_min(symbols)
    for count in [least, least + 1, least + 2, least + 17, least + 1000]:
        assert sum(1 for _ in frames(bytes(session_bytes(count, symbols)))) == count


def test_the_mix_is_that_of_a_real_day() -> None:
    shares = Counter(chr(raw[0]) for raw in frames(bytes(session_bytes(200_000, 500))))
    percent = {kind: 100 * count / 200_000 for kind, count in shares.items()}
    bounds = {
        "AF": (40, 48),
        "D": (36, 44),
        "U": (6, 9),
        "EC": (3, 6),
        "X": (0.5, 1.5),
        "P": (0.3, 1),
    }
    for kinds, (low, high) in bounds.items():
        assert low < sum(percent[kind] for kind in kinds) < high, (kinds, percent)


def test_busy_names_have_deep_books_and_live_orders_stay_few() -> None:
    books = Books()
    peak, deepest = 0, 0
    for raw in frames(bytes(session_bytes(200_000, 20))):
        message = decode(raw)
        books.apply(message)
        peak = max(peak, len(books.orders))
        if message["type"] == "A":
            sides = books.books[message["stock_locate"]].sides
            deepest = max(deepest, len(sides["B"]), len(sides["S"]))
    assert 0.015 < peak / 200_000 < 0.03
    assert deepest > 60


def test_the_same_arguments_give_the_same_bytes() -> None:
    data = bytes(session_bytes(5_000, seed=7))
    assert data == b"".join(iter(Session(5_000, seed=7).read, b""))
    assert data != bytes(session_bytes(5_000, seed=8))
    assert hashlib.sha256(data).hexdigest() == GOLDEN_SHA256


def test_default_symbols_always_fit() -> None:
    for count in [17, 100, 124, 125, 250, 1_000, 10_000, 1_000_000, 2_000_000, 10**9]:
        assert messages_min(symbols_default(count)) <= count
    assert symbols_default(10**9) == SYMBOLS_MAX


@pytest.mark.parametrize(
    ("words", "status", "text"),
    [
        (
            ["--messages", "50", "--symbols", "8"],
            2,
            "generate: messages is 50; a day of 8 symbols needs at least 80,"
            " or ask for fewer symbols",
        ),
        (
            ["--loss-a", "5"],
            2,
            "generate: --loss-a: a BinaryFILE has no lines; add --format pcap",
        ),
        (
            ["--messages", "1000", "--format", "pcap", "--lose-both", "8"],
            2,
            "generate: lose-both is 8; a session of 1000 messages has room for 7 gaps",
        ),
    ],
)
def test_what_cannot_be_is_said_and_nothing_written(
    words: list[str], status: int, text: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["generate", str(tmp_path / "day"), *words]) == status
    assert capsys.readouterr().err == f"tickplane: {text}\n"
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "words",
    [
        ["--messages", "0"],
        ["--messages", "1e6"],
        ["--seed", "-1"],
        ["--symbols", "8001"],
        ["--loss-a", "1000001"],
    ],
)
def test_numbers_out_of_range_are_usage_errors(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as stop:
        main(["generate", str(tmp_path / "day"), *words])
    assert stop.value.code == 2
    assert "is not a whole number from" in capsys.readouterr().err


def test_a_directory_is_never_replaced(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["generate", str(tmp_path), "--messages", "1000"]) == 2
    words = f"tickplane: {tmp_path}: it is a directory; name a file in it\n"
    assert capsys.readouterr().err == words


@pytest.mark.parametrize("form", ["itch", "pcap"])
def test_a_full_disk_is_named(form: str, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["generate", "/dev/full", "--messages", "20000", "--format", form]
    assert main(words) == 1
    assert "/dev/full: writing failed: No space left on device" in capsys.readouterr().err


@pytest.mark.parametrize("form", ["itch", "pcap"])
def test_a_missing_folder_is_named(
    form: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out = tmp_path / "none" / "day"
    assert main(["generate", str(out), "--messages", "1000", "--format", form]) == 2
    words = capsys.readouterr().err
    assert words.startswith(f"tickplane: {out}: ") and "No such file or directory" in words


def test_a_failed_run_leaves_the_old_file_alone(tmp_path: Path) -> None:
    out = tmp_path / "day"
    out.write_text("old")

    def full(_written: int) -> None:
        raise OSError(28, "full")

    with pytest.raises(DataplaneError, match="day: writing failed: No space left"):
        verb.write_itch(str(out), 1_000, progress=full)
    assert [path.name for path in tmp_path.iterdir()] == ["day"]
    assert out.read_text() == "old"


def test_the_verb_replaces_a_file_through_a_link(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    target, link = tmp_path / "day", tmp_path / "link"
    target.write_text("old")
    link.symlink_to(target)
    assert main(["generate", str(link), "--messages", "1000", "--seed", "9"]) == 0
    assert link.is_symlink() and target.read_bytes() == bytes(session_bytes(1_000, seed=9))
    size = target.stat().st_size
    assert capsys.readouterr().err.startswith(f"{link}: 1000 messages, {size} bytes, ")


def test_a_pipe_gets_the_same_bytes() -> None:
    command = [
        sys.executable,
        "-P",
        "-m",
        "appliance",
        "generate",
        "/dev/stdout",
        "--messages",
        "1000",
    ]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout == bytes(session_bytes(1_000))
