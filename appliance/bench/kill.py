"""Row ``wire.kill``: how long orders still go out after a kill, as the wire sees it.

An appliance sends to an exchange over the loopback as fast as its strategy's callbacks come. A kill
is set from this process again and again; the time runs from before the switch is written to the
kernel's stamp of the last packet with a new order or a replace in it. 0: none came after it. A kill
counts when it met a stream of orders, was written at a known time, and the appliance kept its core
meanwhile, as it does on a core of its own; the figures of those where another process took the core
stand beside.
"""

from __future__ import annotations

import argparse
import ctypes
import os
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import yaml

from appliance import demo
from appliance.bench.rows import Bench, Figures, Row, absent, row, say
from appliance.errors import CommandError
from appliance.two_hosts import two_hosts
from dataplane.control import Control
from dataplane.region import Region

NAME, UNIT = "wire.kill", "ns p99.9"
KILLS = 150  # of a round
STREAM_S = 0.002  # orders flow for so long before each kill, at least
NOTICE_S = 0.0003  # to answer a kill, and to drop what TCP holds
SETTLE_S = 0.003  # and so long after it the wire is looked at: the worst that is promised is 5 ms
SCOPE = "strategy:storm"
AUTHOR, CAUSE = "bench", "measuring"
PATIENCE_S = 60.0
WRITE_NS = 100_000
FIRST = -20  # of nice
ETH_P_IP = 0x0800
SO_ATTACH_FILTER, SO_TIMESTAMPNS, SO_RCVBUFFORCE = 26, 35, 33
PACKET_HOST = 0
# TCP to the port in the last instruction but two: (code, if true, if false, value)
FILTER = (
    (0x30, 0, 0, 9), (0x15, 0, 4, 6), (0xB1, 0, 0, 0), (0x48, 0, 0, 2), (0x15, 0, 1, 0),
    (0x06, 0, 0, 0xFFFF), (0x06, 0, 0, 0),
)  # fmt: skip


class Kill(NamedTuple):
    """What one kill saw."""

    counts: bool  # it met a stream of orders, and was written within WRITE_NS
    alone: bool  # nobody took the appliance's core
    after_ns: int  # from the write to the last order's packet; 0: none came
    between_ns: float  # two orders before it


class Wire:
    """The packets to a TCP port of the loopback, with the kernel's stamps."""

    def __init__(self, port: int) -> None:
        self._socket = socket.socket(socket.AF_PACKET, socket.SOCK_DGRAM, socket.htons(ETH_P_IP))
        program = b"".join(
            struct.pack("HBBI", code, yes, no, port if number == 4 else value)
            for number, (code, yes, no, value) in enumerate(FILTER)
        )
        kept = ctypes.create_string_buffer(program)
        self._socket.setsockopt(
            socket.SOL_SOCKET, SO_ATTACH_FILTER,
            struct.pack("HP", len(FILTER), ctypes.addressof(kept)),
        )  # fmt: skip
        self._socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 32 << 20)
        self._socket.setsockopt(socket.SOL_SOCKET, SO_TIMESTAMPNS, 1)
        self._socket.setblocking(False)
        self._socket.bind(("lo", ETH_P_IP))

    def close(self) -> None:
        """Look no more."""
        self._socket.close()

    def orders(self) -> list[int]:
        """Return when each new order and replace was on the wire since the last call."""
        found = []
        with suppress(BlockingIOError):
            while True:
                data, notes, _, address = self._socket.recvmsg(65536, 64)
                if address[2] == PACKET_HOST and holds_order(payload_of(data)):
                    seconds, nanos = struct.unpack("qq", notes[0][2][:16])
                    found.append(seconds * 1_000_000_000 + nanos)
        return found


def payload_of(packet: bytes) -> bytes:
    """Return what TCP carries in an IPv4 packet."""
    at = (packet[0] & 15) * 4
    at += (packet[at + 12] >> 4) * 4
    return packet[at : struct.unpack_from(">H", packet, 2)[0]]


