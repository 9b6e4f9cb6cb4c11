"""PCI devices and what can be set of them."""

from __future__ import annotations

import re
from collections.abc import Iterable

from control import pcie
from control.facts import PciDevice
from control.host import Host

PCI = "/sys/bus/pci/devices"
# Network, processing accelerators (FPGA cards), and cards that say of themselves only "memory".
KINDS = ("02", "12", "05", "11")


def devices(host: Host) -> tuple[PciDevice, ...]:
    """Return every PCI device, bridges left out."""
    found = (device(host, address) for address in host.names(PCI))
    return tuple(one for one in found if not one.kind.startswith("06"))


def device(host: Host, address: str) -> PciDevice:
    """Return one device."""
    folder = f"{PCI}/{address}"
    vendor, product = host.whole(f"{folder}/vendor"), host.whole(f"{folder}/device")
    group = host.link(f"{folder}/iommu_group")
    return PciDevice(
        address=address,
        ids=f"{vendor:04x}:{product:04x}",
        kind=f"{host.whole(f'{folder}/class') >> 8:04x}",
        driver=host.link(f"{folder}/driver"),
        node=host.whole(f"{folder}/numa_node", -1),
        iommu_group=int(group) if group.isdigit() else -1,
        link_width=host.whole(f"{folder}/current_link_width"),
        link_width_max=host.whole(f"{folder}/max_link_width"),
        link_gts=gigatransfers(host.read(f"{folder}/current_link_speed")),
        link_gts_max=gigatransfers(host.read(f"{folder}/max_link_speed")),
    )


def gigatransfers(text: str | None) -> float:
    """Return the number in ``16.0 GT/s PCIe``."""
    found = re.match(r"([0-9.]+) GT/s", text or "")
    return float(found[1]) if found else 0.0


def pci_values(host: Host, found: Iterable[PciDevice]) -> dict[str, str]:
    """Return ``pci:`` targets of the cards that a profile can be about."""
    values = {}
    for one in found:
        if one.kind[:2] in KINDS:
            values[f"pci:{one.address}:driver"] = one.driver or "none"
            for name, value in pcie.values(config(host, one.address)).items():
                values[f"pci:{one.address}:{name}"] = value
    return values


def config(host: Host, address: str) -> bytes:
    """Return the configuration space as far as we may see it."""
    try:
        return host.path(f"{PCI}/{address}/config").read_bytes()
    except OSError:
        return b""
