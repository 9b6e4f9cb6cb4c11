"""The strategy interface in its three languages, on the same session."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

import dataplane
from appliance.cli import main

EXAMPLES = Path(__file__).resolve().parents[2] / "examples"


@pytest.fixture(scope="module")
def session(tmp_path_factory):
    path = tmp_path_factory.mktemp("session") / "day.itch"
    assert (
        main(["generate", str(path), "--seed", "3", "--messages", "60000", "--symbols", "30"]) == 0
    )
    return path


def replay(session, folder, strategy):
    report = folder / "report.json"
    status = main(
        ["replay", str(session), "--quiet", "--json", str(report), "--strategy", strategy]
    )
    return status, json.loads(report.read_text()) if report.exists() else None


def write_module(monkeypatch, folder, name, text):
    (folder / f"{name}.py").write_text(text)
    monkeypatch.syspath_prepend(str(folder))
    sys.modules.pop(name, None)


def test_the_python_example_trades(session, tmp_path, monkeypatch):
    monkeypatch.syspath_prepend(str(EXAMPLES / "python"))
    sys.modules.pop("first", None)
    status, facts = replay(session, tmp_path, "python first:First")
    assert status == 0
    assert facts["filled_qty"] > 0


def test_cython_and_c_do_the_same(session, tmp_path, monkeypatch):
    library = tmp_path / "first.so"
    source = EXAMPLES / "c" / "first.c"
    compiler = ["gcc", "-O2", "-Wall", "-Werror", "-shared", "-fPIC", "-I", dataplane.get_include()]
    subprocess.run([*compiler, "-o", library, source], check=True)
    status, from_c = replay(session, tmp_path, f"library {library}")
    assert status == 0

    folder = tmp_path / "cython"
    folder.mkdir()
    for name in ("first.pyx", "setup.py"):
        (folder / name).write_text((EXAMPLES / "cython" / name).read_text())
    subprocess.run(
        [sys.executable, "-P", "setup.py", "-q", "build_ext", "--inplace"],
        cwd=folder, check=True, capture_output=True,
    )  # fmt: skip
    monkeypatch.syspath_prepend(str(folder))
    sys.modules.pop("first", None)
    status, from_cython = replay(session, tmp_path, "cython first:First")
    sys.modules.pop("first", None)
    assert status == 0
    assert from_c["filled_qty"] > 0
    assert from_c["events_digest"] == from_cython["events_digest"]
    assert from_c["wire_digest"] == from_cython["wire_digest"]


@pytest.mark.parametrize("kind", ["market_maker", "imbalance_taker"])
def test_the_strategies_that_ship_trade(session, tmp_path, kind):
    status, facts = replay(session, tmp_path, kind)
    assert status == 0
    assert facts["filled_qty"] > 0
    assert facts["counters"]["reports_anomaly"] == 0


RECORDER = """
from dataplane.strategy import OrderDenied
calls = []
class Recorder:
    def __init__(self, params): calls.clear(); self.sent = set()
    def on_start(self, gateway): calls.append("on_start"); gateway.set_timer(60_000_000_000)
    def on_open(self, gateway, index):
        calls.append("on_open"); self.name = gateway.symbol(index)
    def on_book(self, gateway, top):
        calls.append("on_book")
        index = top.instrument_index
        whole = top.bid_price_nanos and top.ask_price_nanos and not top.stale
        if top.trading_state == "T" and whole and index not in self.sent:
            self.sent.add(index)
            self.order = gateway.submit(index, 1, 10, top.bid_price_nanos)
            assert gateway.levels(index, 1, 1)[0][0] == top.bid_price_nanos
    def on_trade(self, gateway, trade): calls.append("on_trade")
    def on_accepted(self, gateway, event):
        calls.append("on_accepted:" + event.kind)
        if event.kind == "ACCEPTED":
            try: gateway.replace(event.user_ref_num, 20, event.price_nanos)
            except OrderDenied: pass  # the touch has gone meanwhile
        elif event.kind == "REPLACED":
            gateway.cancel(event.user_ref_num)
    def on_filled(self, gateway, event): calls.append("on_filled:" + event.ord_status)
    def on_canceled(self, gateway, event):
        assert event.leaves_qty == 0
        calls.append("on_canceled:" + event.ord_status)
    def on_rejected(self, gateway, event): calls.append("on_rejected")
    def on_timer(self, gateway, now_ns): calls.append("on_timer")
    def on_stop(self, gateway): calls.append("on_stop")
