"""Mirror of proto/dp_itch.h."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "dp_itch.h" nogil:
    enum: DP_ITCH_TEXT_SIZE

    enum dp_itch_result:
        DP_ITCH_OK
        DP_ITCH_LONGER
        DP_ITCH_SHORT
        DP_ITCH_UNKNOWN

    struct dp_itch_message:
        uint8_t type
        uint8_t side
        uint8_t code
        uint8_t market_code
        uint16_t stock_locate
        uint16_t tracking_number
        uint32_t price4
        int64_t timestamp_ns
        uint64_t order_ref
        uint64_t new_order_ref
        uint64_t qty
        uint64_t match_number
        const uint8_t *stock

    dp_itch_result dp_itch_decode(const uint8_t *data, size_t size, dp_itch_message *message)
    uint32_t dp_itch_length(uint8_t type)

    enum dp_itch_kind:
        DP_ITCH_CHAR
        DP_ITCH_ALPHA
        DP_ITCH_UINT
        DP_ITCH_TIME6
        DP_ITCH_PRICE4
        DP_ITCH_PRICE8

    struct dp_itch_field:
        const char *name
        uint8_t offset
        uint8_t length
        uint8_t kind

    struct dp_itch_type:
        char type
        uint8_t length
        uint8_t field_count
        const char *name
        const dp_itch_field *fields

    const dp_itch_type *dp_itch_type_at(size_t index)
    size_t dp_itch_render(
        const uint8_t *data, size_t data_size, bint json, char *text, size_t size)
