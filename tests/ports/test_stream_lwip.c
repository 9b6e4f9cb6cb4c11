/*
 * User-space TCP over an AF_XDP port against the kernel's TCP in another namespace.
 */
#include "check.h"
#include "dp_lwip.h"
#include "dp_net.h"
#include "dp_port_uring.h"
#include "dp_port_xdp.h"
#include "dp_stream_lwip.h"
#include "netns.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <time.h>

#define ECHO_PORT 7000  /* gives back what it reads */
#define CLOSE_PORT 7001 /* says "bye" and closes */
#define RESET_PORT 7002 /* resets */
#define STALL_PORT 7003 /* reads nothing before it is reset, and then counts */
#define NOBODY_PORT 7004
#define LOCAL_PORT 9000
#define PATIENCE_NS 5000000000ll

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* ---- the other host ---- */

/* Of the stalled peer: what it found when it was reset. Shared by both hosts. */
static struct {
    atomic_ulong bytes;
    atomic_bool is_counted;
} * stalled;

static int listen_on(uint16_t port)
{
    const int on = 1;
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(listener, (struct sockaddr *)&address, sizeof(address)) != 0 ||
        listen(listener, 4) != 0)
        _exit(1);
    return listener;
}

static void echo(int peer)
{
    static char data[65536];
    ssize_t size;
    while ((size = recv(peer, data, sizeof(data), 0)) > 0)
        for (ssize_t at = 0, sent = 0; at < size && sent >= 0; at += sent)
            sent = send(peer, data + at, (size_t)(size - at), MSG_NOSIGNAL);
}

static void count_when_reset(int peer)
{
    static char data[65536];
    struct pollfd end = {.fd = peer};
    ssize_t size;
    while (poll(&end, 1, -1) >= 0 && (end.revents & (POLLERR | POLLHUP)) == 0)
        continue;
    while ((size = recv(peer, data, sizeof(data), 0)) > 0)
        atomic_fetch_add(&stalled->bytes, (unsigned long)size);
    atomic_store(&stalled->is_counted, true);
}

static void serve(int listener, uint16_t port)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    for (;;) {
        int peer = accept(listener, NULL, NULL);
        if (port == ECHO_PORT)
            echo(peer);
        else if (port == STALL_PORT)
            count_when_reset(peer);
        else if (port == CLOSE_PORT)
            (void)!send(peer, "bye", 3, MSG_NOSIGNAL);
        else
            setsockopt(peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
        close(peer);
    }
}

static void run_host(void)
{
    for (uint16_t port = ECHO_PORT; port <= STALL_PORT; port++) {
        int listener = listen_on(port);
        if (fork() == 0) {
            prctl(PR_SET_PDEATHSIG, SIGKILL);
            serve(listener, port);
        }
    }
    pause();
}

/* ---- our side ---- */

static struct dp_xdp_program *program;
static struct dp_port *port;
static struct dp_lwip *stack;
static uint16_t local_port = LOCAL_PORT;

#define FLOWS 16

static void open_stack(void)
{
    struct dp_err err = {0};
    struct dp_xdp_flow flows[FLOWS];
    for (uint16_t index = 0; index < FLOWS; index++)
        flows[index] = (struct dp_xdp_flow){NETNS_IP_A, (uint16_t)(LOCAL_PORT + index), DP_NET_TCP};
    program = dp_xdp_program_open("va", flows, FLOWS, true, &err);
    if (program == NULL)
        netns_skip(err.text);
    port = dp_port_xdp_open(program, &(struct dp_port_xdp_config){0}, &err);
    CHECK_THAT(port != NULL, "%s", err.text);
    const struct dp_lwip_config config = {
        .port = port,
        .mac = {2, 0, 0, 0, 0, 10},
        .next_hop_mac = {2, 0, 0, 0, 0, 11},
        .ip = NETNS_IP_A,
        .netmask = 0xffffff00,
    };
    stack = dp_lwip_open(&config, &err);
    CHECK_THAT(stack != NULL, "%s", err.text);
}

