#include "dp_server.h"
#include "dp_clock.h"
#include "dp_server_socket.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

#define READ_BYTES (256u << 10)
#define EVENTS_MAX 256
#define ACCEPTS_MAX 64 /* a round: others get their turn */
#define REQUESTS_MAX 64
#define TAPE_BYTES_MIN (256u << 10) /* written at once, but at the end of a run */
#define NANOS_PER_MILLI 1000000
#define NONE UINT32_MAX

/* What an epoll event is about: the socket, its venue, its connection (listeners: NONE). */
struct source {
    uint8_t which; /* enum dp_server_socket; SOCKET_COUNT: a connection */
    uint8_t venue;
    uint32_t connection;
};

struct link {
    int file;
    uint32_t waits_for; /* EPOLLIN, EPOLLOUT */
};

struct venue {
    struct dp_exchange *exchange;
    int files[DP_SERVER_SOCKET_COUNT];
    int tape_file; /* -1: none */
    struct sockaddr_in lines[DP_EXCHANGE_LINES];
    struct link *links; /* by connection */
};

struct dp_server {
    int epoll;
    int spare; /* given up for a moment when descriptors run out */
    uint32_t venue_count;
    struct venue venues[DP_SERVER_VENUES_MAX];
    struct dp_server_stats stats;
    uint8_t bytes[READ_BYTES];
};

static uint64_t word_of(struct source source)
{
    return (uint64_t)source.which << 40 | (uint64_t)source.venue << 32 | source.connection;
}

static struct source source_of(uint64_t word)
{
    return (struct source){
        .which = (uint8_t)(word >> 40),
        .venue = (uint8_t)(word >> 32),
        .connection = (uint32_t)word,
    };
}

static int watch(
    struct dp_server *server, int operation, int file, uint32_t waits_for, struct source source)
{
    struct epoll_event event = {.events = waits_for, .data.u64 = word_of(source)};
    return epoll_ctl(server->epoll, operation, file, &event);
}

/* ---- connections ---- */

static void close_link(struct dp_server *server, uint32_t venue_index, uint32_t connection)
{
    struct venue *venue = &server->venues[venue_index];
    close(venue->links[connection].file);
    venue->links[connection].file = -1;
    dp_exchange_closed(venue->exchange, connection, dp_clock_wall_ns());
}

static void wait_for(
    struct dp_server *server, uint32_t venue_index, uint32_t connection, uint32_t waits_for)
{
    struct link *link = &server->venues[venue_index].links[connection];
    if (link->waits_for == waits_for)
        return;
    link->waits_for = waits_for;
    int result = watch(server, EPOLL_CTL_MOD, link->file, waits_for,
        (struct source){DP_SERVER_SOCKET_COUNT, (uint8_t)venue_index, connection});
    DP_ASSERT(result == 0);
}

/* Sends what there is; returns false when the peer takes no more for now. */
static bool send_all(struct dp_server *server, struct venue *venue, uint32_t connection)
{
    const uint8_t *data;
    size_t size;
    while ((size = dp_exchange_output(venue->exchange, connection, &data)) > 0) {
        ssize_t sent = send(venue->links[connection].file, data, size, MSG_NOSIGNAL);
        if (sent < 0)
            return errno != EAGAIN && errno != EINTR; /* a broken one is found by reading */
        server->stats.bytes_out += (uint64_t)sent;
        dp_exchange_sent(venue->exchange, connection, (size_t)sent, dp_clock_wall_ns());
    }
    return true;
}

static void serve(struct dp_server *server, uint32_t venue_index, uint32_t connection)
{
    struct venue *venue = &server->venues[venue_index];
    if (venue->links[connection].file < 0)
        return;
    bool blocked = venue->links[connection].waits_for & EPOLLOUT;
    if (!blocked && !dp_exchange_is_over(venue->exchange, connection))
        blocked = !send_all(server, venue, connection);
    if (dp_exchange_is_over(venue->exchange, connection)) {
        close_link(server, venue_index, connection);
        return;
    }
    bool paused = dp_exchange_is_paused(venue->exchange, connection);
    wait_for(server, venue_index, connection, (paused ? 0u : EPOLLIN) | (blocked ? EPOLLOUT : 0u));
}

