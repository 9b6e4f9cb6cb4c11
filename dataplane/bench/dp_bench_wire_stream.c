#include "dp_bench_wire_stream.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#define BYTES 4096u

struct plain_stream {
    struct dp_stream stream; /* first: a struct dp_stream * of ours is one of these */
    int socket;
    enum dp_stream_state state;
    size_t size;
    uint8_t data[BYTES];
};

/* Sleeps until there is something, when nothing waits to be read. */
static enum dp_stream_state plain_poll(struct dp_stream *stream)
{
    struct plain_stream *plain = (struct plain_stream *)stream;
    if (plain->state == DP_STREAM_CONNECTING) {
        plain->state = DP_STREAM_OPEN; /* connect() has waited for it */
        return plain->state;
    }
    ssize_t size = recv(plain->socket, plain->data + plain->size, BYTES - plain->size, 0);
    if (size == 0 || (size < 0 && errno != EAGAIN))
        plain->state = DP_STREAM_CLOSED;
    plain->size += size > 0 ? (size_t)size : 0;
    return plain->state;
}

static size_t plain_peek(struct dp_stream *stream, const uint8_t **data)
{
    const struct plain_stream *plain = (const struct plain_stream *)stream;
    *data = plain->data;
    return plain->size;
}

static void plain_consume(struct dp_stream *stream, size_t size)
{
    struct plain_stream *plain = (struct plain_stream *)stream;
    memmove(plain->data, plain->data + size, plain->size - size);
    plain->size -= size;
}

static bool plain_send(struct dp_stream *stream, const uint8_t *data, size_t size)
{
    const struct plain_stream *plain = (const struct plain_stream *)stream;
    return send(plain->socket, data, size, MSG_NOSIGNAL) == (ssize_t)size;
}

/* Its send waits until the kernel has all, and nobody sets a switch here. */
static size_t plain_unsent(const struct dp_stream *stream)
{
    (void)stream;
    return 0;
}

static void plain_close(struct dp_stream *stream)
{
    close(((struct plain_stream *)stream)->socket);
    free(stream);
}

static const struct dp_stream_ops plain_ops = {
    .name = "plain",
    .poll = plain_poll,
    .peek = plain_peek,
    .consume = plain_consume,
    .send = plain_send,
    .unsent = plain_unsent,
    .unacknowledged = plain_unsent,
    .close = plain_close,
    .reset = plain_close,
};

struct dp_stream *dp_bench_wire_plain_connect(
    void *context, const struct dp_order_session_address *address, struct dp_err *err)
{
    const struct timeval patience = {.tv_usec = 100000};
    const int on = 1;
    const struct sockaddr_in there = {.sin_family = AF_INET,
        .sin_addr.s_addr = htonl(address->ip),
        .sin_port = htons(address->port)};
    struct plain_stream *plain = calloc(1, sizeof(*plain));
    (void)context;
    DP_ASSERT(plain != NULL);
    plain->stream.ops = &plain_ops;
    plain->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    (void)setsockopt(plain->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    (void)setsockopt(plain->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    if (connect(plain->socket, (const struct sockaddr *)&there, sizeof(there)) == 0)
        return &plain->stream;
    dp_err_set(err, errno, "bench: wire: port %u: %s", address->port, strerror(errno));
    plain_close(&plain->stream);
    return NULL;
}
