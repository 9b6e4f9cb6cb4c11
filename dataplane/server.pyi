from dataplane.exchange import Exchange

LOOPBACK: int

Address = tuple[int, int]

class Server:
    def __init__(self) -> None: ...
    def add(
        self,
        exchange: Exchange,
        *,
        orders: Address = ...,
        snapshot: Address = ...,
        requests: Address = ...,
        lines: tuple[Address, Address] = ...,
        multicast_ip: int = ...,
        record_file: int = ...,
    ) -> int: ...
    def ports(self, venue: int) -> tuple[int, int, int]: ...
    def run(self, budget_ns: int) -> None: ...
    def stats(self) -> dict[str, int]: ...
    def close(self) -> None: ...
