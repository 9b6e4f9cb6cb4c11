"""The model as a venue: the calls of ``dataplane.match.Matcher``."""

from __future__ import annotations

from match_model import (
    ACCEPTED,
    AT_CLOSE,
    AT_OPEN,
    CHILD,
    CLOSED,
    CONTINUOUS,
    GTC,
    GTD,
    HALTED,
    MARKET,
    MARKET_IF_TOUCHED,
    NONE,
    PAUSED,
    PEG,
    POST_ONLY,
    PRE_CLOSE,
    PRE_OPEN,
    PRIORITY_KEPT,
    REJECTED,
    REPLACED,
    SESSION,
    STOP,
    Order,
    report,
)
from match_model_auction import auction, indication
from match_model_check import QTY_MAX, check, price_reason
from match_model_engine import Model
from match_model_follow import activate, look, settle

FROM = {
    CLOSED: {PRE_OPEN, CONTINUOUS, PRE_CLOSE, HALTED, PAUSED},
    PRE_OPEN: {CLOSED},
    CONTINUOUS: {CLOSED, PRE_OPEN, PRE_CLOSE, HALTED, PAUSED},
    PRE_CLOSE: {CONTINUOUS, HALTED, PAUSED},
    HALTED: {PRE_OPEN, CONTINUOUS, PRE_CLOSE, PAUSED},
    PAUSED: set(),
}


