"""A run checked from outside: the journal's events are added up again, and each fill is looked for
in the recorded market.

Knows the journal only as ``tickplane journal dump --json`` shows it and the market only through the
slow model in tests/model. Every check raises AssertionError with the record that breaks it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter, defaultdict
from dataclasses import dataclass, field
from typing import Any

from itch_model import NANOS_PER_PRICE4, Books, decode, frames

Event = dict[str, Any]
SENT = ("NEW", "DENIED", "REPLACE")
CONTROL = ("KILL_SET", "KILL_CLEARED", "LIMIT_CHANGED")
SIGN = {"BUY": 1, "SELL": -1}
SIDE_LETTER = {"BUY": "B", "SELL": "S"}


@dataclass
class Order:
    """One order as its events tell it."""

    new: Event
    qty: int
    price: int
    cum: int = 0
    canceled: int = 0
    open: bool = True
    pending: tuple[int, int] | None = None  # quantity and price of a replace in flight

    @property
    def leaves(self) -> int:
        return self.qty - self.cum - self.canceled if self.open else 0

    def worst(self) -> tuple[int, int]:
        """Return the open quantity and money that could still execute."""
        if not self.open:
            return 0, 0
        qty, price = self.pending or (0, 0)
        leaves = max(self.leaves, qty - self.cum)
        return leaves, leaves * max(self.price, price)


@dataclass
class Audit:
    """Walks the events of a journal in order; ``config`` has the limits that held."""

    config: Any
    orders: dict[int, Order] = field(default_factory=dict)  # by every number it has had
    live: dict[int, Order] = field(default_factory=dict)  # by its first number
    last_number: int = 0
    position: Counter[str] = field(default_factory=Counter)
    cash: Counter[str] = field(default_factory=Counter)
    executed: dict[int, Counter[str]] = field(default_factory=lambda: defaultdict(Counter))
    denied: set[int] = field(default_factory=set)

    def walk(self, events: list[Event]) -> None:
        """Apply and check all of them."""
        for sequence, event in enumerate(events, 1):
            assert event["seq"] == sequence, event
            self.apply(event)
            if event["event"] not in ("INSTRUMENT", "END", *CONTROL):
                self.check_order(event)
                self.check_limits(event)

    def apply(self, event: Event) -> None:
        kind, number = event["event"], event.get("user_ref_num")
        assert number not in self.denied, event
        if kind in SENT:
            assert number > self.last_number, event
            self.last_number = number
        if kind == "NEW":
            order = Order(event, event["qty"], event["price_nanos"])
            self.orders[number] = self.live[number] = order
        elif kind == "DENIED":
            self.denied.add(number)
        elif kind == "REPLACE":
            self.orders[number] = order = self.orders[event["orig_user_ref_num"]]
            assert order.pending is None, event
            order.pending = (event["qty"], event["price_nanos"])
        elif kind == "REPLACED":
            order = self.orders[number]
            order.qty, order.canceled = order.cum + event["qty"], 0
            order.price, order.pending = event["price_nanos"], None
        elif kind == "REPLACE_REJECTED":
            self.orders[number].pending = None
        elif kind == "FILLED":
            self.fill(event)
        elif kind in ("CANCELED", "EXPIRED", "REJECTED"):
            self.end(event)

    def fill(self, event: Event) -> None:
        order, qty, price = self.orders[event["user_ref_num"]], event["qty"], event["price_nanos"]
        sign = SIGN[event["side"]]
        assert qty > 0 and price * sign <= order.price * sign, event
        order.cum += qty
        self.position[event["symbol"]] += sign * qty
        self.cash[event["symbol"]] -= sign * qty * price
        self.executed[event["strategy_index"]][event["side"]] += qty * price
        self.close_if_done(order)

    def end(self, event: Event) -> None:
        order = self.orders[event["user_ref_num"]]
        gone = event["qty"] if event["event"] == "CANCELED" else order.leaves
        assert 0 < gone <= order.leaves, event
        order.canceled += gone
        self.close_if_done(order)

    def close_if_done(self, order: Order) -> None:
        if order.leaves == 0:
            order.open, order.pending = False, None
            del self.live[order.new["user_ref_num"]]

    def check_order(self, event: Event) -> None:
        """The quantities of the order add up, and are those that the record states."""
        order = self.orders.get(event["user_ref_num"])
        if order is None:
            assert event["event"] == "DENIED", event
            return
        assert order.cum <= order.qty and order.leaves >= 0, event
        assert order.qty == order.cum + order.leaves + order.canceled, event
        assert (order.leaves, order.cum) == (event["leaves_qty"], event["cum_qty"]), event

    def check_limits(self, event: Event) -> None:
        """No limit is exceeded, all open orders counted as filled at their worst."""
        index, symbol = event["strategy_index"], event["symbol"]
        limits = self.config.strategies[index].limits
        money: Counter[str] = Counter(self.executed[index])
        open_qty: Counter[str] = Counter()
        count = 0
        for order in self.live.values():
            qty, worst = order.worst()
            if order.new["strategy_index"] == index:
                count += 1
                money[order.new["side"]] += worst
            if order.new["symbol"] == symbol:
                open_qty[order.new["side"]] += qty
        assert count <= limits.open_order_count_max, event
        assert money["BUY"] + money["SELL"] <= limits.gross_max_nanos, event
        done = self.executed[index]
        assert money["BUY"] - done["SELL"] <= limits.net_max_nanos, event
        assert money["SELL"] - done["BUY"] <= limits.net_max_nanos, event
        self.check_groups(event)
        most = self.config.instrument_limits.position_max
        assert self.position[symbol] + open_qty["BUY"] <= most, event
        assert self.position[symbol] - open_qty["SELL"] >= -most, event

    def check_groups(self, event: Event) -> None:
        """Neither an account nor the firm is beyond its limits, all strategies together."""
        accounts = {index: one.account for index, one in enumerate(self.config.strategies)}
        groups = [(one.name, one.limits) for one in self.config.accounts]
        for name, limits in [(None, self.config.firm), *groups]:
            inside = [index for index in accounts if name in (None, accounts[index])]
            done: Counter[str] = sum((self.executed[index] for index in inside), Counter())
            live = [one for one in self.live.values() if one.new["strategy_index"] in inside]
            open_money: Counter[str] = Counter()
            for order in live:
                open_money[order.new["side"]] += order.worst()[1]
            buy, sell = done["BUY"] + open_money["BUY"], done["SELL"] + open_money["SELL"]
            assert len(live) <= limits.open_order_count_max, event
            assert open_money.total() <= limits.open_max_nanos, event
            assert buy + sell <= limits.gross_max_nanos, event
            assert buy - done["SELL"] <= limits.net_max_nanos, event
            assert sell - done["BUY"] <= limits.net_max_nanos, event


@dataclass
class Market:
    """The recorded session beside our fills: was what we got really there?

    A taker's fills must have been displayed when the order arrived; a maker's need recorded
    quantity of that nanosecond that executed behind or beyond our place, or came through our price.
    """

    events: list[Event]
    midnight_ns: int
    order_latency_ns: int
    books: Books = field(default_factory=Books)
    states: dict[int, str] = field(default_factory=dict)
    ahead: dict[int, set[int]] = field(default_factory=dict)  # number -> references before ours
    price: dict[int, int] = field(default_factory=dict)
    makers: dict[tuple[int, int], list[Event]] = field(default_factory=lambda: defaultdict(list))
    allowed: Counter[int] = field(default_factory=Counter)  # by seq of the fill
    budget: Counter[tuple[int, int, str]] = field(default_factory=Counter)
    taker_count: int = 0

    def walk(self, session: bytes) -> None:
        """Go through arrivals and messages in the order of their times, then judge the makers."""
        arrivals = [event for event in self.events if event["event"] in ("NEW", "REPLACE")]
        times = [event["time_ns"] + self.order_latency_ns for event in arrivals]
        takers: dict[tuple[int, int], list[Event]] = defaultdict(list)
        for event in self.events:
            if event["event"] == "FILLED":
                time_ns = event["time_ns"]
                if event["liquidity"] == "R":
                    takers[event["user_ref_num"], time_ns].append(event)
                else:
                    self.makers[time_ns, event["instrument_index"]].append(event)
        done, now_ns = 0, 0
        for raw in frames(session):
            message = decode(raw)
            now_ns = max(now_ns, self.midnight_ns + message["timestamp"])
            until = bisect_left(times, now_ns + 1, done)  # arrivals of this nanosecond come first
            for event in arrivals[done:until]:
                time_ns = event["time_ns"] + self.order_latency_ns
                self.arrive(event, takers.pop((event["user_ref_num"], time_ns), []))
            done = until
            self.message(message, now_ns)
        assert not takers, takers
        self.judge()

    def arrive(self, event: Event, fills: list[Event]) -> None:
        """Check what an order took on arrival, and remember its place in the queue."""
        locate, side = event["instrument_index"], SIDE_LETTER[event["side"]]
        if locate not in self.books.books:
            assert not fills, event
            return
        taken: Counter[int] = Counter()
        for fill in fills:
            taken[fill["price_nanos"]] += fill["qty"]
            self.taker_count += 1
        shown = {level[0]: level[1] for level in self.books.levels(locate, "SB"[side == "S"])}
        for price, qty in taken.items():
            assert qty <= shown.get(price, 0), (event, fills)
        assert not taken or self.states.get(locate) == "T", (event, fills)
        prices = [fill["price_nanos"] * SIGN[event["side"]] for fill in fills]
        assert prices == sorted(prices), (event, fills)
        price4 = event["price_nanos"] // NANOS_PER_PRICE4
        number = event["user_ref_num"]
        self.ahead[number] = set(self.books.books[locate].sides[side].get(price4, []))
        self.price[number] = price4

    def message(self, message: dict[str, Any], now_ns: int) -> None:
        """Note what a message grants to our resting orders, then apply it."""
        if message["type"] == "H":
            self.states[message["stock_locate"]] = message["trading_state"]
        for fill in self.makers.get((now_ns, message["stock_locate"]), ()):
            self.grant(message, fill, now_ns)
        self.books.apply(message)

    def grant(self, message: dict[str, Any], fill: Event, now_ns: int) -> None:
        number, side = fill["user_ref_num"], SIDE_LETTER[fill["side"]]
        sign, ours = SIGN[fill["side"]], self.price[number]
        qty = 0
        if message["type"] in "EC":
            reference = message["order_reference_number"]
            order = self.books.orders[reference]
            met = order.side == side and order.price * sign <= ours * sign
            if met and not (order.price == ours and reference in self.ahead[number]):
                qty = message["executed_shares"]
        elif message["type"] in "AFU":
            known = message["type"] in "AF"
            reference = message["order_reference_number" if known else
                                "original_order_reference_number"]  # fmt: skip
            other = message["side"] if known else self.books.orders[reference].side
            if other != side and message["price"] * sign <= ours * sign:
                qty = message["shares"]
        if qty and self.states.get(message["stock_locate"]) == "T":
            self.allowed[fill["seq"]] += qty
            key = (now_ns, message["stock_locate"], side)
            self.budget[key] = max(self.budget[key], self.allowed[fill["seq"]])

    def judge(self) -> None:
        """No maker fill without recorded flow, and all of one moment together not more than it."""
        used: Counter[tuple[int, int, str]] = Counter()
        for (time_ns, locate), fills in self.makers.items():
            for fill in fills:
                assert fill["qty"] <= self.allowed[fill["seq"]], fill
                assert fill["price_nanos"] == self.price[fill["user_ref_num"]] * NANOS_PER_PRICE4
                used[time_ns, locate, SIDE_LETTER[fill["side"]]] += fill["qty"]
        for key, qty in used.items():
            assert qty <= self.budget[key], key
