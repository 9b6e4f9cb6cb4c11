/*
 * dp_uring_socket - the UDP socket below a uring port: bound, in its group, joined to its peer.
 *
 * Part of dp_port_uring alone. Any thread.
 */
#ifndef DP_URING_SOCKET_H
#define DP_URING_SOCKET_H

#include "dp_port_uring.h"

/* The socket, the caller's to close, or -errno. *local_port: where it is bound to. */
int dp_uring_socket_open(
    const struct dp_port_uring_config *config, uint16_t *local_port, struct dp_err *err);

#endif
