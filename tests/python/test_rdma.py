"""RDMA: the ring's layout and both its ends, and what is said where there is no device or binding.

The connection itself is tested over soft-RoCE between two servers of the lab: make lab.
"""

from __future__ import annotations

import random
import socket
import sys

import pytest

from appliance.cli import main
from appliance.machine.rdma import wait_record
from control import rdma, rdma_link, rdma_verbs
from control.errors import ControlError
from control.rdma import Gid, best_gid, gids
from control.rdma_link import COUNT, has_ended
from control.rdma_ring import HEAD, Reader, Ring, Writer, pack


class Memory:
    """The reader's memory, written a few bytes at a time and in any order."""

    def __init__(self, ring: Ring) -> None:
        self.bytes = bytearray(ring.bytes)
        self.on_way: list[tuple[int, bytes]] = []

    def read(self, at: int, size: int) -> bytes:
        return bytes(self.bytes[at : at + size])

    def write(self, at: int, data: bytes) -> None:
        self.on_way += [(at + i, data[i : i + 5]) for i in range(0, len(data), 5)]

    def land(self, rng: random.Random) -> None:
        at, part = self.on_way.pop(rng.randrange(min(len(self.on_way), 8)))
        self.bytes[at : at + len(part)] = part


class Unconnected:
    """A connection whose other end takes nothing."""

    def __init__(self, device: str, inbound: int, outbound: int) -> None:
        pass

    def describe(self, ring: Ring) -> None: ...

    def connect(self, other: object) -> None: ...

    def write(self, at: int, data: bytes, to: int) -> None: ...

    def reap(self, under_way_max: int) -> None: ...

    def read(self, at: int, size: int) -> bytes:
        return bytes(COUNT.size)

    def close(self) -> None: ...


END = ("fe80::1", 1, 2, 3, 4)


@pytest.mark.parametrize("seed", range(8))
def test_records_come_whole_and_in_order_whatever_lands_first(seed):
    rng = random.Random(seed)
    ring = Ring(slots=rng.choice([2, 3, 8]), payload_bytes=40)
    memory = Memory(ring)
    writer, reader = Writer(ring, memory.write), Reader(ring, memory.read)
    sent, got = [], []
    while len(got) < 300:
        record = rng.randbytes(rng.randrange(41))
        if rng.random() < 0.3 and writer.push(record, reader.taken):
            sent.append(record)
        if memory.on_way:
            memory.land(rng)
        if (found := reader.pop()) is not None:
            got.append(found)
    assert got == sent[: len(got)]


def test_a_full_ring_takes_nothing_until_some_was_taken():
    ring = Ring(slots=3, payload_bytes=8)
    writes = []
    writer = Writer(ring, lambda at, data: writes.append((at, data)))
    assert [writer.push(b"x", 0) for _ in range(5)] == [True, True, True, False, False]
    assert writer.push(b"y", 1)
    assert [at for at, _ in writes] == [0, 64, 128, 0]
    with pytest.raises(ValueError, match="ring: record of 9; its slots take 8"):
        writer.push(bytes(9), 4)


def test_a_spoiled_record_is_none():
    ring = Ring(slots=2, payload_bytes=16)
    whole = pack(1, b"sixteen bytes...")
    for at in range(len(whole)):
        memory = bytearray(ring.bytes)
        memory[: len(whole)] = whole
        memory[at] ^= 0x10
        assert Reader(ring, lambda at, size, m=memory: bytes(m[at : at + size])).pop() is None
    assert len(whole) == HEAD.size + 16


@pytest.mark.parametrize(
    ("slots", "payload", "words"),
    [(1, 8, "ring: 1 slots; give 2 to"), (8, 0, "ring: payload of 0; give 1 to")],
)
def test_a_ring_that_cannot_be_is_refused(slots, payload, words):
    with pytest.raises(ValueError, match=words):
        Ring(slots, payload)


@pytest.fixture
def port(tmp_path):
    """A device with a port, as the kernel shows it."""
    folder = tmp_path / "rxe0/ports/1"
    rows = [
        ("fe80:0000:0000:0000:0000:00ff:fe00:0001", "IB/RoCE v1", "eth0"),
        ("0000:0000:0000:0000:0000:0000:0000:0000", None, None),
        ("fe80:0000:0000:0000:0000:00ff:fe00:0001", "RoCE v2", "eth0"),
        ("0000:0000:0000:0000:0000:ffff:0a09:0001", "RoCE v2", "eth0"),
    ]
    for name in ("gids", "gid_attrs/types", "gid_attrs/ndevs"):
        (folder / name).mkdir(parents=True)
    for index, (gid, kind, interface) in enumerate(rows):
        (folder / f"gids/{index}").write_text(f"{gid}\n")
        if kind:
            (folder / f"gid_attrs/types/{index}").write_text(f"{kind}\n")
            (folder / f"gid_attrs/ndevs/{index}").write_text(f"{interface}\n")
    return tmp_path


