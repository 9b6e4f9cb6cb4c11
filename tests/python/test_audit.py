"""Orders, money and fills of whole runs, recomputed from outside by the auditor."""

import json
import re
import sys
from pathlib import Path

import pytest

from appliance import config as configuration
from appliance.cli import main

sys.path.insert(0, str(Path(__file__).parent))
from auditor import Audit, Market  # noqa: E402

# Wide enough to trade much, narrow enough to be met: every limit below refuses something.
NARROW = {
    "max_position": ("250",),
    "collar_bps": ("20",),
    "collar_abs": ("0.01",),
    # of the firm, its account, and the two strategies
    "max_gross": ("5000000", "4500000", "3000000", "3000000"),
    "max_net": ("150000", "140000", "100000", "100000"),
    "max_open_orders": ("25", "21", "20", "2"),
    "max_open_notional": ("200000", "150000"),
}


def narrow_config(folder):
    text = configuration.example_text()
    for key, values in NARROW.items():
        found = iter(values)
        text = re.sub(
            rf"(?m)^( +{key}:) \S+",
            lambda match, found=found: f"{match[1]} {next(found)}",
            text,
        )
    path = folder / "narrow.yaml"
    path.write_text(text)
    return path


def run(folder, capsys, seed, messages, *words, symbols=40):
    session, report = folder / "day.itch", folder / "report.json"
    size = ["--messages", str(messages), "--symbols", str(symbols)]
    assert main(["generate", str(session), "--seed", str(seed), *size]) == 0
    outputs = ["--journal", str(folder / "j"), "--json", str(report)]
    assert main(["replay", str(session), "--quiet", *outputs, *map(str, words)]) == 0
    capsys.readouterr()
    assert main(["journal", "dump", str(folder / "j"), "--json"]) == 0
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return session.read_bytes(), json.loads(report.read_text()), events


def audited(config, facts, events):
    audit = Audit(config)
    audit.walk(events)
    for row in facts["positions"]:
        assert row["position"] == audit.position[row["symbol"]], row
        assert row["cash_nanos"] == audit.cash[row["symbol"]], row
    assert {row["symbol"] for row in facts["positions"]} == set(audit.cash)
    assert not audit.live
    return audit


@pytest.mark.parametrize("seed", [11, 12])
def test_orders_and_money_add_up(seed, tmp_path, capsys):
    _, facts, events = run(tmp_path, capsys, seed, 100_000)
    audit = audited(configuration.default(), facts, events)
    assert facts["filled_qty"] > 0 and audit.last_number > 100


@pytest.mark.parametrize("strategy", ["maker", "taker"])
def test_narrow_limits_are_never_exceeded(strategy, tmp_path, capsys):
    path = narrow_config(tmp_path)
    words = ("--config", path, "--strategy", strategy)
    _, facts, events = run(tmp_path, capsys, 14, 100_000, *words)
    audited(configuration.load(path).only_strategy(strategy), facts, events)
    assert sum(facts["risk_rejects"].values()) > 10, facts["risk_rejects"]


def test_every_fill_was_there_in_the_recorded_market(tmp_path, capsys):
    session, _, events = run(tmp_path, capsys, 15, 60_000)
    config = configuration.default()
    market = Market(events, config.session.midnight_ns, config.venue.order_latency_ns)
    market.walk(session)
    assert market.taker_count > 20
    assert sum(map(len, market.makers.values())) > 20
