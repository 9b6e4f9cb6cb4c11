"""A live run while everything around it fails, over real sockets, by a printed seed.

After each fault the market is closed for a moment, and the run's books are the exchange's own (its
snapshot, read by a client of ours, by digest) and not marked; in the end the exchange's record and
our journal say the same. ``make test`` has one round of the faults that a run outlives; the long
form (``scripts/soak.sh live``) has rounds for TICKPLANE_FAULT_SECONDS, and looks for leaks.
"""

import random
import socket
import time

import pytest
from live_faults import SECONDS, SEED, Faults, Server, TwoHosts, change, noise, usage
from live_world import END_S, USER, journal_events, needs_uring

from appliance.two_hosts import two_hosts
from dataplane.control import Control

pytestmark = needs_uring
LEAK_KIB = 4096  # of anonymous memory, between the first round and the last
GAP_MS = 300


# ---- faults that a run outlives ----


def lossy_lines(world, run, chance):
    words = " ".join(
        f"{name}={chance.randrange(50_000, 200_001)}" for name in ("loss", "reorder", "duplicate")
    )
    world.lines(f"{words} seed={chance.randrange(1 << 30)}")
    before = world.counters(run)["itch_messages"]
    world.wait_until(run, lambda now: now["itch_messages"] > before + 500)
    world.lines("loss=0 reorder=0 duplicate=0")


def dead_lines(world, run, chance):
    world.lines("loss=1000000")
    time.sleep(1)
    world.lines("loss=0")


def dead_retransmission(world, run, chance):
    """Both lines dead while nobody can send again what they lost: a snapshot."""
    before = world.counters(run)["snapshots"]
    world.server_is_dead = True
    dead_lines(world, run, chance)
    world.wait_until(run, lambda now: now["snapshots"] > before)
    world.server_is_dead = False


def slow_exchange(world, run, chance):
    world.tell(f"fault {USER} late {chance.randrange(50, 400)}ms")
    world.tell(f"fault {USER} stop_reading {chance.randrange(100, 500)}ms")
    world.wait_for_orders(run, 1, since=world.counters(run))
    world.tell(f"fault {USER} late 0s")


def cut_session(world, run, chance):
    before = world.counters(run)["session_losses"]
    world.tell(f"fault {USER} disconnect")
    world.wait_until(run, lambda now: now["session_losses"] > before)


def garbage(world, run, chance):
    """On both lines, at the re-request server, at both TCP ports; and from the exchange."""
    before = world.counters(run)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as out:
        for _ in range(3000):
            data = noise(chance)
            for name in ("a", "b", "requests"):
                out.sendto(data, ("127.0.0.1", world.ports[name]))
    for name in ("orders", "snapshot") * 10:
        with socket.create_connection(("127.0.0.1", world.ports[name])) as link:
            link.sendall(chance.randbytes(chance.randrange(1, 400)))
    world.tell(f"fault {USER} malformed_packet")
    world.wait_until(
        run,
        lambda now: (
            now["mold_malformed"] > before["mold_malformed"]
            and now["session_losses"] > before["session_losses"]
        ),
    )


FAULTS = (
    lossy_lines, dead_lines, dead_retransmission, slow_exchange, cut_session, garbage,
)  # fmt: skip


# ---- the tests ----


def test_a_bad_day_ends_with_whole_books_and_equal_records(world):
    chance = random.Random(SEED)
    one = world(kind=Faults, gap_ms=GAP_MS, seed=SEED % 1000)
    Server(one, lies=False)
    one.start_venue()
    run = one.start_run()
    one.wait_for_orders(run, 5)
    until = time.monotonic() + SECONDS
    used = None
    while used is None or time.monotonic() < until:
        for fault in chance.sample(FAULTS, len(FAULTS)):
            print(f"seed {SEED}: {fault.__name__}")
            fault(one, run, chance)
            one.wait_for_the_same_books(run)
        used = used or usage(run)
    now = usage(run)
    assert now["files"] <= used["files"]
    assert now["kib"] <= used["kib"] + LEAK_KIB
    report = one.end_and_compare(run)
    assert report["counters"]["snapshots"] >= 1
    assert report["counters"]["mold_restarts"] == 0  # noise began nothing
    assert report["counters"]["book_unknown_order"] == 0


