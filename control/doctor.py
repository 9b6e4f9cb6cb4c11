"""How well a machine is: measured, not read off. Changes nothing; takes the cores that it measures.

One core after the other, a thread spins and notes every pause (our own form of hwlat and osnoise,
which Debian's kernels do not have), with the interrupts that came meanwhile. Then the way of a
cache line between cores, loads from memory, a huge page of each node, the clock, cards and heat.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from control import rdma
from control.effects import interrupts_of, page_on
from control.errors import ControlError
from control.facts import Facts
from control.host import Host
from dataplane import card
from dataplane.errors import DataplaneError
from dataplane.noise import Meter

PAUSE_NS_MIN = 1000
TRIP_CORES_MAX = 8  # every pair of eight cores is 56 measurements
MEMORY_SIZES = {"32 KiB": 32 << 10, "1 MiB": 1 << 20, "64 MiB": 64 << 20}
NODE = "/sys/devices/system/node"
SOURCE = "/sys/devices/system/clocksource/clocksource0/current_clocksource"
ACCELERATOR = "12"  # class of a PCI device
LOST = ("rx_dropped", "rx_missed_errors", "rx_fifo_errors", "rx_over_errors", "tx_dropped")

Report = dict[str, Any]


def examine(host: Host, facts: Facts, cores: Sequence[int], seconds: float) -> Report:
    """Return everything that can be measured and looked at; ``cores`` get ``seconds`` each."""
    meter = Meter()
    before = os.sched_getaffinity(0)
    usable = [core for core in cores if core in before]
    try:
        noise = {core: listen(meter, core, seconds) for core in usable}
        trips = dict(round_trips(meter, usable[:TRIP_CORES_MAX]))
        os.sched_setaffinity(0, usable[:1] or before)
        memory = {name: round(meter.memory(size), 1) for name, size in MEMORY_SIZES.items()}
    finally:
        os.sched_setaffinity(0, before)
    return {
        "cores": noise,
        "skipped_cores": [core for core in cores if core not in usable],
        "trips_ns": trips,
        "memory_ns": memory,
        "huge_pages": list(huge_pages(host, facts)),
        "clock": {**meter.clock(), "source": host.read(SOURCE) or "unknown",
                  "keepers": facts.clocks.get("keepers", "")},
        "cards": [nic_card(host, facts, nic.name) for nic in facts.nics],
        "offload": list(offload(facts)),
        "rdma": list(rdma_devices()),
        "heat": heat(host),
        "rtla": shutil.which("rtla") is not None,
    }  # fmt: skip


def listen(meter: Meter, core: int, seconds: float) -> Report:
    """Spin on a core; return its pauses, and the interrupts a second meanwhile."""
    os.sched_setaffinity(0, {core})
    first = interrupts_of(core)
    noise = meter.listen(seconds, PAUSE_NS_MIN)
    interrupts = interrupts_of(core) - first
    lost = noise["pause_total_ns"] / max(1, noise["duration_ns"])
    return {
        "pauses": noise["pauses"],
        "pause_max_ns": noise["pause_max_ns"],
        "lost_ppm": round(lost * 1e6),
        "interrupts_per_s": round(interrupts * 1e9 / max(1, noise["duration_ns"]), 1),
        "histogram_ns": {str(ns): count for ns, count in noise["histogram_ns"].items()},
    }


def round_trips(meter: Meter, cores: Sequence[int]) -> Iterator[tuple[str, int]]:
    """Yield the least round trip of a cache line between each two cores, ``a-b`` to ns."""
    for index, here in enumerate(cores):
        for there in cores[index + 1 :]:
            try:
                count, least, _ = meter.trip(here, there)
            except DataplaneError:
                continue  # a core that this process may not use
            if count:
                yield f"{here}-{there}", least


def huge_pages(host: Host, facts: Facts) -> Iterator[Report]:
    """Yield each pool that has pages: how many are free, and where one of them really is."""
    for node in facts.nodes:
        for kib in (2048, 1 << 20):
            folder = f"{NODE}/node{node}/hugepages/hugepages-{kib}kB"
            total = host.whole(f"{folder}/nr_hugepages")
            if total:
                free = host.whole(f"{folder}/free_hugepages")
                try:
                    where = str(page_on(node, kib * 1024))
                except OSError as error:
                    where = f"none can be had: {(error.strerror or str(error)).lower()}"
                yield {"node": node, "kib": kib, "total": total, "free": free, "lies_on": where}


def nic_card(host: Host, facts: Facts, name: str) -> Report:
    """Return which cores serve a card's queues, and what it lost since it came up."""
    nic = facts.nic(name)
    folder = f"/sys/class/net/{name}/statistics"
    return {
        "name": name,
        "queues": {
            str(queue): facts.values.get(f"file:/proc/irq/{irq}/smp_affinity_list", "unknown")
            for queue, irq in enumerate(nic.irqs if nic else ())
        },
        "lost": {item: count for item in LOST if (count := host.whole(f"{folder}/{item}"))},
    }


