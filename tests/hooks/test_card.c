/*
 * The same tests for every backend of this build. What a card cannot do, it says it cannot, and
 * frames then pass as if there were none.
 */
#include "card_frames.h"
#include "each_card.h"
#include "guard.h"

#include <errno.h>

#define SESSION "0000000001"
#define OTHER_SESSION "0000000002"
#define MIDDLE_SESSION "0000010001"
#define ARMED 7u
#define UNARMED 8u

/* ---- what it is ---- */

static void check_identity(struct dp_card *card)
{
    uint8_t identity[DP_CARD_IDENTITY_SIZE];
    struct dp_err err = {0};
    for (uint32_t at = 0; at < sizeof(identity); at += 4)
        dp_store_be32(identity + at, dp_card_read(card, DP_CARD_REG_IDENTITY + at));
    CHECK_EQUAL(dp_card_read(card, DP_CARD_REG_MAGIC), DP_CARD_MAGIC);
    CHECK_EQUAL(dp_card_read(card, DP_CARD_REG_CAPABILITIES), card->capabilities);
    CHECK_EQUAL(dp_card_identify(card, identity, &err), 0);
    identity[31] ^= 1;
    CHECK_EQUAL(dp_card_identify(card, identity, &err), -ESTALE);
}

static void test_a_card_says_what_it_is(void)
{
    on_each_card(check_identity);
}

static uint32_t foreign_magic;
static uint32_t foreign_version;

static uint32_t foreign_read(struct dp_card *card, uint32_t offset)
{
    (void)card;
    return offset == DP_CARD_REG_MAGIC ? foreign_magic : foreign_version;
}

static void test_another_device_and_another_map_are_refused(void)
{
    static const struct dp_card_ops ops = {.name = "foreign", .read = foreign_read};
    struct dp_card card = {.ops = &ops};
    struct dp_err err = {0};
    foreign_magic = 0xffffffff; /* what a bus gives where nothing answers */
    CHECK_EQUAL(dp_card_identify(&card, NULL, &err), -ENODEV);
    CHECK_TEXT(err.text,
        "card foreign: magic is ffffffff; it must be 54504643: another device, or "
        "no bitstream loaded");
    foreign_magic = DP_CARD_MAGIC;
    foreign_version = 0x00020003;
    CHECK_EQUAL(dp_card_identify(&card, NULL, &err), -EPROTO);
    CHECK_TEXT(
        err.text, "card foreign: register map 2.3; this program knows 1: load its bitstream");
}

static void test_a_backend_that_is_not_built_is_one_line(void)
{
    struct dp_err err = {0};
    CHECK(dp_card_open("isa", NULL, &err) == NULL);
    CHECK_EQUAL(err.code, ENODEV);
    CHECK_TEXT(err.text, "card: 'isa' is no backend of this build; use none or soft");
    CHECK(dp_card_open("sof", NULL, &err) == NULL);
    CHECK_EQUAL(err.code, ENODEV);
    CHECK(dp_card_open("pci:", NULL, &err) == NULL);
    CHECK_EQUAL(err.code, EINVAL);
    CHECK_TEXT(err.text,
        "card pci: where it is is missing; give the PCI address of a card that vfio-pci has");
}

static void test_a_card_that_is_not_there_is_one_line(void)
{
    static const struct {
        const char *name;
        int code;
        const char *text;
    } rows[] = {
        {"pci:zzz/9", EINVAL,
            "card pci: 'zzz/9'; it must be an address like 0000:3b:00.0, or with a BAR "
            "0000:3b:00.0/2"},
        {"pci:/1", EINVAL,
            "card pci: '/1'; it must be an address like 0000:3b:00.0, or with a BAR "
            "0000:3b:00.0/2"},
        {"pci:ffff:ff:1f.7", ENODEV, "vfio ffff:ff:1f.7: no such device; see tickplane facts"},
    };
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        struct dp_err err = {0};
        CHECK(dp_card_open(rows[row].name, NULL, &err) == NULL);
        CHECK_EQUAL(err.code, rows[row].code);
        CHECK_TEXT(err.text, rows[row].text);
    }
    struct dp_err err = {0};
    CHECK(dp_card_open("rtl:/nowhere.so", NULL, &err) == NULL);
    CHECK_EQUAL(err.code, ENOENT);
}

static void test_another_bitstream_is_refused(void)
{
    static const uint8_t identity[DP_CARD_IDENTITY_SIZE] = {0xab, 0xcd};
    struct dp_err err = {0};
    CHECK(dp_card_open("soft", identity, &err) == NULL);
    CHECK_TEXT(
        err.text, "card soft: bitstream 00000000...; expected abcd0000...: load the other one");
}

