"""A recorded session as background: its orders enter the book again, as one participant's.

New orders, cancels and replaces are sent as they were; an execution is a taker from the other side
at the price of the order that was hit, so that whoever stands ahead of it is hit first.
"""

from __future__ import annotations

from collections.abc import Iterator

from appliance.errors import CommandError
from appliance.venue.agents import Trader
from appliance.venue.messages import NANOS_PER_PRICE
from appliance.venue.venues import RECORDING_USER, Venue
from dataplane import itch

NEVER_NS = 1 << 62
QTY_MAX = 999_999


class Recorded:
    """Plays a BinaryFILE into a venue, ``speed`` times as fast as it was."""

    def __init__(self, venue: Venue, path: str, speed: int, start_ns: int) -> None:
        self._trader = Trader(venue, RECORDING_USER)
        self._venue = venue
        self._speed = speed
        self._start_ns = start_ns
        self._messages = read(path)
        self._symbols: dict[int, str] = {}
        # order reference -> number of ours, symbol, side, price, executed, open
        self._orders: dict[int, tuple[int, str, str, int, int, int]] = {}
        self._first_ns: int | None = None
        self._message: itch.Message | None = None
        self.next_ns = start_ns
        self._take()

    def act(self, now_ns: int) -> None:
        """Send what the next message stands for."""
        message = self._message
        if message is not None:
            self._apply(message, now_ns)
        self._take()

    def _take(self) -> None:
        """Look at the next message that concerns an order of a symbol that is traded here."""
        for message in self._messages:
            if message["type"] == ord("R"):
                symbol = (message["stock"] or b"").decode().rstrip()
                if symbol in self._venue.instruments:
                    self._symbols[message["stock_locate"]] = symbol
            elif chr(message["type"]) in "AFECXDU" and message["stock_locate"] in self._symbols:
                self._schedule(message)
                return
        self._message = None
        self.next_ns = NEVER_NS

    def _schedule(self, message: itch.Message) -> None:
        time_ns = message["timestamp_ns"]
        if self._first_ns is None:
            self._first_ns = time_ns
        self._message = message
        self.next_ns = self._start_ns + (time_ns - self._first_ns) // self._speed

    def _apply(self, message: itch.Message, now_ns: int) -> None:
        kind = chr(message["type"])
        if kind in "AF":
            symbol = self._symbols[message["stock_locate"]]
            side = "B" if message["side"] == 1 else "S"
            self._enter(
                message["order_ref"], symbol, side, message["price4"], message["qty"], now_ns
            )
            return
        known = self._orders.get(message["order_ref"])
        if known is None:
            return
        if kind in "EC":
            self._execute(message, now_ns)
        elif kind == "X":
            self._reduce(message["order_ref"], message["qty"], now_ns)
        else:
            number, symbol, side, *_ = self._orders.pop(message["order_ref"])
            self._trader.cancel(number, now_ns)
            if kind == "U":
                self._enter(message["new_order_ref"], symbol, side, message["price4"],
                            message["qty"], now_ns)  # fmt: skip

    def _enter(self, ref: int, symbol: str, side: str, price4: int, qty: int, now_ns: int) -> None:
        qty = min(qty, QTY_MAX)
        number = self._trader.enter(side, qty, symbol, price4 * NANOS_PER_PRICE, now_ns)
        self._orders[ref] = (number, symbol, side, price4, 0, qty)

    def _execute(self, message: itch.Message, now_ns: int) -> None:
        number, symbol, side, price4, executed, left = self._orders[message["order_ref"]]
        qty = min(message["qty"], QTY_MAX)
        taker = "S" if side == "B" else "B"
        self._trader.enter(taker, qty, symbol, price4 * NANOS_PER_PRICE, now_ns, immediate=True)
        self._keep(message["order_ref"], number, symbol, side, price4, executed + qty, left - qty)

    def _reduce(self, ref: int, qty: int, now_ns: int) -> None:
        number, symbol, side, price4, executed, left = self._orders[ref]
        self._trader.cancel(number, now_ns, max(executed + left - qty, 0))
        self._keep(ref, number, symbol, side, price4, executed, left - qty)

    def _keep(self, ref: int, number: int, symbol: str, side: str, price4: int, executed: int,
              left: int) -> None:  # fmt: skip
        if left > 0:
            self._orders[ref] = (number, symbol, side, price4, executed, left)
        else:
            self._orders.pop(ref, None)


def read(path: str) -> Iterator[itch.Message]:
    """Return the messages of a BinaryFILE, or raise CommandError."""
    try:
        file = open(path, "rb")  # noqa: SIM115
    except OSError as error:
        raise CommandError(f"{path}: {error.strerror}; give a BinaryFILE") from None
    with file:
        while len(head := file.read(2)) == 2 and (size := int.from_bytes(head, "big")) > 0:
            message = itch.decode(file.read(size))
            if message is not None:
                yield message
