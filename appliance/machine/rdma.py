"""``tickplane rdma``: RDMA devices and their addresses, and a ring of records between two hosts."""

from __future__ import annotations

import argparse
import itertools
import json
import socket
import struct
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict

from control import rdma
from control.errors import ControlError
from control.rdma_link import has_ended, receiving, sending
from control.rdma_ring import Ring

NUMBER = struct.Struct(">Q")
NONE = "no RDMA device; load a card's driver, or: rdma link add rxe0 type rxe netdev eth0"
SILENCE_S = 60
LOOKS = 1024  # at the ring between two looks at whether the sender is there


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what the verb takes."""
    verbs = parser.add_subparsers(dest="what", required=True, metavar="WHAT")
    listing = verbs.add_parser("list", help="devices, addresses, and whether they take raw packets")
    listing.add_argument("--json", action="store_true", help="everything as JSON")
    for what, words in (("receive", "be written to"), ("send", "write to the other host")):
        end = verbs.add_parser(what, help=f"one end of a ring: {words}")
        end.add_argument("device", help="RDMA device, like rxe0")
        end.add_argument("address", help="HOST:PORT, where the receiver listens (TCP)")
        end.add_argument("--records", type=int, default=10_000, metavar="N", help="(%(default)s)")
        end.add_argument("--slots", type=int, default=256, help="of the ring (%(default)s)")
        end.add_argument("--payload", type=int, default=128, help="bytes (%(default)s)")


def run(args: argparse.Namespace) -> int:
    """Do it; 0 when it went well."""
    if args.what == "list":
        found = list(rdma.devices())
        text = json.dumps([asdict(one) for one in found], indent=2)
        print(text if args.json else "\n".join(render(found)))
        return 0
    try:
        ring = Ring(args.slots, args.payload)
    except ValueError as error:
        raise ControlError(f"rdma: {error}") from None
    if args.payload < NUMBER.size or args.records < 1:
        raise ControlError(f"rdma: a record is a number: give --payload {NUMBER.size} or more")
    host, port = parse_address(args.address)
    do = receive if args.what == "receive" else send
    try:
        print(do(args.device, (host, port), ring, args.records))
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ControlError(
            f"rdma: {args.address}: {why}; the receiver listens there first, then send"
        ) from None
    return 0


def parse_address(text: str) -> tuple[str, int]:
    """Return host and port."""
    host, colon, port = text.rpartition(":")
    if not colon or not host or not port.isdecimal() or int(port) > 65535:
        raise ControlError(f"rdma: {text!r} is no address; write it like 10.7.0.1:5000")
    return host, int(port)


def render(found: list[rdma.Device]) -> Iterator[str]:
    """Yield the devices as people read them."""
    if not found:
        yield NONE
    for one in found:
        yield (
            f"{one.name}: {one.state}, firmware {one.firmware or '-'}, "
            f"{one.queue_pairs_max} queue pairs, raw packets: {one.raw_packets}"
        )
        for gid in one.gids:
            yield f"  gid {gid.index}  {gid.gid}  {gid.kind}  {gid.interface}"


def receive(device: str, address: tuple[str, int], ring: Ring, count: int) -> str:
    """Take so many records, see that each is whole and in its place; return a line about it."""
    with socket.create_server(address) as server:
        print(f"listening on {server.getsockname()[1]}", flush=True)
        stream, _ = server.accept()
    with stream, receiving(stream, device, ring) as pop:
        begun = time.monotonic()
        for number in range(count):
            record = wait_record(stream, pop, number)
            if record != payload(number, ring):
                raise ControlError(f"rdma: record {number} is another one: {record[:8].hex()}")
        seconds = time.monotonic() - begun
        stream.sendall(b"+")
        stream.recv(1)  # it closes when all its writes are acknowledged, for which we must be here
        return speed(count, seconds) + ", whole and in order"


def wait_record(stream: socket.socket, pop: Callable[[], bytes | None], number: int) -> bytes:
    """Return the next record; ControlError when the sender is gone or silent."""
    end = time.monotonic() + SILENCE_S
    for look in itertools.count(1):
        if (record := pop()) is not None:
            return record
        if look % LOOKS == 0 and (has_ended(stream) or time.monotonic() > end):
            break
    raise ControlError(f"rdma: {number} records came, and then none; look there")


def send(device: str, address: tuple[str, int], ring: Ring, count: int) -> str:
    """Send so many records; return a line about it."""
    with socket.create_connection(address) as stream, sending(stream, device, ring) as push:
        begun, full = time.monotonic(), 0
        for number in range(count):
            while not push(payload(number, ring)):
                full += 1
        if stream.recv(1) != b"+":
            raise ControlError("rdma: the receiver did not take them all; look there")
        return speed(count, time.monotonic() - begun) + f"; found the ring full {full} times"


def payload(number: int, ring: Ring) -> bytes:
    """Return the record of that number: another length and other bytes for each."""
    size = NUMBER.size + number % (ring.payload_bytes - NUMBER.size + 1)
    return NUMBER.pack(number).ljust(size, bytes([number % 251]))


def speed(count: int, seconds: float) -> str:
    """Return how fast it went."""
    return f"{count} records in {seconds:.2f} s, {count / max(seconds, 1e-9):.0f} a second"
