"""Risk as ``tickplane top`` shows it: switches, limits and what is used of them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from appliance import cli, top_risk
from appliance.config_risk import UNLIMITED
from dataplane.control import Control
from dataplane.region import Region

MONEY = 1_000_000_000


def scope(name, mode="clear", source="nobody", **uses):
    return {"scope": name, "mode": mode, "source": source, "uses": uses}


SCOPES = [
    scope(
        "firm",
        max_gross=(25 * MONEY, 200 * MONEY, True),
        max_net=(-5 * MONEY, 100 * MONEY, True),
        max_open_orders=(3, UNLIMITED, False),
        message_floor=(7, 0, False),
        max_loss=(80 * MONEY, 100 * MONEY, True),
        max_drawdown=(90 * MONEY, 0, True),
    ),
    scope("strategy:maker", "reduce-only", "loss", order_burst=(99, 100, False)),
    scope("session:0", "reject-new", "person"),
    scope("instrument:AAPL", max_position=(1, 1000, False)),
    scope("instrument:MSFT", max_position=(250, 1000, False)),
    scope("instrument:GONE", "cancel-all", "person", max_position=(0, 1000, False)),
]

COMPACT = """\
risk, % used         gross    net orders   open tokens   msgs    pos  trips switch
firm                  12.5    0.0      -      -      -    inf      -   80.0 clear
strategy:maker           -      -      -      -   99.0      -      -      - reduce-only: loss
session:0                -      -      -      -      -      -      -      - reject-new: person
instrument:GONE          -      -      -      -      -      -    0.0      - cancel-all: person
instrument:MSFT          -      -      -      -      -      -   25.0      - clear
instrument:AAPL          -      -      -      -      -      -    0.1      - clear"""

WHOLE = """\
limit                                      used                   of        %
firm: clear
  max_gross                                  25                  200     12.5
  max_net                                    -5                  100      0.0
  max_open_orders                             3            unlimited        -
  message_floor                               7                    0      inf
  max_loss                                   80                  100     80.0
  max_drawdown                               90                  off        -
strategy:maker: reduce-only: loss
  order_burst                                99                  100     99.0"""


def test_a_line_for_each_scope():
    assert "\n".join(top_risk.render_risk(SCOPES)) == COMPACT


def test_a_line_for_each_limit():
    assert "\n".join(top_risk.render_limits(SCOPES[:2])) == WHOLE


def test_of_many_instruments_those_that_are_killed_or_used_most():
    many = [scope(f"instrument:I{index}", max_position=(index, 100, False)) for index in range(20)]
    many[3]["mode"] = "reject-new"
    names = [found["scope"] for found in top_risk.shown([scope("firm"), *many])]
    assert names == ["firm"] + [f"instrument:I{index}" for index in (3, 19, 18, 17, 16)]


@pytest.fixture(scope="module")
def region(tmp_path_factory):
    """The region of a run in the middle of its day."""
    from appliance.config import example_text, parse
    from appliance.replay import furnish, open_engine, settings_of

    folder = tmp_path_factory.mktemp("risk")
    day = folder / "day.itch"
    assert cli.main(["generate", str(day), "--messages", "200000", "--symbols", "50"]) == 0
    path = Path(f"/dev/shm/tickplane-risk-{os.getpid()}")
    config = parse(example_text(), source="example")
    args = type("Args", (), {"journal": None, "pcap_out": None, "file": str(day)})
    engine = open_engine(settings_of(args, config, str(path)))
    furnish(engine, config)
    engine.start(str(day))
    engine.run(100_000)  # half of the day: orders are open
    yield path
    engine.finish()
    path.unlink()


def test_what_is_used_is_what_orders_and_executions_add_up_to(region):
    with Region.attach(region) as attached:
        rows = {row["scope"]: row for row in attached.risk()}
        live = ("PENDING_NEW", "NEW", "PARTIALLY_FILLED", "PENDING_REPLACE", "PENDING_CANCEL")
        states = attached.orders()
        counters = attached.counters()
    assert list(rows)[:4] == ["firm", "account:house", "strategy:maker", "strategy:taker"]
    parts = [rows[name]["uses"] for name in ("strategy:maker", "strategy:taker")]
    whole = rows["firm"]["uses"]
    assert whole["max_gross"][0] == sum(part["max_gross"][0] for part in parts) > 0
    assert whole["max_open_orders"][0] == sum(states.get(state, 0) for state in live) > 0
    assert whole["max_open_orders"] == (
        sum(part["max_open_orders"][0] for part in parts), 5000, False
    )  # fmt: skip
    assert counters["orders_sent"] > 0
    instruments = [row for name, row in rows.items() if name.startswith("instrument:")]
    assert instruments
    assert all(row["uses"]["max_position"][0] != 0 for row in instruments)


def test_a_switch_is_shown_with_who_set_it(region, monkeypatch, capsys):
    monkeypatch.setattr("dataplane.control.ANSWER_WAIT_S", 0.0)
    with Control.attach(region) as control:
        # The engine stands still meanwhile: the switch holds all the same.
        control.kill("strategy:maker", "reject-new", author="ada", cause="drill")
    assert cli.main(["top", str(region), "--once"]) == 0
    screen = capsys.readouterr().out
    row = next(row for row in screen.splitlines() if row.startswith("strategy:maker "))
    assert row.endswith(" reject-new: person")
    assert cli.main(["top", str(region), "--once", "--risk"]) == 0
    screen = capsys.readouterr().out
    assert "\nstrategy:maker: reject-new: person\n" in screen
    assert "\n  max_gross " in screen
