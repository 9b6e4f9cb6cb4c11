"""Two hosts for the rows ``wire.*``: network namespaces of our own, joined by a veth pair.

Each namespace is held by one process that ends when its input does, so nothing stays behind
however the bench ends, SIGKILL included: namespaces and links go with their last process.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import Any

from appliance.errors import CommandError

# Locally administered hardware addresses, and a network that nobody else has inside a namespace.
OURS = (bytes.fromhex("0200000a4d01"), 0x0A4D0001, 26477)
EXCHANGE = (bytes.fromhex("0200000a4d02"), 0x0A4D0002, 4000)
# Of our TCP in user space: the kernel of our host does not have it.
STACK_IP, STACK_PORT = 0x0A4D0009, 40_000
LOOPBACK = 0x7F000001
INTERFACES = ("wo", "we")  # of ours, of the exchange
End = tuple[bytes, int, int]


def missing() -> str | None:
    """Return why this machine gives us no two hosts, or None."""
    if os.geteuid() != 0:
        return "needs root, for network namespaces"
    for tool in ("ip", "unshare", "nsenter"):
        if shutil.which(tool) is None:
            return f"needs the command {tool}"
    return None


def mac_text(mac: bytes) -> str:
    """Return a hardware address as people write it."""
    return mac.hex(":")


def ip_text(ip: int) -> str:
    """Return an IPv4 address as people write it."""
    return ".".join(str(byte) for byte in ip.to_bytes(4, "big"))


class Hosts:
    """Two namespaces and the wire between them, for as long as the ``with`` lasts."""

    def __init__(self) -> None:
        self._holders: list[subprocess.Popen[bytes]] = []

    def __enter__(self) -> Hosts:
        try:
            for _ in INTERFACES:
                self._holders.append(hold())
            self._join()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_: Any) -> None:
        for holder in self._holders:
            holder.stdin.close()  # type: ignore[union-attr]
            holder.wait()

    def inside(self, host: int) -> list[str]:
        """Return the words that run a command on a host: 0 is ours, 1 the exchange's."""
        return ["nsenter", f"--net=/proc/{self._holders[host].pid}/ns/net"]

    def _join(self) -> None:
        ours, exchange = (holder.pid for holder in self._holders)
        for host, (name, peer, end) in enumerate(
            zip(INTERFACES, INTERFACES[::-1], (OURS, EXCHANGE), strict=True)
        ):
            if host == 0:
                self._ip(0, "link", "add", name, "type", "veth", "peer", "name", peer)
                self._ip(0, "link", "set", peer, "netns", str(exchange))
            self._ip(host, "link", "set", name, "address", mac_text(end[0]), "up")
            self._ip(host, "addr", "add", f"{ip_text(end[1])}/24", "dev", name)
            self._ip(host, "link", "set", "lo", "up")
        # A port past the kernel answers no ARP.
        for host, ip, mac in (
            (0, EXCHANGE[1], EXCHANGE[0]),
            (1, OURS[1], OURS[0]),
            (1, STACK_IP, OURS[0]),
        ):
            self._ip(
                host, "neigh", "replace", ip_text(ip), "lladdr", mac_text(mac),
                "dev", INTERFACES[host],
            )  # fmt: skip

    def _ip(self, host: int, *words: str) -> None:
        done = subprocess.run(
            [*self.inside(host), "ip", *words], capture_output=True, text=True, check=False
        )
        if done.returncode != 0:
            raise CommandError(f"bench: wire: ip {' '.join(words)}: {done.stderr.strip()}")


def hold() -> subprocess.Popen[bytes]:
    """Start a process in a namespace of its own; it says a byte when it is there."""
    holder = subprocess.Popen(
        ["unshare", "--net", "sh", "-c", "echo; exec cat >/dev/null"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    if holder.stdout.read(1) != b"\n":  # type: ignore[union-attr]
        holder.wait()
        raise CommandError("bench: wire: this machine allows no network namespace")
    return holder
