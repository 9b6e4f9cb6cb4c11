#include "check.h"
#include "dp_stream_uring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LOOPBACK 0x7f000001u
#define PATIENCE_NS 2000000000ll

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* A listening socket of the kernel's, and its port. */
static int listen_on_loopback(uint16_t *port)
{
    int listener = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(LOOPBACK)};
    socklen_t size = sizeof(address);
    CHECK_EQUAL(bind(listener, (struct sockaddr *)&address, size), 0);
    CHECK_EQUAL(listen(listener, 4), 0);
    CHECK_EQUAL(getsockname(listener, (struct sockaddr *)&address, &size), 0);
    *port = ntohs(address.sin_port);
    return listener;
}

static struct dp_stream *open_stream(uint16_t port)
{
    struct dp_err err = {0};
    const struct dp_stream_uring_config config = {.remote_ip = LOOPBACK, .remote_port = port};
    struct dp_stream *stream = dp_stream_uring_open(&config, &err);
    if (stream == NULL) {
        fprintf(stderr, "%s\n", err.text);
        exit(err.code == ENOSYS || err.code == EPERM ? 77 : 1);
    }
    return stream;
}

/* Polls until the state is there; false after PATIENCE_NS. */
static bool reaches(struct dp_stream *stream, enum dp_stream_state state)
{
    int64_t until_ns = now_ns() + PATIENCE_NS;
    while (dp_stream_poll(stream) != state)
        if (now_ns() > until_ns)
            return false;
    return true;
}

struct ends {
    int listener;
    int peer; /* the kernel's end, blocking */
    struct dp_stream *stream;
};

static struct ends open_ends(void)
{
    struct ends ends;
    uint16_t port;
    ends.listener = listen_on_loopback(&port);
    ends.stream = open_stream(port);
    CHECK(reaches(ends.stream, DP_STREAM_OPEN));
    ends.peer = accept(ends.listener, NULL, NULL);
    CHECK(ends.peer >= 0);
    return ends;
}

static void close_ends(struct ends *ends)
{
    dp_stream_close(ends->stream);
    close(ends->peer);
    close(ends->listener);
}

/* Waits until that many bytes have arrived. */
static const uint8_t *await_bytes(struct dp_stream *stream, size_t size)
{
    const uint8_t *data = NULL;
    int64_t until_ns = now_ns() + PATIENCE_NS;
    while (dp_stream_peek(stream, &data) < size && now_ns() < until_ns)
        dp_stream_poll(stream);
    CHECK_THAT(dp_stream_peek(stream, &data) >= size, "%zu bytes did not come", size);
    return data;
}

static void test_bytes_go_both_ways(void)
{
    char text[8] = "";
    struct ends ends = open_ends();
    CHECK(dp_stream_send(ends.stream, (const uint8_t *)"order", 5));
    CHECK_EQUAL(recv(ends.peer, text, 5, MSG_WAITALL), 5);
    CHECK_TEXT(text, "order");
    CHECK_EQUAL(send(ends.peer, "report", 6, 0), 6);
    CHECK(memcmp(await_bytes(ends.stream, 6), "report", 6) == 0);
    dp_stream_consume(ends.stream, 2);
    CHECK_EQUAL(send(ends.peer, "s", 1, 0), 1);
    CHECK(memcmp(await_bytes(ends.stream, 5), "ports", 5) == 0);
    CHECK_EQUAL(ends.stream->stats.rx_bytes, 7);
    close_ends(&ends);
}

/* Megabytes each way, consumed in odd pieces by both, through buffers that are much smaller. */
static void test_a_stream_is_whole_however_it_is_cut(void)
{
    enum { TOTAL = 4 << 20 };
    struct ends ends = open_ends();
    uint64_t random = 1;
    size_t sent = 0;
    size_t echoed = 0;
    size_t received = 0;
    static uint8_t buffer[1 << 16];
    int64_t until_ns = now_ns() + 10 * PATIENCE_NS;
    while (received < TOTAL && now_ns() < until_ns) {
        size_t size = 1 + check_random(&random) % 9000;
        for (size_t at = 0; at < size; at++)
            buffer[at] = (uint8_t)((sent + at) * 31 >> 3);
        if (sent < TOTAL && dp_stream_send(ends.stream, buffer, size))
            sent += size;
        ssize_t got = recv(ends.peer, buffer, sizeof(buffer), MSG_DONTWAIT);
        for (ssize_t at = 0; at < got;)
            at += send(ends.peer, buffer + at, (size_t)(got - at), 0);
        echoed += got > 0 ? (size_t)got : 0;

        const uint8_t *data;
        dp_stream_poll(ends.stream);
        size_t waiting = dp_stream_peek(ends.stream, &data);
        size_t taken = waiting == 0 ? 0 : check_random(&random) % waiting + 1;
        for (size_t at = 0; at < taken; at++)
            if (data[at] != (uint8_t)((received + at) * 31 >> 3)) {
                CHECK_EQUAL(data[at], (uint8_t)((received + at) * 31 >> 3));
                break;
            }
        dp_stream_consume(ends.stream, taken);
        received += taken;
    }
    CHECK(received >= TOTAL);
    CHECK(echoed >= received);
    close_ends(&ends);
}

