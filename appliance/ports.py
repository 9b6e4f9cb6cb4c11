"""``tickplane ports``: the ports of this machine, best first, each with the reason for its verdict.

Below each stand those that running appliances have open, with their counters. Changes nothing.
What a port needs beside its library (huge pages, a bound card, an interface) is read from /sys;
whether the kernel lets us is tried out.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from appliance.running import running_pages
from dataplane.port_kind import kinds

if TYPE_CHECKING:
    from dataplane.port_kind import Kind

SYS = Path("/sys")
NETWORK_CLASS = "0x02"


class Verdict(NamedTuple):
    """Whether a port can be used here, why or why not, and what it could be opened on."""

    name: str
    words: str
    usable: bool
    reason: str
    devices: list[str]
    in_use: tuple[dict[str, Any], ...] = ()  # by appliances that run: whose, counters, link


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument("--json", action="store_true", help="one JSON list")


def run(args: argparse.Namespace) -> int:
    """Print a line for each port."""
    used = list(in_use())
    verdicts = [
        judge(kind, SYS)._replace(in_use=tuple(one for one in used if one["port"] == kind["name"]))
        for kind in kinds()
    ]
    if args.json:
        print(json.dumps([verdict._asdict() for verdict in verdicts], indent=2))
    else:
        print(render(verdicts))
    return 0


def judge(kind: Kind, sys: Path) -> Verdict:
    """Return the verdict on one kind; ``sys`` is where /sys is."""
    name, words = kind["name"], kind["words"]
    if not kind["is_built"]:
        reason = f"not in this build; install {kind['library']} and build again"
        return Verdict(name, words, False, reason, [])
    if kind["problem"]:
        return Verdict(name, words, False, kind["problem"], [])
    if name == "dpdk":
        return judge_dpdk(words, sys)
    devices = interfaces(sys) if name == "xdp" else []
    return Verdict(name, words, True, "works", devices)


def judge_dpdk(words: str, sys: Path) -> Verdict:
    """Return what DPDK would find: bound cards and free huge pages."""
    cards = bound_cards(sys)
    pages = free_huge_pages(sys)
    size = "no huge page is free" if not pages else f"{pages} MiB of huge pages are free"
    if cards and pages:
        return Verdict("dpdk", words, True, size, cards)
    missing = "no card is bound to vfio-pci" if not cards else size
    return Verdict("dpdk", words, True, f"virtual devices only: {missing}; {size}", cards)


def in_use() -> Iterator[dict[str, Any]]:
    """Yield every port of the appliances that run here: which appliance, counters, link."""
    for name, page in running_pages():
        for one in page.ports():
            yield {"appliance": name, **one}


def bound_cards(sys: Path) -> list[str]:
    """Return PCI addresses of network cards that vfio-pci has."""
    driver = sys / "bus/pci/drivers/vfio-pci"
    return sorted(
        device.name
        for device in driver.glob("*:*")
        if read(device / "class").startswith(NETWORK_CLASS)
    )


def free_huge_pages(sys: Path) -> int:
    """Return the MiB of huge pages that nobody has."""
    total = 0
    for pool in (sys / "kernel/mm/hugepages").glob("hugepages-*kB"):
        size_kib = int(pool.name.removeprefix("hugepages-").removesuffix("kB"))
        total += size_kib * int(read(pool / "free_hugepages") or 0)
    return total // 1024


def interfaces(sys: Path) -> list[str]:
    """Return network interfaces with driver, state and receive queues."""
    found = []
    for interface in sorted((sys / "class/net").glob("*")):
        driver = interface / "device/driver"
        name = driver.resolve().name if driver.exists() else "virtual"
        queues = len(list((interface / "queues").glob("rx-*")))
        state = read(interface / "operstate") or "unknown"
        found.append(f"{interface.name} ({name}, {state}, {queues} receive queues)")
    return found


def read(path: Path) -> str:
    """Return the first line of a file of /sys; "" when there is none."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def render(verdicts: list[Verdict]) -> str:
    """Return the verdicts as people read them."""
    lines = ["ports of this machine, best first:"]
    for verdict in verdicts:
        mark = "yes" if verdict.usable else "no"
        lines.append(f"  {verdict.name:<6} {mark:<4} {verdict.words}: {verdict.reason}")
        lines += [f"              {device}" for device in verdict.devices]
        lines += [f"              {one['appliance']}: {describe(one)}" for one in verdict.in_use]
    return "\n".join(lines)


def describe(one: dict[str, Any]) -> str:
    """Return a port's counters and link in one line."""
    link = "up" if one["is_up"] else "down"
    return (
        f"{one['rx_packets']:>10,} received, {one['tx_packets']:,} sent; lost {one['rx_failed']:,} "
        f"in, {one['tx_failed']:,} out; refused {one['tx_refused']:,}; "
        f"{one['buffers_used']:,} buffers out; link {link}"
    )
