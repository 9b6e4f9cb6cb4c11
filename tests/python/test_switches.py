"""Switches outlive whatever dies: a run that is killed, a full disk, a disk that hangs."""

import os
import signal
import subprocess
import threading
from collections import Counter

import pytest
from cut_disk import CutDisk
from live_world import END_S, TICKPLANE, check_books_balance, journal_events, needs_uring
from waiting import wait_until

from appliance import switches
from appliance.cli import main
from dataplane.control import Control
from dataplane.journal import Journal
from dataplane.region import Region

pytestmark = needs_uring


def verb(one, name, *words, run=None):
    where = (
        ["--config", str(one.run_yaml)] if run is None else ["--appliance", str(one.region(run))]
    )
    return main([name, *words, *where])


def with_journal(one, directory=None):
    """Name the journal in the configuration: verbs find the switches by it when nothing runs."""
    directory = directory or one.folder / "journal"
    text = one.run_yaml.read_text().replace("journal:\n", f"journal:\n  directory: {directory}\n")
    one.run_yaml.write_text(text)
    return switches.path_of(directory)


def start(one):
    """Start a run with nothing but its configuration."""
    return one.start("run", one.run_yaml, "--ready-seconds", "240", "--json", one.folder / "r.json")


def refuses(one):
    """Return why a run does not start."""
    done = subprocess.run(
        [*TICKPLANE, "run", one.run_yaml, "--ready-seconds", "240"],
        capture_output=True, text=True, timeout=END_S, check=False,
    )  # fmt: skip
    assert done.returncode != 0
    return done.stderr


def set_in(one, run):
    """Return what is set in a run's memory: scope to (mode, source)."""
    with Region.attach(one.region(run)) as region:
        rows = region.risk()
    return {row["scope"]: (row["mode"], row["source"]) for row in rows if row["mode"] != "clear"}


def die(run):
    run.kill()
    run.wait()


def mark_shown(capsys):
    return capsys.readouterr().out.split("--mark ")[1].split()[0]


def arm(one, scope, capsys, *, run=None):
    """Arm in the two steps."""
    capsys.readouterr()
    assert verb(one, "arm", scope, "--cause", "over", run=run) == 0
    mark = mark_shown(capsys)
    words = ("--mark", mark, "--cause", "over", "--author", "ada")
    assert verb(one, "arm", scope, *words, run=run) == 0
    return capsys.readouterr().out


def check_nothing_new_leaves(one, run):
    """Wait until the gate has refused again and again; nothing was sent meanwhile."""
    sent = one.counters(run)["orders_sent"]
    denied = one.counters(run)["orders_denied"]
    one.wait_until(run, lambda now: now["orders_denied"] > denied + 5)
    assert one.counters(run)["orders_sent"] == sent


# ---- real runs ----


def test_a_kill_outlives_a_run_that_is_killed(world, capsys):
    one = world(seed=2)
    path = with_journal(one)
    one.start_venue()
    run = start(one)
    one.wait_for_orders(run)
    words = ("--mode", "reject-new", "--author", "ada", "--cause", "drill")
    assert verb(one, "kill", *words, run=run) == 0
    assert capsys.readouterr().out == (
        "firm: reject-new, set by person; journalled; kept on disk\n"
    )
    die(run)
    run = start(one)
    assert set_in(one, run) == {"firm": ("reject-new", "person")}
    check_nothing_new_leaves(one, run)
    assert one.counters(run)["orders_sent"] == 0
    assert "; on disk" in arm(one, "firm", capsys, run=run)
    assert switches.read(path) == {}
    one.wait_for_orders(run, since=one.counters(run))
    one.finish(run)
    one.end()
    sets = [e for e in Journal(str(one.folder / "journal")) if e["event"] == "KILL_SET"]
    assert [(e["author"], e["cause"]) for e in sets] == [("ada", "drill")] * 2
    assert check_books_balance(one) > 0


def test_every_scope_stops_a_run_from_the_command_line(world, capsys):
    one = world(seed=10)
    with_journal(one)
    one.start_venue()
    run = start(one)
    scopes = ("firm", "account:house", "strategy:maker", "session:0", "instrument:TPLN")
    for scope in scopes:
        one.wait_for_orders(run, since=one.counters(run))
        assert verb(one, "kill", scope, "--mode", "reject-new", run=run) == 0
        assert set_in(one, run) == {scope: ("reject-new", "person")}
        if scope.startswith("instrument"):
            one.wait_for_orders(run, since=one.counters(run))  # of the other one
        else:
            check_nothing_new_leaves(one, run)
        arm(one, scope, capsys, run=run)
    one.finish(run)
    one.end()
    events = list(Journal(str(one.folder / "journal")))
    kinds_seen = [event["event"] for event in events]
    last = len(kinds_seen) - kinds_seen[::-1].index("KILL_SET")
    under = events[last : kinds_seen.index("KILL_CLEARED", last)]
    assert {e["symbol"] for e in under if e["event"] == "NEW"} == {"OTHR"}
    assert check_books_balance(one) > 0


