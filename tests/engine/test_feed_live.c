/*
 * The live feed over real sockets on loopback: two lines that lose, double and reorder, and a
 * re-request server that loses too. A seed gives the losses.
 */
#include "check.h"
#include "dp_feed_live.h"
#include "dp_port_uring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#define LOOPBACK 0x7f000001u
#define MS 1000000ll
#define MESSAGES 5000u
#define LATE_MAX 8
#define BACKLOG_MAX 1000u
#define PATIENCE_NS (10000 * MS)

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* ---- the exchange's side: sockets of the kernel's ---- */

struct exchange {
    int lines[2];
    int server;
    uint64_t random;
    uint32_t loss; /* percent, on each line and on the way of requests and replies */
    /* Packets of each line that are on their way late. */
    struct late {
        uint64_t sequence;
        bool is_waiting;
    } late[2][LATE_MAX];
};

static bool happens(struct exchange *exchange, uint32_t percent)
{
    return check_random(&exchange->random) % 100 < percent;
}

static int connect_udp(uint16_t port)
{
    int line = socket(AF_INET, SOCK_DGRAM, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_port = htons(port), .sin_addr.s_addr = htonl(LOOPBACK)};
    CHECK_EQUAL(connect(line, (struct sockaddr *)&address, sizeof(address)), 0);
    return line;
}

static int open_server(uint16_t *port)
{
    int server = socket(AF_INET, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(LOOPBACK)};
    socklen_t size = sizeof(address);
    CHECK_EQUAL(bind(server, (struct sockaddr *)&address, size), 0);
    getsockname(server, (struct sockaddr *)&address, &size);
    *port = ntohs(address.sin_port);
    return server;
}

/* Message n is its number in eight bytes. */
static size_t build(uint8_t *data, uint64_t sequence, uint16_t count)
{
    size_t size = dp_moldudp_build(data, (const uint8_t *)"LIVE000001", sequence, count);
    for (uint16_t index = 0; index < count; index++, size += 10) {
        dp_store_be16(data + size, 8);
        dp_store_be64(data + size + 2, sequence + index);
    }
    return size;
}

static void send_now(struct exchange *exchange, uint32_t line, uint64_t sequence)
{
    uint8_t data[64];
    size_t size = build(data, sequence, 1);
    CHECK_EQUAL(send(exchange->lines[line], data, size, 0), size);
}

static void send_on_line(struct exchange *exchange, uint32_t line, uint64_t sequence)
{
    struct late *late = &exchange->late[line][check_random(&exchange->random) % LATE_MAX];
    if (late->is_waiting) {
        late->is_waiting = false;
        send_now(exchange, line, late->sequence);
    }
    if (happens(exchange, exchange->loss))
        return;
    if (happens(exchange, 10)) {
        *late = (struct late){sequence, true};
        return;
    }
    send_now(exchange, line, sequence);
    if (happens(exchange, 5))
        send_now(exchange, line, sequence);
}

static void serve(struct exchange *exchange, uint64_t sent)
{
    uint8_t request[64];
    uint8_t reply[1400];
    struct sockaddr_in from;
    socklen_t from_size = sizeof(from);
    while (recvfrom(exchange->server, request, sizeof(request), 0, (struct sockaddr *)&from,
               &from_size) == DP_MOLDUDP_REQUEST_SIZE) {
        uint64_t first = dp_load_be64(request + 10);
        uint64_t count = dp_load_be16(request + 18);
        CHECK(memcmp(request, "LIVE000001", 10) == 0);
        CHECK(first >= 1 && first + count - 1 <= sent);
        if (happens(exchange, exchange->loss))
            continue;
        /* What fits a packet, or less. */
        count = 1 + check_random(&exchange->random) % (count < 100 ? count : 100);
        size_t size = build(reply, first, (uint16_t)count);
        sendto(exchange->server, reply, size, 0, (struct sockaddr *)&from, from_size);
    }
}

/* ---- our side ---- */

struct heard {
    uint64_t next;
    uint64_t out_of_order;
    uint64_t gaps;
    uint64_t sessions;
    uint64_t late;
    uint64_t whole;
};

static void on_message(void *context, const uint8_t *data, size_t size)
{
    struct heard *heard = context;
    CHECK_EQUAL(size, 8);
    uint64_t number = dp_load_be64(data);
    heard->out_of_order += number < heard->next;
    heard->next = number + 1;
}

static void on_gap(void *context)
{
    ((struct heard *)context)->gaps++;
}

