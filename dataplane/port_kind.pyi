from typing import TypedDict

class Kind(TypedDict):
    name: str
    words: str
    library: str
    is_built: bool
    problem: str

def kinds() -> list[Kind]: ...
