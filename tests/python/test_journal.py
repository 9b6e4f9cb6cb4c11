"""The journal as an outsider reads it: files written here from docs/journal.md, by Python alone."""

from __future__ import annotations

import json
import random
import re
import struct
from importlib import resources
from pathlib import Path

import pytest

from appliance import cli
from dataplane.errors import DataplaneError
from dataplane.journal import Journal, verify
from dataplane.recovery import Capacity, recover

SIZE = 64 << 10
TRAILER = struct.Struct("<QQQBBBBI")
EVENT = struct.Struct("<qQQqQqqIIIHHBBBBBB2xQQ")
HEADER = struct.Struct("<QIIIIQQQQQqII64s8s64s3s65s")
DOCS = Path(__file__).parents[2] / "docs" / "journal.md"
CONFIGURATION = b"c0" * 32
FINAL, ROLLED = 1, 2


def crc32c(data: bytes) -> int:
    crc = 0xFFFFFFFF
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = crc >> 1 ^ (0x82F63B78 if crc & 1 else 0)
    return crc ^ 0xFFFFFFFF


def event(number: int, kind: int = 1, reason: int = 0, instrument: int = 7) -> bytes:
    return EVENT.pack(
        34_200_000_000_000 + number, 0, 0, 100_012_300_000, 100 + number, 0, 0, number, 0,
        instrument, 0, reason, kind, 1, ord("0"), 0, ord("A"), 0, 100 + number, 0,
    )  # fmt: skip


def record(kind: int, sequence: int, chain: int, payload: bytes) -> bytes:
    def whole(crc: int) -> bytes:
        return payload.ljust(96, b"\0") + TRAILER.pack(sequence, 0, 0, kind, 2, 0, 0, crc)

    return whole(crc32c(whole(chain)))


def header(index: int, sequence: int, chain: int, generation: int = 3) -> bytes:
    def page(crc: int) -> bytes:
        return HEADER.pack(
            0x004C4E4A504B4354, 2, 4096, 128, 2, index, SIZE, sequence, generation, 0, 9, chain,
            crc, b"desk", b"TP", b"model", b"", CONFIGURATION,
        ).ljust(4096, b"\0")  # fmt: skip

    return page(crc32c(page(0)))


class Writer:
    """The simplest thing that writes the format; files stay in memory until save()."""

    def __init__(self, generation: int = 3) -> None:
        self.files: list[bytearray] = []
        self.generation, self.sequence, self.chain, self.count = generation, 1, 0, 0
        self.start()

    def start(self) -> None:
        page = header(len(self.files), self.sequence, self.chain, self.generation)
        self.files.append(bytearray(page))
        self.chain, self.count = struct.unpack_from("<I", page, 76)[0], 0

    def add(self, kind: int, payload: bytes) -> None:
        data = record(kind, self.sequence, self.chain, payload)
        self.chain, self.sequence, self.count = (
            struct.unpack_from("<I", data, 124)[0], self.sequence + 1, self.count + 1)  # fmt: skip
        self.files[-1] += data

    def end(self, cause: int) -> None:
        self.add(2, struct.pack("<qQI", 5, self.count, cause))

    def save(self, directory: Path) -> Path:
        directory.mkdir(exist_ok=True)
        for index, data in enumerate(self.files):
            (directory / f"journal-{index:06d}.tpj").write_bytes(data.ljust(SIZE, b"\0"))
        return directory


def journal_of(directory: Path, *, segments: int = 1, close: bool = True) -> Path:
    writer = Writer()
    writer.add(3, struct.pack("<qII8s", 5, 7, 0, b"ZVZZT   "))
    for index in range(segments):
        if index:
            writer.end(ROLLED)
            writer.start()
        for number in range(4):
            writer.add(1, event(index * 4 + number + 1))
    if close:
        writer.end(FINAL)
    return writer.save(directory)


