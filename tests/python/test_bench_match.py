"""The flows of `tickplane bench match.*`: both engines decide the same; no speed is tested."""

from __future__ import annotations

import pytest

from dataplane.bench_match import SHAPES, MatchBench


@pytest.mark.parametrize("shape", SHAPES)
def test_the_engine_trades_what_the_plain_one_trades(shape):
    flow = MatchBench(shape, 30_000, resting=2_000)
    assert flow.fifo()[1] == flow.plain()[1] == 30_000
    assert flow.result == flow.plain_result
    assert flow.result[1] > 1_000


def test_by_size_as_much_is_traded_as_by_time():
    """Who is served changes, how much does not, until cancels meet other orders."""
    flow = MatchBench("static", 2_000, resting=2_000)
    flow.fifo()
    by_time = flow.result
    flow.pro_rata()
    assert flow.result != by_time
    assert abs(flow.result[0] - by_time[0]) < by_time[0] / 5


def test_latencies_come_in_order():
    middle, far, most = MatchBench("normal", 10_000, resting=1_000).latency((500, 999, 999))
    assert 0 < middle <= far == most


def test_a_shape_that_is_none_is_refused():
    with pytest.raises(ValueError):
        MatchBench("flat", 10)
