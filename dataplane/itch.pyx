"""TotalView-ITCH 5.0 for people and tests: decode, render, and the table of all fields."""

from libc.stdint cimport uint8_t

from dataplane.dp_itch cimport (
    DP_ITCH_LONGER,
    DP_ITCH_OK,
    DP_ITCH_TEXT_SIZE,
    dp_itch_decode,
    dp_itch_field,
    dp_itch_message,
    dp_itch_render,
    dp_itch_result,
    dp_itch_type,
    dp_itch_type_at,
)

RESULTS = ("ok", "longer", "short", "unknown")
# In the order of enum dp_itch_kind.
KINDS = ("char", "alpha", "uint", "ts6", "price4", "price8")


def result(bytes data not None) -> str:
    """Return what decoding answers: one of RESULTS."""
    cdef dp_itch_message message
    return RESULTS[dp_itch_decode(<const uint8_t *>data, len(data), &message)]


def decode(bytes data not None) -> dict | None:
    """Return the fields that books and states need, or None when nothing could be decoded.

    ``stock`` is the eight bytes as they stand, or None for a type without one.
    """
    cdef dp_itch_message message
    cdef dp_itch_result answer = dp_itch_decode(<const uint8_t *>data, len(data), &message)
    if answer != DP_ITCH_OK and answer != DP_ITCH_LONGER:
        return None
    return {
        "type": message.type,
        "side": message.side,
        "code": message.code,
        "market_code": message.market_code,
        "stock_locate": message.stock_locate,
        "tracking_number": message.tracking_number,
        "price4": message.price4,
        "timestamp_ns": message.timestamp_ns,
        "order_ref": message.order_ref,
        "new_order_ref": message.new_order_ref,
        "qty": message.qty,
        "match_number": message.match_number,
        "stock": None if message.stock is NULL else message.stock[:8],
    }


def render(bytes data not None, bint json=False) -> str | None:
    """Return one message as a line of text or JSON, or None when it is too short or unknown."""
    cdef char text[DP_ITCH_TEXT_SIZE]
    cdef size_t size = dp_itch_render(
        <const uint8_t *>data, len(data), json, text, sizeof(text))
    return None if size == 0 else text[:size].decode("ascii")


cdef dict _field(const dp_itch_field *field):
    return {
        "name": field.name.decode("ascii"),
        "offset": field.offset,
        "length": field.length,
        "kind": KINDS[field.kind],
    }


def message_types() -> list:
    """Return all message types in the order of the specification, each with its fields."""
    cdef list types = []
    cdef const dp_itch_type *entry = dp_itch_type_at(0)
    while entry is not NULL:
        types.append({
            "type": chr(entry.type),
            "name": entry.name.decode("ascii"),
            "length": entry.length,
            "fields": [_field(&entry.fields[index]) for index in range(entry.field_count)],
        })
        entry = dp_itch_type_at(<size_t>len(types))
    return types
