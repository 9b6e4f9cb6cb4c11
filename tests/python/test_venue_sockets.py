"""An exchange on real sockets against clients that do it all wrong: it stays up, leaks nothing."""

from __future__ import annotations

import gc
import os
import random
import socket
import struct
import sys
import threading
import time
from contextlib import contextmanager

import pytest
from waiting import LIMIT_S

from appliance.venue import messages
from dataplane.exchange import Exchange, note_words
from dataplane.server import Server

MS_NS = 1_000_000
USERS = 8


class Running:
    """An exchange in a thread of its own, and what it had to say."""

    def __init__(self, **limits) -> None:
        self.exchange = Exchange(accounts=USERS, instruments=1, store_bytes=1 << 20, **limits)
        self.exchange.add_instrument("TPLN")
        for number in range(USERS):
            self.exchange.add_account(f"user{number}", "secret", cancel_on_disconnect=number % 2)
        self.server = Server()
        self.server.add(self.exchange)
        self.exchange.start(time.time_ns())
        self.orders, self.snapshot, self.requests = self.server.ports(0)
        # Looked at by the thread that runs it; the test reads these.
        self.notes: list[str] = []
        self.stats = self.exchange.stats()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._loop)
        self._thread.start()

    def _loop(self) -> None:
        while not self._stop.is_set():
            self.server.run(MS_NS)
            self.notes += [sys.intern(note_words(note[3])) for note in self.exchange.notes()]
            self.stats = self.exchange.stats()

    def stop(self) -> None:
        """End the thread, then look."""
        self._stop.set()
        self._thread.join()

    def wait_until(self, claim) -> None:
        """Wait for something to become true, or fail at a generous limit."""
        end = time.monotonic() + LIMIT_S
        while not claim() and time.monotonic() < end:
            time.sleep(0.005)
        assert claim(), self.notes[-5:]

    def wait_until_all_left(self, count: int) -> None:
        """Wait until so many connections have come and none is left."""
        self.wait_until(
            lambda: (self.stats["connections"], self.stats["connection_count"]) == (count, 0)
        )


@contextmanager
def running(**limits):
    one = Running(**limits)
    try:
        yield one
    finally:
        one.stop()
        one.server.close()


def connect(port: int) -> socket.socket:
    made = socket.create_connection(("127.0.0.1", port), timeout=LIMIT_S)
    made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    return made


def logged_in(port: int, user: str = "user0") -> socket.socket:
    made = connect(port)
    made.sendall(messages.login(user, "secret", sequence=1))
    assert made.recv(3)[2:3] == b"A"
    return made


def reads_to_its_end(client: socket.socket) -> bytes:
    data = b""
    while True:
        try:
            part = client.recv(65536)
        except ConnectionResetError:
            return data
        if not part:
            return data
        data += part


def descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


# What a client may not send, before and after its login, and what is said about it.
PACKET = "closed: not a SoupBinTCP packet"
UNEXPECTED = "closed: a packet that a client may not send now"
MALFORMED = [
    ("length 0", b"\0\0", PACKET),
    ("no such type", b"\0\1?", PACKET),
    ("a heartbeat with a payload", b"\0\2Rx", PACKET),
    ("a login too short", b"\0\5Labcd", PACKET),
    ("a server's data", messages.packet("S", b"x"), UNEXPECTED),
    ("a server's heartbeat", messages.packet("H"), UNEXPECTED),
    ("a server's end", messages.packet("Z"), UNEXPECTED),
    ("an answer to a login", messages.packet("A", b" " * 30), UNEXPECTED),
    (
        "longer than any message",
        b"\xff\xffU" + b"x" * 100,
        "closed: a packet longer than any message",
    ),
    ("text", b"GET / HTTP/1.1\r\n\r\n", PACKET),
]


