"""Each message of a venue against the answers in the journal: every class of difference."""

import struct

from appliance.reconcile_answers import (
    Answer,
    answers_that_differ,
    applied_answers,
    positions_of,
    positions_that_differ,
    told_answers,
)
from appliance.venue.record import Record


def report(sequence, payload):
    return Record("report", 0, 1, None, sequence, 0, struct.pack(">HB", 0, ord("S")) + payload)


def accepted(number, side, symbol):
    return struct.pack(
        ">cQIcI8sQccQcccc14sH", b"A", 1, number, side, 100, symbol.ljust(8), 10_0000,
        b"0", b"Y", 7, b"P", b"N", b"N", b"L", b"x".ljust(14), 0,
    )  # fmt: skip


def executed(number, qty, match_number, price=10_0000):
    return struct.pack(">cQIIQcQH", b"E", 2, number, qty, price, b"A", match_number, 0)


def rejected(number):
    return struct.pack(">cQIH14s", b"J", 3, number, 0x0B, b"x".ljust(14))


def broken(number, match_number):
    return struct.pack(">cQIQc14s", b"B", 4, number, match_number, b"E", b"x".ljust(14))


def event(kind, sequence, number, **fields):
    return {
        "event": kind, "inbound_sequence": sequence, "user_ref_num": number, "symbol": "TPLN",
        "side": "BUY", "exec_id": None, "qty": 0, "price_nanos": 0, "reason": 1, **fields,
    }  # fmt: skip


TOLD = [
    report(1, accepted(5, b"B", b"TPLN")),
    report(2, executed(5, 60, 900)),
    report(3, rejected(6)),
    report(4, b"S" + bytes(8) + b"S"),  # the system's: changes no order
]
APPLIED = [
    event("NEW", None, 5),
    event("ACCEPTED", 1, 5),
    event("FILLED", 2, 5, exec_id=900, qty=60, price_nanos=10_000_000_000),
    event("REJECTED", 3, 6),
    event("NOT_SENT", 3, 7),
    event("REPLACE_REJECTED", 3, 8, reason=None),
]


def differences(applied):
    return list(answers_that_differ(told_answers(TOLD), applied_answers(applied)))


def test_what_both_have_is_no_difference():
    assert differences(APPLIED) == []
    assert [answer.sequence for answer in told_answers(TOLD)] == [1, 2, 3]


def test_a_message_that_was_not_applied():
    assert differences(APPLIED[:2] + APPLIED[3:]) == [
        ("lost", "message 2, FILLED of order 5: was never applied")
    ]


def test_a_message_that_was_applied_twice():
    assert differences([*APPLIED, APPLIED[2]]) == [
        ("doubled", "message 2, FILLED of order 5: was applied 2 times")
    ]


def test_an_answer_that_nobody_sent():
    assert differences([*APPLIED, event("CANCELED", 4, 5)]) == [
        ("local only", "message 4, CANCELED of order 5: was never sent")
    ]


def test_an_answer_that_says_something_else():
    for change in (
        {"qty": 61}, {"price_nanos": 1}, {"exec_id": 901}, {"side": "SELL"}, {"symbol": "OTHR"},
        {"user_ref_num": 4}, {"event": "CANCELED"},
    ):  # fmt: skip
        changed = [*APPLIED[:2], {**APPLIED[2], **change}, *APPLIED[3:]]
        assert [kind for kind, _ in differences(changed)] == ["contradiction"], change


def test_positions_are_fills_that_were_not_broken():
    fills = [
        *TOLD,
        report(5, accepted(9, b"S", b"OTHR")),
        report(6, executed(9, 40, 901)),
        report(7, executed(9, 2, 902)),
        report(8, broken(9, 902)),
    ]
    assert positions_of(told_answers(fills)) == {"OTHR": -40, "TPLN": 60}


def test_positions_that_are_not_equal():
    assert list(positions_that_differ({"A": 5, "B": 0}, {"A": 5, "C": -2})) == [
        ("position", "C: +0 shares here, -2 by the venue's record")
    ]


def test_a_fill_of_an_order_nobody_accepted_has_no_symbol():
    (answer,) = told_answers([report(1, executed(3, 10, 1))])
    assert answer == Answer(1, ("FILLED",), 3, None, None, 1, 10, 10_000_000_000)