def holds_order(payload: bytes) -> bool:
    """Say whether some SoupBinTCP packet in it enters or replaces an order.

    Our side hands whole packets to TCP; a segment that begins inside of one counts as an order.
    """
    at = 0
    while at + 4 <= len(payload):
        (size,) = struct.unpack_from(">H", payload, at)
        if payload[at + 2 : at + 3] not in b"URLO" or size == 0:
            return True
        if payload[at + 2 : at + 4] in (b"UO", b"UU"):
            return True
        at += 2 + size
    return False


# ---- the two ends ----


def write_configurations(place: demo.Place, core: int) -> None:
    """Write those of a demonstration, with one strategy that sends without pause."""
    args = argparse.Namespace(seed=1, port="uring", tcp="kernel", card="none", load=False)
    demo.write_configurations(place, args)
    path = place.folder / "live.yaml"
    live = yaml.safe_load(path.read_text())
    (strategy,) = live["strategies"]
    strategy |= {"name": "storm", "kind": "python appliance.bench.storm:Storm"}
    strategy["risk"] |= {
        "order_rate": 100_000_000, "order_burst": 1_000_000
    }  # fmt: skip
    live["firm"] |= {"order_rate": "unlimited", "order_burst": "unlimited"}
    live["instruments"]["default"]["max_position"] = 1_000_000
    live["cpu"] = {"engine": core}
    live["live"]["idle"] = "spin"
    live["journal"]["directory"] = str(place.journal)
    path.write_text(yaml.safe_dump(live, sort_keys=False))


@contextmanager
def first_in_line() -> Iterator[None]:
    """Have this process, and what it starts, go before others, and leave the last core alone."""
    nice, cores = os.getpriority(os.PRIO_PROCESS, 0), os.sched_getaffinity(0)
    os.setpriority(os.PRIO_PROCESS, 0, FIRST)
    os.sched_setaffinity(0, cores - {max(cores)})
    try:
        yield
    finally:
        os.setpriority(os.PRIO_PROCESS, 0, nice)
        os.sched_setaffinity(0, cores)


@contextmanager
def running(folder: Path, core: int) -> Iterator[tuple[int, int]]:
    """Run an exchange and an appliance; give the exchange's port and the appliance's process."""
    with two_hosts(only_loopback=True) as hosts:
        place = demo.Place(folder, hosts, demo.choose_ports(hosts))
        write_configurations(place, core)
        errors = folder / "errors"
        processes = []
        try:
            for words in (
                ("venue", "--config", folder / "venue.yaml"),
                ("run", folder / "live.yaml", "--quiet"),
            ):
                with errors.open("w") as file:
                    process = demo.start(
                        hosts.venue, hosts, *words, stdout=subprocess.PIPE, stderr=file
                    )
                processes.append(process)
                assert process.stdout is not None
                if not process.stdout.readline().startswith("READY"):
                    said = errors.read_text().strip().rpartition("\n")[2]
                    raise CommandError(f"bench: {NAME}: {words[0]} did not get ready: {said}")
            yield place.ports["orders"], processes[-1].pid
        finally:
            for process in reversed(processes):
                demo.end(process, "a process of the row")


# ---- kills ----


