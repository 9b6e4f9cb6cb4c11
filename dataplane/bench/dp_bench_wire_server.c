#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dp_bench_wire_session.h"
#include "dp_clock.h"
#include "dp_soup_server.h"

#define BYTES 65536u
#define LOOKS 64 /* between two looks at the clock */

struct dp_bench_wire_server {
    int listener;
    int peer; /* -1: none */
    size_t kept;
    uint8_t in[BYTES];
    uint8_t out[2 * BYTES];
};

struct dp_bench_wire_server *dp_bench_wire_server_open(
    const struct dp_bench_wire_ends *ends, struct dp_err *err)
{
    const int on = 1;
    struct sockaddr_in here = {.sin_family = AF_INET,
        .sin_addr.s_addr = htonl(ends->here.ip),
        .sin_port = htons(ends->here.port)};
    struct dp_bench_wire_server *server = calloc(1, sizeof(*server));
    DP_ASSERT(server != NULL);
    server->peer = -1;
    server->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    (void)setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
    if (bind(server->listener, (struct sockaddr *)&here, sizeof(here)) == 0 &&
        listen(server->listener, 1) == 0)
        return server;
    dp_err_set(err, errno, "bench: wire: port %u: %s", ends->here.port, strerror(errno));
    dp_bench_wire_server_close(server);
    return NULL;
}

static void accept_one(struct dp_bench_wire_server *server)
{
    const int on = 1;
    server->peer = accept4(server->listener, NULL, NULL, SOCK_CLOEXEC);
    server->kept = 0;
    if (server->peer >= 0)
        (void)setsockopt(server->peer, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
}

/* Writes the answer to a packet; returns its bytes. */
static size_t answer(const struct dp_soup_packet *packet, uint8_t *out)
{
    if (packet->type == 'L')
        return dp_soup_accepted_build(out, "WIRE000001", 1);
    if (packet->type != 'U')
        return 0; /* a heartbeat, a logout */
    memcpy(out + DP_SOUP_HEADER_SIZE, packet->payload, packet->payload_size);
    return dp_soup_build(out, 'S', packet->payload_size) + packet->payload_size;
}

static void serve(struct dp_bench_wire_server *server)
{
    struct dp_soup_packet packet;
    size_t used = 0;
    size_t made = 0;
    ssize_t size =
        recv(server->peer, server->in + server->kept, BYTES - server->kept, MSG_DONTWAIT);
    if (size == 0) {
        close(server->peer);
        server->peer = -1;
    }
    if (size <= 0)
        return;
    size_t whole = server->kept + (size_t)size;
    while (dp_soup_parse(server->in + used, whole - used, &packet) == DP_SOUP_OK) {
        made += answer(&packet, server->out + made);
        used += packet.size;
    }
    if (made > 0)
        (void)!send(server->peer, server->out, made, MSG_NOSIGNAL);
    memmove(server->in, server->in + used, whole - used);
    server->kept = whole - used;
}

void dp_bench_wire_server_run(struct dp_bench_wire_server *server, int64_t time_ns)
{
    int64_t until_ns = dp_clock_monotonic_ns() + time_ns;
    while (dp_clock_monotonic_ns() < until_ns) {
        for (int look = 0; look < LOOKS && server->peer >= 0; look++)
            serve(server);
        if (server->peer < 0)
            accept_one(server);
    }
}

void dp_bench_wire_server_close(struct dp_bench_wire_server *server)
{
    if (server == NULL)
        return;
    if (server->peer >= 0)
        close(server->peer);
    close(server->listener);
    free(server);
}
