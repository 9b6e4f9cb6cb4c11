"""An engine killed at any moment, beside a counterparty that remembers every packet it received.

After every death: what the counterparty saw is in the journal, content and all; no order came
twice; what the journal calls never sent did not come; the state recovered is the one that the
events and the counterparty's answers lead to. TICKPLANE_KILLS sets how many (50; make soak: 1,000),
and by that at how many places of a start, a roll, a checkpoint they die.
"""

from __future__ import annotations

import itertools
import os
import random
import select
import signal
import socket
import struct
import subprocess
import sys
import time
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from die_at import DieAt

from dataplane import sealing
from dataplane.recovery import Capacity, recover, save_checkpoint

KILLS = int(os.environ.get("TICKPLANE_KILLS", "50"))
CAPACITY = Capacity(orders=1 << 17, executions=1 << 17, instruments=2)
SEGMENT = 64 << 10
SLOW_SECONDS = 30.0
ANSWER = struct.Struct("<QQqIIII")
HEADERS = 14 + 20 + 20 + 3  # Ethernet, IPv4, TCP, SoupBinTCP
NEW, REPLACE, CANCEL = "O", "U", "X"
ACCEPTED, FILLED, CANCELED, REPLACED = 16, 18, 19, 20
TICK_NANOS = 100_000
# Of a record: price, quantity, numbers, kind of event, side, sequence, kind of record.
RECORD = struct.Struct("<24xqQ16xII8xBB22xQ16xB7x")
EVENT = 1
EVENT_NEW, EVENT_DENIED, EVENT_REPLACE, EVENT_NOT_SENT = 1, 2, 3, 7


def worker_path() -> Path:
    """Return the program that the build made."""
    found = sorted(Path(__file__).parents[2].glob("build/*/tests/journal_worker"))
    assert found, "build it: ninja -C build/checks"
    return max(found, key=lambda path: path.stat().st_mtime)


def decode(frame: bytes) -> tuple:
    """Return type, number, number replaced, side, quantity and price (OUCH 5.0, inbound)."""
    body = frame[HEADERS:]
    kind = chr(body[0])
    if kind == NEW:
        number, side, qty, _, price = struct.unpack_from(">IcI8sQ", body, 1)
        return kind, number, 0, side.decode(), qty, price * TICK_NANOS
    if kind == REPLACE:
        orig, number, qty, price = struct.unpack_from(">IIIQ", body, 1)
        return kind, number, orig, "", qty, price * TICK_NANOS
    number, qty = struct.unpack_from(">II", body, 1)
    return kind, number, 0, "", qty, 0


@dataclass
class Open:
    """One order as the counterparty has it."""

    side: str
    leaves: int
    price: int


@dataclass
class Counterparty:
    """Accepts, executes and cancels; keeps every packet and every answer for good."""

    seed: int
    packets: list[tuple] = field(default_factory=list)
    answers: list[bytes] = field(default_factory=list)
    fills: list[tuple[int, str, int]] = field(default_factory=list)  # answer, side, quantity
    orders: dict[int, Open] = field(default_factory=dict)
    seen: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.random = random.Random(self.seed)

    def take(self, frame: bytes) -> None:
        """Remember a packet and answer it."""
        packet = decode(frame)
        self.packets.append(packet)
        kind, number, orig, side, qty, price = packet
        if kind == NEW:
            assert number not in self.seen, f"order {number} came twice"
            self.seen.add(number)
            self.orders[number] = Open(side, qty, price)
            self.say(ACCEPTED, number, qty, price)
        elif kind == REPLACE:
            assert number not in self.seen, f"replace {number} came twice"
            self.seen.add(number)
            order = self.orders.pop(orig, None)
            if order is None:
                return  # too late: silently ignored
            self.orders[number] = Open(order.side, qty, price)
            self.say(REPLACED, number, qty, price, orig=orig)
        elif number in self.orders:
            self.say(CANCELED, number, self.orders.pop(number).leaves, 0)
        if self.orders and self.random.random() < 0.4:
            self.execute(self.random.choice(list(self.orders)[-20:]))

    def execute(self, number: int) -> None:
        order = self.orders[number]
        qty = self.random.randint(1, order.leaves)
        order.leaves -= qty
        if order.leaves == 0:
            del self.orders[number]
        self.say(FILLED, number, qty, order.price)
        self.fills.append((len(self.answers), order.side, qty))

    def say(self, kind: int, number: int, qty: int, price: int, *, orig: int = 0) -> None:
        sequence = len(self.answers) + 1
        exec_id = sequence if kind == FILLED else 0
        self.answers.append(ANSWER.pack(sequence, exec_id, price, number, orig, qty, kind))


