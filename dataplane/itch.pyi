from typing import Literal, TypedDict

RESULTS: tuple[str, ...]
KINDS: tuple[str, ...]

class Message(TypedDict):
    type: int
    side: int
    code: int
    market_code: int
    stock_locate: int
    tracking_number: int
    price4: int
    timestamp_ns: int
    order_ref: int
    new_order_ref: int
    qty: int
    match_number: int
    stock: bytes | None

class Field(TypedDict):
    name: str
    offset: int
    length: int
    kind: Literal["char", "alpha", "uint", "ts6", "price4", "price8"]

class MessageType(TypedDict):
    type: str
    name: str
    length: int
    fields: list[Field]

def result(data: bytes) -> str: ...
def decode(data: bytes) -> Message | None: ...
def render(data: bytes, json: bool = False) -> str | None: ...
def message_types() -> list[MessageType]: ...
