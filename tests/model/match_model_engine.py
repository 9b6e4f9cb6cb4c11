"""The model's calls, and an order's way through the book."""

from __future__ import annotations

from match_model import (
    AT_CLOSE,
    BUY,
    CANCEL_BOTH,
    CANCEL_NEWEST,
    CANCEL_OLDEST,
    CANCELLED,
    CROSS,
    DECREMENT,
    FOK,
    IOC,
    LIMIT,
    MARKET,
    MARKET_TO_LIMIT,
    NON_DISPLAYED,
    OCO,
    ON_BOOK,
    PARENT,
    PAUSED,
    PEG,
    PRE_CLOSE,
    RESTATED,
    RESTED,
    SELL,
    SESSION,
    TRADED,
    TRIGGERS,
    Book,
    Ledger,
    other,
    report,
    within,
)
from match_model_follow import peg_price, trigger_price
from match_model_share import prevent_all, share

WORD = 2**64 - 1


class Model:
    """One venue."""

    def __init__(self, *, seed=0, **_):
        self.books = []
        self.ledger = Ledger()
        self.reports = []
        self.random = seed
        self.counter = 0
        self.arrivals = 0
        self.match_number = 0
        self.pending = []  # (order, "cancel" or "activate")
        self.now = 0

    # ---- set-up ----

    def add_instrument(self, *, tick, price_max, **terms):
        defaults = {
            "reference_price": None, "lot": 1, "policy": 0, "session": 2, "allocation_min": 0,
            "top_max": 0, "band_ppm": 0, "pause_ns": 0, "dark": False, "quoted": False, "lmms": (),
        }  # fmt: skip
        terms = defaults | terms | {"tick": tick, "price_max": price_max}
        self.books.append(Book(len(self.books), terms))
        return len(self.books) - 1

    def add_participant(self, fee_class=0):
        return self.ledger.add(fee_class)

    def set_fees(self, fee_class, tiers):
        self.ledger.tiers[fee_class] = tiers

    # ---- reports ----

    def say(self, what):
        self.reports.append(what)

    def answer(self):
        reports, self.reports = self.reports, []
        return reports

    def about(self, type, book, order, qty, reason="NONE", **more):
        return report(type, reason, instrument=book.index, side=order.side, qty=qty,
                      order_id=order.order_id, tag=order.tag, leaves_qty=order.leaves,
                      **more)  # fmt: skip

    def on_book(self, order):
        """What a report says of an order that stands on the book."""
        return {"price": order.at, "display_qty": order.shows, "flags": ON_BOOK}

    def restate(self, book, order):
        self.say(self.about(RESTATED, book, order, order.leaves, **self.on_book(order)))

    def say_cancelled(self, book, order, qty, reason):
        stands = order.place == "book" and order.leaves > 0
        more = {"display_qty": order.shows, "flags": ON_BOOK} if stands else {}
        self.say(self.about(CANCELLED, book, order, qty, reason, **more))

    def announce(self, book, order, why):
        type, old = why
        self.say(self.about(type, book, order, order.leaves, contra_order_id=old))

    # ---- orders and groups ----

    def find(self, order_id):
        return next(
            (order for book in self.books for order in book.orders if order.order_id == order_id),
            None,
        )

    def next_priority(self, order):
        self.counter += 1
        order.priority = self.counter

    def end(self, book, order):
        """The order is gone, stored or on its way."""
        if order in book.orders:
            book.orders.remove(order)
        order.place = ""
        self.pending = [entry for entry in self.pending if entry[0] is not order]
        if order.group == PARENT:
            self.pend_others(order, "activate" if order.traded else "cancel")
        self.leave(order)

    def leave(self, order):
        order.ring.remove(order)
        order.ring = [order]

    def pend_others(self, order, kind):
        at = order.ring.index(order)
        for each in order.ring[at + 1 :] + order.ring[:at]:
            each.traded = order.traded
            entry = next((entry for entry in self.pending if entry[0] is each), None)
            if entry:
                entry[1] = kind
            else:
                self.pending.append([each, kind])

    def cancel_groups(self, book, taker):
        while entry := next((entry for entry in self.pending if entry[1] == "cancel"), None):
            self.pending.remove(entry)
            if entry[0].place:
                self.cancel_order(book, entry[0], "GROUP_ENDED")
            elif taker.leaves:
                qty, taker.leaves = taker.leaves, 0
                self.say_cancelled(book, taker, qty, "GROUP_ENDED")

    def cancel_order(self, book, order, reason):
        qty, order.leaves = order.leaves, 0
        self.say_cancelled(book, order, qty, reason)
        self.end(book, order)

    def give_up(self, book, order, reason):
        if order.leaves:
            qty, order.leaves = order.leaves, 0
            self.say_cancelled(book, order, qty, reason)
        self.end(book, order)

    def note_trade(self, order, qty):
        order.traded += qty
        if order.group == OCO:
            self.pend_others(order, "cancel")
            self.leave(order)

    def draw(self, count):
        self.random = (self.random + 0x9E3779B97F4A7C15) & WORD
        word = self.random
        word = (word ^ word >> 30) * 0xBF58476D1CE4E5B9 & WORD
        word = (word ^ word >> 27) * 0x94D049BB133111EB & WORD
        return (word ^ word >> 31) * count >> 64

    def refresh(self, book, order):
        if not order.display_qty or order.shown:
            return
        size = order.display_qty
        if order.refresh_range_qty:
            lot = book.terms["lot"]
            steps = 2 * (order.refresh_range_qty // lot) + 1
            size += self.draw(steps) * lot - order.refresh_range_qty
        order.shown = min(size, order.leaves)
        order.top = False
        self.next_priority(order)
        self.restate(book, order)

    def reduce(self, order, qty):
        order.leaves -= qty
        order.shown = min(order.shown, order.leaves)

    # ---- trades ----

    def trade(self, book, maker, taker, qty, price, is_cross=False):
        fees = self.ledger.post(
            book.index, maker.participant, taker.participant, taker.side, qty, price, is_cross
        )
        for order in (maker, taker) if is_cross else (maker,):
            order.leaves -= qty
            if order.display_qty and not order.is_hidden:
                order.shown -= qty
        if not is_cross:
            taker.leaves -= qty
        self.match_number += 1
        book.last = price
        flags = (CROSS if is_cross else 0) | (NON_DISPLAYED if maker.is_hidden else 0)
        self.say(report(
            TRADED, instrument=book.index, side=maker.side, order_id=maker.order_id,
            tag=maker.tag, price=price, qty=qty, leaves_qty=maker.leaves,
            display_qty=maker.shows, fee=fees[0], match_number=self.match_number,
            contra_order_id=taker.order_id, contra_tag=taker.tag,
            contra_leaves_qty=taker.leaves, contra_fee=fees[1],
            flags=flags | (ON_BOOK if maker.leaves else 0)))  # fmt: skip
        if is_cross:
            return
        self.note_trade(maker, qty)
        self.note_trade(taker, qty)
        self.after(book, maker)

    def after(self, book, order):
        if order.leaves == 0:
            self.end(book, order)
        else:
            self.refresh(book, order)

    def cross(self, book, buyer, seller, qty, price):
        self.trade(book, buyer, seller, qty, price, is_cross=True)
        for order in (buyer, seller):
            self.note_trade(order, qty)
            self.after(book, order)

    def prevent(self, book, maker, taker):
        mode = taker.stp_mode
        if mode == DECREMENT:
            qty = min(maker.leaves, taker.leaves)
            self.reduce(maker, qty)
            self.say_cancelled(book, maker, qty, "SELF_TRADE")
            if maker.leaves == 0:
                self.end(book, maker)
            self.reduce(taker, qty)
            self.say_cancelled(book, taker, qty, "SELF_TRADE")
            return
        if mode in (CANCEL_OLDEST, CANCEL_BOTH):
            self.cancel_order(book, maker, "SELF_TRADE")
        if mode in (CANCEL_NEWEST, CANCEL_BOTH):
            qty, taker.leaves = taker.leaves, 0
            self.say_cancelled(book, taker, qty, "SELF_TRADE")

    def meet(self, book, maker, taker, qty):
        if maker.is_own(taker):
            self.prevent(book, maker, taker)
        else:
            self.trade(book, maker, taker, min(qty, taker.leaves), maker.at)

    @staticmethod
    def lets(maker, taker_leaves):
        return taker_leaves >= maker.least

    def take(self, book, taker, limit):
        side = other(taker.side)
        prices = list(dict.fromkeys(order.at for order in book.side(side)))
        for price in prices:
            if taker.leaves == 0 or not within(taker.side, price, limit):
                return
            self.take_level(book, side, price, taker)
            self.cancel_groups(book, taker)

    def take_level(self, book, side, price, taker):
        if book.terms["policy"]:
            prevent_all(self, book, book.level(side, price)[0], taker)
            displayed = book.level(side, price)[0]
            if 0 < taker.leaves < sum(order.shows for order in displayed):
                share(self, book, displayed, taker)
        while taker.leaves and (displayed := book.level(side, price)[0]):
            self.meet(book, displayed[0], taker, displayed[0].shows)
        for maker in book.level(side, price)[1]:
            if taker.leaves and self.lets(maker, taker.leaves):
                self.meet(book, maker, taker, maker.leaves)

    def could_take(self, book, taker, limit, need):
        """Whether that much would be there; see Self-trade prevention."""

        def stops(maker):
            return maker.is_own(taker) and taker.stp_mode != CANCEL_OLDEST

        found, side = 0, other(taker.side)
        for price in dict.fromkeys(order.at for order in book.side(side)):
            if found >= need or not within(taker.side, price, limit):
                break
            displayed, hidden = book.level(side, price)
            own = next((at for at, maker in enumerate(displayed) if stops(maker)), None)
            if own is not None:
                ahead = displayed[:own] if book.terms["policy"] == 0 else []
                return found + sum(m.shows for m in ahead if not m.is_own(taker)) >= need
            found += sum(maker.leaves for maker in displayed if not maker.is_own(taker))
            for maker in hidden:
                if found >= need or not self.lets(maker, max(taker.leaves - found, 0)):
                    continue
                if stops(maker):
                    return False
                found += 0 if maker.is_own(taker) else maker.leaves
        return found >= need

    # ---- an order's way ----

    def crosses(self, book, side, limit):
        return any(within(side, order.at, limit) for order in book.side(other(side)))

    def would_trade(self, book, side, price):
        return not book.is_collecting and self.crosses(book, side, price)

    def rest(self, book, order, place, at, why):
        order.place, order.at = place, at
        order.shown = min(order.shown, order.leaves)
        if place == "book":
            mine = [each.at for each in book.side(order.side)]
            order.top = (
                all(
                    each is not None and each != at and within(order.side, each, at)
                    for each in mine
                )
                if at is not None
                else all(each is not None for each in mine)
            )
        book.orders.append(order)
        more = self.on_book(order) if place == "book" else {}
        self.say(self.about(
            why[0], book, order, order.leaves, contra_order_id=why[1], **more))  # fmt: skip

    def enter(self, book, order, limit, why):
        if book.is_collecting or (not order.goes and not self.crosses(book, order.side, limit)):
            self.rest(book, order, "book", limit, why)
            return
        self.announce(book, order, why)
        banded = book.banded(order.side, limit)
        least = order.leaves if order.time_in_force == FOK else order.least
        if self.could_take(book, order, banded, least):
            self.take(book, order, banded)
        reason = order.goes
        if order.leaves and banded != limit and self.pause(book, order, limit) and reason:
            reason = "BANDS"
        if order.leaves == 0 or reason:
            self.give_up(book, order, reason)
        else:
            self.rest(book, order, "book", limit, (RESTED, 0))

    def pause(self, book, order, limit):
        low, high = book.bands()
        beyond = [
            each.at for each in book.side(other(order.side))
            if each.at is not None and within(order.side, each.at, limit)
            and (each.at > high if order.side == BUY else each.at < low)
        ]  # fmt: skip
        if beyond:
            book.session = PAUSED
            book.pause_end = self.now + book.terms["pause_ns"]
            self.say(report(SESSION, instrument=book.index, qty=PAUSED))
        return bool(beyond)

    def route(self, book, order, why):
        if order.time_in_force == AT_CLOSE and book.session != PRE_CLOSE:
            self.rest(book, order, "held", None, why)
        elif order.type == MARKET:
            order.is_market = order.is_hidden = True
            self.enter(book, order, None, why)
        elif order.type == MARKET_TO_LIMIT:
            best = book.side(other(order.side))
            if best:
                towards = 1 if order.side == SELL else -1  # a midpoint: the tick that trades
                order.type = LIMIT
                order.price = towards * (towards * best[0].at // book.tick) * book.tick
                self.enter(book, order, order.price, why)
            else:
                self.announce(book, order, why)
                self.give_up(book, order, "NO_LIQUIDITY")
        elif order.type == PEG:
            price = peg_price(book, order)
            if price is None and order.time_in_force == IOC:
                self.announce(book, order, why)
                self.give_up(book, order, "IMMEDIATE")
            elif price is None:
                self.rest(book, order, "held", None, why)
            else:
                self.enter(book, order, price, why)
        elif order.type in TRIGGERS:
            self.rest(book, order, "trigger", trigger_price(book, order), why)
        else:
            self.enter(book, order, order.price, why)
