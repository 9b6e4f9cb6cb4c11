#include "dp_stream_uring.h"

#include <arpa/inet.h>
#include <errno.h>
#include <liburing.h>
#include <linux/sockios.h>
#include <netinet/tcp.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#define ENTRIES 16u

/* user_data of a completion. */
enum operation { CONNECT = 1, RECEIVE, SEND, CANCEL };

/* Bytes begin .. end of data are in use. */
struct span {
    uint8_t *data;
    size_t begin;
    size_t end;
};

struct uring_stream {
    struct dp_stream stream; /* first: a struct dp_stream * of ours is one of these */
    struct io_uring ring;
    bool has_ring;
    int socket;
    bool must_enter; /* busy-polled: only inside the kernel */
    enum dp_stream_state state;
    struct sockaddr_in remote;
    struct span rx;
    struct span tx;
    uint32_t in_flight; /* a bit for each operation */
};

static struct uring_stream *of(struct dp_stream *stream)
{
    return (struct uring_stream *)stream;
}

static bool is_in_flight(const struct uring_stream *uring, enum operation operation)
{
    return (uring->in_flight & 1u << operation) != 0;
}

/* ---- operations ---- */

static struct io_uring_sqe *begin(struct uring_stream *uring, enum operation operation)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);
    DP_ASSERT(sqe != NULL); /* one of each kind, and room for more */
    uring->in_flight |= 1u << operation;
    return sqe;
}

static void submit(struct uring_stream *uring, struct io_uring_sqe *sqe, enum operation operation)
{
    io_uring_sqe_set_data64(sqe, operation);
    io_uring_submit(&uring->ring);
}

static void begin_connect(struct uring_stream *uring)
{
    struct io_uring_sqe *sqe = begin(uring, CONNECT);
    io_uring_prep_connect(
        sqe, uring->socket, (struct sockaddr *)&uring->remote, sizeof(uring->remote));
    submit(uring, sqe, CONNECT);
}

/* Moves what is in use to the front. Nothing may be in flight on it. */
static void compact(struct span *span)
{
    size_t size = span->end - span->begin;
    if (span->begin == 0)
        return;
    memmove(span->data, span->data + span->begin, size);
    span->begin = 0;
    span->end = size;
}

static void begin_receive(struct uring_stream *uring)
{
    compact(&uring->rx);
    if (uring->rx.end == DP_STREAM_BUFFER_BYTES)
        return; /* the reader is behind: TCP's window tells the peer */
    struct io_uring_sqe *sqe = begin(uring, RECEIVE);
    io_uring_prep_recv(sqe, uring->socket, uring->rx.data + uring->rx.end,
        DP_STREAM_BUFFER_BYTES - uring->rx.end, 0);
    submit(uring, sqe, RECEIVE);
}

static void begin_send(struct uring_stream *uring)
{
    struct io_uring_sqe *sqe = begin(uring, SEND);
    io_uring_prep_send(sqe, uring->socket, uring->tx.data + uring->tx.begin,
        uring->tx.end - uring->tx.begin, MSG_NOSIGNAL);
    submit(uring, sqe, SEND);
}

/* ---- completions ---- */

static void end_stream(struct uring_stream *uring, int error)
{
    if (uring->state != DP_STREAM_CLOSED)
        uring->stream.error = error;
    uring->state = DP_STREAM_CLOSED;
}

static void take_connected(struct uring_stream *uring, int result)
{
    if (result < 0)
        end_stream(uring, -result);
    else
        uring->state = DP_STREAM_OPEN;
}

static void take_received(struct uring_stream *uring, int result)
{
    if (result <= 0) {
        end_stream(uring, -result);
        return;
    }
    uring->rx.end += (size_t)result;
    uring->stream.stats.rx_bytes += (uint64_t)result;
}

static void take_sent(struct uring_stream *uring, int result)
{
    if (result < 0) {
        end_stream(uring, -result);
        return;
    }
    uring->tx.begin += (size_t)result;
    uring->stream.stats.tx_bytes += (uint64_t)result;
    if (uring->tx.begin == uring->tx.end)
        uring->tx.begin = uring->tx.end = 0;
}

