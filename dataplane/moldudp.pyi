VERDICTS: tuple[str, ...]

class Feed:
    messages: list[tuple[int, bytes, int]]
    gaps: list[tuple[int, int, int]]
    sessions: list[bytes]
    end_count: int

    def __init__(
        self,
        hold_count_max: int = 64,
        packet_size_max: int = 1500,
        gap_timeout_ns: int = 1_000_000,
        sequence_first: int = 1,
    ) -> None: ...
    def push(self, packet: bytes, time_ns: int) -> str: ...
    def poll(self, now_ns: int = ...) -> None: ...
    @property
    def expected(self) -> int: ...
