"""``tickplane venue``: run the exchanges of a configuration, or scenarios against them.

Prints one READY line with every address, then a line on stderr for each event worth knowing. It
stops on Ctrl-C or SIGTERM, saying end of session to everyone, and then reports what there was.
"""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections.abc import Callable
from datetime import UTC, datetime

from appliance.errors import CommandError
from appliance.venue import config as venue_config
from appliance.venue.agents import Background, act_until, make_agents
from appliance.venue.commands import execute
from appliance.venue.config import Config, LineConfig
from appliance.venue.control import Control
from appliance.venue.hosts import Host, MemoryHost, SocketHost
from appliance.venue.record import MAGIC
from appliance.venue.recorded import Recorded
from appliance.venue.scenario import Run, Scenario, ScenarioError, library, load
from appliance.venue.venues import Venue, open_venues
from dataplane.exchange import note_words
from dataplane.server import Server

ROUND_NS = 2_000_000
GOODBYE_NS = 300_000_000
DAY_S = 86_400
# What the sockets count, in words: said when the count grows.
TROUBLES = {
    "accept_failures": "connections turned away, no descriptor is left; raise `ulimit -n`",
    "datagrams_dropped": "datagrams that the system did not take",
    "tape_failures": "writes of the record failed, it is not whole; give it a disk with room",
}
# A scenario's clock begins here, in memory: 2026-03-02 14:30 UTC.
SCENARIO_START_NS = 1_772_461_800_000_000_000
STATS = ("requests", "orders", "rejected", "ignored", "trades", "cancels", "malformed", "reports")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    what = parser.add_mutually_exclusive_group()
    what.add_argument("--config", metavar="F", help="the venues to run (default: the example)")
    what.add_argument(
        "--scenario",
        metavar="NAME",
        nargs="+",
        help="run scenarios instead: names of the library, files, or `all`",
    )
    what.add_argument("--list", action="store_true", help="list the scenarios that ship")
    what.add_argument("--example", action="store_true", help="print the example configuration")
    parser.add_argument(
        "--sockets", action="store_true", help="run scenarios on sockets, not in memory"
    )
    parser.add_argument("--control", metavar="PATH", help="take commands at this UNIX socket")
    parser.add_argument("--seconds", type=float, metavar="N", help="stop by itself after so long")


def run(args: argparse.Namespace) -> int:
    """Do what was asked."""
    if args.example:
        print(venue_config.example_text(), end="")
        return 0
    if args.list:
        for name in library():
            print(f"{name:<28} {load(name).certifies}")
        return 0
    if args.scenario:
        return run_scenarios(args.scenario, sockets=args.sockets)
    text = venue_config.example_text
    config = (
        venue_config.load(args.config)
        if args.config
        else venue_config.parse(text(), source="venue.yaml")
    )
    return serve(config, args.control, args.seconds)


# ---- scenarios ----


def run_scenarios(names: list[str], *, sockets: bool) -> int:
    """Run scenarios one after the other; 0 when all came true."""
    scenarios = [load(name) for name in (library() if names == ["all"] else names)]
    failed = 0
    for scenario in scenarios:
        try:
            run_scenario(scenario, make_host(scenario, sockets=sockets))
        except ScenarioError as error:
            failed += 1
            print(f"FAIL {scenario.name}: {error}")
        else:
            print(f"ok   {scenario.name}: {scenario.certifies}")
    print(f"{len(scenarios) - failed} of {len(scenarios)} scenarios came true")
    return 1 if failed else 0


def make_host(scenario: Scenario, *, sockets: bool) -> Host:
    """Return the venues of a scenario, ready to be walked through."""
    start_ns = time.time_ns() if sockets else SCENARIO_START_NS
    venues = open_venues(scenario.config, midnight_ns=midnight_ns(start_ns))
    return SocketHost(venues) if sockets else MemoryHost(venues, start_ns)


def run_scenario(scenario: Scenario, host: Host) -> None:
    """Walk through a scenario, and leave nothing open."""
    try:
        Run(scenario, host).run()
    finally:
        host.close()


def midnight_ns(now_ns: int) -> int:
    """Return the midnight before, in UTC."""
    return now_ns // (DAY_S * 10**9) * (DAY_S * 10**9)


# ---- serving ----


