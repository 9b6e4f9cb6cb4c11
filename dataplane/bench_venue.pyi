SESSIONS_MAX: int
WINDOW_MAX: int

def load(
    port: int, *, sessions: int, window: int, orders: int, first: int
) -> tuple[int, int, int]: ...

class Echo:
    @property
    def port(self) -> int: ...
    def run(self, budget_ns: int) -> None: ...
