from collections.abc import Callable, Iterator
from typing import Any

from dataplane.seal import Block, Sealed

CLASSES: tuple[str, ...]
DURABILITIES: tuple[str, ...]

def record_words() -> list[str]: ...
def decode_record(data: bytes, prefix: str, symbols: dict[int, str]) -> dict[str, Any]: ...

class Segment:
    """One file of a journal, mapped read-only, and a walk over its records."""

    path: str
    sealed: Sealed | None
    unused: bool
    final: bool
    cause: str | None
    record_count: int
    time_ns: int | None
    event_count: int
    execution_count: int
    user_ref_num_max: int
    durable_sequence: int

    def __init__(self, path: str) -> None: ...
    @property
    def header(self) -> dict[str, Any]: ...
    @property
    def verdict(self) -> str: ...
    @property
    def size(self) -> int: ...
    @property
    def offset(self) -> int: ...
    @property
    def fault_offset(self) -> int: ...
    @property
    def sequence(self) -> int: ...
    @property
    def chain(self) -> int: ...
    def resume(
        self,
        sequence: int,
        offset: int,
        record_count: int,
        time_ns: int,
        chain: int,
        header_crc: int,
    ) -> bool: ...
    def skip(self) -> None: ...
    def retry(self) -> bool: ...
    def records(
        self, symbols: dict[int, str], wanted: Callable[[Block], bool] | None = None
    ) -> Iterator[dict[str, Any]]: ...
    def behind(self) -> int | None: ...
    def __buffer__(self, flags: int, /) -> memoryview: ...
