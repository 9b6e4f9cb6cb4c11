"""From a profile and the facts of a machine to what has to be done, in order, with reasons.

Pure: nothing is read and nothing is changed, so a plan can be shown, tested and compared before it
is applied, also for a machine that is elsewhere. The order: services first, for they would undo
what follows; cards last, a card's driver after everything else about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from control import plan_cpu, plan_nic
from control.collect_values import LIMITS_TEXT, sysctl_path
from control.cores import Cores, choose
from control.cpulist import render_mask
from control.facts import Facts
from control.profile import Profile
from control.setting import (
    BROKEN,
    DRIFT,
    NOT_SETTABLE,
    OK,
    PARTIAL,
    Finding,
    Items,
    Wishes,
    judge,
)  # fmt: skip

CLOCK = "file:/sys/devices/system/clocksource/clocksource0/current_clocksource"


@dataclass(frozen=True)
class Plan:
    """Every wish of a profile about one machine, with its state, in the order of doing."""

    profile: Profile
    cores: Cores
    findings: tuple[Finding, ...]

    @property
    def steps(self) -> tuple[Finding, ...]:
        """Return what apply would write."""
        return tuple(
            one for one in self.findings if one.state in (DRIFT, PARTIAL) and not one.by_hand
        )

    @property
    def holds(self) -> bool:
        """Say whether the machine is as promised."""
        return not any(one.state in BROKEN for one in self.findings)


def plan(profile: Profile, facts: Facts, refused: Mapping[str, str] | None = None) -> Plan:
    """Return the plan; ``refused`` are writes that this machine turned down, with reasons."""
    found = plan_nic.cards(profile, facts)
    nodes = plan_nic.nodes(found)
    cores = choose(profile, facts, nodes)
    want = Wishes(profile)
    items = [
        *services(want, facts),
        *limits(want),
        *plan_cpu.boot(want, facts, cores),
        *plan_cpu.cpu(want, facts, cores),
        *plan_cpu.memory(want, facts, nodes),
        *kernel(want, cores),
        *plan_nic.interrupts(want, facts, found, cores),
        *plan_nic.own_groups(want, facts, found),
        *(item for one in found for item in plan_nic.nic(want, facts, one, cores)),
        *(item for name in profile.names("fpga") for item in plan_nic.fpga(want, facts, name)),
        *claims(want, facts),
    ]
    return Plan(profile, cores, tuple(judge(item, facts, refused or {}) for item in items))


def services(want: Wishes, facts: Facts) -> Items:
    """Yield services that shall not run; one that is not installed does not run."""
    has_systemd = any(target.startswith("unit:") for target in facts.values)
    for unit in want.profile.words("services.off"):
        if f"unit:{unit}" in facts.values or not has_systemd:
            yield want("services.off", f"unit:{unit}", "off")


def limits(want: Wishes) -> Items:
    """Yield the file with the limits of the user that trades."""
    profile = want.profile
    if "limits.user" not in profile:
        return
    user = profile.text("limits.user")
    lines = ["# Written by tickplane apply; tickplane rollback takes it away."]
    for key, item in (("memlock_kib", "memlock"), ("rtprio", "rtprio"), ("nofile", "nofile")):
        if f"limits.{key}" in profile:
            lines.append(f"{user} - {item} {profile.text(f'limits.{key}')}")
    yield want("limits.user", f"text:{LIMITS_TEXT}", "\n".join(lines))


def kernel(want: Wishes, cores: Cores) -> Items:
    """Yield sysctls, the clock, and where interrupts and kernel work go."""
    profile = want.profile
    for name, key in profile.below("sysctl"):
        yield want(key, f"file:{sysctl_path(name)}", profile.text(key))
    if "clock.source" in profile:
        yield want("clock.source", CLOCK, profile.text("clock.source"))
    mask = render_mask(cores.housekeeping)
    for key, target in (
        ("irq.default", "file:/proc/irq/default_smp_affinity"),
        ("irq.workqueues", "file:/sys/devices/virtual/workqueue/cpumask"),
    ):
        if profile.text(key) == "housekeeping" and cores.isolated:
            yield want(key, target, mask)


def claims(want: Wishes, facts: Facts) -> Items:
    """Yield what must be so and can only be looked at."""
    profile = want.profile
    for device in profile.words("rdma.devices"):
        there = device in facts.rdma
        remedy = "load the card's RDMA driver; see /sys/class/infiniband"
        found = device if there else "missing"
        yield want.check("rdma.devices", device, found, remedy, holds=there)
    if "clock.keeper" in profile:
        wanted, keepers = profile.text("clock.keeper"), facts.clocks.get("keepers", "").split()
        good = bool(keepers) if wanted == "any" else wanted in keepers
        yield want.check("clock.keeper", wanted, " ".join(keepers) or "nobody",
                         "install and start chrony, or ptp4l where there is a PTP clock",
                         holds=good)  # fmt: skip
    yield from firmware(want, facts)


def firmware(want: Wishes, facts: Facts) -> Items:
    """Yield what the firmware decides: measured where it shows, else for a person to look."""
    profile, remedy = want.profile, "change it in the firmware's set-up"
    sockets = len({cpu.package for cpu in facts.cpus}) or 1
    threads = max((len(cpu.siblings) for cpu in facts.cpus), default=1)
    counted = {
        "bios.smt": "on" if threads > 1 else "off",
        "bios.sockets": str(sockets),
        "bios.nodes_per_socket": str(len(facts.nodes) // sockets),
    }
    for key, found in counted.items():
        if key in profile:
            wanted = profile.text(key)
            yield want.check(key, wanted, found, remedy, holds=found == wanted)
    for _, key in profile.below("bios.product_settings"):
        setting = want(key, f"fact:{key}", profile.text(key))
        reason = "it cannot be read from here; look in the firmware's set-up"
        yield Finding(setting, None, NOT_SETTABLE, reason, True)


def summary(found: Plan) -> dict[str, int]:
    """Return how many findings are in each state."""
    counts: dict[str, int] = {OK: 0}
    for one in found.findings:
        counts[one.state] = counts.get(one.state, 0) + 1
    return counts