@pytest.mark.parametrize("late", [False, True], ids=["before login", "after login"])
def test_every_malformed_packet_ends_its_connection_with_one_line(late):
    with running() as venue:
        for what, data, words in MALFORMED:
            venue.wait_until(lambda: venue.stats["connection_count"] == 0)
            venue.notes.clear()
            client = logged_in(venue.orders) if late else connect(venue.orders)
            client.sendall(data)
            reads_to_its_end(client)
            client.close()
            venue.wait_until(lambda: any(note.startswith("closed") for note in venue.notes))
            closing = [note for note in venue.notes if note != "logged in"]
            assert closing == [words], what
        fine = logged_in(venue.orders)
        fine.sendall(messages.packet("O"))
        reads_to_its_end(fine)
        fine.close()


def test_every_malformed_message_is_dropped_with_one_line():
    rows = [b"?", b"O", b"O" * 46, b"U" * 39, b"X" * 8, b"M" * 9, b"C" * 18, b"D" * 10, b"E" * 10]
    rows += [b"O" + b"\0" * 44 + b"\0\5abc", b"X" + b"\0" * 8 + b"\0", b"Q\0\1\0", b"Q" * 300, b""]
    with running() as venue:
        client = logged_in(venue.orders)
        for data in rows:
            client.sendall(messages.packet("U", data))
        client.sendall(messages.packet("U", b"Q"))
        venue.wait_until(lambda: venue.stats["malformed"] == len(rows))
        assert venue.notes.count("dropped: not an OUCH message") == len(rows)
        assert venue.stats["connection_count"] == 1
        client.close()


def test_packets_may_be_cut_anywhere():
    order = messages.BUILDERS["enter"](messages.split("enter 1 B 100 TPLN 10.00"))
    stream = messages.login("user0", "secret") + messages.packet("+", b"hello")
    stream += messages.packet("U", order) + messages.packet("R") + messages.packet("U", b"Q")
    with running() as venue:
        client = connect(venue.orders)
        for at in range(len(stream)):
            client.sendall(stream[at : at + 1])
        data = bytearray()
        seen: list[str] = []
        while "account_query_response" not in seen:
            data += client.recv(4096)
            seen += [messages.see(*one).name for one in messages.take_packets(data)]
        assert seen == [
            "login_accepted",
            "system_event",
            "order_accepted",
            "account_query_response",
        ]
        client.close()


def test_a_login_storm_is_answered_one_by_one():
    with running() as venue:
        before = descriptors()
        for number in range(600):
            client = connect(venue.orders)
            kind = number % 3
            password = "wrong" if kind == 0 else "secret"
            client.sendall(messages.login(f"user{number % USERS}", password))
            if kind == 1:
                client.close()
                continue
            assert client.recv(3)[2:3] in (b"A", b"J")
            client.close()
        venue.wait_until_all_left(600)
        assert descriptors() == before
        assert venue.notes.count("login refused: user or password unknown") == 200


def test_half_open_connections_are_let_go():
    with running(login_ns=100 * MS_NS, silence_ns=200 * MS_NS) as venue:
        silent = [connect(venue.orders) for _ in range(50)]
        live = logged_in(venue.orders)
        venue.wait_until_all_left(51)
        assert venue.notes.count("closed: no login in time") == 50
        assert venue.notes.count("closed: silent for too long") == 1
        for client in (*silent, live):
            client.close()


def test_more_connections_than_there_may_be_are_closed():
    with running(connections=4) as venue:
        kept = [connect(venue.orders) for _ in range(4)]
        venue.wait_until(lambda: venue.stats["connection_count"] == 4)
        over = connect(venue.orders)
        assert reads_to_its_end(over) == b""
        full = "closed: as many connections as there may be"
        venue.wait_until(lambda: full in venue.notes)
        for client in (*kept, over):
            client.close()


