"""The section ``card`` of the configuration: an offload card before the ports."""

from __future__ import annotations

import re
from dataclasses import dataclass

from appliance.config_section import Section
from dataplane.card import kinds

NO_CARD = "none"


@dataclass(frozen=True)
class CardConfig:
    """Which card, what must run on it, and what its filter lets in."""

    name: str  # as of dataplane.card.Card; "": none
    identity: bytes  # SHA-256 of the bitstream; b"": any
    watched_only: bool


def parse_card(section: Section) -> CardConfig:
    """Check ``card``."""
    section.only("backend", "where", "identity", "filter")
    needs = {kind["name"]: kind["where"] for kind in kinds()}
    backend = section.one_of("backend", tuple(needs), NO_CARD)
    where = section.text("where", "", size_max=255)
    if needs[backend] and not where:
        section.fail("backend", f"{backend}: where is missing; give {needs[backend]}")
    if where and not needs[backend]:
        section.fail("where", f"{where}: card {backend} is in no place; remove it")
    name = f"{backend}:{where}" if where else backend
    return CardConfig(
        name="" if backend == NO_CARD else name,
        identity=parse_identity(section),
        watched_only=section.one_of("filter", ("all", "watched"), "all") == "watched",
    )


def parse_identity(section: Section) -> bytes:
    """Check ``identity``."""
    text = section.text("identity", "", size_max=255)
    if text and not re.fullmatch("[0-9a-fA-F]{64}", text):
        section.fail("identity", f"{text}: a SHA-256 has 64 hexadecimal digits; see the doctor")
    return bytes.fromhex(text)
