"""Live runs against ``tickplane venue``, both as processes, on loopback.

The venue's own record is the oracle: what it saw is what our journal says was sent, once each, and
what it reported is what our journal applied, once each.
"""

import json
import random
import signal
import socket
import subprocess
import sys
import time
from collections import Counter
from importlib import resources

import pytest

from appliance import audit_keys, sign
from appliance.cli import main
from appliance.venue import record
from dataplane import sealing
from dataplane.journal import Journal, segment_names
from dataplane.ouch import decode
from dataplane.port_kind import kinds

TICKPLANE = [sys.executable, "-m", "appliance"]
USER = "alice"
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
    agents:
      - {{kind: market_maker, count: 2, interval: 10ms, spread_ticks: 2}}
      - {{kind: zero_intelligence, count: 4, interval: 5ms}}
"""

pytestmark = pytest.mark.skipif(
    not next(kind for kind in kinds() if kind["name"] == "uring")["is_built"],
    reason="needs a build with liburing",
)


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
        for old, name in ((9101, "a"), (9102, "b"), (9003, "requests"), (9001, "orders")):
            text = text.replace(f"127.0.0.1:{old}", f"127.0.0.1:{self.ports[name]}")
        self.run_yaml.write_text(text)
        self.control = folder / "control"
        self.processes = []

    def start(self, *words, wait_for="READY"):
        process = subprocess.Popen(
            [*TICKPLANE, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        self.processes.append(process)
        line = process.stdout.readline()
        assert line.startswith(wait_for), (line, process.stderr.read())
        return process

    def start_venue(self):
        return self.start("venue", "--config", self.venue_yaml, "--control", self.control)

    def start_run(self, seconds):
        return self.start(
            "run", self.run_yaml, "--strategy", "market_maker", "--seconds", str(seconds),
            "--ready-seconds", "30", "--journal", self.folder / "journal",
            "--json", self.folder / "report.json",
        )  # fmt: skip

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
                process.communicate(timeout=30)


@pytest.fixture
def world(tmp_path):
    made = []

    def make(**settings):
        made.append(World(tmp_path, **settings))
        return made[-1]

    yield make
    for one in made:
        one.end()


def venue_requests(world):
    """How often the venue saw each request: by (message, number)."""
    seen = Counter()
    for packet in record.read(world.record):
        if packet.kind != "in" or packet.data[2:3] != b"U":
            continue
        fields = decode(packet.data[3:], "inbound")
        if fields["type"] in "OU":
            seen[fields["type"], fields["user_ref_num"]] += 1
    return seen


def our_account(world):
    """The one account that has a connection: the venue's agents have none."""
    (account,) = {
        packet.account
        for packet in record.read(world.record)
        if packet.connection is not None and packet.account is not None
    }
    return account


def journal_events(world):
    return [event for event in Journal(str(world.folder / "journal")) if "user_ref_num" in event]


def check_books_balance(world):
    """Nothing lost, nothing doubled: our journal against the venue's record."""
    events = journal_events(world)
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

    reported = record.fills(record.read(world.record), our_account(world))
    applied = {
        (event["user_ref_num"], event["exec_id"]): event["qty"]
        for event in events
        if event["event"] == "FILLED"
    }
    assert applied == reported
    assert main(["reconcile", str(world.folder / "journal"), str(world.record)]) == 0
    return len(sent)


def test_both_records_say_the_same(world):
    one = world()
    one.start_venue()
    run = one.start_run(3)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    assert "SESSION       OPEN; 1 logins, 0 losses" in out
    one.end()
    assert check_books_balance(one) > 20
    report = one.report()
    assert report["counters"]["mold_lost"] == 0
    assert report["counters"]["book_unknown_order"] == 0
    assert report["counters"]["shadow_orders"] > 0  # which nobody saw: both records are the same
    assert report["journal"]["verified"]
    assert "PENDING_NEW" not in report["orders"] and "UNKNOWN" not in report["orders"]


def test_lossy_lines_are_made_whole(world):
    one = world(seed=2, loss=200_000)
    one.start_venue()
    run = one.start_run(3)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    one.end()
    report = one.report()
    assert report["live"]["lines"][0]["lost"] > 0
    assert report["counters"]["mold_lost"] == 0
    assert report["counters"]["book_unknown_order"] == 0
    assert check_books_balance(one) > 0


def test_a_session_that_is_cut_again_and_again_loses_and_doubles_nothing(world):
    one = world(seed=3)
    one.start_venue()
    run = one.start_run(4)
    for _ in range(8):
        time.sleep(0.3)
        assert "ok" in one.tell_venue(f"fault {USER} disconnect")
    _, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    one.end()
    report = one.report()
    assert report["live"]["losses"] >= 5
    assert report["live"]["unexplained"] == 0
    assert report["live"]["logins"] == report["live"]["losses"] + 1
    assert check_books_balance(one) > 20
    assert "UNKNOWN" not in report["orders"]