static void read_link(struct dp_server *server, uint32_t venue_index, uint32_t connection)
{
    struct venue *venue = &server->venues[venue_index];
    ssize_t size = recv(venue->links[connection].file, server->bytes, READ_BYTES, 0);
    if (size < 0 && (errno == EAGAIN || errno == EINTR))
        return;
    if (size <= 0) {
        close_link(server, venue_index, connection);
        return;
    }
    server->stats.bytes_in += (uint64_t)size;
    dp_exchange_receive(
        venue->exchange, connection, server->bytes, (size_t)size, dp_clock_wall_ns());
}

static void on_link(struct dp_server *server, struct source source, uint32_t events)
{
    struct link *link = &server->venues[source.venue].links[source.connection];
    if (link->file < 0)
        return; /* closed earlier in this round */
    if (events & EPOLLOUT) {
        link->waits_for &= ~(uint32_t)EPOLLOUT;
        if (watch(server, EPOLL_CTL_MOD, link->file, link->waits_for, source) == 0)
            serve(server, source.venue, source.connection);
    }
    if (link->file >= 0 && (events & (EPOLLIN | EPOLLHUP | EPOLLERR)))
        read_link(server, source.venue, source.connection);
}

/* ---- accepting ---- */

/* The connection that cannot be taken is taken and closed, so that it does not wait for ever. */
static void turn_away(struct dp_server *server, int listener)
{
    server->stats.accept_failures++;
    if (server->spare < 0)
        return;
    close(server->spare);
    int file = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
    if (file >= 0)
        close(file);
    server->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static void take_link(struct dp_server *server, struct source source, int file)
{
    struct venue *venue = &server->venues[source.venue];
    int on = 1;
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    uint32_t connection = dp_exchange_connect(venue->exchange,
        source.which == DP_SERVER_ORDERS ? DP_EXCHANGE_PORT_ORDERS : DP_EXCHANGE_PORT_SNAPSHOT,
        dp_clock_wall_ns());
    if (connection == DP_EXCHANGE_NONE) {
        close(file);
        return;
    }
    venue->links[connection] = (struct link){.file = file, .waits_for = EPOLLIN};
    if (watch(server, EPOLL_CTL_ADD, file, EPOLLIN,
            (struct source){DP_SERVER_SOCKET_COUNT, source.venue, connection}) < 0)
        close_link(server, source.venue, connection);
}

static void on_listener(struct dp_server *server, struct source source)
{
    int listener = server->venues[source.venue].files[source.which];
    for (int count = 0; count < ACCEPTS_MAX; count++) {
        int file = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (file < 0) {
            if (errno == EMFILE || errno == ENFILE)
                turn_away(server, listener);
            return;
        }
        take_link(server, source, file);
    }
}

/* ---- datagrams ---- */

static void on_requests(struct dp_server *server, struct venue *venue)
{
    int file = venue->files[DP_SERVER_REQUESTS];
    uint8_t reply[DP_EXCHANGE_PACKET_MAX];
    for (int count = 0; count < REQUESTS_MAX; count++) {
        struct sockaddr_in from;
        socklen_t from_size = sizeof(from);
        ssize_t size =
            recvfrom(file, server->bytes, READ_BYTES, 0, (struct sockaddr *)&from, &from_size);
        if (size < 0)
            return;
        uint32_t reply_size = dp_exchange_reply(
            venue->exchange, server->bytes, (size_t)size, reply, dp_clock_wall_ns());
        if (reply_size > 0 &&
            sendto(file, reply, reply_size, 0, (struct sockaddr *)&from, from_size) < 0)
            server->stats.datagrams_dropped++;
    }
}

static void send_line(struct dp_server *server, struct venue *venue, uint32_t line, int64_t now_ns)
{
    const uint8_t *data;
    uint32_t size;
    const struct sockaddr_in *to = &venue->lines[line];
    while ((data = dp_exchange_pop_datagram(venue->exchange, line, now_ns, &size)) != NULL) {
        if (to->sin_port == 0)
            continue;
        server->stats.datagrams++;
        if (sendto(venue->files[DP_SERVER_REQUESTS], data, size, 0, (const struct sockaddr *)to,
                sizeof(*to)) < 0)
            server->stats.datagrams_dropped++;
    }
}

/* ---- the record of truth ---- */

static bool write_whole(int file, const uint8_t *data, size_t size)
{
    while (size > 0) {
        ssize_t written = write(file, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            return false;
        data += written;
        size -= (size_t)written;
    }
    return true;
}

static void keep_tape(struct dp_server *server, struct venue *venue, size_t least)
{
    struct dp_exchange_tape *tape = dp_exchange_tape(venue->exchange);
    size_t size;
    const uint8_t *data = dp_exchange_tape_data(tape, &size);
    if (venue->tape_file < 0 || size < least)
        return;
    if (!write_whole(venue->tape_file, data, size))
        server->stats.tape_failures++;
    dp_exchange_tape_drop(tape);
}

/* ---- the loop ---- */

static void work_venue(struct dp_server *server, uint32_t index)
{
    struct venue *venue = &server->venues[index];
    int64_t now_ns = dp_clock_wall_ns();
    dp_exchange_advance(venue->exchange, now_ns);
    uint32_t connection;
    while ((connection = dp_exchange_take_ready(venue->exchange)) != DP_EXCHANGE_NONE)
        serve(server, index, connection);
    for (uint32_t line = 0; line < DP_EXCHANGE_LINES; line++)
        send_line(server, venue, line, now_ns);
    keep_tape(server, venue, TAPE_BYTES_MIN);
}

static void on_event(struct dp_server *server, const struct epoll_event *event)
{
    struct source source = source_of(event->data.u64);
    switch (source.which) {
    case DP_SERVER_ORDERS:
    case DP_SERVER_SNAPSHOT: on_listener(server, source); break;
    case DP_SERVER_REQUESTS: on_requests(server, &server->venues[source.venue]); break;
    default: on_link(server, source, event->events); break;
    }
}

static int wait_ms(const struct dp_server *server, int64_t now_ns, int64_t until_ns)
{
    for (uint32_t index = 0; index < server->venue_count; index++) {
        int64_t next_ns = dp_exchange_next_ns(server->venues[index].exchange);
        until_ns = next_ns < until_ns ? next_ns : until_ns;
    }
    if (until_ns <= now_ns)
        return 0;
    return (int)((until_ns - now_ns + NANOS_PER_MILLI - 1) / NANOS_PER_MILLI);
}

void dp_server_run(struct dp_server *server, int64_t budget_ns)
{
    struct epoll_event events[EVENTS_MAX];
    int64_t now_ns = dp_clock_wall_ns();
    int64_t until_ns = now_ns + budget_ns;
    do {
        int count =
            epoll_wait(server->epoll, events, EVENTS_MAX, wait_ms(server, now_ns, until_ns));
        for (int index = 0; index < count; index++)
            on_event(server, &events[index]);
        for (uint32_t index = 0; index < server->venue_count; index++)
            work_venue(server, index);
        now_ns = dp_clock_wall_ns();
    } while (now_ns < until_ns);
    for (uint32_t index = 0; index < server->venue_count; index++)
        keep_tape(server, &server->venues[index], 1);
}

struct dp_server_stats dp_server_stats(const struct dp_server *server)
{
    return server->stats;
}

/* ---- open and close ---- */

struct dp_server *dp_server_open(struct dp_err *err)
{
    struct dp_server *server = calloc(1, sizeof(*server));
    if (server == NULL) {
        dp_err_set(err, ENOMEM, "server: no memory");
        return NULL;
    }
    server->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
    server->epoll = epoll_create1(EPOLL_CLOEXEC);
    if (server->epoll < 0) {
        dp_err_set(err, errno, "server: %s; close programs that hold descriptors", strerror(errno));
        dp_server_close(server);
        return NULL;
    }
    return server;
}

static int open_sockets(
    struct venue *venue, const struct dp_server_venue_config *config, struct dp_err *err)
{
    venue->files[DP_SERVER_ORDERS] = dp_server_listen("orders", &config->orders, err);
    if (venue->files[DP_SERVER_ORDERS] < 0)
        return venue->files[DP_SERVER_ORDERS];
    venue->files[DP_SERVER_SNAPSHOT] = dp_server_listen("snapshot", &config->snapshot, err);
    if (venue->files[DP_SERVER_SNAPSHOT] < 0)
        return venue->files[DP_SERVER_SNAPSHOT];
    venue->files[DP_SERVER_REQUESTS] =
        dp_server_udp("requests", &config->requests, config->multicast_ip, err);
    return venue->files[DP_SERVER_REQUESTS];
}

static void close_venue(struct dp_server *server, uint32_t index)
{
    struct venue *venue = &server->venues[index];
    for (uint32_t connection = 0; venue->links != NULL && connection < DP_EXCHANGE_CONNECTIONS_MAX;
         connection++)
        if (venue->links[connection].file >= 0)
            close_link(server, index, connection);
    for (uint32_t which = 0; which < DP_SERVER_SOCKET_COUNT; which++)
        if (venue->files[which] >= 0)
            close(venue->files[which]);
    if (venue->links != NULL)
        keep_tape(server, venue, 1);
    free(venue->links);
}

static int open_venue(struct dp_server *server, uint32_t index,
    const struct dp_server_venue_config *config, struct dp_err *err)
{
    struct venue *venue = &server->venues[index];
    venue->links = malloc(DP_EXCHANGE_CONNECTIONS_MAX * sizeof(*venue->links));
    if (venue->links == NULL)
        return dp_err_set(err, ENOMEM, "server: no memory");
    for (uint32_t connection = 0; connection < DP_EXCHANGE_CONNECTIONS_MAX; connection++)
        venue->links[connection].file = -1;
    int result = open_sockets(venue, config, err);
    for (uint32_t which = 0; result >= 0 && which < DP_SERVER_SOCKET_COUNT; which++)
        result = watch(server, EPOLL_CTL_ADD, venue->files[which], EPOLLIN,
            (struct source){(uint8_t)which, (uint8_t)index, NONE});
    return result;
}

int dp_server_add(struct dp_server *server, struct dp_exchange *exchange,
    const struct dp_server_venue_config *config, int tape_file, struct dp_err *err)
{
    uint32_t index = server->venue_count;
    if (index == DP_SERVER_VENUES_MAX)
        return dp_err_set(
            err, EINVAL, "server: more than %u venues; start another", DP_SERVER_VENUES_MAX);
    struct venue *venue = &server->venues[index];
    *venue = (struct venue){.exchange = exchange, .files = {-1, -1, -1}, .tape_file = tape_file};
    for (uint32_t line = 0; line < DP_EXCHANGE_LINES; line++)
        venue->lines[line] = (struct sockaddr_in){
            .sin_family = AF_INET,
            .sin_addr.s_addr = htonl(config->lines[line].ip),
            .sin_port = htons(config->lines[line].port),
        };
    dp_exchange_tape(exchange)->on = tape_file >= 0;
    int result = open_venue(server, index, config, err);
    if (result < 0) {
        close_venue(server, index);
        return result;
    }
    server->venue_count++;
    return (int)index;
}

uint16_t dp_server_port(const struct dp_server *server, uint32_t venue, enum dp_server_socket which)
{
    DP_ASSERT(venue < server->venue_count);
    return dp_server_port_of(server->venues[venue].files[which]);
}

void dp_server_close(struct dp_server *server)
{
    if (server == NULL)
        return;
    for (uint32_t index = 0; index < server->venue_count; index++)
        close_venue(server, index);
    if (server->spare >= 0)
        close(server->spare);
    if (server->epoll >= 0)
        close(server->epoll);
    free(server);
}
