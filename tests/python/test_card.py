"""What a card offers, as Python sees it."""

from __future__ import annotations

import re
import struct

import pytest
from scapy.layers.inet import IP, TCP
from scapy.layers.l2 import Ether

from appliance.card_config import parse_card
from appliance.config_section import ConfigError, Section
from dataplane.card import CAPABILITIES, Card, kinds
from dataplane.errors import DataplaneError

BUILT = {
    "none": set(),
    "soft": {"filter", "arbitrate", "template", "gate", "stamp", "delta", "trigger"},
}


def test_every_backend_of_the_build_is_named():
    needs = {kind["name"]: bool(kind["where"]) for kind in kinds()}
    assert needs == {"none": False, "soft": False, "pci": True, "rtl": True}


@pytest.mark.parametrize("name", BUILT)
def test_a_card_says_what_it_can(name: str):
    card = Card(name)
    can = card.capabilities()
    assert list(can) == [hook for hook, _ in CAPABILITIES]
    assert {hook for hook, able in can.items() if able} == BUILT[name]
    assert (card.version(), card.identity()) == ("1.1", bytes(32))
    assert set(card.counters().values()) == {0} and len(card.counters()) == 14


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("isa", "card: 'isa' is no backend of this build; use none or soft"),
        ("pci", "card pci: where it is is missing; give the PCI address of a card that vfio-pci "),
        ("pci:ffff:ff:1f.7", "vfio ffff:ff:1f.7: no such device; see tickplane facts"),
        ("pci:zzz/9", "card pci: 'zzz/9'; it must be an address like 0000:3b:00.0"),
    ],
)
def test_a_card_that_is_not_there_is_one_line(name: str, words: str):
    with pytest.raises(DataplaneError, match=re.escape(words)):
        Card(name)


def order_frame() -> bytes:
    """An Ethernet frame with one OUCH order, as scapy makes it."""
    order = b"O" + struct.pack(">IcI8sQ", 1, b"B", 100, b"AAPL    ", 1_000_000)
    order += b"0YPNN" + b"TP00000001".ljust(14) + bytes(2)
    payload = struct.pack(">Hc", len(order) + 1, b"U") + order
    return bytes(Ether() / IP(src="10.7.0.2", dst="10.7.0.1") / TCP(flags="PA") / payload)


def test_its_hooks_are_called_from_python():
    card, frame = Card("soft"), order_frame()
    assert card.ingress(frame) == frame
    assert card.egress(frame)
    card.control("halt", True)
    assert not card.egress(frame)
    card.control("halt", False)
    card.control("gate", True)
    card.write(0x050, 99)
    assert card.read(0x050) == 99
    assert not card.egress(frame)
    card.arm(33)
    assert card.read(0x2004) == 2
    card.expect(b"0000000001", 1 << 32)
    assert (card.read(0x048), card.read(0x04C)) == (0, 1)
    card.set_time(1 << 40)
    card.ingress(frame)
    assert 1 << 40 <= card.stamp() <= card.time()


def test_bad_input_is_refused():
    card = Card("soft")
    for frame in (b"", bytes(2049)):
        with pytest.raises(ValueError, match="a card takes 1 to 2048"):
            card.ingress(frame)
        with pytest.raises(ValueError, match="a card takes 1 to 2048"):
            card.egress(frame)
    with pytest.raises(ValueError, match="identity: 3 bytes; a SHA-256 has 32"):
        Card("soft", b"abc")
    with pytest.raises(DataplaneError, match="card soft: bitstream 00000000"):
        Card("soft", b"\1" * 32)
    with pytest.raises(ValueError, match="session: 2 bytes; MoldUDP64 has 10"):
        card.expect(b"ab", 1)
    with pytest.raises(DataplaneError, match="it cannot do that"):
        Card("none").control("gate", True)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("{backend: isa}", "card.backend: 'isa' is not one of its values; known: none, soft"),
        ("{backend: pci}", "card.backend: pci: where is missing; give the PCI address of a card"),
        ("{backend: soft, where: x}", "card.where: x: card soft is in no place; remove it"),
        ("{backend: soft, identity: 12}", "card.identity: 12: a SHA-256 has 64 hexadecimal digits"),
        ("{backend: soft, filter: some}", "card.filter: 'some' is not one of its values"),
    ],
)
def test_a_wrong_card_in_a_configuration_is_one_line(text: str, words: str):
    with pytest.raises(ConfigError, match=re.escape(words)):
        parse_card(Section.compose(f"card: {text}", "x.yaml").section("card"))
