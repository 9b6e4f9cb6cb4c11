"""Where a scenario's venues live: in memory with a clock of its own, or on sockets.

Both have the same methods; a scenario cannot tell them apart. In memory nothing waits, and the
same scenario gives the same bytes each time.
"""

from __future__ import annotations

import contextlib
import socket
import time
from typing import Protocol

from appliance.venue.venues import Venue
from dataplane.exchange import LINES
from dataplane.server import LOOPBACK, Server

MS_NS = 1_000_000
QUIET_ROUNDS = 5  # without a byte: what was asked has been answered
READ_BYTES = 1 << 16


class Link(Protocol):
    """A client's end of a connection."""

    received: bytearray
    closed: bool

    def send(self, data: bytes) -> None:
        """Send bytes; they arrive when the host runs."""

    def close(self) -> None:
        """Close it."""


class Host(Protocol):
    """What a scenario runs on."""

    venues: dict[str, Venue]
    datagrams: dict[tuple[str, int], list[bytes]]

    @property
    def now_ns(self) -> int:
        """Return the time."""

    def connect(self, venue: str, *, snapshot: bool) -> Link:
        """Return a new connection."""

    def request(self, venue: str, data: bytes) -> bytes:
        """Return the answer to a retransmission request; b"" for silence."""

    def run(self, time_ns: int) -> None:
        """Let so much time pass; 0: until all that can happen now has happened."""

    def close(self) -> None:
        """End everything."""


class MemoryLink:
    """A connection without a socket."""

    def __init__(self, host: MemoryHost, venue: Venue, connection: int | None) -> None:
        self._host = host
        self.venue = venue
        self.connection = connection
        self.received = bytearray()
        self.closed = connection is None
        self.unread = bytearray()

    def send(self, data: bytes) -> None:
        """Hand bytes over; they wait while the venue does not read."""
        self.unread += data
        self.deliver()

    def deliver(self) -> None:
        """Let the venue read what waits."""
        if self.closed or self.connection is None or not self.unread:
            return
        exchange = self.venue.exchange
        if not exchange.is_paused(self.connection):
            data = bytes(self.unread)
            self.unread.clear()
            exchange.receive(self.connection, data, self._host.now_ns)

    def close(self) -> None:
        """Go away."""
        if not self.closed and self.connection is not None:
            self.closed = True
            self._host.forget(self)
            self.venue.exchange.closed(self.connection, self._host.now_ns)


class MemoryHost:
    """Venues in memory; time is a number."""

    def __init__(self, venues: dict[str, Venue], start_ns: int) -> None:
        self.venues = venues
        self.datagrams: dict[tuple[str, int], list[bytes]] = {}
        self.now_ns = start_ns
        self._links: dict[tuple[str, int], MemoryLink] = {}
        for venue in venues.values():
            venue.exchange.record()
            venue.exchange.start(start_ns)

    def connect(self, venue: str, *, snapshot: bool) -> MemoryLink:
        """Return a new connection."""
        connection = self.venues[venue].exchange.connect(self.now_ns, snapshot=snapshot)
        link = MemoryLink(self, self.venues[venue], connection)
        if connection is not None:
            self._links[venue, connection] = link
        return link

    def forget(self, link: MemoryLink) -> None:
        """Drop a connection that is gone."""
        self._links = {key: one for key, one in self._links.items() if one is not link}

    def request(self, venue: str, data: bytes) -> bytes:
        """Return the answer to a retransmission request."""
        return self.venues[venue].exchange.reply(data, self.now_ns)

    def run(self, time_ns: int) -> None:
        """Let time pass, from one thing that is due to the next."""
        until_ns = self.now_ns + time_ns
        self._pump()
        while True:
            due = [venue.exchange.next_ns for venue in self.venues.values()]
            next_ns = min((one for one in due if one is not None), default=until_ns + 1)
            if next_ns > until_ns:
                break
            self.now_ns = max(next_ns, self.now_ns + 1)
            self._pump()
        self.now_ns = max(until_ns, self.now_ns)
        self._pump()

    def close(self) -> None:
        """End everything."""
        for link in list(self._links.values()):
            link.close()

    def _pump(self) -> None:
        for link in list(self._links.values()):
            link.deliver()
        for name, venue in self.venues.items():
            exchange = venue.exchange
            exchange.advance(self.now_ns)
            while (connection := exchange.take_ready()) is not None:
                self._serve(name, connection)
            for line in range(LINES):
                packets = self.datagrams.setdefault((name, line), [])
                packets += exchange.datagrams(line, self.now_ns)

    def _serve(self, name: str, connection: int) -> None:
        link = self._links.get((name, connection))
        if link is None:
            return
        link.received += link.venue.exchange.send(connection, self.now_ns)
        if link.venue.exchange.is_over(connection):
            link.close()
        else:
            link.deliver()


