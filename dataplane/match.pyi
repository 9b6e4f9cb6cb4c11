from collections.abc import Sequence
from typing import Any, NamedTuple

class Report(NamedTuple):
    type: int
    reason: int
    side: int
    flags: int
    instrument: int
    order_id: int
    tag: int
    price: int | None
    qty: int
    leaves_qty: int
    display_qty: int
    fee: int
    match_number: int
    contra_order_id: int
    contra_tag: int
    contra_leaves_qty: int
    contra_fee: int

class Resting(NamedTuple):
    order_id: int
    price: int | None
    leaves_qty: int
    display_qty: int
    participant: int
    side: int
    place: int

class Indication(NamedTuple):
    reference: int | None
    paired_qty: int
    imbalance_qty: int
    near: int | None
    far: int | None

class Account(NamedTuple):
    cash: int
    fees: int
    traded_qty: int

NONE: int
REASONS: dict[int, tuple[str, str]]

class Matcher:
    """One venue: instruments, participants, fees, books, accounts."""

    def __init__(
        self,
        *,
        instruments: int = ...,
        participants: int = ...,
        orders: int = ...,
        terms: int = ...,
        levels: int = ...,
        seed: int = ...,
    ) -> None: ...
    def add_instrument(self, *, tick: int, price_max: int, **terms: Any) -> int: ...
    def add_participant(self, fee_class: int = ...) -> int: ...
    def set_fees(self, fee_class: int, tiers: Sequence[tuple[int, int, int, int, int]]) -> None: ...
    def new(
        self, order_id: int, side: int, qty: int, price: int | None = ..., **terms: int
    ) -> list[Report]: ...
    def replace(
        self, order_id: int, qty: int, price: int | None = ..., **terms: int
    ) -> list[Report]: ...
    def cancel(
        self, order_id: int, leaves_qty_max: int = ..., *, now_ns: int = ...
    ) -> list[Report]: ...
    def mass_cancel(
        self, *, participant: int = ..., instrument: int = ..., side: int = ..., now_ns: int = ...
    ) -> list[Report]: ...
    def set_session(
        self, session: int, *, instrument: int = ..., now_ns: int = ...
    ) -> list[Report]: ...
    def quote(
        self, bid: int | None, ask: int | None, *, instrument: int = ..., now_ns: int = ...
    ) -> list[Report]: ...
    def advance(self, *, now_ns: int) -> list[Report]: ...
    @property
    def order_count(self) -> int: ...
    def orders(self, instrument: int = ...) -> list[Resting]: ...
    def levels(self, side: int, instrument: int = ...) -> list[tuple[int | None, int, int]]: ...
    def indication(self, instrument: int = ...) -> Indication: ...
    def account(self, participant: int = ...) -> Account: ...
    def position(self, participant: int, instrument: int = ...) -> int: ...
    @property
    def is_balanced(self) -> bool: ...
    def snapshot(self) -> bytes: ...
    def restore(self, data: bytes) -> None: ...