static void on_late(void *context)
{
    ((struct heard *)context)->late++;
}

static void on_whole(void *context)
{
    ((struct heard *)context)->whole++;
}

static void on_session(void *context)
{
    struct heard *heard = context;
    heard->sessions++;
    heard->next = 1;
}

struct world {
    struct exchange exchange;
    struct dp_port *lines[2];
    struct dp_port *server;
    struct dp_counters counters;
    struct dp_feed_live live;
    struct heard heard;
    int64_t late_ns; /* by so much we look later than packets came */
};

static struct dp_port *open_port(const struct dp_port_uring_config *config)
{
    struct dp_err err = {0};
    struct dp_port *port = dp_port_uring_open(config, &err);
    if (port == NULL) {
        fprintf(stderr, "%s\n", err.text);
        exit(err.code == ENOSYS || err.code == EPERM ? 77 : 1);
    }
    return port;
}

static void open_world(struct world *world, uint64_t seed, uint32_t loss, int64_t gap_timeout_ns)
{
    uint16_t server_port;
    memset(world, 0, sizeof(*world));
    world->heard.next = 1;
    world->exchange.random = seed;
    world->exchange.loss = loss;
    world->exchange.server = open_server(&server_port);
    struct dp_feed_live_config config = {
        .line_count = 2,
        .server_count = 1,
        .gap_timeout_ns = gap_timeout_ns,
        .request = {.wait_ns = MS,
            .retry_ns = 5 * MS,
            .interval_ns = MS / 20,
            .tries_max = 1000,
            .count_max = 500},
    };
    for (uint32_t line = 0; line < 2; line++) {
        world->lines[line] =
            open_port(&(struct dp_port_uring_config){.local_ip = LOOPBACK, .buffer_count = 4096});
        world->exchange.lines[line] = connect_udp(dp_port_uring_local_port(world->lines[line]));
        config.lines[line].port = world->lines[line];
    }
    world->server = open_port(&(struct dp_port_uring_config){
        .local_ip = LOOPBACK, .remote_ip = LOOPBACK, .remote_port = server_port});
    config.servers[0] = world->server;
    const struct dp_feed_handler handler = {
        .context = &world->heard,
        .on_message = on_message,
        .on_gap = on_gap,
        .on_session = on_session,
        .on_late = on_late,
        .on_whole = on_whole,
    };
    struct dp_err err = {0};
    CHECK_THAT(dp_feed_live_open(&world->live, &config, &world->counters, &handler, &err) == 0,
        "%s", err.text);
    dp_feed_live_poll(&world->live, now_ns());
}

static void close_world(struct world *world)
{
    dp_feed_live_close(&world->live);
    for (uint32_t line = 0; line < 2; line++) {
        dp_port_close(world->lines[line], NULL);
        close(world->exchange.lines[line]);
    }
    dp_port_close(world->server, NULL);
    close(world->exchange.server);
}

/* Until the messages up to that one are there, or nothing moves for a long time. */
static void await(struct world *world, uint64_t sequence, uint64_t sent)
{
    int64_t until_ns = now_ns() + PATIENCE_NS;
    while (world->heard.next <= sequence && now_ns() < until_ns) {
        serve(&world->exchange, sent);
        dp_feed_live_poll(&world->live, now_ns() + world->late_ns);
    }
}

static void settle(struct world *world, uint64_t sent)
{
    await(world, sent, sent);
}

static void run_lossy(uint64_t seed, uint32_t loss)
{
    static struct world world;
    open_world(&world, seed, loss, PATIENCE_NS);
    for (uint64_t sequence = 1; sequence <= MESSAGES; sequence++) {
        send_on_line(&world.exchange, 0, sequence);
        send_on_line(&world.exchange, 1, sequence);
        serve(&world.exchange, sequence);
        dp_feed_live_poll(&world.live, now_ns());
        /* Unpaced, it would be a test of how many packets can be held. */
        if (sequence > BACKLOG_MAX)
            await(&world, sequence - BACKLOG_MAX, sequence);
    }
    send_now(&world.exchange, 0, MESSAGES); /* the end is heard of */
    settle(&world, MESSAGES);
    CHECK_THAT(
        world.heard.next == MESSAGES + 1 && world.heard.out_of_order == 0 && world.heard.gaps == 0,
        "seed %" PRIu64 " loss %u: up to %" PRIu64 ", %" PRIu64 " out of order, %" PRIu64 " gaps",
        seed, loss, world.heard.next, world.heard.out_of_order, world.heard.gaps);
    const struct dp_feed_line_stats *a = &world.live.lines.stats[0];
    const struct dp_feed_line_stats *b = &world.live.lines.stats[1];
    CHECK(a->first > 0 && b->first > 0);
    CHECK(loss < 20 || dp_feed_live_replies(&world.live)->first > 0);
    CHECK(loss == 0 || (a->lost > 0 && b->lost > 0));
    CHECK(a->behind_count + b->behind_count > MESSAGES / 2);
    close_world(&world);
}

