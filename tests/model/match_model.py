"""A second matching engine, slow and plain, written from docs/matching.md; shares no code.

One list of live orders an instrument; whatever is asked is answered by sorting it. The calls are in
``match_model_engine``; these are the things they work with.
"""

from __future__ import annotations

from collections import namedtuple
from dataclasses import dataclass, field
from operator import attrgetter

BUY, SELL = 1, 2
(MARKET, LIMIT, STOP, STOP_LIMIT, MARKET_TO_LIMIT, MARKET_IF_TOUCHED, LIMIT_IF_TOUCHED,
 PEG) = range(1, 9)  # fmt: skip
DAY, GTC, AT_OPEN, IOC, FOK, GTD, AT_CLOSE = 0, 1, 2, 3, 4, 6, 7
HIDDEN, POST_ONLY, ALL_OR_NONE = 1, 2, 4
CANCEL_NEWEST, CANCEL_OLDEST, CANCEL_BOTH, DECREMENT = range(4)
PRIMARY, MARKET_PEG, MIDPOINT = 1, 2, 3
OCO, PARENT, CHILD = 1, 2, 3
FIFO, PRO_RATA, THRESHOLD_PRO_RATA, FIFO_LMM, FIFO_TOP_LMM, TIME_PRO_RATA = range(6)
CLOSED, PRE_OPEN, CONTINUOUS, PRE_CLOSE, HALTED, PAUSED = range(6)
(ACCEPTED, REJECTED, TRADED, RESTED, CANCELLED, REPLACED, RESTATED, TRIGGERED, SESSION,
 AUCTION) = range(1, 11)  # fmt: skip
ON_BOOK, NON_DISPLAYED, CROSS, PRIORITY_KEPT = 1, 2, 4, 8
NONE = 2**32 - 1
TRIGGERS = (STOP, STOP_LIMIT, MARKET_IF_TOUCHED, LIMIT_IF_TOUCHED)
REASONS = [
    "NONE",
    "ORDER_UNKNOWN",
    "ORDER_DUPLICATE",
    "INSTRUMENT_UNKNOWN",
    "PARTICIPANT_UNKNOWN",
    "SIDE",
    "TYPE",
    "TIME_IN_FORCE",
    "QTY",
    "PRICE",
    "TICK",
    "TERMS",
    "STP_MODE",
    "SESSION",
    "CAPACITY",
    "POST_ONLY",
    "GROUP",
    "DISPLAY",
    "REQUEST",
    "IMMEDIATE",
    "FILL_OR_KILL",
    "NO_LIQUIDITY",
    "SELF_TRADE",
    "EXPIRED",
    "MASS_CANCEL",
    "GROUP_ENDED",
    "BANDS",
]

Report = namedtuple("Report", (
    "type reason side flags instrument order_id tag price qty leaves_qty display_qty fee "
    "match_number contra_order_id contra_tag contra_leaves_qty contra_fee"))  # fmt: skip
SILENT = Report(**dict.fromkeys(Report._fields, 0) | {"price": None})


def report(type: int, reason: str = "NONE", **fields) -> Report:
    return SILENT._replace(type=type, reason=REASONS.index(reason), **fields)


@dataclass(eq=False)
class Order:
    order_id: int
    tag: int
    side: int
    leaves: int
    price: int | None
    type: int
    participant: int
    time_in_force: int
    flags: int
    stp_group: int
    stp_mode: int
    came: int  # order of arrival; never changes
    stop_price: int = 0
    trail: int = 0
    display_qty: int = 0
    refresh_range_qty: int = 0
    min_qty: int = 0
    peg: int = 0
    peg_offset: int = 0
    discretion: int = 0
    expire_ns: int = 0
    group_order_id: int = 0
    priority: int = 0
    place: str = ""  # "book", "trigger", "held"; "" while it is on its way
    at: int | None = None  # price in its place; None on the book: at any price
    shown: int = 0
    top: bool = False
    traded: int = 0
    group: int = 0
    ring: list = field(default_factory=list)
    is_market: bool = False
    is_hidden: bool = False

    def __post_init__(self):
        self.is_hidden = bool(self.flags & (HIDDEN | ALL_OR_NONE) or self.min_qty or self.peg)

    @property
    def shows(self):
        if self.place != "book" or self.is_hidden:
            return 0
        return self.shown if self.display_qty else self.leaves

    @property
    def is_conditional(self):
        return bool(self.flags & ALL_OR_NONE or self.min_qty)

    @property
    def least(self):
        """What must trade at once; 0: any quantity."""
        return self.leaves if self.flags & ALL_OR_NONE else min(self.min_qty, self.leaves)

    @property
    def goes(self):
        """Why its rest may not stay."""
        if self.time_in_force == FOK:
            return "FILL_OR_KILL"
        if self.is_market:
            return "NO_LIQUIDITY"
        return "IMMEDIATE" if self.time_in_force == IOC else None

    def is_own(self, other):
        return self.stp_group != 0 and self.stp_group == other.stp_group


