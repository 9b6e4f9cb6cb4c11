/*
 * dp_itch_decode - the hot half of dp_itch.h, included by it: decoding inline, so that a loop over
 * messages keeps the fields it uses in registers and drops those it does not.
 *
 * No branch depends on the type. The types of a live feed follow each other nearly like dice, and a
 * wrongly guessed jump costs more than loading every field; so each type has a line that says where
 * each field stands, and a field that it lacks is loaded from the header and masked away. A number
 * of fewer than eight bytes is loaded with the bytes in front of it, which are masked off as well:
 * nothing behind a field is ever read.
 */
#ifndef DP_ITCH_DECODE_H
#define DP_ITCH_DECODE_H

#include "dp_itch.h"

/* Where the fields of struct dp_itch_message stand. */
struct dp_itch_layout {
    alignas(DP_CACHE_LINE) uint64_t order_ref_mask;
    uint64_t new_order_ref_mask;
    uint64_t qty_mask;
    uint64_t match_number_mask;
    uintptr_t stock_mask;
    uint32_t price4_mask;
    uint8_t order_ref_at;
    uint8_t new_order_ref_at;
    uint8_t qty_at;
    uint8_t match_number_at;
    uint8_t price4_at;
    uint8_t stock_at;
    uint8_t side_at;
    uint8_t side_mask;
    uint8_t code_at;
    uint8_t code_mask;
    uint8_t market_code_at;
    uint8_t market_code_mask;
    uint8_t length; /* of the message, 0 for an unknown type */
};

extern const struct dp_itch_layout dp_itch_layouts[256]; /* by message type */

static inline uint32_t dp_itch_length(uint8_t type)
{
    return dp_itch_layouts[type].length;
}

static inline uint8_t dp_itch_side(uint8_t code)
{
    return (uint8_t)((code == 'B') * DP_SIDE_BUY + (code == 'S') * DP_SIDE_SELL);
}

/* Inline even where a program decodes in many places: the call and the way through memory would
 * cost as much. */
__attribute__((always_inline)) static inline enum dp_itch_result dp_itch_decode(
    const uint8_t *data, size_t size, struct dp_itch_message *message)
{
    const struct dp_itch_layout *layout = &dp_itch_layouts[size == 0 ? 0 : data[0]];
    if (DP_UNLIKELY(size <= (size_t)layout->length - 1)) { /* of an unknown type: always */
        *message = (struct dp_itch_message){.type = size == 0 ? 0 : data[0]};
        return size == 0 || layout->length > 0 ? DP_ITCH_SHORT : DP_ITCH_UNKNOWN;
    }

    /* Two fields at once, as the loads of decoding are most of its work. */
    uint64_t tracking_and_time = dp_load_be64(data + 3);
    *message = (struct dp_itch_message){
        .type = data[0],
        .side = dp_itch_side(data[layout->side_at] & layout->side_mask),
        .code = data[layout->code_at] & layout->code_mask,
        .market_code = data[layout->market_code_at] & layout->market_code_mask,
        .stock_locate = dp_load_be16(data + 1),
        .tracking_number = (uint16_t)(tracking_and_time >> 48),
        .price4 = dp_load_be32(data + layout->price4_at) & layout->price4_mask,
        .timestamp_ns = (int64_t)(tracking_and_time & ((1ull << 48) - 1)),
        .order_ref = dp_load_be64(data + layout->order_ref_at) & layout->order_ref_mask,
        .new_order_ref = dp_load_be64(data + layout->new_order_ref_at) & layout->new_order_ref_mask,
        .qty = dp_load_be64(data + layout->qty_at) & layout->qty_mask,
        .match_number = dp_load_be64(data + layout->match_number_at) & layout->match_number_mask,
        .stock = (const uint8_t *)((uintptr_t)(data + layout->stock_at) & layout->stock_mask),
    };
    return DP_LIKELY(size == layout->length) ? DP_ITCH_OK : DP_ITCH_LONGER;
}

#endif
