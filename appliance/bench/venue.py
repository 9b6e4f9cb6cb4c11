"""Row ``venue.orders``: an exchange over sockets of the loopback, beside an echo of the same bytes.

Four sessions keep a window of orders unanswered each; every second order trades. The value is the
time for one order, all that the exchange does for it included: books, reports to both sides, market
data on two lines, the record of truth. Answer times stand beside the echo's, with the full window
and with one order at a time.
"""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from statistics import median
from typing import Any

from appliance.bench.rows import Bench, Figures, Row, row, say
from dataplane.bench_venue import Echo, load
from dataplane.exchange import Exchange
from dataplane.server import LOOPBACK, Server

SESSIONS = 4
WINDOW = 256
ORDERS_MAX = 250_000  # of one session and round
ORDERS_ALONE = 5_000  # one at a time
ROUND_NS = 5_000_000

# (nanoseconds for all orders, p50, p99 of one)
Reading = tuple[int, int, int]


class Runner:
    """Something with a port, running in a thread of its own until it is stopped."""

    def __init__(self, port: int, run: Callable[[int], None]) -> None:
        self.port = port
        self._run = run
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._loop)
        self._thread.start()
        self.first = 2  # number of the next order; even ones buy

    def _loop(self) -> None:
        while not self._stopped.is_set():
            self._run(ROUND_NS)

    def measure(self, orders: int, window: int) -> Reading:
        """Send so many orders on each session."""
        reading = load(self.port, sessions=SESSIONS, window=window, orders=orders, first=self.first)
        self.first += orders
        return reading

    def stop(self) -> None:
        """End the thread."""
        self._stopped.set()
        self._thread.join()


@contextmanager
def exchange() -> Iterator[Runner]:
    """An exchange with all that it does for a client: feed, record, four users."""
    one = Exchange(orders=1 << 16, accounts=SESSIONS, instruments=1)
    one.add_instrument("TPLN")
    for number in range(SESSIONS):
        one.add_account(f"load{number}", "secret")
    server = Server()
    with tempfile.TemporaryFile() as tape:
        # Port 9 is discard: the packets are made and sent, and nobody needs them.
        server.add(one, lines=((LOOPBACK, 9), (LOOPBACK, 9)), record_file=tape.fileno())
        one.start(0)

        def run(budget_ns: int) -> None:
            server.run(budget_ns)
            # What was written is not looked at: the disk need not hold all of it.
            if os.fstat(tape.fileno()).st_size > 1 << 28:
                os.ftruncate(tape.fileno(), 0)
                os.lseek(tape.fileno(), 0, os.SEEK_SET)

        runner = Runner(server.ports(0)[0], run)
        try:
            yield runner
        finally:
            runner.stop()
            server.close()


@contextmanager
def echo() -> Iterator[Runner]:
    """The echo."""
    one = Echo()
    runner = Runner(one.port, one.run)
    try:
        yield runner
    finally:
        runner.stop()


def rounds(bench: Bench) -> dict[str, list[Reading]]:
    """Return the readings of both, full and alone, over interleaved rounds."""
    orders = min(ORDERS_MAX, bench.args.messages // 20 // 2 * 2 or 2)
    alone = min(ORDERS_ALONE, orders)
    runs: dict[str, list[Reading]] = {}
    with exchange() as one, echo() as other:
        for number in range(bench.args.rounds + 1):
            say(f"round {number} of {bench.args.rounds}")
            for name, runner in (("echo", other), ("orders", one)):
                runs.setdefault(name, []).append(runner.measure(orders, WINDOW))
                runs.setdefault(f"{name} alone", []).append(runner.measure(alone, 1))
    say("")
    count = SESSIONS * orders
    return {name: readings[1:] for name, readings in runs.items()} | {"count": [(count, 0, 0)]}


def percentiles(readings: list[Reading]) -> dict[str, float]:
    """Return the medians over the rounds."""
    return {
        name: median(reading[at] for reading in readings) for name, at in (("p50", 1), ("p99", 2))
    }


def orders(bench: Bench) -> Row:
    """Take, match, answer, publish and record orders of four sessions."""
    runs = bench.shared(rounds)
    count = runs["count"][0][0]
    figures = {
        name: Figures([reading[0] / count for reading in runs[name]], None, None)
        for name in ("orders", "echo")
    }
    made = row("venue.orders", "ns/order", figures["orders"], "venue.echo", figures["echo"])
    extra: dict[str, Any] = {
        "orders_a_second": round(1e9 / figures["orders"].median),
        "sessions": SESSIONS,
        "window": WINDOW,
        "answer_ns": percentiles(runs["orders"]),
        "echo_ns": percentiles(runs["echo"]),
        "answer_alone_ns": percentiles(runs["orders alone"]),
        "echo_alone_ns": percentiles(runs["echo alone"]),
    }
    return made | extra


ROWS = {"venue.orders": orders}
