"""What a profile wants of network cards and FPGA cards."""

from __future__ import annotations

import re
from dataclasses import dataclass

from control import steering
from control.cores import Cores
from control.cpulist import render_list, render_mask
from control.facts import Facts, Nic, PciDevice
from control.match import version
from control.profile import Profile
from control.setting import DRIFT, UNSUPPORTED, Finding, Items, Wishes

VFIO = "vfio-pci"
# Keys of a card that are one value of its interface or its driver, and groups of such.
WORDS = {
    "mtu": "mtu", "ring_rx": "rings.rx", "ring_tx": "rings.tx", "promiscuous": "promiscuous",
    "up": "up",
}  # fmt: skip
GROUPS = {"coalesce": "coalesce", "offloads": "offload", "private_flags": "private"}
FILES = {
    "napi_defer_hard_irqs": "napi_defer_hard_irqs", "gro_flush_timeout_ns": "gro_flush_timeout",
}  # fmt: skip
PCI_WORDS = ("max_read_request_bytes", "relaxed_ordering", "aspm")


@dataclass(frozen=True)
class Card:
    """A card of the profile on this machine; without an interface when the kernel has it not."""

    key: str
    nic: Nic | None
    device: PciDevice | None

    @property
    def node(self) -> int:
        """Return its memory node; -1 when the machine does not say."""
        return self.device.node if self.device else self.nic.node if self.nic else -1


def cards(profile: Profile, facts: Facts) -> list[Card]:
    """Return the profile's network cards, also those that are not there."""
    return [card(profile, facts, f"nics.{name}") for name in profile.names("nics")]


def card(profile: Profile, facts: Facts, key: str) -> Card:
    """Return what one name of a profile means on this machine."""
    if f"{key}.interface" in profile:
        nic = facts.nic(profile.text(f"{key}.interface"))
        return Card(key, nic, facts.device(nic.pci) if nic else None)
    address = profile.text(f"{key}.pci")
    if not address:
        ids = profile.words(f"{key}.ids")
        found = sorted(device.address for device in facts.pci if device.ids in ids)
        nth = profile.whole(f"{key}.nth")
        address = found[nth] if nth < len(found) else ""
    nic = next((one for one in facts.nics if address and one.pci == address), None)
    return Card(key, nic, facts.device(address))


def nodes(found: list[Card]) -> tuple[int, ...]:
    """Return the memory nodes of the cards, as far as they are known."""
    return tuple(sorted({one.node for one in found if one.node >= 0}))


def nic(want: Wishes, facts: Facts, one: Card, cores: Cores) -> Items:
    """Yield everything about one network card, its driver last: it may take the rest away."""
    profile, key = want.profile, one.key
    named = next(k for k in ("pci", "interface", "ids") if f"{key}.{k}" in profile)
    if one.nic is None and one.device is None:
        wanted = want(f"{key}.{named}", f"fact:{key}", str(profile.text(f"{key}.{named}")))
        reason = "no such card; look at its slot, its name, and lspci"
        yield Finding(wanted, "missing", DRIFT, reason, True)
        return
    for_dpdk = profile.text(f"{key}.driver") == VFIO
    if one.nic is not None and not for_dpdk:
        yield from interface(want, one.nic, key)
        yield from queues(want, one.nic, key, cores)
    if one.nic is not None:
        yield from claims(want, one.nic, key)
    if one.device is not None:
        yield from bus(want, one.device, key)
        yield from driver(want, one.device, key)


def interface(want: Wishes, nic: Nic, key: str) -> Items:
    """Yield what is set on an interface as a whole."""
    profile, target = want.profile, f"nic:{nic.name}:"
    if f"{key}.queues" in profile:
        # Drivers count queues in pairs, or each way by itself.
        pairs = nic.channels_max.get("combined") or not nic.channels_max.get("rx")
        for kind in ("combined",) if pairs else ("rx", "tx"):
            yield want(f"{key}.queues", f"{target}channels.{kind}", profile.text(f"{key}.queues"))
    for name, item in WORDS.items():
        if f"{key}.{name}" in profile:
            yield want(f"{key}.{name}", target + item, profile.text(f"{key}.{name}"))
    for item in ("pause.auto", "pause.rx", "pause.tx") if f"{key}.pause" in profile else ():
        yield want(f"{key}.pause", target + item, profile.text(f"{key}.pause"))
    for group, item in GROUPS.items():
        for name, full in profile.below(f"{key}.{group}"):
            yield want(full, f"{target}{item}.{name}", profile.text(full))
    yield from steered(want, key, target)
    for name, file in FILES.items():
        if f"{key}.{name}" in profile:
            path = f"file:/sys/class/net/{nic.name}/{file}"
            yield want(f"{key}.{name}", path, profile.text(f"{key}.{name}"))


def steered(want: Wishes, key: str, target: str) -> Items:
    """Yield which queue gets which frame: all rules of a card are one value."""
    profile = want.profile
    if f"{key}.rss_queues" in profile:
        wanted = f"even {profile.text(f'{key}.rss_queues')}"
        yield want(f"{key}.rss_queues", f"{target}rss", wanted)
    rules = [full for _, full in profile.below(f"{key}.flow_rules")]
    if rules:
        wanted = steering.canonical([profile.text(full) for full in rules])
        yield want(rules[0], f"{target}rules", wanted)


