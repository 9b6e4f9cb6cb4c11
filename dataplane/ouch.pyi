from typing import Any, Literal, TypedDict

RESULTS: tuple[str, ...]
DIRECTIONS: tuple[str, ...]
KINDS: tuple[str, ...]
APPENDAGES: tuple[str, ...]

class Field(TypedDict):
    name: str
    offset: int
    length: int
    kind: Literal["char", "alpha", "uint", "ts8", "px8", "u16code"]

class MessageType(TypedDict):
    type: str
    direction: Literal["inbound", "outbound"]
    name: str
    length: int
    appendage: Literal["none", "optional", "required"]
    fields: list[Field]

def result(data: bytes, direction: str) -> str: ...
def decode(data: bytes, direction: str) -> dict[str, Any] | None: ...
def recode(data: bytes, direction: str) -> bytes | None: ...
def reject_name(code: int) -> str: ...
def message_types() -> list[MessageType]: ...
