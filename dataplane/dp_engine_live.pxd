"""Mirror of engine/dp_engine_live.h, and of live/dp_live_ports.h."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from dataplane.dp_card cimport dp_card
from dataplane.dp_engine cimport dp_engine
from dataplane.dp_err cimport dp_err
from dataplane.dp_risk cimport dp_switch_mode


cdef extern from "dp_order_session.h" nogil:
    struct dp_soup_session_config:
        char username[7]
        char password[11]
        int64_t heartbeat_ns
        int64_t silence_ns

    struct dp_order_session_address:
        uint32_t ip
        uint16_t port

    struct dp_stream:
        pass

    ctypedef dp_stream *(*dp_connect)(
        void *context, const dp_order_session_address *address, dp_err *err) noexcept

    struct dp_order_session_config:
        dp_soup_session_config soup
        dp_order_session_address addresses[4]
        uint32_t address_count
        dp_connect connect
        void *connect_context
        int64_t backoff_min_ns
        int64_t backoff_max_ns
        uint64_t seed

    enum dp_soup_session_verdict:
        DP_SOUP_SESSION_OK
    const char *dp_soup_session_words(dp_soup_session_verdict verdict)

cdef extern from "dp_route.h" nogil:
    struct dp_throttle:
        pass
    dp_throttle dp_throttle_make(uint32_t rate, uint32_t burst, uint32_t headroom_percent)

    enum dp_route_spread:
        DP_ROUTE_BY_STRATEGY
    const uint32_t DP_ROUTE_SESSIONS_MAX

cdef extern from "dp_feed_channels.h" nogil:
    struct dp_feed_target:
        uint32_t ip
        uint16_t port

    struct dp_moldudp_request_config:
        int64_t wait_ns
        int64_t retry_ns
        int64_t interval_ns
        uint32_t tries_max
        uint16_t count_max

    struct dp_port_stats:
        uint64_t rx_packets
        uint64_t rx_bytes
        uint64_t rx_failed
        uint64_t tx_packets
        uint64_t tx_bytes
        uint64_t tx_refused
        uint64_t tx_failed

    struct dp_port_ops:
        const char *name

    struct dp_port:
        const dp_port_ops *ops
        dp_port_stats stats

    bint dp_port_is_up(dp_port *port)
    uint32_t dp_port_buffers_used(const dp_port *port)

    struct dp_feed_live_line:
        dp_port *port
        dp_feed_target target

    struct dp_feed_live_config:
        dp_feed_live_line lines[3]
        int64_t gap_timeout_ns
        dp_moldudp_request_config request
        uint32_t line_count
        dp_order_session_config snapshot
        uint64_t window_max

    enum dp_feed_state:
        DP_FEED_WHOLE

    const char *dp_feed_state_name(dp_feed_state state)

    struct dp_feed_line_stats:
        uint64_t packets
        uint64_t first
        uint64_t lost
        uint64_t behind_count
        int64_t behind_ns_sum
        int64_t behind_ns_max
        int64_t heard_ns

    const uint32_t DP_FEED_LINES_MAX
    const uint32_t DP_FEED_CHANNELS_MAX

cdef extern from "dp_difference.h" nogil:
    enum dp_difference:
        DP_DIFFERENCE_COUNT
    const char *dp_difference_name(dp_difference difference)

cdef extern from "dp_engine_live.h" nogil:
    struct dp_engine_live_channel:
        dp_feed_live_config feed
        uint32_t instrument_count

    struct dp_engine_live_session:
        dp_order_session_config wire
        dp_throttle throttle
        char name[10]
        uint64_t sequence

    enum dp_engine_idle:
        DP_ENGINE_YIELD
        DP_ENGINE_SPIN
        DP_ENGINE_ADAPTIVE
    struct dp_engine_live_config:
        dp_card *card
        dp_engine_live_channel channels[8]
        uint32_t channel_count
        dp_engine_live_session sessions[8]
        uint32_t session_count
        dp_route_spread spread
        dp_switch_mode differences[9]
        bint queues
        int64_t midnights_ns[32]
        uint32_t midnight_count
        int64_t warm_after_ns
        dp_engine_idle idle

    enum dp_engine_live_state:
        DP_ENGINE_LIVE_DOWN
        DP_ENGINE_LIVE_OPEN

    struct dp_engine_live_status_of "dp_engine_live_status":
        dp_engine_live_state state
        dp_soup_session_verdict verdict
        int error
        uint64_t login_count
        uint64_t loss_count
        uint64_t never_received
        uint64_t unexplained
        uint64_t cancels_again
        uint64_t sequence_next
        uint64_t given
        uint64_t waiting
        char session_name[10]
        uint64_t clock_step_count
        int64_t clock_step_ns
        const char *journal_trouble

    const char *dp_engine_live_state_name(dp_engine_live_state state)
    int dp_engine_start_live(
        dp_engine *engine, const dp_engine_live_config *config, dp_err *err)
    void dp_engine_show_port(dp_engine *engine, uint32_t index, dp_port *port)
    uint64_t dp_engine_run_live(dp_engine *engine, int64_t duration_ns)
    dp_engine_live_status_of dp_engine_live_status(const dp_engine *engine, uint32_t index)
    dp_feed_state dp_engine_live_feed(const dp_engine *engine)
    dp_feed_state dp_engine_live_feed_of(const dp_engine *engine, uint32_t channel)
    const dp_feed_line_stats *dp_engine_live_line(
        const dp_engine *engine, uint32_t channel, uint32_t line)

cdef extern from "dp_live_ports.h" nogil:
    enum dp_live_kind:
        DP_LIVE_URING
        DP_LIVE_XDP
        DP_LIVE_DPDK

    struct dp_live_tcp:
        bint is_lwip
        uint32_t ip
        uint16_t port_first
        uint8_t next_hop_mac[6]

    struct dp_live_channel:
        uint32_t line_count
        dp_feed_target servers[4]
        uint32_t server_count

    struct dp_live_ports_config:
        dp_live_tcp tcp
        const char *name
        dp_live_kind kind
        const char *interface
        uint32_t queue
        uint32_t queue_count
        bint huge_pages
        uint32_t mtu
        int32_t sqpoll_cpu
        uint32_t busy_poll_us
        uint32_t local_ip
        dp_feed_target lines[24]
        uint32_t line_count
        dp_live_channel channels[8]
        uint32_t channel_count
        const char *card
        const uint8_t *card_identity

    struct dp_live_ports:
        pass

    dp_live_ports *dp_live_ports_open(
        const dp_live_ports_config *config, dp_engine_live_channel *channels, dp_err *err)
    void dp_live_ports_close(dp_live_ports *ports)
    dp_card *dp_live_ports_card(const dp_live_ports *ports)
    dp_port *dp_live_ports_at(const dp_live_ports *ports, uint32_t index)
    void dp_live_ports_describe(const dp_live_ports *ports, char *text, size_t size)
    dp_stream *dp_live_connect(
        void *context, const dp_order_session_address *address, dp_err *err)