def live(
    party: Counterparty,
    directory: Path,
    durability: str,
    seconds: float,
    seed: int,
    *,
    packets: int = 0,
    env: dict[str, str] | None = None,
) -> bool:
    """Let a worker run for so long, and for so many packets on a slow machine, and kill it.

    Return whether it got as far as to send.
    """
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    words = [str(worker_path()), str(directory), str(seed), durability, str(SEGMENT)]

    def third() -> None:
        os.dup2(theirs.fileno(), 3)

    worker = subprocess.Popen(
        words, pass_fds=(3,), preexec_fn=third, stderr=subprocess.PIPE, env=env
    )
    theirs.close()
    started, wanted = time.monotonic(), len(party.packets) + packets
    said: int | None = None
    while (waited := time.monotonic() - started) < seconds or (
        len(party.packets) < wanted and waited < SLOW_SECONDS
    ):
        said = exchange(party, ours, said, max(seconds - waited, 0.01))
        if worker.poll() is not None:
            break
    worker.send_signal(signal.SIGKILL)
    _, err = worker.communicate()
    assert worker.returncode == -signal.SIGKILL, err.decode()
    exchange(party, ours, said, 0, answering=False)  # what was on the wire when it died
    ours.close()
    return said is not None


def exchange(
    party: Counterparty,
    wire: socket.socket,
    said: int | None,
    timeout: float,
    *,
    answering: bool = True,
) -> int | None:
    """Take packets until there are none; send answers from where the other end asked for."""
    select.select([wire], [], [], max(timeout, 0))
    for _ in range(200) if answering else itertools.count():
        try:
            packet = wire.recv(2048)
        except (BlockingIOError, ConnectionResetError):
            break
        if not packet:
            break
        if said is None:
            said = int.from_bytes(packet, "little") - 1
        else:
            party.take(packet)
    while answering and said is not None and said < len(party.answers):
        try:
            wire.send(party.answers[said])
        except (BlockingIOError, BrokenPipeError, ConnectionResetError):
            break
        said += 1
    return said


def check(party: Counterparty, directory: Path) -> None:
    """Compare the journal with what the counterparty knows."""
    found = recover(str(directory), CAPACITY)
    assert found.summary["valid"], found.summary
    assert found.state.problems() == []
    recorded, never = requests(directory, found.state.sequence)
    for packet in party.packets:
        check_packet(packet, recorded)
    assert not never & party.seen
    check_executions(party, found.state)


