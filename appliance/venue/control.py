"""The control socket of a running venue: one command a line, one answer a line.

A UNIX stream socket that only its owner may open. It is looked at between rounds of the server, so
a command happens between packets, never within one.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Callable

from appliance.errors import CommandError

LINE_MAX = 4096
BACKLOG = 8


class Control:
    """Listens at a path; ``poll`` answers what has come."""

    def __init__(self, path: str, execute: Callable[[str], str]) -> None:
        self._path = path
        self._execute = execute
        self._clients: dict[socket.socket, bytearray] = {}
        self._listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        try:
            remove_stale(path)
            mask = os.umask(0o177)
            try:
                self._listener.bind(path)
            finally:
                os.umask(mask)
        except OSError as error:
            self._listener.close()
            reason = (error.strerror or str(error)).lower()
            raise CommandError(f"--control {path}: {reason}; give a path that is free") from None
        self._listener.listen(BACKLOG)
        self._listener.setblocking(False)

    def poll(self) -> None:
        """Answer every whole line that has come; never wait."""
        with contextlib.suppress(BlockingIOError):
            client, _ = self._listener.accept()
            client.setblocking(False)
            self._clients[client] = bytearray()
        for client in list(self._clients):
            self._read(client)

    def _read(self, client: socket.socket) -> None:
        try:
            data = client.recv(LINE_MAX)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        waiting = self._clients[client]
        waiting += data
        if not data or len(waiting) > LINE_MAX:
            del self._clients[client]
            client.close()
            return
        while b"\n" in waiting:
            line, _, rest = waiting.partition(b"\n")
            waiting[:] = rest
            self._answer(client, line.decode("utf-8", "replace").strip())

    def _answer(self, client: socket.socket, line: str) -> None:
        try:
            answer = self._execute(line) if line else ""
        except CommandError as error:
            answer = f"error: {error}"
        # One that does not read its answers does without.
        with contextlib.suppress(OSError):
            client.send(answer.encode() + b"\n")

    def close(self) -> None:
        """Close the socket and take its path away."""
        for client in self._clients:
            client.close()
        self._listener.close()
        with contextlib.suppress(FileNotFoundError):
            os.unlink(self._path)


def remove_stale(path: str) -> None:
    """Take away a socket that nobody listens at any more."""
    probe = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with probe:
        try:
            probe.connect(path)
        except ConnectionRefusedError:
            os.unlink(path)
        except FileNotFoundError:
            pass
        else:
            raise OSError(None, "another venue listens there")
