"""Switches of a live run: what leaves after a kill, and what is cancelled.

The venue's record is the witness of what left.
"""

import signal

import pytest
from burst import Burst
from live_world import (
    END_S,
    USER,
    check_books_balance,
    journal_events,
    needs_uring,
    venue_requests,
)
from narrow import Narrow
from waiting import wait_until

from appliance.cli import main
from dataplane.journal import Journal
from dataplane.page import Page

pytestmark = needs_uring


def kill(one, run, *words):
    return main(["kill", *words, "--appliance", str(one.region(run))])


def open_orders(one, run):
    with Page.attach(one.region(run)) as page:
        return page.open_orders()


def has_no_open_orders(one, run):
    return lambda: open_orders(one, run) == []


def is_quiet(one, run):
    """Whether nothing comes any more: what was on its way has been read."""
    seen = []

    def look():
        counters = one.counters(run)
        seen.append((counters["itch_messages"], counters["reports"]))
        return len(seen) > 20 and len(set(seen[-20:])) == 1

    return look


def stop_venue_with_open_orders(one, run, venue):
    """Both lines are dead from here on, and nobody fills what is open."""

    def stop():
        venue.send_signal(signal.SIGSTOP)
        wait_until(is_quiet(one, run), process=run)
        if all(order["cancel_pending"] for order in open_orders(one, run)):
            venue.send_signal(signal.SIGCONT)
            return False
        return True

    wait_until(stop, process=run)


def behind_kill(one):
    kinds_seen = [event["event"] for event in Journal(str(one.folder / "journal"))]
    return kinds_seen[kinds_seen.index("KILL_SET") :]


@pytest.mark.parametrize("durability", ["memory", "fsync"])
def test_a_kill_with_a_dead_feed_is_journalled_and_cancels_what_is_open(world, capsys, durability):
    one = world()
    text = one.run_yaml.read_text()
    one.run_yaml.write_text(text.replace("durability: memory", f"durability: {durability}"))
    venue = one.start_venue()
    run = one.start_run()
    one.wait_for_orders(run)
    stop_venue_with_open_orders(one, run, venue)
    try:
        messages = one.counters(run)["itch_messages"]
        assert kill(one, run, "--author", "ada", "--cause", "drill") == 0
        assert "; journalled" in capsys.readouterr().out
        wait_until(lambda: "CANCEL" in behind_kill(one), process=run)
        assert not {"NEW", "REPLACE"} & set(behind_kill(one))
        assert one.counters(run)["itch_messages"] == messages
    finally:
        venue.send_signal(signal.SIGCONT)
    wait_until(has_no_open_orders(one, run), process=run)
    one.finish(run)
    one.end()
    assert check_books_balance(one) > 0


def test_a_kill_while_the_session_is_down_cancels_when_it_is_back(world):
    one = world(seed=4)
    one.start_venue()
    run = one.start_run()
    one.wait_for_orders(run)
    wait_until(lambda: open_orders(one, run) != [], process=run)
    assert "ok" in one.tell_venue(f"fault {USER} disconnect")
    assert kill(one, run) == 0
    wait_until(has_no_open_orders(one, run), process=run)
    one.wait_until(run, lambda now: now["session_logins"] > 1)
    one.finish(run)
    one.end()
    assert check_books_balance(one) > 0


def test_a_kill_at_zero_window_takes_orders_back_by_a_reset(world):
    one = world(seed=5)
    narrow = Narrow(one)
    burst = Burst(one, count=300)
    one.start_venue()
    run = burst.start_run()
    narrow.reads.clear()
    burst.go(run)
    wait_until(narrow.holds_bytes, process=run)
    losses = one.counters(run)["session_losses"]
    assert kill(one, run) == 0
    one.wait_until(run, lambda now: now["session_losses"] > losses)
    narrow.reads.set()
    wait_until(has_no_open_orders(one, run), process=run)
    one.finish(run)
    narrow.close()
    one.end()
    assert check_books_balance(one) == burst.count
    assert len(venue_requests(one)) < burst.count
    assert one.report()["live"]["never_received"] > 0


def test_orders_of_a_callback_that_the_kill_met_do_not_leave(world, monkeypatch):
    monkeypatch.setattr("dataplane.control.ANSWER_WAIT_S", 0.05)
    one = world(seed=6)
    burst = Burst(one, count=50, waits=True)
    one.start_venue()
    run = burst.start_run()
    burst.go(run)
    assert kill(one, run, "strategy:maker", "--mode", "reject-new") == 0
    burst.leave()
    wait_until(has_no_open_orders(one, run), process=run)
    one.finish(run)
    one.end()
    assert not venue_requests(one)
    assert check_books_balance(one) == burst.count
    assert [event["event"] for event in journal_events(one)].count("NOT_SENT") == burst.count


def test_a_hard_stop_cancels_and_ends_the_run(world):
    one = world(seed=7)
    one.start_venue()
    run = one.start_run()
    one.wait_for_orders(run)
    assert kill(one, run, "--mode", "hard-stop", "--author", "ada", "--cause", "fire") == 0
    _, err = run.communicate(timeout=END_S)
    assert run.returncode == 1
    reasons = [line for line in err.splitlines() if line.startswith("tickplane:")]
    assert reasons == ["tickplane: ended by firm: hard-stop, set by person"]
    one.end()
    assert check_books_balance(one) > 0
    assert one.report()["hard_stop"] == "firm: hard-stop, set by person"
    assert not {"NEW", "PARTIALLY_FILLED", "UNKNOWN"} & set(one.report()["orders"])
