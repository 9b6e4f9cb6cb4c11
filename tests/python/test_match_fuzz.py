"""The matching engine against its model: random commands; `make soak` does the same for longer."""

from __future__ import annotations

import match_fuzz
import match_model_share
import pytest

from dataplane.errors import DataplaneError
from dataplane.match import Matcher

SEEDS = range(14)
# An auction moves the reference price, own orders let nothing trade: trailing stops follow it.
FOUND = (795624017,)
POLICIES = ("fifo", "pro-rata", "threshold-pro-rata", "fifo-lmm", "fifo-top-lmm", "time-pro-rata")


@pytest.mark.parametrize("policy", range(6), ids=POLICIES)
def test_engine_and_model_agree(policy):
    """Reports, books and accounts after every command; snapshots restored on the way."""
    for seed in SEEDS:
        failure = match_fuzz.run(1000 * policy + seed, policy)
        assert failure is None, failure


@pytest.mark.parametrize("seed", FOUND)
def test_engine_and_model_agree_where_they_once_did_not(seed):
    assert match_fuzz.run(seed) is None


def test_a_difference_is_found_and_shrunk(monkeypatch):
    """A model that forgets the minimum of an allocation: few commands are enough to show it."""
    right = match_model_share.by_weight

    def wrong(model, book, displayed, taker, weights):
        least, book.terms["allocation_min"] = book.terms["allocation_min"], 0
        right(model, book, displayed, taker, weights)
        book.terms["allocation_min"] = least

    monkeypatch.setattr(match_model_share, "by_weight", wrong)
    failures = [failure for seed in range(30) if (failure := match_fuzz.run(seed, policy=1))]
    assert failures
    commands = min(text.count("\n  new(") + text.count("\n  replace(") for text in failures)
    assert commands <= 6, failures[0]


def test_a_snapshot_of_another_configuration_is_refused():
    small, large = Matcher(orders=10), Matcher(orders=20)
    with pytest.raises(DataplaneError) as error:
        large.restore(small.snapshot())
    assert str(error.value) == (
        "match: the snapshot was taken with another configuration; restore it into the same"
    )


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        ({"tick": 0}, "match: tick_nanos is 0; it must be even and above 0"),
        ({"tick": 3}, "match: tick_nanos is 3; it must be even and above 0"),
        ({"price_max": 1}, "match: price_nanos_max is 1; it must be 100 to 53687091000"),
        ({"lot": 0}, "match: lot_qty is 0; it must be 1 to 4294967295"),
        ({"policy": 6}, "match: policy is 6; it must be 0 to 5"),
        ({"session": 5}, "match: session is 5; it must be 0 to 4"),
        (
            {"band_ppm": 5},
            "match: band_ppm is 5 with pause_ns 0; below 1000000, and with a pause above 0",
        ),
        (
            {"reference_price": 50},
            "match: reference_price_nanos is 50; it must be a multiple of the tick, up to "
            "price_nanos_max",
        ),
        ({"lmms": ((3, 1),)}, "match: lmms[0].participant is 3; there are 1 participants"),
        (
            {"lmms": ((0, 600_000), (0, 600_000))},
            "match: the shares of lead market makers are 1200000 ppm together; at most 1000000",
        ),
    ],
)
def test_an_instrument_out_of_range_is_refused(terms, words):
    engine = Matcher()
    engine.add_participant()
    with pytest.raises(DataplaneError) as error:
        engine.add_instrument(**{"tick": 100, "price_max": 10_000} | terms)
    assert str(error.value) == words


@pytest.mark.parametrize(
    ("tiers", "words"),
    [
        ([(0, 0, 0, 0, 0)] * 4 + [(0, 0, 0, 0, 0)], "5 fee tiers; at most 4"),
        (
            [(5, 0, 0, 0, 0)],
            "match: fee tier 0 is from quantity 5; the first is from 0, each later one from more "
            "than the one before",
        ),
        (
            [(0, 2**31, 0, 0, 0)],
            "match: fee tier 0 has a rate out of range; at most 1073741824 nanos per unit and "
            "1000000 ppm, either way",
        ),
    ],
)
def test_fees_out_of_range_are_refused(tiers, words):
    with pytest.raises((DataplaneError, ValueError)) as error:
        Matcher().set_fees(0, tiers)
    assert str(error.value) == words
