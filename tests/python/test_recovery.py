"""From a journal to a state: the same as an auditor's who adds up the events, whatever the cut."""

from __future__ import annotations

import json
import random
import re
import shutil
import sys
from pathlib import Path

import pytest

from appliance import config as configuration
from appliance.cli import main
from dataplane.errors import DataplaneError
from dataplane.journal import Journal
from dataplane.recovery import Capacity, capacity_of, checkpoints, recover, save_checkpoint
from dataplane.segment import record_words

sys.path.insert(0, str(Path(__file__).parent))
from auditor import Audit  # noqa: E402
from test_journal import Writer, event  # noqa: E402

RECORD = 128


@pytest.fixture(scope="module")
def whole(tmp_path_factory) -> Path:
    """Return the journal of a run in several segments."""
    folder = tmp_path_factory.mktemp("whole")
    text = configuration.example_text()
    for key in ("orders", "levels", "own_orders"):
        text = re.sub(rf"(?m)^(  {key}:) \d+", r"\1 50000", text)
    (folder / "c.yaml").write_text(re.sub("segment_size_mib: 64", "segment_size_mib: 1", text))
    session = str(folder / "day.itch")
    assert main(["generate", session, "--messages", "120000", "--symbols", "30"]) == 0
    words = ["--config", str(folder / "c.yaml"), "--journal", str(folder / "j"), "--quiet"]
    assert main(["replay", session, *words]) == 0
    return folder / "j"


@pytest.fixture(scope="module")
def capacity(whole: Path) -> Capacity:
    return capacity_of(str(whole))[0]


@pytest.fixture(scope="module")
def events(whole: Path) -> list[dict]:
    return list(Journal(whole))


def facts(found) -> tuple:
    state = found.state
    return (
        state.sequence, state.counts, state.inbound_sequences, state.positions(),
        state.live_orders("TP"), state.problems(),
    )  # fmt: skip


def audited(events: list[dict]) -> tuple[dict[int, int], dict[str, int]]:
    """Return leaves of live orders by first number, and positions, as the auditor adds them up."""
    audit = Audit(configuration.default())
    for each in events:
        audit.apply(each)
    return (
        {order.new["user_ref_num"]: order.leaves for order in audit.live.values()},
        {symbol: position for symbol, position in audit.position.items() if position},
    )


@pytest.mark.parametrize("seed", range(8))
def test_the_state_at_any_record_is_what_the_events_add_up_to(seed, whole, capacity, events):
    sequence = random.Random(seed).randrange(1, len(events) - 1)
    found = recover(str(whole), capacity, until_sequence=sequence)
    leaves, positions = audited(events[:sequence])
    live = found.state.live_orders("TP")
    assert sorted(order["leaves_qty"] for order in live) == sorted(leaves.values())
    traded = found.state.positions()
    assert {row["symbol"]: row["position"] for row in traded if row["position"]} == positions
    assert found.state.problems() == []


def cut_behind(source: Path, target: Path, sequence: int) -> Path:
    """Copy a journal as a writer would leave it that died behind that record."""
    shutil.copytree(source, target)
    names = sorted(target.glob("journal-*.tpj"))
    for name in names:
        data = bytearray(name.read_bytes())
        first = int.from_bytes(data[40:48], "little")
        keep = sequence - first + 1
        if keep <= 0:
            name.unlink()
            continue
        start = 4096 + keep * RECORD
        if start < len(data):
            data[start:] = bytes(len(data) - start)
            name.write_bytes(data)
    return target