class Killer:
    """What kills and arms one appliance, and looks at its wire."""

    def __init__(self, wire: Wire, pid: int) -> None:
        self._wire = wire
        self._schedstat = Path(f"/proc/{pid}/task/{pid}/schedstat")
        (path,) = Path("/dev/shm").glob(f"tickplane-*-{pid}")
        self._control, self._region = Control.attach(path), Region.attach(path)

    def close(self) -> None:
        """Let go of its memory."""
        self._control.close()
        self._region.close()

    def wait_for_orders(self) -> None:
        """Return when orders flow and have done so for a moment."""
        until = time.monotonic() + PATIENCE_S
        sent = self._region.counters()["orders_sent"]
        while self._region.counters()["orders_sent"] < sent + 10:
            if time.monotonic() > until:
                raise CommandError(f"bench: {NAME}: the appliance sends no orders")
            time.sleep(0.001)
        self._wire.orders()
        time.sleep(STREAM_S)

    def waited(self) -> str:
        """Return how long the appliance has waited for its core, because others had it."""
        return self._schedstat.read_text().split()[1]

    def kill(self) -> Kill:
        """Kill in the middle of a stream of orders, see what still leaves, and arm."""
        self.wait_for_orders()
        waited = self.waited()
        written: list[int] = []
        written_ns = time.time_ns()
        self._control.kill(
            SCOPE, "reject-new", author=AUTHOR, cause=CAUSE,
            meanwhile=lambda: written.append(time.time_ns()),
        )  # fmt: skip
        time.sleep(NOTICE_S)
        alone = waited == self.waited()
        time.sleep(SETTLE_S)
        orders = self._wire.orders()
        before = [then for then in orders if then <= written_ns]
        _, _, mark = self._control.mode(SCOPE)
        self._control.arm(SCOPE, mark, author=AUTHOR, cause=CAUSE)
        gaps = [after - then for then, after in zip(before, before[1:], strict=False)]
        last_ns = max([*orders, written_ns])
        counts = bool(gaps) and written[0] - written_ns < WRITE_NS
        return Kill(counts, alone, last_ns - written_ns, median(gaps or [0]))


def place_of(values: list[int], share: float) -> int:
    """Return a percentile: the least value that so many are not above."""
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def kill_row(bench: Bench) -> Row:
    """Return the row of the last new order behind a kill."""
    if os.geteuid() != 0:
        return absent(NAME, UNIT, "needs root, to look at the wire")
    core = max(os.sched_getaffinity(0))
    if core == 0:
        return absent(NAME, UNIT, "needs two cores")
    with (
        tempfile.TemporaryDirectory(prefix="tickplane-kill-") as folder,
        first_in_line(),
        running(Path(folder), core) as (port, pid),
    ):
        rounds = measure(bench, port, pid)
    return row_of(rounds[1:])


def measure(bench: Bench, port: int, pid: int) -> list[list[Kill]]:
    """Kill so many times a round; the first round is not counted."""
    rounds = []
    wire = Wire(port)
    killer = Killer(wire, pid)
    try:
        for number in range(bench.args.rounds + 1):
            say(f"round {number} of {bench.args.rounds}")
            rounds.append([killer.kill() for _ in range(KILLS)])
    finally:
        killer.close()
        wire.close()
    say("")
    return rounds


def row_of(rounds: list[list[Kill]]) -> Row:
    """Return the row: p99.9 over all kills, beside the time between two orders."""
    known = [[kill for kill in kills if kill.counts and kill.alone] for kills in rounds]
    known = [kills for kills in known if kills]
    if not known:
        return absent(NAME, UNIT, "other processes always took the appliance's core")
    every = [kill.after_ns for kills in known for kill in kills]
    others = [kill.after_ns for kills in rounds for kill in kills if kill.counts and not kill.alone]
    late = [after for after in every if after > 0]
    each = [float(place_of([kill.after_ns for kill in kills], 0.999)) for kills in known]
    between = [median(kill.between_ns for kill in kills) for kills in known]
    made: Row = row(
        NAME, UNIT, Figures(each, None, None), "between two orders", Figures(between, None, None)
    )
    figures: dict[str, Any] = {
        "kills": len(every),
        "left_out": sum(map(len, rounds)) - len(every) - len(others),
        "with_an_order_after": len(late),
        **{name: place_of(every, share) for name, share in (("p50", 0.5), ("p99", 0.99))},
        "p999": place_of(every, 0.999),
        "worst": max(every),
        "core_taken": {"kills": len(others), "worst": max(others, default=None)},
    }
    return made | {"kill": figures}


ROWS = {NAME: kill_row}
