from collections.abc import Sequence

from dataplane.bench_meter import Reading

SHAPES: tuple[str, ...]

class MatchBench:
    """One flow in memory, and the engines that it goes through; each run begins anew."""

    result: tuple[int, int, int, int]
    plain_result: tuple[int, int, int, int]

    def __init__(self, shape: str, count: int, *, resting: int = ..., seed: int = ...) -> None: ...
    def fifo(self) -> Reading: ...
    def pro_rata(self) -> Reading: ...
    def plain(self) -> Reading: ...
    def latency(self, permille: Sequence[int]) -> list[int]: ...
