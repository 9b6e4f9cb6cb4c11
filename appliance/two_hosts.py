"""Two hosts on one machine, for an exchange and an appliance: network namespaces joined by a wire.

    with two_hosts() as hosts:
        subprocess.Popen(hosts.words(hosts.venue, ["tickplane", "venue", ...]))

A namespace lives as long as a process is in it: each is held by a process that reads a pipe of
ours and ends with us, SIGKILL included. Nothing has a name, and nothing is left to be removed.
Without root the namespaces belong to a user namespace. A machine that gives neither is the loopback
alone, and ``reason`` says why.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass

INTERFACE = "eth0"
PREFIX_LENGTH = 24
HOLD = ("sh", "-c", "echo held; exec cat")  # until its input, our pipe, is closed
DIE_WITH_US = ("setpriv", "--pdeathsig", "TERM", "--")


@dataclass(frozen=True)
class Host:
    """Where a process runs: the words before its command, and its address."""

    ip: str
    enter: tuple[str, ...] = ()


@dataclass(frozen=True)
class Hosts:
    """The exchange's host and the appliance's; one and the same when there is a reason for it."""

    venue: Host
    appliance: Host
    reason: str = ""  # why there is only the loopback
    queues: int = 1  # of either end of the wire

    def words(self, host: Host, command: list[str]) -> list[str]:
        """Return the command as it is run on that host; it ends when we do."""
        return [*host.enter, *DIE_WITH_US, *command]

    def describe(self) -> str:
        """Say in one line what they are."""
        if self.reason:
            return f"an exchange and an appliance on the loopback of this machine ({self.reason})"
        return (
            f"an exchange ({self.venue.ip}) and an appliance ({self.appliance.ip}): "
            "two network namespaces joined by a wire"
        )


@contextlib.contextmanager
def two_hosts(*, only_loopback: bool = False, queues: int = 1) -> Iterator[Hosts]:
    """Make them for as long as the block lasts."""
    with contextlib.ExitStack() as stack:
        try:
            if only_loopback:
                raise Unavailable("as asked for")
            hosts = make(stack, queues)
        except Unavailable as reason:
            hosts = Hosts(Host("127.0.0.1"), Host("127.0.0.1"), str(reason))
        yield hosts


class Unavailable(Exception):
    """This machine has no two hosts for us."""


def make(stack: contextlib.ExitStack, queues: int) -> Hosts:
    """Make both namespaces and the wire between them."""
    for tool in ("ip", "unshare", "nsenter"):
        if shutil.which(tool) is None:
            package = "iproute2" if tool == "ip" else "util-linux"
            raise Unavailable(f"no `{tool}` here: apt-get install {package}")
    is_root = os.geteuid() == 0
    user = [] if is_root else ["--user"]
    first = hold(stack, ["unshare", *user, *([] if is_root else ["--map-root-user"]), "--net"])
    venue = enter(first, user)
    second = hold(stack, [*venue, "unshare", "--net"])
    hosts = Hosts(Host("10.77.0.1", venue), Host("10.77.0.2", enter(second, user)), queues=queues)
    each = ["numtxqueues", str(queues), "numrxqueues", str(queues)]
    peer = ["peer", "name", INTERFACE, *each, "netns", str(second)]
    configure(venue, ["link", "add", INTERFACE, *each, "type", "veth", *peer])
    for host in (hosts.venue, hosts.appliance):
        configure(host.enter, ["link", "set", "lo", "up"])
        configure(host.enter, ["addr", "add", f"{host.ip}/{PREFIX_LENGTH}", "dev", INTERFACE])
        configure(host.enter, ["link", "set", INTERFACE, "up"])
        configure(host.enter, ["route", "add", "224.0.0.0/4", "dev", INTERFACE])
    return hosts


def mac_of(host: Host) -> str:
    """Return the hardware address of a host's end of the wire."""
    words = [*host.enter, "ip", "-j", "link", "show", INTERFACE]
    found = json.loads(subprocess.run(words, capture_output=True, check=True).stdout)
    return str(found[0]["address"])


def ready_for_frames(hosts: Hosts, stack_ip: str) -> None:
    """Prepare the wire for who reads raw frames: whole checksums, and an address without ARP.

    ``stack_ip``: of a TCP stack in user space on the appliance's host.
    """
    for host in (hosts.venue, hosts.appliance):
        subprocess.run(
            [*host.enter, sys.executable, "-P", "-m", "appliance.offload", INTERFACE], check=True
        )
    neighbour = [stack_ip, "lladdr", mac_of(hosts.appliance), "dev", INTERFACE]
    configure(hosts.venue.enter, ["neigh", "replace", *neighbour])


def enter(pid: int, user: list[str]) -> tuple[str, ...]:
    """Return the words that run a command in the namespaces of that process."""
    keep = ["--preserve-credentials"] if user else []
    return ("nsenter", "--target", str(pid), *user, *keep, "--net", "--")


def hold(stack: contextlib.ExitStack, words: list[str]) -> int:
    """Start the holder of a namespace; return its process id."""
    # In a session of its own: Ctrl-C is for us, who end it when everything else has ended.
    process = subprocess.Popen(
        [*words, *HOLD], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        text=True, start_new_session=True,
    )  # fmt: skip
    stack.callback(release, process)
    assert process.stdout is not None and process.stderr is not None
    if process.stdout.readline() != "held\n":
        said = process.stderr.read().strip().splitlines()
        raise Unavailable(f"no network namespaces for us: {said[-1] if said else 'not allowed'}")
    return process.pid


def release(process: subprocess.Popen[str]) -> None:
    """Let the holder end, and with it what it held."""
    process.communicate()


def configure(host: tuple[str, ...], words: list[str]) -> None:
    """Run ``ip`` on a host."""
    done = subprocess.run([*host, "ip", *words], capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Unavailable(f"ip {' '.join(words)}: {done.stderr.strip()}")