static void check_bus(struct dp_card *card)
{
    struct dp_err err = {0};
    CHECK_EQUAL(dp_card_interrupt(card, &err), -ENOTSUP);
    CHECK_EQUAL(dp_card_share(card, NULL, 4096, 0, &err), -ENOTSUP);
}

static void test_a_card_on_no_bus_says_so(void)
{
    on_each_card(check_bus);
}

static void check_capabilities(struct dp_card *card)
{
    static const struct {
        uint32_t bit;
        uint32_t capability;
    } rows[] = {{DP_CARD_FILTER, DP_CARD_CAN_FILTER}, {DP_CARD_ARBITRATE, DP_CARD_CAN_ARBITRATE},
        {DP_CARD_GATE, DP_CARD_CAN_GATE}, {DP_CARD_HALT, DP_CARD_CAN_GATE},
        {DP_CARD_DELTA, DP_CARD_CAN_DELTA}};
    struct dp_err err = {0};
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        bool able = can(card, rows[row].capability);
        CHECK_EQUAL(dp_card_control(card, rows[row].bit, true, &err), able ? 0 : -ENOTSUP);
        CHECK_EQUAL(dp_card_read(card, DP_CARD_REG_CONTROL), able ? rows[row].bit : 0);
        CHECK_EQUAL(dp_card_control(card, rows[row].bit, false, &err), able ? 0 : -ENOTSUP);
        CHECK_EQUAL(dp_card_read(card, DP_CARD_REG_CONTROL), 0);
    }
}

static void test_what_it_cannot_do_is_refused(void)
{
    on_each_card(check_capabilities);
}

static void check_registers(struct dp_card *card)
{
    for (uint32_t offset = 0; offset < DP_CARD_REG_CONTROL; offset += 4) {
        uint32_t before = dp_card_read(card, offset);
        dp_card_write(card, offset, ~before);
        CHECK_EQUAL(dp_card_read(card, offset), before);
    }
    dp_card_write(card, DP_CARD_REG_ARMED + 2, 0xffffffff);
    CHECK_EQUAL(dp_card_read(card, DP_CARD_REG_ARMED), 0);
    dp_card_write(card, DP_CARD_BAR_SIZE, 1);
    CHECK_EQUAL(dp_card_read(card, DP_CARD_BAR_SIZE), 0);
    for (uint32_t count = 0; count < DP_CARD_COUNT_END; count++)
        CHECK_EQUAL(dp_card_count(card, count), 0);
    CHECK_TEXT(dp_card_count_words(DP_CARD_COUNT_END), "no such counter");
}

static void test_registers_that_are_not_to_be_written_stay(void)
{
    on_each_card(check_registers);
}

/* ---- the way in ---- */

static void check_passes(struct dp_card *card, const struct card_frame *frame)
{
    uint8_t out[DP_CARD_FRAME_MAX];
    CHECK_EQUAL(dp_card_ingress(card, frame->data, frame->size, out), frame->size);
    CHECK(memcmp(out, frame->data, frame->size) == 0);
}

static void check_dropped(struct dp_card *card, const struct card_frame *frame)
{
    uint8_t out[DP_CARD_FRAME_MAX];
    CHECK_EQUAL(dp_card_ingress(card, frame->data, frame->size, out), 0);
}

/* The sizes of the messages of a frame whose sums and lengths are right. */
static void check_sizes(const uint8_t *frame, uint32_t size, const uint32_t *sizes, uint16_t count)
{
    struct dp_net_packet net;
    struct dp_moldudp_packet packet;
    enum dp_net_result result = dp_net_parse(frame, size, true, &net);
    CHECK_EQUAL(result, DP_NET_OK);
    if (result != DP_NET_OK)
        return;
    CHECK(dp_moldudp_parse(net.payload, net.payload_size, &packet));
    CHECK_EQUAL(packet.message_count, count);
    for (uint16_t index = 0, at = 0; index < count; index++) {
        CHECK_EQUAL(dp_load_be16(packet.blocks + at), sizes[index]);
        at = (uint16_t)(at + 2 + sizes[index]);
    }
}

