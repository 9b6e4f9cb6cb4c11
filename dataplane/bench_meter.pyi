Reading = tuple[int, int, int | None, int | None]

class Meter:
    """Time and counts of one loop on the calling thread, for the loops of other modules."""

    def __init__(self) -> None: ...