@pytest.mark.parametrize("seed", range(4))
def test_what_was_in_flight_is_unknown_and_reserved_at_its_worst(
    seed, whole, events, tmp_path, capsys
):
    requests = [each["seq"] for each in events if each["event"] in ("NEW", "REPLACE", "CANCEL")]
    sequence = random.Random(seed).choice(requests)
    directory = cut_behind(whole, tmp_path / "cut", sequence)
    capsys.readouterr()
    assert main(["journal", "recover", str(directory), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    assert (result["verdict"], result["sequence"]) == ("open", sequence)
    unknown = [order for order in result["reconcile"] if order["ord_status"] == "UNKNOWN"]
    last = events[sequence - 1]
    assert len(unknown) == result["unknown"] >= 1
    assert last["user_ref_num"] in {
        number
        for order in unknown
        for number in (order["user_ref_num"], order["pending_user_ref_num"])
    }
    reserved = sum(order["worst_price_nanos"] * order["worst_leaves_qty"]
                   for order in result["reconcile"])  # fmt: skip
    rows = result["exposure"]
    assert reserved == sum(row["buy_open_nanos"] + row["sell_open_nanos"] for row in rows)
    numbers = [each["user_ref_num"] for each in events[:sequence] if "user_ref_num" in each]
    assert result["user_ref_num_next"] == max(numbers) + 1


def test_the_journal_is_not_changed_by_recovery(whole, tmp_path, capsys):
    directory = cut_behind(whole, tmp_path / "cut", 1000)
    before = {path.name: path.read_bytes() for path in directory.iterdir()}
    assert main(["journal", "recover", str(directory)]) == 0
    assert {path.name: path.read_bytes() for path in directory.iterdir()} == before


def test_a_checkpoint_leads_to_the_same_state(whole, capacity, tmp_path):
    directory = tmp_path / "j"
    shutil.copytree(whole, directory)
    expected = recover(str(directory), capacity)
    last = expected.state.sequence
    for sequence in (5, last // 3, last // 2, last - 1, last):
        found = recover(str(directory), capacity, until_sequence=sequence, from_checkpoint=False)
        path = save_checkpoint(str(directory), found)
        again = recover(str(directory), capacity)
        assert again.checkpoint == path and again.passed_over == []
        assert facts(again) == facts(expected)
    assert len(checkpoints(str(directory))) == 2


def test_a_checkpoint_of_no_use_is_passed_over(whole, capacity, tmp_path):
    directory = str(tmp_path / "j")
    shutil.copytree(whole, directory)
    expected = facts(recover(directory, capacity))
    path = save_checkpoint(
        directory, recover(directory, capacity, until_sequence=900, from_checkpoint=False)
    )
    data = Path(path).read_bytes()
    rng = random.Random(1)
    for _ in range(60):
        damaged = bytearray(data)
        bit = rng.randrange(len(damaged) * 8)
        damaged[bit // 8] ^= 1 << bit % 8
        Path(path).write_bytes(damaged if rng.random() < 0.7 else data[: rng.randrange(len(data))])
        found = recover(directory, capacity)
        assert found.checkpoint is None and "cut or changed" in found.passed_over[0]
        assert facts(found) == expected
    Path(path).write_bytes(data)
    other = Capacity(capacity.orders + 1, capacity.executions)
    assert "of another build or capacity" in recover(directory, other).passed_over[0]


def test_a_checkpoint_of_another_journal_is_passed_over(whole, capacity, tmp_path):
    writer = Writer()
    writer.add(1, event(1))
    mine = writer.save(tmp_path / "mine")
    found = recover(str(whole), capacity, until_sequence=300, from_checkpoint=False)
    save_checkpoint(str(mine), found)
    again = recover(str(mine), capacity)
    assert again.state.sequence == 1 and again.checkpoint is None
    assert "of another journal" in again.passed_over[0]


def test_an_outcome_that_history_does_not_give_is_found(tmp_path, capsys):
    writer = Writer()
    for number in (1, 2, 3):
        wrong = bytearray(event(number))
        if number == 2:
            wrong[80:88] = (7).to_bytes(8, "little")  # leaves_qty
        writer.add(1, bytes(wrong))
    directory = writer.save(tmp_path / "j")
    assert main(["journal", "verify", str(directory)]) == 1
    assert capsys.readouterr().out.splitlines()[-1] == (
        "record 2 and 0 more state an outcome that their order's history does not give"
    )


def test_tables_too_small_are_said_so(whole, tmp_path, capsys):
    text = configuration.example_text()
    text = re.sub(r"(?m)^(  own_orders:) \d+", r"\1 10", text)
    (tmp_path / "small.yaml").write_text(text)
    assert main(["recover", str(tmp_path / "small.yaml"), "--journal", str(whole), "--json"]) == 1
    result = json.loads(capsys.readouterr().out)
    assert "raise capacity.own_orders above" in result["problems"][-1]


def test_recover_needs_a_journal(tmp_path, capsys):
    (tmp_path / "c.yaml").write_text(configuration.example_text())
    assert main(["recover", str(tmp_path / "c.yaml")]) == 2
    assert capsys.readouterr().err == (
        f"tickplane: {tmp_path}/c.yaml: journal.directory: missing; name it there, or with"
        " --journal\n"
    )


def test_the_state_at_a_time(whole, events, capsys):
    middle = events[len(events) // 2]
    assert main(["journal", "replay", str(whole), "--time", str(middle["time_ns"]), "--json"]) == 0
    result = json.loads(capsys.readouterr().out)
    later = [each["seq"] for each in events if each["time_ns"] > middle["time_ns"]]
    assert result["sequence"] == min(later) - 1
    assert main(["journal", "replay", str(whole), "--sequence", "-1", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["sequence"] == len(events) - 1
    assert main(["journal", "replay", str(whole), "--time", "25:00"]) == 2
    assert "--time: '25:00' is no time; write nanoseconds" in capsys.readouterr().err
    with pytest.raises(DataplaneError):
        recover(str(whole / "none"), Capacity(1, 1))


def test_dump_takes_what_is_asked_for(whole, events, capsys):
    number = next(each["orig_user_ref_num"] for each in events if each["event"] == "REPLACED")

    def dumped(*words: str) -> list[dict]:
        assert main(["journal", "dump", str(whole), "--json", *words]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]

    chain = dumped("--order", str(number))
    assert chain == dumped("--order", f"TP{number:08X}")
    assert {"NEW", "ACCEPTED", "REPLACE", "REPLACED"} <= {each["event"] for each in chain}
    symbol = chain[0]["symbol"]
    assert dumped("--symbol", symbol) == [e for e in events if e.get("symbol") == symbol]
    kinds = ("FILLED", "DENIED")
    assert dumped("--kind", "filled", "--kind", "DENIED") == [
        each for each in events if each["event"] in kinds
    ]
    since, until = events[100]["time_ns"], events[3000]["time_ns"]
    assert dumped("--since", str(since), "--until", str(until)) == [
        each for each in events if since <= each["time_ns"] <= until
    ]


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        (["--order", "x"], "--order: 'x' is no order; write its number, or its ClOrdID"),
        (["--kind", "new", "--kind", "TYPO"], "--kind: 'TYPO' is none; write some of NEW, DENIED,"),
        (["--from", "9", "--to", "8"], "--from, --to: from 9 to 8 there is nothing; swap them"),
        (["--since", "9", "--until", "8"], "--since, --until: from 9 to 8 there is nothing; swap"),
        (["--since", "10:00:01", "--until", "10:00:00"], "--since, --until: from "),
    ],
)
@pytest.mark.parametrize("verb", ["dump", "tail"])
def test_filters_that_make_no_sense_are_refused(whole, capsys, verb, words, complaint):
    assert main(["journal", verb, str(whole), *words]) == 2
    found = capsys.readouterr()
    assert found.err.startswith(f"tickplane: {complaint}")
    assert found.out == ""


def test_every_kind_of_a_journal_can_be_asked_for(whole, events, capsys):
    kinds = {event["event"] for event in events}
    assert kinds <= set(record_words())
    for kind in kinds:
        assert main(["journal", "dump", str(whole), "--kind", kind.lower()]) == 0
        assert f" {kind} " in capsys.readouterr().out
    assert main(["journal", "dump", str(whole), "--kind", "KIND_200"]) == 0


@pytest.mark.parametrize("verb", ["dump", "tail"])
def test_that_nothing_fits_is_said(whole, events, capsys, verb):
    symbols = sorted(event["symbol"] for event in events if event["event"] == "INSTRUMENT")
    for words, end in (
        (["--order", "4000000000"], ""),
        (["--symbol", "NOBODY", "--kind", "NEW"], f"; instruments: {', '.join(symbols)}"),
        (["--from", str(len(events) + 1)], ""),
        (["--since", "9000000000000000000"], ""),
    ):
        assert main(["journal", verb, str(whole), *words]) == 0
        found = capsys.readouterr()
        asked = " ".join(words) if "--kind" not in words else "--symbol NOBODY --kind NEW"
        assert found.err == f"tickplane: {whole}: no record fits {asked}{end}\n"
        assert found.out == ""
