"""A live run while everything around it fails, over real sockets, each fault by a printed seed.

After each fault the market is halted, and the run's books are the exchange's own (its snapshot,
read by a client of ours, by digest); in the end the exchange's record and our journal say the same.
"""

import time

import pytest
from exchange_books import exchange_books
from live_world import check_books_balance, needs_uring
from waiting import wait_until

from dataplane.region import Region

pytestmark = needs_uring


@pytest.fixture
def world(world):
    def make(*, gap_ms=60_000, **settings):
        one = world(**settings)
        one.run_yaml.write_text(
            one.run_yaml.read_text().replace("gap_timeout_ms: 60000", f"gap_timeout_ms: {gap_ms}")
        )
        return one

    return make


def look(world, run):
    """Return the digest of the run's books, and whether any is not to be traded on."""
    with Region.attach(world.region(run)) as region:
        books = region.books()
        marked = any(books.is_stale(i) or books.is_suspect(i) for i in books.instruments())
        return books.digest(), marked


def wait_for_the_same_books(world, run):
    """Close the market until the run's books are the exchange's, and are not marked."""
    assert world.tell_venue("session all closed") == "ok\n"
    address = ("127.0.0.1", world.ports["snapshot"])
    wait_until(lambda: look(world, run) == (exchange_books(address).digest(), False), process=run)
    assert world.tell_venue("session all continuous") == "ok\n"


def lines(world, words):
    """Make both lines good or bad."""
    for line in "ab":
        assert world.tell_venue(f"line {line} {words}") == "ok\n"


def without_requests(world):
    """Nobody sends again what was lost."""
    text = world.run_yaml.read_text()
    line = f"  requests: [127.0.0.1:{world.ports['requests']}]\n"
    assert line in text
    world.run_yaml.write_text(text.replace(line, ""))


def end_and_compare(world, run):
    """Books are still whole, and both records say the same."""
    wait_for_the_same_books(world, run)
    world.wait_for_orders(run, since=world.counters(run))
    world.finish(run)
    world.end()
    assert check_books_balance(world) > 0
    return world.report()


def test_a_hole_that_nobody_can_fill_is_mended_by_a_snapshot(world):
    one = world(gap_ms=50)
    without_requests(one)
    one.start_venue()
    run = one.start_run()
    one.wait_for_orders(run)
    before = one.counters(run)
    lines(one, "loss=1000000")
    time.sleep(1)
    lines(one, "loss=0")
    one.wait_until(run, lambda now: now["snapshots"] > before["snapshots"])
    report = end_and_compare(one, run)
    assert report["live"]["feed"] == "whole"
    assert report["counters"]["mold_gaps"] >= 1
    assert report["counters"]["book_unknown_order"] == 0
