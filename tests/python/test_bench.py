"""``tickplane bench``: its rows, its JSON, and what it refuses. Speed itself is not tested."""

import json

import pytest

from appliance.bench.command import ROWS
from appliance.cli import main
from dataplane.bench_itch import ItchBench
from dataplane.bench_queue import HAS_RTE_RING, queue_run
from dataplane.bench_submit import SubmitBench
from dataplane.generate import session_bytes

KEYS = {
    "name",
    "value",
    "unit",
    "reference",
    "ratio",
    "runs",
    "min",
    "max",
    "instructions",
    "machine",
}


@pytest.fixture
def session(tmp_path):
    path = tmp_path / "day.itch"
    path.write_bytes(session_bytes(20_000, 50))
    return str(path)


def test_every_row_stands_beside_its_reference(session, tmp_path, capsys):
    out = tmp_path / "rows.json"
    names = ["itch.parse", "itch.books"]
    assert main(["bench", *names, "--file", session, "--rounds", "5", "--json", str(out)]) == 0
    rows = json.loads(out.read_text())
    assert [row["name"] for row in rows] == names
    for row in rows:
        assert set(row) >= KEYS
        assert row["unit"] == "ns/message"
        assert row["reference"]["name"] == "itch.floor"
        assert row["ratio"] == pytest.approx(row["value"] / row["reference"]["value"], abs=0.01)
        assert row["runs"] == 5
        assert row["min"] <= row["value"] <= row["max"]
    assert "itch.books" in capsys.readouterr().out


def test_only_the_rows_asked_for(session, capsys):
    assert main(["bench", "itch.parse", "--file", session, "--rounds", "5", "--json", "-"]) == 0
    assert [row["name"] for row in json.loads(capsys.readouterr().out)] == ["itch.parse"]


def test_an_unknown_row_lists_the_known(capsys):
    assert main(["bench", "itch.sparse"]) == 2
    assert capsys.readouterr().err == (
        f"tickplane: bench: 'itch.sparse' is no row; known: {', '.join(ROWS)}\n"
    )


@pytest.mark.parametrize("content", [b"", b"\x00", b"\x00\x00", b"\x1f\x8b\x08\x00", b"\x00\x05A"])
def test_a_file_of_no_messages_is_refused(content, tmp_path):
    path = tmp_path / "bad"
    path.write_bytes(content)
    assert main(["bench", "--file", str(path)]) == 2


def test_a_missing_file_is_refused(tmp_path):
    assert main(["bench", "--file", str(tmp_path / "none")]) == 2


def test_all_loops_see_the_same_messages():
    bench = ItchBench(session_bytes(20_000, 50))
    assert {loop()[1] for loop in (bench.floor, bench.parse, bench.books, bench.books)} == {20_000}


def test_books_are_read_while_they_are_written():
    bench = ItchBench(session_bytes(20_000, 50))
    bench.books()
    views, busy = bench.reads
    assert views >= 50 and busy <= views


def test_the_order_path_is_timed_by_whole_orders(capsys):
    assert main(["bench", "submit.batch", "lifecycle", "--rounds", "5", "--json", "-"]) == 0
    for row in json.loads(capsys.readouterr().out):
        assert set(row) >= KEYS
        assert row["reference"]["name"] == "submit.loop"
        assert row["orders_a_second"] == pytest.approx(1e9 / row["value"], rel=0.01)


@pytest.mark.parametrize("between", ["warm", "cold", "rewarmed"])
@pytest.mark.parametrize("caller", ["clock", "c", "cython", "python"])
def test_a_latency_counts_every_order_from_when_it_was_due(caller, between):
    path = SubmitBench()
    since_due, since_begun = path.latency(caller, between)
    assert since_due == tuple(sorted(since_due))
    assert all(due >= begun for due, begun in zip(since_due, since_begun, strict=True))
    assert path.sent == (0 if caller == "clock" else 100_000 if between == "warm" else 128)


def test_an_unknown_caller_is_refused():
    with pytest.raises(ValueError, match="caller is 'rust'; it must be clock, c, cython or python"):
        SubmitBench().latency("rust")
    with pytest.raises(ValueError, match="between is 'hot'; it must be warm, cold or rewarmed"):
        SubmitBench().latency("c", "hot")


def test_a_row_without_its_reference_says_why(session, monkeypatch, capsys):
    monkeypatch.setattr("appliance.bench.queue.HAS_RTE_RING", False)
    names = ["ring.hop", "queue.mpmc.1x1"]
    assert main(["bench", *names, "--rounds", "5", "--json", "-"]) == 0
    hop, queue = json.loads(capsys.readouterr().out)
    assert hop["reference"]["name"] == "hop.bare" and hop["single_line"] > 0
    assert queue["value"] > 0 and queue["ratio"] is None and queue["batch"] == 1
    assert queue["reference"] == {"name": "none: built without libdpdk", "value": None}
    assert main(["bench", names[1], "--rounds", "5"]) == 0
    assert "none: built without libdpdk        -       -" in capsys.readouterr().out


def test_both_queues_hand_over_every_value():
    for kind in range(1 + HAS_RTE_RING):
        assert queue_run(kind, 2, 8)[1] == 2 * 4 * 65_536
