"""Which profile fits a machine: all its conditions hold, and the one with most of them wins."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from fnmatch import fnmatchcase

from control.facts import Facts
from control.profile import Profile


@dataclass(frozen=True)
class Verdict:
    """One profile against one machine: conditions met, and those not met in words."""

    profile: Profile
    met: int
    missed: tuple[str, ...]

    @property
    def fits(self) -> bool:
        """Say whether the profile is for this machine; one without conditions never is."""
        return self.met > 0 and not self.missed


def judge(profile: Profile, facts: Facts) -> Verdict:
    """Hold a profile's conditions against the facts."""
    met, missed = 0, []
    for name, key in profile.below("match"):
        found, holds = CONDITIONS[name](profile, key, facts)
        if holds:
            met += 1
        else:
            value = profile.entries[key].value
            wanted = ", ".join(value) if isinstance(value, tuple) else str(value)
            missed.append(f"{name} is {found or 'unknown'}, not {wanted}")
    return Verdict(profile, met, tuple(missed))


def rank(profiles: Mapping[str, Profile], facts: Facts) -> list[Verdict]:
    """Return a verdict on every profile, the best first."""
    verdicts = [judge(profile, facts) for profile in profiles.values()]
    return sorted(verdicts, key=lambda one: (not one.fits, -one.met, len(one.missed)))


def like(read: Callable[[Facts], str]) -> Callable[[Profile, str, Facts], tuple[str, bool]]:
    """Return a condition that compares one fact with a pattern."""

    def condition(profile: Profile, key: str, facts: Facts) -> tuple[str, bool]:
        found = read(facts)
        # Round brackets and such are plain characters here; only * and ? are not.
        return found, fnmatchcase(found, profile.text(key).replace("[", "[[]"))

    return condition


def has_card(profile: Profile, key: str, facts: Facts) -> tuple[str, bool]:
    """Hold the wanted cards against those that are there."""
    there = {device.ids for device in facts.pci}
    return "none of those there", bool(there & set(profile.words(key)))


def has_interface(profile: Profile, key: str, facts: Facts) -> tuple[str, bool]:
    """Say whether an interface of that name is there."""
    return "missing", facts.nic(profile.text(key)) is not None


def is_virtual(profile: Profile, key: str, facts: Facts) -> tuple[str, bool]:
    """Compare with whether this is a virtual machine."""
    found = "on" if facts.virtual else "off"
    return found, found == profile.text(key)


def is_new_enough(profile: Profile, key: str, facts: Facts) -> tuple[str, bool]:
    """Compare kernel versions."""
    return facts.kernel, version(facts.kernel) >= version(profile.text(key))


CONDITIONS: Mapping[str, Callable[[Profile, str, Facts], tuple[str, bool]]] = {
    "cpu_vendor": like(lambda facts: facts.cpu_vendor),
    "cpu_model": like(lambda facts: facts.cpu_model),
    "product": like(lambda facts: facts.product),
    "virtual": is_virtual,
    "nic_ids": has_card,
    "interface": has_interface,
    "kernel_min": is_new_enough,
}


def version(text: str) -> tuple[int, ...]:
    """Return the numbers at the start of a version: 6.18.44-x is (6, 18, 44)."""
    found = re.match(r"[0-9]+(?:\.[0-9]+)*", text)
    return tuple(int(number) for number in found[0].split(".")) if found else ()
