"""What the rows ``wire.*`` measure: two ends at work on two cores, for one reading.

Each reading has hosts and processes of its own (wire_net, wire_role), so that nothing of one is
left for the next.
"""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext, suppress
from typing import IO, Any, NamedTuple, NoReturn

from appliance.bench.wire_net import EXCHANGE, INTERFACES, LOOPBACK, OURS, End, Hosts, missing
from appliance.errors import CommandError

PATIENCE_SECONDS = 60
END_SECONDS = 5  # from the end of what it says to the end of a process
TICKS = 20_000
WARM_TICKS = 3_000
PAUSE_NS = 5_000
SLOW_TICKS = 500
SLOW_PAUSE_NS = 3_000_000  # longer than an appliance waits before it sleeps
QUIET_SECONDS = 1.0
SIZE = 22  # bytes of a datagram: the smallest frame, 64 bytes, is not filled up
RATE_NS = 500_000_000
WORDS = {"uring": "", "plain": "", "mmsg": "", "xdp": INTERFACES[0]}
DEVICE = f"net_af_xdp0,iface={INTERFACES[0]}"
TESTPMD = "dpdk-testpmd"


class Reading(NamedTuple):
    """How long the answers to ticks took, in nanoseconds, and how many did not come."""

    p50: float
    p99: float
    least: float
    lost: int


class Idling(NamedTuple):
    """What one way to idle costs: shares of a core, and the answers to ticks after a pause."""

    quiet: float
    busy: float
    answers: Reading


def why_not(kind: str) -> str | None:
    """Return why this kind cannot be measured here, or None."""
    if len(os.sched_getaffinity(0)) < 2:
        return "needs two cores"
    return None if kind == "uring" else missing()


@contextmanager
def wire(kind: str) -> Iterator[Wire]:
    """Two hosts; for uring without root both are this one, on its loopback."""
    hosts = nullcontext(None) if missing() else Hosts()
    with hosts as joined:
        yield Wire(joined)


def on_loopback() -> tuple[End, End]:
    """Return two ends of the loopback, on ports that nobody has now."""
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as one,
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other,
    ):
        for each in (one, other):
            each.bind(("127.0.0.1", 0))
        ours, exchange = (each.getsockname()[1] for each in (one, other))
    return (bytes(6), LOOPBACK, ours), (bytes(6), LOOPBACK, exchange)


class Wire:
    """Both hosts and what runs on them."""

    def __init__(self, hosts: Hosts | None) -> None:
        self._hosts = hosts
        self._ends = (OURS, EXCHANGE) if hosts is not None else on_loopback()

    def words(self, host: int, *command: str) -> list[str]:
        """Return the words that run a command on a host."""
        return [*(self._hosts.inside(host) if self._hosts else []), *command]

    def core(self, host: int) -> int:
        """Return the core of a host: each has its own."""
        return sorted(os.sched_getaffinity(0))[-1 if host == 0 else 0]

    def start(self, host: int, role: str, **task: Any) -> Role:
        """Start one end; it stands when this returns."""
        here, there = self._ends[host], self._ends[1 - host]
        task |= {
            "role": role,
            "here": [here[0].hex(), *here[1:]],
            "there": [there[0].hex(), *there[1:]],
            "core": self.core(host),
            "interface": INTERFACES[host] if self._hosts else "",
        }
        if "kind" in task:
            task["device"] = WORDS.get(task["kind"], DEVICE)
        return Role(self.words(host, sys.executable, "-m", "appliance.bench.wire_role"), task)


