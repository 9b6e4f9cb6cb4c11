"""Machines for tests: a tree of files as /sys and /proc, facts of machines that are elsewhere."""

from __future__ import annotations

import dataclasses
import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from control.cpulist import render_list
from control.facts import Cpu, Facts, Nic, PciDevice

MACHINES = Path(__file__).parent / "machines"
NODE = "/sys/devices/system/node"


def make_tree(root: Path, files: dict[str, str]) -> None:
    """Write files below a root; a value that begins with -> is a link."""
    for name, text in files.items():
        path = root / name.lstrip("/")
        path.parent.mkdir(parents=True, exist_ok=True)
        if text.startswith("->"):
            path.symlink_to(text[2:])
        else:
            path.write_text(text + "\n")


def documented(name: str) -> Facts:
    """Return the facts of a machine that is described in short form in ``machines/NAME.yaml``."""
    said = yaml.safe_load((MACHINES / f"{name}.yaml").read_text())
    sockets, per_socket, threads = said["sockets"], said["cores"], said["threads"]
    nodes = said["nodes"]
    cores = sockets * per_socket
    cpus = tuple(
        Cpu(
            index=index,
            node=index % cores * nodes // cores,
            package=index % cores // per_socket,
            core=index % cores,
            siblings=tuple(index % cores + cores * thread for thread in range(threads)),
        )
        for index in range(cores * threads)
    )
    cards = said.get("cards", [])
    nics = tuple(Nic(**tuples(card["nic"]) | {"pci": card["address"], "ids": card["ids"]})
                 for card in cards if "nic" in card)  # fmt: skip
    pci = tuple(
        PciDevice(card["address"], card["ids"], card.get("kind", "0200"), **card["device"])
        for card in cards
    )
    return Facts(
        **said["facts"],
        source=said["source"],
        cpus=cpus,
        memory_kib={node: said["memory_gib"] << 20 for node in range(nodes)},
        nics=nics,
        pci=pci,
        values=dict(values(said, cpus, nodes, nics, pci)),
    )


def tuples(document: dict) -> dict:
    return {key: tuple(item) if isinstance(item, list) else item for key, item in document.items()}


def values(said, cpus, nodes, nics, pci):
    """Yield the settings of a machine as it comes: what the kernel sets by itself."""
    for node in range(nodes):
        for size in (2048, 1 << 20):
            yield f"file:{NODE}/node{node}/hugepages/hugepages-{size}kB/nr_hugepages", "0"
    for cpu in cpus:
        yield from core_values(said, f"file:/sys/devices/system/cpu/cpu{cpu.index}")
    for nic in nics:
        yield from nic_values(said, nic, render_list(cpu.index for cpu in cpus))
    for device in pci:
        yield f"pci:{device.address}:driver", device.driver
        yield from named(f"pci:{device.address}:", said["pci_values"])
    yield from named("file:", said["files"])
    yield from named("boot:", said["boot"])
    yield from named("unit:", said["units"])


def named(prefix, pairs):
    return ((f"{prefix}{name}", str(value)) for name, value in pairs.items())


def core_values(said, folder):
    yield f"{folder}/cpufreq/scaling_governor", said["governor"]
    for state, latency in enumerate(said["idle_latencies"]):
        yield f"{folder}/cpuidle/state{state}/latency", str(latency)
        yield f"{folder}/cpuidle/state{state}/disable", "0"


def nic_values(said, nic, everyone):
    yield f"nic:{nic.name}:up", "on"
    yield f"nic:{nic.name}:mtu", "1500"
    yield f"nic:{nic.name}:promiscuous", "off"
    yield from named(f"nic:{nic.name}:", said["nic_values"])
    for irq in nic.irqs:
        yield f"file:/proc/irq/{irq}/smp_affinity_list", everyone


def changed(facts: Facts, **settings: str) -> Facts:
    """Return facts with other values; a value of None is gone."""
    merged = {**facts.values, **settings}
    kept = {target: value for target, value in merged.items() if value is not None}
    return dataclasses.replace(facts, values=kept)


def in_namespace(script: str, *words: str, setup: str = "") -> subprocess.CompletedProcess[str]:
    """Run Python in network and mount namespaces of its own, where /sys shows what is there.

    ``setup`` is shell that runs first. What the script does to the network goes with it.
    """
    if os.geteuid() != 0:
        pytest.skip("a network namespace of one's own needs root")
    shell = f'mount -t sysfs sysfs /sys\nip link set lo up\n{setup}\nexec "$0" -c "$@"'
    ran = subprocess.run(
        ["unshare", "--net", "--mount", "sh", "-ec", shell, sys.executable, script, *words],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if "unshare failed" in ran.stderr or "mount:" in ran.stderr:
        pytest.skip(f"this machine gives us no namespaces: {ran.stderr.strip()}")
    return ran


VETH = "ip link add tp-feed numrxqueues 4 numtxqueues 4 type veth " + (
    "peer name tp-peer numrxqueues 4 numtxqueues 4"
)
