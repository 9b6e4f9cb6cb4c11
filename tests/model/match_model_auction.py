"""The model's auctions: one price for all orders that collected."""

from __future__ import annotations

from match_model import AT_CLOSE, AT_OPEN, AUCTION, BUY, SELL, report, within


def takes_part(order):
    return not order.is_conditional


def takes_part_in_cross_only(order):
    return takes_part(order) and order.time_in_force in (AT_OPEN, AT_CLOSE)


def totals(book, price, counts=takes_part):
    """What would be bought and sold at the price."""
    return tuple(
        sum(
            order.leaves
            for order in book.side(side)
            if counts(order) and within(side, price, order.at)
        )
        for side in (BUY, SELL)
    )


def preferred(best, here, reference):
    """Of two (price, quantity, surplus), here at the higher price: whether it is the better."""
    if here[1] != best[1]:
        return here[1] > best[1]
    if abs(here[2]) != abs(best[2]):
        return abs(here[2]) < abs(best[2])
    if here[2] > 0 and best[2] > 0:
        return True
    if here[2] < 0 and best[2] < 0:
        return False
    return reference is not None and abs(here[0] - reference) <= abs(best[0] - reference)


def find_price(book, counts=takes_part):
    """Return (price, quantity, surplus); (None, 0, 0) when nothing would trade."""
    reference = book.last if book.last is not None else book.reference
    prices = sorted({
        order.at for order in book.orders if order.place == "book" and order.at is not None
    })  # fmt: skip
    best = None
    for price in prices:
        buy, sell = totals(book, price, counts)
        here = (price, min(buy, sell), buy - sell)
        if here[1] and (best is None or preferred(best, here, reference)):
            best = here
    if best is None and reference is not None:
        buy, sell = (
            sum(order.leaves for order in book.side(side) if order.at is None and counts(order))
            for side in (BUY, SELL)
        )
        if min(buy, sell):
            best = (reference, min(buy, sell), buy - sell)
    return best or (None, 0, 0)


def indication(book):
    """Return (reference price, paired, imbalance, near price, far price)."""
    near = find_price(book)[0]
    far = find_price(book, takes_part_in_cross_only)[0]
    reference = book.last if book.last is not None else book.reference
    if reference is None:
        reference = near
    if reference is None:
        return None, 0, 0, near, far
    buy, sell = totals(book, reference)
    return reference, min(buy, sell), buy - sell, near, far


def first(book, side, price):
    return next(
        (order for order in book.side(side) if takes_part(order) and within(side, price, order.at)),
        None,
    )


def auction(model, book):
    """Trade everything that trades at one price; report it."""
    price, qty, surplus = find_price(book)
    traded = 0
    while qty:
        buyer, seller = first(book, BUY, price), first(book, SELL, price)
        if not buyer or not seller:
            break
        if buyer.is_own(seller):
            later, earlier = sorted((buyer, seller), key=lambda order: -order.priority)
            before, place, later.place = later.leaves, later.place, ""
            model.prevent(book, earlier, later)
            later.place = place
            if later.leaves == 0:
                model.end(book, later)
            elif later.leaves < before:
                model.restate(book, later)
            continue
        each = min(part(buyer), part(seller))
        model.cross(book, buyer, seller, each, price)
        model.cancel_groups(book, None)
        traded += each
    side = BUY if surplus > 0 else SELL if surplus < 0 else 0
    model.say(report(
        AUCTION, instrument=book.index, price=price, qty=traded, leaves_qty=abs(surplus),
        side=side, match_number=model.match_number))  # fmt: skip
    if qty:
        book.reference = price


def part(order):
    return order.leaves if order.is_hidden else order.shows
