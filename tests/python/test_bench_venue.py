"""The row of the exchange: there, beside its echo, with what it says besides. Not its speed."""

import json

import pytest

from appliance.cli import main
from dataplane.bench_venue import load
from dataplane.errors import DataplaneError


def test_the_row_stands_beside_its_echo(capsys):
    words = ["bench", "venue.orders", "--messages", "20000", "--rounds", "5", "--json", "-"]
    assert main(words) == 0
    (row,) = json.loads(capsys.readouterr().out)
    assert (row["name"], row["unit"]) == ("venue.orders", "ns/order")
    assert row["reference"]["name"] == "venue.echo"
    assert row["orders_a_second"] == pytest.approx(1e9 / row["value"], rel=0.01)
    for name in ("answer_ns", "echo_ns", "answer_alone_ns", "echo_alone_ns"):
        assert 0 < row[name]["p50"] <= row[name]["p99"]


def test_a_load_without_a_far_end_says_so():
    with pytest.raises(DataplaneError) as failed:
        load(9, sessions=1, window=1, orders=2, first=2)
    assert str(failed.value) == "bench: port 9: the far end hung up or fell silent"