"""


def test_every_callback_and_verb_reaches_python(session, tmp_path, monkeypatch):
    write_module(monkeypatch, tmp_path, "recorder", RECORDER)
    status, _ = replay(session, tmp_path, "python recorder:Recorder")
    calls = sys.modules["recorder"].calls
    assert status == 0
    assert calls[0] == "on_start"
    assert calls.count("on_stop") == 1
    wanted = {
        "on_open", "on_book", "on_trade", "on_accepted:ACCEPTED", "on_accepted:REPLACED",
        "on_canceled:CANCELED", "on_timer",
    }  # fmt: skip
    assert wanted <= set(calls)


def test_an_exception_ends_the_session_and_is_shown(session, tmp_path, monkeypatch, capsys):
    write_module(
        monkeypatch, tmp_path, "faulty",
        "class Faulty:\n    def __init__(self, params): pass\n"
        "    def on_book(self, gateway, top): raise RuntimeError('out of ideas')\n",
    )  # fmt: skip
    status, facts = replay(session, tmp_path, "python faulty:Faulty")
    assert status == 1
    assert "out of ideas" in capsys.readouterr().err
    assert facts is None or facts["messages"] < 60_000


def test_a_gateway_kept_beyond_its_callback_refuses(session, tmp_path, monkeypatch):
    write_module(
        monkeypatch, tmp_path, "keeper",
        "class Keeper:\n    kept = None\n    def __init__(self, params): pass\n"
        "    def on_start(self, gateway): Keeper.kept = gateway\n",
    )  # fmt: skip
    status, _ = replay(session, tmp_path, "python keeper:Keeper")
    assert status == 0
    with pytest.raises(RuntimeError, match="outside a callback"):
        sys.modules["keeper"].Keeper.kept.cancel(1)


def test_a_refusal_says_its_code(session, tmp_path, monkeypatch):
    write_module(
        monkeypatch, tmp_path, "greedy",
        "from dataplane.strategy import OrderDenied\nreasons = set()\n"
        "class Greedy:\n    def __init__(self, params): pass\n"
        "    def on_book(self, gateway, top):\n"
        "        for qty, price in ((900_000, top.bid_price_nanos), (1, 1_999_999_900 * 100_000),\n"
        "                           (0, 100_000), (1, 100_001)):\n"
        "            try: gateway.submit(top.instrument_index, 1, qty, price or 100_000)\n"
        "            except OrderDenied as denied: reasons.add(denied.reason)\n"
        "        try: gateway.cancel(4_000_000)\n"
        "        except OrderDenied as denied: reasons.add(denied.reason)\n",
    )  # fmt: skip
    status, facts = replay(session, tmp_path, "python greedy:Greedy")
    assert status == 0
    assert {"MAX_ORDER_QTY", "PRICE_COLLAR", "ORDER_INVALID", "ORDER_UNKNOWN"} <= sys.modules[
        "greedy"
    ].reasons
    assert facts["risk_rejects"]["MAX_ORDER_QTY"] > 0


@pytest.mark.parametrize(
    ("params", "text"),
    [
        ("{qty: 0}", "strategies[0].params.qty"),
        ("{quantity: 5}", "unknown key"),
        ("{qty: many}", "not a whole number"),
    ],
)
def test_wrong_params_are_named_with_their_line(session, tmp_path, capsys, params, text):
    from appliance.config import example_text

    config = tmp_path / "c.yaml"
    config.write_text(example_text().replace("params: {}", f"params: {params}", 1))
    assert main(["replay", str(session), "--quiet", "--config", str(config)]) == 2
    err = capsys.readouterr().err
    assert text in err and str(config) in err


@pytest.mark.parametrize(
    ("strategy", "text"),
    [
        ("python os:path", "one argument, its params"),
        ("python os:no_such_name", "has no 'no_such_name'"),
        ("python broken:Broken", "SyntaxError"),
    ],
)
def test_what_is_no_strategy_is_one_line(session, tmp_path, monkeypatch, capsys, strategy, text):
    write_module(monkeypatch, tmp_path, "broken", "class Broken(\n")
    capsys.readouterr()
    assert main(["replay", str(session), "--quiet", "--strategy", strategy]) == 2
    err = capsys.readouterr().err
    assert text in err and err.count("\n") == 1


def test_a_symbol_that_the_day_never_names_is_said(session, tmp_path, capsys):
    from appliance.config import example_text

    config = tmp_path / "c.yaml"
    choice = "    first: 100                    #"
    config.write_text(example_text().replace(choice, "    symbols: [NOSUCH] #", 1))
    assert main(["replay", str(session), "--quiet", "--config", str(config)]) == 0
    assert "'NOSUCH' was never named" in capsys.readouterr().err
