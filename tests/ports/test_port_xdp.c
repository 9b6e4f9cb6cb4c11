#include "check.h"
#include "dp_net.h"
#include "dp_port_join.h"
#include "dp_port_xdp.h"
#include "netns.h"

#include <arpa/inet.h>
#include <bpf/libbpf.h>
#include <errno.h>
#include <linux/if_packet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <signal.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>

#define FEED_PORT 26477
#define OTHER_PORT 26478
#define PATIENCE_NS 2000000000ll

static const struct dp_xdp_flow feed = {NETNS_IP_A, FEED_PORT, DP_NET_UDP};
static const struct dp_net_endpoint end_a = {{2, 0, 0, 0, 0, 10}, NETNS_IP_A, FEED_PORT};
static const struct dp_net_endpoint end_b = {{2, 0, 0, 0, 0, 11}, NETNS_IP_B, 4000};

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* One end of the wire: its program and the port of queue 0. */
struct end {
    struct dp_xdp_program *program;
    struct dp_port *port;
};

static struct end open_end(
    const char *interface, const struct dp_xdp_flow *flow, const struct dp_port_xdp_config *config)
{
    struct dp_err err = {0};
    struct end end;
    end.program = dp_xdp_program_open(interface, flow, flow != NULL, true, &err);
    if (end.program == NULL && (err.code == ENOSYS || err.code == EPERM))
        netns_skip(err.text);
    CHECK_THAT(end.program != NULL, "%s", err.text);
    end.port = dp_port_xdp_open(end.program, config, &err);
    CHECK_THAT(end.port != NULL, "%s", err.text);
    if (end.port == NULL)
        exit(1);
    return end;
}