/* A peer that does not read: what does not fit is refused whole, and what was taken arrives. */
static void test_a_peer_that_does_not_read_is_felt(void)
{
    static uint8_t block[64 << 10];
    struct ends ends = open_ends();
    size_t taken = 0;
    for (uint32_t try = 0; try < 100000 && taken < (64u << 20); try++) {
        if (!dp_stream_send(ends.stream, block, sizeof(block)))
            break;
        taken += sizeof(block);
        dp_stream_poll(ends.stream);
    }
    CHECK(taken >= sizeof(block) && taken < (64u << 20));
    CHECK(!dp_stream_send(ends.stream, block, sizeof(block)));
    size_t arrived = 0;
    int64_t until_ns = now_ns() + PATIENCE_NS;
    while (arrived < taken && now_ns() < until_ns) {
        ssize_t got = recv(ends.peer, block, sizeof(block), MSG_DONTWAIT);
        arrived += got > 0 ? (size_t)got : 0;
        dp_stream_poll(ends.stream);
    }
    CHECK_EQUAL(arrived, taken);
    close_ends(&ends);
}

static void test_the_peer_closing_is_seen_after_its_last_bytes(void)
{
    struct ends ends = open_ends();
    CHECK_EQUAL(send(ends.peer, "bye", 3, 0), 3);
    shutdown(ends.peer, SHUT_WR);
    CHECK(reaches(ends.stream, DP_STREAM_CLOSED));
    CHECK(memcmp(await_bytes(ends.stream, 3), "bye", 3) == 0);
    CHECK_EQUAL(dp_stream_error(ends.stream), 0);
    CHECK(!dp_stream_send(ends.stream, (const uint8_t *)"x", 1));
    close_ends(&ends);
}

static void test_a_reset_is_told_from_a_close(void)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    struct ends ends = open_ends();
    setsockopt(ends.peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(ends.peer);
    CHECK(reaches(ends.stream, DP_STREAM_CLOSED));
    CHECK_EQUAL(dp_stream_error(ends.stream), ECONNRESET);
    dp_stream_close(ends.stream);
    close(ends.listener);
}

static void test_nobody_there_is_an_error(void)
{
    uint16_t port;
    int listener = listen_on_loopback(&port);
    close(listener);
    struct dp_stream *stream = open_stream(port);
    CHECK(reaches(stream, DP_STREAM_CLOSED));
    CHECK_EQUAL(dp_stream_error(stream), ECONNREFUSED);
    dp_stream_close(stream);
}

static void test_closing_tells_the_peer_at_once(void)
{
    char byte;
    struct ends ends = open_ends();
    dp_stream_close(ends.stream);
    CHECK_EQUAL(recv(ends.peer, &byte, 1, 0), 0);
    close(ends.peer);
    close(ends.listener);
}

static void test_a_local_address_of_somebody_else_is_refused(void)
{
    struct dp_err err = {0};
    const struct dp_stream_uring_config config = {
        .local_ip = 0x08080808, .remote_ip = LOOPBACK, .remote_port = 1};
    CHECK(dp_stream_uring_open(&config, &err) == NULL);
    CHECK_TEXT(err.text,
        "uring stream: local address: Cannot assign requested address; give one of this machine");
}

int main(void)
{
    RUN_TESTS(TEST(test_bytes_go_both_ways), TEST(test_a_stream_is_whole_however_it_is_cut),
        TEST(test_a_peer_that_does_not_read_is_felt),
        TEST(test_the_peer_closing_is_seen_after_its_last_bytes),
        TEST(test_a_reset_is_told_from_a_close), TEST(test_nobody_there_is_an_error),
        TEST(test_closing_tells_the_peer_at_once),
        TEST(test_a_local_address_of_somebody_else_is_refused));
}
