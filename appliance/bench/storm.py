"""A strategy that sends as fast as a callback comes: orders that end at once, far from the market.

A storm of so many orders begins when the gate lets one pass after a refusal; behind it, and while
the gate refuses, the strategy only asks now and then.
"""

from __future__ import annotations

from typing import Any

from dataplane.strategy import BUY, IOC, OrderDenied

CENT = 10_000_000
QUIET_NS = 2_000_000
STORM = 1500


class Storm:
    """One order each ``interval_ns``, in the instrument whose book was heard of last."""

    def __init__(self, params: Any) -> None:
        params.only("interval_ns")
        self.interval_ns = params.integer("interval_ns", 1_000, 1_000_000_000, 40_000)
        self.instrument_index: int | None = None
        self.price_nanos = 0
        self.count = 0
        self.left = STORM  # of this storm

    def on_start(self, gateway: Any) -> None:
        """Have time pass."""
        gateway.set_timer(self.interval_ns)

    def on_book(self, gateway: Any, top: Any) -> None:
        """Remember where nobody sells."""
        del gateway
        if top.trading_state == "T" and not top.stale and top.bid_price_nanos:
            self.instrument_index = top.instrument_index
            self.price_nanos = top.bid_price_nanos // CENT * CENT - 20 * CENT

    def on_timer(self, gateway: Any, now_ns: int) -> None:
        """Send one, or wait when it is refused."""
        del now_ns
        if self.instrument_index is None:
            return
        self.count += 1
        qty = 1 + self.count % 25  # the gate knows duplicates: not the same again so soon
        price_nanos = self.price_nanos - self.count // 25 % 20 * CENT
        try:
            gateway.submit(self.instrument_index, BUY, qty, price_nanos, time_in_force=IOC)
            self.left = max(0, self.left - 1)
            gateway.set_timer(self.interval_ns if self.left else QUIET_NS)
        except OrderDenied:
            self.left = STORM
            gateway.set_timer(QUIET_NS)