def test_addresses_in_use_are_listed_and_the_best_is_routable(port):
    found = tuple(gids("rxe0", port))
    assert [gid.index for gid in found] == [0, 2, 3]
    assert found[0] == Gid(0, "fe80:0000:0000:0000:0000:00ff:fe00:0001", "IB/RoCE v1", "eth0")
    assert best_gid(found) == found[2]
    assert best_gid(found[:2]) == found[1]
    assert best_gid(()) is None
    assert rdma.names(port) == ("rxe0",)
    assert rdma.names(port / "none") == ()


def test_a_device_that_is_not_there_is_one_line(monkeypatch):
    monkeypatch.setattr(rdma, "names", lambda: ("mlx5_0",))
    with pytest.raises(ControlError, match=r"rdma rxe0: no such device, known: mlx5_0; load its"):
        rdma.open_device("rxe0")


def test_without_pyverbs_it_says_what_to_install(tmp_path, monkeypatch):
    monkeypatch.setattr(sys, "modules", {k: v for k, v in sys.modules.items() if k != "pyverbs"})
    monkeypatch.setattr(rdma_verbs.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ControlError, match="pyverbs is missing; apt-get install python3-pyverbs"):
        rdma_verbs.load("device", (str(tmp_path),))


def test_a_pyverbs_of_another_python_is_one_line(tmp_path, monkeypatch):
    (tmp_path / "pyverbs").mkdir()
    (tmp_path / "pyverbs/__init__.py").touch()
    monkeypatch.setattr(sys, "modules", {k: v for k, v in sys.modules.items() if k != "pyverbs"})
    monkeypatch.setattr(rdma_verbs.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(ControlError, match="pyverbs is not for this Python, 3.*system's python3"):
        rdma_verbs.load("device", (str(tmp_path),))


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["send", "rxe0", "nowhere"], "rdma: 'nowhere' is no address; write it like 10.7.0.1:5000"),
        (["send", "rxe0", "h:99999"], "rdma: 'h:99999' is no address; write it like"),
        (["send", "rxe0", "h:1", "--slots", "1"], "rdma: ring: 1 slots; give 2 to 65536"),
        (["send", "rxe0", "h:1", "--payload", "4"], "rdma: a record is a number: give --payload 8"),
    ],
)
def test_wrong_words_are_one_line(words, says, capsys):
    assert main(["rdma", *words]) == 2
    assert says in capsys.readouterr().err


def test_where_nobody_listens_is_one_line(capsys):
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))  # taken, and nobody listens
        address = f"127.0.0.1:{held.getsockname()[1]}"
        assert main(["rdma", "send", "rxe0", address]) == 2
    assert capsys.readouterr().err == (
        f"tickplane: rdma: {address}: connection refused; the receiver listens there first, "
        "then send\n"
    )


def test_no_device_is_a_clear_line(monkeypatch, capsys):
    monkeypatch.setattr(rdma, "names", lambda: ())
    assert main(["rdma", "list"]) == 0
    assert capsys.readouterr().out == (
        "no RDMA device; load a card's driver, or: rdma link add rxe0 type rxe netdev eth0\n"
    )


def test_the_other_end_is_missed_when_its_process_ends():
    here, there = socket.socketpair()
    with here:
        assert not has_ended(here)
        there.send(b"+")
        there.close()
        assert not has_ended(here)  # it said something that is still to be read
        assert here.recv(1) == b"+"
        assert has_ended(here)


def test_records_that_stop_with_their_sender_are_one_line():
    here, there = socket.socketpair()
    records = iter([b"first"])
    with here:
        assert wait_record(here, lambda: next(records, None), 0) == b"first"
        there.close()
        with pytest.raises(ControlError, match="rdma: 1 records came, and then none; look there"):
            wait_record(here, lambda: None, 1)


def test_a_ring_that_stays_full_says_that_its_receiver_is_gone(monkeypatch):
    here, there = socket.socketpair()
    monkeypatch.setattr(rdma_link, "Connection", Unconnected)
    monkeypatch.setattr(rdma_link, "exchange", lambda stream, own: rdma_link.End(*END, 2, 8))
    there.send(b"+")
    with here, rdma_link.sending(here, "rxe0", Ring(slots=2, payload_bytes=8)) as push:
        assert [push(b"x") for _ in range(4)] == [True, True, False, False]
        there.close()
        with pytest.raises(ControlError, match="rdma: the receiver is gone; 0 records were taken"):
            push(b"x")
