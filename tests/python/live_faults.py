"""What live tests of faults share: ways to do harm, and to see whether all is well afterwards."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import threading
from pathlib import Path

import exchange_books
from live_world import END_S, World, check_books_balance
from waiting import wait_until

from appliance.two_hosts import INTERFACE
from dataplane.region import Region

SEED = int(os.environ.get("SEED", "1"))
SECONDS = float(os.environ.get("TICKPLANE_FAULT_SECONDS", "0"))  # 0: one round


def change(path, old, new):
    """Replace words of a configuration that must be there."""
    text = path.read_text()
    assert old in text, text
    path.write_text(text.replace(old, new))


def noise(chance):
    """Bytes that are no MoldUDP64, or a heartbeat or an end mark of a session that nobody has."""
    if chance.random() < 0.5:
        return chance.randbytes(chance.randrange(1, 1400))
    return chance.randbytes(18) + chance.choice([b"\0\0", b"\xff\xff"])


class Faults(World):
    """A world in which much can fail; ``server_is_dead`` is of its re-request server."""

    server_is_dead = False

    def __init__(self, folder, *, gap_ms=60_000, **settings):
        super().__init__(folder, **settings)
        change(self.run_yaml, "gap_timeout_ms: 60000", f"gap_timeout_ms: {gap_ms}")

    def tell(self, line):
        assert self.tell_venue(line) == "ok\n", line

    def lines(self, words):
        """Make both lines good or bad."""
        for line in "ab":
            self.tell(f"line {line} {words}")

    def without_requests(self):
        """Nobody sends again what was lost."""
        change(self.run_yaml, f"  requests: [127.0.0.1:{self.ports['requests']}]\n", "")

    def exchange_digest(self):
        address = ("127.0.0.1", self.ports["snapshot"])
        return exchange_books.exchange_books(address).digest()

    def look(self, run):
        """Return the digest of the run's books, and whether any is not to be traded on."""
        with Region.attach(self.region(run)) as region:
            books = region.books()
            marked = any(books.is_stale(i) or books.is_suspect(i) for i in books.instruments())
            return books.digest(), marked

    def wait_for_the_same_books(self, run):
        """Close the market until the run's books are the exchange's, and are not marked."""
        self.tell("session all closed")
        wait_until(lambda: self.look(run) == (self.exchange_digest(), False), process=run)
        self.tell("session all continuous")

    def end_and_compare(self, run):
        """It trades on, books are whole, and in the end both records say the same."""
        self.wait_for_the_same_books(run)
        self.wait_for_orders(run, 2, since=self.counters(run))
        self.finish(run)
        self.end()
        assert check_books_balance(self) > 0
        report = self.report()
        assert report["live"]["unexplained"] == 0
        assert report["live"]["feed"] == "whole"
        assert report["journal"]["verified"]
        return report


class Server(threading.Thread):
    """Stands before the re-request server: honest, dead with its world, and it may always lie."""

    def __init__(self, world, *, lies):
        super().__init__(daemon=True)
        self.world, self.lies, self.chance = world, lies, random.Random(SEED)
        self.front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.front.bind(("127.0.0.1", 0))
        self.back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.back.connect(("127.0.0.1", world.ports["requests"]))
        self.back.settimeout(0.2)
        change(
            world.run_yaml,
            f"requests: [127.0.0.1:{world.ports['requests']}]",
            f"requests: [127.0.0.1:{self.front.getsockname()[1]}]",
        )
        self.start()

    def run(self):
        while True:
            request, sender = self.front.recvfrom(64)
            if self.world.server_is_dead:
                continue
            for answer in self.lie(request) if self.lies else self.ask(request):
                self.front.sendto(answer, sender)

    def ask(self, request):
        """Return the answer of the server behind us."""
        self.back.send(request)
        try:
            return [self.back.recv(9000)]
        except (TimeoutError, ConnectionRefusedError):
            return []

    def lie(self, request):
        """Return what a broken server may say: of nowhere, cut short, too much, too late."""
        name, first = request[:10], int.from_bytes(request[10:18], "big")
        late = (first + self.chance.randrange(10_000, 1 << 40)).to_bytes(8, "big")
        asked = first.to_bytes(8, "big")
        honest = self.ask(request)
        lies = [
            noise(self.chance),
            b"another   " + request[10:],
            name + request[10:18] + b"\xff\xff",
            name + late + b"\0\0",
            name + late + b"\0\1\0\1x",
            request[: self.chance.randrange(20)],
            name + asked + b"\xff\xfe" + b"\0\1x" * 400,  # more than is there
            name + (1).to_bytes(8, "big") + b"\0\1\0\1x",  # long since known
            *(answer[:-3] for answer in honest),
            *(b"another   " + answer[10:] for answer in honest),
            *(name + late + answer[18:] for answer in honest),
        ]
        return self.chance.sample(lies, 4)


class TwoHosts(Faults):
    """The exchange and the appliance in two network namespaces, joined by a wire."""

    def __init__(self, folder, hosts, **settings):
        super().__init__(folder, **settings)
        self.hosts = hosts
        for path in (self.venue_yaml, self.run_yaml):
            text = path.read_text().replace("127.0.0.1", hosts.venue.ip)
            for name in "ab":
                old = f"{hosts.venue.ip}:{self.ports[name]}"
                text = text.replace(old, f"{hosts.appliance.ip}:{self.ports[name]}")
            path.write_text(text)

    def start(self, *words, **settings):
        host = self.hosts.venue if words[0] == "venue" else self.hosts.appliance
        return super().start(*words, before=self.hosts.words(host, []), **settings)

    def exchange_digest(self):
        program = [sys.executable, exchange_books.__file__]
        address = [self.hosts.venue.ip, str(self.ports["snapshot"])]
        return subprocess.run(
            self.hosts.words(self.hosts.venue, program + address),
            capture_output=True, text=True, check=True, timeout=END_S,
        ).stdout.strip()  # fmt: skip

    def link(self, state):
        words = ["ip", "link", "set", INTERFACE, state]
        subprocess.run(self.hosts.words(self.hosts.venue, words), check=True)


def usage(process):
    """Return the files and the memory of its own that a process has."""
    status = Path(f"/proc/{process.pid}/status").read_text()
    kib = next(line.split()[1] for line in status.splitlines() if line.startswith("RssAnon:"))
    return {"files": len(os.listdir(f"/proc/{process.pid}/fd")), "kib": int(kib)}
