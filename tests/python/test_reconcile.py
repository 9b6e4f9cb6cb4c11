"""``tickplane reconcile``: every class of difference between our journal and a venue's record."""

from collections import Counter

from appliance.reconcile import (
    Difference,
    applied_fills,
    fills_that_differ,
    never_received,
    overtaken,
    render,
    requests_that_differ,
    sent_requests,
)


def event(kind, number, **fields):
    return {
        "event": kind, "user_ref_num": number, "orig_user_ref_num": None, "exec_id": None,
        "reason": None, "ord_status": "NEW", **fields,
    }  # fmt: skip


def test_a_replace_that_a_fill_overtook_is_moot():
    events = [
        event("REPLACE", 2, orig_user_ref_num=1),
        event("FILLED", 1, ord_status="FILLED"),
        event("REPLACE", 4, orig_user_ref_num=3),
        event("FILLED", 3, ord_status="PARTIALLY_FILLED"),
        event("REPLACED", 4, orig_user_ref_num=3),
        event("FILLED", 4, ord_status="FILLED"),
        event("REPLACE", 6, orig_user_ref_num=5),
    ]
    assert overtaken(events) == {2}


def test_what_was_sent_and_what_never_arrived():
    events = [
        event("NEW", 1),
        event("REPLACE", 2),
        event("DENIED", 3, reason="POSITION"),
        event("CANCEL", 2),
        event("REPLACE_REJECTED", 2),
        event("REPLACE_REJECTED", 4, reason=0x0B),
        event("NOT_SENT", 5),
    ]
    assert sent_requests(events) == {("O", 1), ("U", 2)}
    assert never_received(events) == {2, 5}


def test_a_broken_execution_counts_no_more():
    events = [
        event("FILLED", 1, exec_id=7, qty=100),
        event("FILLED", 1, exec_id=8, qty=50),
        event("BROKEN", 1, exec_id=7, qty=100),
    ]
    assert applied_fills(events) == {(1, 8): 50}


def test_every_class_of_request():
    sent = {("O", 1), ("O", 2), ("O", 3), ("U", 4), ("O", 6), ("U", 7)}
    seen = Counter({("O", 1): 1, ("O", 2): 2, ("O", 5): 1, ("O", 6): 1})
    assert list(requests_that_differ(sent, seen, never={4, 6}, moot={7})) == [
        Difference("doubled", "order 2 was seen 2 times"),
        Difference("venue only", "order 5 is not in the journal"),
        Difference("contradiction", "order 6 was seen after all"),
        Difference("lost", "order 3 was never seen"),
    ]


def test_every_class_of_execution():
    ours = {(1, 10): 100, (1, 11): 5, (2, 12): 7}
    theirs = {(1, 10): 100, (1, 11): 6, (3, 13): 9}
    assert list(fills_that_differ(ours, theirs)) == [
        Difference("quantity", "execution 11 of order 1: 5 shares here, 6 at the venue"),
        Difference("local only", "execution 12 of order 2: 7 shares were never reported"),
        Difference("venue only", "execution 13 of order 3: 9 shares are not in the journal"),
    ]


def test_the_picture():
    facts = {
        "requests_sent": 1200, "requests_seen": 1199, "requests_never_received": 1,
        "fills_told": 2, "fills_applied": 2, "shares_told": 300, "shares_applied": 300,
        "messages_told": 2400, "messages_applied": 2400, "positions": {"OTHR": -7, "TPLN": 1250},
    }  # fmt: skip
    assert "\npositions: none\n" in render({**facts, "positions": {}}, [])
    assert render(facts, []) == (
        "requests: 1,200 in the journal, 1,199 seen by the venue, 1 never reached it\n"
        "executions: 2 in the journal (300 shares), 2 reported by the venue (300 shares)\n"
        "answers: 2,400 in the journal, 2,400 sent by the venue\n"
        "positions: OTHR -7, TPLN +1,250\n"
        "0 lost, 0 doubled: both say the same"
    )
    many = [Difference("lost", f"order {number} was never seen") for number in range(60)]
    assert render(facts, many).endswith("... and 10 more\n60 differences")
