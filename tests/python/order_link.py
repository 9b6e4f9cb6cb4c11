"""Stands between a run's order session and the exchange, packet by packet of SoupBinTCP.

It passes everything on, and can be told to break the connection off at any byte of any packet
(``cut``), or to let the exchange say what it never said (``inject``).
"""

from __future__ import annotations

import contextlib
import socket
import struct
import threading

from live_faults import change
from waiting import wait_until

TO_VENUE, TO_RUN = "to the exchange", "to the run"
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: closing sends RST


def read_packet(link):
    """Return one packet of SoupBinTCP, whole; b"" at the end."""
    head = read_exactly(link, 2)
    return head + read_exactly(link, int.from_bytes(head, "big")) if head else b""


def read_exactly(link, size):
    data = b""
    while len(data) < size:
        more = link.recv(size - len(data))
        if not more:
            return b""
        data += more
    return data


class OrderLink:
    """Listens at a port of its own; the run's configuration is made to name it."""

    def __init__(self, world):
        self._venue = ("127.0.0.1", world.ports["orders"])
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.port = self._listener.getsockname()[1]
        self._lock = threading.Lock()
        self._cut = None  # direction, packets before it, share of it that still passes
        self._count = {}
        self._inject = []
        self._pairs = []
        self.cuts = 0
        self.injected = 0
        change(world.run_yaml, f"orders: [127.0.0.1:{world.ports['orders']}]",
               f"orders: [127.0.0.1:{self.port}]")  # fmt: skip
        threading.Thread(target=self._listen, daemon=True).start()

    def cut(self, direction, packets, share):
        """Break off after so many more packets of that direction, and that share of the next."""
        with self._lock:
            self._count = {TO_VENUE: 0, TO_RUN: 0}
            self._cut = (direction, packets, share)

    def close(self):
        """Be gone for good: its address answers nobody any more."""
        with self._lock:
            pairs = self._pairs
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for pair in pairs:
            self._reset(*pair)

    def inject(self, make):
        """Say ``make(packet)`` to the run behind the next report of which it makes something."""
        before = self.injected
        with self._lock:
            self._inject.append(make)
        wait_until(lambda: self.injected > before)

    def _listen(self):
        while True:
            try:
                run, _ = self._listener.accept()
            except OSError:
                return
            try:
                venue = socket.create_connection(self._venue)
            except OSError:
                self._reset(run)
                continue
            for side in (run, venue):
                side.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = (run, venue)
            with self._lock:
                self._pairs.append(pair)
            for direction, source, sink in ((TO_VENUE, run, venue), (TO_RUN, venue, run)):
                threading.Thread(
                    target=self._pump, args=(direction, source, sink, pair), daemon=True
                ).start()

    def _pump(self, direction, source, sink, pair):
        try:
            while packet := read_packet(source):
                if (share := self._share(direction)) is not None:
                    sink.sendall(packet[: int(len(packet) * share)])
                    break
                sink.sendall(packet if direction == TO_VENUE else self._told(packet))
        except OSError:
            pass
        self._reset(*pair)

    def _share(self, direction):
        """Return how much of this packet passes before the end; None: all, and it is no end."""
        with self._lock:
            if self._cut is None or self._cut[0] != direction:
                return None
            if self._count[direction] < self._cut[1]:
                self._count[direction] += 1
                return None
            share, self._cut = self._cut[2], None
            self.cuts += 1
            return share

    def _told(self, packet):
        with self._lock:
            if packet[2:3] != b"S" or not self._inject:
                return packet
            extra = self._inject[0](packet[3:])
            if extra is None:
                return packet
            del self._inject[0]
            self.injected += 1
        return packet + (len(extra) + 1).to_bytes(2, "big") + b"S" + extra

    def _reset(self, *links):
        for link in links:
            with contextlib.suppress(OSError):
                link.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
                link.shutdown(socket.SHUT_RD)
            with contextlib.suppress(OSError):
                link.close()
