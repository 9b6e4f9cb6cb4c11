/* Frames of a port that hears everybody: each is a line's, or counted as what it is. */
#include "check.h"
#include "dp_feed_lines.h"
#include "dp_net.h"

#define GROUP 0xef4d0001u
#define GROUP_MAC 0x01005e4d0001u

static const struct dp_net_endpoint venue = {{2, 0, 0, 0, 0, 1}, 0x0a4d0001, 4000};
static const struct dp_net_endpoint line = {{1, 0, 0x5e, 0x4d, 0, 1}, GROUP, 26477};
static const struct dp_feed_target target = {GROUP, 26477, GROUP_MAC};

static void on_message(void *context, const uint8_t *data, size_t size)
{
    (void)data;
    *(uint64_t *)context += size;
}

static void ignore(void *context)
{
    (void)context;
}

struct rig {
    struct dp_feed_lines lines;
    struct dp_counters counters;
    uint64_t heard;
    uint8_t frame[256];
    uint32_t size;
};

/* The next message of the line in a frame that is as it should be. */
static void build(struct rig *rig, uint64_t sequence)
{
    uint8_t *payload = rig->frame + DP_NET_UDP_HEADERS_SIZE;
    memcpy(payload, "1         ", 10);
    dp_store_be64(payload + 10, sequence);
    dp_store_be16(payload + 18, 1);
    dp_store_be16(payload + 20, 1);
    payload[22] = 'S';
    rig->size = dp_net_build_udp(rig->frame, &venue, &line, 23, 1);
}

static void open_rig(struct rig *rig)
{
    const struct dp_feed_handler handler = {
        .context = &rig->heard,
        .on_message = on_message,
        .on_gap = ignore,
        .on_session = ignore,
    };
    const struct dp_feed_lines_config config = {.gap_timeout_ns = 1000};
    memset(rig, 0, sizeof(*rig));
    CHECK_EQUAL(dp_feed_lines_open(&rig->lines, &config, &rig->counters, &handler, NULL), 0);
}

static void push(struct rig *rig)
{
    const struct dp_packet packet = {.data = rig->frame, .size = rig->size, .time_ns = 1};
    dp_feed_lines_push_frame(&rig->lines, &target, 1, &packet);
}

/* Changes one byte of a right frame and pushes it: nothing is heard, and that counter grew. */
static void check_drop(struct rig *rig, uint32_t at, uint8_t value, enum dp_counter counter)
{
    uint64_t before = dp_counter_read(&rig->counters, counter);
    build(rig, 2);
    rig->frame[at] = value;
    push(rig);
    CHECK_EQUAL(rig->heard, 1);
    CHECK_EQUAL(dp_counter_read(&rig->counters, counter), before + 1);
}

/* The IP header's sum is over what was changed in it. */
static void check_ip_drop(struct rig *rig, uint32_t at, uint8_t value, enum dp_counter counter)
{
    uint64_t before = dp_counter_read(&rig->counters, counter);
    build(rig, 2);
    rig->frame[at] = value;
    dp_store_be16(rig->frame + 24, 0);
    dp_store_be16(rig->frame + 24, dp_net_fold(dp_net_sum(rig->frame + 14, 20, 0)));
    push(rig);
    CHECK_EQUAL(rig->heard, 1);
    CHECK_EQUAL(dp_counter_read(&rig->counters, counter), before + 1);
}

static void test_each_frame_counts_as_what_it_is(void)
{
    struct rig rig;
    open_rig(&rig);
    build(&rig, 1);
    push(&rig);
    CHECK_EQUAL(rig.heard, 1);
    check_drop(&rig, 0, 0x03, DP_COUNTER_NET_FOREIGN);       /* hardware address */
    check_drop(&rig, 5, 0x02, DP_COUNTER_NET_FOREIGN);       /* its last byte */
    check_drop(&rig, 12, 0x86, DP_COUNTER_NET_OTHER);        /* not IPv4 */
    check_drop(&rig, 14, 0x65, DP_COUNTER_NET_DROPPED);      /* IPv4, but not its version */
    check_drop(&rig, 24, 0x01, DP_COUNTER_NET_CHECKSUM_BAD); /* of IP */
    check_drop(&rig, 40, 0x01, DP_COUNTER_NET_CHECKSUM_BAD); /* of UDP */
    check_drop(&rig, 36, 0x01, DP_COUNTER_NET_CHECKSUM_BAD); /* another port, the sum of this one */
    check_ip_drop(&rig, 20, 0x20, DP_COUNTER_NET_FRAGMENTS); /* more fragments */
    check_ip_drop(&rig, 21, 0x08, DP_COUNTER_NET_FRAGMENTS); /* an offset */
    check_ip_drop(&rig, 23, 1, DP_COUNTER_NET_OTHER);        /* ICMP */
    check_ip_drop(&rig, 17, 0xff, DP_COUNTER_NET_DROPPED);   /* longer than the frame */
    dp_feed_lines_close(&rig.lines);
}

/* Two copies of a message, line A's read first. */
static void push_both(struct rig *rig, uint64_t sequence, int64_t a_ns, int64_t b_ns)
{
    build(rig, sequence);
    struct dp_packet packet = {.data = rig->frame + DP_NET_UDP_HEADERS_SIZE, .time_ns = a_ns};
    packet.size = rig->size - DP_NET_UDP_HEADERS_SIZE;
    dp_feed_lines_push_datagram(&rig->lines, 0, &packet);
    packet.time_ns = b_ns;
    dp_feed_lines_push_datagram(&rig->lines, 1, &packet);
}

static void test_the_line_of_the_later_stamp_is_behind_whichever_was_read_first(void)
{
    struct rig rig;
    open_rig(&rig);
    const struct dp_feed_line_stats *a = &rig.lines.stats[0];
    const struct dp_feed_line_stats *b = &rig.lines.stats[1];
    push_both(&rig, 1, 1000, 1300);
    push_both(&rig, 2, 2500, 2000);
    push_both(&rig, 3, 3000, 3100);
    CHECK_EQUAL(a->first, 3);
    CHECK_EQUAL(a->behind_count, 1);
    CHECK_EQUAL(a->behind_ns_sum, 500);
    CHECK_EQUAL(a->behind_ns_max, 500);
    CHECK_EQUAL(b->behind_count, 2);
    CHECK_EQUAL(b->behind_ns_sum, 400);
    CHECK_EQUAL(b->behind_ns_max, 300);
    dp_feed_lines_close(&rig.lines);
}

static void test_a_target_of_zeroes_takes_any(void)
{
    struct rig rig;
    const struct dp_feed_target any = {0};
    open_rig(&rig);
    build(&rig, 1);
    rig.frame[0] = 0x03;
    const struct dp_packet packet = {.data = rig.frame, .size = rig.size, .time_ns = 1};
    dp_feed_lines_push_frame(&rig.lines, &any, 1, &packet);
    CHECK_EQUAL(rig.heard, 1);
    dp_feed_lines_close(&rig.lines);
}

int main(void)
{
    RUN_TESTS(TEST(test_each_frame_counts_as_what_it_is),
        TEST(test_the_line_of_the_later_stamp_is_behind_whichever_was_read_first),
        TEST(test_a_target_of_zeroes_takes_any));
}
