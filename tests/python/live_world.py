"""A venue and an appliance that trades on it, as processes on loopback, and what both recorded.

Tests wait for what a run has done (its counters, in shared memory), never for a time.
"""

from __future__ import annotations

import json
import random
import signal
import socket
import subprocess
import sys
from collections import Counter
from importlib import resources
from pathlib import Path

import pytest
from waiting import wait_until

from appliance.cli import main
from appliance.venue import record
from dataplane.errors import DataplaneError
from dataplane.journal import Journal
from dataplane.ouch import decode
from dataplane.port_kind import kinds
from dataplane.region import Region

needs_uring = pytest.mark.skipif(
    not next(kind for kind in kinds() if kind["name"] == "uring")["is_built"],
    reason="needs a build with liburing",
)

TICKPLANE = [sys.executable, "-m", "appliance"]
USER = "alice"
READY_S = "240"
END_S = 240
VENUE = """
seed: {seed}
record: {record}
venues:
  lit:
    session: "1"
    orders: 127.0.0.1:{orders}
    snapshot: 127.0.0.1:{snapshot}
    requests: 127.0.0.1:{requests}
    lines:
      a: {{to: 127.0.0.1:{a}, loss_ppm: {loss}, reorder_ppm: {loss}}}
      b: {{to: 127.0.0.1:{b}, loss_ppm: {loss}, duplicate_ppm: {loss}}}
    instruments:
      TPLN: {{reference: 10.00, tick: 0.01}}
      OTHR: {{reference: 20.00, tick: 0.01}}
    users:
      alice: {{password: secret, firm: TPLN}}
      bob: {{password: secret, firm: TPLN}}
      carol: {{password: secret, firm: TPLN}}
    agents:
      - {{kind: market_maker, count: 2, interval: 10ms, spread_ticks: 2}}
      - {{kind: zero_intelligence, count: 4, interval: 5ms}}
"""


def free_port(kind):
    """A port that nobody has now, below those that the kernel gives to clients."""
    while True:
        with socket.socket(socket.AF_INET, kind) as one:
            try:
                one.bind(("127.0.0.1", random.randrange(20_000, 32_000)))
            except OSError:
                continue
            return one.getsockname()[1]


PORTS = {
    "orders": socket.SOCK_STREAM,
    "snapshot": socket.SOCK_STREAM,
    "requests": socket.SOCK_DGRAM,
    "a": socket.SOCK_DGRAM,
    "b": socket.SOCK_DGRAM,
}