static void test_two_bad_lines_and_a_bad_server_give_everything(void)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        run_lossy(seed, 0);
        run_lossy(seed, 5);
        run_lossy(seed, 20);
    }
}

static void test_both_lines_dead_for_a_while_are_made_up_for(void)
{
    static struct world world;
    open_world(&world, 7, 0, PATIENCE_NS);
    for (uint64_t sequence = 1; sequence <= MESSAGES; sequence++) {
        if (sequence >= 1000 && sequence < 3000)
            continue;
        send_now(&world.exchange, 0, sequence);
        send_now(&world.exchange, 1, sequence);
        serve(&world.exchange, sequence);
        dp_feed_live_poll(&world.live, now_ns());
    }
    settle(&world, MESSAGES);
    CHECK_EQUAL(world.heard.next, MESSAGES + 1);
    CHECK_EQUAL(world.heard.gaps, 0);
    CHECK(dp_feed_live_replies(&world.live)->first > 0);
    close_world(&world);
}

static void test_a_dead_server_ends_in_a_gap_that_is_told_once(void)
{
    static struct world world;
    open_world(&world, 7, 100, 50 * MS); /* it never answers */
    send_now(&world.exchange, 0, 1);
    send_now(&world.exchange, 0, 5);
    settle(&world, 5);
    CHECK_EQUAL(world.heard.next, 6);
    CHECK_EQUAL(world.heard.gaps, 1);
    CHECK(world.live.requester.request_count > 1);
    CHECK_EQUAL(dp_counter_read(&world.counters, DP_COUNTER_MOLD_LOST), 3);
    close_world(&world);
}

/* A process that was stopped for longer than a hole may last. */
static void test_a_hole_that_is_heard_of_late_is_asked_for_all_the_same(void)
{
    static struct world world;
    open_world(&world, 7, 0, PATIENCE_NS);
    world.late_ns = 2 * PATIENCE_NS;
    send_now(&world.exchange, 0, 1);
    send_now(&world.exchange, 0, 5);
    settle(&world, 5);
    CHECK_EQUAL(world.heard.next, 6);
    CHECK_EQUAL(world.heard.gaps, 0);
    close_world(&world);
}

/* Waits for our request; the address it came from. */
static struct sockaddr_in take_request(struct world *world)
{
    uint8_t request[64];
    struct sockaddr_in from = {0};
    socklen_t size = sizeof(from);
    int64_t until_ns = now_ns() + PATIENCE_NS;
    while (recvfrom(world->exchange.server, request, sizeof(request), 0, (struct sockaddr *)&from,
               &size) != DP_MOLDUDP_REQUEST_SIZE &&
        now_ns() < until_ns)
        dp_feed_live_poll(&world->live, now_ns());
    return from;
}

