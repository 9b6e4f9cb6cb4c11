"""Power cut at any moment of a run that waits for the disk: what left is in the journal.

The disk is tests/python/cut_disk.py; the engine and its counterparty are those of test_kills.py.
TICKPLANE_CUTS sets how many cuts (200; make soak: 10,000).
"""

from __future__ import annotations

import contextlib
import os
import random
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from cut_disk import CutDisk, Disk  # noqa: E402
from test_kills import CAPACITY, Counterparty, check_packet, live, requests  # noqa: E402

from dataplane import sealing  # noqa: E402
from dataplane.bench_journal import JournalBench  # noqa: E402
from dataplane.journal import verify  # noqa: E402
from dataplane.recovery import recover  # noqa: E402

CUTS = int(os.environ.get("TICKPLANE_CUTS", "200"))
CUTS_A_RUN = 100


class Witness(Counterparty):
    """Says in the disk's log when each packet came."""

    disk: CutDisk

    def take(self, frame: bytes) -> None:
        super().take(frame)
        self.disk.note("packet", self.packets[-1])


def run_on(mount: Path, seed: int, durability: str) -> list[tuple]:
    """Trade on the disk until the engine dies; return its log."""
    party = Witness(seed)
    with cut_disk(mount) as disk:
        party.disk = disk
        live(party, mount / "j", durability, 0.3, seed, packets=200)
    return disk.log


def survivors(disk: Disk, directory: Path, rng: random.Random) -> bool:
    """Lose power here; return whether anything was left."""
    directory.mkdir()
    for name, data in disk.survivors(rng).items():
        (directory / name).write_bytes(data)
    return any(directory.iterdir())


def check_cut(packets: list[tuple], directory: Path) -> None:
    """Compare what recovery finds with what had left."""
    found = recover(str(directory), CAPACITY)
    assert found.state.problems() == []
    recorded, _ = requests(directory, found.state.sequence)
    for packet in packets:
        check_packet(packet, recorded)


def cuts(log: list[tuple], rng: random.Random, count: int) -> Iterator[tuple[Disk, list[tuple]]]:
    """Yield the disk and the packets that had left, at so many places of the log."""
    # Most cuts right behind a packet or a flush, where a promise has just been made.
    marks = [at for at, op in enumerate(log) if op[0] in ("packet", "sync")]
    places = sorted(
        rng.choice(marks) + 1 if rng.random() < 0.7 else rng.randrange(len(log))
        for _ in range(count)
    )
    disk, packets, at = Disk(), [], 0
    for place in places:
        for op in log[at:place]:
            if op[0] == "packet":
                packets.append(op[1])
            else:
                disk.apply(op)
        at = max(at, place)
        yield disk, packets


@pytest.mark.parametrize("seed", range((CUTS + CUTS_A_RUN - 1) // CUTS_A_RUN))
def test_what_left_before_a_power_cut_is_in_the_journal(seed, tmp_path):
    log, rng = run_on(tmp_path / "disk", seed, "fsync"), random.Random(seed)
    assert sum(op[0] == "packet" for op in log) > 100
    for number, (disk, packets) in enumerate(cuts(log, rng, CUTS_A_RUN)):
        directory = tmp_path / f"cut-{number}"
        if not survivors(disk, directory, rng):
            assert not packets
            continue
        check_cut(packets, directory)
        if number % 10 == 0:  # and the next run goes on from there
            party = Counterparty(seed)
            party.seen = {packet[1] for packet in packets if packet[0] != "X"}
            assert live(party, directory, "fsync", 0.05, seed + 1, packets=20)
            check_cut(packets + party.packets, directory)
        shutil.rmtree(directory)


@contextlib.contextmanager
def cut_disk(mount: Path) -> Iterator[CutDisk]:
    mount.mkdir()
    try:
        with CutDisk(mount) as disk:
            yield disk
    except OSError as error:
        if error.filename != "/dev/fuse":
            raise
        pytest.skip(f"a file system of our own needs root and /dev/fuse: {error.strerror}")


def sealed_and_cut(raw: Path, tmp_path: Path, flushed: list[Path], seed: int) -> Iterator[Path]:
    """Seal and release on the disk, those files flushed before; yield what cuts leave of it."""
    rng, place = random.Random(seed), tmp_path / "disk" / "j"
    with cut_disk(tmp_path / "disk") as disk:
        shutil.copytree(raw, place)
        for path in flushed:
            sealing.flush(str(place / path.name))
        sealing.flush(str(place))
        begin = len(disk.log)
        words = ["journal", "seal", str(place), "--keep-mib", "0"]
        subprocess.run([sys.executable, "-m", "appliance", *words], check=True)
    assert sum(op[0] == "unlink" for op in disk.log) == len(list(raw.iterdir())) - 1
    for number in range(CUTS_A_RUN):
        left = Disk()
        for op in disk.log[: rng.randrange(begin, len(disk.log) + 1)]:
            left.apply(op)
        directory = tmp_path / f"cut-{number}"
        assert survivors(left, directory, rng)
        yield directory
        shutil.rmtree(directory)


def small_journal(directory: Path) -> list[Path]:
    """Write a journal of five segments; return their paths."""
    bench = JournalBench()
    bench.open(str(directory), 64 << 10, 0)
    bench.fill(2_000)
    bench.close()
    return sorted(directory.iterdir())


def test_a_power_cut_while_segments_are_sealed_and_released_loses_none(tmp_path):
    paths = small_journal(tmp_path / "raw")
    expected = verify(tmp_path / "raw") | {"directory": ""}
    for directory in sealed_and_cut(tmp_path / "raw", tmp_path, paths, 5):
        assert verify(directory) | {"directory": ""} == expected
        assert sealing.check(str(directory))[1] == []


def test_no_segment_is_released_before_a_writer_could_go_on_behind_it(tmp_path):
    *_, before, last = small_journal(tmp_path / "raw")
    data = last.read_bytes().rstrip(b"\0")
    data = data[: (len(data) - 1) // 128 * 128]  # without its end record: still being written
    last.write_bytes(data.ljust(64 << 10, b"\0"))
    for directory in sealed_and_cut(tmp_path / "raw", tmp_path, [], 6):
        if not (directory / before.name).exists():
            assert (directory / last.name).read_bytes()[:4096] == data[:4096]
        assert sealing.check(str(directory))[1] == []  # nor is one sealed that is not on disk


def test_a_run_that_waits_for_nothing_is_seen_to_lose(tmp_path):
    log, rng = run_on(tmp_path / "disk", 1, "memory"), random.Random(1)
    lost = 0
    for number, (disk, packets) in enumerate(cuts(log, rng, 10)):
        directory = tmp_path / f"cut-{number}"
        if not survivors(disk, directory, rng):
            lost += bool(packets)
            continue
        try:
            check_cut(packets, directory)
        except AssertionError:
            lost += 1
    assert lost > 0
