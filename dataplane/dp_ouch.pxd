"""Mirror of proto/dp_ouch.h: what decoding for people needs."""

from libc.stdint cimport uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "dp_ouch.h" nogil:
    enum dp_ouch_direction:
        DP_OUCH_INBOUND
        DP_OUCH_OUTBOUND

    enum dp_ouch_result:
        DP_OUCH_OK
        DP_OUCH_UNKNOWN
        DP_OUCH_SHORT
        DP_OUCH_MALFORMED

    struct dp_ouch_message:
        uint8_t type
        uint32_t options_size
        const uint8_t *options

    dp_ouch_result dp_ouch_decode(
        const uint8_t *data, size_t size, dp_ouch_direction direction, dp_ouch_message *message)
    size_t dp_ouch_encode(
        const dp_ouch_message *message, dp_ouch_direction direction, uint8_t *data, size_t size)
    bint dp_ouch_next_option(
        const dp_ouch_message *message, uint32_t *cursor, uint8_t *tag,
        const uint8_t **value, uint32_t *value_size)
    const char *dp_ouch_reject_name(uint16_t code)

    enum dp_ouch_kind:
        DP_OUCH_CHAR
        DP_OUCH_ALPHA
        DP_OUCH_UINT
        DP_OUCH_TIME8
        DP_OUCH_PRICE8
        DP_OUCH_CODE16

    struct dp_ouch_field:
        const char *name
        uint8_t offset
        uint8_t length
        uint8_t kind
        uint8_t member

    struct dp_ouch_type:
        char type
        uint8_t direction
        uint8_t length
        uint8_t field_count
        uint8_t appendage
        const char *name
        const dp_ouch_field *fields

    const dp_ouch_type *dp_ouch_type_at(size_t index)
    const dp_ouch_type *dp_ouch_type_of "dp_ouch_type"(
        uint8_t type, dp_ouch_direction direction)
