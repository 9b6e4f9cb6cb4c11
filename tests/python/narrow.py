"""A relay before a venue's orders that can leave unread what a run sends: TCP's window closes."""

from __future__ import annotations

import contextlib
import socket
import threading


class Narrow:
    """The relay; a world's run is configured to trade through it."""

    def __init__(self, one):
        self.reads = threading.Event()
        self.reads.set()
        self.venue_port = one.ports["orders"]
        self.listener = socket.socket()
        self.listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1)  # the least there is
        self.listener.bind(("127.0.0.1", 0))
        self.listener.listen()
        self.port = self.listener.getsockname()[1]
        text = one.run_yaml.read_text()
        ports = (f"127.0.0.1:{self.venue_port}", f"127.0.0.1:{self.port}")
        one.run_yaml.write_text(text.replace(*ports))
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        with contextlib.suppress(OSError):  # closed
            while True:
                run, _ = self.listener.accept()
                venue = socket.create_connection(("127.0.0.1", self.venue_port))
                for ends in ((run, venue, self.reads), (venue, run, None)):
                    threading.Thread(target=relay, args=ends, daemon=True).start()

    def holds_bytes(self):
        """Whether the run's end of the connection has bytes that the window does not let go."""
        with open("/proc/net/tcp", encoding="ascii") as table:
            rows = [line.split() for line in list(table)[1:]]
        return any(
            int(words[2].split(":")[1], 16) == self.port and int(words[4].split(":")[0], 16) > 4096
            for words in rows
        )

    def close(self):
        self.reads.set()
        self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()


def relay(source, sink, gate):
    """Carry bytes one way; what a connection held when it was reset goes nowhere."""
    with contextlib.suppress(OSError):
        while data := source.recv(65536):
            if gate is not None:
                gate.wait()
            if source.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
                break
            sink.sendall(data)
    for end in (source, sink):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
            end.close()
