"""What the model takes: the checks of docs/matching.md, in their order."""

from __future__ import annotations

from match_model import (
    ALL_OR_NONE,
    AT_CLOSE,
    AT_OPEN,
    BUY,
    CHILD,
    CLOSED,
    DAY,
    FOK,
    GTC,
    GTD,
    HIDDEN,
    IOC,
    LIMIT,
    LIMIT_IF_TOUCHED,
    MARKET,
    MARKET_TO_LIMIT,
    MIDPOINT,
    OCO,
    PARENT,
    PEG,
    POST_ONLY,
    PRE_OPEN,
    SELL,
    STOP,
    STOP_LIMIT,
    TRIGGERS,
)

LIMITED = (LIMIT, STOP_LIMIT, LIMIT_IF_TOUCHED)
QTY_MAX = 2**32 - 1


def check(model, book, order):
    """Return the name of the reason, or None."""
    checks = (of_all, of_type, of_time_in_force, of_price, of_session, of_terms, of_group)
    for each in checks:
        reason = each(model, book, order)
        if reason:
            return reason
    if book.terms["dark"] and not order.flags & HIDDEN:
        return "DISPLAY"
    if order.flags & POST_ONLY and model.would_trade(book, order.side, order.price):
        return "POST_ONLY"
    return None


def of_all(model, book, order):
    if order.participant >= len(model.ledger.accounts):
        return "PARTICIPANT_UNKNOWN"
    if order.side not in (BUY, SELL):
        return "SIDE"
    if not 0 < order.leaves <= QTY_MAX or order.leaves % book.terms["lot"]:
        return "QTY"
    if order.stp_mode > 3:
        return "STP_MODE"
    if order.order_id == 0 or model.find(order.order_id):
        return "ORDER_DUPLICATE"
    return None


def of_type(model, book, order):
    if not LIMIT <= order.type <= PEG and order.type != MARKET:
        return "TYPE"
    if order.type == LIMIT:
        allowed = range(256)
    elif order.type == MARKET:
        allowed = set(range(256)) - {GTC, GTD}
    elif order.type in (MARKET_TO_LIMIT, PEG):
        allowed = set(range(256)) - {AT_OPEN, AT_CLOSE, FOK}
    else:
        allowed = set(range(256)) - {AT_OPEN, AT_CLOSE, FOK, IOC}
    return None if order.time_in_force in allowed else "TYPE"


def of_time_in_force(model, book, order):
    if order.time_in_force == GTD:
        return None if order.expire_ns > model.now else "TIME_IN_FORCE"
    if order.time_in_force not in (DAY, GTC, AT_OPEN, IOC, FOK, AT_CLOSE) or order.expire_ns:
        return "TIME_IN_FORCE"
    return None


def price_reason(book, price):
    if price is None or not 0 < price <= book.terms["price_max"]:
        return "PRICE"
    return "TICK" if price % book.tick else None


def of_price(model, book, order):
    if order.type in LIMITED or (order.type == PEG and order.price is not None):
        return price_reason(book, order.price)
    return "PRICE" if order.price is not None else None


def of_session(model, book, order):
    if book.session == CLOSED:
        return "SESSION"
    if order.time_in_force == AT_OPEN and book.session != PRE_OPEN:
        return "SESSION"
    at_once = order.time_in_force in (IOC, FOK) or order.type == MARKET_TO_LIMIT
    return "SESSION" if book.is_collecting and at_once else None


def of_terms(model, book, order):
    rights = (flags, reserve, minimum, peg, discretion, trigger)
    return None if all(right(model, book, order) for right in rights) else "TERMS"


def flags(model, book, order):
    if order.flags & ~7:
        return False
    if not order.flags & POST_ONLY:
        return True
    return (
        order.type == LIMIT
        and order.time_in_force not in (IOC, FOK)
        and not order.flags & ALL_OR_NONE
    )


def lots(book, qty):
    return qty <= QTY_MAX and qty % book.terms["lot"] == 0


def ticks(book, distance):
    return distance == 0 or book.is_price(distance)


def reserve(model, book, order):
    if not order.display_qty:
        return not order.refresh_range_qty
    return (
        order.type in (*LIMITED, MARKET_TO_LIMIT)
        and not book.terms["dark"]
        and order.flags in (0, POST_ONLY)
        and not order.min_qty
        and order.display_qty <= order.leaves
        and lots(book, order.display_qty)
        and lots(book, order.refresh_range_qty)
        and order.refresh_range_qty < order.display_qty
    )


def minimum(model, book, order):
    if not order.min_qty:
        return True
    return (
        not order.flags & ALL_OR_NONE
        and order.time_in_force != FOK
        and order.min_qty <= order.leaves
        and lots(book, order.min_qty)
    )


def peg(model, book, order):
    if order.type != PEG:
        return not order.peg and not order.peg_offset
    return (
        1 <= order.peg <= 3
        and ticks(book, order.peg_offset)
        and (order.peg != MIDPOINT or not order.peg_offset)
    )


def discretion(model, book, order):
    if not order.discretion:
        return True
    return (
        order.type == LIMIT
        and ticks(book, order.discretion)
        and not order.flags & (ALL_OR_NONE | POST_ONLY)
        and not order.min_qty
        and not order.group
        and order.time_in_force not in (IOC, FOK)
    )


def trigger(model, book, order):
    if order.type not in TRIGGERS:
        return not order.stop_price and not order.trail
    if order.trail:
        return (
            order.type == STOP
            and not order.stop_price
            and book.is_price(order.trail)
            and (book.last is not None or book.reference is not None)
        )
    return book.is_price(order.stop_price)


def of_group(model, book, order):
    if order.group > CHILD or (order.group and order.time_in_force not in (DAY, GTC, GTD)):
        return "GROUP"
    if not order.group_order_id:
        return "GROUP" if order.group == CHILD else None
    wanted = {CHILD: PARENT, OCO: OCO}.get(order.group)
    member = model.find(order.group_order_id)
    if not member or not wanted or member.group != wanted:
        return "GROUP"
    if member.participant != order.participant or member not in book.orders:
        return "GROUP"
    return None
