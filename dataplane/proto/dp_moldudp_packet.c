#include "dp_moldudp.h"

static bool blocks_end_exactly(const uint8_t *blocks, size_t size, uint32_t message_count)
{
    for (; message_count > 0; message_count--) {
        if (size < 2)
            return false;
        size_t block_size = 2u + dp_load_be16(blocks);
        if (size < block_size)
            return false;
        blocks += block_size;
        size -= block_size;
    }
    return size == 0;
}

bool dp_moldudp_parse(const uint8_t *data, size_t size, struct dp_moldudp_packet *packet)
{
    if (size < DP_MOLDUDP_HEADER_SIZE)
        return false;
    *packet = (struct dp_moldudp_packet){
        .session = data,
        .sequence = dp_load_be64(data + 10),
        .message_count = dp_load_be16(data + 18),
        .blocks = data + DP_MOLDUDP_HEADER_SIZE,
        .blocks_size = size - DP_MOLDUDP_HEADER_SIZE,
    };
    uint32_t used = dp_moldudp_numbers_used(packet);
    return packet->sequence <= UINT64_MAX - used &&
        blocks_end_exactly(packet->blocks, packet->blocks_size, used);
}

size_t dp_moldudp_build(
    uint8_t *data, const uint8_t *session, uint64_t sequence, uint16_t message_count)
{
    memcpy(data, session, DP_MOLDUDP_SESSION_SIZE);
    dp_store_be64(data + 10, sequence);
    dp_store_be16(data + 18, message_count);
    return DP_MOLDUDP_HEADER_SIZE;
}
