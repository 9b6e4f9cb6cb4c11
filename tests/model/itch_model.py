"""ITCH 5.0 decoded and turned into books, slowly and obviously: the product is compared with it.

Written from the tables in tests/specs alone; it shares no code with the product. Books are dicts
and lists: a price names the list of order references that rest there, first in the queue first.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

SPEC: dict[str, dict[str, Any]] = yaml.safe_load(
    (Path(__file__).parents[1] / "specs" / "itch50.yaml").read_text()
)["messages"]
NANOS_PER_PRICE4 = 100_000

Message = dict[str, Any]


def frames(data: bytes) -> Iterator[bytes]:
    """Split a BinaryFILE; where a length is zero the type tells it (files with bare lengths)."""
    at = 0
    while at < len(data):
        size = int.from_bytes(data[at : at + 2], "big")
        at += 2
        if size == 0:
            size = SPEC[chr(data[at])]["length"]
        yield data[at : at + size]
        at += size


def value_of(kind: str, raw: bytes) -> str | int:
    """Return one field: text without padding, one character, or a number."""
    if kind == "alpha":
        return raw.decode("ascii").rstrip(" ")
    if kind == "char":
        return raw.decode("ascii")
    return int.from_bytes(raw, "big")


def decode(raw: bytes) -> Message:
    """Return a message as ``tickplane decode --json`` shows it."""
    layout = SPEC[chr(raw[0])]
    message: Message = {"type": chr(raw[0]), "name": layout["name"]}
    for item in layout["fields"]:
        part = raw[item["offset"] : item["offset"] + item["length"]]
        message[item["name"]] = value_of(item["kind"], part)
    return message


@dataclass
class Order:
    """A resting order."""

    locate: int
    side: str
    price: int
    qty: int


@dataclass
class Book:
    """One stock: price -> references in the order of arrival, for each side."""

    symbol: str
    sides: dict[str, dict[int, list[int]]] = field(default_factory=lambda: {"B": {}, "S": {}})

    def best(self, side: str) -> int | None:
        prices = self.sides[side]
        if not prices:
            return None
        return max(prices) if side == "B" else min(prices)


class Books:
    """All books of a session; what contradicts them is counted and changes nothing."""

    def __init__(self) -> None:
        self.books: dict[int, Book] = {}
        self.orders: dict[int, Order] = {}
        self.wrong: Counter[str] = Counter()

    def apply(self, message: Message) -> None:
        """Do what the message says."""
        kind = message["type"]
        if kind == "S" and message["event_code"] == "O":
            self.books.clear()
            self.orders.clear()
        elif kind == "R":
            self.books.setdefault(message["stock_locate"], Book("")).symbol = message["stock"]
        elif kind in "AF":
            self.add(message)
        elif kind in "ECX":
            executed = message["canceled_shares" if kind == "X" else "executed_shares"]
            self.reduce(message["order_reference_number"], executed)
        elif kind == "D":
            self.remove(message["order_reference_number"])
        elif kind == "U":
            self.replace(message)

    def add(self, message: Message) -> None:
        locate = message["stock_locate"]
        self.books.setdefault(locate, Book(message["stock"]))
        reference = message["order_reference_number"]
        if reference in self.orders:
            self.wrong["duplicate"] += 1
            return
        order = Order(locate, message["side"], message["price"], message["shares"])
        self.insert(reference, order)

    def insert(self, reference: int, order: Order) -> None:
        self.orders[reference] = order
        self.books[order.locate].sides[order.side].setdefault(order.price, []).append(reference)

    def take_out(self, reference: int) -> None:
        order = self.orders.pop(reference)
        prices = self.books[order.locate].sides[order.side]
        prices[order.price].remove(reference)
        if not prices[order.price]:
            del prices[order.price]

    def reduce(self, reference: int, qty: int) -> None:
        if reference not in self.orders:
            self.wrong["unknown"] += 1
        elif qty > self.orders[reference].qty:
            self.wrong["too much"] += 1
        else:
            self.orders[reference].qty -= qty
            if self.orders[reference].qty == 0:
                self.take_out(reference)

    def remove(self, reference: int) -> None:
        if reference not in self.orders:
            self.wrong["unknown"] += 1
        else:
            self.take_out(reference)

    def replace(self, message: Message) -> None:
        old = message["original_order_reference_number"]
        new = message["new_order_reference_number"]
        if old not in self.orders:
            self.wrong["unknown"] += 1
        elif new in self.orders:
            self.wrong["duplicate"] += 1
        else:
            order = self.orders[old]
            self.take_out(old)
            self.insert(new, Order(order.locate, order.side, message["price"], message["shares"]))

    def levels(self, locate: int, side: str) -> list[list[int]]:
        """Return [price in 1e-9, quantity, order count] of every level, best first."""
        prices = self.books[locate].sides[side]
        return [
            [
                price * NANOS_PER_PRICE4,
                sum(self.orders[reference].qty for reference in prices[price]),
                len(prices[price]),
            ]
            for price in sorted(prices, reverse=side == "B")
        ]

    def lines(self) -> list[dict[str, Any]]:
        """Return each book as ``tickplane book --json`` shows it, by stock locate."""
        return [
            {
                "symbol": self.books[locate].symbol,
                "bids": self.levels(locate, "B"),
                "asks": self.levels(locate, "S"),
            }
            for locate in sorted(self.books)
        ]

    def digest(self) -> str:
        """Return the SHA-256 over all lines, as the last line of ``tickplane book --json``."""
        digest = hashlib.sha256()
        for line in self.lines():
            digest.update(json.dumps(line, separators=(",", ":")).encode() + b"\n")
        return digest.hexdigest()


def books_after(messages: Iterable[Message], until_ns: int | None = None) -> Books:
    """Return the books after all messages, or after those up to and including a time."""
    books = Books()
    for message in messages:
        if until_ns is not None and message["timestamp"] > until_ns:
            break
        books.apply(message)
    return books
