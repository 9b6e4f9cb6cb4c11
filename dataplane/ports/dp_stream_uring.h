/*
 * dp_stream_uring - TCP of the kernel through io_uring, without waiting in it.
 *
 * One receive and at most one send are in flight. A send that finds none in flight goes out in the
 * call; what comes meanwhile waits in the buffer and follows in one piece. TCP_NODELAY is on. One
 * thread opens, uses and closes a stream. Needs Linux 6.1 and liburing where it is built.
 */
#ifndef DP_STREAM_URING_H
#define DP_STREAM_URING_H

#include "dp_stream.h"

/* Host order. */
struct dp_stream_uring_config {
    uint32_t local_ip; /* to connect from; 0: by route */
    uint32_t remote_ip;
    uint16_t remote_port;
    uint32_t busy_poll_us; /* SO_BUSY_POLL; 0: off */
};

/* Begins to connect. NULL with err filled in: no socket, no io_uring, no memory, an address that is
 * not ours. */
struct dp_stream *dp_stream_uring_open(
    const struct dp_stream_uring_config *config, struct dp_err *err);

#endif