class Process:
    """A process that is spoken to in lines and never waited for without end."""

    def __init__(self, words: list[str]) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="tickplane-wire-")
        self._errors = tempfile.TemporaryFile()  # noqa: SIM115  as long as the process
        self._process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=self._errors,
            env=os.environ | {"RUNTIME_DIRECTORY": self._folder.name},  # where DPDK writes
        )  # fmt: skip
        self._input, self._output = cast_pipe(self._process.stdin), cast_pipe(self._process.stdout)
        self._read = b""

    def tell(self, words: str) -> None:
        """Write to its input; one that has ended does not read it."""
        with suppress(BrokenPipeError):
            self._input.write(words.encode())
            self._input.flush()

    def line(self) -> bytes | None:
        """Return its next line; None when there is none within the patience."""
        until = time.monotonic() + PATIENCE_SECONDS
        while b"\n" not in self._read:
            left = until - time.monotonic()
            if left <= 0 or not select.select([self._output], [], [], left)[0]:
                return None
            data = os.read(self._output.fileno(), 1 << 20)
            if not data:
                return None
            self._read += data
        line, _, self._read = self._read.partition(b"\n")
        return line

    def cpu_seconds(self) -> float:
        """Return the time that it has had a core."""
        with open(f"/proc/{self._process.pid}/stat") as file:
            fields = file.read().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def end(self) -> None:
        """Close its input and wait; what does not end is killed."""
        with suppress(BrokenPipeError):
            self._input.close()
        try:
            self._process.wait(PATIENCE_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._output.close()
        self._errors.close()
        self._folder.cleanup()

    def last_words(self) -> str:
        """Return the last line of its errors, or how it ended; one that goes on is killed."""
        how = how_it_ended(self._process)
        self._errors.seek(0)
        said = self._errors.read().decode(errors="replace").strip().rpartition("\n")[2]
        return said or how


def how_it_ended(process: subprocess.Popen[bytes]) -> str:
    """Return the status or signal that a silent process ended with; a hung one is killed."""
    try:
        code = process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
        return f"said nothing for {PATIENCE_SECONDS} s and was killed"
    if code < 0:
        return f"ended without a word by {signal.Signals(-code).name}"
    return f"ended without a word, status {code}"


def cast_pipe(pipe: IO[bytes] | None) -> IO[bytes]:
    """Return a pipe that was asked for."""
    assert pipe is not None
    return pipe


class Role:
    """A process at one end."""

    def __init__(self, words: list[str], task: dict[str, Any]) -> None:
        self._name = task["role"]
        self._process = Process(words)
        self._process.tell(json.dumps(task) + "\n")
        if self._process.line() != b"READY":
            self._fail()

    def _fail(self) -> NoReturn:
        last = self._process.last_words()
        raise CommandError(f"bench: wire: {self._name}: {last}")

    def answer(self) -> dict[str, Any]:
        """Wait for what it has to say when it is done, and for its end."""
        line = self._process.line()
        if line is None:
            self._fail()
        self._process.end()
        found: dict[str, Any] = json.loads(line)
        return found

    def cpu_share(self, while_: Callable[[], object]) -> float:
        """Return the share of a core that it takes while something else is done."""
        began, used = time.monotonic(), self._process.cpu_seconds()
        while_()
        return (self._process.cpu_seconds() - used) / (time.monotonic() - began)

    def stop(self) -> dict[str, Any]:
        """End its input and wait for its answer."""
        self._process.tell("\n")
        return self.answer()


# ---- readings ----


def answers(kind: str, role: str, ticks: int = TICKS) -> Reading:
    """Return how fast a role on a kind of port answers ticks."""
    with wire(kind) as both:
        ours = both.start(0, role, kind=kind)
        far = both.start(1, "ticks", count=ticks, warm=WARM_TICKS, pause_ns=PAUSE_NS)
        found = far.answer()
        ours.stop()
    return reading_of(found, f"{role} over {kind}")


def idling(kind: str, idle: str, ticks: int = SLOW_TICKS, seconds: float = QUIET_SECONDS) -> Idling:
    """Return what the appliance over a port costs while nothing comes, and how fast it wakes."""
    with wire(kind) as both:
        ours = both.start(0, "trade", kind=kind, idle=idle)
        quiet = ours.cpu_share(lambda: time.sleep(seconds))
        far = both.start(1, "ticks", count=ticks, warm=ticks // 10, pause_ns=SLOW_PAUSE_NS)
        found = far.answer()
        ours.stop()
    return Idling(quiet, busy_share(kind, idle), reading_of(found, f"{idle} over {kind}"))


def busy_share(kind: str, idle: str) -> float:
    """Return the share of a core that it takes while ticks come one after the other."""
    with wire(kind) as both:
        ours = both.start(0, "trade", kind=kind, idle=idle)
        far = both.start(1, "ticks", count=TICKS, warm=WARM_TICKS, pause_ns=PAUSE_NS)
        share = ours.cpu_share(far.answer)
        ours.stop()
    return share


def session_answers(tcp: str, orders: int = TICKS) -> Reading:
    """Return how fast orders on a session are answered, by the TCP under it."""
    with wire("uring") as both:
        far = both.start(1, "serve")
        ours = both.start(0, "session", tcp=tcp, count=orders, warm=WARM_TICKS, pause_ns=PAUSE_NS)
        found = ours.answer()
        far.stop()
    return reading_of(found, f"a session over {tcp} TCP")


def reading_of(found: dict[str, Any], what: str) -> Reading:
    """Return what a far end took down."""
    if "p50" not in found:
        raise CommandError(f"bench: wire: {what}: nothing was answered")
    return Reading(**found)


def taken_a_second(kind: str) -> float:
    """Return packets a second that a port takes of as many as another core can send."""
    with wire(kind) as both:
        ours = both.start(0, "take", kind=kind)
        both.start(1, "many", size=SIZE, rate=0, time_ns=RATE_NS).answer()
        found = ours.stop()
    return float(found["packets"]) * 1e9 / RATE_NS


def lost_at(kind: str, rate: float, seconds: float) -> tuple[int, int]:
    """Return (packets sent at a steady rate, of them lost)."""
    with wire(kind) as both:
        ours = both.start(0, "take", kind=kind)
        sent = both.start(
            1, "many", size=SIZE, rate=int(rate), time_ns=int(seconds * 1e9)
        ).answer()["packets"]
        return sent, sent - ours.stop()["packets"]


def given_a_second(kind: str) -> float:
    """Return packets a second of a port that only sends, as the far interface counts them."""
    with wire(kind) as both:
        role = {"role": "flood", "rate": 0} if kind == "mmsg" else {"role": "give"}
        ours = both.start(0, **role, kind=kind, size=SIZE)
        counted = both.start(1, "count", time_ns=RATE_NS).answer()["packets"]
        ours.stop()
        return float(counted) * 1e9 / RATE_NS


# ---- DPDK's own program on the same device ----


def has_testpmd() -> bool:
    """Whether it is installed (Debian package dpdk-dev)."""
    return shutil.which(TESTPMD) is not None


class Testpmd:
    """testpmd in one of its modes, on the core that a port under test has."""

    def __init__(self, both: Wire, mode: str) -> None:
        self._process = Process(
            both.words(
                0, "stdbuf", "-oL", TESTPMD, "--no-pci", "--no-huge", "--no-shconf",
                "--no-telemetry", "-m", "256", "--file-prefix", "tickplane-testpmd",
                "-l", f"{both.core(1)},{both.core(0)}", "--main-lcore", str(both.core(1)),
                f"--vdev={DEVICE}", "--", f"--forward-mode={mode}", "--total-num-mbufs=16384",
                "--no-mlockall",
            )
        )  # fmt: skip
        while (line := self._process.line()) is not None and not line.startswith(b"Press enter"):
            continue
        if line is None:
            last = self._process.last_words()
            raise CommandError(f"bench: wire: {TESTPMD} on {DEVICE}: {last}")

    def stop(self) -> int:
        """End it; return the packets that it has received."""
        self._process.tell("\n")
        received = 0
        while (line := self._process.line()) is not None and not line.startswith(b"Bye"):
            words = line.split()
            if b"RX-packets:" in words:
                received = int(words[words.index(b"RX-packets:") + 1])
        self._process.end()
        return received


def testpmd_taken_a_second() -> float:
    """Return packets a second that testpmd takes, as taken_a_second() does."""
    with wire("dpdk") as both:
        ours = Testpmd(both, "rxonly")
        both.start(1, "many", size=SIZE, rate=0, time_ns=RATE_NS).answer()
        return ours.stop() * 1e9 / RATE_NS


def testpmd_given_a_second() -> float:
    """Return packets a second that testpmd sends, as given_a_second() does."""
    with wire("dpdk") as both:
        ours = Testpmd(both, "txonly")
        counted = both.start(1, "count", time_ns=RATE_NS).answer()["packets"]
        ours.stop()
        return float(counted) * 1e9 / RATE_NS
