/* Any bytes as a message of either direction: options lie inside them, and what was decoded is
 * encoded to the same bytes. */
#include "dp_ouch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_options(const struct dp_ouch_message *message, const uint8_t *end)
{
    uint32_t cursor = 0;
    uint8_t tag = 0;
    const uint8_t *value = NULL;
    uint32_t value_size = 0;
    while (dp_ouch_next_option(message, &cursor, &tag, &value, &value_size))
        DP_ASSERT(value + value_size <= end);
    DP_ASSERT(cursor == message->options_size);
}

/* The one form that encoding does not keep: an appendage of length 0 where none was needed. */
static bool has_idle_length(
    const struct dp_ouch_message *message, enum dp_ouch_direction direction, size_t size)
{
    return message->options_size == 0 && size != dp_ouch_length(message->type, direction);
}

static void check_direction(const uint8_t *data, size_t size, enum dp_ouch_direction direction)
{
    static uint8_t again[1 << 17];
    struct dp_ouch_message message;
    struct dp_event event;
    enum dp_ouch_result result = dp_ouch_decode(data, size, direction, &message);
    dp_ouch_event(&message, 0, &event);
    if (result != DP_OUCH_OK || size > sizeof(again))
        return;
    check_options(&message, data + size);
    size_t size_again = dp_ouch_encode(&message, direction, again, sizeof(again));
    DP_ASSERT(size_again == size || has_idle_length(&message, direction, size));
    DP_ASSERT(memcmp(again, data, size_again) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    check_direction(data, size, DP_OUCH_INBOUND);
    check_direction(data, size, DP_OUCH_OUTBOUND);
    return 0;
}