static void close_end(struct end *end)
{
    CHECK_EQUAL(dp_port_close(end->port, NULL), 0);
    dp_xdp_program_close(end->program);
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

/* A UDP frame from B to A whose payload is a number. */
static uint32_t build(uint8_t *frame, uint16_t target_port, uint32_t number)
{
    struct dp_net_endpoint target = end_a;
    target.port = target_port;
    memcpy(frame + DP_NET_UDP_HEADERS_SIZE, &number, sizeof(number));
    return dp_net_build_udp(frame, &end_b, &target, sizeof(number), (uint16_t)number);
}

static uint32_t number_in(const struct dp_packet *packet)
{
    uint32_t number = 0;
    CHECK_EQUAL(packet->size, DP_NET_UDP_HEADERS_SIZE + sizeof(number));
    memcpy(&number, packet->data + DP_NET_UDP_HEADERS_SIZE, sizeof(number));
    return number;
}

static void check_stream(struct end *a, struct end *b, uint32_t count, uint32_t window)
{
    uint8_t frame[128];
    struct dp_packet packets[64];
    uint32_t sent = 0;
    uint32_t received = 0;
    while (received < count) {
        while (sent < count && sent - received < window) {
            struct dp_packet packet = {.data = frame, .size = build(frame, FEED_PORT, sent)};
            if (dp_port_send(b->port, &packet, 1) == 0)
                break;
            sent++;
        }
        uint32_t got = receive_some(a->port, packets, 64);
        CHECK_THAT(got != 0, "frame %u of %u did not come", received, count);
        if (got == 0)
            return;
        for (uint32_t index = 0; index < got; index++)
            CHECK_EQUAL(number_in(&packets[index]), received++);
    }
    dp_port_xdp_update_stats(a->port);
    CHECK_EQUAL(a->port->stats.rx_packets, count);
    CHECK_EQUAL(a->port->stats.rx_failed, 0);
    CHECK_EQUAL(b->port->stats.tx_packets, count);
}

static void test_frames_come_whole_and_in_order(void)
{
    struct end a = open_end("va", &feed, &(struct dp_port_xdp_config){0});
    struct end b = open_end("vb", NULL, &(struct dp_port_xdp_config){0});
    CHECK_EQUAL(dp_xdp_program_hook(a.program), DP_XDP_NATIVE);
    CHECK(!dp_port_xdp_is_zero_copy(a.port)); /* veth has none: read back, not assumed */
    CHECK(dp_port_is_up(a.port));
    check_stream(&a, &b, 50000, 256);
    close_end(&b);
    close_end(&a);
}

static void test_few_frames_and_busy_polling_lose_none(void)
{
    const struct dp_port_xdp_config config = {.frame_count = 128, .busy_poll_budget = 64};
    struct end a = open_end("va", &feed, &config);
    struct end b = open_end("vb", NULL, &config);
    check_stream(&a, &b, 5000, 32);
    close_end(&b);
    close_end(&a);
}

/* By copy the kernel takes 32 frames a call; nobody sends again afterwards. */
static void test_a_long_burst_goes_out_whole(void)
{
    enum { BURST = 200 };
    static uint8_t frames[BURST][128];
    struct dp_packet sent[BURST];
    struct dp_packet got[64];
    struct end a = open_end("va", &feed, &(struct dp_port_xdp_config){0});
    struct end b = open_end("vb", NULL, &(struct dp_port_xdp_config){0});
    for (uint32_t at = 0; at < BURST; at++)
        sent[at] = (struct dp_packet){.data = frames[at], .size = build(frames[at], FEED_PORT, at)};
    CHECK_EQUAL(dp_port_send(b.port, sent, BURST), BURST);
    uint32_t count = 1;
    for (uint32_t received = 0; received < BURST && count > 0; received += count) {
        count = receive_some(a.port, got, 64);
        CHECK_THAT(count > 0, "frame %u of %d did not come", received, BURST);
    }
    close_end(&b);
    close_end(&a);
}

/* A socket of the kernel's that sees what the program lets pass. */
static int open_kernel_socket(void)
{
    int kernel = socket(AF_PACKET, SOCK_RAW | SOCK_NONBLOCK, htons(ETH_P_IP));
    struct sockaddr_ll address = {.sll_family = AF_PACKET,
        .sll_protocol = htons(ETH_P_IP),
        .sll_ifindex = (int)if_nametoindex("va")};
    CHECK_EQUAL(bind(kernel, (struct sockaddr *)&address, sizeof(address)), 0);
    return kernel;
}

static bool kernel_gets(int kernel, uint32_t number)
{
    uint8_t frame[2048];
    int64_t until_ns = now_ns() + PATIENCE_NS;
    while (now_ns() < until_ns) {
        ssize_t size = recv(kernel, frame, sizeof(frame), 0);
        if (size >= 4 && memcmp(frame + size - 4, &number, 4) == 0)
            return true;
    }
    return false;
}

static void send_frame(struct end *b, const uint8_t *frame, uint32_t size)
{
    struct dp_packet packet = {.data = frame, .size = size};
    CHECK_EQUAL(dp_port_send(b->port, &packet, 1), 1);
}

static void test_what_was_not_chosen_goes_to_the_kernel(void)
{
    struct end a = open_end("va", &feed, &(struct dp_port_xdp_config){0});
    struct end b = open_end("vb", NULL, &(struct dp_port_xdp_config){0});
    int kernel = open_kernel_socket();
    uint8_t frame[128];
    struct dp_packet packet;

    send_frame(&b, frame, build(frame, OTHER_PORT, 1));
    CHECK(kernel_gets(kernel, 1));
    uint32_t size = build(frame, FEED_PORT, 2);
    frame[20] |= 0x20; /* more fragments */
    send_frame(&b, frame, size);
    CHECK(kernel_gets(kernel, 2));
    size = build(frame, FEED_PORT, 3);
    frame[23] = DP_NET_TCP;
    send_frame(&b, frame, size);
    CHECK(kernel_gets(kernel, 3));
    CHECK_EQUAL(dp_port_receive(a.port, &packet, 1), 0);
    send_frame(&b, frame, build(frame, FEED_PORT, 4));
    CHECK_EQUAL(receive_some(a.port, &packet, 1), 1);
    CHECK_EQUAL(number_in(&packet), 4);

    /* Without its port the flow is the kernel's again; the program itself may stay. */
    CHECK_EQUAL(dp_port_close(a.port, NULL), 0);
    send_frame(&b, frame, build(frame, FEED_PORT, 5));
    CHECK(kernel_gets(kernel, 5));
    dp_xdp_program_close(a.program);
    close(kernel);
    close_end(&b);
}

static uint32_t attached_id(void)
{
    uint32_t id = 0;
    bpf_xdp_query_id((int)if_nametoindex("va"), 0, &id);
    return id;
}

/* Waits: the kernel lets go of a dead process's link a moment later. */
static bool is_taken_off(void)
{
    int64_t until_ns = now_ns() + PATIENCE_NS;
    while (attached_id() != 0 && now_ns() < until_ns)
        continue;
    return attached_id() == 0;
}

static void test_the_program_goes_with_its_process(void)
{
    int ready[2];
    char byte = 0;
    CHECK_EQUAL(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        open_end("va", &feed, &(struct dp_port_xdp_config){0});
        (void)!write(ready[1], "r", 1);
        pause();
    }
    CHECK_EQUAL(read(ready[0], &byte, 1), 1);
    CHECK(attached_id() != 0);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    CHECK(is_taken_off());
    close(ready[0]);
    close(ready[1]);

    struct end again = open_end("va", &feed, &(struct dp_port_xdp_config){0});
    CHECK(attached_id() != 0);
    close_end(&again);
    CHECK(is_taken_off());
}

static void test_each_queue_has_its_port(void)
{
    struct dp_err err = {0};
    struct end a = open_end("va", &feed, &(struct dp_port_xdp_config){.queue = 1});
    struct dp_port *second =
        dp_port_xdp_open(a.program, &(struct dp_port_xdp_config){.queue = 0}, &err);
    CHECK_THAT(second != NULL, "%s", err.text);
    CHECK_EQUAL(dp_port_close(second, NULL), 0);
    close_end(&a);
}

static void check_port_refused(
    struct dp_xdp_program *program, const struct dp_port_xdp_config *config, const char *text)
{
    struct dp_err err = {0};
    CHECK(dp_port_xdp_open(program, config, &err) == NULL);
    CHECK_TEXT(err.text, text);
}

static void test_what_cannot_be_opened_is_said(void)
{
    struct dp_err err = {0};
    CHECK(dp_xdp_program_open("nic9", &feed, 1, true, &err) == NULL);
    CHECK_TEXT(err.text, "xdp program: nic9: no such interface; see: ip -brief link");
    struct end a = open_end("va", &feed, &(struct dp_port_xdp_config){0});
    CHECK(dp_xdp_program_open("va", &feed, 1, true, &err) == NULL);
    CHECK_TEXT(err.text,
        "xdp program: va: another XDP program is attached; take it off with: ip link set dev va "
        "xdp off");
    check_port_refused(a.program,
        &(struct dp_port_xdp_config){.queue = 1, .zero_copy = DP_XDP_ZERO_COPY_REQUIRE},
        "xdp port: va: queue 1: the driver has no zero copy; set zero_copy to prefer or off");
    check_port_refused(a.program, &(struct dp_port_xdp_config){.queue = 1, .frame_count = 100},
        "xdp port: va: frame_count is 100; it must be a power of two, 128 to 1048576");
    check_port_refused(a.program, &(struct dp_port_xdp_config){.queue = 7},
        "xdp port: va: queue 7: Invalid argument; see the queues with: ethtool -l va");
    check_port_refused(a.program, &(struct dp_port_xdp_config){.queue = 0},
        "xdp port: va: queue 0: another socket holds it");
    close_end(&a);
}

static int open_raw(const char *interface)
{
    int raw = socket(AF_PACKET, SOCK_RAW, 0);
    const struct sockaddr_ll address = {
        .sll_family = AF_PACKET, .sll_ifindex = (int)if_nametoindex(interface)};
    CHECK_EQUAL(bind(raw, (const struct sockaddr *)&address, sizeof(address)), 0);
    return raw;
}

static void send_raw(int raw, const uint8_t *frame, size_t size)
{
    CHECK_EQUAL(send(raw, frame, size, 0), size);
}

static void set_mtu(int mtu)
{
    char command[96];
    snprintf(command, sizeof(command), "ip link set va mtu %d && ip link set vb mtu %d", mtu, mtu);
    CHECK_EQUAL(system(command), 0);
}

static uint32_t build_jumbo(uint8_t *frame, uint16_t payload_size)
{
    for (uint32_t at = 0; at < payload_size; at++)
        frame[DP_NET_UDP_HEADERS_SIZE + at] = (uint8_t)(at * 7 >> 2);
    return dp_net_build_udp(frame, &end_b, &end_a, payload_size, 1);
}

/* In several pieces of memory, between short ones; the kernel chooses the queue. */
static void test_jumbo_frames_come_whole(void)
{
    static uint8_t jumbo[9000 + 14];
    uint8_t frame[128];
    struct dp_packet packets[4];
    set_mtu(9000);
    struct end a = open_end("va", &feed, &(struct dp_port_xdp_config){.frame_count = 256});
    struct dp_port *queues[] = {a.port,
        dp_port_xdp_open(
            a.program, &(struct dp_port_xdp_config){.queue = 1, .frame_count = 256}, NULL)};
    struct dp_port *both = dp_port_join_open(queues, 2, NULL);
    CHECK_EQUAL(dp_port_xdp_packet_max(a.port), DP_PORT_JUMBO_MAX);
    int raw = open_raw("vb");
    uint32_t size = build_jumbo(jumbo, sizeof(jumbo) - DP_NET_UDP_HEADERS_SIZE);
    for (uint32_t round = 0; round < 300; round++) {
        uint32_t max = 1 + round % 3;
        send_raw(raw, frame, build(frame, FEED_PORT, round));
        send_raw(raw, jumbo, size);
        send_raw(raw, frame, build(frame, FEED_PORT, round));
        for (uint32_t got = 0; got < 3;) {
            uint32_t count = receive_some(both, packets, max);
            CHECK(count > 0 && count <= max);
            if (count == 0)
                return;
            for (uint32_t at = 0; at < count; at++, got++) {
                bool is_jumbo = got == 1;
                CHECK_EQUAL(packets[at].size == size, is_jumbo);
                CHECK(!is_jumbo || memcmp(packets[at].data, jumbo, size) == 0);
                CHECK(is_jumbo || number_in(&packets[at]) == round);
            }
        }
    }
    CHECK_EQUAL(both->stats.rx_packets, 900);
    close(raw);
    dp_port_close(both, NULL);
    dp_port_close(queues[1], NULL);
    close_end(&a);
    set_mtu(1500);
}

static void test_what_cannot_be_sent_is_counted(void)
{
    struct end b = open_end("vb", NULL, &(struct dp_port_xdp_config){0});
    uint8_t frame[DP_PORT_FRAME_MAX + 1] = {0};
    send_frame(&b, frame, sizeof(frame));
    send_frame(&b, frame, 0);
    CHECK_EQUAL(b.port->stats.tx_refused, 2);
    CHECK_EQUAL(b.port->stats.tx_packets, 0);
    close_end(&b);
}

int main(void)
{
    netns_enter(2);
    RUN_TESTS(TEST(test_frames_come_whole_and_in_order),
        TEST(test_few_frames_and_busy_polling_lose_none), TEST(test_a_long_burst_goes_out_whole),
        TEST(test_what_was_not_chosen_goes_to_the_kernel),
        TEST(test_the_program_goes_with_its_process), TEST(test_each_queue_has_its_port),
        TEST(test_jumbo_frames_come_whole), TEST(test_what_cannot_be_opened_is_said),
        TEST(test_what_cannot_be_sent_is_counted));
}
