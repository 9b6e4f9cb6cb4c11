"""A first strategy in Python: buy a little when a seller shows up cheap, sell it a cent higher."""

from contextlib import suppress

from dataplane.strategy import BUY, IOC, SELL, OrderDenied

CENT = 10_000_000  # prices are whole numbers in 1e-9


class First:
    def __init__(self, params):
        params.only("qty")
        self.qty = params.integer("qty", 1, 10_000, 100)
        self.buying = {}  # instrument_index -> user_ref_num of the order on its way

    def on_book(self, gateway, top):
        if top.stale or top.trading_state != "T" or top.session != "Q" or not top.ask_price_nanos:
            return
        index = top.instrument_index
        if index in self.buying or gateway.position(index) or top.ask_qty < 5 * self.qty:
            return
        with suppress(OrderDenied):  # our own gate may say no; it is recorded with the reason
            self.buying[index] = gateway.submit(
                index, BUY, self.qty, top.ask_price_nanos, time_in_force=IOC
            )

    def on_filled(self, gateway, event):
        if event.side == BUY:
            gateway.submit(event.instrument_index, SELL, event.qty, event.price_nanos + CENT)
        if event.side == BUY and event.leaves_qty == 0:
            self.buying.pop(event.instrument_index, None)

    def on_canceled(self, gateway, event):
        if event.side == BUY:
            self.buying.pop(event.instrument_index, None)

    def on_rejected(self, gateway, event):
        self.buying.pop(event.instrument_index, None)
