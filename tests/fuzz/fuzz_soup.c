/* Any bytes as a stream: packets follow each other inside it, and fewer bytes never say more. */
#include "dp_soup.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_packet(const uint8_t *data, size_t size, const struct dp_soup_packet *packet)
{
    DP_ASSERT(packet->size <= size && packet->size == packet->payload_size + DP_SOUP_HEADER_SIZE);
    DP_ASSERT(packet->payload == data + DP_SOUP_HEADER_SIZE);
    struct dp_soup_packet cut;
    DP_ASSERT(dp_soup_parse(data, packet->size - 1, &cut) == DP_SOUP_MORE);
    uint8_t header[DP_SOUP_HEADER_SIZE];
    dp_soup_build(header, packet->type, packet->payload_size);
    DP_ASSERT(memcmp(header, data, sizeof(header)) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dp_soup_packet packet;
    while (dp_soup_parse(data, size, &packet) == DP_SOUP_OK) {
        check_packet(data, size, &packet);
        data += packet.size;
        size -= packet.size;
    }
    return 0;
}