/* A port of its own for each: one that was just closed waits for late segments. */
static struct dp_stream *open_stream(uint16_t remote_port)
{
    struct dp_err err = {0};
    const struct dp_stream_lwip_config config = {
        .local_port = local_port++, .remote_ip = NETNS_IP_B, .remote_port = remote_port};
    struct dp_stream *stream = dp_stream_lwip_open(stack, &config, &err);
    CHECK_THAT(stream != NULL, "%s", err.text);
    return stream;
}

static bool reaches(struct dp_stream *stream, enum dp_stream_state state)
{
    int64_t until_ns = now_ns() + PATIENCE_NS;
    while (dp_stream_poll(stream) != state)
        if (now_ns() > until_ns)
            return false;
    return true;
}

static const uint8_t *await_bytes(struct dp_stream *stream, size_t size)
{
    const uint8_t *data = NULL;
    int64_t until_ns = now_ns() + PATIENCE_NS;
    while (dp_stream_peek(stream, &data) < size && now_ns() < until_ns)
        dp_stream_poll(stream);
    CHECK_THAT(dp_stream_peek(stream, &data) >= size, "%zu bytes did not come", size);
    return data;
}

static void test_bytes_come_back(void)
{
    struct dp_stream *stream = open_stream(ECHO_PORT);
    CHECK(!dp_stream_send(stream, (const uint8_t *)"early", 5));
    CHECK(reaches(stream, DP_STREAM_OPEN));
    CHECK(dp_stream_send(stream, (const uint8_t *)"order", 5));
    CHECK(memcmp(await_bytes(stream, 5), "order", 5) == 0);
    dp_stream_consume(stream, 5);
    CHECK_EQUAL(stream->stats.tx_bytes, 5);
    CHECK_EQUAL(stream->stats.rx_bytes, 5);
    dp_stream_close(stream);
}

static void test_a_stream_is_whole_however_it_is_cut(void)
{
    enum { TOTAL = 1 << 20 };
    static uint8_t block[8192];
    struct dp_stream *stream = open_stream(ECHO_PORT);
    uint64_t random = 1;
    size_t sent = 0;
    size_t received = 0;
    int64_t until_ns = now_ns() + 4 * PATIENCE_NS;
    CHECK(reaches(stream, DP_STREAM_OPEN));
    while (received < TOTAL && now_ns() < until_ns) {
        size_t size = 1 + check_random(&random) % sizeof(block);
        for (size_t at = 0; at < size; at++)
            block[at] = (uint8_t)((sent + at) * 31 >> 3);
        if (sent < TOTAL && dp_stream_send(stream, block, size))
            sent += size;
        const uint8_t *data;
        dp_stream_poll(stream);
        size_t waiting = dp_stream_peek(stream, &data);
        size_t taken = waiting == 0 ? 0 : check_random(&random) % waiting + 1;
        for (size_t at = 0; at < taken; at++)
            if (data[at] != (uint8_t)((received + at) * 31 >> 3)) {
                CHECK_EQUAL(data[at], (uint8_t)((received + at) * 31 >> 3));
                break;
            }
        dp_stream_consume(stream, taken);
        received += taken;
    }
    CHECK(received >= TOTAL);
    dp_stream_close(stream);
}

static void test_the_peer_closing_is_seen_after_its_last_bytes(void)
{
    struct dp_stream *stream = open_stream(CLOSE_PORT);
    CHECK(reaches(stream, DP_STREAM_CLOSED));
    CHECK(memcmp(await_bytes(stream, 3), "bye", 3) == 0);
    CHECK_EQUAL(dp_stream_error(stream), 0);
    CHECK(!dp_stream_send(stream, (const uint8_t *)"x", 1));
    dp_stream_close(stream);
}

static void test_a_reset_is_told_from_a_close(void)
{
    struct dp_stream *stream = open_stream(RESET_PORT);
    CHECK(reaches(stream, DP_STREAM_CLOSED));
    CHECK_EQUAL(dp_stream_error(stream), ECONNRESET);
    dp_stream_close(stream);
}

