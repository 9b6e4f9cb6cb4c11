/*
 * dp_itch_decode - the hot half of dp_itch.h, included by it: decoding inline, so that a loop over messages keeps the
 * fields it uses in registers and drops those it does not.
 *
 * Within one type every field stands at a fixed offset; the length is checked once, before any of them is read.
 * One switch per message, because its indirect jump is what costs: types that share a layout share a tail.
 */
#ifndef DP_ITCH_DECODE_H
#define DP_ITCH_DECODE_H

#include "dp_itch.h"

#define DP_ITCH_FALL_THROUGH __attribute__((fallthrough))

extern const uint8_t dp_itch_lengths[256]; /* by message type, 0 for an unknown one */

static inline uint32_t dp_itch_length(uint8_t type)
{
    return dp_itch_lengths[type];
}

/* Without a branch: buys and sells follow each other like coin throws, which no predictor learns. */
static inline uint8_t dp_itch_side(uint8_t code)
{
    return (uint8_t)((code == 'B') * DP_SIDE_BUY + (code == 'S') * DP_SIDE_SELL);
}

/* What stands behind the header. data holds at least the length of its type; the rest of *message is zero. */
static inline void dp_itch_decode_body(const uint8_t *data, struct dp_itch_message *message)
{
    switch (data[0]) {
    case 'P':
        message->match_number = dp_load_be64(data + 36);
        DP_ITCH_FALL_THROUGH;
    case 'A':
    case 'F':
        message->order_ref = dp_load_be64(data + 11);
        message->side = dp_itch_side(data[19]);
        message->qty = dp_load_be32(data + 20);
        message->stock = data + 24;
        message->price4 = dp_load_be32(data + 32);
        break;
    case 'C':
        message->code = data[31];
        message->price4 = dp_load_be32(data + 32);
        DP_ITCH_FALL_THROUGH;
    case 'E':
        message->match_number = dp_load_be64(data + 23);
        DP_ITCH_FALL_THROUGH;
    case 'X':
        message->qty = dp_load_be32(data + 19);
        DP_ITCH_FALL_THROUGH;
    case 'D':
        message->order_ref = dp_load_be64(data + 11);
        break;
    case 'U':
        message->order_ref = dp_load_be64(data + 11);
        message->new_order_ref = dp_load_be64(data + 19);
        message->qty = dp_load_be32(data + 27);
        message->price4 = dp_load_be32(data + 31);
        break;
    case 'Q':
        message->qty = dp_load_be64(data + 11);
        message->stock = data + 19;
        message->price4 = dp_load_be32(data + 27);
        message->match_number = dp_load_be64(data + 31);
        message->code = data[39];
        break;
    case 'B':
        message->match_number = dp_load_be64(data + 11);
        break;
    case 'S':
    case 'W':
        message->code = data[11];
        break;
    case 'h':
        message->market_code = data[19];
        message->code = data[20];
        message->stock = data + 11;
        break;
    case 'H':
    case 'Y':
        message->code = data[19];
        DP_ITCH_FALL_THROUGH;
    case 'R':
    case 'K':
    case 'J':
    case 'N':
    case 'O':
        message->stock = data + 11;
        break;
    case 'L':
        message->stock = data + 15;
        break;
    case 'I':
        message->stock = data + 28;
        message->code = data[48];
        break;
    default: /* V carries nothing but its levels */
        break;
    }
}

static inline enum dp_itch_result dp_itch_decode(
    const uint8_t *data, size_t size, struct dp_itch_message *message)
{
    message->type = size == 0 ? 0 : data[0];
    uint32_t length = size == 0 ? 1 : dp_itch_length(data[0]);
    if (DP_UNLIKELY(size < length))
        return DP_ITCH_SHORT;
    if (DP_UNLIKELY(length == 0))
        return DP_ITCH_UNKNOWN;

    *message = (struct dp_itch_message){
        .type = data[0],
        .stock_locate = dp_load_be16(data + 1),
        .tracking_number = dp_load_be16(data + 3),
        .timestamp_ns = (int64_t)dp_load_be48(data + 5),
    };
    dp_itch_decode_body(data, message);
    return DP_LIKELY(size == length) ? DP_ITCH_OK : DP_ITCH_LONGER;
}

#endif
