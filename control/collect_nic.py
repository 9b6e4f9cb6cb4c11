"""Network interfaces: what they are, what can be set, and which of them a person depends on."""

from __future__ import annotations

import os
import re
import socket
from collections.abc import Iterable
from typing import Any

from pyroute2 import IPRoute

from control import ethtool
from control.facts import Nic
from control.host import Host

NET = "/sys/class/net"
ETHERNET = "1"  # ARPHRD_ETHER
UP, PROMISCUOUS = 1 << 0, 1 << 8


def nics(host: Host) -> tuple[Nic, ...]:
    """Return the Ethernet interfaces of this network namespace."""
    names = [name for name in host.names(NET) if host.read(f"{NET}/{name}/type") == ETHERNET]
    if not host.is_live:
        return tuple(described(host, name) for name in names)
    with ethtool.opened() as library:
        return tuple(asked(described(host, name), ethtool.Card(name, library)) for name in names)


def described(host: Host, name: str) -> Nic:
    """Return what the files say of an interface."""
    folder = f"{NET}/{name}"
    # A virtio card hangs below its PCI device: the address is the last one on its path.
    device = str(host.path(f"{folder}/device").resolve())
    addresses = re.findall(r"[0-9a-f]{4}:[0-9a-f]{2}:[0-9a-f]{2}\.[0-7]", device)
    pci = addresses[-1] if addresses else ""
    bus = f"/sys/bus/pci/devices/{pci}"
    queues = host.names(f"{folder}/queues")
    ids = f"{host.whole(f'{bus}/vendor'):04x}:{host.whole(f'{bus}/device'):04x}" if pci else ""
    return Nic(
        name=name,
        pci=pci,
        ids=ids,
        driver=host.link(f"{folder}/device/driver"),
        node=host.whole(f"{bus}/numa_node", -1) if pci else -1,
        rx_queues=sum(queue.startswith("rx-") for queue in queues),
        tx_queues=sum(queue.startswith("tx-") for queue in queues),
        irqs=interrupts(host, name, pci),
        speed_mbps=max(0, host.whole(f"{folder}/speed")),
        has_carrier=host.read(f"{folder}/carrier") == "1",
        peer=peer(host, name),
    )


def asked(nic: Nic, card: ethtool.Card) -> Nic:
    """Return the interface with what its driver says of itself."""
    said = card.driver()
    stamps, _ = card.stamping()
    return Nic(
        **nic.__dict__
        | {
            "driver": nic.driver or said.get("driver", ""),
            "firmware": said.get("firmware", "").strip(),
            "stamps_in_hardware": stamps,
            "channels_max": card.channels_max(),
        }
    )


def interrupts(host: Host, name: str, pci: str) -> tuple[int, ...]:
    """Return the interrupts of a card's queues, in the order of the queues.

    Drivers name them after the interface (``eth0-TxRx-3``) or the device (``mlx5_comp3@pci:...``,
    ``virtio2-input.0``); one that serves no queue has no number at its end.
    """
    found: list[tuple[int, int]] = []
    words = {name, f"pci:{pci}"} if pci else {name}
    for device in host.names(f"/sys/bus/pci/devices/{pci}") if pci else ():
        if re.fullmatch(r"virtio\d+", device):
            words.add(device)
    for line in (host.read("/proc/interrupts") or "").splitlines():
        number, _, rest = line.strip().partition(":")
        action = rest.split()[-1] if rest.split() else ""
        if number.isdigit() and any(belongs(action, word) for word in words):
            queue = queue_of(action)
            if queue is not None:
                found.append((queue, int(number)))
    return tuple(number for _, number in sorted(found))


def belongs(action: str, word: str) -> bool:
    """Say whether an interrupt's action names that interface or device."""
    return re.search(rf"(?<![\w.]){re.escape(word)}(?![\w.])", action) is not None


def queue_of(action: str) -> int | None:
    """Return the queue that an interrupt serves; None for one about something else."""
    found = re.search(r"(?:TxRx|rx|input|comp|rxtx|fp)[-._]?(\d+)", action)
    found = found or re.search(r"-(\d+)$", action)
    return int(found[1]) if found else None


def peer(host: Host, name: str) -> str:
    """Return the other end of a veth pair when it is here, too."""
    link, own = host.read(f"{NET}/{name}/iflink"), host.read(f"{NET}/{name}/ifindex")
    if link is None or link == own:
        return ""
    indexes = {host.read(f"{NET}/{other}/ifindex"): other for other in host.names(NET)}
    return indexes.get(link, "")


def nic_values(host: Host, cards: Iterable[Nic]) -> dict[str, str]:
    """Return ``nic:`` targets with their values."""
    found: dict[str, str] = {}
    for nic in cards:
        flags = host.whole(f"{NET}/{nic.name}/flags")
        found[f"nic:{nic.name}:mtu"] = host.read(f"{NET}/{nic.name}/mtu") or ""
        found[f"nic:{nic.name}:up"] = ethtool.word(bool(flags & UP))
        found[f"nic:{nic.name}:promiscuous"] = ethtool.word(bool(flags & PROMISCUOUS))
    if host.is_live:
        with ethtool.opened() as library:
            for nic in cards:
                for name, value in ethtool.Card(nic.name, library).values().items():
                    found[f"nic:{nic.name}:{name}"] = value
    return found


def operator_interfaces(host: Host) -> tuple[str, ...]:
    """Return the interfaces that a person's session or the default route goes through."""
    if not host.is_live:
        return ()
    with IPRoute() as routes:
        indexes = {link["index"]: link.get_attr("IFLA_IFNAME") for link in routes.get_links()}
        addresses = {
            address.get_attr("IFA_ADDRESS"): indexes.get(address["index"], "")
            for address in routes.get_addr()
        }
        found = {indexes.get(index, "") for index in default_routes(routes)}
    found |= {addresses.get(address, "") for address in session_addresses(host)}
    return tuple(sorted(found - {"", "lo"}))


def default_routes(routes: Any) -> list[int]:
    """Return the interface indexes that default routes leave through."""
    return [
        route.get_attr("RTA_OIF")
        for family in (socket.AF_INET, socket.AF_INET6)
        for route in routes.get_routes(family=family, table=254)
        if route["dst_len"] == 0 and route.get_attr("RTA_OIF")
    ]


def session_addresses(host: Host) -> list[str]:
    """Return our own addresses of the ssh sessions that we were started from.

    sudo drops SSH_CONNECTION, so the parents of this process are asked for theirs.
    """
    found, process = [], os.getpid()
    while process > 1:
        environment = host.read(f"/proc/{process}/environ") or ""
        for entry in environment.split("\0"):
            words = entry.partition("SSH_CONNECTION=")[2].split()
            if len(words) == 4:
                found.append(words[2])
        status = host.read(f"/proc/{process}/stat") or ""
        parent = status.rpartition(")")[2].split()
        process = int(parent[1]) if len(parent) > 1 else 0
    return found
