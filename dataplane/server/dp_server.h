/*
 * dp_server - the sockets of exchanges: one loop, one thread, any number of venues.
 *
 * Each venue has a listening TCP socket for orders, one for snapshots, a UDP socket that answers
 * retransmission requests and sends both lines of market data (multicast or unicast). The loop
 * waits in epoll, hands what arrives to the exchange with the time, and sends what the exchange
 * has to say. A peer that does not read is not waited for: its bytes stay in the exchange.
 *
 * dp_server_run() returns when its time is up, so that the caller can look at signals, commands and
 * background flow in between; nothing else may call the exchanges meanwhile. Exchanges belong to
 * the caller and must outlive the server.
 */
#ifndef DP_SERVER_H
#define DP_SERVER_H

#include "dp_exchange.h"

#define DP_SERVER_VENUES_MAX 16u

struct dp_server_address {
    uint32_t ip;   /* host order */
    uint16_t port; /* listening: 0 takes a free one; a line: 0 sends nothing */
};

struct dp_server_venue_config {
    struct dp_server_address orders;
    struct dp_server_address snapshot;
    struct dp_server_address requests;
    struct dp_server_address lines[DP_EXCHANGE_LINES];
    uint32_t multicast_ip; /* of the interface that multicast leaves by; 0: the system's choice */
};

enum dp_server_socket {
    DP_SERVER_ORDERS = 0,
    DP_SERVER_SNAPSHOT,
    DP_SERVER_REQUESTS,
    DP_SERVER_SOCKET_COUNT
};

struct dp_server_stats {
    uint64_t bytes_in;
    uint64_t bytes_out;
    uint64_t datagrams;
    uint64_t datagrams_dropped; /* the system would not take them */
    uint64_t accept_failures;   /* no descriptor left, or the peer gone before we looked */
    uint64_t tape_failures;     /* the record of truth could not be written: it is not whole */
};

struct dp_server; /* opaque */

struct dp_server *dp_server_open(struct dp_err *err);
void dp_server_close(struct dp_server *server); /* NULL is fine; closes all connections */
/* Binds the venue's sockets. Its index from 0 on, or -errno with err filled. tape_file: open for
 * writing, receives the record of truth; -1 for none. */
int dp_server_add(struct dp_server *server, struct dp_exchange *exchange,
    const struct dp_server_venue_config *config, int tape_file, struct dp_err *err);
uint16_t dp_server_port(
    const struct dp_server *server, uint32_t venue, enum dp_server_socket which);
/* Works until budget_ns have passed; 0: one round without waiting. */
void dp_server_run(struct dp_server *server, int64_t budget_ns);
struct dp_server_stats dp_server_stats(const struct dp_server *server);

#endif
