#include "dp_bench_itch.h"

#include "dp_itch.h"

static uint64_t swap_header(const uint8_t *data)
{
    return dp_load_be16(data + 1) + dp_load_be16(data + 3) + dp_load_be48(data + 5);
}

static uint64_t swap_add(const uint8_t *data)
{
    return dp_load_be64(data + 11) + data[19] + dp_load_be32(data + 20) + dp_load_be64(data + 24) +
        dp_load_be32(data + 32);
}

static uint64_t swap_execution(const uint8_t *data)
{
    return dp_load_be64(data + 11) + dp_load_be32(data + 19) + dp_load_be64(data + 23);
}

/* Sizes were checked by the caller: at least the type's length. */
static uint64_t swap_fields(const uint8_t *data)
{
    switch (data[0]) {
    case 'A': return swap_header(data) + swap_add(data);
    case 'F': return swap_header(data) + swap_add(data) + dp_load_be32(data + 36);
    case 'D': return swap_header(data) + dp_load_be64(data + 11);
    case 'U':
        return swap_header(data) + dp_load_be64(data + 11) + dp_load_be64(data + 19) +
            dp_load_be32(data + 27) + dp_load_be32(data + 31);
    case 'E': return swap_header(data) + swap_execution(data);
    case 'C': return swap_header(data) + swap_execution(data) + data[31] + dp_load_be32(data + 32);
    case 'X': return swap_header(data) + dp_load_be64(data + 11) + dp_load_be32(data + 19);
    case 'P': return swap_header(data) + swap_add(data) + dp_load_be64(data + 36);
    default: return 0;
    }
}

/* How far ahead of the hops memory is asked for; whatever stands there, or nothing, is fine. A
 * processor that guesses what to fetch sees eight loads at odd distances, and does not guess. */
#define BYTES_AHEAD 1024

/* One hop; NULL when no whole frame is left. */
static const uint8_t *next_frame(const uint8_t **at, const uint8_t *end, size_t *size)
{
    if (end - *at < 2)
        return NULL;
    const uint8_t *data = *at + 2;
    *size = dp_load_be16(*at);
    if ((size_t)(end - data) < *size)
        return NULL;
    *at = data + *size;
    DP_PREFETCH(data + BYTES_AHEAD);
    return data;
}

uint64_t dp_bench_itch_floor(const uint8_t *data, size_t size, uint64_t *sum)
{
    const uint8_t *end = data + size;
    const uint8_t *message;
    size_t message_size;
    uint64_t count = 0;
    uint64_t total = 0;
    while ((message = next_frame(&data, end, &message_size)) != NULL) {
        if (DP_LIKELY(message_size != 0 && message_size >= dp_itch_length(message[0])))
            total += swap_fields(message);
        count++;
    }
    *sum = total;
    return count;
}

uint64_t dp_bench_itch_parse(const uint8_t *data, size_t size, uint64_t *sum)
{
    const uint8_t *end = data + size;
    const uint8_t *at;
    size_t message_size;
    uint64_t count = 0;
    uint64_t total = 0;
    while ((at = next_frame(&data, end, &message_size)) != NULL) {
        struct dp_itch_message message;
        if (DP_LIKELY(dp_itch_decode(at, message_size, &message) <= DP_ITCH_LONGER))
            total += (uint64_t)message.timestamp_ns + message.type + message.side + message.code +
                message.stock_locate + message.tracking_number + message.price4 +
                message.order_ref + message.new_order_ref + message.qty + message.match_number;
        count++;
    }
    *sum = total;
    return count;
}
