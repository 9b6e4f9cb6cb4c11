"""Sealed segments: the same journal in less space, whenever the sealer dies and whatever is cut.

The reader here was written from docs/journal.md.
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import shutil
import struct
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest
import zstandard

from appliance import cli
from appliance import config as configuration
from appliance.errors import CommandError
from appliance.seal import beside
from dataplane import sealing
from dataplane.bench_journal import JournalBench
from dataplane.errors import DataplaneError
from dataplane.journal import Journal, verify
from dataplane.journal_view import JournalView
from dataplane.recovery import Capacity, recover, save_checkpoint
from dataplane.sealing import Retention
from dataplane.segment import Segment

SEGMENT = 2 << 20  # two blocks a segment
EVENTS = 40_000
# Column order, widths, and which grow: the table of docs/journal.md.
COLUMNS = (
    (0, 8, 1), (8, 8, 0), (16, 8, 0), (24, 8, 1), (32, 8, 0), (40, 8, 0), (48, 8, 0), (56, 4, 1),
    (60, 4, 0), (64, 4, 0), (68, 2, 0), (70, 2, 0), (72, 1, 0), (73, 1, 0), (74, 1, 0), (75, 1, 0),
    (76, 1, 0), (77, 1, 0), (78, 2, 0), (80, 8, 0), (88, 8, 0), (96, 8, 1), (104, 8, 0),
    (112, 8, 1), (120, 1, 0), (121, 1, 0), (122, 1, 0), (123, 1, 0),
)  # fmt: skip
BLOCK = struct.Struct("<QQqqIIIIIIII32s")
TRAILER = struct.Struct("<QIIIIIIQQQQ32s32s32s28xI")


def written(directory: Path, events: int = EVENTS, size: int = SEGMENT) -> Path:
    bench = JournalBench()
    bench.open(str(directory), size, 0)
    bench.fill(events)
    bench.close()
    return directory


@pytest.fixture(scope="module")
def raw(tmp_path_factory) -> Path:
    """Three segments, closed."""
    return written(tmp_path_factory.mktemp("sealing") / "j")


@pytest.fixture
def both(raw, tmp_path) -> Path:
    """The same, sealed, with the segments' own files."""
    directory = Path(shutil.copytree(raw, tmp_path / "both"))
    sealing.seal(str(directory))
    return directory


@pytest.fixture
def sealed(both) -> Path:
    """The same without the segments' own files."""
    for path in both.glob("*.tpj"):
        path.unlink()
    return both


# ---- an outsider's reader ----


def unpacked(planes: bytes, count: int) -> bytearray:
    """Put a block's columns together; crcs are 0."""
    records, at = bytearray(count * 128), 0
    for offset, width, grows in COLUMNS:
        mask, before = (1 << 8 * width) - 1, 0
        for index in range(count):
            value = int.from_bytes(
                bytes(planes[at + byte * count + index] for byte in range(width)), "little"
            )
            if grows:
                value = before = before + (value >> 1 ^ -(value & 1)) & mask
            place = index * 128 + offset
            records[place : place + width] = value.to_bytes(width, "little")
        at += width * count
    return records


def tree(nodes: list[bytes]) -> bytes:
    while len(nodes) > 1:
        pairs = [
            hashlib.sha256(b"\1" + nodes[at] + nodes[at + 1]).digest()
            for at in range(0, len(nodes) - 1, 2)
        ]
        nodes = pairs + nodes[len(pairs) * 2 :]
    return nodes[0]


def test_the_format_is_the_one_in_the_docs(raw, sealed):
    data = (sealed / "journal-000002.tps").read_bytes()
    segment = (raw / "journal-000002.tpj").read_bytes()
    magic, version, codec, algorithm, blocks, _, chain, count, place, index, size, *rest = (
        TRAILER.unpack(data[-192:])
    )
    root, previous, chained, _ = rest
    assert (magic.to_bytes(8, "little"), version, codec, algorithm) == (b"TCKPSEAL", 1, 1, 1)
    assert (index, size, blocks) == (2, SEGMENT, 1)
    assert data[:4096] == segment[:4096]
    block = BLOCK.unpack_from(data, place)
    assert block[1] == struct.unpack_from("<Q", segment, 4096 + 96)[0]
    planes = zstandard.decompress(data[block[0] : block[0] + block[4]])
    records = segment[4096 : 4096 + count * 128]
    without_crc = bytearray(records)
    for at in range(124, len(records), 128):
        without_crc[at : at + 4] = bytes(4)
    assert unpacked(planes, count) == without_crc
    assert struct.unpack_from("<I", records, len(records) - 4)[0] == chain
    leaves = [
        hashlib.sha256(b"\0" + records[at : at + 128]).digest() for at in range(0, count * 128, 128)
    ]
    assert tree(leaves) == block[-1]
    expected = hashlib.sha256(b"\2" + data[:4096] + count.to_bytes(8, "little") + block[-1])
    assert root == expected.digest()
    assert chained == hashlib.sha256(b"\3" + previous + root).digest()
    before = TRAILER.unpack((sealed / "journal-000001.tps").read_bytes()[-192:])
    assert previous == before[13]


