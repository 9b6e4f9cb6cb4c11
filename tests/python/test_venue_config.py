"""The configuration of a venue: every complaint with its line, and what a good one becomes."""

from __future__ import annotations

import pytest

from appliance.config_section import ConfigError
from appliance.venue import config

GOOD = """\
venues:
  lit:
    orders: 127.0.0.1:9001
    order_latency: 50us
    instruments:
      TPLN: {tick: 0.01, reference: 10.00}
    users:
      alice: {password: secret, fees: low}
    fees:
      low: [{maker: -0.002, taker: 0.003}]
    agents:
      - {kind: market_maker, interval: 10ms}
"""


def test_the_example_is_good():
    parsed = config.parse(config.example_text(), source="venue.yaml")
    assert [venue.name for venue in parsed.venues] == ["lit", "dark"]
    assert parsed.venues[1].follows == "lit"


def test_values_become_numbers():
    venue = config.parse(GOOD, source="t.yaml").venues[0]
    assert venue.orders == (0x7F000001, 9001)
    assert venue.order_latency_ns == 50_000
    assert venue.instruments[0].tick_nanos == 10_000_000
    assert venue.fees["low"][0].maker_nanos == -2_000_000
    assert venue.agents[0].interval_ns == 10_000_000


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "127.0.0.1:9001",
            "localhost",
            "t.yaml:3: venues.lit.orders: 'localhost' is not an address; "
            "give one like 127.0.0.1:9001",
        ),
        (
            "127.0.0.1:9001",
            "127.0.0.1:99999",
            "t.yaml:3: venues.lit.orders: '127.0.0.1:99999' is not an address; "
            "give one like 127.0.0.1:9001",
        ),
        (
            "50us",
            "50",
            "t.yaml:4: venues.lit.order_latency: '50' is not a time; give one like 50ms or 1.5s",
        ),
        (
            "50us",
            "90000s",
            "t.yaml:4: venues.lit.order_latency: 90000s is out of reach; "
            "give more than nothing and less than a day",
        ),
        (
            "tick: 0.01",
            "tick: 0.0001",
            "t.yaml:6: venues.lit.instruments.TPLN.tick: 0.0001 is too small; "
            "give an amount from 0.0002 to 1000",
        ),
        (
            "tick: 0.01",
            "tick: 0.0003",
            "t.yaml:6: venues.lit.instruments.TPLN.tick: half of it has more than four decimals; "
            "give a multiple of 0.0002",
        ),
        (
            "reference: 10.00",
            "policy: best",
            "t.yaml:6: venues.lit.instruments.TPLN.policy: 'best' is not one of its values; "
            "known: fifo, pro_rata, threshold_pro_rata, fifo_lmm, fifo_top_lmm, time_pro_rata",
        ),
        (
            "reference: 10.00",
            "lmms: {alice: 1}",
            "t.yaml:6: venues.lit.instruments.TPLN.lmms: only of policies fifo_lmm and "
            "fifo_top_lmm; name one of them",
        ),
        (
            "reference: 10.00",
            "policy: fifo_lmm, lmms: {bob: 1}",
            "t.yaml:6: venues.lit.instruments.TPLN.lmms.bob: no user of this venue; known: alice",
        ),
        (
            "reference: 10.00",
            "policy: fifo_lmm, lmms: {alice: 600000, bob: 600000}",
            "t.yaml:6: venues.lit.instruments.TPLN.lmms: more than 1000000 in all; "
            "give parts of a million",
        ),
        (
            "reference: 10.00",
            "policy: fifo_lmm, lmms: {a: 1, b: 1, c: 1, d: 1, e: 1}",
            "t.yaml:6: venues.lit.instruments.TPLN.lmms: 5 users; give at most 4",
        ),
        (
            "TPLN: {",
            "LONGSYMBOL: {",
            "t.yaml:6: venues.lit.instruments.LONGSYMBOL: not a symbol; "
            "give 1 to 8 characters without spaces",
        ),
        (
            "alice: {",
            "alexandra: {",
            "t.yaml:8: venues.lit.users.alexandra: not a user; give 1 to 6 lower-case characters",
        ),
        (
            "password: secret, ",
            "",
            "t.yaml:8: venues.lit.users.alice.password: missing; write `password: secret`",
        ),
        (
            "fees: low}",
            "fees: high}",
            "t.yaml:8: venues.lit.users.alice.fees: 'high' is not one of its values; "
            "known: none, low",
        ),
        (
            "kind: market_maker",
            "kind: maker",
            "t.yaml:12: venues.lit.agents[0].kind: 'maker' is not one of its values; "
            "known: zero_intelligence, informed, market_maker, bursts, halts",
        ),
        (
            "order_latency",
            "oder_latency",
            "t.yaml:4: venues.lit.oder_latency: unknown key; did you mean order_latency?",
        ),
        (
            "    order_latency: 50us\n",
            "    dark: yes\n",
            "t.yaml:3: venues.lit.follows: a dark venue follows a lit one, no other does; "
            "write `follows: NAME`",
        ),
        (
            "    order_latency: 50us\n",
            "    dark: yes\n    follows: lit\n",
            "t.yaml:5: venues.lit.follows: 'lit' is no lit venue above this one; known: ",
        ),
    ],
)
def test_what_is_wrong_is_said_with_its_line(old, new, message):
    assert old in GOOD
    with pytest.raises(ConfigError) as failed:
        config.parse(GOOD.replace(old, new), source="t.yaml")
    assert str(failed.value) == message


def test_a_file_that_cannot_be_read_is_named(tmp_path):
    with pytest.raises(ConfigError, match="no such file or directory; give a configuration"):
        config.load(str(tmp_path / "none.yaml"))
