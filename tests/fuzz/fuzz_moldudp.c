/*
 * Any bytes as a packet; and the same bytes as a plan: three of them make one packet of a feed that
 * must name every number once and in order, delivered or lost.
 */
#include "dp_moldudp.h"

#define PACKET_SIZE_MAX 128
#define COUNT_MAX 5

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct model {
    uint64_t expected;
    bool ended;
    bool pauses; /* at a gap, until it jumps */
    bool paused;
};

static void on_message(
    void *context, uint64_t sequence, const uint8_t *data, size_t size, int64_t time_ns)
{
    struct model *model = context;
    (void)time_ns;
    DP_ASSERT(!model->ended && !model->paused && sequence == model->expected++);
    DP_ASSERT(size == 1 && data[0] == (uint8_t)sequence);
}

static void on_gap(void *context, uint64_t first, uint64_t last, int64_t time_ns)
{
    struct model *model = context;
    (void)time_ns;
    DP_ASSERT(!model->ended && !model->paused && first == model->expected && last >= first);
    model->paused = model->pauses;
    if (!model->paused)
        model->expected = last + 1;
}

static void on_session(void *context, const uint8_t *session)
{
    struct model *model = context;
    (void)session;
    *model = (struct model){.expected = 1, .pauses = model->pauses};
}

static void on_end(void *context)
{
    struct model *model = context;
    DP_ASSERT(!model->ended);
    model->ended = true;
}

/* Session and kind by one byte, number and time by the others. */
static size_t build(uint8_t *packet, const uint8_t *plan)
{
    uint8_t session[10] = {plan[0] >> 6 == 3};
    uint16_t count = plan[0] % (COUNT_MAX + 2u);
    if (count > COUNT_MAX)
        count = DP_MOLDUDP_END_OF_SESSION;
    size_t size = dp_moldudp_build(packet, session, plan[1], count);
    for (uint32_t index = 0; count <= COUNT_MAX && index < count; index++, size += 3) {
        dp_store_be16(packet + size, 1);
        packet[size + 2] = (uint8_t)(plan[1] + index);
    }
    return size;
}

static void run_feed(const uint8_t *data, size_t size)
{
    static _Alignas(8) uint8_t memory[4096];
    struct dp_moldudp_feed *feed = (struct dp_moldudp_feed *)memory;
    struct dp_moldudp_config config = {
        .hold_count_max = 3,
        .packet_size_max = PACKET_SIZE_MAX,
        .gap_timeout_ns = 100,
        .sequence_first = 1,
        .pause_at_gap = size > 0 && (data[0] & 1) != 0,
        .confirm_session = size > 0 && (data[0] & 2) != 0,
    };
    DP_ASSERT(dp_moldudp_feed_size(&config) <= sizeof(memory));
    DP_ASSERT(dp_moldudp_feed_init(feed, &config, NULL) == 0);

    struct model model = {.expected = 1, .pauses = config.pause_at_gap};
    struct dp_moldudp_handler handler = {&model, on_message, on_gap, on_session, on_end};
    int64_t time_ns = 0;
    for (; size >= 3; data += 3, size -= 3) {
        uint8_t packet[PACKET_SIZE_MAX];
        time_ns += data[2];
        if (model.paused && data[2] % 4 == 0 && data[1] >= model.expected) {
            model.expected = data[1];
            model.paused = false;
            DP_ASSERT(dp_moldudp_feed_jump(feed, data[1], &handler));
        }
        dp_moldudp_feed_push(feed, packet, build(packet, data), time_ns, &handler);
        DP_ASSERT(dp_moldudp_feed_expected(feed) == model.expected);
    }
    dp_moldudp_feed_poll(feed, INT64_MAX, &handler);
    DP_ASSERT(dp_moldudp_feed_expected(feed) == model.expected);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dp_moldudp_packet packet;
    if (dp_moldudp_parse(data, size, &packet))
        DP_ASSERT(packet.blocks + packet.blocks_size == data + size);
    run_feed(data, size);
    return 0;
}