class SocketLink:
    """A connection that is one."""

    def __init__(self, port: int) -> None:
        self._socket = socket.create_connection(("127.0.0.1", port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)
        self.received = bytearray()
        self.closed = False

    def send(self, data: bytes) -> None:
        """Send bytes; a connection that is gone takes none."""
        with contextlib.suppress(OSError):
            self._socket.sendall(data)

    def read(self) -> bool:
        """Take what has come; False when nothing did."""
        if self.closed:
            return False
        try:
            data = self._socket.recv(READ_BYTES)
        except BlockingIOError:
            return False
        except OSError:
            data = b""
        self.received += data
        if not data:
            self.close()
        return True

    def close(self) -> None:
        """Close it."""
        self.closed = True
        self._socket.close()


class SocketHost:
    """Venues on sockets of the loopback, run by the caller's thread."""

    def __init__(self, venues: dict[str, Venue]) -> None:
        self.venues = venues
        self.datagrams: dict[tuple[str, int], list[bytes]] = {}
        self._server = Server()
        self._links: list[SocketLink] = []
        self._lines = {(name, line): udp() for name in venues for line in range(LINES)}
        self._asker = udp()
        for name, venue in venues.items():
            lines = [(LOOPBACK, self._lines[name, line].getsockname()[1]) for line in range(LINES)]
            self._server.add(venue.exchange, lines=(lines[0], lines[1]))
            venue.exchange.start(self.now_ns)

    @property
    def now_ns(self) -> int:
        """Return the time of day."""
        return time.time_ns()

    def connect(self, venue: str, *, snapshot: bool) -> SocketLink:
        """Return a new connection."""
        ports = self._server.ports(list(self.venues).index(venue))
        link = SocketLink(ports[1] if snapshot else ports[0])
        self._links.append(link)
        return link

    def request(self, venue: str, data: bytes) -> bytes:
        """Return the answer to a retransmission request."""
        port = self._server.ports(list(self.venues).index(venue))[2]
        self._asker.sendto(data, ("127.0.0.1", port))
        self._server.run(MS_NS)
        answers = drain(self._asker)
        return answers[0] if answers else b""

    def run(self, time_ns: int) -> None:
        """Work for so long, and then until nothing has moved for a while."""
        until_ns = time.monotonic_ns() + time_ns
        quiet = 0
        while quiet < QUIET_ROUNDS:
            self._server.run(MS_NS)
            moved = [link.read() for link in self._links]
            for key, line in self._lines.items():
                packets = drain(line)
                self.datagrams.setdefault(key, []).extend(packets)
            late = time.monotonic_ns() >= until_ns
            quiet = quiet + 1 if late and not any(moved) else 0

    def close(self) -> None:
        """Close all sockets."""
        self._server.close()
        for link in self._links:
            link.close()
        for line in (*self._lines.values(), self._asker):
            line.close()


def udp() -> socket.socket:
    """Return a datagram socket on a free port of the loopback."""
    made = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    made.bind(("127.0.0.1", 0))
    made.setblocking(False)
    return made


def drain(line: socket.socket) -> list[bytes]:
    """Return the datagrams that wait."""
    packets = []
    with contextlib.suppress(BlockingIOError):
        while True:
            packets.append(line.recv(READ_BYTES))
    return packets
