"""A live run whose disk becomes read-only under it, or whose clock is set.

No new order leaves, cancels do, the operator gets one line at once. The oracle is the venue's own
record of every packet.
"""

from __future__ import annotations

import itertools
import os
import queue
import re
import signal
import struct
import subprocess
import threading
from collections import Counter

import pytest
from burst import Burst
from live_world import (
    READY_S,
    TICKPLANE,
    check_books_balance,
    journal_events,
    needs_uring,
    venue_requests,
)
from loop_disk import LoopDisk
from preload import build
from waiting import LIMIT_S, wait_until

from appliance.cli import main
from appliance.run import Refusals
from dataplane.control import Control
from dataplane.journal import Journal
from dataplane.page import Page
from dataplane.region import Region

pytestmark = needs_uring

# CLOCK_REALTIME of the process alone: nobody sets the clock of the machine that tests run on, and
# time namespaces leave this one out. Stamps that the kernel puts on packets stay as they are.
CLOCK = r"""
#define _GNU_SOURCE
#include <dlfcn.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <time.h>
typedef int gettime(clockid_t, struct timespec *);
int clock_gettime(clockid_t id, struct timespec *now)
{
    static gettime *_Atomic real;
    static int64_t volatile *_Atomic away_ns;
    if (away_ns == NULL) {
        int fd = open(getenv("CLOCK_AWAY"), O_RDONLY);
        real = (gettime *)dlsym(RTLD_NEXT, "clock_gettime");
        away_ns = mmap(NULL, 8, PROT_READ, MAP_SHARED, fd, 0);
    }
    int status = real(id, now);
    if (id != CLOCK_REALTIME)
        return status;
    int64_t nanos = (int64_t)now->tv_sec * 1000000000 + now->tv_nsec + *away_ns;
    now->tv_sec = nanos / 1000000000;
    now->tv_nsec = nanos % 1000000000;
    return status;
}
"""
# Has orders far from the market, which nobody fills, and goes on trying to have more.
DEEP = """
from dataplane.strategy import BUY, OrderDenied

class Deep:
    def __init__(self, params):
        self._left = 0

    def on_book(self, gateway, top):
        self._left -= 1
        if self._left > 0 or not top.bid_price_nanos:
            return
        self._left = 20
        price_nanos = (top.bid_price_nanos - 300_000_000) // 10_000_000 * 10_000_000
        try:
            gateway.submit(top.instrument_index, BUY, 100, price_nanos)
        except OrderDenied:
            pass
"""
DEEP_YAML = """
  - name: deep
    kind: python deep:Deep
    first: 10
    params: {}
    risk: {max_order_qty: 1000, max_order_notional: 250000, max_gross: 1000000000,
      max_net: 20000000, max_open_orders: 500, order_rate: 10000, order_burst: 1000,
      duplicate_count: 20, duplicate_window_ms: 100}
"""
OURS = ("NEW", "DENIED", "REPLACE", "CANCEL", "KILL_SET", "KILL_CLEARED")  # the rest: the venue's
UNFLUSHED = "the journal cannot be flushed to disk; no new orders:"
HOUR_NS = 3_600_000_000_000


def start_run(one, journal, **env):
    """Start a market maker, and beside it what keeps orders open."""
    (one.folder / "deep.py").write_text(DEEP)
    text = one.run_yaml.read_text()
    if DEEP_YAML not in text:
        one.run_yaml.write_text(text.replace("\njournal:\n", f"{DEEP_YAML}\njournal:\n"))
    return one.start(
        "run", one.run_yaml, "--ready-seconds", READY_S, "--journal", journal, "--quiet",
        "--json", one.folder / "report.json",
        env={**os.environ, "PYTHONPATH": str(one.folder), **env},
    )  # fmt: skip


def wait_for_open_orders(one, run):
    one.wait_for_orders(run)
    wait_until(lambda: open_orders(one, run), process=run)


def open_orders(one, run):
    with Page.attach(one.region(run)) as page:
        return page.open_orders()


def requests_sent(counters):
    return counters["orders_sent"] + counters["replaces_sent"]


def cancel_all(one, run):
    """Tell the run to cancel what is open, and wait until the venue has said that it is done."""
    assert open_orders(one, run)
    main(["kill", "--appliance", str(one.region(run)), "--cause", "a test"])
    wait_until(lambda: open_orders(one, run) == [], process=run)
    assert one.counters(run)["cancels_sent"] > 0


def firm(one, run):
    with Region.attach(one.region(run)) as region:
        return next(row for row in region.risk() if row["scope"] == "firm")


def told(run, start):
    """Return the operator's line that begins so; about switches there may be one before it."""
    found = queue.SimpleQueue()

    def read():
        found.put(next((line for line in run.stderr if line.startswith(start)), ""))

    threading.Thread(target=read, daemon=True).start()
    line = found.get(timeout=LIMIT_S)
    assert line, f"the run ended with {run.wait()} and no line that begins with {start}"
    return line


