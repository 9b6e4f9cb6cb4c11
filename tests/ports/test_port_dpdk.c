#include "check.h"
#include "dp_net.h"
#include "dp_port_dpdk.h"
#include "huge_pages.h"
#include "netns.h"

#include <errno.h>
#include <time.h>

#define HUGE_PAGES 80
#define MEMORY_MIB 128
#define FEED_PORT 26477
#define PATIENCE_NS 2000000000ll

static const struct dp_net_endpoint end_a = {{2, 0, 0, 0, 0, 10}, NETNS_IP_A, FEED_PORT};
static const struct dp_net_endpoint end_b = {{2, 0, 0, 0, 0, 11}, NETNS_IP_B, 4000};

/*
 * The driver of DPDK for AF_XDP does not give all rings of a shared memory back when a device is
 * closed; of this program's own memory nothing may leak.
 */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:xsk_umem__create\n";
}

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static struct dp_dpdk_device *open_device(const char *name, uint32_t queue_count)
{
    struct dp_err err = {0};
    const struct dp_dpdk_device_config config = {
        .name = name, .queue_count = queue_count, .buffer_count = 4095};
    struct dp_dpdk_device *device = dp_dpdk_device_open(&config, &err);
    CHECK_THAT(device != NULL, "%s", err.text);
    if (device == NULL)
        exit(1);
    return device;
}

static struct dp_port *open_port(struct dp_dpdk_device *device, uint32_t queue)
{
    struct dp_err err = {0};
    struct dp_port *port = dp_port_dpdk_open(device, queue, &err);
    CHECK_THAT(port != NULL, "%s", err.text);
    return port;
}

static uint32_t receive_some(struct dp_port *port, struct dp_packet *packets, uint32_t max)
{
    int64_t until_ns = now_ns() + PATIENCE_NS;
    uint32_t count;
    do
        count = dp_port_receive(port, packets, max);
    while (count == 0 && now_ns() < until_ns);
    return count;
}

static uint32_t build(uint8_t *frame, uint32_t number)
{
    memcpy(frame + DP_NET_UDP_HEADERS_SIZE, &number, sizeof(number));
    return dp_net_build_udp(frame, &end_b, &end_a, sizeof(number), (uint16_t)number);
}

static void check_stream(struct dp_port *to, struct dp_port *from, uint32_t count, uint32_t window)
{
    uint8_t frame[128];
    struct dp_packet packets[64];
    uint32_t sent = 0;
    uint32_t received = 0;
    while (received < count) {
        while (sent < count && sent - received < window) {
            struct dp_packet packet = {.data = frame, .size = build(frame, sent)};
            if (dp_port_send(from, &packet, 1) == 0)
                break;
            sent++;
        }
        uint32_t got = receive_some(to, packets, 64);
        CHECK_THAT(got != 0, "frame %u of %u did not come", received, count);
        if (got == 0)
            return;
        for (uint32_t index = 0; index < got; index++, received++) {
            uint32_t number;
            memcpy(&number, packets[index].data + DP_NET_UDP_HEADERS_SIZE, sizeof(number));
            CHECK_EQUAL(number, received);
            CHECK_EQUAL(packets[index].size, DP_NET_UDP_HEADERS_SIZE + sizeof(number));
        }
    }
    CHECK_EQUAL(to->stats.rx_packets, count);
    CHECK_EQUAL(from->stats.tx_packets, count);
}

static void test_a_ring_gives_back_what_was_sent(void)
{
    struct dp_dpdk_device *device = open_device("net_ring0", 1);
    struct dp_port *port = open_port(device, 0);
    check_stream(port, port, 100000, 512);
    CHECK_EQUAL(dp_port_close(port, NULL), 0);
    dp_dpdk_device_close(device);
}

static void check_wire(const char *name_a, const char *name_b)
{
    struct dp_dpdk_device *a = open_device(name_a, 1);
    struct dp_dpdk_device *b = open_device(name_b, 1);
    struct dp_port *port_a = open_port(a, 0);
    struct dp_port *port_b = open_port(b, 0);
    CHECK(dp_port_is_up(port_a));
    check_stream(port_a, port_b, 5000, 64);
    CHECK_EQUAL(dp_port_close(port_a, NULL), 0);
    CHECK_EQUAL(dp_port_close(port_b, NULL), 0);
    dp_dpdk_device_close(b);
    dp_dpdk_device_close(a);
}

static void test_frames_cross_a_wire_by_af_packet(void)
{
    check_wire("net_af_packet0", "net_af_packet1");
}

static void test_frames_cross_a_wire_by_af_xdp(void)
{
    check_wire("net_af_xdp0", "net_af_xdp1");
}