def offload(facts: Facts) -> Iterator[Report]:
    """Yield what backends of the card's hooks offer, and the cards that are there."""
    places = [
        f"pci:{one.address}"
        for one in facts.pci
        if one.driver == "vfio-pci" and one.kind.startswith(ACCELERATOR)
    ]
    for name in [*(kind["name"] for kind in card.kinds() if not kind["where"]), *places]:
        try:
            opened = card.Card(name)
        except DataplaneError as error:
            yield {"name": name, "map": "", "identity": "", "can": [], "why": str(error)}
            continue
        can = [hook for hook, able in opened.capabilities().items() if able]
        identity = opened.identity().hex() if any(opened.identity()) else ""
        yield {"name": name, "map": opened.version(), "identity": identity, "can": can, "why": ""}


def rdma_devices() -> Iterator[Report]:
    """Yield each RDMA device: its state and addresses, or why nothing can be said."""
    for name in rdma.names():
        try:
            one = rdma.device(name)
        except ControlError as error:
            yield {"name": name, "state": "", "gids": [], "raw_packets": "", "why": str(error)}
            continue
        yield {"name": name, "state": one.state, "gids": [gid.gid for gid in one.gids],
               "raw_packets": one.raw_packets, "why": ""}  # fmt: skip


def heat(host: Host) -> Report:
    """Return the temperatures in degrees, and how often cores were slowed down for heat."""
    zones = host.glob("/sys/class/thermal/thermal_zone*/temp")
    counts = host.glob("/sys/devices/system/cpu/cpu*/thermal_throttle/core_throttle_count")
    return {
        "degrees": [host.whole(zone) // 1000 for zone in zones],
        "throttled": sum(host.whole(count) for count in counts),
    }


def complaints(report: Report, budgets: Mapping[str, int]) -> Iterator[str]:
    """Yield what is not as it should be, each with what would do."""
    for core, noise in report["cores"].items():
        limit = budgets.get("noise_ns_max")
        if limit is not None and noise["pause_max_ns"] > limit:
            yield (f"core {core}: longest pause {noise['pause_max_ns']} ns; the budget is {limit}: "
                   "look at its interrupts, then at the firmware (SMI, C-states)")  # fmt: skip
        limit = budgets.get("interrupts_per_s_max")
        if limit is not None and noise["interrupts_per_s"] > limit:
            yield (f"core {core}: {noise['interrupts_per_s']} interrupts/s; the budget is {limit}: "
                   "see /proc/interrupts; isolcpus, nohz_full, affinities")  # fmt: skip
    for core in report["skipped_cores"]:
        yield f"core {core}: not measured, this process may not run there; start it without taskset"
    for pool in report["huge_pages"]:
        if pool["lies_on"] not in (str(pool["node"]),) and pool["free"]:
            yield (f"node {pool['node']}: a huge page of {pool['kib']} KiB: lies on "
                   f"{pool['lies_on']}; make the pages at boot")  # fmt: skip
    yield from other_complaints(report)


def other_complaints(report: Report) -> Iterator[str]:
    """Yield what is wrong with clock, cards and heat."""
    clock = report["clock"]
    if not clock["invariant"]:
        yield "clock: the counter's rate is not constant; latencies measured with it are wrong"
    if clock["source"] != "tsc":
        yield f"clock: the kernel reads {clock['source']}; set clock.source to tsc"
    if not clock["keepers"]:
        yield "clock: nobody keeps it right; install chrony"
    for nic in report["cards"]:
        for item, count in nic["lost"].items():
            yield f"{nic['name']}: {item}: {count}; longer rings, or a faster reader"
    if report["heat"]["throttled"]:
        yield f"heat: cores were slowed down {report['heat']['throttled']} times; cool the machine"
