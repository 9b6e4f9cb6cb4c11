"""RDMA devices: which there are, their ports and GIDs, and what they can do. Read by pyverbs.

A GID is the address of a port; with Ethernet below, one for each address of the interface and each
version of RoCE. Whether a device takes raw packets and flow rules is found out by asking for them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from control.errors import ControlError
from control.rdma_raw import RawQueue
from control.rdma_verbs import load, reason

CLASS = Path("/sys/class/infiniband")
PORT = 1
ROCE_V2 = "RoCE v2"


@dataclass(frozen=True)
class Gid:
    """One address of a port."""

    index: int
    gid: str
    kind: str  # "RoCE v2", "IB/RoCE v1"
    interface: str

    @property
    def is_ipv4(self) -> bool:
        """Whether it is an IPv4 address, written as an IPv6 one."""
        return self.gid.startswith("0000:0000:0000:0000:0000:ffff:")


@dataclass(frozen=True)
class Device:
    """One RDMA device and its first port."""

    name: str
    firmware: str
    state: str
    queue_pairs_max: int
    region_bytes_max: int
    raw_packets: str  # "yes", or why not
    gids: tuple[Gid, ...]


def names(folder: Path = CLASS) -> tuple[str, ...]:
    """Return the names of the devices that the kernel has."""
    return tuple(sorted(path.name for path in folder.iterdir())) if folder.is_dir() else ()


def devices() -> Iterator[Device]:
    """Yield what is known of each device; ControlError when pyverbs is missing."""
    for name in names():
        yield device(name)


def device(name: str) -> Device:
    """Return what is known of a device; ControlError when there is no such."""
    context = open_device(name)
    attributes, port = context.query_device(), context.query_port(PORT)
    return Device(
        name=name,
        firmware=attributes.fw_version,
        state=load("device").phys_state_to_str(port.phys_state).lower(),
        queue_pairs_max=attributes.max_qp,
        region_bytes_max=attributes.max_mr_size,
        raw_packets=raw_packets(context),
        gids=tuple(gids(name)),
    )


def open_device(name: str) -> Any:
    """Return pyverbs' context of a device."""
    if name not in names():
        known = ", ".join(names()) or "none"
        raise ControlError(
            f"rdma {name}: no such device, known: {known}; load its driver, or for software "
            "RoCE: rdma link add rxe0 type rxe netdev eth0"
        )
    try:
        return load("device").Context(name=name)
    except load("pyverbs_error").PyverbsError as error:
        raise ControlError(f"rdma {name}: {reason(error)}; see /dev/infiniband") from None


def gids(name: str, folder: Path = CLASS) -> Iterator[Gid]:
    """Yield the addresses in use."""
    port = folder / name / "ports" / str(PORT)
    for path in sorted(port.glob("gids/*"), key=lambda path: int(path.name)):
        text = path.read_text().strip()
        if any(digit not in "0:" for digit in text):
            kind, interface = (
                read(port / "gid_attrs" / what / path.name) for what in ("types", "ndevs")
            )
            yield Gid(int(path.name), text, kind, interface)


def read(path: Path) -> str:
    """Return a file of the kernel; nothing when it refuses, as it does for an empty entry."""
    try:
        return path.read_text().strip()
    except OSError:
        return ""


def best_gid(found: tuple[Gid, ...]) -> Gid | None:
    """Return the address to be reached at: RoCE v2 if there is one, for it can be routed."""
    ranked = sorted(found, key=lambda gid: (gid.kind != ROCE_V2, not gid.is_ipv4, gid.index))
    return ranked[0] if ranked else None


def raw_packets(context: Any) -> str:
    """Say whether the device gives a queue of raw Ethernet frames, by asking for one."""
    try:
        RawQueue(context).close()
    except ControlError as error:
        return str(error).rpartition(": ")[2]
    return "yes"