/* A peer that does not read: what its window has no room for stays here, and a reset takes it back.
 * What was on its way may have arrived. */
static void test_what_a_full_window_holds_back_is_taken_back_by_a_reset(void)
{
    enum { FRAME = 64 };
    static const uint8_t frame[FRAME];
    struct dp_stream *stream = open_stream(STALL_PORT);
    int64_t until_ns = now_ns() + PATIENCE_NS;
    size_t sent = 0;
    CHECK(reaches(stream, DP_STREAM_OPEN));
    CHECK_EQUAL(dp_stream_unsent(stream), 0);
    while (dp_stream_unsent(stream) < 100 * FRAME && now_ns() < until_ns) {
        sent += dp_stream_send(stream, frame, FRAME) ? FRAME : 0;
        dp_stream_poll(stream);
    }
    size_t unsent = dp_stream_unsent(stream);
    CHECK(unsent >= 100 * FRAME);
    CHECK(dp_stream_unacknowledged(stream) >= unsent);
    CHECK_EQUAL(stream->stats.taken_bytes, sent);
    dp_stream_reset(stream);
    while (!atomic_load(&stalled->is_counted) && now_ns() < until_ns)
        dp_lwip_poll(stack);
    CHECK(atomic_load(&stalled->is_counted));
    CHECK(atomic_load(&stalled->bytes) > 0);
    CHECK_THAT(atomic_load(&stalled->bytes) <= sent - unsent, "%lu of %zu, %zu held",
        atomic_load(&stalled->bytes), sent, unsent);
}

static void test_nobody_there_is_an_error(void)
{
    struct dp_stream *stream = open_stream(NOBODY_PORT);
    CHECK(reaches(stream, DP_STREAM_CLOSED));
    CHECK_EQUAL(dp_stream_error(stream), ECONNREFUSED);
    dp_stream_close(stream);
}

static void test_what_cannot_be_opened_is_said(void)
{
    struct dp_err err = {0};
    struct dp_port *datagrams = dp_port_uring_open(&(struct dp_port_uring_config){0}, &err);
    CHECK_THAT(datagrams != NULL, "%s", err.text);
    CHECK(dp_lwip_open(&(struct dp_lwip_config){.port = datagrams}, &err) == NULL);
    CHECK_TEXT(err.text, "lwip: a uring port moves no Ethernet frames; give an xdp or dpdk port");
    dp_port_close(datagrams, NULL);
    CHECK(dp_lwip_open(&(struct dp_lwip_config){.port = port}, &err) == NULL);
    CHECK_TEXT(err.text, "lwip: this process has its one stack already");
    struct dp_stream *stream = open_stream(ECHO_PORT);
    const struct dp_stream_lwip_config same = {.local_port = (uint16_t)(local_port - 1),
        .remote_ip = NETNS_IP_B,
        .remote_port = ECHO_PORT};
    CHECK(dp_stream_lwip_open(stack, &same, &err) == NULL);
    char text[128];
    snprintf(text, sizeof(text), "lwip stream: local_port %u: another connection has it",
        local_port - 1u);
    CHECK_TEXT(err.text, text);
    dp_stream_close(stream);
}

int main(void)
{
    netns_enter(1);
    stalled =
        mmap(NULL, sizeof(*stalled), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(stalled != MAP_FAILED);
    netns_start_host(run_host);
    open_stack();
    RUN_TESTS(TEST(test_bytes_come_back), TEST(test_a_stream_is_whole_however_it_is_cut),
        TEST(test_the_peer_closing_is_seen_after_its_last_bytes),
        TEST(test_a_reset_is_told_from_a_close),
        TEST(test_what_a_full_window_holds_back_is_taken_back_by_a_reset),
        TEST(test_nobody_there_is_an_error), TEST(test_what_cannot_be_opened_is_said));
}
