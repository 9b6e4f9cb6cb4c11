"""A generated session on two lines: every packet as it stands in the pcap."""

from __future__ import annotations

import struct
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from appliance import generate as verb
from appliance.cli import main
from dataplane.generate import session_bytes

SECOND_NS = 1_000_000_000


class Packet(NamedTuple):
    time_ns: int
    line: int
    sequence: int
    count: int
    blocks: bytes


GROUPS = {bytes([233, 54, 12, 111]): 0, bytes([233, 49, 196, 111]): 1}


def packets_of(path: Path) -> Iterator[Packet]:
    data = path.read_bytes()
    assert struct.unpack("<I", data[:4]) == (0xA1B23C4D,)
    at = 24
    while at < len(data):
        seconds, nanos, size, whole = struct.unpack("<IIII", data[at : at + 16])
        frame = data[at + 16 : at + 16 + size]
        at += 16 + size
        assert size == whole <= 14 + 1500
        assert frame[42:52] == b"TICKPLANE1"
        sequence, count = struct.unpack(">QH", frame[52:62])
        line = GROUPS[frame[30:34]]
        yield Packet(seconds * SECOND_NS + nanos, line, sequence, count, frame[62:])


def write_pcap(path: Path, **lines: int) -> list[tuple[int, int]]:
    return verb.write_pcap(str(path), 20_000, 50, 3, **lines)


def sequences(packets: list[Packet], line: int) -> Counter[int]:
    return Counter(
        sequence
        for packet in packets
        if packet.line == line and packet.count != 0xFFFF
        for sequence in range(packet.sequence, packet.sequence + packet.count)
    )


def test_without_loss_both_lines_carry_everything_once(tmp_path: Path) -> None:
    assert write_pcap(tmp_path / "day") == []
    packets = list(packets_of(tmp_path / "day"))
    for line in (0, 1):
        assert sequences(packets, line) == Counter(range(1, 20_001))
        data = b"".join(p.blocks for p in packets if p.line == line)
        assert data == bytes(session_bytes(20_000, 50, 3))
        ends = [p for p in packets if p.line == line and p.count == 0xFFFF]
        assert [end.sequence for end in ends] == [20_001] * 3
    times = [packet.time_ns for packet in packets]
    assert times == sorted(times)
    assert any(packet.count == 0 for packet in packets), "quiet times have heartbeats"
    assert any(len(packet.blocks) > 1000 for packet in packets), "bursts share packets"


def test_what_one_line_loses_the_other_has(tmp_path: Path) -> None:
    lines = {"loss_a": 100_000, "loss_b": 100_000, "reorder": 50_000, "duplicate": 50_000}
    assert write_pcap(tmp_path / "day", **lines) == []
    packets = list(packets_of(tmp_path / "day"))
    seen = [sequences(packets, line) for line in (0, 1)]
    for line in (0, 1):
        assert 15_000 < len(seen[line]) < 19_500
        assert max(seen[line].values()) == 2
    assert set(seen[0]) | set(seen[1]) == set(range(1, 20_001))
    data = [p for p in packets if p.line == 0 and 0 < p.count < 0xFFFF]
    assert any(left.sequence > right.sequence for left, right in zip(data, data[1:], strict=False))
    times = [packet.time_ns for packet in packets]
    assert times == sorted(times)


def test_what_both_lose_is_told_exactly(tmp_path: Path) -> None:
    gaps = write_pcap(tmp_path / "day", lose_both=3, loss_a=10_000)
    assert len(gaps) == 3
    packets = list(packets_of(tmp_path / "day"))
    seen = set(sequences(packets, 0)) | set(sequences(packets, 1))
    lost = {sequence for first, last in gaps for sequence in range(first, last + 1)}
    assert set(range(1, 20_001)) - seen == lost


def test_a_pcap_is_the_same_every_time(tmp_path: Path) -> None:
    for name in ("one", "two"):
        write_pcap(tmp_path / name, loss_a=1000, reorder=1000)
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


def test_the_verb_lists_the_gaps(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    words = ["--messages", "20000", "--symbols", "50", "--seed", "3", "--format", "pcap"]
    assert main(["generate", str(tmp_path / "day"), *words, "--lose-both", "1"]) == 0
    [(first, last)] = write_pcap(tmp_path / "again", lose_both=1)
    text = f"lost on both lines: sequence numbers {first} to {last}\n"
    assert capsys.readouterr().out == text
