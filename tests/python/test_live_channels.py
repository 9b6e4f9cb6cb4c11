"""One run that takes several channels of market data, each with lines and numbers of its own.

The channels are those of two exchanges in one process, whose instruments and orders have the same
numbers: books must not touch each other, and a hole in one channel is none in the other.
"""

import json

import exchange_books
import pytest
from live_faults import Faults, change
from live_world import PORTS, check_books_balance, free_port, needs_uring
from waiting import wait_until

from appliance.cli import main
from dataplane.region import Region

pytestmark = needs_uring
SIDE = """
  side:
    session: "1"
    orders: 127.0.0.1:{orders}
    snapshot: 127.0.0.1:{snapshot}
    requests: 127.0.0.1:{requests}
    lines:
      a: {{to: 127.0.0.1:{a}}}
      b: {{to: 127.0.0.1:{b}}}
    instruments:
      SIDA: {{reference: 30.00, tick: 0.01}}
      SIDB: {{reference: 40.00, tick: 0.01}}
      SIDC: {{reference: 50.00, tick: 0.01}}
    users:
      alice: {{password: secret, firm: TPLN}}
    agents:
      - {{kind: market_maker, count: 2, interval: 10ms, spread_ticks: 2}}
      - {{kind: zero_intelligence, count: 4, interval: 5ms}}
"""
CHANNEL = "    - {{lines: [127.0.0.1:{a}, 127.0.0.1:{b}], snapshots: [127.0.0.1:{snapshot}]}}\n"
SYMBOLS = ({"TPLN", "OTHR"}, {"SIDA", "SIDB", "SIDC"})


class Channels(Faults):
    """Two exchanges; the run reads both, and trades on the first."""

    def __init__(self, folder, **settings):
        super().__init__(folder, **settings)
        self.side = {name: free_port(kind) for name, kind in PORTS.items()}
        self.venue_yaml.write_text(self.venue_yaml.read_text() + SIDE.format(**self.side))
        text = self.run_yaml.read_text()
        first = text.index("  lines:")
        last = text.index("  orders: [")
        channels = CHANNEL.format(**self.ports) + CHANNEL.format(**self.side)
        self.run_yaml.write_text(f"{text[:first]}  channels:\n{channels}{text[last:]}")
        change(self.run_yaml, "    first: 10\n", "    symbols: [TPLN, OTHR]\n")

    def exchange_levels(self):
        """Return the books of both exchanges: levels by symbol."""
        found = {}
        for ports in (self.ports, self.side):
            books = exchange_books.exchange_books(("127.0.0.1", ports["snapshot"]))
            found |= levels(books)
        return found

    def books(self, run):
        """Return the run's levels by symbol, and the symbols that are stale."""
        with Region.attach(self.region(run)) as region:
            books = region.books()
            stale = {books.symbol(i).strip() for i in books.instruments() if books.is_stale(i)}
            return levels(books), stale

    def wait_for_whole_books(self, run):
        for name in ("lit", "side"):
            self.tell(f"{name}: session all closed")
        wait_until(lambda: self.books(run) == (self.exchange_levels(), set()), process=run)
        for name in ("lit", "side"):
            self.tell(f"{name}: session all continuous")


def levels(books):
    return {
        books.symbol(i).strip(): (books.bids(i, 1000), books.asks(i, 1000))
        for i in books.instruments()
    }


@pytest.mark.parametrize("holed", [0, 1])
def test_a_hole_in_one_channel_is_none_in_the_other(world, holed, capsys):
    """Nobody sends again what is lost: the books of that channel are stale, then rebuilt."""
    one = world(kind=Channels, gap_ms=1000)
    one.start_venue()
    run = one.start_run()
    one.wait_for_orders(run, 5)
    one.wait_for_whole_books(run)
    name, ports = ("lit", "side")[holed], (one.ports, one.side)[holed]
    snapshots = one.counters(run)["snapshots"]
    for line in "ab":
        one.tell(f"{name}: line {line} loss=900000 seed=7")
    wait_until(lambda: one.books(run)[1] == SYMBOLS[holed], process=run)
    main(["status", str(one.region(run)), "--json"])
    channels = json.loads(capsys.readouterr().out)["feed"]["channels"]
    assert channels[1 - holed]["state"] == "whole"
    assert [line["address"] for line in channels[holed]["lines"]] == [
        f"127.0.0.1:{ports[line]}" for line in "ab"
    ]
    if name == "side":
        one.wait_for_orders(run, 5, since=one.counters(run))
    one.wait_until(run, lambda now: now["snapshots"] > snapshots)
    assert one.books(run)[1] <= SYMBOLS[holed]
    for line in "ab":
        one.tell(f"{name}: line {line} loss=0")
    one.wait_for_whole_books(run)
    one.wait_for_orders(run, 5, since=one.counters(run))
    one.finish(run)
    one.end()
    assert one.report()["live"]["channels"] == ["whole", "whole"]
    assert check_books_balance(one) > 0


@pytest.mark.parametrize(
    ("channels", "problem"),
    [
        ("[]", "live.channels: an empty list;"),
        ("[{lines: [1.1.1.1:1]}]", "live.lines: each of `channels` has its own; leave it out here"),
        ("[{lines: [1.1.1.1:1], port: xdp}]", "live.channels[0].port: unknown key;"),
        ("[{requests: [1.1.1.1:1]}]", "live.channels[0].lines: missing;"),
        ("[{lines: [1.1.1.1:1]}, {lines: [1.1.1.1:1]}]", "one of them is a line of another"),
        ("[{lines: [1.1.1.1:1], instruments: 64}, {lines: [1.1.1.1:2]}]", "live.channels: they"),
        ("[{lines: [1.1.1.1:1], instruments: 0}]", "live.channels[0].instruments: 0 is too small;"),
    ],
)
def test_a_wrong_line_of_channels_is_named(world, channels, problem):
    one = world()
    text = one.run_yaml.read_text()
    first, last = text.index("  lines:"), text.index("  orders: [")
    kept = text[first:last] if "leave it out" in problem else ""
    one.run_yaml.write_text(f"{text[:first]}{kept}  channels: {channels}\n{text[last:]}")
    done = one.run_to_end()
    assert done.returncode == 2
    assert problem in done.stderr
