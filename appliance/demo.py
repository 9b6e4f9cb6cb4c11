"""``tickplane demo``: an appliance that trades live on an exchange, and both records compared.

The exchange (``tickplane venue``) and the appliance (``tickplane run``) are processes of their own
on two hosts (two_hosts.py), with sockets between them and nothing else. At the end the exchange's
record of every packet is held against the appliance's journal.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import random
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any

import yaml

from appliance import reconcile
from appliance.errors import CommandError
from appliance.live_config import KINDS, TCPS
from appliance.reconcile_answers import positions_that_differ
from appliance.two_hosts import INTERFACE, Host, Hosts, mac_of, ready_for_frames, two_hosts
from dataplane.card import kinds
from dataplane.errors import DataplaneError
from dataplane.region import Region

TICKPLANE = [sys.executable, "-P", "-m", "appliance"]
PORT_NAMES = ("orders", "snapshot", "requests", "a", "b")
STACK_IP = "10.77.0.9"  # of TCP in user space; the appliance's kernel does not have it
# It leaves the kernel its copy of a frame; its ring holds what comes while others have our core.
DEVICE = f"net_af_packet0,iface={INTERFACE},framecnt=4096"
GROUPS = {"a": "239.77.0.1", "b": "239.77.0.2"}  # for hosts of their own
NOT_READY = 2  # exit status of an appliance that has said why
SECONDS = 30.0
SECONDS_MAX = 86_400.0
END_SECONDS = 60  # until who was told to end is no longer waited for
LOOK_SECONDS = 0.05
AGENTS = [
    {"kind": "market_maker", "count": 2, "interval": "10ms", "spread_ticks": 2},
    {"kind": "zero_intelligence", "count": 4, "interval": "5ms"},
    {"kind": "informed", "interval": "100ms", "spread_ticks": 3},
]
# Orders as fast as they are answered: each changes the book that the next one answers to.
LOAD = {
    "kind": "imbalance_taker",
    "params": {"qty": 1, "threshold": 1, "cooldown_ms": 0, "hold_ms": 200, "position_max": 1000},
}


@dataclass(frozen=True)
class Place:
    """Where everything of one demonstration is, and where its packets go."""

    folder: Path
    hosts: Hosts
    ports: dict[str, int]

    def at(self, name: str) -> str:
        """Return the address of one of the exchange's ports."""
        ip = self.hosts.venue.ip if self.hosts.reason or name not in GROUPS else GROUPS[name]
        return f"{ip}:{self.ports[name]}"

    @property
    def journal(self) -> Path:
        """Return the folder of the appliance's journal."""
        return self.folder / "journal"

    @property
    def record(self) -> Path:
        """Return the file of the exchange's record."""
        return self.folder / "venue.tape"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Declare what the verb takes."""
    parser.add_argument(
        "--seconds", type=float, metavar="N",
        help="trade at most so long (30; with --orders until they are sent)",
    )  # fmt: skip
    parser.add_argument(
        "--orders", type=int, metavar="N", help="end as soon as so many orders were sent"
    )
    parser.add_argument(
        "--load", action="store_true",
        help="as many orders as get answers: besides, take a share at each change of a book",
    )  # fmt: skip
    parser.add_argument(
        "--folder", type=Path, default=Path("tickplane-demo"), metavar="DIR",
        help="where to write; replaces the last demonstration there (%(default)s)",
    )  # fmt: skip
    parser.add_argument(
        "--loopback", action="store_true", help="one host, even where two can be made"
    )
    parser.add_argument("--port", choices=KINDS, default="uring", help="of the feed (uring)")
    parser.add_argument(
        "--card", choices=[kind["name"] for kind in kinds() if not kind["where"]], default="none",
        help="an offload card before the port of the feed (none)",
    )  # fmt: skip
    parser.add_argument("--tcp", choices=TCPS, default="kernel", help="of the orders (kernel)")
    parser.add_argument("--strategy", help="as of tickplane run (market_maker; with --load all)")
    parser.add_argument("--seed", type=int, default=1, metavar="N", help="of the background (1)")


def run(args: argparse.Namespace) -> int:
    """Trade, and return 0 when both records say the same."""
    if args.tcp == "lwip" and args.port == "uring":
        raise CommandError("--tcp: lwip: stands on a port of frames; add --port xdp or dpdk")
    if args.card != "none" and args.port == "uring":
        raise CommandError(
            f"--card: {args.card}: stands before a port of frames; add --port xdp or dpdk"
        )
    clear(args.folder)
    with two_hosts(only_loopback=args.loopback) as hosts:
        place = Place(args.folder, hosts, choose_ports(hosts))
        write_configurations(place, args)
        say(hosts.describe())
        with exchange(place) as venue:
            status = trade(place, args)
            end(venue, "the exchange")
        say(f"at the exchange: {last_line(place.folder / 'venue.log')}")
    if status == NOT_READY:
        return status
    return compare(place) or status


def say(text: str) -> None:
    """Print a line of our own."""
    print(f"demo: {text}", flush=True)


# ---- what there is before anybody starts ----


def clear(folder: Path) -> None:
    """Take away what a demonstration left there, and nothing else."""
    mine = {"journal", "journal.switches", "venue.tape", "venue.yaml", "venue.log", "live.yaml"}
    mine.add("report.json")
    folder.mkdir(parents=True, exist_ok=True)
    others = {path.name for path in folder.iterdir()} - mine
    if others:
        raise CommandError(
            f"--folder: {folder}: holds {sorted(others)[0]!r}, which is not a demonstration's; "
            "name another folder"
        )
    shutil.rmtree(folder / "journal", ignore_errors=True)
    for name in mine - {"journal"}:
        (folder / name).unlink(missing_ok=True)


def choose_ports(hosts: Hosts) -> dict[str, int]:
    """Return ports that nobody has; on hosts of their own nobody has any."""
    if not hosts.reason:
        return dict(zip(PORT_NAMES, (9001, 9002, 9003, 9101, 9102), strict=True))
    found: list[int] = []
    while len(found) < len(PORT_NAMES):
        # Below those that the kernel gives to clients.
        port = random.randrange(20_000, 32_000)
        if port not in found and is_free(hosts.venue.ip, port):
            found.append(port)
    return dict(zip(PORT_NAMES, found, strict=True))


def is_free(ip: str, port: int) -> bool:
    """Say whether nobody has that port, of TCP and of UDP."""
    try:
        with socket.socket() as tcp, socket.socket(type=socket.SOCK_DGRAM) as udp:
            tcp.bind((ip, port))
            udp.bind((ip, port))
    except OSError:
        return False
    return True


def shipped(name: str) -> dict[str, Any]:
    """Return a configuration that ships."""
    text = (resources.files("appliance") / "configs" / name).read_text()
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def write_configurations(place: Place, args: argparse.Namespace) -> None:
    """Write both configurations: those that ship, with the addresses of this demonstration."""
    venue = shipped("venue.yaml")
    lit = venue["venues"]["lit"]
    venue["venues"] = {"lit": lit}
    venue |= {"seed": args.seed, "record": str(place.record)}
    lit |= {name: place.at(name) for name in ("orders", "snapshot", "requests")}
    lit["lines"]["a"]["to"], lit["lines"]["b"]["to"] = place.at("a"), place.at("b")
    lit["agents"] = AGENTS
    live = shipped("live.yaml") | {"card": {"backend": args.card}}
    if args.load:
        maker = live["strategies"][0]
        risk = {**maker["risk"], "duplicate_window_ms": 1}  # it repeats itself on purpose
        live["strategies"].append({**maker, **LOAD, "name": "load", "risk": risk})
    live["live"] |= {
        "port": args.port,
        "lines": [place.at("a"), place.at("b")],
        "requests": [place.at("requests")],
        "snapshots": [place.at("snapshot")],
        "orders": [place.at("orders")],
    }
    if not place.hosts.reason:
        lit["multicast_interface"] = place.hosts.venue.ip
        live["live"] |= {"local_ip": place.hosts.appliance.ip, "interface": INTERFACE}
    if args.port != "uring":
        live["live"] |= frames(place.hosts, args)
    for name, what in (("venue.yaml", venue), ("live.yaml", live)):
        (place.folder / name).write_text(yaml.safe_dump(what, sort_keys=False))


def frames(hosts: Hosts, args: argparse.Namespace) -> dict[str, Any]:
    """Prepare the wire for a port of frames; return what its configuration says besides."""
    if hosts.reason or os.geteuid() != 0:
        raise CommandError(f"--port: {args.port}: needs two hosts and root; use uring")
    ready_for_frames(hosts, STACK_IP)
    found: dict[str, Any] = {"queues": hosts.queues}
    if args.port == "dpdk":
        found = {"interface": DEVICE, "huge_pages": "no"} | found
    if args.tcp == "lwip":
        found |= {"tcp": "lwip", "tcp_ip": STACK_IP, "next_hop": mac_of(hosts.venue)}
    return found


# ---- the processes ----


def start(host: Host, hosts: Hosts, *words: object, **options: Any) -> subprocess.Popen[str]:
    """Start a verb on a host. Ctrl-C is ours alone: who is ended when is ours to say."""
    command = [*TICKPLANE, *map(str, words)]
    return subprocess.Popen(
        hosts.words(host, command), text=True, start_new_session=True, **options
    )


@contextlib.contextmanager
def exchange(place: Place) -> Iterator[subprocess.Popen[str]]:
    """Run the exchange for as long as the block lasts."""
    log = place.folder / "venue.log"
    with log.open("w") as file:
        venue = start(
            place.hosts.venue, place.hosts, "venue", "--config", place.folder / "venue.yaml",
            stdout=file, stderr=file,
        )  # fmt: skip
    try:
        while not first_line(log).startswith("READY"):
            if venue.poll() is not None:
                raise CommandError(f"demo: the exchange did not start: {last_line(log)}")
            time.sleep(LOOK_SECONDS)
        say(
            f"exchange ready: orders {place.at('orders')}, feed {place.at('a')} and {place.at('b')}"
        )
        yield venue
    finally:
        end(venue, "the exchange")


def end(process: subprocess.Popen[str], who: str) -> None:
    """Tell a process to end, and wait for it; one that does not end is killed."""
    if process.poll() is None:
        process.send_signal(signal.SIGTERM)
    try:
        process.wait(END_SECONDS)
    except subprocess.TimeoutExpired:
        say(f"{who} did not end within {END_SECONDS} s; it is killed")
        process.kill()
        process.wait()


def trade(place: Place, args: argparse.Namespace) -> int:
    """Run the appliance to its end; return its exit status."""
    strategy = args.strategy or (None if args.load else "market_maker")
    seconds = args.seconds or (SECONDS if args.orders is None else SECONDS_MAX)
    until = f"{seconds:g} s" if args.orders is None else f"{args.orders:,} orders"
    say(f"trading for {until} with {strategy or 'load'}; Ctrl-C ends it sooner")
    appliance = start(
        place.hosts.appliance, place.hosts, "run", place.folder / "live.yaml",
        *(["--strategy", strategy] if strategy else []), "--seconds", seconds, "--every", 2,
        "--journal", place.journal, "--json", place.folder / "report.json",
    )  # fmt: skip
    try:
        while appliance.poll() is None:
            time.sleep(LOOK_SECONDS)
            if args.orders is not None and orders_sent(appliance.pid) >= args.orders:
                break
    except KeyboardInterrupt:
        say("stopped by Ctrl-C; what is open is cancelled first")
    end(appliance, "the appliance")
    return appliance.returncode


def orders_sent(pid: int) -> int:
    """Return how many orders that process has sent so far."""
    try:
        with Region.attach(next(Path("/dev/shm").glob(f"tickplane-*-{pid}"))) as region:
            return region.counters()["orders_sent"]
    except (DataplaneError, StopIteration):  # still being made
        return 0


def first_line(path: Path) -> str:
    """Return the first whole line of a file of words; "" as long as there is none."""
    line, end_of_line, _ = path.read_text().partition("\n")
    return line if end_of_line else ""


def last_line(path: Path) -> str:
    """Return the last line of a file of words."""
    return (path.read_text().splitlines() or ["it said nothing"])[-1]


# ---- afterwards ----


def compare(place: Place) -> int:
    """Hold both records against each other; 0 when they say the same."""
    say("the exchange's record of every packet, against the appliance's journal:")
    facts, differences = reconcile.compare(str(place.journal), str(place.record))
    differences += held_otherwise(place, facts["positions"])
    print(reconcile.render(facts, differences))
    print(
        f"\n  {place.journal}     every order event, with checksums: tickplane journal dump\n"
        f"  {place.record}  every packet that the exchange saw or sent\n"
        f"  {place.folder}/*.yaml      both configurations, to start from"
    )
    if not facts["requests_seen"]:
        say("no order was sent, so that nothing is shown; give it more --seconds")
    return 1 if differences or not facts["requests_seen"] else 0


def held_otherwise(place: Place, recorded: dict[str, int]) -> list[reconcile.Difference]:
    """Return where what the engine held at its end is not what was recorded."""
    report = json.loads((place.folder / "report.json").read_text())
    held = {row["symbol"].strip(): row["position"] for row in report["positions"]}
    return [
        reconcile.Difference(kind, f"the engine's {what}")
        for kind, what in positions_that_differ(held, recorded)
    ]
