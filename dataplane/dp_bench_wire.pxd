"""Mirror of bench/dp_bench_wire*.h."""

from libc.stdint cimport int64_t, uint32_t, uint64_t

from dataplane.dp_engine cimport dp_net_endpoint
from dataplane.dp_engine_live cimport dp_order_session_address, dp_port, dp_stream
from dataplane.dp_err cimport dp_err
from dataplane.dp_strategy cimport dp_gateway, dp_top


cdef extern from "dp_bench_wire.h" nogil:
    struct dp_bench_wire_ends:
        dp_net_endpoint here
        dp_net_endpoint there

    struct dp_bench_wire_ping_config "dp_bench_wire_ping":
        uint32_t warm_count
        uint32_t count
        int64_t pause_ns

    int dp_bench_wire_ping(
        const dp_bench_wire_ends *ends, const dp_bench_wire_ping_config *config,
        uint32_t *ticks_tsc, uint32_t *lost, dp_err *err)

    struct dp_bench_wire_blast_config "dp_bench_wire_blast":
        uint32_t size
        uint64_t rate
        uint64_t count
        int64_t time_ns

    int dp_bench_wire_blast(
        const dp_bench_wire_ends *ends, const dp_bench_wire_blast_config *config,
        uint64_t *sent, dp_err *err)
    uint64_t dp_bench_wire_take(dp_port *port, int64_t time_ns)
    void dp_bench_wire_return(dp_port *port, int64_t time_ns)
    int dp_bench_wire_socket(const dp_bench_wire_ends *ends, dp_err *err)
    uint64_t dp_bench_wire_sink(int file, int64_t time_ns)
    uint64_t dp_bench_wire_give(
        dp_port *port, const dp_bench_wire_ends *ends, uint32_t payload_size, int64_t time_ns)

cdef extern from "dp_bench_wire_echo.h" nogil:
    struct dp_bench_wire_echo:
        pass

    dp_bench_wire_echo *dp_bench_wire_echo_open(
        const char *kind, const char *interface, const dp_bench_wire_ends *ends, dp_err *err)
    void dp_bench_wire_echo_run(dp_bench_wire_echo *echo, int64_t time_ns)
    void dp_bench_wire_echo_close(dp_bench_wire_echo *echo)

cdef extern from "dp_bench_wire_port.h" nogil:
    struct dp_bench_wire_port:
        dp_port *port

    int dp_bench_wire_port_open(
        dp_bench_wire_port *opened, const char *kind, const char *interface,
        const dp_bench_wire_ends *ends, dp_err *err)
    void dp_bench_wire_port_close(dp_bench_wire_port *opened)

cdef extern from "dp_bench_wire_trade.h" nogil:
    struct dp_bench_wire_trade:
        dp_port *port
        dp_bench_wire_ends ends

    dp_stream *dp_bench_wire_connect(
        void *context, const dp_order_session_address *address, dp_err *err)
    void dp_bench_wire_on_book(void *state, dp_gateway *gateway, const dp_top *top)

cdef extern from "dp_bench_wire_session.h" nogil:
    int dp_bench_wire_session_ping(
        const char *tcp, const char *interface, const dp_bench_wire_ends *ends,
        const dp_bench_wire_ping_config *config, uint32_t *ticks_tsc, dp_err *err)

    struct dp_bench_wire_server:
        pass

    dp_bench_wire_server *dp_bench_wire_server_open(
        const dp_bench_wire_ends *ends, dp_err *err)
    void dp_bench_wire_server_run(dp_bench_wire_server *server, int64_t time_ns)
    void dp_bench_wire_server_close(dp_bench_wire_server *server)
