"""Breaks a machine that is as promised, one setting after the other, and has verify name each.

A setting is written by the same means as apply writes it, or something is done that apply knows
nothing of: a card pulled out, a clock keeper killed, pages taken, a thread put on an isolated
core. Each is mended before the next.
"""

from __future__ import annotations

import contextlib
import json
import mmap
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

from checks import check, keep, start_keeper, tickplane

from control import target
from control.host import Host

HOST = Host()
HUGE_PAGE = 2 << 20
OTHERS = {
    "memory.transparent_huge": "always",
    "memory.transparent_huge_defrag": "madvise",
    "clock.source": "hpet",
    "irq.default": "f",
    "irq.workqueues": "f",
    "irq.others": "0-3",
    "nics.feed.driver": "none",
    "nics.orders.driver": "none",
    "nics.orders.queues": "1",
    "nics.orders.rss_queues": "even 2",
    "nics.orders.mtu": "1400",
}
LATE_TARGETS = ("smp_affinity_list", ":driver", ":up")

Finding = dict[str, Any]


def run() -> None:
    """Break, look, mend; at the end everything at once, mended by apply."""
    named, tried = 0, len(BY_HAND)
    report: list[str] = []
    settings = breakable()
    for one in settings:
        if takes_another(one):
            tried += 1
            named += try_setting(one, report)
    for name, key, remedy, breakage in BY_HAND:
        with breakage() as words:
            named += is_named(name, key, remedy, words, report)
    keep("broken.txt", "\n".join(report))
    check("seeded misconfigurations, each named with its remedy",
          named == tried and named >= 25, f"{named} of {tried}")  # fmt: skip
    all_at_once(settings)


def breakable() -> list[Finding]:
    """Return one finding for each key that apply writes, those with side effects last."""
    _, text = tickplane("verify", "lab", "--all", "--json")
    first: dict[str, Finding] = {}
    for one in json.loads(text)["findings"]:
        kind = one["target"].partition(":")[0]
        if one["state"] == "ok" and not one["by_hand"] and kind not in ("fact", "boot", "unit"):
            first.setdefault(one["key"], one)
    return sorted(first.values(), key=lambda one: one["target"].endswith(LATE_TARGETS))


def other(one: Finding) -> str:
    """Return a value that is not the wanted one."""
    wanted = str(one["wanted"])
    if one["key"] in OTHERS:
        return OTHERS[one["key"]]
    if wanted in ("on", "off"):
        return "off" if wanted == "on" else "on"
    if one["target"].startswith("text:"):
        return "# edited by hand"
    number = int(wanted)
    return str(number - 1) if number > 1 else str(1 - number)


def takes_another(one: Finding) -> bool:
    """Write another value; False when this machine takes none (a watchdog without a counter)."""
    with contextlib.suppress(OSError):
        target.write(HOST, one["target"], other(one))
    if target.read(HOST, one["target"]) != one["found"]:
        return True
    print(f"     {one['target']}: this machine takes only {one['found']}", flush=True)
    return False


def try_setting(one: Finding, report: list[str]) -> int:
    """Look at a setting that was changed, write the wanted value; 1 when it was named."""
    name = one["target"]
    try:
        return is_named(f"{name} = {other(one).splitlines()[0]}", one["key"],
                        "run: tickplane apply", (), report)  # fmt: skip
    finally:
        target.write(HOST, name, one["wanted"])
        settle(name)


def settle(name: str) -> None:
    """Wait until a card that was given back has its interface again, and raise it."""
    if not name.endswith(":driver") or target.read(HOST, name) == "vfio-pci":
        return
    tickplane("apply", "lab", "--yes")


def is_named(name: str, key: str, remedy: str, words: tuple[str, ...], report: list[str]) -> int:
    """Say whether verify fails, and names the key with what to do."""
    status, text = tickplane("verify", "lab", *words)
    blocks = text.replace("\n             ", "\n\t").splitlines()
    starts = [index for index, line in enumerate(blocks) if f" {key}" in line and "\t" not in line]
    about = ["\n".join(blocks[index : index + 4]) for index in starts]
    holds = status == 1 and any(remedy in block for block in about)
    report += [f"== {name}", about[0] if about else text, ""]
    if not holds:
        check(f"verify names {key}", False, f"{name}: status {status}")
    return int(holds)


def all_at_once(settings: list[Finding]) -> None:
    """Break every setting, and see one apply mend the machine."""
    for one in settings:
        with contextlib.suppress(OSError):  # of a card that an earlier one took away
            target.write(HOST, one["target"], other(one))
    status, text = tickplane("verify", "lab")
    broken = text.splitlines()[-1]
    mended, said = tickplane("apply", "lab", "--yes")
    keep("apply-mended.txt", said)
    check("everything broken at once, mended by one apply", (status, mended) == (1, 0),
          f"{broken}; then: {said.splitlines()[-2]}")  # fmt: skip


# ---- what no setting is ----


@contextlib.contextmanager
def card_pulled() -> Iterator[tuple[str, ...]]:
    """Take the card of the orders off the bus, and the one that would be taken for it."""
    bus = Path("/sys/bus/pci")
    for address in ("0000:42:00.0", "0000:82:00.0"):
        (bus / "devices" / address / "remove").write_text("1")
    yield ()
    (bus / "rescan").write_text("1")
    tickplane("apply", "lab", "--yes")


@contextlib.contextmanager
def keeper_killed() -> Iterator[tuple[str, ...]]:
    """Kill who keeps the clock."""
    pids = [name for name in HOST.names("/proc") if HOST.read(f"/proc/{name}/comm") == "chronyd"]
    for pid in pids:
        os.kill(int(pid), signal.SIGKILL)
    wait_until(lambda: not any(HOST.exists(f"/proc/{pid}/exe") for pid in pids))
    yield ()
    start_keeper()


@contextlib.contextmanager
def pages_taken() -> Iterator[tuple[str, ...]]:
    """Take every huge page that is free, so that a node has none to give."""
    count = HOST.whole("/sys/kernel/mm/hugepages/hugepages-2048kB/free_hugepages")
    flags = mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS | 0x40000  # MAP_HUGETLB
    with contextlib.closing(mmap.mmap(-1, count * HUGE_PAGE, flags=flags)) as pages:
        for index in range(count):
            pages[index * HUGE_PAGE] = 1
        yield ("--prove",)


@contextlib.contextmanager
def core_shared() -> Iterator[tuple[str, ...]]:
    """Put a busy process on an isolated core: two threads there bring the tick back."""
    busy = subprocess.Popen(["taskset", "-c", "1", sys.executable, "-c", "while True: pass"])
    try:
        yield ("--prove",)
    finally:
        busy.kill()
        busy.wait()


def wait_until(holds: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until something is so; TimeoutError when it does not come."""
    end = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > end:
            raise TimeoutError(f"not within {seconds} s")
        time.sleep(0.05)


Breakage = Callable[[], AbstractContextManager[tuple[str, ...]]]
BY_HAND: tuple[tuple[str, str, str, Breakage], ...] = (
    ("the clock's keeper killed", "clock.keeper", "install and start chrony", keeper_killed),
    ("all huge pages taken", "memory.huge_2m", "no page of node", pages_taken),
    ("a second thread on core 1", "boot.nohz_full", "is the boot entry in force", core_shared),
    ("the card pulled out", "nics.orders.ids", "no such card", card_pulled),
)