def test_a_run_that_is_killed_goes_on_from_its_journal(world):
    one = world(seed=5)
    keys = one.folder / "keys"
    audit_keys.make_key(str(keys))
    one.run_yaml.write_text(
        one.run_yaml.read_text().replace(
            "  segment_size_mib: 64",
            f"  segment_size_mib: 1\n  seal: true\n  keep_mib: 0\n  keys: {keys}",
        )
    )
    one.start_venue()
    for _ in range(3):
        run = one.start_run(30)
        time.sleep(1)
        run.kill()
        run.wait()
    run = one.start_run(2)
    out, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    one.end()
    report = one.report()
    assert report["live"]["unexplained"] == 0
    assert not {"PENDING_NEW", "UNKNOWN"} & set(report["orders"])
    assert check_books_balance(one) > 20
    assert "SESSION       OPEN" in out
    # Each run's sealer has sealed, signed and released what was closed; one may be at it still.
    journal = one.folder / "journal"
    deadline = time.monotonic() + 600
    while main(["journal", "seal", str(journal), "--config", str(one.run_yaml)]) != 0:
        assert time.monotonic() < deadline
        time.sleep(0.1)
    segments = len(segment_names(str(journal)))
    assert segments >= 2 and len(list(journal.glob("*.tpj"))) == 1
    assert sealing.check(str(journal)) == (segments, [])
    assert sign.check(str(journal), audit_keys.Verifier(str(keys))) == (segments, [])


def test_shadow_orders_can_be_turned_off(world):
    one = world(seed=6)
    one.run_yaml.write_text(
        one.run_yaml.read_text().replace("  port: uring", "  port: uring\n  warm_after_us: 0")
    )
    one.start_venue()
    run = one.start_run(1)
    _, err = run.communicate(timeout=60)
    assert run.returncode == 0, err
    assert one.report()["counters"]["shadow_orders"] == 0


def test_a_venue_that_dies_ends_in_a_report_and_a_whole_journal(world):
    one = world(seed=4)
    venue = one.start_venue()
    run = one.start_run(3)
    time.sleep(1)
    venue.kill()
    out, _ = run.communicate(timeout=60)
    assert "SESSION       DOWN" in out
    assert one.report()["journal"]["verified"]
    events = journal_events(one)
    assert any(event["event"] == "NEW" for event in events)


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("password: secret", "password: wrong", "the venue does not know this user and password"),
        ("user: alice", "user: mallet", "the venue does not know this user and password"),
    ],
)
def test_a_login_that_is_refused_is_said_at_once(world, old, new, words):
    one = world()
    one.start_venue()
    one.run_yaml.write_text(one.run_yaml.read_text().replace(old, new))
    started = time.monotonic()
    done = subprocess.run(
        [*TICKPLANE, "run", one.run_yaml, "--ready-seconds", "30"], capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert (done.returncode, time.monotonic() - started < 25) == (2, True)
    assert done.stderr.endswith(f"127.0.0.1:{one.ports['orders']}: {words}\n")


def test_no_venue_is_said_in_one_line(world):
    one = world()
    done = subprocess.run(
        [*TICKPLANE, "run", one.run_yaml, "--ready-seconds", "0.5"], capture_output=True, text=True,
        timeout=60,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr == (
        "tickplane: run: not ready: no order session with "
        f"127.0.0.1:{one.ports['orders']}: Connection refused\n"
    )


def test_a_configuration_without_live_says_where_one_is(tmp_path, capsys):
    path = tmp_path / "replay.yaml"
    path.write_text((resources.files("appliance") / "configs" / "example.yaml").read_text())
    assert main(["run", str(path)]) == 2
    assert capsys.readouterr().err == (
        f"tickplane: {path}: live: missing; docs/live.md has one to copy\n"
    )


@pytest.mark.parametrize(
    ("old", "new", "problem"),
    [
        ("port: uring", "port: onload", "live.port: 'onload' is not one of its values;"),
        ("port: uring", "port: xdp", "live.interface: missing; the port xdp needs one,"),
        ("127.0.0.1:9001]", "127.0.0.1]", "live.orders: '127.0.0.1' is not an address;"),
        ("[127.0.0.1:9001", "[exchange:9001", "live.orders: 'exchange' is not an IPv4 address;"),
        (
            "127.0.0.1:9001]",
            "127.0.0.1:70000]",
            "live.orders: '127.0.0.1:70000' is not an address;",
        ),
        ("user: alice", "user: alexander", "live.user: 'alexander' is not a name; give 1 to 6"),
        ("  lines: [127.0.0.1:9101, 127.0.0.1:9102]\n", "", "live.lines: missing;"),
        ("[127.0.0.1:9101, ", "[1.1.1.1:1, 1.1.1.1:2, 1.1.1.1:3, ", "live.lines: 4 addresses;"),
        ("  port: uring", "  warm_after_us: 2000000", "live.warm_after_us: 2000000 is too large;"),
        ("  port: uring", "  prot: uring", "live.prot: unknown key; did you mean port?"),
    ],
)
def test_a_wrong_line_of_live_is_named(tmp_path, capsys, old, new, problem):
    text = (resources.files("appliance") / "configs" / "live.yaml").read_text()
    assert old in text
    path = tmp_path / "live.yaml"
    path.write_text(text.replace(old, new))
    assert main(["run", str(path)]) == 2
    assert f": {problem}" in capsys.readouterr().err