static void reap(struct uring_stream *uring)
{
    struct io_uring_cqe *cqe;
    while (io_uring_peek_cqe(&uring->ring, &cqe) == 0) {
        enum operation operation = (enum operation)cqe->user_data;
        int result = cqe->res;
        io_uring_cqe_seen(&uring->ring, cqe);
        uring->in_flight &= ~(1u << operation);
        switch (operation) {
        case CONNECT: take_connected(uring, result); break;
        case RECEIVE: take_received(uring, result); break;
        case SEND: take_sent(uring, result); break;
        case CANCEL: break;
        }
    }
}

/* Lets the kernel make completions, if it has any to make: its flag spares the call. */
static void make_completions(struct uring_stream *uring)
{
    unsigned flags = IO_URING_READ_ONCE(*uring->ring.sq.kflags);
    if (uring->must_enter || (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0)
        io_uring_get_events(&uring->ring);
}

/* ---- the interface ---- */

static enum dp_stream_state uring_poll(struct dp_stream *stream)
{
    struct uring_stream *uring = of(stream);
    make_completions(uring);
    reap(uring);
    if (uring->state != DP_STREAM_OPEN)
        return uring->state;
    if (!is_in_flight(uring, RECEIVE))
        begin_receive(uring);
    if (uring->tx.end > uring->tx.begin && !is_in_flight(uring, SEND))
        begin_send(uring);
    reap(uring); /* bytes that were there already are here at once */
    return uring->state;
}

/* While a receive is in flight it fills what stands behind `end`. */
static size_t uring_peek(struct dp_stream *stream, const uint8_t **data)
{
    const struct span *rx = &of(stream)->rx;
    *data = rx->data + rx->begin;
    return rx->end - rx->begin;
}

static void uring_consume(struct dp_stream *stream, size_t size)
{
    struct span *rx = &of(stream)->rx;
    DP_ASSERT(size <= rx->end - rx->begin);
    rx->begin += size;
}

static bool uring_send(struct dp_stream *stream, const uint8_t *data, size_t size)
{
    struct uring_stream *uring = of(stream);
    if (uring->state != DP_STREAM_OPEN)
        return false;
    if (size > DP_STREAM_BUFFER_BYTES - uring->tx.end && !is_in_flight(uring, SEND))
        compact(&uring->tx);
    if (size > DP_STREAM_BUFFER_BYTES - uring->tx.end)
        return false;
    memcpy(uring->tx.data + uring->tx.end, data, size);
    uring->tx.end += size;
    if (is_in_flight(uring, SEND))
        return true;
    begin_send(uring);
    reap(uring); /* mostly done already: the next one finds none in flight */
    return true;
}

/* The ring holds the socket until nothing of it is in flight; only then is the peer told. */
static void cancel_all(struct uring_stream *uring)
{
    struct io_uring_cqe *cqe;
    struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);
    if (uring->in_flight == 0 || sqe == NULL)
        return;
    uring->in_flight |= 1u << CANCEL;
    io_uring_prep_cancel64(sqe, 0, IORING_ASYNC_CANCEL_ANY | IORING_ASYNC_CANCEL_ALL);
    submit(uring, sqe, CANCEL);
    while (uring->in_flight != 0 && io_uring_wait_cqe(&uring->ring, &cqe) == 0)
        reap(uring);
}

static void release(struct uring_stream *uring)
{
    if (uring->has_ring) {
        cancel_all(uring);
        io_uring_queue_exit(&uring->ring);
    }
    if (uring->socket >= 0)
        close(uring->socket);
    free(uring->rx.data);
    free(uring->tx.data);
    free(uring);
}

/* What the kernel was not given yet counts twice for a moment when it has just taken it. */
static size_t held_back(const struct dp_stream *stream, unsigned long which)
{
    const struct uring_stream *uring = (const struct uring_stream *)stream;
    int queued = 0;
    (void)ioctl(uring->socket, which, &queued);
    return uring->tx.end - uring->tx.begin + (size_t)queued;
}