static void test_a_server_that_lies_is_not_believed(void)
{
    static struct world world;
    static const struct {
        const char *session;
        uint64_t sequence;
        uint16_t count;
        size_t size; /* 0: whole */
    } lies[] = {
        {"LIVE000002", 2, 1, 0},                         /* another session */
        {"LIVE000001", 2, DP_MOLDUDP_END_OF_SESSION, 0}, /* the end */
        {"LIVE000001", 2, 0, 0},                         /* a heartbeat */
        {"LIVE000001", 4, 2, 0},                         /* beyond what was asked */
        {"LIVE000001", 900, 1, 0},                       /* far beyond */
        {"LIVE000001", 0, 1, 0},                         /* no number */
        {"LIVE000001", 2, 2, 35},                        /* cut short */
        {"LIVE000001", 2, 1, 7},                         /* no packet at all */
    };
    const uint64_t lie_count = sizeof(lies) / sizeof(lies[0]);
    open_world(&world, 7, 0, PATIENCE_NS);
    send_now(&world.exchange, 0, 1);
    send_now(&world.exchange, 0, 5);
    struct sockaddr_in to = take_request(&world);
    for (size_t row = 0; row < lie_count; row++) {
        uint8_t data[64];
        uint16_t count = lies[row].count;
        size_t whole =
            build(data, lies[row].sequence, count == DP_MOLDUDP_END_OF_SESSION ? 0 : count);
        memcpy(data, lies[row].session, 10);
        dp_store_be16(data + 18, count);
        sendto(world.exchange.server, data, lies[row].size == 0 ? whole : lies[row].size, 0,
            (struct sockaddr *)&to, sizeof(to));
    }
    int64_t until_ns = now_ns() + PATIENCE_NS;
    while (dp_counter_read(&world.counters, DP_COUNTER_MOLD_UNASKED) < lie_count &&
        now_ns() < until_ns)
        dp_feed_live_poll(&world.live, now_ns());
    CHECK_EQUAL(dp_counter_read(&world.counters, DP_COUNTER_MOLD_UNASKED), lie_count);
    CHECK_EQUAL(world.heard.next, 2);
    CHECK_EQUAL(world.live.state, DP_FEED_LATE);
    settle(&world, 5);
    CHECK_EQUAL(world.heard.next, 6);
    CHECK_EQUAL(world.heard.late, 1);
    CHECK_EQUAL(world.heard.whole, 1);
    CHECK_EQUAL(world.heard.gaps + world.heard.sessions, 0);
    close_world(&world);
}

static void push_at(struct world *world, uint64_t sequence, int64_t time_ns)
{
    uint8_t data[64];
    const struct dp_packet packet = {
        .data = data, .size = (uint32_t)build(data, sequence, 1), .time_ns = time_ns};
    dp_feed_lines_push_datagram(&world->live.lines, 0, &packet);
}

/* Numbers of a second ago and more come again: the same name, and another beginning. */
static void test_a_feed_that_begins_anew_is_another_session(void)
{
    static struct world world;
    const int64_t start_ns = now_ns();
    open_world(&world, 7, 0, PATIENCE_NS);
    for (uint64_t sequence = 1; sequence <= 300; sequence++) {
        push_at(&world, sequence, start_ns + (int64_t)sequence * 10 * MS);
        push_at(&world, sequence, start_ns + (int64_t)sequence * 10 * MS); /* no new beginning */
        if (sequence > 50)
            push_at(&world, sequence - 50, start_ns + (int64_t)sequence * 10 * MS);
    }
    CHECK_EQUAL(world.heard.sessions, 0);
    CHECK_EQUAL(world.heard.next, 301);
    for (uint64_t sequence = 1; sequence <= 20; sequence++)
        push_at(&world, sequence, start_ns + 3100 * MS + (int64_t)sequence * MS);
    CHECK_EQUAL(world.heard.sessions, 1);
    CHECK_EQUAL(world.heard.next, 21);
    CHECK_EQUAL(dp_counter_read(&world.counters, DP_COUNTER_MOLD_RESTARTS), 1);
    close_world(&world);
}

/* Garbage on every socket costs nothing but its count. */
static void test_garbage_is_counted(void)
{
    static struct world world;
    uint8_t garbage[1400];
    open_world(&world, 3, 0, PATIENCE_NS);
    for (size_t index = 0; index < sizeof(garbage); index++)
        garbage[index] = (uint8_t)check_random(&world.exchange.random);
    for (uint64_t sequence = 1; sequence <= 200; sequence++) {
        CHECK(send(world.exchange.lines[0], garbage, 1 + sequence * 6, 0) > 0);
        send_now(&world.exchange, 1, sequence);
        dp_feed_live_poll(&world.live, now_ns());
    }
    settle(&world, 200);
    CHECK_EQUAL(world.heard.next, 201);
    CHECK_EQUAL(dp_counter_read(&world.counters, DP_COUNTER_MOLD_MALFORMED), 200);
    close_world(&world);
}

int main(void)
{
    RUN_TESTS(TEST(test_two_bad_lines_and_a_bad_server_give_everything),
        TEST(test_both_lines_dead_for_a_while_are_made_up_for),
        TEST(test_a_dead_server_ends_in_a_gap_that_is_told_once),
        TEST(test_a_hole_that_is_heard_of_late_is_asked_for_all_the_same),
        TEST(test_a_server_that_lies_is_not_believed),
        TEST(test_a_feed_that_begins_anew_is_another_session), TEST(test_garbage_is_counted));
}