class Book:
    """One instrument."""

    def __init__(self, index, terms):
        self.index = index
        self.terms = terms
        self.session = terms["session"]
        self.last = None
        self.reference = terms["reference_price"]
        self.seen = (None, None)
        self.away = (None, None)
        self.pause_end = None
        self.orders = []
        self.tick = terms["tick"]
        self.highest = terms["price_max"] // self.tick * self.tick

    @property
    def is_collecting(self):
        return self.session != CONTINUOUS

    def is_price(self, price):
        return price is not None and 0 < price <= self.terms["price_max"] and not price % self.tick

    def clip(self, price):
        return min(max(price, self.tick), self.highest)

    def side(self, side):
        """The side's orders as they would trade."""

        def rank(order):
            price = -1 if order.at is None else order.at if side == SELL else 2**63 - order.at
            return price, order.is_hidden, order.priority

        return sorted(
            (order for order in self.orders if order.place == "book" and order.side == side),
            key=rank,
        )

    def level(self, side, price):
        """Displayed and hidden orders at a price."""
        orders = [order for order in self.side(side) if order.at == price]
        return ([order for order in orders if not order.is_hidden],
                [order for order in orders if order.is_hidden])  # fmt: skip

    def goes_up(self, order):
        return (order.type in (STOP, STOP_LIMIT)) == (order.side == BUY)

    def triggers(self, upwards):
        waiting = [
            order
            for order in self.orders
            if order.place == "trigger" and self.goes_up(order) == upwards
        ]
        sign = 1 if upwards else -1
        return sorted(waiting, key=lambda order: (sign * order.at, order.is_hidden, order.priority))

    def held(self):
        waiting = [order for order in self.orders if order.place == "held"]
        return sorted(waiting, key=lambda order: (order.is_hidden, order.priority))

    def everything(self):
        """In the order of a mass cancel."""
        return (self.side(BUY) + self.side(SELL) + self.triggers(True) + self.triggers(False)
                + self.held())  # fmt: skip

    def as_they_came(self):
        return sorted(self.orders, key=attrgetter("came"))

    def is_due(self, now_ns):
        """Whether an order expires or the pause ends."""
        return (self.pause_end is not None and self.pause_end <= now_ns) or any(
            order.expire_ns and order.expire_ns <= now_ns for order in self.orders
        )

    def best_displayed(self, side):
        return next(
            (order.at for order in self.side(side) if order.at is not None and not order.is_hidden),
            None,
        )

    def bands(self):
        """The lowest and the highest price that may be traded at; None: any."""
        if not self.terms["band_ppm"] or self.reference is None:
            return None, None
        half = self.tick // 2
        width = self.reference * self.terms["band_ppm"] // 1_000_000
        low = -(-(self.reference - width) // half) * half
        return low, min(self.reference + width, self.highest) // half * half

    def banded(self, side, limit):
        low, high = self.bands()
        if low is None:
            return limit
        if side == BUY:
            return high if limit is None else min(limit, high)
        return low if limit is None else max(limit, low)


def within(side, price, limit):
    """Whether an order of that side, which may go to limit, would trade at the price."""
    if limit is None or price is None:
        return True
    return price <= limit if side == BUY else price >= limit


def other(side):
    return SELL if side == BUY else BUY


class Ledger:
    """Accounts and fees."""

    def __init__(self):
        self.tiers = {}
        self.accounts = []
        self.positions = {}
        self.venue = 0

    def add(self, fee_class):
        self.accounts.append({"class": fee_class, "cash": 0, "fees": 0, "traded": 0})
        return len(self.accounts) - 1

    def fee(self, participant, is_taker, qty, money):
        account = self.accounts[participant]
        rate = (0, 0)
        for start, maker, taker, maker_ppm, taker_ppm in self.tiers.get(account["class"], ()):
            if account["traded"] >= start:
                rate = (taker, taker_ppm) if is_taker else (maker, maker_ppm)
        return rate[0] * qty - (-money * rate[1] // 1_000_000)  # the latter rounded up

    def post(self, instrument, maker, taker, taker_side, qty, price, is_cross):
        money = qty * price
        fees = self.fee(maker, is_cross, qty, money), self.fee(taker, True, qty, money)
        sign = 1 if taker_side == BUY else -1
        for who, way, fee in ((maker, -sign, fees[0]), (taker, sign, fees[1])):
            self.accounts[who]["cash"] -= way * money
            self.accounts[who]["fees"] += fee
            key = (who, instrument)
            self.positions[key] = self.positions.get(key, 0) + way * qty
            self.venue += fee
        self.accounts[maker]["traded"] += qty
        self.accounts[taker]["traded"] += qty
        return fees
