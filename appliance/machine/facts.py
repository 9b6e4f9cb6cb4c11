"""``tickplane facts``: what this machine is, and the value of everything that can be set."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from control.collect import collect
from control.cpulist import render_list
from control.facts import Facts, Nic, PciDevice
from control.host import Host


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    parser.add_argument("--json", action="store_true", help="the whole, for `--facts` elsewhere")
    parser.add_argument("--root", default="/", help="read /sys and /proc below this folder")


def run(args: argparse.Namespace) -> int:
    """Print the facts."""
    facts = collect(Host(args.root))
    print(facts.to_json() if args.json else "\n".join(render(facts)), end="" if args.json else "\n")
    return 0


def render(facts: Facts) -> Iterator[str]:
    """Return the facts as people read them."""
    kind = "virtual" if facts.virtual else "physical"
    maker, product, bios = (text or "-" for text in (facts.vendor, facts.product, facts.bios))
    yield f"machine   {maker} {product}, {kind}, bios {bios}"
    yield f"kernel    {facts.kernel}"
    yield f"processor {facts.cpu_model or '-'}, {len(facts.cpus)} logical"
    yield from nodes(facts)
    clock = "file:/sys/devices/system/clocksource/clocksource0/current_clocksource"
    yield (
        f"clock     {facts.values.get(clock, '-')} of {facts.clocks.get('available') or '-'}; "
        + (f"kept by {facts.clocks.get('keepers') or 'nobody'}")
    )
    boot = [target for target in facts.values if target.startswith("boot:")]
    yield f"boot      {len(boot)} parameters; isolated {isolated(facts)}"
    for nic in facts.nics:
        yield from card(nic, facts)
    for device in facts.pci:
        yield f"pci       {location(device)}"
    yield f"rdma      {', '.join(facts.rdma) or 'none; docs/rdma.md'}"
    yield f"settings  {len(facts.values)}, of which {len(facts.read_only)} nobody can write; " + (
        "--json shows them"
    )
    if facts.operator_interfaces:
        yield f"session   yours may go through {', '.join(facts.operator_interfaces)}"


def nodes(facts: Facts) -> Iterator[str]:
    """Return a line for each memory node."""
    for node in facts.nodes:
        cores = render_list(cpu.index for cpu in facts.cpus if cpu.node == node)
        pools = [
            f"{value} x {size}"
            for size, kib in (("2M", 2048), ("1G", 1 << 20))
            if (value := facts.values.get(
                f"file:/sys/devices/system/node/node{node}/hugepages/"
                f"hugepages-{kib}kB/nr_hugepages"
            ))
        ]  # fmt: skip
        memory = facts.memory_kib.get(node, 0) // 1024
        yield f"node {node}    cores {cores}; {memory} MiB; huge pages {', '.join(pools) or '-'}"


def isolated(facts: Facts) -> str:
    """Return the isolated cores."""
    return facts.values.get("file:/sys/devices/system/cpu/isolated") or "none"


def card(nic: Nic, facts: Facts) -> Iterator[str]:
    """Return the lines of one interface."""
    up = "up" if facts.values.get(f"nic:{nic.name}:up") == "on" else "down"
    speed = f"{nic.speed_mbps} Mb/s" if nic.speed_mbps else "speed unknown"
    yield f"nic       {nic.name}: {nic.driver or 'virtual'} {nic.ids} {nic.firmware}".rstrip()
    yield (
        f"          {up}, {'carrier' if nic.has_carrier else 'no carrier'}, {speed}, "
        f"{nic.rx_queues} rx and {nic.tx_queues} tx queues, node {nic.node}, "
        f"{'hardware' if nic.stamps_in_hardware else 'software'} stamps"
    )
    for index, irq in enumerate(nic.irqs):
        cores = facts.values.get(f"file:/proc/irq/{irq}/smp_affinity_list", "?")
        yield f"          queue {index}: irq {irq} on {cores}"


def location(device: PciDevice) -> str:
    """Return one PCI device in a line."""
    link = f", x{device.link_width} of x{device.link_width_max}" if device.link_width else ""
    group = f", group {device.iommu_group}" if device.iommu_group >= 0 else ""
    return (
        f"{device.address} {device.ids} class {device.kind}, {device.driver or 'no driver'}, "
        f"node {device.node}{group}{link}"
    )