def flip(path: Path, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


def test_crc_known_answer():
    assert crc32c(b"123456789") == 0xE3069283


def test_records_are_dictionaries_in_fix_words(tmp_path):
    instrument, first, *rest = list(Journal(journal_of(tmp_path / "j")))
    assert instrument == {
        "seq": 1, "time_ns": 5, "clock": "replay", "event": "INSTRUMENT", "instrument_index": 7,
        "symbol": "ZVZZT",
    }  # fmt: skip
    assert first == {
        "seq": 2, "time_ns": 34_200_000_000_001, "clock": "replay", "event": "NEW",
        "cl_ord_id": "TP00000001",
        "user_ref_num": 1, "orig_user_ref_num": None, "venue_order_id": None, "strategy_index": 0,
        "instrument_index": 7, "symbol": "ZVZZT", "side": "BUY", "time_in_force": "0", "qty": 101,
        "price": "100.0123", "price_nanos": 100_012_300_000, "exec_id": None,
        "request_key": None, "liquidity": None,
        "ord_status": "PENDING_NEW", "order_state": None, "leaves_qty": 101, "cum_qty": 0,
        "reason": None, "observed": 0, "limit": 0, "policy_version": 0,
        "session": 0, "inbound_sequence": None,
    }  # fmt: skip
    assert rest[-1] == {
        "seq": 6, "time_ns": 5, "clock": "replay", "event": "END", "record_count": 5,
        "cause": "final",
    }  # fmt: skip


def test_reasons_and_unknown_kinds_are_named(tmp_path):
    writer = Writer()
    writer.add(1, event(1, kind=2, reason=3))
    writer.add(1, event(1, kind=17, reason=3))
    writer.add(99, bytes(96))
    records = list(Journal(writer.save(tmp_path / "j")))
    assert [each.get("reason") for each in records] == ["MAX_ORDER_QTY", "VENUE_3", None]
    assert [each["event"] for each in records] == ["DENIED", "REJECTED", "KIND_99"]


@pytest.mark.parametrize("segments", [1, 3])
@pytest.mark.parametrize("close", [True, False])
def test_a_whole_journal_is_valid(tmp_path, segments, close):
    summary = verify(journal_of(tmp_path / "j", segments=segments, close=close))
    assert (summary["verdict"], summary["valid"]) == ("closed" if close else "open", True)
    assert (summary["records"], summary["segments"]) == (4 * segments + 1, segments)
    assert (summary["appliance"], summary["generation"], summary["fault"]) == ("desk", 3, None)


def cut(path: Path, size: int) -> None:
    path.write_bytes(path.read_bytes()[:size])


def swap(one: Path, other: Path) -> None:
    data = one.read_bytes()
    one.write_bytes(other.read_bytes())
    other.write_bytes(data)


def zero(path: Path, start: int, stop: int) -> None:
    data = bytearray(path.read_bytes())
    data[start:stop] = bytes(stop - start)
    path.write_bytes(data)


DAMAGES = {
    "a segment is missing": (lambda d: (d / "journal-000001.tpj").unlink(), "missing"),
    "the first is missing": (lambda d: (d / "journal-000000.tpj").unlink(), "missing"),
    "the last is missing": (lambda d: (d / "journal-000002.tpj").unlink(), "missing"),
    "the last is cut in a record": (lambda d: cut(d / "journal-000002.tpj", 4200), "torn"),
    "the last is cut behind its end": (lambda d: cut(d / "journal-000002.tpj", 60000), "torn"),
    "the last is longer": (lambda d: (d / "journal-000002.tpj").open("ab").write(b"\0"), "corrupt"),
    "a header is cut": (lambda d: cut(d / "journal-000001.tpj", 100), "corrupt"),
    "a segment is empty": (lambda d: cut(d / "journal-000001.tpj", 0), "corrupt"),
    "a segment is all zero": (lambda d: zero(d / "journal-000001.tpj", 0, SIZE), "corrupt"),
    "the middle lost its end": (
        lambda d: zero(d / "journal-000001.tpj", 4096 + 4 * 128, 4096 + 5 * 128), "corrupt"),
    "another file in its place": (
        lambda d: (d / "journal-000001.tpj").write_bytes(random.Random(1).randbytes(SIZE)),
        "corrupt"),
    "a segment twice": (
        lambda d: (d / "journal-000001.tpj").write_bytes((d / "journal-000002.tpj").read_bytes()),
        "corrupt"),
    "two segments swapped": (lambda d: swap(d / "journal-000000.tpj", d / "journal-000001.tpj"),
        "corrupt"),
    "a file behind the end": (
        lambda d: (d / "journal-000003.tpj").write_bytes(bytes(SIZE)), "corrupt"),
    "an oddly named copy": (
        lambda d: (d / "journal-0000002.tpj").write_bytes(bytes(SIZE)), "missing"),
}  # fmt: skip


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found_and_named(tmp_path, name):
    directory = journal_of(tmp_path / "j", segments=3)
    damage, verdict = DAMAGES[name]
    damage(directory)
    summary = verify(directory)
    assert (summary["verdict"], summary["valid"]) == (verdict, False), summary
    assert summary["fault"] and summary["fault_file"]


def test_a_segment_of_another_run_is_foreign(tmp_path):
    directory = journal_of(tmp_path / "j", segments=1, close=False)
    other = Writer(generation=4)
    other.end(FINAL)
    other.save(tmp_path / "k")
    (directory / "journal-000001.tpj").write_bytes((tmp_path / "k/journal-000000.tpj").read_bytes())
    assert verify(directory)["verdict"] == "corrupt"


def test_a_clock_that_is_set_back_and_forth_changes_no_verdict(tmp_path):
    writer = Writer()
    for number, time_ns in enumerate((10**18, 5, 2 * 10**18, 7, 6), 1):
        writer.add(1, struct.pack("<q", time_ns) + event(number)[8:])
    writer.end(FINAL)
    directory = writer.save(tmp_path / "j")
    assert verify(directory)["verdict"] == "closed"
    found = recover(str(directory), Capacity(10, 10))
    assert (found.state.sequence, found.state.problems()) == (6, [])


def test_a_kill_during_a_roll_leaves_a_valid_journal(tmp_path):
    writer = Writer()
    writer.add(1, event(1))
    directory = writer.save(tmp_path / "j")
    for content in (b"", bytes(SIZE), b"TCKPJNL".ljust(SIZE, b"\0")):
        (directory / "journal-000001.tpj").write_bytes(content)
        assert verify(directory)["verdict"] == "open"
    writer.end(ROLLED)
    writer.save(directory)
    assert verify(directory)["verdict"] == "open"
    (directory / "journal-000001.tpj").unlink()
    assert verify(directory)["verdict"] == "missing"


def test_an_unfinished_append_is_no_record(tmp_path):
    path = journal_of(tmp_path / "j", close=False) / "journal-000000.tpj"
    zero(path, 4096 + 5 * 128 - 4, 4096 + 5 * 128)
    summary = verify(path.parent)
    assert (summary["verdict"], summary["unfinished"], summary["records"]) == ("open", True, 4)


@pytest.mark.parametrize("seed", range(200))
def test_every_flipped_bit_is_found(tmp_path, seed):
    rng = random.Random(seed)
    directory = journal_of(tmp_path / "j", segments=2)
    path = directory / f"journal-{rng.randrange(2):06d}.tpj"
    size = rng.choice([4096, 4096 + 5 * 128, SIZE])
    bit = rng.randrange(size * 8)
    flip(path, bit)
    summary = verify(directory)
    assert not summary["valid"], (path.name, bit)
    assert summary["fault_offset"] // 128 <= bit // 8 // 128 or summary["fault_offset"] == 0


def test_a_good_record_behind_a_bad_one_is_reported(tmp_path, capsys):
    directory = journal_of(tmp_path / "j")
    flip(directory / "journal-000000.tpj", (4096 + 2 * 128 + 40) * 8)
    assert cli.main(["journal", "verify", str(directory)]) == 1
    assert capsys.readouterr().out == (
        f"{directory}: corrupt: something written was changed\n"
        "2 records in 1 segments, last number 2, written by desk\n"
        f"{directory}/journal-000000.tpj at byte 4352: record 3 was changed\n"
        "behind the fault there are whole records again, from number 4 on\n"
    )


def test_dump_prints_a_line_a_record(tmp_path, capsys):
    directory = str(journal_of(tmp_path / "j"))
    assert cli.main(["journal", "dump", directory]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[0] == "1 5 INSTRUMENT clock=replay instrument_index=7 symbol=ZVZZT"
    assert lines[1] == (
        "2 34200000000001 NEW cl_ord_id=TP00000001 strategy_index=0 symbol=ZVZZT side=BUY"
        " time_in_force=0 qty=101 price=100.0123 ord_status=PENDING_NEW leaves_qty=101 cum_qty=0"
    )
    assert cli.main(["journal", "dump", directory, "--json"]) == 0
    text = capsys.readouterr().out
    assert [json.loads(line)["seq"] for line in text.splitlines()] == [1, 2, 3, 4, 5, 6]


def test_dump_stops_at_a_fault_and_says_so(tmp_path, capsys):
    directory = journal_of(tmp_path / "j")
    flip(directory / "journal-000000.tpj", (4096 + 3 * 128) * 8)
    assert cli.main(["journal", "dump", str(directory)]) == 1
    out, err = capsys.readouterr()
    assert len(out.splitlines()) == 3
    assert "corrupt: something written was changed" in err


@pytest.mark.parametrize("action", ["verify", "dump"])
def test_no_journal_is_one_line(tmp_path, capsys, action):
    (tmp_path / "file").write_text("x")
    for name in (tmp_path / "none", tmp_path, tmp_path / "file"):
        assert cli.main(["journal", action, str(name)]) == 2
        assert re.fullmatch(
            r"tickplane: journal: .*; name the directory that a run was given as --journal\n",
            capsys.readouterr().err,
        )


def newer_format(path: Path) -> Path:
    page = bytearray(path.read_bytes()[:4096])
    page[8] = 3
    page[76:80] = bytes(4)
    page[76:80] = struct.pack("<I", crc32c(bytes(page)))
    path.write_bytes(page + path.read_bytes()[4096:])
    return path.parent


def test_a_newer_format_is_not_called_corrupt(tmp_path):
    directory = newer_format(journal_of(tmp_path / "j") / "journal-000000.tpj")
    with pytest.raises(DataplaneError, match="format version 3 with schema 2; this build reads 2"):
        verify(directory)


def test_a_run_does_not_start_on_a_journal_of_another_format(tmp_path, capsys):
    directory = newer_format(journal_of(tmp_path / "j") / "journal-000000.tpj")
    before = sorted((path, path.read_bytes()) for path in directory.iterdir())
    config = str(resources.files("appliance") / "configs" / "live.yaml")
    assert cli.main(["run", config, "--journal", str(directory)]) == 1
    assert "format version 3 with schema 2; this build reads 2" in capsys.readouterr().err
    assert sorted((path, path.read_bytes()) for path in directory.iterdir()) == before


def test_stat_shows_which_build_and_configuration_wrote_it(tmp_path, capsys):
    directory = str(journal_of(tmp_path / "j"))
    assert cli.main(["journal", "stat", directory, "--json"]) == 0
    facts = json.loads(capsys.readouterr().out)
    assert (facts["build"], facts["configuration"]) == ("model", CONFIGURATION.decode())
    assert cli.main(["journal", "stat", directory]) == 0
    assert f"\nwritten by model; configuration {'c0' * 32}\n" in capsys.readouterr().out


def test_the_example_in_the_docs_is_a_real_record():
    lines = re.findall(r"^    [0-9a-f]{4}  ((?:[0-9a-f]{2} ?){16})", DOCS.read_text(), re.M)
    data = bytes.fromhex("".join(lines))
    assert data == record(1, 2, 0x1BADB002, event(1))
