"""Reads and writes one target of this machine: the only code that changes anything.

A value is text in canonical form, None when there is no such thing. Writing raises OSError when the
machine refuses; that it did not refuse says nothing, so who writes must read again.
"""

from __future__ import annotations

import contextlib
import errno
import os
import subprocess
import tempfile
from collections.abc import Callable

from pyroute2 import IPRoute
from pyroute2.netlink.exceptions import NetlinkError

from control import ethtool, pcie
from control.collect_pci import PCI
from control.collect_values import canonical, parse_units
from control.host import Host

UP, PROMISCUOUS = 1 << 0, 1 << 8
OF_THE_LINK = ("mtu", "up", "promiscuous")
UNIT_SECONDS = 60
DRIVERS = "/sys/bus/pci/drivers"
VFIO = "vfio-pci"


def split(target: str) -> tuple[str, str, str]:
    """Return kind, name and item: ``pci:0000:3b:00.0:driver`` has a name with colons."""
    kind, _, rest = target.partition(":")
    name, _, item = rest.rpartition(":") if kind in ("nic", "pci") else (rest, "", "")
    return kind, name, item


def read(host: Host, target: str) -> str | None:
    """Return the present value of a target."""
    kind, name, item = split(target)
    return READERS[kind](host, name, item)


def write(host: Host, target: str, value: str | None) -> None:
    """Give a target another value, or raise OSError; None takes a text file away."""
    kind, name, item = split(target)
    if value is None and kind != "text":
        raise OSError(errno.EINVAL, "there was nothing before")
    WRITERS[kind](host, name, item, value or "")


# ---- files of the kernel, and files of ours ----


def read_file(host: Host, name: str, _item: str) -> str | None:
    """Return the canonical content of a kernel's file."""
    text = host.read(name)
    return None if text is None else canonical(name, text)


def write_file(host: Host, name: str, _item: str, value: str) -> None:
    """Write in one call, as the kernel wants it; the file must be there."""
    descriptor = os.open(host.path(name), os.O_WRONLY | os.O_CLOEXEC)
    try:
        os.write(descriptor, value.encode())
    finally:
        os.close(descriptor)


def read_text(host: Host, name: str, _item: str) -> str | None:
    """Return a whole file."""
    return host.read(name)


def write_text(host: Host, name: str, _item: str, value: str) -> None:
    """Put a whole file in its place at once, or take it away."""
    path = host.path(name)
    if not value:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()
        return
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(dir=path.parent, prefix=".tickplane-")
    try:
        with os.fdopen(descriptor, "w") as file:
            file.write(value + "\n")
            file.flush()
            os.fsync(descriptor)
        os.chmod(draft, 0o644)
        os.replace(draft, path)
    except OSError:
        with contextlib.suppress(OSError):
            os.unlink(draft)
        raise


# ---- network cards ----


def read_nic(host: Host, name: str, item: str) -> str | None:
    """Return what an interface or its driver has set."""
    folder = f"/sys/class/net/{name}"
    if item == "mtu":
        return host.read(f"{folder}/mtu")
    if item in OF_THE_LINK:
        flags = host.whole(f"{folder}/flags", -1)
        bit = UP if item == "up" else PROMISCUOUS
        return None if flags < 0 else ethtool.word(flags & bit)
    if not host.exists(folder):
        return None
    with ethtool.opened() as library:
        return ethtool.Card(name, library).values().get(item)


def write_nic(_host: Host, name: str, item: str, value: str) -> None:
    """Ask the kernel or the driver for a value."""
    if item not in OF_THE_LINK:
        with ethtool.opened() as library:
            ethtool.Card(name, library).write(item, value)
        return
    try:
        with IPRoute() as routes:
            found = routes.link_lookup(ifname=name)
            if not found:
                raise OSError(errno.ENODEV, "no such interface")
            routes.link("set", index=found[0], **link_words(item, value, routes, found[0]))
    except NetlinkError as error:
        raise OSError(error.code, os.strerror(error.code)) from None


def link_words(item: str, value: str, routes: IPRoute, index: int) -> dict[str, object]:
    """Return the words of a link request."""
    if item == "mtu":
        return {"mtu": int(value)}
    if item == "up":
        return {"state": "up" if value == "on" else "down"}
    flags = routes.get_links(index)[0]["flags"]
    wanted = flags | PROMISCUOUS if value == "on" else flags & ~PROMISCUOUS
    return {"flags": wanted, "change": PROMISCUOUS}


