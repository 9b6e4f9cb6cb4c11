"""Sets of cores as the kernel writes them: lists (``0-3,8``) and masks (``ff,00000003``)."""

from __future__ import annotations

import re
from collections.abc import Iterable

CPU_MAX = 8191  # the largest CONFIG_NR_CPUS of x86 is 8192
RANGE = re.compile(r"(\d{1,4})(?:-(\d{1,4}))?")


def parse_list(text: str) -> tuple[int, ...]:
    """Return the cores of a list in rising order; ValueError with what is wrong."""
    cores: set[int] = set()
    for part in text.split(",") if text.strip() else []:
        found = RANGE.fullmatch(part.strip())
        if found is None:
            raise ValueError(f"{part.strip()!r} is no core and no range of cores")
        first, last = int(found[1]), int(found[2] or found[1])
        if not first <= last <= CPU_MAX:
            raise ValueError(f"{part.strip()!r} does not rise, or passes {CPU_MAX}")
        cores.update(range(first, last + 1))
    return tuple(sorted(cores))


def render_list(cores: Iterable[int]) -> str:
    """Return cores as a list: 0-3,8."""
    ranges: list[list[int]] = []
    for core in sorted(set(cores)):
        if ranges and core == ranges[-1][1] + 1:
            ranges[-1][1] = core
        else:
            ranges.append([core, core])
    return ",".join(f"{a}-{b}" if a < b else str(a) for a, b in ranges)


def parse_mask(text: str) -> tuple[int, ...]:
    """Return the cores of a mask: words of 32 bits, the highest first."""
    bits = int("".join(part.strip().rjust(8, "0") for part in text.split(",")) or "0", 16)
    return tuple(index for index in range(bits.bit_length()) if bits >> index & 1)


def render_mask(cores: Iterable[int]) -> str:
    """Return cores as a mask, in the shortest form that the kernel takes."""
    bits = 0
    for core in cores:
        bits |= 1 << core
    text = f"{bits:x}"
    head = len(text) % 8
    words = ([text[:head]] if head else []) + [
        text[start : start + 8] for start in range(head, len(text), 8)
    ]
    return ",".join(words)
