/*
 * A port behind a card, over a loop in memory: what arrives, what leaves, and what waits.
 */
#include "card_frames.h"
#include "dp_port_card.h"
#include "each_card.h"

#include <errno.h>

#define SESSION "0000000001"
#define SLOTS 8u

struct rig {
    struct dp_port *far;
    struct dp_port *inner;
    struct dp_port *port;
    struct dp_card *card;
};

static struct rig open_rig(const char *card)
{
    struct rig rig = {.card = dp_card_open(card, NULL, NULL)};
    CHECK_EQUAL(dp_port_loop_open(&rig.far, &rig.inner, SLOTS, NULL), 0);
    rig.port = dp_port_card_open(rig.inner, rig.card, NULL);
    CHECK(rig.port != NULL);
    return rig;
}

static void close_rig(struct rig *rig)
{
    CHECK_EQUAL(dp_port_close(rig->port, NULL), 0);
    CHECK_EQUAL(dp_port_close(rig->inner, NULL), 0);
    CHECK_EQUAL(dp_port_close(rig->far, NULL), 0);
    dp_card_close(rig->card);
}

static uint32_t put(struct dp_port *port, const struct card_frame *frame, int64_t time_ns)
{
    const struct dp_packet packet = {.data = frame->data, .size = frame->size, .time_ns = time_ns};
    return dp_port_send(port, &packet, 1);
}

static void test_frames_pass_as_they_are_with_every_card(void)
{
    static const uint16_t locates[] = {1, 2};
    const struct dp_card_kind *kind;
    for (size_t index = 0; (kind = dp_card_kind_at(index)) != NULL; index++) {
        char name[EACH_CARD_NAME_SIZE];
        if (!each_card_name(kind, name))
            continue;
        struct rig rig = open_rig(name);
        struct card_frame feed = card_feed_frame(SESSION, 1, locates, 2, 'A');
        struct card_frame order = card_order_frame('O', 1, 1);
        struct dp_packet packet = {0};
        CHECK_EQUAL(put(rig.far, &feed, 5), 1);
        CHECK_EQUAL(dp_port_receive(rig.port, &packet, 1), 1);
        CHECK_EQUAL(packet.size, feed.size);
        CHECK_EQUAL(packet.time_ns, 5);
        CHECK(memcmp(packet.data, feed.data, feed.size) == 0);
        CHECK_EQUAL(put(rig.port, &order, 6), 1);
        CHECK_EQUAL(dp_port_receive(rig.far, &packet, 1), 1);
        CHECK_EQUAL(packet.size, order.size);
        CHECK_EQUAL(packet.time_ns, 6);
        CHECK(memcmp(packet.data, order.data, order.size) == 0);
        CHECK(dp_port_is_up(rig.port));
        close_rig(&rig);
    }
}

static void test_a_burst_of_which_nothing_passes_is_no_end(void)
{
    static const uint16_t locates[] = {1, 2};
    struct rig rig = open_rig("soft");
    struct card_frame first = card_feed_frame(SESSION, 1, locates, 2, 'A');
    struct card_frame next = card_feed_frame(SESSION, 3, locates, 2, 'A');
    struct dp_packet packets[4];
    CHECK_EQUAL(dp_card_control(rig.card, DP_CARD_ARBITRATE, true, NULL), 0);
    dp_card_expect(rig.card, (const uint8_t *)SESSION, 3);
    put(rig.far, &first, 1);
    put(rig.far, &first, 1);
    put(rig.far, &next, 2);
    put(rig.far, &next, 2);
    CHECK_EQUAL(dp_port_receive(rig.port, packets, 1), 1);
    CHECK_EQUAL(packets[0].time_ns, 2);
    CHECK_EQUAL(dp_port_receive(rig.port, packets, 4), 0);
    CHECK_EQUAL(rig.port->stats.rx_packets, 1);
    close_rig(&rig);
}