# ---- PCI devices ----


def read_pci(host: Host, name: str, item: str) -> str | None:
    """Return the driver of a device, or a word of its PCI Express capability."""
    folder = f"{PCI}/{name}"
    if not host.exists(folder):
        return None
    if item == "driver":
        return host.link(f"{folder}/driver") or "none"
    try:
        return pcie.values(host.path(f"{folder}/config").read_bytes()).get(item)
    except OSError:
        return None


def write_pci(host: Host, name: str, item: str, value: str) -> None:
    """Give a device another driver, or change a word of its configuration space."""
    folder = f"{PCI}/{name}"
    if item == "driver":
        bind(host, folder, name, value)
        return
    config = host.path(f"{folder}/config")
    try:
        at, word = pcie.changed(config.read_bytes(), item, value)
    except (ValueError, StopIteration):
        raise OSError(errno.EOPNOTSUPP, "it has no such setting") from None
    with config.open("r+b", buffering=0) as file:
        file.seek(at)
        file.write(word)


def bind(host: Host, folder: str, address: str, driver: str) -> None:
    """Take a device from its driver and give it to another.

    Always unbinds first: virtio cards cling to the kernel's own virtio-pci driver. ``kernel`` is
    whichever driver of the kernel claims the device, ``none`` leaves it without.
    """
    override = "" if driver in ("kernel", "none") else driver
    if driver == VFIO:
        ready_for_vfio(host, folder)
    write_file(host, f"{folder}/driver_override", "", override + "\n")
    if host.exists(f"{folder}/driver"):
        write_file(host, f"{folder}/driver/unbind", "", address)
    if driver != "none":
        write_file(host, "/sys/bus/pci/drivers_probe", "", address)
    if override and driver != VFIO:
        write_file(host, f"{folder}/driver_override", "", "\n")


def ready_for_vfio(host: Host, folder: str) -> None:
    """Load the driver; OSError, before the card is taken from anybody, where it cannot work."""
    if not host.exists(f"{folder}/iommu_group"):
        raise OSError(
            errno.ENODEV, "the IOMMU is off; intel_iommu=on or amd_iommu=on, then a reboot"
        )
    if host.exists(f"{DRIVERS}/{VFIO}"):
        return
    try:
        done = subprocess.run(["/sbin/modprobe", VFIO], capture_output=True, text=True, check=False)
    except OSError:
        raise OSError(errno.ENOENT, f"{VFIO} is not loaded; load it with modprobe") from None
    if done.returncode != 0:
        raise OSError(errno.ENODEV, f"{VFIO} cannot be loaded: {done.stderr.strip()}")


# ---- services ----


def read_unit(_host: Host, name: str, _item: str) -> str | None:
    """Return whether a service runs; None when systemd does not know it."""
    words = ["systemctl", "show", "--property=Id,LoadState,ActiveState", name]
    try:
        shown = subprocess.run(
            words, capture_output=True, text=True, timeout=UNIT_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return None
    return parse_units(shown.stdout).get(f"unit:{name}")


def write_unit(_host: Host, name: str, _item: str, value: str) -> None:
    """Start or stop a service, for this boot."""
    words = ["systemctl", "start" if value == "on" else "stop", name]
    try:
        done = subprocess.run(
            words, capture_output=True, text=True, timeout=UNIT_SECONDS, check=False
        )
    except subprocess.TimeoutExpired:
        raise OSError(errno.ETIMEDOUT, f"systemctl took {UNIT_SECONDS} s") from None
    if done.returncode != 0:
        raise OSError(errno.EIO, done.stderr.strip().partition("\n")[0] or "systemctl failed")


Reader = Callable[[Host, str, str], str | None]
Writer = Callable[[Host, str, str, str], None]
READERS: dict[str, Reader] = {
    "file": read_file, "text": read_text, "nic": read_nic, "pci": read_pci, "unit": read_unit,
}  # fmt: skip
WRITERS: dict[str, Writer] = {
    "file": write_file, "text": write_text, "nic": write_nic, "pci": write_pci,
    "unit": write_unit,
}  # fmt: skip
