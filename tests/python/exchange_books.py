"""The books as ``tickplane venue`` tells them itself: its snapshot, read by a client of our own."""

from __future__ import annotations

import socket
import sys
import tempfile

from dataplane.books import Books

TIMEOUT_S = 240


def packets(address, user, password):
    """Yield (type, payload) of what the server of snapshots says after a login."""
    with socket.create_connection(address, timeout=TIMEOUT_S) as link, link.makefile("rb") as data:
        login = b"L" + user.encode().ljust(6) + password.encode().ljust(10) + b" " * 29 + b"1"
        link.sendall(len(login).to_bytes(2, "big") + login)
        while len(head := data.read(2)) == 2:
            packet = data.read(int.from_bytes(head, "big"))
            yield packet[:1], packet[1:]


def messages(address, user="alice", password="secret"):
    """Return the messages of a snapshot, and the number that the feed goes on with."""
    found = []
    for kind, payload in packets(address, user, password):
        if kind == b"S" and payload[:1] == b"G":
            return found, int(payload[1:])
        if kind == b"S":
            found.append(payload)
    raise AssertionError("the snapshot broke off")


def exchange_books(address):
    """Return the exchange's books as of now."""
    books = Books(orders=1 << 20, levels=1 << 18, instruments=64)
    with tempfile.NamedTemporaryFile(suffix=".bin") as file:
        for message in messages(address)[0]:
            file.write(len(message).to_bytes(2, "big") + message)
        file.flush()
        books.feed(file.name)
    return books


if __name__ == "__main__":
    print(exchange_books((sys.argv[1], int(sys.argv[2]))).digest())
