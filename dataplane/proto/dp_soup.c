#include "dp_soup.h"

enum { ANY_LENGTH = -1, NO_SUCH_TYPE = -2 };

/* What the length field of a packet must say, by SoupBinTCP 3.00, section 2. */
static int length_of_type(uint8_t type)
{
    switch (type) {
    case 'S':
    case 'U':
    case '+': return ANY_LENGTH;
    case 'H':
    case 'R':
    case 'O':
    case 'Z': return 1;
    case 'J': return 2;
    case 'A': return 31;
    case 'L': return 47;
    default: return NO_SUCH_TYPE;
    }
}

enum dp_soup_result dp_soup_parse(const uint8_t *data, size_t size, struct dp_soup_packet *packet)
{
    if (size < 2)
        return DP_SOUP_MORE;
    uint32_t length = dp_load_be16(data);
    if (length == 0)
        return DP_SOUP_MALFORMED;
    if (size < DP_SOUP_HEADER_SIZE)
        return DP_SOUP_MORE;

    /* Before the rest has come: a stream that went wrong must not wait for 64 KiB to say so. */
    int length_wanted = length_of_type(data[2]);
    if (length_wanted == NO_SUCH_TYPE || (length_wanted > 0 && (uint32_t)length_wanted != length))
        return DP_SOUP_MALFORMED;
    if (size < length + 2)
        return DP_SOUP_MORE;

    *packet = (struct dp_soup_packet){
        .type = data[2],
        .payload = data + DP_SOUP_HEADER_SIZE,
        .payload_size = length - 1,
        .size = length + 2,
    };
    return DP_SOUP_OK;
}

size_t dp_soup_build(uint8_t *data, uint8_t type, uint32_t payload_size)
{
    DP_ASSERT(payload_size <= DP_SOUP_PAYLOAD_MAX);
    dp_store_be16(data, (uint16_t)(payload_size + 1));
    data[2] = type;
    return DP_SOUP_HEADER_SIZE;
}
