/*
 * An order session over real sockets, against a server in the same process that can be told to cut
 * the connection anywhere, to be silent, and to refuse.
 */
#include "check.h"
#include "dp_order_session.h"
#include "dp_soup.h"
#include "dp_stream_uring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LOOPBACK 0x7f000001u
#define MS 1000000ll
#define PATIENCE_NS (5000 * MS)
#define MESSAGES 20u

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_MONOTONIC, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* ---- the server ---- */

struct server {
    int listener;
    int peer; /* -1: none */
    uint16_t port;
    char answer;       /* to a login: 'A', 'J' (denied), 'S' (no such session); 0: none */
    size_t cut_at;     /* bytes of a connection after which it is reset */
    size_t sent;       /* in this connection */
    uint64_t sequence; /* of the next message in this connection */
    uint32_t logins;
    uint32_t heartbeats;
    uint64_t asked; /* sequence of the last login */
};

static void server_open(struct server *server)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(LOOPBACK)};
    socklen_t size = sizeof(address);
    *server = (struct server){.peer = -1, .answer = 'A', .cut_at = SIZE_MAX};
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK_EQUAL(bind(server->listener, (struct sockaddr *)&address, size), 0);
    CHECK_EQUAL(listen(server->listener, 8), 0);
    getsockname(server->listener, (struct sockaddr *)&address, &size);
    server->port = ntohs(address.sin_port);
}

