"""A live run whose order session is broken at any byte, and whose exchange says what cannot be.

Our own link stands between both. Nothing is lost or doubled by a reset. A contradiction is counted
by its class and stops trading until a person clears it; positions follow what the exchange said.
"""

import itertools
import random

import pytest
from live_faults import SECONDS, SEED, Faults, change
from live_world import END_S, USER, journal_events, needs_uring
from order_link import TO_RUN, TO_VENUE, OrderLink
from waiting import wait_until

from appliance.reconcile_answers import applied_answers, positions_of
from dataplane.control import Control
from dataplane.page import Page

pytestmark = needs_uring
CUTS = 12
NOBODY = (0x7FFFFFF0).to_bytes(4, "big")


# ---- resets ----


def test_a_reset_at_any_byte_loses_and_doubles_nothing(world):
    chance = random.Random(SEED)
    one = world(kind=Faults, seed=SEED % 1000)
    link = OrderLink(one)
    one.start_venue()
    run = one.start_run()
    one.wait_for_orders(run, 5)
    packets = range(40 if SECONDS else 8)
    where = list(itertools.product((TO_VENUE, TO_RUN), packets, (0.0, 0.5)))
    for cut in where if SECONDS else chance.sample(where, CUTS):
        before = link.cuts
        logins = one.counters(run)["session_logins"]
        link.cut(*cut)
        wait_until(lambda before=before: link.cuts > before, process=run)
        one.wait_until(run, lambda now, logins=logins: now["session_logins"] > logins)
    report = one.end_and_compare(run)
    assert report["live"]["losses"] >= CUTS
    assert not {"PENDING_NEW", "UNKNOWN"} & set(report["orders"])


def test_a_primary_address_that_dies_leaves_the_session_to_the_backup(world):
    one = world(kind=Faults, seed=SEED % 1000)
    link = OrderLink(one)
    backup = f"127.0.0.1:{one.ports['orders']}"
    change(one.run_yaml, f"orders: [127.0.0.1:{link.port}]",
           f"orders: [127.0.0.1:{link.port}, {backup}]")  # fmt: skip
    one.start_venue()
    run = one.start_run()
    one.wait_for_orders(run, 5)
    link.close()
    one.wait_until(run, lambda now: now["session_logins"] > 1)
    with Page.attach(one.region(run)) as page:
        assert page.sessions()[0]["address"] == backup
    assert one.end_and_compare(run)["live"]["losses"] >= 1


# ---- an exchange that contradicts ----


def unknown_number(packet):
    return b"C" + packet[1:9] + NOBODY + (100).to_bytes(4, "big") + b"U"


def same_execution(packet):
    return packet if packet[:1] == b"E" else None


def same_execution_of_other_shares(packet):
    return packet[:13] + (7).to_bytes(4, "big") + packet[17:] if packet[:1] == b"E" else None


def more_than_was_open(packet):
    if packet[:1] != b"E":
        return None
    return packet[:13] + (900).to_bytes(4, "big") + packet[17:26] + b"\x7f" * 8 + packet[34:]


def worse_than_the_limit(packet):
    """One share of an order that was just accepted, for nothing or for twice its price."""
    if packet[:1] != b"A":
        return None
    price = int.from_bytes(packet[26:34], "big")
    price = 2 * price if packet[13:14] == b"B" else price // 2
    return (
        b"E" + packet[1:13] + (1).to_bytes(4, "big") + price.to_bytes(8, "big") + b"R"
        + b"\x7e" * 8 + b"\0\0"
    )  # fmt: skip


def another_symbol(packet):
    return packet[:18] + b"ELSE    " + packet[26:] if packet[:1] == b"A" else None


def cut_short(packet):
    return packet[:12]


def accepted_after_all(packet):
    """Of an order that was just rejected; as one that the exchange had accepted before."""
    if packet[:1] != b"J":
        return None
    return (
        b"A" + packet[1:13] + b"B" + (100).to_bytes(4, "big") + b"TPLN    "
        + (100_000).to_bytes(8, "big") + b"0Y" + b"\x7d" * 8 + b"P N" + b"L" + b" " * 14 + b"\0\0"
    )  # fmt: skip