static size_t uring_unsent(const struct dp_stream *stream)
{
    return held_back(stream, SIOCOUTQNSD);
}

static size_t uring_unacknowledged(const struct dp_stream *stream)
{
    return held_back(stream, SIOCOUTQ);
}

static void uring_close(struct dp_stream *stream)
{
    release(of(stream));
}

/* Disconnected here and now: what a close does waits for the ring to let go of the socket, which
 * the kernel may do milliseconds later. */
static void uring_reset(struct dp_stream *stream)
{
    const struct sockaddr nobody = {.sa_family = AF_UNSPEC};
    const struct linger at_once = {.l_onoff = 1};
    (void)connect(of(stream)->socket, &nobody, sizeof(nobody));
    (void)setsockopt(of(stream)->socket, SOL_SOCKET, SO_LINGER, &at_once, sizeof(at_once));
    release(of(stream));
}

static const struct dp_stream_ops uring_ops = {
    .name = "uring",
    .poll = uring_poll,
    .peek = uring_peek,
    .consume = uring_consume,
    .send = uring_send,
    .unsent = uring_unsent,
    .unacknowledged = uring_unacknowledged,
    .close = uring_close,
    .reset = uring_reset,
};

/* ---- opening ---- */

static int open_socket(
    struct uring_stream *uring, const struct dp_stream_uring_config *config, struct dp_err *err)
{
    const int on = 1;
    int busy_poll = (int)config->busy_poll_us;
    struct sockaddr_in local = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(config->local_ip)};
    uring->socket = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (uring->socket < 0)
        return dp_err_set(err, errno, "uring stream: no socket: %s", strerror(errno));
    (void)setsockopt(uring->socket, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (busy_poll != 0)
        (void)setsockopt(uring->socket, SOL_SOCKET, SO_BUSY_POLL, &busy_poll, sizeof(busy_poll));
    uring->must_enter = busy_poll != 0;
    if (config->local_ip != 0 && bind(uring->socket, (struct sockaddr *)&local, sizeof(local)) < 0)
        return dp_err_set(err, errno, "uring stream: local address: %s; give one of this machine",
            strerror(errno));
    return 0;
}

static int open_all(
    struct uring_stream *uring, const struct dp_stream_uring_config *config, struct dp_err *err)
{
    struct io_uring_params params = {
        .flags =
            IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG,
    };
    int result = open_socket(uring, config, err);
    if (result < 0)
        return result;
    uring->rx.data = malloc(DP_STREAM_BUFFER_BYTES);
    uring->tx.data = malloc(DP_STREAM_BUFFER_BYTES);
    if (uring->rx.data == NULL || uring->tx.data == NULL)
        return dp_err_set(err, ENOMEM, "uring stream: no memory for its buffers");
    result = io_uring_queue_init_params(ENTRIES, &uring->ring, &params);
    if (result < 0)
        return dp_err_set(err, -result,
            "uring stream: no io_uring: %s; it takes Linux 6.1 and kernel.io_uring_disabled = 0",
            strerror(-result));
    uring->has_ring = true;
    return 0;
}

struct dp_stream *dp_stream_uring_open(
    const struct dp_stream_uring_config *config, struct dp_err *err)
{
    struct uring_stream *uring = calloc(1, sizeof(*uring));
    if (uring == NULL) {
        dp_err_set(err, ENOMEM, "uring stream: no memory");
        return NULL;
    }
    uring->stream.ops = &uring_ops;
    uring->socket = -1;
    uring->remote = (struct sockaddr_in){.sin_family = AF_INET,
        .sin_port = htons(config->remote_port),
        .sin_addr.s_addr = htonl(config->remote_ip)};
    if (open_all(uring, config, err) < 0) {
        release(uring);
        return NULL;
    }
    begin_connect(uring);
    return &uring->stream;
}
