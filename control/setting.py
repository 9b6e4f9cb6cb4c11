"""One wish of a profile about one machine, and how the machine stands to it.

A ``Setting`` names a target, the value wanted, and why. Held against facts it becomes a
``Finding`` in one of six states:

    ok            as wanted
    drift         otherwise, and it can be mended: by apply, or by a person where that is said
    partial       a count that was reached in part
    not-settable  otherwise, and nothing here can change it; the reason is given
    needs-reboot  a kernel parameter that this boot did not have
    unsupported   this machine, kernel or driver has no such thing
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from control.cpulist import parse_list
from control.facts import Facts
from control.profile import Profile

OK, DRIFT, PARTIAL = "ok", "drift", "partial"
NOT_SETTABLE, NEEDS_REBOOT, UNSUPPORTED = "not-settable", "needs-reboot", "unsupported"
STATES = (OK, DRIFT, PARTIAL, NOT_SETTABLE, NEEDS_REBOOT, UNSUPPORTED)
# A machine with one of these is not as promised. The other two are said, and lived with.
BROKEN = (DRIFT, PARTIAL, NEEDS_REBOOT)


@dataclass(frozen=True)
class Setting:
    """What a profile wants of one target; ``others`` are values that are as good."""

    key: str
    target: str
    wanted: str
    why: str
    where: str
    others: tuple[str, ...] = ()
    within: bool = False  # a list of cores: fewer of the wanted ones are as good
    counts: bool = False  # a number of which a part is better than nothing

    @property
    def kind(self) -> str:
        """Return the first word of the target."""
        return self.target.partition(":")[0]

    def accepts(self, found: str) -> bool:
        """Say whether a value is as wanted."""
        if self.within and found != self.wanted:
            try:
                return set(parse_list(found)) <= set(parse_list(self.wanted))
            except ValueError:
                return False
        return found == self.wanted or found in self.others


@dataclass(frozen=True)
class Finding:
    """A setting, what was found, and what follows; ``by_hand`` when apply cannot do it."""

    setting: Setting
    found: str | None
    state: str
    reason: str = ""
    by_hand: bool = False


class Wishes:
    """Makes settings of one profile, with reason and line of the key that asks for them."""

    def __init__(self, profile: Profile) -> None:
        self.profile = profile

    def __call__(
        self,
        key: str,
        target: str,
        wanted: object,
        *,
        others: tuple[str, ...] = (),
        within: bool = False,
        counts: bool = False,
    ) -> Setting:
        entry = self.profile.entries[key]
        why = f"{entry.why} [{entry.source}]" if entry.source else entry.why
        return Setting(key, target, str(wanted), why, entry.where, others, within, counts)

    def check(
        self, key: str, wanted: str, found: str, remedy: str, *, holds: bool, known: bool = True
    ) -> Finding:
        """Return what is to be said about a fact that only a person can change."""
        setting = self(key, f"fact:{key}", wanted)
        if not known:
            return Finding(setting, None, UNSUPPORTED, "this machine does not say", True)
        if holds:
            return Finding(setting, found, OK)
        return Finding(setting, found, DRIFT, remedy, True)


Items = Iterator[Setting | Finding]


def judge(item: Setting | Finding, facts: Facts, refused: Mapping[str, str]) -> Finding:
    """Hold a setting against the facts; ``refused`` are writes that this machine turned down."""
    if isinstance(item, Finding):
        return item
    found = facts.values.get(item.target)
    if found is not None and item.accepts(found):
        return Finding(item, found, OK)
    if item.kind == "boot":
        return Finding(item, found, NEEDS_REBOOT, "the running kernel was started without it")
    if found is None and item.kind != "text":
        return Finding(item, None, UNSUPPORTED, missing(item))
    if item.target in facts.read_only:
        return Finding(item, found, NOT_SETTABLE, read_only(item))
    if item.target in refused and item.target.endswith(":driver"):
        # A card that the wrong one has is no shade of right: nobody could trade over it.
        return Finding(item, found, DRIFT, refused[item.target])
    if item.target in refused:
        state = PARTIAL if item.counts and (found or "0") != "0" else NOT_SETTABLE
        return Finding(item, found, state, refused[item.target])
    if item.counts and found not in (None, "0") and int(found or 0) < int(item.wanted):
        return Finding(item, found, PARTIAL, "fewer than wanted")
    return Finding(item, found, DRIFT)


def missing(setting: Setting) -> str:
    """Say in words what it is that a machine does not have."""
    if setting.kind == "nic":
        return "the driver of this card does not offer it"
    if setting.kind == "unit":
        return "systemd does not run here"
    return "this kernel or machine does not have it"


def read_only(setting: Setting) -> str:
    """Say why nobody can write a target."""
    if setting.target.startswith("file:/proc/irq/"):
        return "the kernel places this interrupt itself; isolcpus=managed_irq keeps it away"
    return "the kernel lets nobody write it"
