"""The verbs status and orders: what they say of runs that trade, are killed, die, or are not there.

Runs are real processes; what is awaited is what they say, never a time.
"""

import hashlib
import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from live_world import USER, World, needs_uring
from waiting import LIMIT_S, wait_until

from appliance import status
from appliance.cli import main
from appliance.config import example_text
from dataplane.errors import DataplaneError
from dataplane.region import Region

# Buys a little at each new price, and takes so long over it that the run does not end by itself.
PATIENT = """
import time
from dataplane.strategy import BUY, OrderDenied

class Patient:
    def __init__(self, params): pass
    def on_book(self, gateway, top):
        time.sleep(0.05)
        if top.bid_price_nanos:
            try:
                gateway.submit(top.instrument_index, BUY, 100, top.bid_price_nanos)
            except OrderDenied:
                pass
"""


@pytest.fixture
def world(tmp_path):
    one = World(tmp_path)
    yield one
    one.end()


@pytest.fixture
def replay(tmp_path):
    """A replay that has sent orders: its process and the file of its memory."""
    assert main(["generate", str(tmp_path / "day.itch"), "--messages", "20000"]) == 0
    (tmp_path / "patient.py").write_text(PATIENT)
    process = subprocess.Popen(
        [sys.executable, "-P", "-m", "appliance", "replay", "day.itch", "--journal", "j",
         "--strategy", "python patient:Patient"],
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=tmp_path,
    )  # fmt: skip

    def look():
        names = [name for name in os.listdir("/dev/shm") if name.endswith(f"-{process.pid}")]
        try:
            with Region.attach(f"/dev/shm/{names[0]}") as region:
                return f"/dev/shm/{names[0]}" if region.counters()["orders_sent"] else None
        except (DataplaneError, IndexError):  # still being made
            return None

    try:
        yield process, wait_until(look, process=process)
    finally:
        process.kill()
        process.wait()
        for left in Path("/dev/shm").glob(f"tickplane-*-{process.pid}*"):
            left.unlink()


def said(capsys, *words):
    """Run a verb here; return its exit status and what it printed."""
    capsys.readouterr()
    code = main([*map(str, words)])
    return code, capsys.readouterr().out


def names(facts):
    return [alert["name"] for alert in facts["alerts"]]


def wait_for_alert(path, name):
    """Wait until the run at ``path`` has this alert; return its facts."""

    def look():
        facts = status.take(path)
        return facts if name in names(facts) else None

    return wait_until(look)


@needs_uring
def test_a_live_run_says_how_it_is(world, capsys):
    world.start_venue()
    run = world.start_run()
    world.wait_for_orders(run)
    path = world.region(run)
    wait_until(lambda: not status.take(path)["alerts"], process=run)
    facts = status.take(path)
    assert (facts["mode"], facts["is_live"], facts["pid"]) == ("trading", True, run.pid)
    assert facts["configuration"] == hashlib.sha256(world.run_yaml.read_bytes()).hexdigest()
    assert facts["journal"]["directory"] == str(world.folder / "journal")
    assert facts["journal"]["records"] > 0 and not facts["journal"]["failed"]
    ports = [one for one in facts["ports"] if one["rx_packets"]]
    assert len(ports) >= 2 and all(one["port"] == "uring" and one["is_up"] for one in ports)
    _, out = said(capsys, "ports", "--json")
    uring = next(kind for kind in json.loads(out) if kind["name"] == "uring")
    in_use = [one for one in uring["in_use"] if one["appliance"].endswith(f"-{run.pid}")]
    assert len(in_use) == len(facts["ports"])
    received = [sum(one["rx_packets"] for one in rows) for rows in (ports, in_use)]
    assert received[1] >= received[0]
    assert facts["journal"]["does_not_survive"] == "power loss, a crash of the kernel"
    lines = [line["address"] for line in facts["feed"]["channels"][0]["lines"]]
    assert lines == [f"127.0.0.1:{world.ports[name]}" for name in "ab"]
    assert all(line["packets"] for line in facts["feed"]["channels"][0]["lines"])
    [session] = facts["sessions"]
    assert (session["user"], session["state"], session["logins"]) == (USER, "OPEN", 1)
    assert session["address"] == f"127.0.0.1:{world.ports['orders']}"
    code, out = said(capsys, "status", path)
    assert code == (0 if "alerts    none" in out else 1)
    assert "an order waits for: memory; does not survive: power loss, a crash of" in out
    assert f"pid {run.pid}: " in out and f"session   {USER} at " in out
    world.finish(run)


