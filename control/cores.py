"""Which cores do what: a profile's rules meet the cores that are there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from control.cpulist import parse_list, render_list
from control.facts import Cpu, Facts
from control.kinds import RULE
from control.profile import Profile, ProfileError


@dataclass(frozen=True)
class Cores:
    """Cores by their work. Roles get first threads of physical cores, near the cards."""

    housekeeping: tuple[int, ...] = ()
    isolated: tuple[int, ...] = ()
    roles: Mapping[str, tuple[int, ...]] = field(default_factory=dict)


def choose(profile: Profile, facts: Facts, nodes: tuple[int, ...]) -> Cores:
    """Return who works where; ``nodes`` are those of the profile's cards.

    Raises ProfileError where the profile asks for more than there is.
    """
    every = tuple(cpu.index for cpu in facts.cpus)
    housekeeping = picked(profile, "cpu.housekeeping", facts, every, (), nodes)
    isolated = picked(profile, "cpu.isolated", facts, (), housekeeping, nodes)
    check(profile, facts, housekeeping, isolated)
    if "cpu.housekeeping" not in profile:
        housekeeping = tuple(core for core in every if core not in isolated)
    return Cores(housekeeping, isolated, assign(profile, facts, isolated, nodes))


def picked(
    profile: Profile,
    key: str,
    facts: Facts,
    default: tuple[int, ...],
    taken: tuple[int, ...],
    nodes: tuple[int, ...],
) -> tuple[int, ...]:
    """Return the cores that one key means on this machine."""
    if key not in profile:
        return default
    text = profile.text(key)
    if not RULE.fullmatch(text):
        return parse_list(text)
    if text == "all":
        return tuple(cpu.index for cpu in facts.cpus)
    if text.startswith("first "):
        return first_of_each_node(facts, int(text.split()[1]))
    if text == "none":
        return ()
    near = nodes if text.endswith("nic node") and nodes else facts.nodes
    return tuple(cpu.index for cpu in facts.cpus if cpu.index not in taken and cpu.node in near)


def first_of_each_node(facts: Facts, count: int) -> tuple[int, ...]:
    """Return the first physical cores of each node, with all their threads."""
    found: set[int] = set()
    for node in facts.nodes:
        first = [cpu for cpu in facts.cpus if cpu.node == node and is_first_thread(cpu)]
        for cpu in first[:count]:
            found.update(cpu.siblings)
    return tuple(sorted(found))


def is_first_thread(cpu: Cpu) -> bool:
    """Say whether a processor is the first of its physical core."""
    return cpu.index == min(cpu.siblings)


def check(
    profile: Profile, facts: Facts, housekeeping: tuple[int, ...], isolated: tuple[int, ...]
) -> None:
    """Raise ProfileError when cores are not there, or asked to do both."""
    there = {cpu.index for cpu in facts.cpus}
    for key, cores in (("cpu.housekeeping", housekeeping), ("cpu.isolated", isolated)):
        if not set(cores) <= there:
            gone = render_list(set(cores) - there)
            fail(profile, key, f"core {gone} is not on this machine; it has {render_list(there)}")
    if "cpu.housekeeping" not in profile or "cpu.isolated" not in profile:
        return
    both = set(housekeeping) & set(isolated)
    if both:
        fail(profile, "cpu.isolated", f"core {render_list(both)} is also a housekeeping core; "
             "a core does one or the other")  # fmt: skip
    for cpu in facts.cpus:
        shared = set(cpu.siblings) & set(housekeeping)
        if cpu.index in isolated and shared and profile.text("cpu.siblings") == "isolate":
            fail(profile, "cpu.isolated", f"core {cpu.index} is a thread of the same physical core "
                 f"as housekeeping core {render_list(shared)}; "
                 "isolate both, or say siblings: keep")  # fmt: skip


def assign(
    profile: Profile, facts: Facts, isolated: tuple[int, ...], nodes: tuple[int, ...]
) -> dict[str, tuple[int, ...]]:
    """Return the cores of each role, those near the cards first."""
    by_index = {cpu.index: cpu for cpu in facts.cpus}
    free = [core for core in isolated if is_first_thread(by_index[core])]
    free.sort(key=lambda core: (by_index[core].node not in nodes, core))
    roles: dict[str, tuple[int, ...]] = {}
    for name, key in profile.below("cpu.roles"):
        count = profile.whole(key)
        if count > len(free):
            wanted = sum(profile.whole(each) for _, each in profile.below("cpu.roles"))
            fail(profile, key, f"the roles want {wanted} cores, and {len(isolated)} are isolated "
                 "(second threads get no role); isolate more, or give roles fewer")  # fmt: skip
        roles[name], free = tuple(free[:count]), free[count:]
    return roles


def fail(profile: Profile, key: str, problem: str) -> None:
    """Raise ProfileError with the line of a key."""
    raise ProfileError(f"{profile.entries[key].where}: {key}: {problem}")