static void test_a_refused_frame_is_taken_and_counted(void)
{
    struct rig rig = open_rig("soft");
    struct card_frame order = card_order_frame('O', 1, 1);
    struct dp_packet packet;
    CHECK_EQUAL(dp_card_control(rig.card, DP_CARD_HALT, true, NULL), 0);
    CHECK_EQUAL(put(rig.port, &order, 1), 1);
    CHECK_EQUAL(rig.port->stats.tx_refused, 1);
    CHECK_EQUAL(rig.port->stats.tx_packets, 0);
    CHECK_EQUAL(dp_port_receive(rig.far, &packet, 1), 0);
    close_rig(&rig);
}

static void test_a_full_port_costs_no_credit_twice(void)
{
    struct rig rig = open_rig("soft");
    struct card_frame order = card_order_frame('O', 1, 1);
    struct card_frame other = card_order_frame('O', 2, 1);
    struct dp_packet packets[2 * SLOTS];
    CHECK_EQUAL(dp_card_control(rig.card, DP_CARD_GATE, true, NULL), 0);
    dp_card_write(rig.card, DP_CARD_REG_CREDIT, 100);
    for (uint32_t taken = 0; taken < SLOTS; taken++)
        CHECK_EQUAL(put(rig.port, &order, 1), 1);
    for (uint32_t round = 0; round < 3; round++)
        CHECK_EQUAL(put(rig.port, &order, 1), 0);
    CHECK_EQUAL(dp_card_read(rig.card, DP_CARD_REG_CREDIT), 100 - SLOTS - 1);
    CHECK_EQUAL(dp_port_receive(rig.far, packets, 2 * SLOTS), SLOTS);
    CHECK_EQUAL(dp_port_receive(rig.far, packets, 2 * SLOTS), 0); /* its slots are free now */
    CHECK_EQUAL(put(rig.port, &order, 1), 1);
    CHECK_EQUAL(dp_card_read(rig.card, DP_CARD_REG_CREDIT), 100 - SLOTS - 1);
    CHECK_EQUAL(put(rig.port, &order, 1), 1); /* the next one of the same bytes is another */
    CHECK_EQUAL(put(rig.port, &other, 1), 1);
    CHECK_EQUAL(dp_card_read(rig.card, DP_CARD_REG_CREDIT), 100 - SLOTS - 3);
    CHECK_EQUAL(rig.port->stats.tx_packets, SLOTS + 3);
    close_rig(&rig);
}

static void test_another_frame_than_the_one_that_passed_is_judged(void)
{
    struct rig rig = open_rig("soft");
    struct card_frame order = card_order_frame('O', 1, 1);
    struct card_frame large = card_order_frame('O', 2, 1);
    CHECK_EQUAL(dp_card_control(rig.card, DP_CARD_GATE, true, NULL), 0);
    dp_card_write(rig.card, DP_CARD_REG_QTY_MAX, 1);
    while (put(rig.port, &order, 1) == 1)
        continue;
    CHECK_EQUAL(put(rig.port, &large, 1), 1);
    CHECK_EQUAL(rig.port->stats.tx_refused, 1);
    close_rig(&rig);
}

static const struct dp_port_ops datagram_ops = {.name = "uring", .framing = DP_PORT_DATAGRAM};

static void test_a_port_of_datagrams_is_refused(void)
{
    struct dp_port inner = {.ops = &datagram_ops};
    struct dp_card *card = dp_card_open("none", NULL, NULL);
    struct dp_err err = {0};
    CHECK(dp_port_card_open(&inner, card, &err) == NULL);
    CHECK_EQUAL(err.code, EINVAL);
    CHECK_TEXT(err.text, "card port: port uring moves datagrams; give one that moves frames");
    dp_card_close(card);
}

int main(void)
{
    RUN_TESTS(TEST(test_frames_pass_as_they_are_with_every_card),
        TEST(test_a_burst_of_which_nothing_passes_is_no_end),
        TEST(test_a_refused_frame_is_taken_and_counted),
        TEST(test_a_full_port_costs_no_credit_twice),
        TEST(test_another_frame_than_the_one_that_passed_is_judged),
        TEST(test_a_port_of_datagrams_is_refused));
}