def arm(one, run):
    """Clear the switch of the firm, as a person who has looked at it."""
    with Control.attach(one.region(run)) as control:
        mark = control.mode("firm")[2]
        assert control.arm("firm", mark, author="ada", cause="looked at it")


# ---- the disk ----


@pytest.mark.parametrize("options", ["data=ordered", "data=journal"])
@pytest.mark.parametrize("durability", ["memory", "fsync"])
def test_a_disk_that_becomes_read_only_stops_orders_and_no_cancel(
    world, tmp_path, durability, options
):
    """With data=journal the kernel answers the next store to a page with SIGBUS, as XFS does."""
    one = world(seed=11)
    text = one.run_yaml.read_text()
    text = text.replace("durability: memory", f"durability: {durability}")
    one.run_yaml.write_text(text.replace("segment_size_mib: 64", "segment_size_mib: 1"))
    one.start_venue()
    with LoopDisk(tmp_path, options) as disk:
        journal = disk.path / "j"
        run = start_run(one, journal)
        wait_for_open_orders(one, run)
        assert not disk.person_may_remount()
        disk.find_error()
        words = f"tickplane: journal: {journal}: {UNFLUSHED}"
        reasons = ["Read-only file system", "Input/output error"]  # the latter of a store
        line = told(run, words)  # before it perhaps that the next segment cannot be made
        assert line in [f"{words} {reason}\n" for reason in reasons]
        assert options == "data=journal" or reasons[0] in line
        before = one.counters(run)
        one.wait_until(run, lambda now: now["orders_denied"] > before["orders_denied"])
        cancel_all(one, run)
        run.terminate()
        run.wait()
        report = one.report()
        assert report["risk_rejects"]["JOURNAL_UNAVAILABLE"] > 0
        assert requests_sent(report["counters"]) == requests_sent(before)
        check_nothing_unrecorded(one, journal)
        if durability == "fsync":
            disk.replace()
            check_nothing_unrecorded(one, journal)
            check_next_run_explains_all(one, journal)


def check_nothing_unrecorded(one, journal):
    """What the venue saw is in the journal, and came once."""
    seen = venue_requests(one)
    sent = {
        ("O" if event["event"] == "NEW" else "U", event["user_ref_num"])
        for event in journal_events(one, journal)
        if event["event"] in ("NEW", "REPLACE")
    }
    assert seen and set(seen.values()) == {1}
    assert set(seen) <= sent


def check_next_run_explains_all(one, journal):
    """With the disk back another run goes on, hears what could not be recorded, and trades."""
    run = start_run(one, journal)
    one.wait_for_orders(run)
    run.terminate()
    _, err = run.communicate()
    assert run.returncode == 0, err
    one.end()
    assert one.report()["live"]["unexplained"] == 0
    assert check_books_balance(one, journal) > 0


def test_no_order_leaves_whose_record_no_file_has(world):
    """The segment ends under a burst of orders: some have a record, of the others nobody knows."""
    one = world(seed=15)
    burst = Burst(one, count=300)
    one.start_venue()
    run = burst.start_run()
    segment = one.folder / "journal" / "journal-000000.tpj"
    size = segment.stat().st_size
    os.truncate(segment, 3 * 4096)
    burst.go(run)
    assert told(run, "tickplane: journal: ").endswith(f"{UNFLUSHED} Input/output error\n")
    run.terminate()
    _, err = run.communicate()
    assert run.returncode == 1, err
    one.end()
    assert one.report()["counters"]["journal_lost"] > 0
    os.truncate(segment, size)
    recorded = {e["user_ref_num"] for e in journal_events(one) if e["event"] == "NEW"}
    assert 0 < len(recorded) < burst.count
    assert {number for _, number in venue_requests(one)} <= recorded


def test_no_run_begins_on_a_disk_that_is_read_only(world, tmp_path):
    one = world(seed=12)
    with LoopDisk(tmp_path) as disk:
        disk.find_error()
        words = ["run", str(one.run_yaml), "--journal", str(disk.path / "j")]
        ended = subprocess.run([*TICKPLANE, *words], capture_output=True, text=True, check=False)
        assert ended.returncode in (1, 2)
        assert re.fullmatch(r"tickplane: \S+: .*[Rr]ead-only file system.*\n", ended.stderr), (
            ended.stderr
        )


def test_each_reason_for_which_no_order_passes_is_said_once():
    refusals = Refusals()

    def said(trouble):
        return list(refusals.new({"journal_trouble": trouble, "clock_steps": 0}))

    assert [said(None), said("full"), said("full")] == [[], ["full"], []]
    assert [said("broken"), said("broken")] == [["broken"], []]
    assert [said(None), said(None)] == [["journal: it takes records again"], []]


