"""What follows an event in the model: groups, trailing stops, triggers, pegs, discretion."""

from __future__ import annotations

from match_model import (
    BUY,
    CHILD,
    LIMIT,
    LIMIT_IF_TOUCHED,
    MARKET,
    MARKET_IF_TOUCHED,
    MIDPOINT,
    OCO,
    PEG,
    PRIMARY,
    RESTATED,
    SELL,
    STOP,
    STOP_LIMIT,
    TRIGGERED,
)

ACTIVE = {STOP: MARKET, MARKET_IF_TOUCHED: MARKET, STOP_LIMIT: LIMIT, LIMIT_IF_TOUCHED: LIMIT}


def settle(model, book):
    while once(model, book):
        pass


def once(model, book):
    model.cancel_groups(book, None)
    child = next((entry for entry in model.pending if entry[1] == "activate"), None)
    if child:
        model.pending.remove(child)
        activate_child(model, book, child[0])
        return True
    if book.is_collecting:
        return repeg(model, book)
    trail(model, book)
    return trigger(model, book) or repeg(model, book) or use_discretion(model, book)


def take_out(model, book, order):
    book.orders.remove(order)
    order.place = ""
    model.next_priority(order)


def activate(model, book, order):
    if order.place == "trigger":
        order.type = ACTIVE[order.type]
    take_out(model, book, order)
    model.route(book, order, (TRIGGERED, 0))


def activate_child(model, book, order):
    order.leaves, order.traded, order.group = order.traded, 0, OCO
    if order.display_qty:
        order.shown = min(order.display_qty, order.leaves)
    activate(model, book, order)


# ---- triggers ----


def trigger_price(book, order):
    if not order.trail:
        return order.stop_price
    start = book.last if book.last is not None else book.reference
    return book.clip(start - order.trail if order.side == SELL else start + order.trail)


def trail(model, book):
    if not any(order.trail for order in book.orders):
        return
    for order in book.as_they_came():
        if not order.trail or order.type != STOP or order.place != "trigger":
            continue
        price = trigger_price(book, order)
        if price > order.at if order.side == SELL else price < order.at:
            order.at = price
            model.next_priority(order)
            model.say(model.about(RESTATED, book, order, order.leaves, price=price))


def trigger(model, book):
    if book.last is None:
        return False
    for upwards in (True, False):
        for order in book.triggers(upwards)[:1]:
            if order.at <= book.last if upwards else order.at >= book.last:
                activate(model, book, order)
                return True
    return False


# ---- pegs ----


def look(book):
    """See the market; return whether it is another than before."""
    quote = book.away if book.terms["quoted"] else (
        book.best_displayed(BUY), book.best_displayed(SELL))  # fmt: skip
    if book.is_collecting:
        quote = None, None
    changed, book.seen = quote != book.seen, quote
    return changed


def peg_price(book, order):
    bid, ask = book.seen
    if bid is not None and ask is not None and bid > ask:
        return None
    away = -order.peg_offset if order.side == BUY else order.peg_offset
    if order.peg == MIDPOINT:
        price = None if bid is None or ask is None else (bid + ask) // 2
    else:
        start = bid if (order.peg == PRIMARY) == (order.side == BUY) else ask
        price = None if start is None else start + away
    if price is None:
        return None
    if order.price is not None:
        price = min(price, order.price) if order.side == BUY else max(price, order.price)
    return price if book.tick <= price <= book.terms["price_max"] else None


def repeg(model, book):
    if not any(order.peg for order in book.orders) or not look(book):
        return False
    for order in book.as_they_came():
        if order not in book.orders or order.type != PEG or order.group == CHILD:
            continue
        price = peg_price(book, order)
        if price == (order.at if order.place == "book" else None):
            continue
        take_out(model, book, order)
        model.route(book, order, (RESTATED, 0))
    return True


# ---- discretion ----


def use_discretion(model, book):
    return any(order.discretion for order in book.orders) and any(
        order.discretion and order.place == "book" and reach(model, book, order)
        for order in book.as_they_came()
    )


def reach(model, book, order):
    far = order.discretion if order.side == BUY else -order.discretion
    limit = book.banded(order.side, book.clip(order.at + far))
    before, count, order.place = order.leaves, len(book.orders), ""
    model.take(book, order, limit)
    order.place = "book"
    if order.leaves == before:
        return len(book.orders) != count  # self-trade prevention cancelled the other side
    order.shown = min(order.shown, order.leaves)
    if order.leaves == 0:
        model.end(book, order)
    else:
        model.restate(book, order)
    return True
