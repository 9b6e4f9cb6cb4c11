from typing import Any

BUY: int
SELL: int
DAY: int
IOC: int
LEVELS_MAX: int

class StrategyError(Exception): ...

class OrderDenied(Exception):
    reason: str
    def __init__(self, reason: str) -> None: ...

class Strategy:
    failure: BaseException | None

class Top:
    instrument_index: int
    time_ns: int
    bid_price_nanos: int | None
    ask_price_nanos: int | None
    bid_qty: int
    ask_qty: int
    stale: bool
    trading_state: str
    session: str

class Trade:
    instrument_index: int
    time_ns: int
    price_nanos: int
    qty: int
    match_number: int
    aggressor: int | None
    kind: str

class OrderEvent:
    kind: str
    ord_status: str
    time_ns: int
    user_ref_num: int
    orig_user_ref_num: int
    instrument_index: int
    side: int
    qty: int
    price_nanos: int
    leaves_qty: int
    cum_qty: int
    venue_order_id: int
    exec_id: int
    reason: int

class Gateway:
    now_ns: int
    def submit(
        self,
        instrument_index: int,
        side: int,
        qty: int,
        price_nanos: int,
        *,
        time_in_force: int = ...,
        key: int = ...,
    ) -> int: ...
    def replace(self, user_ref_num: int, qty: int, price_nanos: int) -> int: ...
    def cancel(self, user_ref_num: int) -> None: ...
    def levels(
        self, instrument_index: int, side: int, depth: int = 10
    ) -> list[tuple[int, int, int]]: ...
    def symbol(self, instrument_index: int) -> str: ...
    def position(self, instrument_index: int) -> int: ...
    def watch(self, instrument_index: int) -> None: ...
    def set_timer(self, interval_ns: int) -> None: ...

class PythonStrategy(Strategy):
    target: Any
    def __init__(self, target: Any) -> None: ...

class LibraryStrategy(Strategy):
    def __init__(self, path: str, params: dict[str, str]) -> None: ...
