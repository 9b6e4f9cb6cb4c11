"""Plans and verdicts as people read them, and as JSON."""

from __future__ import annotations

import json
from collections.abc import Iterator
from itertools import groupby

from control.cpulist import render_list
from control.plan import Plan, summary
from control.setting import BROKEN, DRIFT, NEEDS_REBOOT, NOT_SETTABLE, OK, UNSUPPORTED, Finding

REMEDIES = {
    NEEDS_REBOOT: "apply, make the boot entry (update-grub; in an image tickplane-slot words), "
    "reboot, verify again"
}


def show(value: str | None) -> str:
    """Return a value in one line."""
    if value is None:
        return "nothing"
    lines = value.splitlines()
    return value or "set" if len(lines) < 2 else f"{len(lines)} lines: {lines[-1]}"


def plan_text(found: Plan) -> str:
    """Return the steps in order, each with its reason, and what stays as it is."""
    steps = found.steps
    lines = [f"profile {found.profile.name}: {found.profile.text('description')}", *roles(found)]
    lines.append(f"steps: {len(steps)}")
    number = 0
    for _, alike in groupby(steps, lambda one: (one.setting.key, one.found, one.setting.wanted)):
        group = list(alike)
        lines += step_lines(number + 1, group)
        number += len(group)
    rest = [one for one in found.findings if one.state != OK and one not in steps]
    if rest:
        lines.append("not by apply:")
        lines += [f"     {line}" for one in rest for line in finding_lines(one)]
    counts = ", ".join(f"{count} {state}" for state, count in summary(found).items() if count)
    return "\n".join([*lines, f"found: {counts}"])


def step_lines(number: int, group: list[Finding]) -> Iterator[str]:
    """Return one step, or several in a row that do the same to targets of one kind."""
    setting, last = group[0].setting, number + len(group) - 1
    yield f"{number:>4} {setting.target}"
    if len(group) == 2:
        yield f"{last:>4} {group[-1].setting.target}"
    elif len(group) > 2:
        yield f"{last:>4} {group[-1].setting.target} (and all between)"
    yield f"       {show(group[0].found)} -> {show(setting.wanted)}"
    reason = f": {setting.why}" if setting.why else ""
    yield f"       {setting.key}, {setting.where}{reason}"


def roles(found: Plan) -> Iterator[str]:
    """Return the cores by their work."""
    cores = found.cores
    yield f"housekeeping {render_list(cores.housekeeping) or 'none'}"
    yield f"isolated     {render_list(cores.isolated) or 'none'}"
    for name, chosen in cores.roles.items():
        yield f"  {name:<10} {render_list(chosen)}"


def finding_lines(one: Finding) -> Iterator[str]:
    """Return a finding: state, wanted, found, why it matters, what to do."""
    setting = one.setting
    target = "" if setting.target.startswith("fact:") else f" ({setting.target})"
    yield f"{one.state:<12} {setting.key}{target}"
    yield f"             wanted {show(setting.wanted)}, found {show(one.found)}"
    if setting.why:
        yield f"             why: {setting.why}"
    remedy = one.reason if one.by_hand or one.state in (NOT_SETTABLE, UNSUPPORTED) else (
        REMEDIES.get(one.state, "run: tickplane apply")
    )  # fmt: skip
    if one.state == DRIFT and one.reason and not one.by_hand:
        remedy += f"; the last one: {one.reason}"
    yield f"             {setting.where}; {remedy}"


def verify_text(found: Plan, everything: bool) -> str:
    """Return what is not as promised, worst first; ``everything`` also what is."""
    order = [*BROKEN, NOT_SETTABLE, UNSUPPORTED, *([OK] if everything else [])]
    lines = [f"profile {found.profile.name}"]
    for state in order:
        for one in found.findings:
            if one.state == state:
                lines += finding_lines(one)
    counts = ", ".join(f"{count} {state}" for state, count in summary(found).items())
    verdict = "as promised" if found.holds else "NOT as promised"
    return "\n".join([*lines, f"{verdict}: {counts}"])


def diff_text(found: Plan) -> str:
    """Return wanted and found of everything that differs, by target."""
    lines = [f"--- this machine\n+++ {found.profile.name}"]
    for one in found.findings:
        if one.state != OK:
            lines.append(f"@@ {one.setting.key} @@ {one.state}")
            lines.append(f"-{one.setting.target} {show(one.found)}")
            lines.append(f"+{one.setting.target} {show(one.setting.wanted)}")
    return "\n".join(lines)


def as_json(found: Plan) -> str:
    """Return the whole as JSON."""
    return json.dumps(
        {
            "profile": found.profile.name,
            "holds": found.holds,
            "summary": summary(found),
            "cores": {
                "housekeeping": render_list(found.cores.housekeeping),
                "isolated": render_list(found.cores.isolated),
                "roles": {name: render_list(cores) for name, cores in found.cores.roles.items()},
            },
            "findings": [
                {
                    "key": one.setting.key,
                    "target": one.setting.target,
                    "state": one.state,
                    "wanted": one.setting.wanted,
                    "found": one.found,
                    "why": one.setting.why,
                    "where": one.setting.where,
                    "reason": one.reason,
                    "by_hand": one.by_hand,
                }
                for one in found.findings
            ],
        },
        indent=2,
    )
