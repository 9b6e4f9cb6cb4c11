"""The last events of our orders in the region: those that the journal has, in its order."""

from __future__ import annotations

import dataclasses
import json
import os
from pathlib import Path

import pytest

from appliance import cli, recent
from appliance import config as configuration
from appliance.strategy_loader import load_strategy
from dataplane.engine import Engine, EngineSettings
from dataplane.generate import session_bytes
from dataplane.journal import Journal
from dataplane.region import Region

SLOTS = 4096
SAME = (
    "time_ns", "event", "user_ref_num", "orig_user_ref_num", "venue_order_id", "strategy_index",
    "symbol", "side", "qty", "price_nanos", "exec_id", "request_key",
    "ord_status", "leaves_qty", "cum_qty",
)  # fmt: skip


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Yield the region's path and the events of the journal of one run."""
    folder = tmp_path_factory.mktemp("recent")
    (folder / "day.itch").write_bytes(session_bytes(60_000, symbols=20, seed=5))
    config = configuration.default()
    place = Path(f"/dev/shm/tickplane-recent-{os.getpid()}")
    engine = Engine(
        EngineSettings(
            name="recent", midnight_ns=config.session.midnight_ns, region_path=str(place),
            journal_directory=str(folder / "j"), journal_segment_size=4 << 20,
            instrument_count_max=64, order_count_max=60_000, level_count_max=60_000,
            own_order_count_max=60_000,
        )
    )  # fmt: skip
    engine.set_limits(config.instrument_limits, config.overrides)
    for each in config.strategies:
        strategy = dataclasses.replace(each, symbols=(), first=20)
        engine.add_strategy(load_strategy(strategy), first=20, limits=strategy.limits)
    engine.start(str(folder / "day.itch"))
    while engine.run(100_000):
        pass
    engine.finish()
    try:
        names = ("INSTRUMENT", "END")
        yield place, [each for each in Journal(folder / "j") if each["event"] not in names]
    finally:
        place.unlink(missing_ok=True)


def test_the_region_has_the_journals_last_events(run):
    place, events = run
    assert len(events) > SLOTS
    with Region.attach(place) as region:
        found = region.recent()
    assert len(found) == SLOTS
    assert [each["number"] for each in found] == list(
        range(len(events) - SLOTS + 1, len(events) + 1)
    )
    for mine, recorded in zip(found, events[-SLOTS:], strict=True):
        assert {key: mine[key] for key in SAME} == {key: recorded[key] for key in SAME}


def test_the_events_of_one_order_and_its_replaces(run, monkeypatch, capsys):
    place, events = run
    monkeypatch.setattr(recent, "find", lambda name: place)
    replaced = [each for each in events[-SLOTS // 2 :] if each["event"] == "REPLACED"]
    number = replaced[-1]["orig_user_ref_num"]
    assert cli.main(["recent", "--order", str(number), "--json", "-n", "100"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {"REPLACE", "REPLACED"} <= {each["event"] for each in found}
    assert replaced[-1]["user_ref_num"] in {each["user_ref_num"] for each in found}
    assert cli.main(["recent", "-n", "3"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert len(lines) == 3
    last = events[-1]
    assert lines[-1].startswith(f"{len(events)} {last['time_ns']} {last['event']} user_ref_num=")
