"""Switches and limits of a run, from other processes: what holds, and what the journal says."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from appliance.cli import main
from appliance.errors import CommandError
from dataplane.control import Control
from dataplane.errors import DataplaneError

WAIT_S = 240


@pytest.fixture(scope="module")
def day(tmp_path_factory):
    path = tmp_path_factory.mktemp("control") / "day.itch"
    assert main(["generate", str(path), "--messages", "1500000", "--symbols", "200"]) == 0
    return path


class Run:
    """A replay in a process of its own, stopped (SIGSTOP) whenever the test is not waiting."""

    def __init__(self, day, folder):
        self.journal = folder / "journal"
        words = ["replay", str(day), "--quiet", "--journal", str(self.journal)]
        self.process = subprocess.Popen(
            [sys.executable, "-m", "appliance", *words], stdout=subprocess.DEVNULL
        )
        self.region = self.wait_for(self.find_region)
        self.wait_for(self.has_orders)

    def find_region(self):
        found = list(Path("/dev/shm").glob(f"tickplane-*-{self.process.pid}"))
        return str(found[0]) if found else None

    def has_orders(self):
        from dataplane.region import Region

        with Region.attach(self.region) as region:
            return region.counters()["orders_sent"] > 20

    def wait_for_refusals(self):
        from dataplane.region import Region

        with Region.attach(self.region) as region:
            before = region.counters()["orders_denied"]
            self.wait_for(lambda: region.counters()["orders_denied"] > before)

    def wait_for(self, look):
        until = time.monotonic() + WAIT_S
        while time.monotonic() < until:
            assert self.process.poll() is None
            try:
                found = look()
            except DataplaneError:  # still being made
                found = None
            if found:
                return found
            time.sleep(0.002)
        raise AssertionError(f"nothing after {WAIT_S} s")

    def events(self, capsys):
        assert self.process.wait(WAIT_S * 2) == 0
        capsys.readouterr()
        assert main(["journal", "dump", str(self.journal), "--json"]) == 0
        return [json.loads(line) for line in capsys.readouterr().out.splitlines()]


@pytest.fixture
def running(day, tmp_path):
    run = Run(day, tmp_path)
    yield run
    if run.process.poll() is None:
        run.process.send_signal(signal.SIGCONT)
        run.process.send_signal(signal.SIGTERM)
        run.process.wait(WAIT_S)


def command(run, *words):
    return main([*words, "--appliance", run.region])


def test_a_kill_stops_orders_cancels_what_is_open_and_is_armed_by_name(running, capsys):
    with Control.attach(running.region) as control:
        assert command(running, "kill", "--author", "ada", "--cause", "drill") == 0
        mode, source, mark = control.mode("firm")
        assert (mode, source) == ("cancel-all", "person")
        assert command(running, "arm") == 0
        assert f"--mark {mark} --cause" in capsys.readouterr().out
        assert command(running, "arm", "--mark", str(mark)) == 2  # no cause
        assert control.mode("firm")[0] == "cancel-all"
        running.wait_for_refusals()
        words = ("--mark", str(mark), "--cause", "drill is over", "--author", "ada")
        assert command(running, "arm", *words) == 0
        assert control.mode("firm")[0] == "clear"
    events = running.events(capsys)
    kinds = [event["event"] for event in events]
    killed, cleared = kinds.index("KILL_SET"), kinds.index("KILL_CLEARED")
    assert killed < cleared
    between = events[killed + 1 : cleared]
    assert not [event for event in between if event["event"] in ("NEW", "REPLACE")]
    assert any(event["event"] == "CANCEL" for event in between)
    assert "NEW" in kinds[cleared:]
    version = events[killed]["policy_version"]
    assert version in (1, 2)  # the switch tells twice: by its command, and by who gave it
    assert events[killed] | {"seq": 0, "time_ns": 0, "policy_version": 0} == {
        "seq": 0, "time_ns": 0, "clock": "replay", "event": "KILL_SET", "scope": "firm",
        "before": "clear", "after": "cancel-all", "source": "person", "author": "ada",
        "cause": "drill", "policy_version": 0,
    }  # fmt: skip
    assert events[cleared]["cause"] == "drill is over"
    denied = [event for event in between if event["event"] == "DENIED"]
    assert denied and all(event["reason"] == "KILL_SWITCH" for event in denied)
    assert all(event["policy_version"] >= version for event in denied)


def test_a_limit_is_changed_while_it_runs(running, capsys):
    words = ("strategy:maker", "max_order_notional", "0.01", "--cause", "close early")
    assert command(running, "limits", "set", *words) == 0
    assert "max_order_notional: 250000 -> 0.01" in capsys.readouterr().out
    assert command(running, "limits", "show", "strategy:maker") == 0
    assert "max_order_notional     0.01" in capsys.readouterr().out
    events = running.events(capsys)
    changed = [event["event"] for event in events].index("LIMIT_CHANGED")
    assert events[changed]["limit"] == "max_order_notional"
    assert (events[changed]["before"], events[changed]["after"]) == (250_000 * 10**9, 10**7)
    maker = [event for event in events[changed:] if event.get("strategy_index") == 0]
    assert not [event for event in maker if event["event"] in ("NEW", "REPLACE")]
    reasons = {event["reason"] for event in maker if event["event"] == "DENIED"}
    assert reasons == {"MAX_ORDER_NOTIONAL"}


def test_a_kill_holds_while_the_appliance_is_stopped(running, monkeypatch, capsys):
    monkeypatch.setattr("dataplane.control.ANSWER_WAIT_S", 0.05)
    os.kill(running.process.pid, signal.SIGSTOP)
    with Control.attach(running.region) as control:
        assert not control.kill("strategy:taker", "reject-new", author="ada", cause="hung")
        assert control.mode("strategy:taker")[0] == "reject-new"
    os.kill(running.process.pid, signal.SIGCONT)
    events = running.events(capsys)
    killed = [event["event"] for event in events].index("KILL_SET")
    assert (events[killed]["scope"], events[killed]["cause"]) == ("strategy:1", "hung")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("kill", "firma"), "kill: scope: 'firma' is none; write firm, account:NAME,"),
        (("kill", "strategy:nobody"), "kill: scope: 'strategy:nobody' is not here; known: firm,"),
        (("kill", "session:16"), "kill: scope: 'session:16'; give 0 to 15"),
        (("kill", "instrument:NONE"), "kill: scope: no instrument 'NONE' is open"),
        (("kill", "--cause", "x" * 40), "--cause: 40 bytes; give at most 39"),
        (("limits", "set", "firm", "max", "1", "--cause", "x"), "limits: 'max' is none of firm;"),
        (
            ("limits", "set", "firm", "max_gross", "much", "--cause", "x"),
            "limits: max_gross: 'much' is not an amount",
        ),
        (
            ("limits", "set", "firm", "order_rate", "0", "--cause", "x"),
            "limits: risk: group 0: order_rate_max: 0; give 1 to 1000000000, or unlimited",
        ),
        (
            ("arm", "firm", "--mark", "99", "--cause", "x"),
            "arm: arm: the switch has changed since you looked; look again",
        ),
    ],
)
def test_what_cannot_be_done_is_said(words, text, running, capsys):
    assert command(running, *words) == 2
    assert text in capsys.readouterr().err


def test_nobody_runs(tmp_path):
    from appliance.top import find

    with pytest.raises(CommandError, match="kill: nobody: no such appliance"):
        find("nobody", "kill")
