/*
 * Two readers of one port, over a loop in memory: what is whose, and what happens to a reader who
 * is away.
 */
#include "check.h"
#include "dp_net.h"
#include "dp_port_split.h"
#include "guard.h"

#include <errno.h>

static const struct dp_net_endpoint end_a = {{2, 0, 0, 0, 0, 10}, 0x0a070001, 26477};
static const struct dp_net_endpoint end_b = {{2, 0, 0, 0, 0, 11}, 0x0a070002, 4000};

/* The far end, the port below, and its two halves. */
struct rig {
    struct dp_port *far;
    struct dp_port *below;
    struct dp_port *feed;
    struct dp_port *stack;
    uint32_t frame_size;
    uint8_t frame[128];
};

static struct rig open_rig(void)
{
    struct rig rig = {0};
    CHECK_EQUAL(dp_port_loop_open(&rig.far, &rig.below, 1024, NULL), 0);
    CHECK_EQUAL(dp_port_split_open(rig.below, &rig.feed, &rig.stack, NULL), 0);
    return rig;
}

static void close_rig(struct rig *rig)
{
    CHECK_EQUAL(dp_port_close(rig->feed, NULL), 0);
    CHECK_EQUAL(dp_port_close(rig->stack, NULL), 0);
    CHECK_EQUAL(dp_port_close(rig->below, NULL), 0);
    CHECK_EQUAL(dp_port_close(rig->far, NULL), 0);
}

enum kind { UDP, TCP, ARP, TAGGED };

static void make(struct rig *rig, enum kind kind, uint32_t number)
{
    memcpy(rig->frame + DP_NET_TCP_HEADERS_SIZE, &number, sizeof(number));
    rig->frame_size = kind == UDP
        ? dp_net_build_udp(rig->frame, &end_b, &end_a, 16, 1)
        : dp_net_build_tcp(rig->frame, &end_b, &end_a, sizeof(number), 1, 1, 1);
    memcpy(rig->frame + rig->frame_size - sizeof(number), &number, sizeof(number));
    if (kind == ARP)
        dp_store_be16(rig->frame + 12, 0x0806);
    if (kind == TAGGED)
        dp_store_be16(rig->frame + 12, 0x8100);
}

static void come(struct rig *rig, enum kind kind, uint32_t number)
{
    make(rig, kind, number);
    const struct dp_packet packet = {.data = rig->frame, .size = rig->frame_size};
    CHECK_EQUAL(dp_port_send(rig->far, &packet, 1), 1);
}

static void check_gets(struct dp_port *port, uint32_t number)
{
    struct dp_packet packet;
    uint32_t found;
    uint32_t count = dp_port_receive(port, &packet, 1);
    CHECK_EQUAL(count, 1);
    if (count == 0)
        return;
    memcpy(&found, packet.data + packet.size - sizeof(found), sizeof(found));
    CHECK_EQUAL(found, number);
}

static void check_gets_none(struct dp_port *port)
{
    struct dp_packet packet;
    CHECK_EQUAL(dp_port_receive(port, &packet, 1), 0);
}

static void test_each_reader_gets_its_own_in_order(void)
{
    struct rig rig = open_rig();
    come(&rig, UDP, 1);
    come(&rig, TCP, 2);
    come(&rig, ARP, 3);
    come(&rig, UDP, 4);
    come(&rig, TAGGED, 5); /* nobody's: the feed counts it */
    check_gets(rig.feed, 1);
    check_gets(rig.stack, 2);
    check_gets(rig.feed, 4);
    check_gets(rig.stack, 3);
    check_gets(rig.feed, 5);
    check_gets_none(rig.feed);
    check_gets_none(rig.stack);
    CHECK_EQUAL(rig.feed->stats.rx_packets, 3);
    CHECK_EQUAL(rig.stack->stats.rx_packets, 2);
    CHECK_EQUAL(rig.feed->stats.rx_failed + rig.stack->stats.rx_failed, 0);
    close_rig(&rig);
}

/* A port that has one frame, which ends where memory ends. */
static struct dp_packet guarded;

static uint32_t receive_guarded(struct dp_port *port, struct dp_packet *packets, uint32_t max)
{
    (void)port;
    (void)max;
    packets[0] = guarded;
    return 1;
}

static const struct dp_port_ops guarded_ops = {
    .name = "guarded", .framing = DP_PORT_ETHERNET, .receive = receive_guarded};

static void test_a_frame_too_short_to_tell_is_the_feeds(void)
{
    struct rig rig = {0};
    struct dp_port below = {.ops = &guarded_ops};
    struct dp_packet packet;
    make(&rig, TCP, 1);
    for (uint32_t size = 0; size <= 23; size++) {
        CHECK_EQUAL(dp_port_split_open(&below, &rig.feed, &rig.stack, NULL), 0);
        guarded = (struct dp_packet){.data = guard_place(rig.frame, size), .size = size};
        CHECK_EQUAL(dp_port_receive(rig.feed, &packet, 1), 1);
        CHECK_EQUAL(packet.size, size);
        dp_port_close(rig.feed, NULL);
        dp_port_close(rig.stack, NULL);
    }
}

