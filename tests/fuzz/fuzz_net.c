/* Any bytes as a frame: a payload lies inside it, and looking at sums only ever refuses more. */
#include "dp_net.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dp_net_packet packet, checked;
    enum dp_net_result result = dp_net_parse(data, size, false, &packet);
    enum dp_net_result result_checked = dp_net_parse(data, size, true, &checked);
    DP_ASSERT(result == result_checked || result_checked == DP_NET_CHECKSUM);
    DP_ASSERT((result == DP_NET_OK) == (packet.payload != NULL));
    if (packet.payload != NULL) {
        DP_ASSERT(packet.payload > data && packet.payload <= data + size);
        DP_ASSERT(packet.payload_size <= (size_t)(data + size - packet.payload));
    }
    return 0;
}