def queues(want: Wishes, nic: Nic, key: str, cores: Cores) -> Items:
    """Yield what is set for each queue: cores of its interrupt and sending, no spreading."""
    profile = want.profile
    if profile.text(f"{key}.rps") == "off":
        for queue in range(nic.rx_queues):
            path = f"file:/sys/class/net/{nic.name}/queues/rx-{queue}/rps_cpus"
            yield want(f"{key}.rps", path, "0")
    chosen = cores.roles[profile.text(f"{key}.role")] if f"{key}.role" in profile else ()
    if f"{key}.xps" in profile:
        for queue in range(nic.tx_queues):
            path = f"file:/sys/class/net/{nic.name}/queues/tx-{queue}/xps_cpus"
            own = chosen[queue % len(chosen)] if profile.text(f"{key}.xps") == "role" else None
            yield want(f"{key}.xps", path, render_mask(() if own is None else (own,)))
    if f"{key}.role" in profile:
        for queue, irq in enumerate(nic.irqs):
            core = chosen[queue % len(chosen)]
            yield want(f"{key}.role", f"file:/proc/irq/{irq}/smp_affinity_list", core)


def claims(want: Wishes, nic: Nic, key: str) -> Items:
    """Yield what a card must be able to do, and nobody can set from here."""
    profile = want.profile
    for name, holds in (("firmware_min", True), ("firmware_max", False)):
        full = f"{key}.{name}"
        if full in profile:
            wanted, found = version(profile.text(full)), version(nic.firmware)
            good = found >= wanted if holds else found <= wanted
            yield want.check(
                full, f"{'at least' if holds else 'at most'} {profile.text(full)}", nic.firmware,
                "load another firmware with the vendor's tool", holds=good, known=bool(found),
            )  # fmt: skip
    if f"{key}.speed_mbps_min" in profile:
        wanted_mbps = profile.whole(f"{key}.speed_mbps_min")
        yield want.check(
            f"{key}.speed_mbps_min", f"at least {wanted_mbps} Mb/s", f"{nic.speed_mbps} Mb/s",
            "look at cable, transceiver and the other end", holds=nic.speed_mbps >= wanted_mbps,
            known=nic.speed_mbps > 0,
        )  # fmt: skip
    if profile.text(f"{key}.stamping") == "hardware":
        yield want.check(
            f"{key}.stamping", "hardware", "hardware" if nic.stamps_in_hardware else "software",
            "use a card that stamps, or say stamping: software", holds=nic.stamps_in_hardware,
        )  # fmt: skip


def bus(want: Wishes, device: PciDevice, key: str) -> Items:
    """Yield what is set or claimed of a device's place on the bus."""
    profile = want.profile
    for name, found, unit in (
        ("pcie_width_min", device.link_width, "lanes"), ("pcie_gts_min", device.link_gts, "GT/s"),
    ):  # fmt: skip
        full = f"{key}.{name}"
        if full in profile:
            yield want.check(
                full, f"at least {profile.text(full)} {unit}", f"{found:g} {unit}",
                "put the card into a slot that has them, and seat it again",
                holds=found >= profile.whole(full), known=found > 0,
            )  # fmt: skip
    for name in PCI_WORDS:
        if f"{key}.{name}" in profile:
            target = f"pci:{device.address}:{name}"
            yield want(f"{key}.{name}", target, profile.text(f"{key}.{name}"))


def driver(want: Wishes, device: PciDevice, key: str) -> Items:
    """Yield who shall have a device; any driver of the kernel is as good as another."""
    full = f"{key}.driver"
    if full not in want.profile:
        return
    target = f"pci:{device.address}:driver"
    if want.profile.text(full) == VFIO:
        yield want(full, target, VFIO)
    else:
        own = () if device.driver in (VFIO, "") else (device.driver,)
        yield want(full, target, "kernel", others=own)


def own_groups(want: Wishes, facts: Facts, found: list[Card]) -> Items:
    """Yield whether each card is alone in its IOMMU group."""
    if want.profile.text("iommu.own_groups") != "on":
        return
    for one in found:
        if one.device is None:
            continue
        group = one.device.iommu_group
        others = [
            device.address
            for device in facts.pci
            # Functions of one card come and go together.
            if device.iommu_group == group
            and device.address.rsplit(".", 1)[0] != one.device.address.rsplit(".", 1)[0]
        ]
        yield want.check(
            "iommu.own_groups", f"{one.device.address} alone",
            f"with {', '.join(others)}" if others else "alone",
            "another slot, or ACS in the firmware", holds=not others, known=group >= 0,
        )  # fmt: skip


def fpga(want: Wishes, facts: Facts, name: str) -> Items:
    """Yield what is wanted of one FPGA card."""
    key = f"fpga.{name}"
    ids = want.profile.words(f"{key}.ids")
    device = next((one for one in facts.pci if one.ids in ids), None)
    if device is None:
        wanted = want(f"{key}.ids", f"fact:{key}", ", ".join(ids))
        yield Finding(wanted, None, UNSUPPORTED, "no such card", True)
        return
    yield from bus(want, device, key)
    yield from driver(want, device, key)


def interrupts(want: Wishes, facts: Facts, found: list[Card], cores: Cores) -> Items:
    """Yield where interrupts go that belong to no card of the profile."""
    ours = {irq for one in found if one.nic for irq in one.nic.irqs}
    if want.profile.text("irq.others") != "housekeeping" or not cores.isolated:
        return
    for target in facts.values:
        irq = re.fullmatch(r"file:/proc/irq/(\d+)/smp_affinity_list", target)
        if irq and int(irq[1]) not in ours:
            yield want("irq.others", target, render_list(cores.housekeeping), within=True)