def test_a_client_that_does_not_read_is_cut_off_and_others_are_not():
    with running(slow_bytes=256 << 10) as venue:
        slow, fine = logged_in(venue.orders, "user0"), logged_in(venue.orders, "user1")
        slow.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        slow.setblocking(False)
        queries = messages.packet("U", b"Q") * 1000
        end = time.monotonic() + LIMIT_S
        while not any("too far behind" in note for note in venue.notes):
            assert time.monotonic() < end, venue.stats
            try:
                slow.send(queries)
            except BlockingIOError:
                time.sleep(0.001)
            except OSError:
                break
        venue.wait_until(lambda: any("too far behind" in note for note in venue.notes))
        fine.sendall(messages.packet("U", b"Q"))
        data = bytearray()
        while b"Q" not in data:
            data += fine.recv(4096)
        slow.close()
        fine.close()


def test_garbage_at_the_retransmission_port_is_met_with_silence():
    with running() as venue, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asker:
        asker.settimeout(LIMIT_S)
        for size in (0, 1, 19, 21, 1472, 9000):
            asker.sendto(b"x" * size, ("127.0.0.1", venue.requests))
        good = struct.pack(">10sQH", b"1".rjust(10), 1, 1)
        venue.wait_until(lambda: venue.stats["notes_lost"] == 0 and len(venue.notes) >= 6)
        asker.sendto(good, ("127.0.0.1", venue.requests))
        assert asker.recv(4096)[:18] == good[:18]


def random_bytes(dice: random.Random, number: int) -> bytes:
    """Return a request, whole or spoilt, but for its number: a high one silences the rest."""
    verbs = (
        f"enter {number} {dice.choice('BSTEX')} {dice.randrange(1000)} TPLN "
        f"{dice.randrange(990, 1010) / 100:.2f} time_in_force={dice.choice('0356')}",
        f"replace {dice.randrange(1, number + 1)} {number} {dice.randrange(1000)} 10.00",
        f"cancel {dice.randrange(1, number + 1)} {dice.randrange(100)}",
        f"modify {dice.randrange(1, number + 1)} T {dice.randrange(100)}",
        f"mass_cancel {number}",
        "query",
    )
    request = messages.split(dice.choice(verbs))
    data = messages.packet("U", messages.BUILDERS[request.verb](request))
    if dice.random() < 0.1:
        at = dice.choice([at for at in range(len(data)) if not 4 <= at < 12])
        data = data[:at] + bytes([dice.randrange(256)]) + data[at + 1 :]
    return data


def random_session(venue: Running, dice: random.Random, first: int) -> None:
    """One client from connect to whatever end it takes."""
    client = connect(venue.snapshot if dice.random() < 0.05 else venue.orders)
    try:
        if dice.random() < 0.9:
            client.sendall(messages.login(f"user{dice.randrange(USERS)}", "secret", sequence=0))
        for number in range(dice.randrange(12)):
            client.sendall(random_bytes(dice, first + number))
        if dice.random() < 0.3:
            client.sendall(messages.packet("O"))
        if dice.random() < 0.3:
            client.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        elif dice.random() < 0.3:
            client.shutdown(socket.SHUT_WR)
            reads_to_its_end(client)
    except OSError:
        pass  # the venue hung up first
    client.close()


def resident_kib() -> int:
    gc.collect()
    with open("/proc/self/statm") as file:
        return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE") // 1024


def test_random_sessions_leak_nothing():
    """A slice; `make soak AREAS=venue` runs many times more."""
    count = int(os.environ.get("VENUE_SESSIONS", "10000"))
    with running() as venue:
        dice = random.Random(int(os.environ.get("SEED", "1")))
        before, files = 0, 0
        for number in range(count):
            if number == count // 4:  # stores are warm
                before, files = resident_kib(), descriptors()
            random_session(venue, dice, number * 12 + 1)
        venue.wait_until_all_left(count)
        stats = venue.stats
        assert stats["trades"] > 0 and stats["malformed"] > 0
        assert venue.exchange.is_balanced()
        assert descriptors() <= files
        assert resident_kib() - before < (USERS + 2) * 1024  # their stores fill, and no more