static void check_filter(struct dp_card *card)
{
    static const uint16_t locates[] = {UNARMED, ARMED, 0, 65535};
    static const uint32_t kept[] = {0, ADD_SIZE, ADD_SIZE, 0};
    struct card_frame frame = card_feed_frame(SESSION, 1, locates, 4, 'A');
    uint8_t out[DP_CARD_FRAME_MAX];
    check_passes(card, &frame); /* off */
    if (dp_card_control(card, DP_CARD_FILTER, true, NULL) < 0) {
        check_passes(card, &frame);
        return;
    }
    dp_card_arm(card, ARMED, true);
    for (uint32_t tags = 0; tags < 3; tags++) {
        uint32_t size = dp_card_ingress(card, frame.data, frame.size, out);
        CHECK_EQUAL(size, frame.size - 2 * ADD_SIZE);
        check_sizes(out, size, kept, 4);
        card_tag(&frame);
    }
    CHECK_EQUAL(dp_card_count(card, DP_CARD_COUNT_FRAMES_IN), 4);
    CHECK_EQUAL(dp_card_count(card, DP_CARD_COUNT_MESSAGES_IN), 12);
    CHECK_EQUAL(dp_card_count(card, DP_CARD_COUNT_MESSAGES_EMPTIED), 6);
    dp_card_arm(card, UNARMED, true);
    dp_card_arm(card, 65535, true);
    struct card_frame again = card_feed_frame(SESSION, 1, locates, 4, 'A');
    check_passes(card, &again);
    dp_card_arm(card, ARMED, false);
    CHECK_EQUAL(dp_card_ingress(card, again.data, again.size, out), again.size - ADD_SIZE);
}

static void test_messages_of_unarmed_instruments_are_emptied(void)
{
    on_each_card(check_filter);
}

static void check_not_filtered(struct dp_card *card)
{
    static const uint16_t locates[] = {UNARMED};
    struct card_frame directory = card_feed_frame(SESSION, 1, locates, 1, 'R');
    struct card_frame broken = card_feed_frame(SESSION, 1, locates, 1, 'A');
    struct card_frame feed = card_feed_frame(SESSION, 1, locates, 1, 'A');
    struct card_frame order = card_order_frame('O', 1, 1);
    uint8_t out[DP_CARD_FRAME_MAX];
    bool able = dp_card_control(card, DP_CARD_FILTER, true, NULL) == 0;
    broken.data[broken.size - 1] ^= 1;
    check_passes(card, &directory);
    check_passes(card, &broken); /* the program counts it */
    check_passes(card, &order);
    CHECK_EQUAL(dp_card_count(card, DP_CARD_COUNT_FRAMES_OTHER), able ? 2 : 0);
    dp_card_write(card, DP_CARD_REG_FEED_PORT, FEED_PORT + 1);
    check_passes(card, &feed);
    dp_card_write(card, DP_CARD_REG_FEED_PORT, FEED_PORT);
    if (able)
        CHECK(dp_card_ingress(card, feed.data, feed.size, out) < feed.size);
}

static void test_what_is_no_order_flow_passes_the_filter(void)
{
    on_each_card(check_not_filtered);
}

static void check_short(struct dp_card *card)
{
    static const uint16_t locates[] = {UNARMED, ARMED};
    const struct card_frame feed = card_feed_frame(SESSION, 1, locates, 2, 'A');
    const struct card_frame order = card_order_frame('O', 100, 10000);
    uint8_t out[DP_CARD_FRAME_MAX];
    dp_card_control(card, DP_CARD_FILTER | DP_CARD_ARBITRATE | DP_CARD_GATE, true, NULL);
    for (uint32_t size = 0; size < feed.size; size++)
        CHECK_EQUAL(dp_card_ingress(card, guard_place(feed.data, size), size, out), size);
    for (uint32_t size = 14; size < order.size; size++) {
        bool left = dp_card_egress(card, guard_place(order.data, size), size);
        CHECK_THAT(left == !can(card, DP_CARD_CAN_GATE), "%u bytes of an order", size);
    }
}

static void test_every_shorter_frame_is_read_no_further_than_it_goes(void)
{
    on_each_card(check_short);
}

