"""The section ``desk`` of the configuration: how many processes may hand in orders."""

from __future__ import annotations

from dataclasses import dataclass

from appliance.config_section import Section

DESKS_MAX = 32  # DP_DESKS_MAX
WAITING_MAX = 1023  # DP_DESK_WAITING_MAX - 1


@dataclass(frozen=True)
class DeskConfig:
    """Submitters at once, and how many requests of one may wait for the engine."""

    submitters: int
    waiting: int


def parse_desk(section: Section) -> DeskConfig:
    """Check ``desk``; it counts where a strategy is of that kind."""
    section.only("submitters", "waiting")
    return DeskConfig(
        submitters=section.integer("submitters", 1, DESKS_MAX, default=8),
        waiting=section.integer("waiting", 1, WAITING_MAX, default=255),
    )
