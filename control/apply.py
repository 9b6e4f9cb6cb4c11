"""Makes a machine like its profile, and back: write, read again, believe only that.

Each write is announced in the undo journal first. A write that the machine refuses, or takes and
does not keep, is noted with its reason and is not tried again in this run; the others go on. Since
changing a card's queues or driver makes new interrupts and interfaces, planning starts again from
fresh facts until nothing is left to do.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from pathlib import Path

from control import target, undo
from control.collect import collect
from control.errors import ControlError
from control.facts import Facts
from control.host import Host
from control.plan import Plan, plan
from control.profile import Profile
from control.setting import Finding

ROUNDS_MAX = (
    6  # services, kernel, driver, queues, interrupts: each may need facts of the one before
)
UNDO_ROUNDS = 2  # a table of queues may wait for the queues, which were written before it
# What makes a card's link go down for a moment with some drivers, or for good.
DISRUPTS = ("up", "mtu", "channels.", "rings.", "pause.", "private.", "driver")

Say = Callable[[str], None]


@dataclass
class Report:
    """What was written, what was refused and why, and how the machine stands now."""

    written: list[tuple[str, str | None, str]] = field(default_factory=list)
    refused: list[tuple[str, str]] = field(default_factory=list)
    after: Plan | None = None


def apply(profile: Profile, host: Host, state: Path, say: Say) -> Report:
    """Write what the plan wants; ControlError when it must not be begun."""
    report = Report()
    with undo.opened(state, host) as journal:
        for _ in range(ROUNDS_MAX):
            facts = collect(host, profile.extra_targets())
            report.after = plan(profile, facts, journal.reasons())
            # One that took is written again when something else undid it: a card that gets
            # other queues moves its interrupts.
            refused = {name for name, _ in report.refused}
            steps = [one for one in report.after.steps if one.setting.target not in refused]
            if not steps:
                return report
            guard(steps, facts)
            if not report.written and not report.refused:
                journal.begin(profile.name)
            for step in steps:
                write(step, host, journal, report, say)
        facts = collect(host, profile.extra_targets())
        report.after = plan(profile, facts, journal.reasons())
    return report


def write(step: Finding, host: Host, journal: undo.Journal, report: Report, say: Say) -> None:
    """Do one step: announce, write, read again."""
    wanted, name = step.setting.wanted, step.setting.target
    prior = target.read(host, name)
    if prior is None and step.setting.kind != "text":
        return  # a step before it took it away, like the last queues; the next round sees it
    journal.announce(name, prior, wanted, step.setting.key)
    reason = ""
    try:
        target.write(host, name, wanted)
    except OSError as error:
        reason = explain(error)
    found = target.read(host, name)
    if found is not None and is_taken(step, found):
        journal.done(name, found)
        report.written.append((name, prior, found))
        say(f"{name}: {show(prior)} -> {show(found)}")
        return
    if found is None and step.setting.kind != "text":
        reason = "it is gone"
    reason = reason or f"it took {show(wanted)} and is {show(found)}"
    journal.refuse(name, wanted, reason)
    report.refused.append((name, reason))
    say(f"{name}: {show(found)} stays: {reason}")


def is_taken(step: Finding, found: str) -> bool:
    """Say whether a value read back is what was asked for."""
    if step.setting.target.endswith(":driver") and step.setting.wanted == "kernel":
        return found not in ("none", "vfio-pci")
    return step.setting.accepts(found)


def guard(steps: Iterable[Finding], facts: Facts) -> None:
    """Raise ControlError before anything is written that would cut off the person who asks."""
    for step in steps:
        kind, name, item = target.split(step.setting.target)
        if kind == "pci":
            nic = next((one.name for one in facts.nics if one.pci == name), "")
        else:
            nic = name if kind == "nic" else ""
        if nic in facts.operator_interfaces and item.startswith(DISRUPTS):
            raise ControlError(
                f"{step.setting.where}: {step.setting.key}: {nic} carries your session or the "
                "default route, and this would take it down; nothing was changed; name another "
                "card, or take this key out of the profile"
            )


def rollback(host: Host, state: Path, say: Say) -> Report:
    """Restore what was there before the first apply, the last write first."""
    report = Report()
    with undo.opened(state, host) as journal:
        waiting = list(reversed(journal.priors))
        for _ in range(UNDO_ROUNDS):
            report.refused.clear()
            for name in waiting:
                restore(name, journal.priors[name], host, report, say)
            waiting = [name for name, _ in report.refused]
        if not report.refused and journal.path.exists():
            journal.close_undone()
    return report


def restore(name: str, prior: str | None, host: Host, report: Report, say: Say) -> None:
    """Give one target its first value again."""
    found = target.read(host, name)
    if found == prior:
        return
    reason = ""
    try:
        target.write(host, name, prior)
    except OSError as error:
        reason = explain(error)
    after = target.read(host, name)
    if after == prior:
        report.written.append((name, found, prior or ""))
        say(f"{name}: {show(found)} -> {show(prior)}")
        return
    if after is None and not name.startswith("text:"):
        say(f"{name}: it is gone, and {show(prior)} with it")
        return
    reason = reason or f"it took {show(prior)} and is {show(after)}"
    report.refused.append((name, reason))
    say(f"{name}: {show(after)} stays, {show(prior)} was before: {reason}")


WORDS = {
    errno.EACCES: "permission denied; run as root",
    errno.EPERM: "permission denied; run as root",
    errno.EROFS: "the file system is read-only; mount it for writing",
    errno.EIO: "the kernel refuses: it places this itself",
    errno.ENOENT: "it is gone",
    errno.ENODEV: "it is gone",
    errno.EBUSY: "it is in use; stop what uses it",
    errno.EOPNOTSUPP: "the driver does not support it",
    errno.EINVAL: "the kernel does not take this value",
}


def explain(error: OSError) -> str:
    """Return why the machine refused, with what would do where that is known."""
    text = error.strerror or str(error)
    if error.errno is None or text != os.strerror(error.errno):
        return text.lower()  # somebody said more than the number does
    return WORDS.get(error.errno, text.lower())


def show(value: str | None) -> str:
    """Return a value for one line."""
    if value is None:
        return "nothing"
    first, _, rest = value.partition("\n")
    return repr(first + " ...") if rest else value or "''"