# ---- the same journal ----


def test_every_reader_sees_the_same(raw, sealed, capsys):
    assert list(Journal(sealed)) == list(Journal(raw))
    facts = [verify(each) | {"directory": ""} for each in (raw, sealed)]
    assert facts[0] == facts[1]
    capacity = Capacity(EVENTS, EVENTS)
    states = [recover(str(each), capacity).state for each in (raw, sealed)]
    assert states[0].sequence == states[1].sequence > EVENTS
    assert states[0].positions() == states[1].positions()
    with JournalView(raw) as one, JournalView(sealed) as other:
        for mine, theirs in zip(one, other, strict=True):
            assert mine.tobytes() == theirs.tobytes()
    texts = []
    for each in (raw, sealed):
        assert cli.main(["journal", "replay", str(each), "--sequence", "20000"]) == 0
        assert cli.main(["journal", "tail", str(each), "-n", "3", "-f"]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    assert cli.main(["journal", "verify", str(sealed), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["valid"], found["sealed"], found["problems"]) == (True, 3, [])


@pytest.mark.parametrize("sequence", [5, 20_000, 30_000, EVENTS - 1])
def test_a_checkpoint_of_a_segment_serves_the_sealed_one(raw, sealed, tmp_path, sequence):
    before = Path(shutil.copytree(raw, tmp_path / "before"))
    capacity = Capacity(EVENTS, EVENTS)
    found = recover(str(before), capacity, until_sequence=sequence)
    (sealed / Path(save_checkpoint(str(before), found)).name).write_bytes(
        next(before.glob("checkpoint-*")).read_bytes()
    )
    expected, found = recover(str(raw), capacity), recover(str(sealed), capacity)
    assert found.checkpoint is not None and found.passed_over == []
    assert found.state.counts == expected.state.counts
    assert found.state.sequence == expected.state.sequence
    assert found.state.positions() == expected.state.positions()


def test_files_become_small_and_are_sealed_once(both, capsys):
    sizes = [path.stat().st_size for path in both.glob("*.tps")]
    assert sum(sizes) * 5 < EVENTS * 128
    assert sealing.seal(str(both)) == sealing.Done([], [], 0, 0)


def test_blocks_of_no_interest_are_not_read(sealed, capsys):
    segment = Segment(str(sealed / "journal-000000.tps"))
    assert segment.sealed is not None and segment.sealed.block_count == 2
    block = segment.sealed.block(0)
    last = segment.sealed.block(1)
    with (sealed / "journal-000000.tps").open("r+b") as file:
        file.seek(block["offset"] + 100)
        file.write(b"\xff" * 8)
    words = ["journal", "dump", str(sealed), "--order", str(last["number_max"])]
    assert cli.main([*words, "--json"]) == 0
    lines = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["event"] for each in lines][:2] == ["NEW", "ACCEPTED"]
    assert verify(sealed)["verdict"] == "corrupt"
    assert verify(sealed)["fault_offset"] == block["offset"]


def test_what_was_stepped_over_changes_no_answer(raw, sealed, capsys):
    times = sorted(each["time_ns"] for each in Journal(raw))
    rng = random.Random(1)
    for _ in range(4):
        since, until = sorted(rng.sample(times, 2))
        texts = []
        for each in (raw, sealed):
            words = ["--since", str(since), "--until", str(until), "--kind", "NEW"]
            assert cli.main(["journal", "dump", str(each), *words]) == 0
            texts.append(capsys.readouterr().out)
        assert texts[0] == texts[1]


@pytest.mark.parametrize(
    ("first", "last"), [(1, 3), (8190, 8195), (16_300, 16_400), (EVENTS, None)]
)
def test_records_are_found_by_their_numbers(raw, sealed, capsys, first, last):
    words = ["--from", str(first), *([] if last is None else ["--to", str(last)])]
    texts = []
    for each in (raw, sealed):
        assert cli.main(["journal", "dump", str(each), "--json", *words]) == 0
        texts.append(capsys.readouterr().out)
    assert texts[0] == texts[1]
    numbers = [json.loads(line)["seq"] for line in texts[0].splitlines()]
    assert numbers == list(range(first, (last or EVENTS + 3) + 1))


# ---- damage ----


def flip(path: Path, bit: int) -> None:
    data = bytearray(path.read_bytes())
    data[bit // 8] ^= 1 << bit % 8
    path.write_bytes(data)


@pytest.mark.parametrize("seed", range(20))
@pytest.mark.parametrize("keep", ["sealed", "both"])
def test_every_flipped_bit_is_found_and_named(request, capsys, seed, keep):
    directory = request.getfixturevalue(keep)
    rng = random.Random(seed)
    path = directory / f"journal-00000{rng.randrange(3)}.tps"
    flip(path, rng.randrange(path.stat().st_size * 8))
    assert cli.main(["journal", "verify", str(directory)]) == 1
    assert str(path) in capsys.readouterr().out


DAMAGES = {
    "cut": lambda d: os.truncate(d / "journal-000001.tps", 5000),
    "empty": lambda d: os.truncate(d / "journal-000001.tps", 0),
    "foreign": lambda d: (d / "journal-000001.tps").write_bytes(random.Random(1).randbytes(9000)),
    "doubled": lambda d: shutil.copy(d / "journal-000000.tps", d / "journal-000001.tps"),
    "missing": lambda d: (d / "journal-000001.tps").unlink(),
    "a segment under that name": lambda d: (d / "journal-000001.tps").write_bytes(bytes(SEGMENT)),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_damage_is_found(sealed, capsys, name):
    DAMAGES[name](sealed)
    assert cli.main(["journal", "verify", str(sealed)]) == 1
    assert "journal-000001.tp" in capsys.readouterr().out


def test_a_sealed_file_that_says_otherwise_than_its_segment_is_named(both, tmp_path, capsys):
    other = written(tmp_path / "other", EVENTS - 4)
    sealing.seal(str(other))
    shutil.copy(other / "journal-000002.tps", both / "journal-000002.tps")
    assert cli.main(["journal", "verify", str(both)]) == 1
    out = capsys.readouterr().out
    assert f"it is not what {both / 'journal-000002.tpj'} holds" in out


def test_a_segment_with_a_fault_is_not_sealed(raw, tmp_path):
    directory = Path(shutil.copytree(raw, tmp_path / "j"))
    flip(directory / "journal-000001.tpj", 8 * (4096 + 5 * 128 + 3))
    with pytest.raises(DataplaneError, match="it is corrupt, not closed"):
        sealing.seal(str(directory))
    assert [path.name for path in directory.glob("*.tps*")] == ["journal-000000.tps"]


# ---- retention ----


def test_without_a_retention_every_segment_stays(both):
    assert len(list(both.glob("*.tpj"))) == 3


def test_segments_go_by_size_the_oldest_first_and_never_the_last(both):
    assert sealing.seal(str(both), Retention(size=2 * SEGMENT)).released == [
        str(both / "journal-000000.tpj")
    ]
    assert sealing.seal(str(both), Retention(size=0)).released == [str(both / "journal-000001.tpj")]
    assert [path.name for path in both.glob("*.tpj")] == ["journal-000002.tpj"]
    assert verify(both)["valid"]


def test_segments_go_by_age(both):
    hour = 3600 * 10**9
    assert sealing.seal(str(both), Retention(age_ns=hour)).released == []
    old = time.time() - 7200
    os.utime(both / "journal-000000.tpj", (old, old))
    assert sealing.seal(str(both), Retention(age_ns=hour)).released == [
        str(both / "journal-000000.tpj")
    ]


def test_what_is_not_sealed_does_not_go(raw, tmp_path):
    directory = Path(shutil.copytree(raw, tmp_path / "j"))
    (directory / "journal-000002.tpj").unlink()
    done = sealing.seal(str(directory), Retention(size=0))
    assert [Path(path).name for path in done.released] == ["journal-000000.tpj"]
    assert verify(directory)["verdict"] == "missing"


# ---- the verb ----


def test_the_verb_says_what_it_did(raw, tmp_path, capsys):
    directory = Path(shutil.copytree(raw, tmp_path / "j"))
    assert cli.main(["journal", "seal", str(directory), "--keep-mib", "4"]) == 0
    sizes = sum(path.stat().st_size for path in directory.glob("*.tps"))
    assert capsys.readouterr().out == (
        f"sealed 3 segments: {3 * SEGMENT} bytes on disk are now {sizes}\n"
        f"released {directory}/journal-000000.tpj\n"
    )
    assert cli.main(["journal", "seal", str(tmp_path / "none")]) == 2


def test_following_ends_with_the_journal(raw, sealed, tmp_path, capsys):
    directory = Path(shutil.copytree(raw, tmp_path / "j"))
    words = [sys.executable, "-m", "appliance", "journal", "seal", "-f"]
    for each in (directory, sealed):
        ended = subprocess.run([*words, each], capture_output=True, text=True, check=True)
        assert ended.stdout.startswith("sealed 3 segments" if each == directory else "")
    assert len(list(directory.glob("*.tps"))) == 3


def test_a_second_sealer_is_refused(raw, capsys):
    with sealing.sealer(str(raw)):
        assert cli.main(["journal", "seal", str(raw)]) == 1
    assert capsys.readouterr().err == (
        f"tickplane: journal: {raw}: another process seals it; let that one do it\n"
    )


def test_a_sealer_beside_a_run_follows_it_to_its_end(tmp_path):
    text = configuration.example_text().replace("  seal: false", "  seal: true\n  keep_mib: 0")
    path = tmp_path / "c.yaml"
    path.write_text(text)
    directory = tmp_path / "j"
    bench = JournalBench()
    with beside(str(directory), configuration.load(str(path))):
        bench.open(str(directory), SEGMENT, 0)
        bench.fill(EVENTS)
        deadline = time.monotonic() + 600  # at the lowest priority
        while not (directory / "journal-000001.tps").exists():
            assert time.monotonic() < deadline
            time.sleep(0.01)
        assert not (directory / "journal-000002.tps").exists()
        bench.close()
    assert len(list(directory.glob("*.tps"))) == 3
    assert [each.name for each in directory.glob("*.tpj")] == ["journal-000002.tpj"]
    assert verify(directory)["verdict"] == "closed"


def test_keys_that_are_not_there_are_said_before_the_run(tmp_path):
    text = configuration.example_text().replace(
        "  seal: false", f"  seal: true\n  keys: {tmp_path}/none"
    )
    path = tmp_path / "c.yaml"
    path.write_text(text)
    with (
        pytest.raises(CommandError, match="none: No such file or directory; make keys"),
        beside(str(tmp_path / "j"), configuration.load(str(path))),
    ):
        pytest.fail("the run began")


def test_a_sealer_dies_with_its_run(tmp_path):
    code = (
        "import os, sys, subprocess, signal\n"
        "child = subprocess.Popen([sys.executable, '-m', 'appliance', 'journal', 'seal',"
        f" {str(tmp_path)!r}, '-f', '--parent', str(os.getpid())])\n"
        "print(child.pid, flush=True)\n"
        "os.kill(os.getpid(), signal.SIGKILL)\n"
    )
    written(tmp_path / "j")
    for each in (tmp_path / "j").iterdir():
        each.rename(tmp_path / each.name)
    out = subprocess.run(
        [sys.executable, "-c", code], stdout=subprocess.PIPE, check=False
    ).stdout.split()[0]
    deadline = time.monotonic() + 600
    while Path(f"/proc/{int(out)}").exists():
        assert time.monotonic() < deadline
        time.sleep(0.05)
    assert sealing.check(str(tmp_path))[1] == []


def test_chained_roots_go_from_segment_to_segment(both):
    trailers = [sealing.Sealed(str(path)).trailer for path in sorted(both.glob("*.tps"))]
    assert trailers[0]["previous"] == bytes(32)
    for before, behind in pairwise(trailers):
        assert behind["previous"] == before["chained"]
