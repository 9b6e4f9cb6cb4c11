"""Orders of other processes: real processes at the desks of an engine that this one turns."""

from __future__ import annotations

import json
import os
import random
import select
import signal
import subprocess
import sys
import textwrap
import time
from pathlib import Path

import pytest

from appliance import replay
from appliance.cli import main
from appliance.config import example_text, parse
from appliance.config_section import ConfigError
from dataplane.desk import Desk
from dataplane.engine import Engine
from dataplane.errors import DataplaneError
from dataplane.generate import session_bytes
from dataplane.journal import Journal
from dataplane.region import Region

EXAMPLE = Path(__file__).resolve().parents[2] / "examples" / "python" / "desk.py"
WAIT_S = 60
TURN_S = 0.001  # between two turns: the day must outlast the submitters
START_S = 0.02  # the same while a process is only starting
OPEN_MAX = 12
STATE_OFFSET = 19  # ITCH 5.0, Stock Trading Action
CAPACITY = "capacity: {instruments: 64, orders: 100000, levels: 50000, own_orders: 200000}\n"

DESK = """
  - name: remote
    kind: desk
    risk:
      max_order_qty: 1000
      max_order_notional: 250000
      max_gross: 1000000000
      max_net: 20000000
      max_open_orders: 500
      order_rate: 1000000
      order_burst: 100000
      duplicate_count: 29
      duplicate_window_ms: 1
"""

# What a submitter has at hand: a desk, and an instrument whose book has two sides.
PROLOGUE = """
import json, os, random, sys, time
from dataplane.desk import Desk, Request
from dataplane.errors import DataplaneError
from dataplane.region import Region
from dataplane.strategy import BUY, SELL, OrderDenied

def touch(path):
    until = time.monotonic() + 60
    while time.monotonic() < until:
        with Region.attach(path) as region:
            for symbol, _, bid, _, ask, _ in region.tops().values():
                if bid and ask and 10**9 < bid < ask < 100 * 10**9:
                    return symbol, bid, ask
        time.sleep(0.001)
    raise SystemExit("no book has two sides")

def events_until(desk, kind, number):
    found = []
    until = time.monotonic() + 60
    while time.monotonic() < until:
        for event in desk.events():
            found.append((event.kind, event.user_ref_num))
            if found[-1] == (kind, number):
                return found
        time.sleep(0.001)
    raise SystemExit(f"no {kind} of {number}: {found}")

path = sys.argv[1]
desk = Desk.attach(path)
desk.open("remote")
"""


def without_halts(session):
    """The same session, in which nothing is ever halted: orders pass whenever they come."""
    at, kept = 0, []
    while at < len(session):
        end = at + 2 + int.from_bytes(session[at : at + 2], "big")
        is_halt = session[at + 2 : at + 3] == b"H" and session[at + 2 + STATE_OFFSET] != ord("T")
        if not is_halt:
            kept.append(session[at:end])
        at = end
    return b"".join(kept)


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    path = tmp_path_factory.mktemp("desk") / "day.itch"
    path.write_bytes(without_halts(session_bytes(1_000_000, symbols=10, seed=7)))
    return path


def config_text(**changes):
    text = example_text()
    cut = text.index("strategies:\n") + len("strategies:")
    text = text[:cut] + DESK + text[text.index("\njournal:") :]
    cut = text.index("\ncapacity:") + 1
    text = text[:cut] + CAPACITY + text[text.index("\nfeed:") :]
    for old, new in changes.items():
        assert old in text
        text = text.replace(old, new)
    return text


class World:
    """An engine in the middle of a day, turned by hand, and processes at its desks."""

    def __init__(self, day, folder, text):
        self.day, self.folder = day, folder
        self.journal = folder / "journal"
        self.region = Path(f"/dev/shm/tickplane-desk-{os.getpid()}")
        self.config = parse(text, source="desk.yaml")
        args = type("Args", (), {"journal": str(self.journal), "pcap_out": None, "file": str(day)})
        self.engine = Engine(replay.settings_of(args, self.config, str(self.region)))
        replay.furnish(self.engine, self.config)
        self.engine.start(str(day))
        self.engine.run(20_000)  # books are there
        self.children = []

    def start(self, program, *words):
        text = PROLOGUE + textwrap.dedent(program)
        command = [sys.executable, "-c", text, str(self.region), *map(str, words)]
        child = subprocess.Popen(command, stdout=-1, stderr=-1, text=True)
        self.children.append(child)
        return child

    def turn_until(self, look, pause_s=TURN_S):
        """Turn the engine until the look finds something; return that."""
        until = time.monotonic() + WAIT_S
        while not (found := look()):
            assert time.monotonic() < until, "nothing found"
            assert self.engine.run(1) > 0, "the day is over before the submitters"
            time.sleep(pause_s)
        return found

    def result_of(self, child):
        """Turn the engine as long as the child runs; return what it printed, as JSON."""
        self.turn_until(lambda: child.poll() is not None)
        out, err = child.communicate()
        assert child.returncode == 0, err
        return json.loads(out)

    def uses(self, scope):
        with Region.attach(self.region) as region:
            rows = {row["scope"]: row["uses"] for row in region.risk()}
        return rows[scope]

    def finish(self):
        self.engine.finish()
        return self.engine.counters()

    def end(self):
        for child in self.children:
            if child.poll() is None:
                child.kill()
            child.communicate()
        self.region.unlink(missing_ok=True)


