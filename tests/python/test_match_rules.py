"""Rules of the matching engine that one wants to see by themselves: auctions, fees, memory."""

from __future__ import annotations

import pytest

from dataplane.match import Matcher

TICK = 10_000_000
BUY, SELL = 1, 2
PRE_OPEN, CONTINUOUS = 1, 2
TRADED, AUCTION = 3, 10


def engine(**terms):
    made = Matcher()
    for _ in range(4):
        made.add_participant()
    made.add_instrument(**{"tick": TICK, "price_max": 10_000 * TICK} | terms)
    return made


def auction(orders, reference=None):
    """Return (price in ticks, quantity, surplus side, surplus); orders are (side, qty, ticks)."""
    price = None if reference is None else reference * TICK
    venue = engine(session=PRE_OPEN, reference_price=price)
    for number, (side, qty, ticks) in enumerate(orders, 1):
        if ticks is None:
            venue.new(number, side, qty, type=1, participant=number % 4)
        else:
            venue.new(number, side, qty, ticks * TICK, participant=number % 4)
    reports = venue.set_session(CONTINUOUS)
    report = next(report for report in reports if report.type == AUCTION)
    assert sum(each.qty for each in reports if each.type == TRADED) == report.qty
    assert {each.price for each in reports if each.type == TRADED} <= {report.price}
    price = None if report.price is None else report.price // TICK
    return price, report.qty, report.side, report.leaves_qty


@pytest.mark.parametrize(
    ("orders", "reference", "outcome"),
    [
        pytest.param([(BUY, 10, 99), (SELL, 10, 100)], None, (None, 0, 0, 0), id="nobody-meets"),
        pytest.param(
            [(BUY, 10, 102), (BUY, 30, 100), (SELL, 10, 99), (SELL, 20, 100)],
            None, (100, 30, BUY, 10), id="1-most-quantity",
        ),
        pytest.param(
            [(BUY, 10, 102), (BUY, 5, 101), (SELL, 10, 100)],
            None, (102, 10, 0, 0), id="2-least-surplus",
        ),
        pytest.param(
            [(BUY, 20, 102), (SELL, 10, 100)], 100, (102, 10, BUY, 10), id="3-buyers-left-over"),
        pytest.param(
            [(BUY, 10, 102), (SELL, 20, 100)], 102, (100, 10, SELL, 10), id="3-sellers-left-over"),
        pytest.param(
            [(BUY, 10, 104), (SELL, 10, 100)], 101, (100, 10, 0, 0), id="4-nearest-below"),
        pytest.param(
            [(BUY, 10, 104), (SELL, 10, 100)], 103, (104, 10, 0, 0), id="4-nearest-above"),
        pytest.param(
            [(BUY, 10, 104), (SELL, 10, 100)], 102, (104, 10, 0, 0), id="4-two-as-near"),
        pytest.param(
            [(BUY, 10, 104), (SELL, 10, 100)], None, (100, 10, 0, 0), id="4-no-reference"),
        pytest.param([(BUY, 10, None), (SELL, 7, None)], 50, (50, 7, BUY, 3), id="market-only"),
        pytest.param(
            [(BUY, 10, None), (SELL, 7, None)], None, (None, 0, 0, 0), id="market-no-reference"),
        pytest.param(
            [(BUY, 10, None), (SELL, 7, 60)], 50, (60, 7, BUY, 3), id="market-meets-limit"),
    ],
)  # fmt: skip
def test_the_rule_chain_of_an_auction(orders, reference, outcome):
    assert auction(orders, reference) == outcome


def test_fees_go_by_tier_and_round_towards_the_venue():
    venue = engine()
    venue.set_fees(0, [(0, -2000, 3000, 0, 1), (100, -2500, 2500, -1, 0)])
    venue.new(1, SELL, 60, 7 * TICK, participant=0)
    trade = venue.new(2, BUY, 60, 7 * TICK, participant=1)[1]
    # 60 * 7 ticks = 4,200,000,000 nanos; a millionth of it is 4,200.
    assert (trade.fee, trade.contra_fee) == (-120_000, 184_200)
    venue.new(3, SELL, 50, 7 * TICK, participant=0)
    venue.new(4, BUY, 50, 7 * TICK, participant=1)
    venue.new(5, SELL, 1, 1 * TICK, participant=0)
    trade = venue.new(6, BUY, 1, 1 * TICK, participant=1)[1]
    # Both have traded 110 by now: the second tier. -10 nanos of the money, exact; then rounding:
    assert (trade.fee, trade.contra_fee) == (-2_510, 2_500)
    assert venue.account().fees == sum(venue.account(who).fees for who in range(4))
    assert venue.account(0).cash == -venue.account(1).cash == 60 * 7 * TICK + 50 * 7 * TICK + TICK
    assert (venue.position(0), venue.position(1)) == (-111, 111)
    assert venue.is_balanced


@pytest.mark.parametrize(("ppm", "fee"), [(1, 1), (-1, 0)], ids=["fee", "rebate"])
def test_a_part_of_a_nano_goes_to_the_venue(ppm, fee):
    venue = engine(tick=2, price_max=1000)
    venue.set_fees(0, [(0, 0, 0, ppm, 0)])
    venue.new(1, SELL, 1, 10, participant=0)
    assert venue.new(2, BUY, 1, 10, participant=1)[1].fee == fee


def test_a_random_refresh_is_of_the_seed():
    def shown(seed):
        venue = Matcher(seed=seed)
        venue.add_participant()
        venue.add_instrument(tick=TICK, price_max=1000 * TICK, lot=5)
        venue.new(1, SELL, 2000, 10 * TICK, display_qty=50, refresh_range_qty=20)
        reports = venue.new(2, BUY, 1900, 10 * TICK)
        return [report.display_qty for report in reports if report.type == 7]

    sizes = shown(1)
    assert sizes == shown(1) != shown(2)
    assert set(sizes) <= {30, 35, 40, 45, 50, 55, 60, 65, 70}
    assert len(set(sizes)) > 5
