/*
 * dp_stream - a TCP connection behind one small interface: bytes in, bytes out, state.
 *
 * What sessions (SoupBinTCP, FIX) stand on, so that the same session code runs over the kernel's
 * TCP (dp_stream_uring.c) and over a stack of our own side. A stream is owned by one thread and
 * never blocks: opening begins to connect, dp_stream_poll() moves things on and tells the state.
 */
#ifndef DP_STREAM_H
#define DP_STREAM_H

#include "dp_base.h"
#include "dp_err.h"

#define DP_STREAM_BUFFER_BYTES (256u << 10) /* of each direction */

enum dp_stream_state {
    DP_STREAM_CONNECTING = 0,
    DP_STREAM_OPEN,
    DP_STREAM_CLOSED, /* by the peer, or by an error: see dp_stream_error() */
};

struct dp_stream_stats {
    uint64_t rx_bytes;
    uint64_t tx_bytes;    /* handed to TCP; not: acknowledged */
    uint64_t taken_bytes; /* taken by dp_stream_send() */
};

struct dp_stream;

struct dp_stream_ops {
    const char *name; /* "uring" */
    enum dp_stream_state (*poll)(struct dp_stream *stream);
    size_t (*peek)(struct dp_stream *stream, const uint8_t **data);
    void (*consume)(struct dp_stream *stream, size_t size);
    bool (*send)(struct dp_stream *stream, const uint8_t *data, size_t size);
    size_t (*unsent)(const struct dp_stream *stream);
    size_t (*unacknowledged)(const struct dp_stream *stream);
    void (*close)(struct dp_stream *stream);
    void (*reset)(struct dp_stream *stream);
};

struct dp_stream {
    const struct dp_stream_ops *ops;
    struct dp_stream_stats stats;
    int error; /* errno of what ended it; 0: the peer closed in order */
};

/* Lets completions happen; call it often. */
static inline enum dp_stream_state dp_stream_poll(struct dp_stream *stream)
{
    return stream->ops->poll(stream);
}

/* The bytes that have arrived and were not consumed, in one piece; 0 when there are none. Valid
 * until the next poll. What arrived before the stream was closed can still be read. */
static inline size_t dp_stream_peek(struct dp_stream *stream, const uint8_t **data)
{
    return stream->ops->peek(stream, data);
}

static inline void dp_stream_consume(struct dp_stream *stream, size_t size)
{
    stream->ops->consume(stream, size);
}

/* Takes all of the bytes (copied) and sends what the peer's window allows at once; false when they
 * do not fit behind what waits, or the stream is not open: nothing was taken then. */
static inline bool dp_stream_send(struct dp_stream *stream, const uint8_t *data, size_t size)
{
    bool is_taken = stream->ops->send(stream, data, size);
    stream->stats.taken_bytes += is_taken ? size : 0;
    return is_taken;
}

/* Bytes that were taken and have not left this machine yet, or more. May be a system call. */
static inline size_t dp_stream_unsent(const struct dp_stream *stream)
{
    return stream->ops->unsent(stream);
}

/* Bytes that were taken and the peer has not acknowledged: those above, and those on their way. */
static inline size_t dp_stream_unacknowledged(const struct dp_stream *stream)
{
    return stream->ops->unacknowledged(stream);
}

/* errno of what ended it, or 0. */
static inline int dp_stream_error(const struct dp_stream *stream)
{
    return stream->error;
}

/* At once: what waits here to be sent is dropped; what TCP has, it still sends. */
static inline void dp_stream_close(struct dp_stream *stream)
{
    stream->ops->close(stream);
}

/* As dp_stream_close(), but what TCP has not sent is dropped too: the peer sees a reset. */
static inline void dp_stream_reset(struct dp_stream *stream)
{
    stream->ops->reset(stream);
}

#endif