def requests(directory: Path, last: int) -> tuple[dict, set[int]]:
    """Read the journal's bytes as docs/journal.md has them: what was asked for, what never left."""
    recorded, never = {}, set()
    for path in sorted(directory.glob("journal-*.tpj")):
        data = path.read_bytes()
        for each in RECORD.iter_unpack(data[4096 : len(data) // 128 * 128]):
            (price, qty, number, orig, event, side, sequence, kind) = each
            if kind != EVENT or sequence > last:
                continue
            if event in (EVENT_NEW, EVENT_REPLACE):
                letter = NEW if event == EVENT_NEW else REPLACE
                recorded[letter, number] = (orig, "?BS"[side], qty, price)
            elif event in (EVENT_DENIED, EVENT_NOT_SENT):
                never.add(number)
    return recorded, never


def check_packet(packet: tuple, recorded: dict) -> None:
    kind, number, orig, side, qty, price = packet
    if kind == CANCEL:
        return
    found = recorded.get((kind, number))
    assert found is not None, f"{packet} is not in the journal"
    wanted = (orig, side if kind == NEW else found[1], qty, price)
    assert found == wanted, (packet, found)


def check_executions(party: Counterparty, state) -> None:
    """Every answer up to the last one heard counts once, and none behind it."""
    heard = state.inbound_sequences.get(0, 0)
    sums = {"B": 0, "S": 0}
    for sequence, side, qty in party.fills:
        if sequence <= heard:
            sums[side] += qty
    position = (state.positions() or [{"bought_qty": 0, "sold_qty": 0}])[0]
    assert (position["bought_qty"], position["sold_qty"]) == (sums["B"], sums["S"])


def plan() -> list[tuple[int, str]]:
    """Journals of ten kills each; every third one waits for the disk."""
    return [(seed, "fsync" if seed % 3 == 2 else "memory") for seed in range((KILLS + 9) // 10)]


@pytest.mark.parametrize(("seed", "durability"), plan())
def test_a_killed_engine_loses_and_doubles_nothing(seed, durability, tmp_path):
    party, rng = Counterparty(seed), random.Random(seed)
    directory = tmp_path / "j"
    sent = 0
    for kill in range(10):
        # Some die while they recover or begin a segment: two deaths in a row.
        seconds = rng.choice([rng.uniform(0, 0.03), rng.uniform(0.03, 0.25)])
        sent += live(party, directory, durability, seconds, seed * 1000 + kill)
        if directory.exists() and any(directory.glob("journal-*.tpj")):
            check(party, directory)
    sent += live(party, directory, durability, 0.3, seed, packets=60)
    check(party, directory)
    assert sent and len(party.packets) > 50


@pytest.fixture(scope="module")
def die_at(tmp_path_factory) -> DieAt:
    return DieAt(tmp_path_factory.mktemp("die"))


# Of the points where to die: all of them in the long form.
STEP = 1 if KILLS >= 1000 else 3
POINTS = range(0, 60, STEP)


@pytest.mark.parametrize("durability", ["memory", "fsync"])
def test_who_dies_while_it_starts_and_rolls_again_and_again_loses_nothing(
    durability, tmp_path, die_at
):
    """Each one recovers from the death of the one before; few get as far as to send."""
    party, directory = Counterparty(3), tmp_path / "j"
    started, rolled, before = 0, 0, 0
    for point in POINTS:
        env = die_at.env(directory, point)
        started += live(party, directory, durability, SLOW_SECONDS, 3000 + point, env=env)
        found = segment_count(directory)
        rolled += found > before + 1
        before = found
        if found:
            check(party, directory)
    assert live(party, directory, durability, 0.1, 3999, packets=20)
    check(party, directory)
    assert 3 <= started <= len(POINTS) - 3, "some died before they sent, and some after"
    assert rolled > 1, "some died behind a segment that they had filled"


def segment_count(directory: Path) -> int:
    """Return how many segments have a header: one that was only made ready has none."""
    paths = directory.glob("journal-*.tpj")
    return sum(path.read_bytes()[76:80] not in (b"", bytes(4)) for path in paths)


CHECKPOINT = """
import sys
from test_kills import CAPACITY, recover, save_checkpoint
save_checkpoint(sys.argv[1], recover(sys.argv[1], CAPACITY, from_checkpoint=False))
"""


def test_a_checkpoint_killed_at_every_call_changes_nothing(tmp_path, die_at):
    party, directory = Counterparty(1), tmp_path / "j"
    live(party, directory, "memory", 0.3, 5, packets=200)
    expected = recover(str(directory), CAPACITY, from_checkpoint=False).state
    for point in range(0, 1000, STEP):
        words = [sys.executable, "-c", CHECKPOINT, str(directory)]
        env = die_at.env(directory, point)
        ended = subprocess.run(words, cwd=Path(__file__).parent, env=env, check=False)
        found = recover(str(directory), CAPACITY)
        assert (found.state.sequence, found.state.counts) == (expected.sequence, expected.counts)
        assert found.state.live_orders("TP") == expected.live_orders("TP")
        if ended.returncode == 0:
            break
        assert ended.returncode == -signal.SIGKILL
    assert point > 20
    assert found.checkpoint is not None and save_checkpoint(str(directory), found)


def test_a_sealer_beside_engines_that_are_killed_seals_what_they_wrote(tmp_path):
    party, directory, rng = Counterparty(7), tmp_path / "j", random.Random(7)
    words = ["journal", "seal", str(directory), "-f", "--parent", str(os.getpid())]
    sealer = subprocess.Popen(
        [sys.executable, "-m", "appliance", *words], stdout=subprocess.DEVNULL
    )
    try:
        for kill in range(8):
            live(party, directory, "memory", rng.uniform(0.05, 0.3), 7000 + kill, packets=100)
            check(party, directory)
        deadline = time.monotonic() + 600  # the sealer gives way to everything else
        while not (directory / "journal-000000.tps").exists():
            assert time.monotonic() < deadline and sealer.poll() is None
            time.sleep(0.01)
    finally:
        sealer.terminate()
        assert sealer.wait() == 0
    assert live(party, directory, "memory", 0.1, 7100, packets=20)  # and another one goes on
    check(party, directory)
    expected = recover(str(directory), CAPACITY)
    count, problems = sealing.check(str(directory))
    assert count >= 1 and problems == []
    for path in directory.glob("*.tps"):
        path.with_suffix(".tpj").unlink()
    found = recover(str(directory), CAPACITY)
    assert found.summary == expected.summary
    assert found.state.counts == expected.state.counts
    assert found.state.live_orders("TP") == expected.state.live_orders("TP")
    assert found.state.positions() == expected.state.positions()
