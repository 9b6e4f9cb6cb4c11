from collections.abc import Sequence

from dataplane.mapping import Mapping
from dataplane.strategy import OrderEvent

POST_MAX: int

class Request:
    """A new order, as submit() takes it."""

    symbol: str
    side: int
    qty: int
    price_nanos: int
    time_in_force: int
    key: int
    def __init__(
        self,
        symbol: str,
        side: int,
        qty: int,
        price_nanos: int,
        time_in_force: int = ...,
        key: int = 0,
    ) -> None: ...

class Desk(Mapping):
    """One desk of a running engine, until close() or the end of a ``with`` block."""

    def open(self, strategy: str, *, wait_s: float = 5.0) -> None: ...
    @property
    def missed(self) -> int: ...
    def submit(
        self,
        symbol: str,
        side: int,
        qty: int,
        price_nanos: int,
        *,
        time_in_force: int = ...,
        key: int = 0,
        wait_s: float = 5.0,
    ) -> int: ...
    def submit_n(
        self, requests: Sequence[Request], *, wait_s: float = 5.0
    ) -> list[tuple[int, str | None]]: ...
    def replace(
        self, user_ref_num: int, qty: int, price_nanos: int, *, wait_s: float = 5.0
    ) -> int: ...
    def cancel(self, user_ref_num: int, *, wait_s: float = 5.0) -> None: ...
    def post(self, requests: Sequence[Request]) -> list[int]: ...
    def answers(self) -> dict[int, tuple[int, str | None]]: ...
    def events(self) -> list[OrderEvent]: ...
