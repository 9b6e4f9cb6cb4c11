"""Sections of the configuration: the general ones, and amounts of money.

Amounts are taken from the text as it stands in the file, never through a float, so that 0.05 is
exactly five hundredths.
"""

from __future__ import annotations

import re
from typing import ClassVar

import control.section
from appliance.errors import CommandError
from control.section import shorten

NANOS = 1_000_000_000
# Prices and amounts are int64 in 1e-9 on the other side of the border.
AMOUNT_MAX_NANOS = (1 << 63) - 2

AMOUNT = re.compile(r"(-?)([0-9]+(?:_[0-9]+)*)(?:\.([0-9]+))?")


class ConfigError(CommandError):
    """A configuration that cannot be used; the text says where and what would do."""


class Section(control.section.Section):
    """One mapping of a configuration file, or an absent one, which reads as empty."""

    error: ClassVar[type[Exception]] = ConfigError
    start: ClassVar[str] = "appliance/configs/example.yaml"

    def nanos(
        self,
        key: str,
        minimum_nanos: int = 0,
        maximum_nanos: int = AMOUNT_MAX_NANOS,
        default_nanos: int | None = None,
    ) -> int:
        """Return a price or an amount of money in units of 1e-9, exactly."""
        if key not in self._values and default_nanos is not None:
            return default_nanos
        text = self._scalar(key, "0.05")
        found = AMOUNT.fullmatch(text) if len(text) <= 40 else None
        if found is None:
            self.fail(key, f"{shorten(text)} is not an amount; write it like 250000 or 0.05")
        sign, whole, decimals = found[1], found[2], found[3] or ""
        if len(decimals) > 9:
            self.fail(key, f"{text} has {len(decimals)} decimals; give at most 9")
        value = int(whole) * NANOS + int(decimals.ljust(9, "0"))
        value = -value if sign else value
        if not minimum_nanos <= value <= maximum_nanos:
            size = "small" if value < minimum_nanos else "large"
            limits = f"from {render_nanos(minimum_nanos)} to {render_nanos(maximum_nanos)}"
            self.fail(key, f"{text} is too {size}; give an amount {limits}")
        return value


def compose(text: str, source: str) -> Section:
    """Turn YAML text into its outermost section, or raise ConfigError."""
    return Section.compose(text, source)


def render_nanos(nanos: int) -> str:
    """Return an amount as a person writes it: 50000000 is 0.05."""
    whole, decimals = divmod(abs(nanos), NANOS)
    text = f"{whole}.{decimals:09}".rstrip("0").rstrip(".")
    return f"-{text}" if nanos < 0 else text
