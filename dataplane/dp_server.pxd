"""Mirror of server/dp_server.h."""

from libc.stdint cimport int64_t, uint16_t, uint32_t, uint64_t

from dataplane.dp_err cimport dp_err
from dataplane.dp_exchange cimport dp_exchange


cdef extern from "dp_server.h" nogil:
    struct dp_server_address:
        uint32_t ip
        uint16_t port

    struct dp_server_venue_config:
        dp_server_address orders
        dp_server_address snapshot
        dp_server_address requests
        dp_server_address lines[2]
        uint32_t multicast_ip

    enum dp_server_socket:
        DP_SERVER_ORDERS
        DP_SERVER_SNAPSHOT
        DP_SERVER_REQUESTS

    struct dp_server_stats_s "dp_server_stats":
        uint64_t bytes_in
        uint64_t bytes_out
        uint64_t datagrams
        uint64_t datagrams_dropped
        uint64_t accept_failures
        uint64_t tape_failures

    struct dp_server:
        pass

    dp_server *dp_server_open(dp_err *err)
    void dp_server_close(dp_server *server)
    int dp_server_add(
        dp_server *server, dp_exchange *exchange, const dp_server_venue_config *config,
        int tape_file, dp_err *err)
    uint16_t dp_server_port(const dp_server *server, uint32_t venue, dp_server_socket which)
    void dp_server_run(dp_server *server, int64_t budget_ns)
    dp_server_stats_s dp_server_get_stats "dp_server_stats"(const dp_server *server)
