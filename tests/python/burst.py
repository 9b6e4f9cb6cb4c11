"""A strategy that sends many orders in one callback, when it is told to."""

from __future__ import annotations

from live_world import READY_S
from waiting import wait_until

MODULE = """
import os
import time
from contextlib import suppress

from dataplane.strategy import BUY, OrderDenied

CENT = 10_000_000


class Burst:
    def __init__(self, params):
        self.count = params.integer("count", 1, 1000)
        self.waits = params.integer("waits", 0, 1)

    def on_book(self, gateway, top):
        is_trading = top.trading_state == "T" and not top.stale and top.bid_price_nanos
        if not (is_trading and top.ask_price_nanos and os.path.exists("go")):
            return
        os.rename("go", "gone")
        price = top.bid_price_nanos // CENT * CENT - 30 * CENT
        for number in range(self.count):  # no two alike: the gate knows duplicates
            with suppress(OrderDenied):
                gateway.submit(
                    top.instrument_index, BUY, 1 + number % 20, price + number // 20 * CENT
                )
        open("sent", "w").close()
        while self.waits and not os.path.exists("leave"):
            time.sleep(0.001)
"""


class Burst:
    """The one strategy of a world's run; it speaks with the test through files."""

    def __init__(self, one, *, count, waits=False):
        self.one, self.count = one, count
        (one.folder / "bursting.py").write_text(MODULE)
        text = one.run_yaml.read_text()
        for old, new in (
            ("kind: market_maker", "kind: python bursting:Burst"),
            ("params: {}", f"params: {{count: {count}, waits: {int(waits)}}}"),
        ):
            assert old in text
            text = text.replace(old, new)
        one.run_yaml.write_text(text)

    def start_run(self):
        return self.one.start(
            "run", self.one.run_yaml, "--ready-seconds", READY_S, "--journal", "journal",
            "--json", "report.json", cwd=self.one.folder,
        )  # fmt: skip

    def go(self, run):
        """Have it send; return when it has."""
        (self.one.folder / "go").touch()
        wait_until((self.one.folder / "sent").exists, process=run)

    def leave(self):
        """Let a callback that waits return."""
        (self.one.folder / "leave").touch()