class Service:
    """Venues on sockets, with their background and their record."""

    def __init__(self, config: Config) -> None:
        now_ns = time.time_ns()
        self.venues = open_venues(config, midnight_ns=midnight_ns(now_ns))
        self.server = Server()
        self._record = open_record(config.record)
        self._background: list[Background] = []
        self._troubles = dict.fromkeys(TROUBLES, 0)
        for venue in self.venues.values():
            self._bind(venue)
            self._background += background(venue, config.seed, now_ns)
            venue.exchange.start(now_ns)

    def _bind(self, venue: Venue) -> None:
        one = venue.config
        self.server.add(
            venue.exchange,
            orders=one.orders,
            snapshot=one.snapshot,
            requests=one.requests,
            lines=(one.lines[0].address, one.lines[1].address),
            multicast_ip=one.multicast_ip,
            record_file=self._record,
        )

    def ready_line(self) -> str:
        """Return where everything listens."""
        words = ["READY"]
        for at, (name, venue) in enumerate(self.venues.items()):
            orders, snapshot, requests = self.server.ports(at)
            one = venue.config
            words += [
                name,
                f"orders={written(one.orders[0], orders)}",
                f"snapshot={written(one.snapshot[0], snapshot)}",
                f"requests={written(one.requests[0], requests)}",
                *(f"{letter}={line_words(line)}"
                  for letter, line in zip("ab", one.lines, strict=True)),
            ]  # fmt: skip
        return " ".join(words)

    def round(self) -> None:
        """Let the sockets work for a moment, then the background."""
        self.server.run(ROUND_NS)
        act_until(self._background, time.time_ns())
        self.say_notes()
        self.say_troubles()

    def say_notes(self) -> None:
        """Print a line for each event."""
        for name, venue in self.venues.items():
            users = {account: user for user, account in venue.accounts.items()}
            for time_ns, connection, account, kind, detail in venue.exchange.notes():
                print(
                    note_line(time_ns, name, users.get(account or 0) if account else None,
                              connection, kind, detail),
                    file=sys.stderr,
                )  # fmt: skip

    def say_troubles(self) -> None:
        """Print a line for each count of trouble that grew."""
        stats = self.server.stats()
        for name, words in TROUBLES.items():
            more = stats[name] - self._troubles[name]
            self._troubles[name] = stats[name]
            if more:
                print(f"{clock_text(time.time_ns())} sockets: {more} {words}", file=sys.stderr)

    def stop(self) -> None:
        """End the day of every venue, and give the last reports time to leave."""
        for venue in self.venues.values():
            venue.exchange.end(time.time_ns())
        self.server.run(GOODBYE_NS)
        self.say_notes()
        self.say_troubles()
        self.server.close()
        if self._record >= 0:
            os.close(self._record)

    def report(self) -> str:
        """Return what there was, a line each venue."""
        lines = []
        for name, venue in self.venues.items():
            stats = venue.exchange.stats()
            words = ", ".join(f"{stats[key]:,} {key}" for key in STATS)
            balanced = "money and shares balance" if venue.exchange.is_balanced() else (
                "MONEY OR SHARES DO NOT BALANCE")  # fmt: skip
            lines.append(f"{name}: {words}; {balanced}")
        return "\n".join(lines)


def serve(config: Config, control_path: str | None, seconds: float | None) -> int:
    """Run until told to stop."""
    service = Service(config)
    control = open_control(control_path, lambda line: execute(
        service.venues, line, time.time_ns()))  # fmt: skip
    until_ns = None if seconds is None else time.monotonic_ns() + int(seconds * 1e9)
    suffix = f" control={control_path}" if control_path else ""
    print(service.ready_line() + suffix, flush=True)
    try:
        while until_ns is None or time.monotonic_ns() < until_ns:
            service.round()
            if control is not None:
                control.poll()
    except KeyboardInterrupt:
        pass
    finally:
        if control is not None:
            control.close()
    service.stop()
    print(service.report())
    return 0


def open_control(path: str | None, answer: Callable[[str], str]) -> Control | None:
    """Return the control socket that was asked for."""
    return Control(path, answer) if path else None


def background(venue: Venue, seed: int, start_ns: int) -> list[Background]:
    """Return what keeps a venue's market alive."""
    everything = make_agents(venue, seed, start_ns)
    if venue.config.recording:
        speed = venue.config.recording_speed
        everything.append(Recorded(venue, venue.config.recording, speed, start_ns))
    return everything


def open_record(path: str) -> int:
    """Return a descriptor of the record of truth, its magic written; -1 for none."""
    if not path:
        return -1
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
        os.write(file, MAGIC)
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise CommandError(f"record: {path}: {reason}; give a file that can be written") from None
    return file


def written(ip: int, port: int) -> str:
    """Return an address as people write it."""
    return f"{ip >> 24}.{ip >> 16 & 255}.{ip >> 8 & 255}.{ip & 255}:{port}"


def line_words(line: LineConfig) -> str:
    """Return where a line goes."""
    return written(*line.address) if line.address[1] else "off"


def note_line(
    time_ns: int, venue: str, user: str | None, connection: int | None, kind: int, detail: str
) -> str:
    """Return an event in one line.

    >>> note_line(0, "lit", "alice", 3, 9, "")
    '00:00:00.000 lit: alice: connection 3: closed: silent for too long'
    """
    parts = [f"{clock_text(time_ns)} {venue}"]
    if user is not None:
        parts.append(user)
    if connection is not None:
        parts.append(f"connection {connection}")
    what = f"{note_words(kind)}" + (f" ({detail!r})" if detail else "")
    return ": ".join([*parts, what])


def clock_text(time_ns: int) -> str:
    """Return the time of day, in UTC, to the millisecond."""
    return datetime.fromtimestamp(time_ns / 1e9, UTC).strftime("%H:%M:%S.%f")[:-3]
