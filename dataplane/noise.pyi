from typing import TypedDict

class Clock(TypedDict):
    hz: int
    error_ppb: int
    read_ns: int
    invariant: bool

class Noise(TypedDict):
    duration_ns: int
    reads: int
    pauses: int
    pause_total_ns: int
    pause_max_ns: int
    histogram_ns: dict[int, int]

class Meter:
    def __init__(self) -> None: ...
    def clock(self) -> Clock: ...
    def listen(self, seconds: float, pause_ns_min: int = 1000) -> Noise: ...
    def trip(
        self, here: int, there: int, count: int = 1000, seconds: float = 0.2
    ) -> tuple[int, int, int]: ...
    def memory(self, size: int, loads: int = 200_000) -> float: ...
