"""Market data by multicast, over the loopback: both lines, and an appliance that joins them."""

from __future__ import annotations

import random
import socket
import struct

import pytest
from live_world import World, check_books_balance, needs_uring

INTERFACE = "127.0.0.1"


def group() -> str:
    """Return an address of the organization's own scope (RFC 2365)."""
    return f"239.255.{random.randrange(256)}.{random.randrange(1, 255)}"


@pytest.fixture
def world(tmp_path):
    """Return a venue whose lines are two groups, and an appliance that joins them."""
    one = World(tmp_path, seed=6)
    one.groups = {"a": group(), "b": group()}
    for name, address in one.groups.items():
        old, new = f"127.0.0.1:{one.ports[name]}", f"{address}:{one.ports[name]}"
        for path in (one.venue_yaml, one.run_yaml):
            text = path.read_text()
            assert old in text
            path.write_text(text.replace(old, new))
    text = one.venue_yaml.read_text()
    one.venue_yaml.write_text(
        text.replace("    lines:\n", f"    multicast_interface: {INTERFACE}\n    lines:\n")
    )
    text = one.run_yaml.read_text()
    one.run_yaml.write_text(
        text.replace("  user: alice\n", f"  user: alice\n  local_ip: {INTERFACE}\n")
    )
    yield one
    one.end()


def joined(address: str, port: int) -> socket.socket:
    """Return a socket that hears a group."""
    heard = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    heard.bind((address, port))
    membership = socket.inet_aton(address) + socket.inet_aton(INTERFACE)
    heard.setsockopt(socket.IPPROTO_IP, socket.IP_ADD_MEMBERSHIP, membership)
    heard.settimeout(60)
    return heard


def messages_of(line: socket.socket, last: int) -> dict[int, bytes]:
    """Return the messages that a line brings, by sequence number, until it has brought `last`."""
    seen: dict[int, bytes] = {}
    while not seen or max(seen) < last:
        packet = line.recv(2048)
        sequence, count = struct.unpack(">QH", packet[10:20])
        at = 20
        for number in range(sequence, sequence + count):
            size = int.from_bytes(packet[at : at + 2], "big")
            seen[number] = packet[at + 2 : at + 2 + size]
            at += 2 + size
    return seen


def test_both_lines_bring_the_same_messages_to_whoever_joined(world):
    lines = [joined(address, world.ports[name]) for name, address in world.groups.items()]
    world.start_venue()
    left, right = (messages_of(line, last=50) for line in lines)
    both = sorted(set(left) & set(right))
    assert both[:50] == list(range(1, 51))
    assert all(left[number] == right[number] for number in both)
    for line in lines:
        line.close()


@needs_uring
def test_an_appliance_trades_on_a_multicast_feed(world):
    world.start_venue()
    run = world.start_run()
    world.wait_for_orders(run)
    world.finish(run)
    world.end()
    report = world.report()
    assert report["counters"]["mold_lost"] == 0
    assert all(line["packets"] > 0 for line in report["live"]["lines"][:2])
    assert check_books_balance(world) > 0
