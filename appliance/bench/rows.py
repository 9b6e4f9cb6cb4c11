"""What all rows of the benchmark share: readings, figures, rounds, and the row itself."""

from __future__ import annotations

import argparse
import platform
import statistics
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

Row = dict[str, Any]
# Nanoseconds, operations, instructions, branch misses; None where the machine does not count.
Reading = tuple[int, int, int | None, int | None]
Made = TypeVar("Made")


class Figures(NamedTuple):
    """One loop over all rounds, per operation."""

    ns: list[float]
    instructions: float | None
    branch_misses: float | None

    @property
    def median(self) -> float:
        """Return the middle of the times."""
        return statistics.median(self.ns)


class Bench:
    """One call of the verb: its arguments, and what rows of one family make once for all."""

    def __init__(self, args: argparse.Namespace) -> None:
        self.args = args
        self._made: dict[Callable[[Bench], Any], Any] = {}

    def shared(self, make: Callable[[Bench], Made]) -> Made:
        """Return what ``make`` returns for this call; it runs when a row first asks."""
        if make not in self._made:
            self._made[make] = make(self)
        made: Made = self._made[make]
        return made

    def rounds(self, loops: Mapping[str, Callable[[], Reading]]) -> dict[str, Figures]:
        """Run the loops in turn, again and again: a machine that slows down slows all of them.

        The first round touches all memory for the first time; it is not counted.
        """
        readings: dict[str, list[Reading]] = {name: [] for name in loops}
        for number in range(self.args.rounds + 1):
            say(f"round {number} of {self.args.rounds}")
            for name, loop in loops.items():
                readings[name].append(loop())
        say("")
        return {name: figures(runs[1:]) for name, runs in readings.items()}


def say(words: str) -> None:
    """Show progress on a terminal."""
    if sys.stderr.isatty():
        print(f"\r\033[K{words}", end="", file=sys.stderr, flush=True)


def figures(runs: list[Reading]) -> Figures:
    """Return the runs per operation."""
    return Figures(
        [run[0] / run[1] for run in runs], per_operation(runs, 2), per_operation(runs, 3)
    )


def per_operation(runs: list[Reading], at: int) -> float | None:
    """Return the median of a count per operation; None when the machine did not count."""
    counts = [run[at] for run in runs]
    known = [count for count in counts if count is not None]
    return statistics.median(known) / runs[0][1] if len(known) == len(counts) else None


def machine() -> str:
    """Return processor, cores and kernel."""
    model = platform.processor() or platform.machine()
    cores = 0
    for line in Path("/proc/cpuinfo").read_text().splitlines():
        key, _, value = line.partition(":")
        cores += key.strip() == "processor"
        if key.strip() == "model name":
            model = value.strip()
    return f"{model}, {cores} cores, Linux {platform.release()}"


def row(name: str, unit: str, of: Figures, beside: str, reference: Figures | None) -> Row:
    """Return one row of the table; without a reference here, ``beside`` says why."""
    return {
        "name": name,
        "value": round(of.median, 3),
        "unit": unit,
        "reference": {"name": beside, "value": reference and round(reference.median, 3)},
        "ratio": reference and round(of.median / reference.median, 3),
        "runs": len(of.ns),
        "min": round(min(of.ns), 3),
        "max": round(max(of.ns), 3),
        "instructions": rounded(of.instructions, 1),
        "branch_misses": rounded(of.branch_misses, 3),
        "reference_instructions": reference and rounded(reference.instructions, 1),
        "machine": machine(),
    }


def absent(name: str, unit: str, why: str) -> Row:
    """Return the row of what cannot be measured here; ``why`` stands where its reference would."""
    return {
        "name": name,
        "value": None,
        "unit": unit,
        "reference": {"name": why, "value": None},
        "ratio": None,
        "runs": 0,
        "min": None,
        "max": None,
        "instructions": None,
        "branch_misses": None,
        "reference_instructions": None,
        "machine": machine(),
    }


def rounded(value: float | None, digits: int) -> float | None:
    """Return the value with that many digits; None stays None."""
    return None if value is None else round(value, digits)