# ---- the clock ----


@pytest.fixture(scope="module")
def clock_shim(tmp_path_factory) -> str:
    return build(tmp_path_factory.mktemp("clock"), CLOCK)


class Clock:
    """The clock of a run, which can be set."""

    def __init__(self, folder, shim):
        self._path = folder / "away"
        self.env = {"LD_PRELOAD": shim, "CLOCK_AWAY": str(self._path)}
        self.set(0)

    def set(self, away_ns):
        with open(self._path, "r+b" if self._path.exists() else "wb") as file:
            file.write(struct.pack("<q", away_ns))


@pytest.mark.parametrize("away_ns", [-HOUR_NS, -5_000_000, 5_000_000, HOUR_NS])
def test_a_clock_that_is_set_stops_orders_and_no_cancel(world, tmp_path, clock_shim, away_ns):
    one, clock = world(seed=13), Clock(tmp_path, clock_shim)
    one.start_venue()
    journal = one.folder / "journal"
    run = start_run(one, journal, **clock.env)
    wait_for_open_orders(one, run)
    clock.set(away_ns)
    way = "back" if away_ns < 0 else "forward"
    assert told(run, "tickplane: clock: ").startswith(f"tickplane: clock: set {way} by ")
    before = one.counters(run)
    assert (firm(one, run)["mode"], firm(one, run)["source"]) == ("reject-new", "clock")
    one.wait_until(run, lambda now: now["orders_denied"] > before["orders_denied"] + 5)
    assert requests_sent(one.counters(run)) == requests_sent(before)
    cancel_all(one, run)
    assert requests_sent(one.counters(run)) == requests_sent(before)
    arm(one, run)
    one.wait_for_orders(run, since=one.counters(run))
    one.finish(run)
    one.end()
    assert one.report()["counters"]["mold_gaps"] == 0
    check_records(list(Journal(journal)), away_ns)
    assert check_books_balance(one) > 0


def check_records(events, away_ns):
    """Our times go on as if nothing had been done; the journal says what was."""
    times = [event["time_ns"] for event in events if event["event"] in OURS]
    assert all(0 <= b - a < HOUR_NS / 2 for a, b in itertools.pairwise(times))
    kill = next(event for event in events if event["event"] == "KILL_SET")
    assert (kill["source"], kill["after"]) == ("clock", "reject-new")
    microseconds = int(kill["cause"].removeprefix("clock set by ").removesuffix(" us"))
    assert abs(microseconds - away_ns // 1000) < 1_000


# ---- the session ----

# Says when it knows a price, and sends orders when it is told to; by then the venue may be deaf.
WAITS = """
import os
from dataplane.strategy import BUY, OrderDenied

class Waits:
    def __init__(self, params):
        self._top = None
        self._sent = 0

    def on_start(self, gateway):
        gateway.set_timer(10_000_000)

    def on_book(self, gateway, top):
        if top.bid_price_nanos:
            self._top = top.instrument_index, top.bid_price_nanos - 300_000_000
            open("knows", "w").close()

    def on_timer(self, gateway, now_ns):
        if self._top is None or self._sent == 3 or not os.path.exists("go"):
            return
        try:
            gateway.submit(self._top[0], BUY, 100, self._top[1] - self._sent * 10_000_000)
            self._sent += 1
        except OrderDenied:
            pass
"""


@pytest.mark.parametrize("durability", ["memory", "fsync"])
def test_who_dies_before_the_first_answer_is_not_told_an_old_one(world, durability):
    """The venue's first answer, heard again, would say that orders sent since never arrived."""
    one = world(seed=14)
    (one.folder / "waits.py").write_text(WAITS)
    text = one.run_yaml.read_text().replace("kind: market_maker", "kind: python waits:Waits")
    one.run_yaml.write_text(text.replace("durability: memory", f"durability: {durability}"))
    venue = one.start_venue()
    words = ["--ready-seconds", READY_S, "--journal", one.folder / "journal"]
    run = one.start("run", one.run_yaml, *words, cwd=one.folder)
    wait_until((one.folder / "knows").exists, process=run)
    venue.send_signal(signal.SIGSTOP)
    try:
        (one.folder / "go").touch()
        one.wait_until(run, lambda now: now["orders_sent"] == 3 and now["tx_frames"] == 3)
        assert one.counters(run)["reports"] == 0
        run.kill()
        run.wait()
    finally:
        venue.send_signal(signal.SIGCONT)
    (one.folder / "go").unlink()
    run = one.start("run", one.run_yaml, *words, cwd=one.folder)
    one.finish(run)
    one.end()
    kinds_seen = Counter(event["event"] for event in Journal(one.folder / "journal"))
    assert "NOT_SENT" not in kinds_seen
    assert kinds_seen["SESSION"] == 2
    assert check_books_balance(one) == 3
