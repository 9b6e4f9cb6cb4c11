"""Reads the facts of a machine: /sys, /proc, and the kernel's netlink when it is this machine.

Changes nothing and needs no privilege; what only root may see is missing for others. ``extra``
names sysctls and services that a profile asks for beyond the usual ones.
"""

from __future__ import annotations

import platform
from collections.abc import Iterable

from control.collect_nic import nic_values, nics, operator_interfaces
from control.collect_pci import devices, pci_values
from control.collect_values import boot_values, file_values, read_only, unit_values
from control.cpulist import parse_list
from control.facts import Cpu, Facts
from control.host import Host

CPU = "/sys/devices/system/cpu"
NODE = "/sys/devices/system/node"
CLOCK = "/sys/devices/system/clocksource/clocksource0"
DMI = "/sys/class/dmi/id"
# What tells whether a clock, a huge page or an idle state can be had at all.
FLAGS = {
    "constant_tsc", "nonstop_tsc", "tsc_known_freq", "pdpe1gb", "hypervisor", "monitor",
    "waitpkg", "avx2", "avx512f", "rdtscp", "umip", "movdir64b",
}  # fmt: skip


def collect(host: Host, extra: Iterable[str] = ()) -> Facts:
    """Return the facts of the machine behind ``host``."""
    info = cpu_info(host)
    flags = tuple(sorted(FLAGS & set(info.get("flags", "").split())))
    files = file_values(host, extra)
    cards = nics(host)
    pci = devices(host)
    return Facts(
        source="this machine" if host.is_live else str(host.root),
        vendor=host.read(f"{DMI}/sys_vendor") or "",
        product=host.read(f"{DMI}/product_name") or "",
        bios=host.read(f"{DMI}/bios_version") or "",
        kernel=host.read("/proc/sys/kernel/osrelease") or platform.release(),
        cpu_vendor=info.get("vendor_id", ""),
        cpu_model=info.get("model name", ""),
        cpu_flags=flags,
        virtual="hypervisor" in flags,
        cpus=cpus(host),
        memory_kib=memory(host),
        nics=cards,
        pci=pci,
        rdma=tuple(host.names("/sys/class/infiniband")),
        clocks=clocks(host),
        boot_loader=boot_loader(host),
        operator_interfaces=operator_interfaces(host),
        read_only=read_only(host, files),
        values=files
        | boot_values(host)
        | unit_values(host, extra)
        | nic_values(host, cards)
        | pci_values(host, pci),
    )


def cpu_info(host: Host) -> dict[str, str]:
    """Return what /proc/cpuinfo says of the first processor."""
    first = (host.read("/proc/cpuinfo") or "").split("\n\n")[0]
    pairs = (line.partition(":") for line in first.splitlines())
    return {key.strip(): value.strip() for key, _, value in pairs}


def cpus(host: Host) -> tuple[Cpu, ...]:
    """Return the processors that are there, also those that are switched off."""
    nodes = {
        core: int(name.removeprefix("node"))
        for name in node_names(host)
        for core in parse_list(host.read(f"{NODE}/{name}/cpulist") or "")
    }
    found = []
    for index in parse_list(host.read(f"{CPU}/present") or ""):
        topology = f"{CPU}/cpu{index}/topology"
        siblings = host.read(f"{topology}/thread_siblings_list") or str(index)
        package = host.whole(f"{topology}/physical_package_id")
        core = host.whole(f"{topology}/core_id", index)
        node = nodes.get(index, 0)
        found.append(Cpu(index, node, package, core, parse_list(siblings)))
    return tuple(found)


def node_names(host: Host) -> list[str]:
    """Return the folders of memory nodes, in the order of their numbers."""
    names = [name for name in host.names(NODE) if name.removeprefix("node").isdigit()]
    return sorted(names, key=lambda name: int(name.removeprefix("node")))


def memory(host: Host) -> dict[int, int]:
    """Return the KiB of memory by node."""
    found = {}
    for name in node_names(host):
        for line in (host.read(f"{NODE}/{name}/meminfo") or "").splitlines():
            words = line.split()
            if len(words) >= 4 and words[2] == "MemTotal:":
                found[int(name.removeprefix("node"))] = int(words[3])
    return found


def boot_loader(host: Host) -> str:
    """Return who gives the kernel its words: GRUB, a slot of our image, or nobody known."""
    if host.exists("/usr/sbin/tickplane-slot"):
        return "slots"
    return "grub" if host.exists("/etc/default/grub") else ""


def clocks(host: Host) -> dict[str, str]:
    """Return the clock sources, and who keeps the time."""
    found = {
        "available": host.read(f"{CLOCK}/available_clocksource") or "",
        "ptp": " ".join(host.names("/sys/class/ptp")),
    }
    running = {host.read(f"/proc/{name}/comm") for name in host.names("/proc") if name.isdigit()}
    keepers = ("chronyd", "ptp4l", "phc2sys", "systemd-timesyn", "ntpd")
    found["keepers"] = " ".join(name for name in keepers if name in running)
    return found