def test_a_server_that_lies_changes_no_book(world):
    one = world(kind=Faults, gap_ms=GAP_MS, seed=SEED % 1000)
    Server(one, lies=True)
    one.start_venue()
    run = one.start_run()
    one.wait_for_orders(run, 5)
    before = one.counters(run)["snapshots"]
    dead_lines(one, run, None)
    one.wait_until(run, lambda now: now["snapshots"] > before and now["mold_unasked"] > 0)
    assert one.end_and_compare(run)["counters"]["book_unknown_order"] == 0


def test_a_run_that_is_killed_comes_back_by_its_journal_and_a_snapshot(world):
    one = world(kind=Faults, gap_ms=GAP_MS, seed=SEED % 1000)
    one.without_requests()
    one.start_venue()
    for _ in range(3 if SECONDS else 1):
        run = one.start_run()
        one.wait_for_orders(run, 10)
        run.kill()
        run.wait()
    run = one.start_run()
    one.wait_for_orders(run, 5)
    assert one.end_and_compare(run)["counters"]["snapshots"] >= 1


@pytest.mark.parametrize("name", ["1", "2"])
def test_an_exchange_that_is_killed_and_comes_back_is_another_day(world, name):
    """Its orders are gone with it: books are the new ones, and no order leaves any more."""
    one = world(kind=Faults, seed=SEED % 1000)
    venue = one.start_venue()
    run = one.start_run()
    one.wait_for_orders(run, 5)
    one.wait_until(run, lambda now: now["itch_messages"] > 1000)
    time.sleep(2)  # numbers of a second ago tell that they went back
    change(one.venue_yaml, f"orders: 127.0.0.1:{one.ports['orders']}", "orders: 127.0.0.1:0")
    kill_and_start_again(one, venue, name)
    one.wait_until(run, lambda now: now["session_losses"] > 0)
    sent = one.counters(run)["orders_sent"]
    one.wait_for_the_same_books(run)
    one.finish(run)
    report = one.report()
    assert report["counters"]["orders_sent"] == sent
    assert report["counters"]["mold_restarts"] == (name == "1")
    check_numbers(one, sent)


def kill_and_start_again(world, venue, name):
    """An exchange that forgets all; its session has that name afterwards."""
    venue.kill()
    venue.wait()
    change(world.venue_yaml, 'session: "1"', f'session: "{name}"')
    change(world.venue_yaml, str(world.record), str(world.folder / "second.tape"))
    world.control.unlink()
    world.start_venue()


def check_numbers(world, sent):
    """Each order has a number of its own."""
    numbers = [event["user_ref_num"] for event in journal_events(world) if event["event"] == "NEW"]
    assert len(numbers) == len(set(numbers)) == sent


def test_a_switch_of_an_instrument_follows_its_symbol_to_another_number(world):
    one = world(kind=Faults, seed=SEED % 1000)
    venue = one.start_venue()
    run = one.start_run()
    one.wait_for_orders(run, 5)
    with Control.attach(one.region(run)) as control:
        control.kill("instrument:TPLN", "reject-new", author="ada", cause="drill")
    rows = [line for line in one.venue_yaml.read_text().splitlines(True) if "reference:" in line]
    change(one.venue_yaml, "".join(rows), "".join(reversed(rows)))
    change(one.venue_yaml, f"orders: 127.0.0.1:{one.ports['orders']}", "orders: 127.0.0.1:0")
    kill_and_start_again(one, venue, "2")
    one.wait_for_the_same_books(run)
    with Control.attach(one.region(run)) as control:
        assert control.mode("instrument:TPLN")[0] == "reject-new"
    one.finish(run)


def test_an_exchange_that_comes_back_without_our_orders_ends_the_run(world):
    """Nobody can say what became of them: no order leaves, and a person must look."""
    one = world(kind=Faults, seed=SEED % 1000)
    venue = one.start_venue()
    run = one.start_run()
    one.wait_for_orders(run, 5)
    kill_and_start_again(one, venue, "2")
    assert run.wait(END_S) == 1
    assert "the order session ended for good" in run.stderr.read()
    report = one.report()
    assert report["journal"]["verified"]
    check_numbers(one, report["counters"]["orders_sent"])


def test_a_link_that_goes_down_and_up(world):
    with two_hosts() as hosts:
        if hosts.reason:
            pytest.skip(f"needs two network namespaces: {hosts.reason}")
        one = world(kind=TwoHosts, hosts=hosts, seed=SEED % 1000)
        one.start_venue()
        run = one.start_run()
        one.wait_for_orders(run, 5)
        for _ in range(2):
            one.link("down")
            time.sleep(0.7)
            one.link("up")
            one.wait_for_orders(run, 2, since=one.counters(run))
        one.end_and_compare(run)