/* In turns nothing is lost, whoever looks first. */
static void test_readers_in_turn_lose_nothing(void)
{
    for (uint64_t seed = 1; seed <= 20; seed++) {
        struct rig rig = open_rig();
        uint64_t random = seed;
        uint32_t sent[2] = {0};
        struct dp_packet packets[64];
        for (int round = 0; round < 300; round++) {
            for (uint64_t count = check_random(&random) % 200; count > 0; count--) {
                enum kind kind = check_random(&random) % 2 == 0 ? UDP : TCP;
                if (rig.far->stats.tx_packets - rig.below->stats.rx_packets > 900)
                    break;
                come(&rig, kind, 0);
                sent[kind]++;
            }
            dp_port_receive(rig.feed, packets, 64);
            dp_port_receive(rig.stack, packets, 64);
        }
        for (int turn = 0; turn < 100; turn++) {
            dp_port_receive(rig.feed, packets, 64);
            dp_port_receive(rig.stack, packets, 64);
        }
        CHECK_EQUAL(rig.feed->stats.rx_packets, sent[UDP]);
        CHECK_EQUAL(rig.stack->stats.rx_packets, sent[TCP]);
        CHECK_EQUAL(rig.feed->stats.rx_failed + rig.stack->stats.rx_failed, 0);
        close_rig(&rig);
    }
}

static void check_away(struct rig *rig, struct dp_port *reader, struct dp_port *away)
{
    for (uint32_t call = 1; call < DP_PORT_SPLIT_PATIENCE; call++)
        check_gets_none(reader);
    check_gets(reader, 2); /* its own, which came behind */
    CHECK_EQUAL(away->stats.rx_failed, 1);
    check_gets_none(away);
    close_rig(rig);
}

static void test_a_reader_who_is_away_holds_nobody_up_for_long(void)
{
    struct rig rig = open_rig();
    come(&rig, TCP, 1);
    check_gets_none(rig.feed); /* looks, and finds the other's */
    come(&rig, UDP, 2);
    check_away(&rig, rig.feed, rig.stack);
    rig = open_rig();
    come(&rig, UDP, 1);
    check_gets_none(rig.stack);
    come(&rig, TCP, 2);
    check_away(&rig, rig.stack, rig.feed);
}

static void test_a_reader_who_comes_back_in_time_finds_its_own(void)
{
    struct rig rig = open_rig();
    come(&rig, TCP, 1);
    for (int turn = 0; turn < 3; turn++) {
        for (uint32_t call = 0; call < DP_PORT_SPLIT_PATIENCE - 1; call++)
            check_gets_none(rig.feed);
        check_gets(rig.stack, 1);
        come(&rig, TCP, 1);
    }
    CHECK_EQUAL(rig.stack->stats.rx_failed, 0);
    close_rig(&rig);
}

/* Slow is not away. */
static void test_a_reader_who_takes_one_at_a_time_loses_none(void)
{
    struct rig rig = open_rig();
    for (uint32_t number = 1; number <= 20; number++)
        come(&rig, TCP, number);
    for (uint32_t number = 1; number <= 20; number++) {
        check_gets_none(rig.feed);
        check_gets_none(rig.feed);
        check_gets(rig.stack, number);
    }
    CHECK_EQUAL(rig.stack->stats.rx_failed, 0);
    close_rig(&rig);
}

static void test_both_send_through_the_port_below(void)
{
    struct rig rig = open_rig();
    struct dp_packet got[4];
    make(&rig, TCP, 1);
    const struct dp_packet packet = {.data = rig.frame, .size = rig.frame_size};
    CHECK_EQUAL(dp_port_send(rig.feed, &packet, 1), 1);
    CHECK_EQUAL(dp_port_send(rig.stack, &packet, 1), 1);
    CHECK_EQUAL(dp_port_receive(rig.far, got, 4), 2);
    CHECK_EQUAL(rig.stack->stats.tx_packets, 1);
    CHECK_EQUAL(rig.feed->stats.tx_bytes, rig.frame_size);
    CHECK(dp_port_is_up(rig.feed));
    close_rig(&rig);
}

static const struct dp_port_ops datagrams = {.name = "uring", .framing = DP_PORT_DATAGRAM};

static void test_datagrams_cannot_be_split(void)
{
    struct dp_err err = {0};
    struct dp_port below = {.ops = &datagrams};
    struct dp_port *feed;
    struct dp_port *stack;
    CHECK_EQUAL(dp_port_split_open(&below, &feed, &stack, &err), -EINVAL);
    CHECK_TEXT(
        err.text, "split port: a uring port moves no Ethernet frames; give an xdp or dpdk port");
}

int main(void)
{
    guard_map();
    RUN_TESTS(TEST(test_each_reader_gets_its_own_in_order),
        TEST(test_a_frame_too_short_to_tell_is_the_feeds), TEST(test_readers_in_turn_lose_nothing),
        TEST(test_a_reader_who_is_away_holds_nobody_up_for_long),
        TEST(test_a_reader_who_comes_back_in_time_finds_its_own),
        TEST(test_a_reader_who_takes_one_at_a_time_loses_none),
        TEST(test_both_send_through_the_port_below), TEST(test_datagrams_cannot_be_split));
}
