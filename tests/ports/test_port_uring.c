#include "check.h"
#include "dp_port_uring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LOOPBACK 0x7f000001u
#define GROUP 0xefff0a07u /* 239.255.10.7 */
#define PATIENCE_NS 2000000000ll

static int64_t now_ns(clockid_t clock)
{
    struct timespec time;
    clock_gettime(clock, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static struct dp_port *open_or_die(const struct dp_port_uring_config *config)
{
    struct dp_err err = {0};
    struct dp_port *port = dp_port_uring_open(config, &err);
    if (port == NULL) {
        fprintf(stderr, "%s\n", err.text);
        exit(err.code == ENOSYS || err.code == EPERM ? 77 : 1);
    }
    return port;
}

/* A port on loopback and one that sends to it. */
struct pair {
    struct dp_port *sender;
    struct dp_port *receiver;
};

static struct pair open_pair(struct dp_port_uring_config receiver)
{
    struct pair pair;
    receiver.local_ip = LOOPBACK;
    receiver.sqpoll_cpu = -1;
    pair.receiver = open_or_die(&receiver);
    struct dp_port_uring_config sender = {
        .local_ip = LOOPBACK,
        .remote_ip = LOOPBACK,
        .remote_port = dp_port_uring_local_port(pair.receiver),
        .zero_copy_send = receiver.zero_copy_send,
        .mode = receiver.mode,
        .sqpoll_cpu = -1,
    };
    pair.sender = open_or_die(&sender);
    struct dp_packet none;
    CHECK_EQUAL(dp_port_receive(pair.receiver, &none, 1), 0); /* arms it */
    return pair;
}

static void close_pair(struct pair *pair)
{
    CHECK_EQUAL(dp_port_close(pair->sender, NULL), 0);
    CHECK_EQUAL(dp_port_close(pair->receiver, NULL), 0);
}

/* Receives until something is there; 0 after PATIENCE_NS. */
static uint32_t receive_some(struct dp_port *port, struct dp_packet *packets, uint32_t max)
{
    int64_t until_ns = now_ns(CLOCK_MONOTONIC) + PATIENCE_NS;
    uint32_t count;
    do
        count = dp_port_receive(port, packets, max);
    while (count == 0 && now_ns(CLOCK_MONOTONIC) < until_ns);
    return count;
}

/* Sends numbered datagrams, `window` in flight at most; checks that all come, whole, in order. */
static void check_stream(struct pair *pair, uint32_t count, uint32_t window, uint32_t size)
{
    uint8_t data[DP_PORT_FRAME_MAX] = {0};
    struct dp_packet packets[64];
    uint32_t sent = 0;
    uint32_t received = 0;
    while (received < count) {
        while (sent < count && sent - received < window) {
            memcpy(data, &sent, sizeof(sent));
            struct dp_packet packet = {.data = data, .size = size};
            if (dp_port_send(pair->sender, &packet, 1) == 0)
                break;
            sent++;
        }
        uint32_t got = receive_some(pair->receiver, packets, 64);
        CHECK_THAT(got != 0, "datagram %u of %u did not come", received, count);
        if (got == 0)
            return;
        for (uint32_t index = 0; index < got; index++, received++) {
            uint32_t number;
            memcpy(&number, packets[index].data, sizeof(number));
            CHECK_EQUAL(number, received);
            CHECK_EQUAL(packets[index].size, size);
            CHECK_EQUAL(packets[index].original_size, size);
        }
    }
    CHECK_EQUAL(pair->receiver->stats.rx_packets, count);
    CHECK_EQUAL(pair->receiver->stats.rx_bytes, (uint64_t)count * size);
    CHECK_EQUAL(pair->sender->stats.tx_packets, count);
}

static void test_datagrams_come_whole_and_in_order(void)
{
    struct pair pair = open_pair((struct dp_port_uring_config){0});
    check_stream(&pair, 20000, 64, 60);
    CHECK_EQUAL(pair.receiver->stats.rx_failed, 0);
    CHECK_EQUAL(pair.sender->stats.tx_failed, 0);
    close_pair(&pair);
}

static void test_fewer_buffers_than_datagrams_lose_none(void)
{
    struct pair pair = open_pair((struct dp_port_uring_config){.buffer_count = 4});
    check_stream(&pair, 2000, 256, 1400);
    close_pair(&pair);
}

static void test_zero_copy_sends_the_same(void)
{
    struct pair pair = open_pair((struct dp_port_uring_config){.zero_copy_send = true});
    check_stream(&pair, 2000, 32, 1024);
    CHECK_EQUAL(pair.sender->stats.tx_failed, 0);
    close_pair(&pair);
}

static void test_a_kernel_thread_may_submit(void)
{
    struct pair pair = open_pair((struct dp_port_uring_config){.mode = DP_PORT_URING_SQPOLL});
    check_stream(&pair, 200, 32, 100);
    close_pair(&pair);
}

static void test_a_datagram_carries_the_kernels_time(void)
{
    struct pair pair = open_pair((struct dp_port_uring_config){0});
    struct dp_packet packet = {.data = (const uint8_t *)"x", .size = 1};
    int64_t before_ns = now_ns(CLOCK_REALTIME);
    CHECK_EQUAL(dp_port_send(pair.sender, &packet, 1), 1);
    CHECK_EQUAL(receive_some(pair.receiver, &packet, 1), 1);
    CHECK_EQUAL(packet.clock, DP_PORT_CLOCK_KERNEL);
    CHECK(packet.time_ns >= before_ns && packet.time_ns <= now_ns(CLOCK_REALTIME));
    close_pair(&pair);
}

static void send_from_outside(uint16_t port, const uint8_t *data, size_t size)
{
    int outside = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(LOOPBACK)};
    CHECK_EQUAL(sendto(outside, data, size, 0, (struct sockaddr *)&address, sizeof(address)), size);
    close(outside);
}

static void test_a_jumbo_datagram_comes_whole(void)
{
    static uint8_t data[DP_PORT_JUMBO_MAX];
    struct pair pair = open_pair((struct dp_port_uring_config){0});
    struct dp_packet packet;
    for (size_t at = 0; at < sizeof(data); at++)
        data[at] = (uint8_t)(at * 7);
    send_from_outside(dp_port_uring_local_port(pair.receiver), data, sizeof(data));
    CHECK_EQUAL(receive_some(pair.receiver, &packet, 1), 1);
    CHECK_EQUAL(packet.size, sizeof(data));
    CHECK_EQUAL(packet.original_size, sizeof(data));
    CHECK(packet.size == sizeof(data) && memcmp(packet.data, data, sizeof(data)) == 0);
    close_pair(&pair);
}

static void test_a_datagram_that_is_too_long_is_cut_and_says_so(void)
{
    static uint8_t data[20000];
    struct pair pair = open_pair((struct dp_port_uring_config){0});
    uint16_t port = dp_port_uring_local_port(pair.receiver);
    struct dp_packet packet;
    send_from_outside(port, data, sizeof(data));
    CHECK_EQUAL(receive_some(pair.receiver, &packet, 1), 1);
    CHECK_EQUAL(packet.original_size, sizeof(data));
    CHECK(packet.size >= DP_PORT_JUMBO_MAX && packet.size < sizeof(data));
    send_from_outside(port, data, 0);
    CHECK_EQUAL(receive_some(pair.receiver, &packet, 1), 1);
    CHECK_EQUAL(packet.size, 0);
    close_pair(&pair);
}

static void test_only_the_remote_is_heard(void)
{
    struct pair pair = open_pair((struct dp_port_uring_config){0});
    struct dp_packet packet;
    CHECK_EQUAL(dp_port_receive(pair.sender, &packet, 1), 0);
    send_from_outside(dp_port_uring_local_port(pair.sender), (const uint8_t *)"x", 1);
    for (int try = 0; try < 1000; try++)
        CHECK_EQUAL(dp_port_receive(pair.sender, &packet, 1), 0);
    close_pair(&pair);
}

static void test_what_cannot_be_sent_is_counted(void)
{
    struct pair pair = open_pair((struct dp_port_uring_config){0});
    uint8_t data[DP_PORT_FRAME_MAX + 1] = {0};
    struct dp_packet packet = {.data = data, .size = sizeof(data)};
    CHECK_EQUAL(dp_port_send(pair.sender, &packet, 1), 1);
    CHECK_EQUAL(pair.sender->stats.tx_refused, 1);
    packet.size = 1;
    CHECK_EQUAL(dp_port_send(pair.receiver, &packet, 1), 1); /* it has no remote */
    CHECK_EQUAL(pair.receiver->stats.tx_refused, 1);
    close_pair(&pair);
}

/* Nobody listens there: the refusals that come back end no receive for good. */
static void test_a_remote_that_is_gone_does_not_stop_the_port(void)
{
    struct pair pair = open_pair((struct dp_port_uring_config){0});
    struct dp_packet packet = {.data = (const uint8_t *)"x", .size = 1};
    uint16_t port = dp_port_uring_local_port(pair.receiver);
    dp_port_close(pair.receiver, NULL);
    for (int try = 0; try < 10; try++) {
        CHECK_EQUAL(dp_port_send(pair.sender, &packet, 1), 1);
        struct dp_packet got;
        CHECK_EQUAL(dp_port_receive(pair.sender, &got, 1), 0);
    }
    struct dp_port_uring_config again = {.local_ip = LOOPBACK, .local_port = port};
    pair.receiver = open_or_die(&again);
    struct dp_packet got;
    CHECK_EQUAL(dp_port_receive(pair.receiver, &got, 1), 0);
    for (int try = 0; try < 10 && pair.receiver->stats.rx_packets == 0; try++) {
        CHECK_EQUAL(dp_port_send(pair.sender, &packet, 1), 1);
        dp_port_receive(pair.receiver, &got, 1);
    }
    CHECK(pair.receiver->stats.rx_packets > 0);
    close_pair(&pair);
}

static void test_a_group_is_joined(void)
{
    struct dp_port_uring_config config = {
        .local_ip = GROUP, .group_ip = GROUP, .interface_ip = LOOPBACK};
    struct dp_port *listener = open_or_die(&config);
    struct dp_packet packet;
    CHECK_EQUAL(dp_port_receive(listener, &packet, 1), 0);
    struct dp_port_uring_config sending = {.remote_ip = GROUP,
        .remote_port = dp_port_uring_local_port(listener),
        .interface_ip = LOOPBACK};
    struct dp_port *sender = open_or_die(&sending);
    packet = (struct dp_packet){.data = (const uint8_t *)"tick", .size = 4};
    CHECK_EQUAL(dp_port_send(sender, &packet, 1), 1);
    CHECK_EQUAL(receive_some(listener, &packet, 1), 1);
    CHECK(packet.size == 4 && memcmp(packet.data, "tick", 4) == 0);
    dp_port_close(sender, NULL);
    dp_port_close(listener, NULL);
}

static void check_refused(const struct dp_port_uring_config *config, const char *text)
{
    struct dp_err err = {0};
    CHECK(dp_port_uring_open(config, &err) == NULL);
    CHECK_TEXT(err.text, text);
}

static void test_an_address_is_free_again_as_soon_as_it_is_closed(void)
{
    struct dp_port_uring_config config = {.local_ip = 0x7f000001};
    struct dp_packet packet;
    for (int time = 0; time < 50; time++) {
        struct dp_err err = {0};
        struct dp_port *port = dp_port_uring_open(&config, &err);
        CHECK_THAT(port != NULL, "time %d: %s", time, err.text);
        if (port == NULL)
            return;
        config.local_port = dp_port_uring_local_port(port);
        CHECK_EQUAL(dp_port_receive(port, &packet, 1), 0);
        CHECK_EQUAL(dp_port_close(port, NULL), 0);
    }
}

static void test_what_cannot_be_opened_is_said(void)
{
    check_refused(&(struct dp_port_uring_config){.local_ip = 0x08080808, .local_port = 9},
        "uring port: 8.8.8.8:9: Cannot assign requested address; bind to an address of this "
        "machine");
    check_refused(&(struct dp_port_uring_config){.group_ip = LOOPBACK, .interface_ip = LOOPBACK},
        "uring port: group 127.0.0.1:0: Invalid argument; name a multicast group and the address "
        "of an interface that has a route to it");
    check_refused(&(struct dp_port_uring_config){.buffer_count = 3},
        "uring port: buffer_count is 3; it must be a power of two, at most 32768");
    check_refused(
        &(struct dp_port_uring_config){
            .group_ip = GROUP, .interface_ip = LOOPBACK, .remote_ip = LOOPBACK, .remote_port = 7},
        "uring port: remote 127.0.0.1:7: this port has joined a group and hears many; send "
        "through another port");
}

int main(void)
{
    RUN_TESTS(TEST(test_datagrams_come_whole_and_in_order),
        TEST(test_fewer_buffers_than_datagrams_lose_none), TEST(test_zero_copy_sends_the_same),
        TEST(test_a_kernel_thread_may_submit), TEST(test_a_datagram_carries_the_kernels_time),
        TEST(test_a_jumbo_datagram_comes_whole),
        TEST(test_a_datagram_that_is_too_long_is_cut_and_says_so),
        TEST(test_only_the_remote_is_heard), TEST(test_what_cannot_be_sent_is_counted),
        TEST(test_a_remote_that_is_gone_does_not_stop_the_port), TEST(test_a_group_is_joined),
        TEST(test_an_address_is_free_again_as_soon_as_it_is_closed),
        TEST(test_what_cannot_be_opened_is_said));
}