static void check_arbitration(struct dp_card *card)
{
    static const uint16_t locates[] = {1, 2, 3, 4};
    struct card_frame first = card_feed_frame(SESSION, 1, locates, 4, 'A');
    struct card_frame overlap = card_feed_frame(SESSION, 3, locates, 4, 'A');
    struct card_frame ahead = card_feed_frame(SESSION, 20, locates, 4, 'A');
    struct card_frame heartbeat = card_feed_frame(SESSION, 1, locates, 0, 'A');
    struct card_frame other = card_feed_frame(OTHER_SESSION, 1, locates, 4, 'A');
    struct card_frame middle = card_feed_frame(MIDDLE_SESSION, 1, locates, 4, 'A');
    bool able = dp_card_control(card, DP_CARD_ARBITRATE, true, NULL) == 0;
    check_passes(card, &first); /* nothing is expected yet */
    check_passes(card, &first);
    dp_card_expect(card, (const uint8_t *)SESSION, 1);
    check_passes(card, &heartbeat);
    check_passes(card, &first);
    if (!able)
        return;
    check_dropped(card, &first);
    check_passes(card, &heartbeat);
    check_passes(card, &overlap); /* two new messages in it */
    check_dropped(card, &overlap);
    check_passes(card, &ahead); /* a hole: the other line's copy too */
    check_passes(card, &ahead);
    check_passes(card, &other);
    check_passes(card, &other);
    dp_card_expect(card, (const uint8_t *)SESSION, 20); /* given up */
    check_passes(card, &middle);
    check_passes(card, &other); /* below 20, and never seen */
    check_passes(card, &ahead);
    check_dropped(card, &ahead);
    dp_card_expect(card, (const uint8_t *)OTHER_SESSION, 1);
    check_passes(card, &other);
    check_dropped(card, &other);
    CHECK_EQUAL(dp_card_count(card, DP_CARD_COUNT_FRAMES_TWICE), 4);
}

static void test_the_second_copy_is_dropped_and_a_hole_is_not_hidden(void)
{
    on_each_card(check_arbitration);
}

static void check_expected_is_64_bits(struct dp_card *card)
{
    dp_card_expect(card, (const uint8_t *)SESSION, 0x123456789abcdef0);
    bool able = can(card, DP_CARD_CAN_ARBITRATE);
    CHECK_EQUAL(dp_card_read(card, DP_CARD_REG_EXPECTED_LOW), able ? 0x9abcdef0 : 0);
    CHECK_EQUAL(dp_card_read(card, DP_CARD_REG_EXPECTED_HIGH), able ? 0x12345678 : 0);
    CHECK_EQUAL(dp_card_read(card, DP_CARD_REG_SESSION + 4), able ? 0x30303030 : 0);
    CHECK_EQUAL(dp_card_read(card, DP_CARD_REG_SESSION + 8), able ? 0x30310000 : 0);
}

static void test_what_is_expected_has_64_bits(void)
{
    on_each_card(check_expected_is_64_bits);
}

/* ---- time ---- */

static void check_clock(struct dp_card *card)
{
    const int64_t start_ns = 0x123456789abcdef0;
    static const uint16_t locates[] = {ARMED};
    struct card_frame frame = card_feed_frame(SESSION, 1, locates, 1, 'A');
    struct dp_err err = {0};
    bool able = can(card, DP_CARD_CAN_STAMP);
    CHECK_EQUAL(dp_card_set_time(card, start_ns, &err), able ? 0 : -ENOTSUP);
    int64_t before_ns = dp_card_time(card);
    check_passes(card, &frame);
    int64_t stamp_ns = dp_card_stamp(card);
    int64_t after_ns = dp_card_time(card);
    CHECK(!able || (start_ns <= before_ns && before_ns <= stamp_ns && stamp_ns <= after_ns));
    CHECK_EQUAL(dp_card_stamp(card), stamp_ns); /* it stays until the next frame */
    check_passes(card, &frame);
    CHECK_THAT(able ? dp_card_stamp(card) > stamp_ns : dp_card_stamp(card) == 0, "no new stamp");
}

static void test_a_frame_is_stamped_with_the_time_of_the_card(void)
{
    on_each_card(check_clock);
}

int main(void)
{
    guard_map();
    RUN_TESTS(TEST(test_a_card_says_what_it_is),
        TEST(test_another_device_and_another_map_are_refused),
        TEST(test_a_backend_that_is_not_built_is_one_line),
        TEST(test_a_card_that_is_not_there_is_one_line), TEST(test_another_bitstream_is_refused),
        TEST(test_a_card_on_no_bus_says_so), TEST(test_what_it_cannot_do_is_refused),
        TEST(test_registers_that_are_not_to_be_written_stay),
        TEST(test_messages_of_unarmed_instruments_are_emptied),
        TEST(test_what_is_no_order_flow_passes_the_filter),
        TEST(test_every_shorter_frame_is_read_no_further_than_it_goes),
        TEST(test_the_second_copy_is_dropped_and_a_hole_is_not_hidden),
        TEST(test_what_is_expected_has_64_bits),
        TEST(test_a_frame_is_stamped_with_the_time_of_the_card));
}