LIES = (  # what is said, what counts it, the mode that follows; none: it is the same again
    (unknown_number, "reports_unknown", "reject-new"),
    (same_execution, "reports_duplicate", None),
    (same_execution_of_other_shares, "reports_execution", "reject-new"),
    (another_symbol, "reports_instrument", "reject-new"),
    (cut_short, "ouch_malformed", "reject-new"),
    (worse_than_the_limit, "reports_price", "cancel-all"),
    (more_than_was_open, "reports_quantity", "cancel-all"),
    (accepted_after_all, "reports_anomaly", "reject-new"),
)


def mode(one, run):
    with Control.attach(one.region(run)) as control:
        return control.mode("firm")


def open_orders(one, run):
    with Page.attach(one.region(run)) as page:
        return page.open_orders()


def stopped(one, run):
    """Wait until no order leaves any more; return how many did."""

    def as_before():
        before = one.counters(run)["orders_denied"], one.counters(run)["orders_sent"]
        one.wait_until(run, lambda now: now["orders_denied"] > before[0] + 2)
        return one.counters(run)["orders_sent"] == before[1]

    wait_until(as_before, process=run)


def arm(one, run):
    """Clear the switch, as a person who has looked; nothing happens behind it any more."""

    def try_once():
        with Control.attach(one.region(run)) as control:
            return control.arm("firm", control.mode("firm")[2], author="ada", cause="looked")

    wait_until(try_once, process=run)


def hear(one, run, link, lie, counter, expected):
    """Let the exchange lie; see that it is noticed, and what is done about it."""
    before = one.counters(run)[counter]
    if lie is accepted_after_all:
        one.tell(f"fault {USER} reject 1")
    link.inject(lie)
    one.tell(f"fault {USER} reject 0")
    one.wait_until(run, lambda now: now[counter] > before)
    if expected is None:
        assert mode(one, run)[0] == "clear"
        return
    wait_until(lambda: mode(one, run)[:2] == (expected, "venue"), process=run)
    stopped(one, run)
    if expected == "cancel-all":
        wait_until(lambda: open_orders(one, run) == [], process=run)
    arm(one, run)
    one.wait_for_orders(run, 2, since=one.counters(run))


def test_an_exchange_that_contradicts_itself_stops_trading_and_nothing_else(world):
    one = world(kind=Faults, seed=SEED % 1000)
    link = OrderLink(one)
    change(
        one.run_yaml, "  user: alice\n",
        "  user: alice\n  differences: {price: cancel-all, quantity: cancel-all}\n",
    )  # fmt: skip
    one.start_venue()
    run = one.start_run()
    one.wait_for_orders(run, 5)
    for lie, counter, expected in LIES:
        print(f"seed {SEED}: {lie.__name__}")
        hear(one, run, link, lie, counter, expected)
    # With so many more messages than it has sent, the exchange's own number is one that goes back.
    link.cut(TO_RUN, 1, 0.5)
    assert run.wait(END_S) == 1
    assert "the order session ended for good" in run.stderr.read()
    report = one.report()
    assert report["journal"]["verified"]
    numbers = [event["user_ref_num"] for event in journal_events(one) if event["event"] == "NEW"]
    assert len(numbers) == len(set(numbers))
    held = {row["symbol"].strip(): row["position"] for row in report["positions"]}
    told = positions_of(applied_answers(journal_events(one)))
    assert {s: qty for s, qty in held.items() if qty} == {s: qty for s, qty in told.items() if qty}


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("{prise: count}", "live.differences.prise: unknown key; did you mean price?"),
        ("{price: stop}", "live.differences.price: 'stop' is not one of its values;"),
    ],
)
def test_a_wrong_line_of_differences_is_named(world, text, problem):
    one = world()
    change(one.run_yaml, "  user: alice\n", f"  user: alice\n  differences: {text}\n")
    done = one.run_to_end()
    assert done.returncode == 2
    assert problem in done.stderr