@needs_uring
def test_a_kill_and_a_venue_that_is_gone_are_alerts(world, capsys):
    venue = world.start_venue()
    run = world.start_run()
    world.wait_for_orders(run)
    path = world.region(run)
    assert main(["kill", "--appliance", str(path), "--mode", "reject-new"]) == 0
    facts = wait_for_alert(path, "killed")
    assert facts["mode"] == "reject-new"
    assert [row["scope"] for row in facts["switches"]] == ["firm"]
    venue.kill()
    wait_for_alert(path, "session")
    facts = wait_for_alert(path, "line_silent")
    assert facts["sessions"][0]["losses"] >= 1
    code, out = said(capsys, "status", path, "--json")
    assert code == 1
    assert {"killed", "session", "line_silent"} <= set(names(json.loads(out)))


@needs_uring
def test_orders_of_a_live_run_are_listed(world, capsys):
    world.start_venue()
    run = world.start_run()
    path = world.region(run)

    def look():
        code, out = said(capsys, "orders", path, "--json")
        assert code == 0
        return [json.loads(line) for line in out.splitlines()]

    for order in wait_until(look, process=run):
        assert order["symbol"].strip() in ("TPLN", "OTHR")
        assert order["side"] in ("BUY", "SELL") and order["price_nanos"] > 0
        assert 0 < order["leaves_qty"] <= order["qty"]
    world.finish(run)


def test_a_replay_says_how_it_is_and_that_it_died(replay, capsys):
    process, path = replay
    code, out = said(capsys, "status", path, "--json")
    facts = json.loads(out)
    assert code == (1 if facts["alerts"] else 0)
    assert (facts["is_live"], facts["is_alive"], facts["sessions"]) == (False, True, [])
    assert (facts["mode"], facts["pid"]) == ("trading", process.pid)
    assert facts["configuration"] == hashlib.sha256(example_text().encode()).hexdigest()
    assert facts["journal"]["directory"] == "j" and facts["feed"]["messages"] > 0
    process.kill()
    process.wait(timeout=LIMIT_S)
    code, out = said(capsys, "status", path)
    assert code == 1
    assert f"pid {process.pid}: dead" in out and "ALERT     dead: " in out


def test_orders_of_a_replay_are_those_of_its_memory(replay, capsys):
    process, path = replay

    def held():
        process.send_signal(signal.SIGSTOP)  # what is looked at twice stands still
        found = said(capsys, "orders", path, "--json")[1].splitlines()
        if not found:
            process.send_signal(signal.SIGCONT)
        return found

    orders = [json.loads(line) for line in wait_until(held, process=process)]
    numbers = [order["user_ref_num"] for order in orders]
    assert numbers == sorted(set(numbers))
    code, out = said(capsys, "orders", path)
    assert code == 0
    assert [int(line.split()[0]) for line in out.splitlines()[1:]] == numbers
    symbol = orders[0]["symbol"].strip()
    _, out = said(capsys, "orders", path, "--json", "--symbol", symbol)
    assert {json.loads(line)["symbol"].strip() for line in out.splitlines()} == {symbol}
    assert said(capsys, "orders", path, "--symbol", "NOBODY") == (0, "no open orders\n")


@pytest.mark.parametrize("verb", ["status", "orders"])
def test_no_such_run_is_one_line(verb, capsys, tmp_path, monkeypatch):
    assert main([verb, "no-such-appliance"]) != 0
    err = capsys.readouterr().err
    assert "no-such-appliance: no such appliance" in err and err.count("\n") == 1
    (tmp_path / "noise").write_bytes(os.urandom(4096))
    assert main([verb, str(tmp_path / "noise")]) != 0
    assert capsys.readouterr().err.count("\n") == 1
    monkeypatch.setattr("appliance.top.SHM", tmp_path)  # a machine on which nothing runs
    assert main([verb]) != 0
    err = capsys.readouterr().err
    assert f"{verb}: no appliance in" in err and err.count("\n") == 1
