"""Mirror of exchange/dp_exchange.h; what an operator sets of the core is in dp_match.pxd."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from dataplane.dp_err cimport dp_err
from dataplane.dp_match cimport (
    dp_match, dp_match_fee_tier, dp_match_instrument, dp_match_session,
)


cdef extern from "dp_exchange_store.h" nogil:
    struct dp_exchange_store:
        pass

    struct dp_exchange_cursor:
        uint32_t offset

    uint64_t dp_exchange_store_next(const dp_exchange_store *store)
    uint64_t dp_exchange_store_first(const dp_exchange_store *store)
    void dp_exchange_store_seek(
        const dp_exchange_store *store, uint64_t number, dp_exchange_cursor *cursor)
    int64_t dp_exchange_store_span(
        const dp_exchange_store *store, dp_exchange_cursor *cursor, const uint8_t **data)


cdef extern from "dp_exchange.h" nogil:
    enum:
        DP_EXCHANGE_ACCOUNTS_MAX
        DP_EXCHANGE_CONNECTIONS_MAX
        DP_EXCHANGE_PACKET_MAX
        DP_EXCHANGE_REQUEST_MAX
        DP_EXCHANGE_LINES
        DP_EXCHANGE_FAULT_COUNT
        DP_EXCHANGE_TAPE_NO_ACCOUNT

    const uint32_t DP_EXCHANGE_NONE

    enum dp_exchange_fault:
        pass

    enum dp_exchange_port:
        DP_EXCHANGE_PORT_ORDERS
        DP_EXCHANGE_PORT_SNAPSHOT

    const char *dp_exchange_fault_word(uint32_t fault)
    const char *dp_exchange_note_words(uint8_t kind)

    struct dp_exchange_note:
        int64_t time_ns
        uint32_t connection
        uint16_t account
        uint8_t kind
        uint8_t detail

    struct dp_exchange_tape_s "dp_exchange_tape":
        bint on
        uint64_t lost

    const uint8_t *dp_exchange_tape_data(const dp_exchange_tape_s *tape, size_t *size)
    void dp_exchange_tape_drop(dp_exchange_tape_s *tape)

    struct dp_exchange_line_config:
        uint64_t seed
        int64_t delay_ns
        uint32_t loss_ppm
        uint32_t reorder_ppm
        uint32_t duplicate_ppm

    struct dp_exchange_config:
        uint8_t index
        char session[10]
        int64_t midnight_ns
        int64_t order_latency_ns
        int64_t report_latency_ns
        int64_t heartbeat_ns
        int64_t silence_ns
        int64_t login_ns
        int64_t imbalance_ns
        uint32_t connection_count_max
        uint32_t account_count_max
        uint32_t instrument_count_max
        uint32_t order_count_max
        uint64_t store_bytes_max
        uint64_t slow_bytes_max
        uint32_t packet_size_max
        uint64_t seed
        bint dark
        bint newest_login_wins

    struct dp_exchange_account_config:
        char user[6]
        char password[10]
        char firm[4]
        uint32_t fee_class
        uint32_t stp_group
        uint8_t stp_mode
        bint cancel_on_disconnect
        bint locate_required
        bint no_login
        uint32_t requests_per_second

    struct dp_exchange_stats_s "dp_exchange_stats":
        uint64_t requests
        uint64_t orders
        uint64_t rejected
        uint64_t ignored
        uint64_t trades
        uint64_t cancels
        uint64_t malformed
        uint64_t reports
        uint64_t logins
        uint64_t connections
        uint32_t connection_count
        uint32_t order_count
        uint64_t notes_lost

    struct dp_exchange:
        pass

    dp_exchange *dp_exchange_open(const dp_exchange_config *config, dp_err *err)
    void dp_exchange_close(dp_exchange *exchange)
    int64_t dp_exchange_add_instrument(
        dp_exchange *exchange, const char *symbol, const dp_match_instrument *instrument,
        dp_err *err)
    int64_t dp_exchange_add_account(
        dp_exchange *exchange, const dp_exchange_account_config *config, dp_err *err)
    int dp_exchange_set_fees(
        dp_exchange *exchange, uint32_t fee_class, const dp_match_fee_tier *tiers,
        uint32_t tier_count, dp_err *err)
    void dp_exchange_follow(dp_exchange *dark, dp_exchange *lit)
    void dp_exchange_start(dp_exchange *exchange, int64_t now_ns)
    uint32_t dp_exchange_connect(dp_exchange *exchange, dp_exchange_port port, int64_t now_ns)
    void dp_exchange_receive(
        dp_exchange *exchange, uint32_t connection, const uint8_t *data, size_t size,
        int64_t now_ns)
    void dp_exchange_closed(dp_exchange *exchange, uint32_t connection, int64_t now_ns)
    uint32_t dp_exchange_take_ready(dp_exchange *exchange)
    size_t dp_exchange_output(
        dp_exchange *exchange, uint32_t connection, const uint8_t **data)
    void dp_exchange_sent(
        dp_exchange *exchange, uint32_t connection, size_t size, int64_t now_ns)
    bint dp_exchange_is_over(const dp_exchange *exchange, uint32_t connection)
    bint dp_exchange_is_paused(const dp_exchange *exchange, uint32_t connection)
    void dp_exchange_advance(dp_exchange *exchange, int64_t now_ns)
    int64_t dp_exchange_next_ns(const dp_exchange *exchange)
    const uint8_t *dp_exchange_pop_datagram(
        dp_exchange *exchange, uint32_t line, int64_t now_ns, uint32_t *size)
    uint32_t dp_exchange_reply(
        dp_exchange *exchange, const uint8_t *request, size_t size, uint8_t *reply,
        int64_t now_ns)
    void dp_exchange_set_line(
        dp_exchange *exchange, uint32_t line, const dp_exchange_line_config *config)
    void dp_exchange_touch(
        const dp_exchange *exchange, uint32_t instrument_index, int64_t *bid_nanos,
        int64_t *ask_nanos)
    void dp_exchange_request(
        dp_exchange *exchange, uint32_t account, const uint8_t *data, uint32_t size,
        int64_t now_ns)
    const dp_exchange_store *dp_exchange_reports(const dp_exchange *exchange, uint32_t account)
    void dp_exchange_set_session(
        dp_exchange *exchange, uint32_t instrument_index, dp_match_session session,
        int64_t now_ns)
    void dp_exchange_freeze(dp_exchange *exchange, uint32_t instrument_index)
    enum dp_exchange_short_sale:
        DP_EXCHANGE_SHORT_SALE_FREE
    void dp_exchange_set_short_sale(
        dp_exchange *exchange, uint32_t instrument_index, dp_exchange_short_sale state,
        int64_t now_ns)
    void dp_exchange_set_fault(
        dp_exchange *exchange, uint32_t account, dp_exchange_fault fault, int64_t value,
        int64_t now_ns)
    bint dp_exchange_break(
        dp_exchange *exchange, uint64_t match_number, char reason, int64_t now_ns)
    void dp_exchange_end(dp_exchange *exchange, int64_t now_ns)
    bint dp_exchange_take_note(dp_exchange *exchange, dp_exchange_note *note)
    dp_exchange_tape_s *dp_exchange_get_tape "dp_exchange_tape"(dp_exchange *exchange)
    dp_exchange_stats_s dp_exchange_get_stats "dp_exchange_stats"(const dp_exchange *exchange)
    const dp_match *dp_exchange_match(const dp_exchange *exchange)