@pytest.fixture
def world(day, tmp_path):
    made = []

    def make(text=None):
        made.append(World(day, tmp_path, text or config_text()))
        return made[-1]

    yield make
    for one in made:
        one.end()


def test_every_verb_of_a_strategy_from_another_process(world):
    one = world()
    child = one.start("""
        symbol, bid, ask = touch(path)
        low = bid - bid % 100_000_000  # in whole tenths, below the touch
        first = desk.submit(symbol, BUY, 100, low, key=7)
        again = desk.submit(symbol, BUY, 999, low, key=7)
        accepted = events_until(desk, "ACCEPTED", first)
        second = desk.replace(first, 50, low - 100_000_000)
        replaced = events_until(desk, "REPLACED", second)
        desk.cancel(second)
        canceled = events_until(desk, "CANCELED", second)
        denied = []
        for call in (
            lambda: desk.cancel(second),
            lambda: desk.replace(12345, 1, low),
            lambda: desk.submit(symbol, BUY, 5000, low),
            lambda: desk.submit(symbol, 300, 1, low),
        ):
            try:
                call()
            except OrderDenied as error:
                denied.append(error.reason)
        batch = desk.submit_n([
            Request(symbol, BUY, 10, low), Request(symbol, BUY, 5000, low),
            Request(symbol, BUY, 20, low),
        ])
        desk.close()
        print(json.dumps([first, again, second, denied, batch]))
    """)
    first, again, second, denied, batch = one.result_of(child)
    assert first == again
    assert denied == ["ORDER_UNKNOWN", "ORDER_UNKNOWN", "MAX_ORDER_QTY", "ORDER_INVALID"]
    assert [reason for _, reason in batch] == [None, "MAX_ORDER_QTY", None]
    assert batch[0][0] + 2 == batch[1][0] + 1 == batch[2][0]
    counters = one.finish()
    assert counters["desk_leaked"] == 0
    assert counters["requests_repeated"] == 1
    # Recorded like any other order, and its end too.
    events = [event for event in Journal(str(one.journal)) if "user_ref_num" in event]
    kinds = [event["event"] for event in events if event["user_ref_num"] in (first, second)]
    assert kinds == ["NEW", "ACCEPTED", "REPLACE", "REPLACED", "CANCEL", "CANCELED"]
    assert {event["strategy_index"] for event in events} == {0}


SUBMITTER = """
    def call(verb, *words, **more):
        try:
            return verb(*words, **more)
        except OrderDenied:
            return None

    chance = random.Random(int(sys.argv[2]))
    symbol, bid, ask = touch(path)
    low = bid - bid % 100_000_000 - 500_000_000
    mine, key = [], os.getpid() << 20
    print("ready", flush=True)
    while not os.path.exists(sys.argv[3]):
        key += 1
        number = call(desk.submit, symbol, BUY, chance.randrange(1, 200), low, key=key)
        if number is not None:
            mine.append(number)
        if mine and (number is None or len(mine) > 5):
            call(desk.cancel, mine.pop(0))
        if mine and chance.random() < 0.3:
            mine[-1] = call(desk.replace, mine[-1], chance.randrange(1, 300), low) or mine[-1]
        desk.events()
"""


class Crowd:
    """Submitters of one account, killed now and then and replaced."""

    def __init__(self, world, over):
        self.world, self.over, self.lives = world, over, 0
        self.workers = [self.start() for _ in range(3)]
        self.most = 0

    def start(self):
        self.lives += 1
        worker = self.world.start(SUBMITTER, self.lives, self.over)
        self.world.turn_until(lambda: select.select([worker.stdout], [], [], 0)[0], START_S)
        assert worker.stdout.readline() == "ready\n", worker.stderr.read()
        return worker

    def look(self):
        used = self.world.uses("account:house")["max_open_orders"][0]
        assert used <= OPEN_MAX
        self.most = max(self.most, used)
        return used

    def kill_one_at_the_limit(self, victim):
        self.world.turn_until(lambda: self.look() == OPEN_MAX)
        self.workers[victim].send_signal(signal.SIGKILL)
        self.workers[victim].wait(WAIT_S)
        self.workers[victim] = self.start()

    def end(self):
        self.over.touch()
        for worker in self.workers:
            self.world.turn_until(lambda one=worker: one.poll() is not None)
            assert worker.returncode == 0, worker.stderr.read()


