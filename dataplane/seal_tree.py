"""The hash tree of a sealed segment, as docs/journal.md has it: leaves, paths, and back to a root.

A path leads from one record to the root of its segment: the hashes beside the way up, lowest first.
"""

from __future__ import annotations

import hashlib

LEAF, NODE, SEGMENT, CHAIN = b"\0", b"\1", b"\2", b"\3"


def leaf(record: bytes) -> bytes:
    """Return the hash of one record."""
    return hashlib.sha256(LEAF + record).digest()


def node(left: bytes, right: bytes) -> bytes:
    """Return the hash of two nodes."""
    return hashlib.sha256(NODE + left + right).digest()


def segment_root(header: bytes, record_count: int, tree: bytes) -> bytes:
    """Return the hash of a segment."""
    return hashlib.sha256(SEGMENT + header + record_count.to_bytes(8, "little") + tree).digest()


def chained(previous: bytes, root: bytes) -> bytes:
    """Return the hash of a journal up to a segment."""
    return hashlib.sha256(CHAIN + previous + root).digest()


def above(nodes: list[bytes]) -> list[bytes]:
    """Return the next level: pairs, and a last one without a neighbour as it is."""
    pairs = [node(nodes[at], nodes[at + 1]) for at in range(0, len(nodes) - 1, 2)]
    return pairs + nodes[2 * len(pairs) :]


def path(nodes: list[bytes], place: int) -> list[bytes]:
    """Return the hashes beside the way from a node of the lowest level to the top."""
    found = []
    while len(nodes) > 1:
        beside = place ^ 1
        if beside < len(nodes):
            found.append(nodes[beside])
        nodes, place = above(nodes), place // 2
    return found


def top(found: bytes, place: int, count: int, beside: list[bytes]) -> bytes | None:
    """Return where a path leads that begins at that place of so many; None: of another length."""
    waiting = iter(beside)
    while count > 1:
        if place ^ 1 < count:
            other = next(waiting, None)
            if other is None:
                return None
            found = node(other, found) if place % 2 else node(found, other)
        place, count = place // 2, (count + 1) // 2
    return found if next(waiting, None) is None else None