static void server_reset(struct server *server)
{
    const struct linger at_once = {.l_onoff = 1, .l_linger = 0};
    if (server->peer < 0)
        return;
    setsockopt(server->peer, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    close(server->peer);
    server->peer = -1;
}

static void server_close(struct server *server)
{
    server_reset(server);
    close(server->listener);
}

/* Sends as much as the plan allows, and cuts there. */
static void server_send(struct server *server, const uint8_t *data, size_t size)
{
    size_t room = server->cut_at - server->sent;
    size_t part = size < room ? size : room;
    if (server->peer < 0)
        return;
    ssize_t sent = send(server->peer, data, part, MSG_NOSIGNAL);
    if (sent < 0) { /* the peer has reset the connection */
        server_reset(server);
        return;
    }
    CHECK_EQUAL(sent, (ssize_t)part);
    server->sent += part;
    if (part < size) {
        /* What was sent must arrive before the reset does. */
        usleep(2000);
        server_reset(server);
    }
}

static void server_send_packet(
    struct server *server, char type, const uint8_t *payload, uint32_t size)
{
    uint8_t packet[64];
    memcpy(packet + DP_SOUP_HEADER_SIZE, payload, size);
    dp_soup_build(packet, (uint8_t)type, size);
    server_send(server, packet, DP_SOUP_HEADER_SIZE + size);
}

static void server_answer(struct server *server, const uint8_t *login)
{
    char text[31];
    memcpy(text, login + 26 + DP_SOUP_HEADER_SIZE, 20);
    text[20] = '\0';
    server->asked = strtoull(text, NULL, 10);
    server->sequence = server->asked;
    server->logins++;
    if (server->answer == 'A') {
        snprintf(text, sizeof(text), "     DAY01%20llu", (unsigned long long)server->asked);
        server_send_packet(server, 'A', (const uint8_t *)text, 30);
    } else if (server->answer != 0) {
        const uint8_t reason = server->answer == 'J' ? 'A' : 'S';
        server_send_packet(server, 'J', &reason, 1);
    }
}

/* Message n is its number in eight bytes. */
static void server_send_message(struct server *server)
{
    uint8_t payload[8];
    dp_store_be64(payload, server->sequence++);
    server_send_packet(server, 'S', payload, sizeof(payload));
}

static void server_read(struct server *server)
{
    uint8_t data[256];
    ssize_t size = recv(server->peer, data, sizeof(data), MSG_DONTWAIT);
    struct dp_soup_packet packet;
    if (size == 0 || (size < 0 && errno != EAGAIN))
        server_reset(server);
    for (ssize_t at = 0; at < size; at += packet.size) {
        CHECK_EQUAL(dp_soup_parse(data + at, (size_t)(size - at), &packet), DP_SOUP_OK);
        if (packet.type == 'L')
            server_answer(server, data + at);
        server->heartbeats += packet.type == 'R';
        if (server->peer < 0)
            return;
    }
}

/* Accepts, reads, and sends what it has up to message `last`. */
static void server_poll(struct server *server, uint64_t last)
{
    if (server->peer < 0) {
        server->peer = accept(server->listener, NULL, NULL);
        server->sent = 0;
        server->sequence = 0;
        return;
    }
    server_read(server);
    while (server->peer >= 0 && server->sequence != 0 && server->sequence <= last &&
        server->answer == 'A')
        server_send_message(server);
}

/* ---- the session ---- */

struct heard {
    uint64_t next;
    uint64_t wrong;
    uint32_t logins;
    uint32_t losses;
};

static void on_message(void *context, uint64_t sequence, const uint8_t *data, uint32_t size)
{
    struct heard *heard = context;
    heard->wrong += size != 8 || sequence != heard->next || dp_load_be64(data) != sequence;
    heard->next = sequence + 1;
}

static void on_login(void *context)
{
    ((struct heard *)context)->logins++;
}

static void on_lost(void *context, enum dp_soup_session_verdict verdict, int error)
{
    (void)verdict;
    (void)error;
    ((struct heard *)context)->losses++;
}

static struct dp_stream *connect_uring(
    void *context, const struct dp_order_session_address *address, struct dp_err *err)
{
    (void)context;
    return dp_stream_uring_open(
        &(struct dp_stream_uring_config){.remote_ip = address->ip, .remote_port = address->port},
        err);
}

static void open_session(
    struct dp_order_session *session, struct heard *heard, uint16_t primary, uint16_t backup)
{
    struct dp_err err = {0};
    const struct dp_order_session_config config = {
        .soup = {.username = "desk",
            .password = "secret",
            .heartbeat_ns = 20 * MS,
            .silence_ns = 200 * MS},
        .addresses = {{LOOPBACK, primary}, {LOOPBACK, backup}},
        .address_count = backup != 0 ? 2 : 1,
        .connect = connect_uring,
        .backoff_min_ns = MS,
        .backoff_max_ns = 8 * MS,
        .seed = 1,
    };
    const struct dp_order_session_handler handler = {heard, on_login, on_message, on_lost};
    *heard = (struct heard){.next = 1};
    CHECK_THAT(dp_order_session_open(session, &config, &handler, &err) == 0, "%s", err.text);
}

/* Until `next` is expected and the session is active. */
static bool run(struct dp_order_session *session, struct server *server, const struct heard *heard,
    uint64_t next)
{
    int64_t until_ns = now_ns() + PATIENCE_NS;
    while (heard->next < next || session->state != DP_ORDER_SESSION_ACTIVE) {
        server_poll(server, next - 1);
        dp_order_session_poll(session, now_ns());
        if (now_ns() > until_ns || session->state == DP_ORDER_SESSION_STOPPED)
            return false;
    }
    return true;
}

static void test_messages_arrive_once_each(void)
{
    struct server server;
    struct heard heard;
    struct dp_order_session session;
    server_open(&server);
    open_session(&session, &heard, server.port, 0);
    CHECK(run(&session, &server, &heard, MESSAGES + 1));
    CHECK_EQUAL(heard.wrong, 0);
    CHECK_EQUAL(heard.logins, 1);
    CHECK_EQUAL(heard.losses, 0);
    dp_order_session_close(&session);
    server_close(&server);
}

/* A reset after every number of bytes of a connection: what was cut is asked for again, and what
 * was heard is not heard twice. */
static void test_a_reset_anywhere_loses_and_doubles_nothing(void)
{
    for (size_t cut = 1; cut <= 33 + 4 * 11; cut++) {
        struct server server;
        struct heard heard;
        struct dp_order_session session;
        server_open(&server);
        open_session(&session, &heard, server.port, 0);
        server.cut_at = cut;
        int64_t until_ns = now_ns() + PATIENCE_NS;
        while (heard.losses == 0 && now_ns() < until_ns) {
            server_poll(&server, MESSAGES);
            dp_order_session_poll(&session, now_ns());
        }
        server.cut_at = SIZE_MAX;
        bool arrived = run(&session, &server, &heard, MESSAGES + 1);
        CHECK_THAT(arrived && heard.wrong == 0 && heard.losses == 1,
            "cut at %zu: next %" PRIu64 ", %" PRIu64 " wrong, %u losses", cut, heard.next,
            heard.wrong, heard.losses);
        CHECK_EQUAL(server.asked, cut < 33 ? 1 : 1 + (cut - 33) / 11);
        dp_order_session_close(&session);
        server_close(&server);
    }
}

static void test_the_backup_is_tried_when_the_primary_is_gone(void)
{
    struct server gone;
    struct server backup;
    struct heard heard;
    struct dp_order_session session;
    server_open(&gone);
    server_open(&backup);
    close(gone.listener);
    open_session(&session, &heard, gone.port, backup.port);
    CHECK(run(&session, &backup, &heard, 3));
    CHECK_EQUAL(session.loss_count, 1);
    CHECK_EQUAL(session.error, ECONNREFUSED);
    dp_order_session_close(&session);
    server_close(&backup);
}

static void test_silence_is_a_loss_and_heartbeats_go_out(void)
{
    struct server server;
    struct heard heard;
    struct dp_order_session session;
    server_open(&server);
    open_session(&session, &heard, server.port, 0);
    CHECK(run(&session, &server, &heard, 2));
    int64_t start_ns = now_ns();
    for (int64_t turn = 0; heard.losses == 0 && turn < 1000; turn++) {
        server_read(&server); /* it hears, and says nothing */
        dp_order_session_poll(&session, start_ns + turn * MS);
    }
    CHECK_EQUAL(session.verdict, DP_SOUP_SESSION_SILENT);
    CHECK(server.heartbeats >= 8 && server.heartbeats <= 10);
    server_reset(&server);
    CHECK(run(&session, &server, &heard, 4));
    CHECK_EQUAL(heard.wrong, 0);
    CHECK_EQUAL(heard.logins, 2);
    dp_order_session_close(&session);
    server_close(&server);
}

static void check_stops(char answer, enum dp_soup_session_verdict verdict)
{
    struct server server;
    struct heard heard;
    struct dp_order_session session;
    server_open(&server);
    server.answer = answer;
    open_session(&session, &heard, server.port, 0);
    CHECK(!run(&session, &server, &heard, 2));
    CHECK_EQUAL(session.state, DP_ORDER_SESSION_STOPPED);
    CHECK_EQUAL(session.verdict, verdict);
    CHECK_EQUAL(server.logins, 1);
    dp_order_session_close(&session);
    server_close(&server);
}

static void test_what_trying_again_cannot_mend_stops_it(void)
{
    check_stops('J', DP_SOUP_SESSION_DENIED);
    check_stops('S', DP_SOUP_SESSION_GONE);
}

/* A venue that has not seen yet that a connection is gone denies the next login for a while. */
static void test_a_login_that_is_denied_after_one_that_was_not_is_tried_again(void)
{
    struct server server;
    struct heard heard;
    struct dp_order_session session;
    server_open(&server);
    open_session(&session, &heard, server.port, 0);
    CHECK(run(&session, &server, &heard, 2));
    server.answer = 'J';
    server_reset(&server);
    for (int64_t until_ns = now_ns() + PATIENCE_NS; server.logins < 3 && now_ns() < until_ns;) {
        server_poll(&server, 2);
        dp_order_session_poll(&session, now_ns());
    }
    CHECK_EQUAL(server.logins, 3);
    server.answer = 'A';
    CHECK(run(&session, &server, &heard, 4));
    CHECK_EQUAL(heard.wrong, 0);
    server.answer = 'J'; /* and for good: that ends as well */
    server_reset(&server);
    CHECK(!run(&session, &server, &heard, 6));
    CHECK_EQUAL(session.state, DP_ORDER_SESSION_STOPPED);
    dp_order_session_close(&session);
    server_close(&server);
}

/* A venue that does not read: TCP holds back what does not fit its window. A reset takes that back,
 * and the venue never sees it. */
static void test_what_tcp_holds_back_is_taken_back_by_a_reset(void)
{
    enum { FRAME = 64 };
    const int small = 4096;
    struct server server;
    struct heard heard;
    struct dp_order_session session;
    uint8_t frame[FRAME] = {0};
    uint64_t sent = 0;
    uint64_t seen = 0;
    ssize_t size = 1;
    server_open(&server);
    setsockopt(server.listener, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
    open_session(&session, &heard, server.port, 0);
    CHECK(run(&session, &server, &heard, 2));
    CHECK_EQUAL(dp_stream_unsent(session.stream), 0);
    dp_soup_build(frame, 'U', FRAME - DP_SOUP_HEADER_SIZE);
    for (; dp_stream_unsent(session.stream) < 100 * FRAME; sent += FRAME)
        CHECK(dp_order_session_send(&session, frame, FRAME, now_ns()));
    dp_order_session_reset(&session, now_ns());
    CHECK_EQUAL(session.state, DP_ORDER_SESSION_DOWN);
    CHECK_EQUAL(session.error, ECANCELED);
    CHECK_EQUAL(heard.losses, 1);
    for (; size > 0; seen += size > 0 ? (uint64_t)size : 0) {
        uint8_t data[4096];
        size = recv(server.peer, data, sizeof(data), 0);
    }
    CHECK_THAT(seen <= sent - 100 * FRAME, "%" PRIu64 " of %" PRIu64, seen, sent);
    server_reset(&server);
    CHECK(run(&session, &server, &heard, 4)); /* and it comes back */
    dp_order_session_close(&session);
    server_close(&server);
}

/* Nobody there: it waits longer each time, up to its limit, and never at the same pace. */
static void test_waiting_grows_up_to_its_limit(void)
{
    struct server gone;
    struct heard heard;
    struct dp_order_session session;
    server_open(&gone);
    close(gone.listener);
    open_session(&session, &heard, gone.port, 0);
    int64_t time_ns = now_ns();
    int64_t longest_ns = 0;
    for (uint32_t loss = 0; loss < 20; loss++) {
        int64_t until_ns = now_ns() + PATIENCE_NS;
        while (heard.losses == loss && now_ns() < until_ns)
            dp_order_session_poll(&session, time_ns);
        int64_t wait_ns = session.next_ns - time_ns;
        CHECK(wait_ns >= MS / 2 && wait_ns <= 8 * MS);
        longest_ns = wait_ns > longest_ns ? wait_ns : longest_ns;
        CHECK_EQUAL(heard.losses, loss + 1);
        time_ns = session.next_ns;
    }
    CHECK(longest_ns > 4 * MS);
    dp_order_session_close(&session);
}

static void test_nothing_is_sent_before_the_login_is_accepted(void)
{
    struct server server;
    struct heard heard;
    struct dp_order_session session;
    const uint8_t packet[] = {0, 2, 'U', 'x'};
    server_open(&server);
    open_session(&session, &heard, server.port, 0);
    CHECK(!dp_order_session_send(&session, packet, sizeof(packet), now_ns()));
    CHECK(run(&session, &server, &heard, 2));
    CHECK(dp_order_session_send(&session, packet, sizeof(packet), now_ns()));
    dp_order_session_close(&session);
    CHECK(!dp_order_session_send(&session, packet, sizeof(packet), now_ns()));
    server_close(&server);
}

int main(void)
{
    RUN_TESTS(TEST(test_messages_arrive_once_each),
        TEST(test_a_reset_anywhere_loses_and_doubles_nothing),
        TEST(test_the_backup_is_tried_when_the_primary_is_gone),
        TEST(test_silence_is_a_loss_and_heartbeats_go_out),
        TEST(test_what_trying_again_cannot_mend_stops_it),
        TEST(test_a_login_that_is_denied_after_one_that_was_not_is_tried_again),
        TEST(test_what_tcp_holds_back_is_taken_back_by_a_reset),
        TEST(test_waiting_grows_up_to_its_limit),
        TEST(test_nothing_is_sent_before_the_login_is_accepted));
}