static void test_what_cannot_be_sent_is_counted(void)
{
    static const uint8_t data[DP_PORT_FRAME_MAX + 1];
    struct dp_dpdk_device *device = open_device("net_ring1", 1);
    struct dp_port *port = open_port(device, 0);
    const struct dp_packet packets[] = {{.data = data, .size = 60},
        {.data = data, .size = sizeof(data)}, {.data = data}, {.data = data, .size = 61}};
    struct dp_packet got[4];
    CHECK_EQUAL(dp_port_send(port, packets, 4), 4);
    CHECK_EQUAL(port->stats.tx_refused, 2);
    CHECK_EQUAL(port->stats.tx_packets, 2);
    CHECK_EQUAL(dp_port_receive(port, got, 4), 2);
    CHECK_EQUAL(got[0].size, 60);
    CHECK_EQUAL(got[1].size, 61);
    CHECK_EQUAL(dp_port_close(port, NULL), 0);
    dp_dpdk_device_close(device);
}

/* Fills ring and pool; what found no room was not taken, and nothing is lost for good. */
static void test_a_full_ring_takes_no_more(void)
{
    static const uint8_t data[60];
    struct dp_packet packets[64];
    struct dp_dpdk_device *device = open_device("net_ring2", 1);
    struct dp_port *port = open_port(device, 0);
    uint64_t taken = 0;
    uint32_t last;
    for (uint32_t index = 0; index < 64; index++)
        packets[index] = (struct dp_packet){.data = data, .size = sizeof(data)};
    while ((last = dp_port_send(port, packets, 64)) == 64)
        taken += last;
    taken += last;
    CHECK(taken > 500 && taken < 5000);
    uint64_t received = 0;
    uint32_t count;
    while ((count = dp_port_receive(port, packets, 64)) > 0)
        received += count;
    CHECK_EQUAL(received, taken);
    CHECK_EQUAL(dp_dpdk_device_buffers_used(device), 0);
    CHECK_EQUAL(dp_port_close(port, NULL), 0);
    dp_dpdk_device_close(device);
}

static void check_device_refused(const struct dp_dpdk_device_config *config, const char *text)
{
    struct dp_err err = {0};
    CHECK(dp_dpdk_device_open(config, &err) == NULL);
    CHECK_TEXT(err.text, text);
}

static void test_what_cannot_be_opened_is_said(void)
{
    struct dp_err err = {0};
    check_device_refused(&(struct dp_dpdk_device_config){.name = "net_ring9"},
        "dpdk device: net_ring9: not there; a card must be bound to vfio-pci, a virtual device be "
        "named in the environment");
    check_device_refused(&(struct dp_dpdk_device_config){.name = "net_ring3", .queue_count = 17},
        "dpdk device: net_ring3: queue_count is 17; it has 16 to receive and 16 to send, and at "
        "most 16 are used");
    check_device_refused(
        &(struct dp_dpdk_device_config){.name = "net_ring3", .buffer_count = 2000000},
        "dpdk device: net_ring3: buffer_count is 2000000; it takes at most 1048576");
    struct dp_dpdk_device *device = open_device("net_ring3", 1);
    struct dp_port *port = open_port(device, 0);
    CHECK(dp_port_dpdk_open(device, 0, &err) == NULL);
    CHECK_TEXT(err.text, "dpdk port: net_ring3: queue 0: another port holds it");
    CHECK(dp_port_dpdk_open(device, 1, &err) == NULL);
    CHECK_TEXT(err.text, "dpdk port: net_ring3: queue is 1; it was opened with 1");
    CHECK(dp_dpdk_device_steer(device, NETNS_IP_A, FEED_PORT, 0, &err) < 0);
    CHECK_THAT(strstr(err.text, "dpdk device: net_ring3: no rule for port 26477") == err.text, "%s",
        err.text);
    CHECK_EQUAL(dp_port_close(port, NULL), 0);
    dp_dpdk_device_close(device);
    CHECK(dp_dpdk_start(&(struct dp_dpdk_environment){.name = "again"}, &err) < 0);
}

int main(void)
{
    static const char *const devices[] = {"net_ring0", "net_ring1", "net_ring2", "net_ring3",
        "net_af_packet0,iface=va", "net_af_packet1,iface=vb", "net_af_xdp0,iface=va",
        "net_af_xdp1,iface=vb", NULL};
    struct dp_err err = {0};
    netns_enter(1);
    bool huge_pages = huge_pages_borrow(HUGE_PAGES);
    printf("with %s pages\n", huge_pages ? "huge" : "plain");
    const struct dp_dpdk_environment environment = {
        .name = "test-port-dpdk",
        .memory_mib = MEMORY_MIB,
        .huge_pages = huge_pages,
        .devices = devices,
    };
    if (dp_dpdk_start(&environment, &err) < 0) {
        fprintf(stderr, "%s\n", err.text);
        return 1;
    }
    atexit(dp_dpdk_stop);
    RUN_TESTS(TEST(test_a_ring_gives_back_what_was_sent),
        TEST(test_frames_cross_a_wire_by_af_packet), TEST(test_frames_cross_a_wire_by_af_xdp),
        TEST(test_what_cannot_be_sent_is_counted), TEST(test_a_full_ring_takes_no_more),
        TEST(test_what_cannot_be_opened_is_said));
}
