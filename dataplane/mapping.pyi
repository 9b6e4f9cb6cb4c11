from os import PathLike
from types import TracebackType
from typing import Self

class Mapping:
    """One region, mapped until close() or the end of a ``with`` block."""

    @classmethod
    def attach(cls, path: str | PathLike[str]) -> Self: ...
    def __enter__(self) -> Self: ...
    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...
    def close(self) -> None: ...
