/*
 * dp_server_socket - sockets of a server, opened with words for what may go wrong.
 *
 * Each returns a descriptor, or -errno with err filled. All are non-blocking and close on exec.
 */
#ifndef DP_SERVER_SOCKET_H
#define DP_SERVER_SOCKET_H

#include "dp_server.h"

int dp_server_listen(const char *what, const struct dp_server_address *address, struct dp_err *err);
int dp_server_udp(const char *what, const struct dp_server_address *address, uint32_t multicast_ip,
    struct dp_err *err);
uint16_t dp_server_port_of(int file); /* that it is bound to */

#endif
