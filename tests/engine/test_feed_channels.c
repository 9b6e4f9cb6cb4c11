/* Two channels of two lines, whose frames come through one port: each is heard by its own. */
#include "check.h"
#include "dp_feed_channels.h"
#include "dp_net.h"

enum { CHANNELS = 2, LINES = 2, WAIT_NS = 1000 };

static const struct dp_net_endpoint venue = {{2, 0, 0, 0, 0, 1}, 0x0a4d0001, 4000};

struct heard {
    uint32_t messages;
    uint32_t late;
    uint32_t whole;
};

struct rig {
    struct dp_port *far;
    struct dp_port *near;
    struct dp_counters counters;
    struct heard heard[CHANNELS];
    struct dp_feed_channels channels;
};

static void on_message(void *context, const uint8_t *data, size_t size)
{
    (void)data;
    (void)size;
    ((struct heard *)context)->messages++;
}

static void on_late(void *context)
{
    ((struct heard *)context)->late++;
}

static void on_whole(void *context)
{
    ((struct heard *)context)->whole++;
}

static void ignore(void *context)
{
    (void)context;
}

static struct dp_feed_target target_of(uint32_t channel, uint32_t line)
{
    return (struct dp_feed_target){
        .ip = 0xef4d0001u + line, .port = (uint16_t)(26400 + channel), .mac = 0};
}

static struct rig *open_rig(uint32_t count)
{
    struct rig *rig = calloc(1, sizeof(*rig));
    struct dp_feed_live_config configs[DP_FEED_CHANNELS_MAX] = {0};
    struct dp_feed_handler handlers[DP_FEED_CHANNELS_MAX];
    CHECK_EQUAL(dp_port_loop_open(&rig->far, &rig->near, 64, NULL), 0);
    for (uint32_t index = 0; index < count; index++) {
        configs[index].line_count = LINES;
        configs[index].gap_timeout_ns = 1 << 30;
        configs[index].request.wait_ns = WAIT_NS;
        for (uint32_t line = 0; line < LINES; line++)
            configs[index].lines[line] =
                (struct dp_feed_live_line){rig->near, target_of(index, line)};
        handlers[index] = (struct dp_feed_handler){
            &rig->heard[index], on_message, ignore, ignore, on_late, ignore, NULL, on_whole, NULL};
    }
    CHECK_EQUAL(
        dp_feed_channels_open(&rig->channels, configs, count, &rig->counters, handlers, NULL), 0);
    return rig;
}

static void close_rig(struct rig *rig)
{
    dp_feed_channels_close(&rig->channels);
    dp_port_close(rig->far, NULL);
    dp_port_close(rig->near, NULL);
    free(rig);
}

/* One message, as that line of that channel brings it. */
static void say(struct rig *rig, uint32_t channel, uint32_t line, uint64_t sequence)
{
    uint8_t frame[256];
    uint8_t *payload = frame + DP_NET_UDP_HEADERS_SIZE;
    struct dp_feed_target target = target_of(channel, line);
    struct dp_net_endpoint to = {{1, 0, 0x5e, 0x4d, 0, 1}, target.ip, target.port};
    memcpy(payload, "1         ", 10); /* both channels have the same name and numbers */
    dp_store_be64(payload + 10, sequence);
    dp_store_be16(payload + 18, 1);
    dp_store_be16(payload + 20, 1);
    payload[22] = 'S';
    const struct dp_packet packet = {
        .data = frame, .size = dp_net_build_udp(frame, &venue, &to, 23, 1), .time_ns = 1};
    CHECK_EQUAL(dp_port_send(rig->far, &packet, 1), 1);
}

static void test_each_frame_is_its_channels(void)
{
    struct rig *rig = open_rig(CHANNELS);
    say(rig, 0, 0, 1);
    say(rig, 0, 1, 1);
    say(rig, 1, 1, 1);
    say(rig, 1, 0, 2);
    say(rig, 1, 1, 3);
    say(rig, 2, 0, 1); /* nobody's */
    dp_feed_channels_poll(&rig->channels, 1);
    CHECK_EQUAL(rig->heard[0].messages, 1);
    CHECK_EQUAL(rig->heard[1].messages, 3);
    CHECK_EQUAL(rig->channels.feeds[1].lines.stats[0].packets, 1);
    CHECK_EQUAL(rig->channels.feeds[1].lines.stats[1].packets, 2);
    CHECK_EQUAL(dp_counter_read(&rig->counters, DP_COUNTER_NET_FOREIGN), 1);
    CHECK_EQUAL(dp_counter_read(&rig->counters, DP_COUNTER_RX_PACKETS), 6);
    CHECK_EQUAL(dp_counter_read(&rig->counters, DP_COUNTER_MOLD_DUPLICATE), 1);
    close_rig(rig);
}

static void test_a_hole_is_of_one_channel(void)
{
    struct rig *rig = open_rig(CHANNELS);
    say(rig, 0, 0, 1);
    say(rig, 1, 0, 1);
    say(rig, 1, 0, 3);
    dp_feed_channels_poll(&rig->channels, 1);
    dp_feed_channels_poll(&rig->channels, 1 + WAIT_NS);
    CHECK_EQUAL(rig->heard[0].late, 0);
    CHECK_EQUAL(rig->heard[1].late, 1);
    CHECK_EQUAL(rig->channels.feeds[0].state, DP_FEED_WHOLE);
    CHECK_EQUAL(dp_feed_channels_state(&rig->channels), DP_FEED_LATE);
    say(rig, 0, 0, 2);
    say(rig, 1, 1, 2);
    dp_feed_channels_poll(&rig->channels, 2 + WAIT_NS);
    CHECK_EQUAL(rig->heard[0].messages, 2);
    CHECK_EQUAL(rig->heard[1].messages, 3);
    CHECK_EQUAL(rig->heard[1].whole, 1);
    CHECK_EQUAL(dp_feed_channels_state(&rig->channels), DP_FEED_WHOLE);
    close_rig(rig);
}

static void test_a_single_channel_takes_its_port_itself(void)
{
    struct rig *rig = open_rig(1);
    CHECK(rig->channels.frames == NULL);
    say(rig, 0, 1, 1);
    say(rig, 1, 0, 1);
    dp_feed_channels_poll(&rig->channels, 1);
    CHECK_EQUAL(rig->heard[0].messages, 1);
    CHECK_EQUAL(dp_counter_read(&rig->counters, DP_COUNTER_NET_FOREIGN), 1);
    close_rig(rig);
}

static void test_a_wrong_count_is_named(void)
{
    struct dp_feed_channels *channels = calloc(1, sizeof(*channels));
    struct dp_err err = {0};
    CHECK(dp_feed_channels_open(channels, NULL, 9, NULL, NULL, &err) < 0);
    CHECK(strcmp(err.text, "feed: 9 channels; give 1 to 8") == 0);
    free(channels);
}

int main(void)
{
    RUN_TESTS(TEST(test_each_frame_is_its_channels), TEST(test_a_hole_is_of_one_channel),
        TEST(test_a_single_channel_takes_its_port_itself), TEST(test_a_wrong_count_is_named));
}
