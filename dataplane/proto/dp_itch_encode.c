#include "dp_itch_encode.h"

static void store_header(const struct dp_itch_message *message, uint8_t *data)
{
    data[0] = message->type;
    dp_store_be16(data + 1, message->stock_locate);
    dp_store_be16(data + 3, message->tracking_number);
    dp_store_be48(data + 5, (uint64_t)message->timestamp_ns);
}

static uint8_t side_code(uint8_t side)
{
    return side == DP_SIDE_BUY ? 'B' : 'S';
}

/* A security like most: any lot size, a common stock, for trading, not new, no fund. */
static void store_directory(const struct dp_itch_message *message, uint8_t *data)
{
    memcpy(data + 11, message->stock, 8);
    data[19] = 'Q';
    data[20] = 'N';
    dp_store_be32(data + 21, 100);
    memcpy(data + 25, "NCZ PNN1N", 9);
    dp_store_be32(data + 34, 0);
    data[38] = 'N';
}

static void store_action(const struct dp_itch_message *message, uint8_t *data)
{
    memcpy(data + 11, message->stock, 8);
    data[19] = message->code;
    memcpy(data + 20, "     ", 5);
}

/* A and P share their first fields. */
static void store_order(const struct dp_itch_message *message, uint8_t *data)
{
    dp_store_be64(data + 11, message->order_ref);
    data[19] = side_code(message->side);
    dp_store_be32(data + 20, (uint32_t)message->qty);
    memcpy(data + 24, message->stock, 8);
    dp_store_be32(data + 32, message->price4);
}

static void store_executed(const struct dp_itch_message *message, uint8_t *data)
{
    dp_store_be64(data + 11, message->order_ref);
    dp_store_be32(data + 19, (uint32_t)message->qty);
    dp_store_be64(data + 23, message->match_number);
}

static void store_replaced(const struct dp_itch_message *message, uint8_t *data)
{
    dp_store_be64(data + 11, message->order_ref);
    dp_store_be64(data + 19, message->new_order_ref);
    dp_store_be32(data + 27, (uint32_t)message->qty);
    dp_store_be32(data + 31, message->price4);
}

static void store_cross(const struct dp_itch_message *message, uint8_t *data)
{
    dp_store_be64(data + 11, message->qty);
    memcpy(data + 19, message->stock, 8);
    dp_store_be32(data + 27, message->price4);
    dp_store_be64(data + 31, message->match_number);
    data[39] = message->code;
}

static void store_reduced(const struct dp_itch_message *message, uint8_t *data)
{
    dp_store_be64(data + 11, message->order_ref);
    dp_store_be32(data + 19, (uint32_t)message->qty);
}

uint32_t dp_itch_encode_noii(const struct dp_itch_noii *noii, uint8_t *data)
{
    const struct dp_itch_message header = {
        .type = 'I', .stock_locate = noii->stock_locate, .timestamp_ns = noii->timestamp_ns};
    store_header(&header, data);
    dp_store_be64(data + 11, noii->paired_qty);
    dp_store_be64(data + 19, noii->imbalance_qty);
    data[27] = (uint8_t)noii->direction;
    memcpy(data + 28, noii->stock, 8);
    dp_store_be32(data + 36, noii->far_price4);
    dp_store_be32(data + 40, noii->near_price4);
    dp_store_be32(data + 44, noii->reference_price4);
    data[48] = (uint8_t)noii->cross_type;
    data[49] = (uint8_t)noii->variation;
    return dp_itch_length('I');
}

uint32_t dp_itch_encode(const struct dp_itch_message *message, uint8_t *data)
{
    switch (message->type) {
    case 'S': data[11] = message->code; break;
    case 'R': store_directory(message, data); break;
    case 'H': store_action(message, data); break;
    case 'Y':
        memcpy(data + 11, message->stock, 8);
        data[19] = message->code;
        break;
    case 'A': store_order(message, data); break;
    case 'E': store_executed(message, data); break;
    case 'C':
        store_executed(message, data);
        data[31] = message->code;
        dp_store_be32(data + 32, message->price4);
        break;
    case 'X': store_reduced(message, data); break;
    case 'D': dp_store_be64(data + 11, message->order_ref); break;
    case 'U': store_replaced(message, data); break;
    case 'P':
        store_order(message, data);
        dp_store_be64(data + 36, message->match_number);
        break;
    case 'Q': store_cross(message, data); break;
    case 'B': dp_store_be64(data + 11, message->match_number); break;
    default: return 0;
    }
    store_header(message, data);
    return dp_itch_length(message->type);
}