def test_reduce_only_lets_nothing_make_a_position_larger(world):
    one = world(seed=11)
    with_journal(one)
    one.start_venue()
    run = start(one)
    one.wait_until(run, lambda now: now["reports"] > 50)
    assert verb(one, "kill", "--mode", "reduce-only", run=run) == 0
    denied = one.counters(run)["orders_denied"]
    one.wait_until(run, lambda now: now["orders_denied"] > denied + 20)
    one.finish(run)
    one.end()
    position, is_set = Counter(), False
    for event in Journal(str(one.folder / "journal")):
        is_set |= event["event"] == "KILL_SET"
        sign = 1 if event.get("side") == "BUY" else -1
        if event["event"] == "FILLED":
            position[event["symbol"]] += sign * event["qty"]
        if is_set and event["event"] == "NEW":
            assert -sign * position[event["symbol"]] >= event["qty"], event


def test_status_says_whose_why_and_what_a_restart_would_forget(world, capsys):
    one = world(seed=12)
    path = with_journal(one)
    one.start_venue()
    run = start(one)
    region = str(one.region(run))
    assert verb(one, "kill", "--author", "ada", "--cause", "drill", run=run) == 0
    capsys.readouterr()
    assert main(["status", region]) == 1
    out = capsys.readouterr().out
    assert "\nswitches  firm: cancel-all, set by person (ada: drill), 20" in out
    assert "ALERT     killed: firm: cancel-all, set by person\n" in out
    assert "not_kept" not in out
    switches.drop(path, "firm")
    assert main(["status", region]) == 1
    assert "ALERT     not_kept: firm: cancel-all: a restart would" in capsys.readouterr().out
    switches.keep(path, switches.Switch("firm", "cancel-all", "person", "ada", "drill", 1))
    die(run)
    assert main(["status", region]) == 1
    assert "firm: cancel-all, set by person (ada: drill), 1970" in capsys.readouterr().out


def test_a_kill_without_a_name_is_for_all_and_each_is_armed_by_name(world, monkeypatch, capsys):
    one = world(seed=13)
    with_journal(one)
    one.start_venue()
    run = start(one)
    region = one.region(run)
    # Only ours: others may trade on this machine.
    monkeypatch.setattr("appliance.running.regions", lambda: [region, region])
    assert main(["kill", "--mode", "reject-new"]) == 0
    name = region.name.removeprefix("tickplane-")
    words = f"{name}: firm: reject-new, set by person; journalled; kept on disk\n"
    assert capsys.readouterr().out == 2 * words
    assert main(["arm"]) == 2
    assert "arm: 2 appliances run: " in capsys.readouterr().err
    monkeypatch.setattr("appliance.running.regions", lambda: [region])
    assert main(["kill", "strategy:nobody"]) == 2
    assert main(["arm"]) == 0
    assert "to clear it: tickplane arm firm --mark" in capsys.readouterr().out
    one.finish(run)


def test_a_kill_of_a_run_that_hangs_outlives_it(world, monkeypatch, capsys):
    monkeypatch.setattr("dataplane.control.ANSWER_WAIT_S", 0.05)
    one = world(seed=3)
    with_journal(one)
    one.start_venue()
    run = start(one)
    one.wait_for_orders(run)
    run.send_signal(signal.SIGSTOP)
    assert verb(one, "kill", "strategy:maker", "--mode", "cancel-all", run=run) == 0
    assert "the appliance has not answered; kept on disk" in capsys.readouterr().out
    die(run)
    run = start(one)
    assert set_in(one, run) == {"strategy:maker": ("cancel-all", "person")}
    check_nothing_new_leaves(one, run)
    one.finish(run)
    one.end()
    assert check_books_balance(one) > 0


def test_a_kill_when_nothing_runs_is_there_before_the_first_order(world, capsys):
    one = world(seed=4)
    with_journal(one)
    assert verb(one, "kill", "--author", "ada") == 0
    assert capsys.readouterr().out == "firm: cancel-all, nothing runs; kept on disk\n"
    assert verb(one, "kill", "instrument:TPLN", "--mode", "reject-new") == 0
    one.start_venue()
    run = start(one)
    assert set_in(one, run)["firm"] == ("cancel-all", "person")
    wait_until(lambda: "instrument:TPLN" in set_in(one, run), process=run)
    check_nothing_new_leaves(one, run)
    arm(one, "firm", capsys)
    one.wait_for_orders(run, since=one.counters(run))
    one.finish(run)
    one.end()
    symbols = {e["symbol"] for e in journal_events(one) if e["event"] == "NEW"}
    assert symbols == {"OTHR"}


