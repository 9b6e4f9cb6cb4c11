"""The facts of a machine: what it is, and the present value of everything that can be set.

``Facts`` has two halves. The first describes: cores, memory, cards, and where each is. The second,
``values``, is flat: the name of a setting (a *target*) and its value as text, so that planning,
journalling, restoring and comparing need one form only. Targets are

    file:/sys/...            a file of the kernel         nic:eth0:rings.rx    of a network card
    pci:0000:3b:00.0:driver  of a PCI device              unit:irqbalance.service   of systemd
    boot:isolcpus            of the kernel command line   text:/etc/...        a whole file of ours

Facts go to JSON and back without loss, so a plan can be made for a machine that is elsewhere.
"""

from __future__ import annotations

import dataclasses
import json
from dataclasses import dataclass, field
from typing import Any

from control.errors import ControlError

FORMAT = 1


@dataclass(frozen=True)
class Cpu:
    """One logical processor and where it sits."""

    index: int
    node: int
    package: int
    core: int
    siblings: tuple[int, ...]  # itself and what shares its physical core


@dataclass(frozen=True)
class Nic:
    """One network interface; a virtual one has no PCI address."""

    name: str
    pci: str = ""
    ids: str = ""  # vendor:device
    driver: str = ""
    firmware: str = ""
    node: int = -1
    rx_queues: int = 1
    tx_queues: int = 1
    irqs: tuple[int, ...] = ()  # in the order of its queues
    speed_mbps: int = 0
    has_carrier: bool = False
    stamps_in_hardware: bool = False
    channels_max: dict[str, int] = field(default_factory=dict)
    peer: str = ""  # the other end of a veth pair that is in this namespace


@dataclass(frozen=True)
class PciDevice:
    """One PCI device; a link that cannot be read is 0 wide."""

    address: str
    ids: str
    kind: str  # the class code: 0200 is an Ethernet controller
    driver: str = ""
    node: int = -1
    iommu_group: int = -1
    link_width: int = 0
    link_width_max: int = 0
    link_gts: float = 0.0
    link_gts_max: float = 0.0


@dataclass(frozen=True)
class Facts:
    """One machine at one moment."""

    source: str  # "this machine", or where the facts come from
    vendor: str = ""
    product: str = ""
    bios: str = ""
    kernel: str = ""
    cpu_vendor: str = ""
    cpu_model: str = ""
    cpu_flags: tuple[str, ...] = ()
    virtual: bool = False
    cpus: tuple[Cpu, ...] = ()
    memory_kib: dict[int, int] = field(default_factory=dict)  # by node
    nics: tuple[Nic, ...] = ()
    pci: tuple[PciDevice, ...] = ()
    rdma: tuple[str, ...] = ()
    clocks: dict[str, str] = field(default_factory=dict)
    boot_loader: str = ""  # "grub", "slots" of our image, or one that we do not know
    operator_interfaces: tuple[str, ...] = ()  # what a person's session or default route uses
    read_only: tuple[str, ...] = ()  # targets that nobody can write
    values: dict[str, str] = field(default_factory=dict)

    @property
    def nodes(self) -> tuple[int, ...]:
        """Return the memory nodes that have cores."""
        return tuple(sorted({cpu.node for cpu in self.cpus}))

    def nic(self, name: str) -> Nic | None:
        """Return the interface of that name."""
        return next((nic for nic in self.nics if nic.name == name), None)

    def device(self, address: str) -> PciDevice | None:
        """Return the PCI device at that address."""
        return next((device for device in self.pci if device.address == address), None)

    def to_json(self) -> str:
        """Return the facts as a JSON document."""
        return json.dumps({"format": FORMAT} | dataclasses.asdict(self), indent=1) + "\n"


def parse(text: str, *, source: str) -> Facts:
    """Turn a JSON document of ``to_json`` into facts, or raise ControlError."""
    try:
        document = json.loads(text)
        if not isinstance(document, dict) or document.pop("format", None) != FORMAT:
            raise ValueError(f"its format is not {FORMAT}")
        document["memory_kib"] = {int(k): v for k, v in document["memory_kib"].items()}
        document["cpus"] = tuple(Cpu(**tuples(cpu)) for cpu in document["cpus"])
        document["nics"] = tuple(Nic(**tuples(nic)) for nic in document["nics"])
        document["pci"] = tuple(PciDevice(**device) for device in document["pci"])
        return Facts(**tuples(document))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        reason = f"{type(error).__name__}: {error}"
        remedy = "write one with `tickplane facts --json`"
        raise ControlError(f"{source}: no facts of a machine: {reason}; {remedy}") from None


def tuples(document: dict[str, Any]) -> dict[str, Any]:
    """Return the document with its lists as tuples, as the classes hold them."""
    return {
        key: tuple(value) if isinstance(value, list) else value for key, value in document.items()
    }
