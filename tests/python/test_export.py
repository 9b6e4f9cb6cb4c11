"""Journals for other people's tools: what they read is what the journal holds."""

from __future__ import annotations

import sys
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import databento_dbn as dbn
import pyarrow.parquet as parquet
import pytest

from appliance import cli, export_parquet
from dataplane import sealing
from dataplane.journal import Journal
from dataplane.recovery import capacity_of, recover

sys.path.insert(0, str(Path(__file__).parent))
from test_durability import config_with, replay, session  # noqa: E402, F401
from test_journal import Writer, event, flip  # noqa: E402

DOCS = Path(__file__).parents[2] / "docs" / "journal.md"


@pytest.fixture(scope="module")
def directory(session, tmp_path_factory) -> Path:  # noqa: F811
    folder = tmp_path_factory.mktemp("export")
    replay(session, folder, "j", config_with(folder, "memory"))
    sealing.seal(str(folder / "j"))
    return folder / "j"


def export(directory: Path, kind: str, path: Path, *words: str) -> int:
    return cli.main(
        ["journal", "export", str(directory), "--format", kind, "-o", str(path), *words]
    )


def said(record: dict) -> dict:
    """Return what a record says, in the words of the table."""
    found = {key: value for key, value in record.items() if value is not None}
    if "price" in found:
        found["price"] = Decimal(found["price"])
    if isinstance(found.get("limit"), str):
        found["limit_name"] = found.pop("limit")
    return found | {key: str(found[key]) for key in ("before", "after") if key in found}


def rows_of(path: Path) -> list[dict]:
    table = parquet.read_table(path)
    times = table.column("time_ns").cast("int64").to_pylist()
    rows = table.drop(["time_ns"]).to_pylist()
    return [
        {key: value for key, value in row.items() if value is not None} | {"time_ns": time_ns}
        for row, time_ns in zip(rows, times, strict=True)
    ]


def test_a_table_has_every_field_of_every_record(directory, tmp_path, capsys):
    assert export(directory, "parquet", tmp_path / "x.parquet") == 0
    expected = [said(record) for record in Journal(directory)]
    assert capsys.readouterr().out == f"{len(expected)} rows: {tmp_path}/x.parquet\n"
    assert rows_of(tmp_path / "x.parquet") == expected
    assert [path.name for path in tmp_path.iterdir()] == ["x.parquet"]


def test_a_table_takes_the_filters_of_dump(directory, tmp_path):
    replaced = next(each for each in Journal(directory) if each["event"] == "REPLACED")
    number = str(replaced["orig_user_ref_num"])
    assert export(directory, "parquet", tmp_path / "x", "--order", number, "--kind", "FILLED") == 0
    assert {row["event"] for row in rows_of(tmp_path / "x")} <= {"FILLED"}
    assert export(directory, "parquet", tmp_path / "x", "--order", number) == 0
    assert "REPLACED" in {row["event"] for row in rows_of(tmp_path / "x")}


def test_records_of_every_kind_have_a_row(tmp_path):
    writer = Writer()
    writer.add(1, event(1, kind=2, reason=3))
    writer.add(4, bytes(36) + bytes([3, 0, 0, 1]) + b"ada".ljust(16, b"\0") + b"why")
    writer.add(4, bytes(36) + bytes([1, 4, 0, 1]) + b"bob")
    writer.add(99, bytes(96))
    writer.end(1)
    directory = writer.save(tmp_path / "j")
    assert export(directory, "parquet", tmp_path / "x") == 0
    assert rows_of(tmp_path / "x") == [said(record) for record in Journal(directory)]


def test_the_documented_columns_are_the_tables(directory, tmp_path):
    text = DOCS.read_text().split("### Parquet")[1].split("### DBN")[0]
    documented = [
        name for line in text.splitlines() if line.startswith("| `")
        for name in line.split("|")[1].replace("`", "").replace(",", " ").split()
    ]  # fmt: skip
    assert sorted(documented) == sorted(export_parquet.COLUMNS)


# ---- DBN ----


def messages_of(path: Path) -> tuple:
    decoder = dbn.DBNDecoder()
    decoder.write(path.read_bytes())
    head, *messages = decoder.decode()
    return head, messages


