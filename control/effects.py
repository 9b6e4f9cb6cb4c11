"""Proof by effect: does a setting do what its value says?

Tools lie: a count of huge pages says nothing about where they are, a core may be listed as isolated
and still be interrupted. So a page of each node is taken and the kernel is asked where it lies, and
each isolated core is watched while a thread spins on it, a socket of AF_XDP is asked whether its
frames are copied, and frames of each flow rule are sent and the queue looked for that counted them.
"""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import mmap
import os
import re
import time
from collections.abc import Iterator

from control import probe
from control.facts import Facts
from control.plan import Plan
from control.plan_nic import cards
from control.setting import DRIFT, OK, Finding, Wishes
from control.zero_copy import is_zero_copy

MAP_HUGETLB, SIZE_SHIFT = 0x40000, 26
MBIND, BIND = 237, 2  # x86-64 system call number; MPOL_BIND
SPIN_SECONDS = 1.0
# Housekeeping still ticks about once a second on a nohz_full core, more in virtual machines.
TICKS_PER_S_MAX = 50


def with_effects(found: Plan, facts: Facts) -> Plan:
    """Return the plan with its findings on huge pages and isolated cores proven or refuted."""
    changed = list(found.findings)
    for index, one in enumerate(changed):
        if one.state == OK and one.setting.key.startswith("memory.huge_"):
            changed[index] = prove_huge_page(one)
    changed += list(prove_quiet(found))
    changed += list(prove_zero_copy(found, facts))
    changed += list(prove_rules(found, facts))
    return dataclasses.replace(found, findings=tuple(changed))


def prove_huge_page(one: Finding) -> Finding:
    """Take one page of the pool on its node and ask the kernel where it is."""
    words = re.search(r"node(\d+)/hugepages/hugepages-(\d+)kB", one.setting.target)
    if words is None or one.setting.wanted == "0":
        return one
    node, size = int(words[1]), int(words[2]) * 1024
    try:
        where = page_on(node, size)
    except OSError as error:
        reason = f"no page of node {node} can be had: {(error.strerror or str(error)).lower()}"
        return dataclasses.replace(one, state=DRIFT, reason=reason, by_hand=True)
    if where == node:
        return one
    reason = f"a page asked of node {node} lies on node {where}"
    return dataclasses.replace(one, state=DRIFT, reason=reason, by_hand=True)


def page_on(node: int, size: int) -> int:
    """Map one huge page that must come from a node; return the node where the kernel says it is."""
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | MAP_HUGETLB
    flags |= (size.bit_length() - 1) << SIZE_SHIFT
    with contextlib.closing(mmap.mmap(-1, size, flags=flags)) as page:
        anchor = ctypes.c_char.from_buffer(page)
        address = ctypes.addressof(anchor)
        del anchor
        mask = ctypes.c_ulong(1 << node)
        libc = ctypes.CDLL(None, use_errno=True)
        # A kernel without nodes does not know the call; then there is one node to be on.
        libc.syscall(MBIND, ctypes.c_void_p(address), ctypes.c_ulong(size), BIND,
                     ctypes.byref(mask), ctypes.c_ulong(64), 0)  # fmt: skip
        page[0] = 1
        return node_of(address)


def node_of(address: int) -> int:
    """Return the node that numa_maps has for a mapping; 0 where the kernel has no such file."""
    try:
        with open("/proc/self/numa_maps") as file:
            lines = file.read().splitlines()
    except OSError:
        return 0
    line = next((line for line in lines if line.startswith(f"{address:08x} ")), "")
    found = re.search(r"\bN(\d+)=", line)
    return int(found[1]) if found else 0


def prove_quiet(found: Plan) -> Iterator[Finding]:
    """Yield a finding for each isolated core: interrupts a second while a thread spins there."""
    profile = found.profile
    key = next((k for k in ("boot.nohz_full", "cpu.isolated") if k in profile), "")
    limit = profile.whole("budgets.interrupts_per_s_max", TICKS_PER_S_MAX)
    for core in found.cores.isolated if key else ():
        rate = interrupts_per_second(core)
        setting = dataclasses.replace(
            found.findings[0].setting, key=key, target=f"fact:interrupts of core {core}",
            wanted=f"at most {limit} interrupts/s", why=profile.entries[key].why,
            where=profile.entries[key].where,
        )  # fmt: skip
        good = rate <= limit
        reason = "" if good else "look which in /proc/interrupts; is the boot entry in force?"
        yield Finding(setting, f"{rate:.0f}/s on core {core}", OK if good else DRIFT, reason, True)


def prove_zero_copy(found: Plan, facts: Facts) -> Iterator[Finding]:
    """Yield for each queue of an AF_XDP card what the kernel says of a socket bound to it."""
    want = Wishes(found.profile)
    for one in cards(found.profile, facts):
        key = f"{one.key}.driver"
        if found.profile.text(key) != "af_xdp" or one.nic is None:
            continue
        for queue in range(one.nic.rx_queues):
            try:
                said = "zero copy" if is_zero_copy(one.nic.name, queue) else "copies"
            except OSError as error:
                said = f"no socket: {(error.strerror or str(error)).lower()}"
            setting = want(key, f"fact:{one.nic.name} queue {queue}", "zero copy")
            good = said == "zero copy"
            reason = "" if good else "take a driver that has zero copy, or say driver: kernel"
            yield Finding(setting, said, OK if good else DRIFT, reason, True)


def prove_rules(found: Plan, facts: Facts) -> Iterator[Finding]:
    """Yield for each flow rule the queue that counted frames of its flow, sent to the card."""
    want = Wishes(found.profile)
    for one in cards(found.profile, facts):
        sender = found.profile.text(f"{one.key}.probe_from")
        rules = found.profile.below(f"{one.key}.flow_rules") if sender and one.nic else ()
        for name, key in rules:
            assert one.nic is not None
            rule = found.profile.text(key)
            wanted = rule.rpartition(" ")[2]
            try:
                queue = probe.queue_of(rule, one.nic.name, sender)
                said = "nowhere" if queue is None else str(queue)
            except OSError as error:
                said = f"not sent from {sender}: {(error.strerror or str(error)).lower()}"
            good = said == wanted
            reason = "" if good else "see ethtool -n; is the sender cabled to the card?"
            setting = want(key, f"fact:queue of {name}", wanted)
            yield Finding(setting, said, OK if good else DRIFT, reason, True)


def interrupts_per_second(core: int) -> float:
    """Spin on a core and return how many interrupts it took meanwhile, per second."""
    before_affinity = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {core})
    except OSError:
        return 0.0
    try:
        first, start = interrupts_of(core), time.monotonic()
        while time.monotonic() - start < SPIN_SECONDS:
            pass
        return (interrupts_of(core) - first) / (time.monotonic() - start)
    finally:
        os.sched_setaffinity(0, before_affinity)


def interrupts_of(core: int) -> int:
    """Return how many interrupts a core has had since the machine started."""
    with open("/proc/interrupts") as file:
        lines = file.read().splitlines()
    column = lines[0].split().index(f"CPU{core}")
    counts = (line.partition(":")[2].split() for line in lines[1:])
    return sum(int(row[column]) for row in counts if len(row) > column and row[column].isdigit())
