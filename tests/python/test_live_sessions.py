"""Live runs with several order sessions of one venue, over real sockets.

The venue's record says what it saw of each session: each user is an account of its own.
"""

import json
import socket
from collections import defaultdict

import pytest
from live_world import check_books_balance, free_port, journal_events, needs_uring
from waiting import wait_until

from appliance.cli import main
from appliance.reconcile_sessions import Sides
from dataplane.page import Page

pytestmark = needs_uring

USERS = ("alice", "bob", "carol")


@pytest.fixture
def world(world):
    def make(*users, keys="", **settings):
        one = world(**settings)
        one.set_sessions(*users, keys=keys)
        return one

    return make


def sessions(one, run):
    with Page.attach(one.region(run)) as page:
        return page.sessions()


def numbers_by_account(one):
    """Numbers that the venue saw of each account, in its order."""
    found = defaultdict(list)
    for request in Sides([], str(one.record)).received:
        found[request.account].append(request.key[1])
    return found


def check_numbers(one, count):
    """Each session's numbers rise, and none was in two sessions."""
    found = numbers_by_account(one)
    assert len(found) == count
    for numbers in found.values():
        assert numbers == sorted(set(numbers))
    every = [number for numbers in found.values() for number in numbers]
    assert len(every) == len(set(every))


@pytest.mark.parametrize("spread", ["instrument", "least_loaded"])
def test_orders_are_spread_and_stay_with_their_session(world, spread, capsys):
    one = world(*USERS[:2], keys=f"  spread: {spread}\n")
    one.start_venue()
    run = one.start_run()
    one.wait_for_orders(run, 60)
    wait_until(lambda: all(row["given"] > 0 for row in sessions(one, run)), process=run)
    assert main(["status", str(one.region(run)), "--json"]) in (0, 1)
    rows = json.loads(capsys.readouterr().out)["sessions"]
    assert [row["user"] for row in rows] == ["alice", "bob"]
    out = one.finish(run)
    one.end()
    assert "alice        OPEN;" in out and "bob          OPEN;" in out
    assert check_books_balance(one) >= 60
    check_numbers(one, 2)
    by_session = defaultdict(set)
    for event in journal_events(one):
        if event["event"] == "NEW":
            by_session[event["session"]].add(event["symbol"])
    assert set(by_session) == {0, 1}
    if spread == "instrument":
        assert not by_session[0] & by_session[1]


def test_one_session_that_is_cut_leaves_the_others_trading(world):
    one = world(*USERS, keys="  spread: least_loaded\n", seed=3)
    one.start_venue()
    run = one.start_run()
    one.wait_for_orders(run)
    for cut in range(6):
        user = USERS[cut % 3]
        before = sessions(one, run)[cut % 3]
        assert "ok" in one.tell_venue(f"fault {user} disconnect")
        one.wait_until(run, lambda now, cut=cut: now["session_losses"] > cut)
        wait_until(
            lambda at=cut % 3, before=before: (
                sessions(one, run)[at]["logins"] > before["logins"]
                and sessions(one, run)[at]["given"] > before["given"]
            ),
            process=run,
        )
    one.finish(run)
    one.end()
    report = one.report()
    assert report["live"]["losses"] >= 6
    assert report["live"]["unexplained"] == 0
    assert not {"PENDING_NEW", "UNKNOWN"} & set(report["orders"])
    assert check_books_balance(one) >= 20
    check_numbers(one, 3)


def test_a_kill_with_several_sessions_repeats_no_number(world):
    one = world(*USERS, keys="  spread: least_loaded\n", seed=5)
    one.start_venue()
    for _ in range(4):
        run = one.start_run()
        one.wait_for_orders(run, 30)
        run.kill()
        run.wait()
    whole = one.run_yaml.read_text()
    lines = [line for line in whole.splitlines(keepends=True) if "user: carol" not in line]
    one.run_yaml.write_text("".join(lines))
    done = one.run_to_end()
    assert done.returncode == 2
    assert "keep the list of the run before" in done.stderr
    one.run_yaml.write_text(whole)
    run = one.start_run()
    one.wait_for_orders(run, 30)
    one.finish(run)
    one.end()
    assert one.report()["live"]["unexplained"] == 0
    assert not {"PENDING_NEW", "UNKNOWN"} & set(one.report()["orders"])
    assert check_books_balance(one) >= 120
    check_numbers(one, 3)


def test_orders_beyond_the_limit_are_refused_and_cancels_pass(world):
    one = world(
        "alice", keys="  message_rate: 20\n  message_burst: 10\n  headroom_percent: 50\n", seed=7
    )
    one.start_venue()
    assert "ok" in one.tell_venue("fault alice throttle 30")  # the venue's own limit
    run = one.start_run()
    one.wait_until(run, lambda now: now["orders_denied"] > 20 and now["orders_sent"] > 20)
    one.finish(run)  # cancels what is open, at the limit
    one.end()
    assert not {"NEW", "PARTIALLY_FILLED", "PENDING_CANCEL"} & set(one.report()["orders"])
    events = journal_events(one)
    reasons = {event["reason"] for event in events if event["event"] == "DENIED"}
    assert "SESSION_THROTTLED" in reasons
    assert not any(event["event"] == "REJECTED" for event in events)
    assert one.report()["counters"]["orders_queued"] == 0
    assert check_books_balance(one) > 0


def test_orders_beyond_the_limit_wait(world):
    one = world(
        *USERS[:2],
        keys="  message_rate: 50\n  message_burst: 4\n  throttled: queue\n  spread: least_loaded\n",
        seed=8,
    )
    one.start_venue()
    run = one.start_run()
    one.wait_until(run, lambda now: now["orders_queued"] > 20 and now["orders_sent"] > 60)
    one.finish(run)
    one.end()
    events = journal_events(one)
    reasons = {event["reason"] for event in events if event["event"] == "DENIED"}
    assert "SESSION_THROTTLED" not in reasons
    assert check_books_balance(one) > 60
    check_numbers(one, 2)


def test_a_backup_address_is_taken_when_the_primary_is_dead(world):
    one = world("alice")
    dead = free_port(socket.SOCK_STREAM)
    orders = f"127.0.0.1:{one.ports['orders']}"
    one.run_yaml.write_text(
        one.run_yaml.read_text().replace(
            f"orders: [{orders}]", f"orders: [127.0.0.1:{dead}, {orders}]"
        )
    )
    one.start_venue()
    run = one.start_run()
    one.wait_for_orders(run)
    assert sessions(one, run)[0]["address"] == orders
    one.finish(run)
    one.end()
    assert check_books_balance(one) >= 20