def test_a_book_of_our_orders_comes_out_as_recovery_has_it(directory, tmp_path):
    assert export(directory, "dbn", tmp_path / "x.dbn") == 0
    _, messages = messages_of(tmp_path / "x.dbn")
    book: dict[int, tuple] = {}
    whole = True
    for each in messages:
        if each.action in ("A", "M"):
            assert (each.action == "A") == (each.order_id not in book)
            book[each.order_id] = each.instrument_id, each.side, each.price, each.size
        elif each.action == "C":
            instrument, side, price, size = book.pop(each.order_id)
            assert (each.instrument_id, each.side, each.price) == (instrument, side, price)
            if size > each.size:
                book[each.order_id] = instrument, side, price, size - each.size
        whole = bool(each.flags & dbn.F_LAST)
        assert whole or each.action == "F"
    assert whole
    found = recover(str(directory), capacity_of(str(directory))[0])
    live = [
        (order["side"][0].replace("S", "A"), order["price_nanos"], order["leaves_qty"])
        for order in found.state.live_orders(found.prefix)
        if order["venue_order_id"]
    ]
    assert sorted(each[1:] for each in book.values()) == sorted(live)


def test_messages_are_the_venues_words_in_order(directory, tmp_path):
    assert export(directory, "dbn", tmp_path / "x.dbn") == 0
    head, messages = messages_of(tmp_path / "x.dbn")
    fills = [each for each in Journal(directory) if each["event"] == "FILLED"]
    assert [
        (each.sequence, each.ts_event, each.price, each.size, each.instrument_id)
        for each in messages
        if each.action == "F"
    ] == [
        (each["seq"], each["time_ns"], each["price_nanos"], each["qty"], each["instrument_index"])
        for each in fills
    ]
    assert (head.schema, head.dataset) == ("mbo", "TICKPLANE.OWN")
    day = datetime.fromtimestamp(fills[0]["time_ns"] // 10**9, UTC).date()
    assert head.mappings[fills[0]["symbol"]] == [
        {
            "start_date": day,
            "end_date": day + timedelta(days=1),
            "symbol": str(fills[0]["instrument_index"]),
        }
    ]


def test_nothing_chosen_is_a_whole_file(directory, tmp_path):
    for kind in ("parquet", "dbn"):
        assert export(directory, kind, tmp_path / kind, "--symbol", "NONE") == 0
    assert rows_of(tmp_path / "parquet") == []
    assert messages_of(tmp_path / "dbn")[1] == []


def test_a_quantity_that_dbn_cannot_hold_is_refused(tmp_path, capsys):
    writer = Writer()
    data = bytearray(event(1, kind=16))
    data[80:88] = (1 << 32).to_bytes(8, "little")
    writer.add(1, bytes(data))
    writer.end(1)
    assert export(writer.save(tmp_path / "j"), "dbn", tmp_path / "x") == 2
    assert capsys.readouterr().err == (
        "tickplane: export: record 1: 4294967296 is more than DBN can hold\n"
    )
    assert not (tmp_path / "x").exists() and not (tmp_path / "x.part").exists()


# ---- faults ----


@pytest.mark.parametrize("kind", ["parquet", "dbn"])
def test_after_a_fault_the_file_holds_what_stood_before(tmp_path, capsys, kind):
    writer = Writer()
    for number in range(1, 5):
        writer.add(1, event(number, kind=16))
    writer.end(1)
    directory = writer.save(tmp_path / "j")
    flip(directory / "journal-000000.tpj", (4096 + 2 * 128 + 40) * 8)
    assert export(directory, kind, tmp_path / "x") == 1
    out, err = capsys.readouterr()
    assert out.startswith("2 ") and "corrupt: something written was changed" in err


def test_a_file_that_cannot_be_written_is_one_line(directory, tmp_path, capsys):
    assert export(directory, "dbn", tmp_path / "none" / "x") == 2
    assert capsys.readouterr().err == (
        f"tickplane: export: {tmp_path}/none/x: No such file or directory\n"
    )


@pytest.mark.parametrize(("kind", "name"), [("parquet", "pyarrow"), ("dbn", "databento_dbn")])
def test_a_missing_package_is_one_line(directory, tmp_path, capsys, monkeypatch, kind, name):
    monkeypatch.setitem(sys.modules, name, None)
    assert export(directory, kind, tmp_path / "x") == 2
    package = name.replace("_", "-")
    assert capsys.readouterr().err == (
        f"tickplane: {name}: {package} is not installed; run: pip install 'tickplane[{kind}]'\n"
    )
