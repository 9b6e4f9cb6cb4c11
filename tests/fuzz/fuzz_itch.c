/* Any bytes as a message: what is decoded lies inside them, and both renderings agree that it is
 * one. */
#include "dp_itch.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dp_itch_message message;
    enum dp_itch_result result = dp_itch_decode(data, size, &message);
    bool decoded = result == DP_ITCH_OK || result == DP_ITCH_LONGER;
    if (message.stock != NULL)
        DP_ASSERT(decoded && message.stock > data && message.stock + 8 <= data + size);
    DP_ASSERT(size == 0 || message.type == data[0]);

    char text[DP_ITCH_TEXT_SIZE];
    for (int json = 0; json < 2; json++) {
        size_t text_size = dp_itch_render(data, size, json, text, sizeof(text));
        DP_ASSERT(decoded == (text_size > 0));
        DP_ASSERT(!decoded || strlen(text) == text_size);
    }
    return 0;
}