def test_what_is_armed_when_nothing_runs_is_clear_at_the_next_start(world, capsys):
    one = world(seed=5)
    path = with_journal(one)
    one.start_venue()
    run = start(one)
    assert verb(one, "kill", run=run) == 0
    die(run)
    assert "firm: clear at the next start, by ada: over; on disk" in arm(one, "firm", capsys)
    assert switches.read(path) == {}
    run = start(one)
    assert set_in(one, run) == {}
    one.wait_for_orders(run)
    one.finish(run)
    one.end()


def test_what_a_run_had_no_time_to_write_is_read_from_the_memory_that_it_left(
    world, monkeypatch, capsys
):
    monkeypatch.setattr("dataplane.control.ANSWER_WAIT_S", 0.05)
    one = world(seed=14)
    path = with_journal(one)
    one.start_venue()
    run = start(one)
    with Control.attach(one.region(run)) as control:
        run.send_signal(signal.SIGSTOP)  # nothing of it looks any more
        control.kill("account:house", "cancel-all", author="ada", cause="drill")
    die(run)
    assert switches.read(path) == {}
    assert verb(one, "arm", "account:house", run=run) == 0  # it takes it over to show it
    assert "account:house: cancel-all, set by person, 20" in capsys.readouterr().out
    switches.drop(path, "account:house")
    run = start(one)
    assert set_in(one, run) == {"account:house": ("cancel-all", "person")}
    one.finish(run)


def test_a_breaker_outlives_a_run_that_is_killed(world):
    one = world(seed=6)
    path = with_journal(one)
    text = one.run_yaml.read_text()
    one.run_yaml.write_text(
        text.replace("      order_rate: 10000", "      max_fan_out: 1\n      order_rate: 10000")
    )
    one.start_venue()
    run = start(one)
    wait_until(lambda: set_in(one, run).get("strategy:maker"), process=run)
    wait_until(lambda: "strategy:maker" in switches.read(path), process=run)
    die(run)
    run = start(one)
    assert set_in(one, run)["strategy:maker"] == ("reject-new", "fan-out")
    one.finish(run)
    one.end()


def test_a_hard_stop_refuses_the_next_start(world, capsys):
    one = world(seed=7)
    with_journal(one)
    one.start_venue()
    run = start(one)
    one.wait_for_orders(run)
    words = ("--mode", "hard-stop", "--author", "ada", "--cause", "fire")
    assert verb(one, "kill", *words, run=run) == 0
    run.communicate(timeout=END_S)
    assert "tickplane: run: firm: hard-stop, set by person (ada: fire), 20" in refuses(one)
    arm(one, "firm", capsys)
    one.finish(start(one))


def test_a_full_disk_takes_a_kill(world, small_disk, capsys):
    one = world(seed=8)
    disk = small_disk("160m")
    path = with_journal(one, disk / "journal")
    one.start_venue()
    run = start(one)
    one.wait_for_orders(run)
    filler = disk / "filler"
    with open(filler, "wb") as file, pytest.raises(OSError):
        while True:
            file.write(bytes(1 << 20))
            file.flush()
    assert os.statvfs(disk).f_bavail == 0
    assert verb(one, "kill", run=run) == 0
    assert "kept on disk" in capsys.readouterr().out
    die(run)
    assert switches.read(path)["firm"].mode == "cancel-all"
    filler.unlink()
    run = start(one)
    assert set_in(one, run) == {"firm": ("cancel-all", "person")}
    check_nothing_new_leaves(one, run)
    one.finish(run)
    one.end()


class HangingDisk(CutDisk):
    """Its flushes do not return as long as ``hangs`` is set."""

    def __init__(self, mount):
        super().__init__(mount)
        self.flows = threading.Event()
        self.flows.set()
        self.waiting = 0

    def _fsync(self, node, body):
        self.waiting += 1
        self.flows.wait()
        return super()._fsync(node, body)


def test_a_disk_that_hangs_does_not_hold_a_kill(world, tmp_path, capsys):
    if os.geteuid() != 0 or not os.path.exists("/dev/fuse"):
        pytest.skip("a disk of our own needs root and /dev/fuse")
    one = world(seed=9)
    mount = tmp_path / "hanging"
    mount.mkdir()
    with HangingDisk(mount) as disk:
        path = with_journal(one, mount / "journal")
        text = one.run_yaml.read_text().replace("segment_size_mib: 64", "segment_size_mib: 8")
        one.run_yaml.write_text(text)
        one.start_venue()
        run = start(one)
        one.wait_for_orders(run)
        disk.flows.clear()
        try:
            assert verb(one, "kill", run=run) == 0
            out = capsys.readouterr().out
            assert (
                "firm: cancel-all, set by person; journalled; kept in the file, but the disk" in out
            )
            check_nothing_new_leaves(one, run)
            run.kill()
        finally:
            disk.flows.set()
        run.wait()
        assert switches.read(path)["firm"].mode == "cancel-all"
        run = start(one)
        assert set_in(one, run) == {"firm": ("cancel-all", "person")}
        one.finish(run)
    one.end()