def test_several_processes_one_account_and_the_limit_is_never_passed(world, tmp_path):
    """Submitters are killed and replaced; what is reserved is what is open, and 0 in the end."""
    one = world(config_text(**{"max_open_orders: 2000": f"max_open_orders: {OPEN_MAX}"}))
    crowd = Crowd(one, tmp_path / "over")
    chance = random.Random(1)
    for _ in range(12):
        crowd.kill_one_at_the_limit(chance.randrange(3))
    crowd.end()
    counters = one.finish()
    assert crowd.most == OPEN_MAX
    assert counters["desk_leaked"] == 0
    assert counters["orders_denied"] > 0
    assert counters["desk_requests"] >= counters["orders_sent"] > OPEN_MAX
    used = one.uses("account:house")
    assert (used["max_open_orders"][0], used["max_open_notional"][0]) == (0, 0)
    events = [event for event in Journal(str(one.journal)) if event.get("event") == "NEW"]
    keys = [event["request_key"] for event in events]
    assert len(keys) == len(set(keys)) == counters["orders_sent"]


def test_the_example_trades(world):
    one = world()
    with Region.attach(one.region) as region:
        tops = region.tops().values()
    symbol = next(top[0] for top in tops if top[2] and top[4] and 10**9 < top[2] < top[4] < 10**11)
    words = [sys.executable, str(EXAMPLE), str(one.region), "remote", symbol, "1"]
    one.children.append(subprocess.Popen(words, stdout=-1, stderr=-1, text=True))
    one.turn_until(lambda: one.children[0].poll() is not None)
    out, err = one.children[0].communicate()
    assert one.children[0].returncode == 0, err
    assert "ACCEPTED" in out, out
    assert one.finish()["desk_requests"] > 0


def test_desks_without_submitters_change_nothing(tmp_path, capsys):
    """A replay with desks that nobody opens is the replay without them, byte for byte."""
    day = tmp_path / "day.itch"
    assert main(["generate", str(day), "--messages", "200000", "--symbols", "20"]) == 0
    capsys.readouterr()
    digests = []
    for name, extra in (("without", ""), ("with", DESK)):
        path = tmp_path / f"{name}.yaml"
        path.write_text(example_text().replace("\njournal:", f"{extra}\njournal:"))
        assert main(["replay", str(day), "--config", str(path), "--json"]) == 0
        report = json.loads(capsys.readouterr().out)
        digests.append((report["events_digest"], report["wire_digest"]))
    assert digests[0] == digests[1]


def test_who_cannot_submit_is_told_why(world, day, tmp_path):
    one = world(config_text() + "desk: {submitters: 1}\n")
    with Desk.attach(one.region) as desk:
        with pytest.raises(DataplaneError, match="desk: not open; call open"):
            desk.submit("AAAA", 1, 1, 10**9)
        with pytest.raises(DataplaneError, match="no strategy 'maker' here; known: remote"):
            desk.open("maker")
        desk.open("remote")
        with pytest.raises(DataplaneError, match="desk: open already"):
            desk.open("remote")
        with pytest.raises(DataplaneError, match="no instrument 'NONE' is open"):
            desk.submit("NONE", 1, 1, 10**9)
        with (
            Desk.attach(one.region) as second,
            pytest.raises(DataplaneError, match="desk: all 1 are taken; raise desk.submitters"),
        ):
            second.open("remote", wait_s=0)
        symbol = symbol_of(one)
        with pytest.raises(DataplaneError, match="desk: no answer; the order may have been sent"):
            desk.submit(symbol, 1, 1, 10**9, wait_s=0)
        one.finish()
        with pytest.raises(DataplaneError, match="desk: the run is over; attach to the next one"):
            desk.submit(symbol, 1, 1, 10**9)
    with pytest.raises(DataplaneError, match="region: closed"):
        desk.submit(symbol, 1, 1, 10**9)


def symbol_of(one):
    with Region.attach(one.region) as region:
        return next(iter(region.tops().values()))[0]


def test_an_appliance_without_a_desk_says_so(day, tmp_path):
    path = Path(f"/dev/shm/tickplane-nodesk-{os.getpid()}")
    args = type("Args", (), {"journal": None, "pcap_out": None, "file": str(day)})
    engine = Engine(replay.settings_of(args, parse(example_text(), source="t"), str(path)))
    try:
        with pytest.raises(DataplaneError, match="takes no orders from other processes"):
            Desk.attach(path)
    finally:
        path.unlink()
        del engine


@pytest.mark.parametrize(
    ("words", "complaint"),
    [
        ("desk: {submitters: 33}", "desk.submitters: 33 is too large; give a whole number"),
        ("desk: {waiting: 1024}", "desk.waiting: 1024 is too large; give a whole number"),
        ("desk: {size: 1}", "desk.size: unknown key; known: submitters, waiting"),
    ],
)
def test_a_wrong_line_of_desk_is_named(words, complaint):
    with pytest.raises(ConfigError) as caught:
        parse(config_text() + words + "\n", source="t")
    assert complaint in str(caught.value)
