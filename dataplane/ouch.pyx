"""OUCH 5.0 for people and tests: decode and encode messages, and the table of all fields."""

from libc.stdint cimport uint8_t, uint32_t, uint64_t
from libc.string cimport memcpy

from dataplane.dp_ouch cimport (
    DP_OUCH_ALPHA,
    DP_OUCH_CHAR,
    DP_OUCH_INBOUND,
    DP_OUCH_OK,
    DP_OUCH_OUTBOUND,
    dp_ouch_decode,
    dp_ouch_direction,
    dp_ouch_encode,
    dp_ouch_field,
    dp_ouch_message,
    dp_ouch_next_option,
    dp_ouch_reject_name,
    dp_ouch_type,
    dp_ouch_type_at,
    dp_ouch_type_of,
)

RESULTS = ("ok", "unknown", "short", "malformed")
# In the order of the C enumerations.
DIRECTIONS = ("inbound", "outbound")
KINDS = ("char", "alpha", "uint", "ts8", "px8", "u16code")
APPENDAGES = ("none", "optional", "required")


cdef dp_ouch_direction _direction(str direction) except *:
    if direction not in DIRECTIONS:
        raise ValueError(f"direction is {direction!r}; it must be 'inbound' or 'outbound'")
    return DP_OUCH_INBOUND if direction == "inbound" else DP_OUCH_OUTBOUND


cdef object _value(const dp_ouch_message *message, const dp_ouch_field *field):
    cdef const char *member = <const char *>message + field.member
    cdef uint64_t number = 0
    if field.kind == DP_OUCH_CHAR or field.kind == DP_OUCH_ALPHA:
        return member[:field.length].decode("latin-1").rstrip(" ")
    # A length of two bytes on the wire is kept in four.
    memcpy(&number, member, 4 if field.name == b"appendage_length" else field.length)
    return number


cdef list _options(const dp_ouch_message *message):
    cdef uint32_t cursor = 0
    cdef uint8_t tag = 0
    cdef const uint8_t *value = NULL
    cdef uint32_t value_size = 0
    cdef list options = []
    while dp_ouch_next_option(message, &cursor, &tag, &value, &value_size):
        options.append((tag, (<const char *>value)[:value_size]))
    return options


def result(bytes data not None, str direction not None) -> str:
    """Return what decoding answers: one of RESULTS."""
    cdef dp_ouch_message message
    return RESULTS[dp_ouch_decode(
        <const uint8_t *>data, len(data), _direction(direction), &message)]


def decode(bytes data not None, str direction not None) -> dict | None:
    """Return all fields by their specification names, or None when the message is not whole.

    Text is without its padding, numbers are as on the wire (prices with four decimals);
    ``options`` is a list of (tag, value bytes) in wire order.
    """
    cdef dp_ouch_message message
    cdef dp_ouch_direction way = _direction(direction)
    if dp_ouch_decode(<const uint8_t *>data, len(data), way, &message) != DP_OUCH_OK:
        return None
    cdef const dp_ouch_type *entry = dp_ouch_type_of(message.type, way)
    cdef dict fields = {}
    for index in range(entry.field_count):
        fields[entry.fields[index].name.decode("ascii")] = _value(&message, &entry.fields[index])
    fields["options"] = _options(&message)
    return fields


def recode(bytes data not None, str direction not None) -> bytes | None:
    """Return the message decoded and encoded again, or None when it is not whole."""
    cdef dp_ouch_message message
    cdef dp_ouch_direction way = _direction(direction)
    if dp_ouch_decode(<const uint8_t *>data, len(data), way, &message) != DP_OUCH_OK:
        return None
    cdef bytearray encoded = bytearray(len(data))
    cdef size_t size = dp_ouch_encode(&message, way, <uint8_t *>encoded, len(data))
    return bytes(encoded[:size])


def reject_name(int code) -> str:
    """Return the words of a reject code.

    >>> reject_name(7)
    'halted'
    """
    if not 0 <= code <= 0xFFFF:
        raise ValueError(f"code is {code}; it must be from 0 to 65535")
    return dp_ouch_reject_name(code).decode("ascii")


cdef dict _field(const dp_ouch_field *field):
    return {
        "name": field.name.decode("ascii"),
        "offset": field.offset,
        "length": field.length,
        "kind": KINDS[field.kind],
    }


def message_types() -> list:
    """Return all message types, inbound first, each with its fields."""
    cdef list types = []
    cdef const dp_ouch_type *entry = dp_ouch_type_at(0)
    while entry is not NULL:
        types.append({
            "type": chr(entry.type),
            "direction": DIRECTIONS[entry.direction],
            "name": entry.name.decode("ascii"),
            "length": entry.length,
            "appendage": APPENDAGES[entry.appendage],
            "fields": [_field(&entry.fields[index]) for index in range(entry.field_count)],
        })
        entry = dp_ouch_type_at(<size_t>len(types))
    return types