class MatchModel(Model):
    """What Matcher does, done slowly."""

    def reject(self, reason, **fields):
        self.say(report(REJECTED, reason, **fields))
        return self.answer()

    def new(
        self, order_id, side, qty, price=None, *, instrument=0, participant=0, tag=0, type=2,
        time_in_force=0, flags=0, stp_group=0, stp_mode=0, group=0, now_ns=0, **terms,
    ):  # fmt: skip
        self.pass_time(now_ns)
        request = {
            "instrument": instrument, "order_id": order_id, "tag": tag, "qty": qty, "side": side,
        }  # fmt: skip
        if instrument >= len(self.books):
            return self.reject("INSTRUMENT_UNKNOWN", **request)
        book = self.books[instrument]
        order = Order(
            order_id, tag, side, qty, price, type, participant, time_in_force, flags, stp_group,
            stp_mode, self.arrivals, group=group, **terms,
        )  # fmt: skip
        reason = check(self, book, order)
        if reason:
            return self.reject(reason, **request)
        self.arrivals += 1
        self.accept(book, order)
        settle(self, book)
        return self.answer()

    def accept(self, book, order):
        self.next_priority(order)
        order.shown = order.display_qty
        order.ring = [order]
        if order.group_order_id:
            member = self.find(order.group_order_id)
            order.ring = member.ring
            order.ring.insert(order.ring.index(member) + 1, order)
        if order.type == PEG:
            look(book)
        if order.group == CHILD:
            self.rest(book, order, "held", None, (ACCEPTED, 0))
        else:
            self.route(book, order, (ACCEPTED, 0))

    def cancel(self, order_id, leaves_qty_max=0, *, now_ns=0):
        self.pass_time(now_ns)
        order = self.find(order_id)
        if not order:
            return self.reject("ORDER_UNKNOWN", order_id=order_id, instrument=NONE)
        book = next(book for book in self.books if order in book.orders)
        if leaves_qty_max == 0:
            self.cancel_order(book, order, "REQUEST")
        elif leaves_qty_max % book.terms["lot"]:
            return self.reject("QTY", order_id=order_id, tag=order.tag, instrument=book.index,
                               qty=leaves_qty_max)  # fmt: skip
        else:
            qty = max(order.leaves - leaves_qty_max, 0)
            self.reduce(order, qty)
            self.say_cancelled(book, order, qty, "REQUEST")
        settle(self, book)
        return self.answer()

    def replace(
        self, order_id, qty, price=None, *, new_order_id=0, tag=0, stop_price=0, now_ns=0,
    ):  # fmt: skip
        self.pass_time(now_ns)
        order = self.find(order_id)
        if not order:
            return self.reject("ORDER_UNKNOWN", order_id=order_id, tag=tag, instrument=NONE)
        book = next(book for book in self.books if order in book.orders)
        new_price = order.price if price is None else price
        stays = (
            new_price == order.price and qty <= order.leaves and stop_price in (0, order.stop_price)
        )
        reason = self.replace_reason(book, order, qty, price, new_order_id, stop_price, stays)
        if reason:
            return self.reject(reason, order_id=order_id, tag=tag, instrument=book.index, qty=qty)
        order.order_id, order.tag = new_order_id or order_id, tag
        if stays:
            self.reduce(order, order.leaves - qty)
            more = self.on_book(order) if order.place == "book" else {"flags": 0}
            more["flags"] |= PRIORITY_KEPT
            self.say(self.about(REPLACED, book, order, qty, contra_order_id=order_id, **more))
        else:
            book.orders.remove(order)
            order.place = ""
            self.next_priority(order)
            order.leaves, order.price = qty, new_price
            order.stop_price = stop_price or order.stop_price
            if order.display_qty:
                order.shown = min(order.display_qty, qty)
            self.route(book, order, (REPLACED, order_id))
        settle(self, book)
        return self.answer()

    def replace_reason(self, book, order, qty, price, new_id, stop_price, stays):
        if new_id and new_id != order.order_id and self.find(new_id):
            return "ORDER_DUPLICATE"
        if book.session == CLOSED:
            return "SESSION"
        if not 0 < qty <= QTY_MAX or qty % book.terms["lot"]:
            return "QTY"
        if order.group == CHILD:
            return "GROUP"
        return self.prices_reason(book, order, price, stop_price) or (
            "POST_ONLY" if not stays and self.is_post_only_to(book, order, price) else None
        )

    def prices_reason(self, book, order, price, stop_price):
        if price is not None and order.type in (MARKET, STOP, MARKET_IF_TOUCHED):
            return "PRICE"
        reason = price_reason(book, price) if price is not None else None
        if reason or not stop_price:
            return reason
        if order.place != "trigger" or order.trail:
            return "TERMS"
        return price_reason(book, stop_price)

    def is_post_only_to(self, book, order, price):
        price = order.price if price is None else price
        return order.flags & POST_ONLY and self.would_trade(book, order.side, price)

    def sweep(self, book, reason_for):
        for order in book.everything():
            reason = order in book.orders and reason_for(order)
            if reason:
                self.cancel_order(book, order, reason)

    def mass_cancel(self, *, participant=NONE, instrument=NONE, side=0, now_ns=0):
        self.pass_time(now_ns)
        for book in self.books:
            if instrument in (NONE, book.index):
                self.sweep(book, lambda order: "MASS_CANCEL"
                           if participant in (NONE, order.participant)
                           and side in (0, order.side) else None)  # fmt: skip
                settle(self, book)
        return self.answer()

    def set_session(self, session, *, instrument=0, now_ns=0):
        self.pass_time(now_ns)
        if instrument >= len(self.books):
            return self.reject("INSTRUMENT_UNKNOWN", instrument=instrument)
        book = self.books[instrument]
        if book.session not in FROM.get(session, ()):
            return self.reject("SESSION", instrument=instrument)
        self.change_session(book, session)
        return self.answer()

    def change_session(self, book, session):
        before, book.session, book.pause_end = book.session, session, None
        self.say(report(SESSION, instrument=book.index, qty=session))
        if session == PRE_CLOSE:
            for order in book.held():
                if order.time_in_force == AT_CLOSE:
                    activate(self, book, order)
        if session == CONTINUOUS or (session == CLOSED and before == PRE_CLOSE):
            auction(self, book)
        if session == CONTINUOUS:
            self.sweep(book, lambda order: "EXPIRED" if order.time_in_force == AT_OPEN
                       else "NO_LIQUIDITY" if order.is_market else None)  # fmt: skip
        if session == CLOSED:
            self.sweep(book, lambda order: None if order.time_in_force in (GTC, GTD) else "EXPIRED")
        settle(self, book)

    def quote(self, bid, ask, *, instrument=0, now_ns=0):
        self.pass_time(now_ns)
        if instrument >= len(self.books):
            return self.reject("INSTRUMENT_UNKNOWN", instrument=instrument)
        book = self.books[instrument]
        if any(price is not None and not book.is_price(price) for price in (bid, ask)):
            return self.reject("PRICE", instrument=instrument)
        book.away = bid, ask
        settle(self, book)
        return self.answer()

    def advance(self, *, now_ns):
        self.pass_time(now_ns)
        return self.answer()

    def pass_time(self, now_ns):
        self.now = now_ns
        for book in self.books:
            if not book.is_due(now_ns):
                continue  # nothing changes, so nothing follows
            for order in book.as_they_came():
                if order in book.orders and order.expire_ns and order.expire_ns <= now_ns:
                    self.cancel_order(book, order, "EXPIRED")
            if book.pause_end is not None and book.pause_end <= now_ns:
                self.change_session(book, CONTINUOUS)
            settle(self, book)

    # ---- what is there ----

    @property
    def is_balanced(self):
        accounts = self.ledger.accounts
        fees = sum(account["fees"] for account in accounts)
        return (
            sum(account["cash"] for account in accounts) == 0
            and fees == self.ledger.venue
            and sum(self.ledger.positions.values()) == 0
        )

    def indication(self, instrument=0):
        return indication(self.books[instrument])

    def is_collecting(self, instrument=0):
        return self.books[instrument].is_collecting

    def orders(self, instrument=0):
        places = {"book": 0, "trigger": 1, "held": 2}
        return [
            (order.order_id, order.at, order.leaves, order.shows, order.participant, order.side,
             places[order.place])
            for order in self.books[instrument].everything()
        ]  # fmt: skip
