"""What a card offers, as Python sees it."""

from __future__ import annotations

import pytest

from dataplane.card import CAPABILITIES, Card, kinds
from dataplane.errors import DataplaneError

BUILT = {"none": set(), "soft": {"filter", "arbitrate", "template", "gate", "stamp"}}


def test_every_backend_of_the_build_is_named():
    assert [kind["name"] for kind in kinds()] == list(BUILT)


@pytest.mark.parametrize("name", BUILT)
def test_a_card_says_what_it_can(name: str):
    card = Card(name)
    can = card.capabilities()
    assert list(can) == [hook for hook, _ in CAPABILITIES]
    assert {hook for hook, able in can.items() if able} == BUILT[name]
    assert (card.version(), card.identity()) == ("1.1", bytes(32))
    assert set(card.counters().values()) == {0} and len(card.counters()) == 12


def test_an_unknown_card_is_one_line():
    with pytest.raises(DataplaneError, match="card: 'pci' is no backend of this build; use none"):
        Card("pci")
