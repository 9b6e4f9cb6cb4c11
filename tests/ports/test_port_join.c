/* Several ports as one, over loops in memory: whose packets come, in which turn, and how they go.
 */
#include "check.h"
#include "dp_port_join.h"

#include <errno.h>

#define QUEUES 3u

struct rig {
    struct dp_port *far[QUEUES];
    struct dp_port *near[QUEUES];
    struct dp_port *joined;
};

static struct rig open_rig(void)
{
    struct rig rig = {0};
    for (uint32_t at = 0; at < QUEUES; at++)
        CHECK_EQUAL(dp_port_loop_open(&rig.far[at], &rig.near[at], 64, NULL), 0);
    rig.joined = dp_port_join_open(rig.near, QUEUES, NULL);
    CHECK(rig.joined != NULL);
    return rig;
}

static void close_rig(struct rig *rig)
{
    CHECK_EQUAL(dp_port_close(rig->joined, NULL), 0);
    for (uint32_t at = 0; at < QUEUES; at++) {
        CHECK_EQUAL(dp_port_close(rig->near[at], NULL), 0);
        CHECK_EQUAL(dp_port_close(rig->far[at], NULL), 0);
    }
}

static void come(struct rig *rig, uint32_t queue, uint8_t number, uint32_t times)
{
    for (uint32_t time = 0; time < times; time++) {
        const struct dp_packet packet = {.data = &number, .size = 1};
        CHECK_EQUAL(dp_port_send(rig->far[queue], &packet, 1), 1);
    }
}

static void test_what_comes_on_any_queue_is_heard(void)
{
    struct rig rig = open_rig();
    struct dp_packet packets[8];
    for (uint8_t queue = 0; queue < QUEUES; queue++)
        come(&rig, queue, (uint8_t)(10 + queue), 2);
    CHECK_EQUAL(dp_port_receive(rig.joined, packets, 8), 6);
    uint32_t sum = 0;
    for (uint32_t at = 0; at < 6; at++)
        sum += packets[at].data[0];
    CHECK_EQUAL(sum, 2 * (10 + 11 + 12));
    CHECK_EQUAL(dp_port_receive(rig.joined, packets, 8), 0);
    CHECK_EQUAL(rig.joined->stats.rx_packets, 6);
    CHECK_EQUAL(rig.joined->stats.rx_bytes, 6);
    close_rig(&rig);
}

static void test_a_busy_queue_starves_none(void)
{
    struct rig rig = open_rig();
    struct dp_packet packets[2];
    uint32_t heard[QUEUES] = {0};
    come(&rig, 0, 0, 60);
    come(&rig, 1, 1, 2);
    come(&rig, 2, 2, 2);
    for (uint32_t turn = 0; turn < QUEUES; turn++) {
        uint32_t count = dp_port_receive(rig.joined, packets, 2);
        for (uint32_t at = 0; at < count; at++)
            heard[packets[at].data[0]]++;
    }
    CHECK_EQUAL(heard[0], 2);
    CHECK_EQUAL(heard[1], 2);
    CHECK_EQUAL(heard[2], 2);
    close_rig(&rig);
}

static void test_frames_leave_by_one_queue_in_order(void)
{
    struct rig rig = open_rig();
    struct dp_packet packets[4];
    for (uint8_t number = 0; number < 4; number++) {
        const struct dp_packet packet = {.data = &number, .size = 1};
        CHECK_EQUAL(dp_port_send(rig.joined, &packet, 1), 1);
    }
    CHECK_EQUAL(dp_port_receive(rig.far[0], packets, 4), 4);
    for (uint8_t number = 0; number < 4; number++)
        CHECK_EQUAL(packets[number].data[0], number);
    CHECK_EQUAL(rig.joined->stats.tx_packets, 4);
    CHECK_EQUAL(dp_port_receive(rig.far[1], packets, 4), 0);
    CHECK(dp_port_is_up(rig.joined));
    close_rig(&rig);
}

static void test_none_and_too_many_are_refused(void)
{
    struct rig rig = open_rig();
    struct dp_err err;
    CHECK(dp_port_join_open(rig.near, 0, &err) == NULL);
    CHECK_EQUAL(err.code, EINVAL);
    CHECK(dp_port_join_open(rig.near, DP_PORT_JOIN_MAX + 1, &err) == NULL);
    CHECK_TEXT(err.text, "join port: 17 ports; give 1 to 16, all of frames or of datagrams");
    close_rig(&rig);
}

int main(void)
{
    RUN_TESTS(TEST(test_what_comes_on_any_queue_is_heard), TEST(test_a_busy_queue_starves_none),
        TEST(test_frames_leave_by_one_queue_in_order), TEST(test_none_and_too_many_are_refused));
}
