"""``tickplane book``: what it shows, what its digest covers, what it says of bad files."""

import hashlib
import json
import struct

import pytest

from appliance.book import price, time_ns
from appliance.cli import main
from dataplane.books import Books
from dataplane.generate import Lines, session_bytes

HOUR_NS = 3_600_000_000_000


def header(kind, locate, time):
    return struct.pack(">cHH", kind.encode(), locate, 0) + time.to_bytes(6, "big")


def directory(locate, symbol):
    return header("R", locate, HOUR_NS) + symbol.ljust(8).encode() + bytes(20)


def add(locate, reference, side, qty, price4, time=2 * HOUR_NS, symbol="LATE"):
    return header("A", locate, time) + struct.pack(
        ">QcI8sI", reference, side.encode(), qty, symbol.ljust(8).encode(), price4
    )


def delete(locate, reference, time=3 * HOUR_NS):
    return header("D", locate, time) + struct.pack(">Q", reference)


def state(locate, code):
    return header("H", locate, HOUR_NS) + b"ABC     " + code.encode() + bytes(5)


DAY = [
    directory(1, "ABC"),
    directory(2, "XYZ"),
    state(1, "T"),
    add(1, 10, "B", 100, 123_400),
    add(1, 11, "B", 50, 123_400),
    add(1, 12, "S", 70, 123_500),
    add(1, 13, "B", 5, 99_99),
    delete(1, 12),
]

TEXT = """\
ABC  trading
  ask                  -
  bid              12.34          150       2 orders
  bid             0.9999            5       1 orders
XYZ  state unknown
  ask                  -
  bid                  -
"""


@pytest.fixture
def write(tmp_path):
    def write_session(messages, tail=b""):
        path = tmp_path / "day.itch"
        frames = [len(message).to_bytes(2, "big") + message for message in messages]
        path.write_bytes(b"".join(frames) + tail)
        return str(path)

    return write_session


def lines(capsys):
    return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def test_text_is_a_ladder_for_each_instrument(write, capsys):
    assert main(["book", write(DAY)]) == 0
    captured = capsys.readouterr()
    assert captured.out == TEXT
    assert captured.err == ""


def test_json_has_a_line_for_each_book_and_the_digest(write, capsys):
    assert main(["book", write(DAY), "--json"]) == 0
    abc, xyz, last = lines(capsys)
    assert abc == {
        "symbol": "ABC",
        "bids": [[12_340_000_000, 150, 2], [999_900_000, 5, 1]],
        "asks": [],
        "stale": False,
        "suspect": False,
        "trading_state": "T",
    }
    assert (xyz["bids"], xyz["asks"]) == ([], [])
    text = "".join(
        json.dumps({key: book[key] for key in ("symbol", "bids", "asks")}, separators=(",", ":"))
        + "\n"
        for book in (abc, xyz)
    )
    assert last == {"books_digest": hashlib.sha256(text.encode()).hexdigest()}


def test_what_is_shown_does_not_change_the_digest(write, capsys):
    path = write(DAY)
    main(["book", path, "--json"])
    digest = lines(capsys)[-1]
    assert main(["book", path, "--json", "--symbol", "ABC", "--depth", "1"]) == 0
    book, last = lines(capsys)
    assert book["bids"] == [[12_340_000_000, 150, 2]]
    assert last == digest


def test_at_includes_what_is_stamped_then(write, capsys):
    path = write(DAY)
    main(["book", path, "--json", "--symbol", "ABC", "--at", "02:59:59.999999999"])
    assert lines(capsys)[0]["asks"] == [[12_350_000_000, 70, 1]]
    main(["book", path, "--json", "--symbol", "ABC", "--at", "03:00:00"])
    assert lines(capsys)[0]["asks"] == []
    main(["book", path, "--json", "--at", "00:30:00"])
    assert len(lines(capsys)) == 1


@pytest.mark.parametrize(
    ("messages", "words"),
    [
        ([delete(1, 99)], "1 messages that name an order not in the book"),
        ([add(1, 10, "B", 1, 100)], "1 adds that reuse a live order reference"),
        ([add(1, 20, "Z", 1, 100)], "1 adds with no side, quantity, price or instrument"),
        ([delete(1, 10)[:-1]], "1 messages shorter than their type"),
        ([b"z123"], "1 messages of an unknown type, skipped by length"),
    ],
    ids=["unknown", "reused", "side", "short", "type"],
)
def test_wrong_messages_are_counted_on_stderr(messages, words, write, capsys):
    path = write(DAY + messages)
    assert main(["book", path]) == 0
    captured = capsys.readouterr()
    assert captured.err == f"{path}: {words}\n"
    assert ("SUSPECT" in captured.out) == (messages[0][:1] != b"z")


def test_a_cut_file_shows_its_books_and_fails(write, capsys):
    path = write(DAY, tail=b"\x00\x24A")
    assert main(["book", path]) == 1
    captured = capsys.readouterr()
    assert captured.out == TEXT
    assert captured.err.startswith("tickplane: ") and captured.err.count("\n") == 1


def test_an_unknown_symbol_is_named(write, capsys):
    path = write(DAY)
    assert main(["book", path, "--symbol", "NOPE"]) == 2
    assert capsys.readouterr().err == (
        f"tickplane: {path}: symbol: 'NOPE' is not in this session; it has 2 others,"
        " see them without --symbol\n"
    )


def test_a_missing_file_is_the_operators_fault(tmp_path, capsys):
    assert main(["book", str(tmp_path / "none")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.parametrize(
    "text", ["9:30", "24:00:00", "09:60:00", "09:30:00.", "x", "09:30:00.1234567890"]
)
def test_a_time_that_is_none_is_refused(text, write):
    with pytest.raises(SystemExit) as stop:
        main(["book", write(DAY), "--at", text])
    assert stop.value.code == 2


def test_times_and_prices():
    assert time_ns("09:30:00.5") == 34_200_500_000_000
    assert [price(nanos) for nanos in (100_000, 1_000_000_000, 12_345_678_900_000)] == [
        "0.0001", "1.00", "12,345.6789"
    ]  # fmt: skip


def books_of_lines(path, **faults):
    session = Lines(path, 30_000, 20, 3, **faults)
    while session.step():
        pass
    session.close()
    books = Books()
    books.feed(path)
    return books


def test_two_lines_that_have_everything_give_the_books_of_the_file(tmp_path):
    whole = tmp_path / "whole.itch"
    whole.write_bytes(session_bytes(30_000, 20, 3))
    expected = Books()
    expected.feed(whole)
    lossy = books_of_lines(tmp_path / "lossy.pcap", loss_a=20_000, reorder=20_000, duplicate=20_000)
    assert lossy.digest() == expected.digest()
    assert lossy.summary()["stale"] == 0


def test_a_hole_in_both_lines_makes_the_books_stale(tmp_path):
    books = books_of_lines(tmp_path / "hole.pcap", lose_both=1)
    assert books.summary()["stale"] > 0
    assert books.counts()["mold_gaps"][0] == 1


def test_books_that_do_not_fit_say_so():
    books = Books(orders=4, levels=4, instruments=4)
    assert books.summary()["orders"] == 0
    with pytest.raises(IndexError):
        books.json_line(3)