class World:
    """One venue and the configuration of an appliance that trades on it."""

    def __init__(self, folder, *, seed=1, loss=0):
        self.folder = folder
        self.ports = {name: free_port(kind) for name, kind in PORTS.items()}
        self.record = folder / "venue.tape"
        self.venue_yaml = folder / "venue.yaml"
        self.venue_yaml.write_text(
            VENUE.format(seed=seed, loss=loss, record=self.record, **self.ports)
        )
        self.run_yaml = folder / "live.yaml"
        text = (resources.files("appliance") / "configs" / "live.yaml").read_text()
        names = ("orders", "snapshot", "requests", "a", "b")
        for old, name in zip((9001, 9002, 9003, 9101, 9102), names, strict=True):
            text = text.replace(f"127.0.0.1:{old}", f"127.0.0.1:{self.ports[name]}")
        text = text.replace("gap_timeout_ms: 1000", "gap_timeout_ms: 60000")
        self.run_yaml.write_text(text)
        self.control = folder / "control"
        self.processes = []

    def set_sessions(self, *users, keys=""):
        """Give the run one order session for each of these users of the venue."""
        address = f"127.0.0.1:{self.ports['orders']}"
        one = f"  orders: [{address}]\n  user: alice\n  password: secret\n"
        sessions = "".join(
            f"    - {{user: {user}, password: secret, orders: [{address}]}}\n" for user in users
        )
        text = self.run_yaml.read_text()
        assert one in text
        self.run_yaml.write_text(text.replace(one, f"  sessions:\n{sessions}{keys}"))

    def start(self, *words, wait_for="READY", cwd=None, env=None, before=()):
        process = subprocess.Popen(
            [*before, *TICKPLANE, *words],
            stdout=subprocess.PIPE,
            stderr=self.stderr(words),
            text=True,
            cwd=cwd,
            env=env,
        )
        self.processes.append(process)
        line = process.stdout.readline()
        assert line.startswith(wait_for), (line, process.stderr and process.stderr.read())
        return process

    def stderr(self, words):
        """A venue has a line for each thing that it refuses: more than a pipe holds."""
        return (self.folder / "venue.log").open("a") if words[0] == "venue" else subprocess.PIPE

    def start_venue(self):
        return self.start("venue", "--config", self.venue_yaml, "--control", self.control)

    def run_words(self):
        return (
            "run", self.run_yaml, "--strategy", "market_maker", "--ready-seconds", READY_S,
            "--journal", self.folder / "journal", "--json", self.folder / "report.json",
        )  # fmt: skip

    def start_run(self):
        return self.start(*self.run_words())

    def run_to_end(self):
        """A run that cannot begin, or ends by itself."""
        return subprocess.run(
            [*TICKPLANE, *self.run_words()], capture_output=True, text=True, timeout=END_S
        )

    def region(self, run):
        """Return the file of a run's memory."""
        return next(Path("/dev/shm").glob(f"tickplane-*-{run.pid}"))

    def counters(self, run):
        """Return the counters of a run; None as long as its memory is being made."""
        try:
            with Region.attach(self.region(run)) as region:
                return region.counters()
        except (DataplaneError, StopIteration):
            return None

    def wait_until(self, run, claim):
        """Wait until ``claim`` is true of the run's counters; return them."""

        def look():
            counters = self.counters(run)
            return counters if counters and claim(counters) else None

        return wait_until(look, process=run)

    def wait_for_orders(self, run, more=20, since=None):
        """Wait until so many more orders were sent, and some answered; return the counters."""
        before = since or Counter()
        return self.wait_until(
            run,
            lambda now: (
                now["orders_sent"] >= before["orders_sent"] + more
                and now["reports"] > before["reports"]
            ),
        )

    def finish(self, run):
        """End the run as a person does; return its report in words."""
        run.send_signal(signal.SIGTERM)
        out, err = run.communicate(timeout=END_S)
        assert run.returncode == 0, err
        return out

    def tell_venue(self, line):
        with socket.socket(socket.AF_UNIX) as control:
            control.connect(str(self.control))
            control.sendall(f"{line}\n".encode())
            return control.recv(4096).decode()

    def report(self):
        return json.loads((self.folder / "report.json").read_text())

    def end(self):
        for process in self.processes:
            if process.poll() is None:
                process.send_signal(signal.SIGTERM)
        for process in self.processes:
            try:
                process.communicate(timeout=END_S)
            except subprocess.TimeoutExpired:
                process.kill()
                raise


def venue_requests(world):
    """How often the venue saw each request: by (message, number)."""
    seen = Counter()
    for packet in record.read(world.record):
        if packet.kind != "in" or packet.account is None or packet.data[2:3] != b"U":
            continue
        fields = decode(packet.data[3:], "inbound")
        if fields["type"] in "OU":
            seen[fields["type"], fields["user_ref_num"]] += 1
    return seen


def our_accounts(world):
    """The accounts that have a connection: the venue's agents have none."""
    return {
        packet.account
        for packet in record.read(world.record)
        if packet.connection is not None and packet.account is not None
    }


def journal_events(world, journal=None):
    records = Journal(str(journal or world.folder / "journal"))
    return [event for event in records if "user_ref_num" in event]


def check_books_balance(world, journal=None):
    """Nothing lost, nothing doubled: our journal against the venue's record."""
    journal = journal or world.folder / "journal"
    events = journal_events(world, journal)
    sent = Counter(
        ("O" if event["event"] == "NEW" else "U", event["user_ref_num"])
        for event in events
        if event["event"] in ("NEW", "REPLACE")
    )
    # A replace that never left is rejected by nobody: no reason, no time of the venue's.
    never = {
        event["user_ref_num"]
        for event in events
        if event["event"] == "NOT_SENT"
        or (event["event"] == "REPLACE_REJECTED" and event["reason"] is None)
    }
    seen = venue_requests(world)
    assert set(seen.values()) <= {1}, "a request was sent twice"
    assert set(seen) <= set(sent), "the venue saw what the journal does not have"
    # A replace whose order ended before any answer: nobody says whether it arrived.
    ended = {e["user_ref_num"] for e in events if e["leaves_qty"] == 0 and e["event"] != "NEW"}
    moot = {
        event["user_ref_num"]
        for event in events
        if event["event"] == "REPLACE" and event["orig_user_ref_num"] in ended
    }
    assert {number for _, number in set(sent) - set(seen)} <= never | moot
    assert not never & {number for _, number in seen}

    reported = {}
    for account in our_accounts(world):
        reported |= record.fills(record.read(world.record), account)
    applied = {
        (event["user_ref_num"], event["exec_id"]): event["qty"]
        for event in events
        if event["event"] == "FILLED"
    }
    assert applied == reported
    assert main(["reconcile", str(journal), str(world.record)]) == 0
    return len(sent)
