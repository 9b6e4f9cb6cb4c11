from os import PathLike

SYMBOLS_MAX: int

def messages_min(symbols: int) -> int:
    """Return the fewest messages that hold a whole day for so many symbols."""

def symbols_default(messages: int) -> int:
    """Return a number of symbols that suits a session of so many messages."""

class Session:
    """A generated session, read from its beginning to its end as the bytes of a BinaryFILE."""

    def __init__(self, messages: int, symbols: int | None = None, seed: int = 1) -> None: ...
    @property
    def messages(self) -> int: ...
    def read(self) -> bytes: ...

def session_bytes(messages: int, symbols: int | None = None, seed: int = 1) -> bytearray:
    """Return a whole session as the bytes of a BinaryFILE: about 31 bytes a message."""

class Lines:
    """A generated session on two MoldUDP64 lines, written step by step as a nanosecond pcap."""

    frames: int

    def __init__(
        self,
        path: str | PathLike[str],
        messages: int,
        symbols: int | None = None,
        seed: int = 1,
        *,
        loss_a: int = 0,
        loss_b: int = 0,
        reorder: int = 0,
        duplicate: int = 0,
        lose_both: int = 0,
    ) -> None: ...
    @property
    def messages(self) -> int: ...
    @property
    def gaps(self) -> list[tuple[int, int]]: ...
    def step(self) -> bool: ...
    def close(self) -> None: ...
