"""The model's policies: who at a price gets how much ahead of time order."""

from __future__ import annotations

from match_model import (
    FIFO_LMM,
    FIFO_TOP_LMM,
    PRO_RATA,
    THRESHOLD_PRO_RATA,
    TIME_PRO_RATA,
)


def prevent_all(model, book, displayed, taker):
    for maker in displayed:
        if taker.leaves and maker.is_own(taker):
            model.prevent(book, maker, taker)


def give(model, book, maker, taker, qty):
    qty = min(qty, maker.shows, taker.leaves)
    if qty:
        model.trade(book, maker, taker, qty, maker.at)
    return qty


def whole_lots(book, qty):
    return qty - qty % book.terms["lot"]


def share(model, book, displayed, taker):
    policy = book.terms["policy"]
    if policy in (THRESHOLD_PRO_RATA, FIFO_TOP_LMM) and displayed[0].top:
        give(model, book, displayed[0], taker, book.terms["top_max"])
        price, side = displayed[0].at, displayed[0].side
        displayed = book.level(side, price)[0] if price is not None else []
    if policy in (PRO_RATA, THRESHOLD_PRO_RATA):
        by_weight(model, book, displayed, taker, [maker.shows for maker in displayed])
    if policy == TIME_PRO_RATA:
        count = len(displayed)
        by_weight(model, book, displayed, taker,
                  [maker.shows * (count - at) for at, maker in enumerate(displayed)])  # fmt: skip
    if policy in (FIFO_LMM, FIFO_TOP_LMM):
        to_lmms(model, book, displayed, taker)


def by_weight(model, book, displayed, taker, weights):
    incoming, total = taker.leaves, sum(weights)
    for maker, weight in zip(displayed, weights, strict=True):
        qty = whole_lots(book, incoming * weight // total)
        if qty >= book.terms["allocation_min"]:
            give(model, book, maker, taker, qty)


def to_lmms(model, book, displayed, taker):
    incoming = taker.leaves
    for participant, share_ppm in book.terms["lmms"]:
        left = whole_lots(book, incoming * share_ppm // 1_000_000)
        for maker in book.level(displayed[0].side, displayed[0].at)[0] if displayed else []:
            if maker.participant == participant:
                left -= give(model, book, maker, taker, left)
