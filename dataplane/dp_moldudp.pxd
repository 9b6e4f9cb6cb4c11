"""Mirror of proto/dp_moldudp.h."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from dataplane.dp_err cimport dp_err


cdef extern from "dp_moldudp.h" nogil:
    enum dp_moldudp_verdict:
        DP_MOLDUDP_DELIVERED
        DP_MOLDUDP_DUPLICATE
        DP_MOLDUDP_HELD
        DP_MOLDUDP_IDLE
        DP_MOLDUDP_MALFORMED
        DP_MOLDUDP_OLD_SESSION

    struct dp_moldudp_handler:
        void *context
        void (*on_message)(
            void *context, uint64_t sequence, const uint8_t *data, size_t size,
            int64_t time_ns) noexcept nogil
        void (*on_gap)(
            void *context, uint64_t first, uint64_t last, int64_t time_ns) noexcept nogil
        void (*on_session)(void *context, const uint8_t *session) noexcept nogil
        void (*on_end)(void *context) noexcept nogil

    struct dp_moldudp_config:
        uint32_t hold_count_max
        uint32_t packet_size_max
        int64_t gap_timeout_ns
        uint64_t sequence_first

    struct dp_moldudp_feed:
        pass

    size_t dp_moldudp_feed_size(const dp_moldudp_config *config)
    int dp_moldudp_feed_init(
        dp_moldudp_feed *feed, const dp_moldudp_config *config, dp_err *err)
    dp_moldudp_verdict dp_moldudp_feed_push(
        dp_moldudp_feed *feed, const uint8_t *data, size_t size, int64_t time_ns,
        const dp_moldudp_handler *handler)
    void dp_moldudp_feed_poll(
        dp_moldudp_feed *feed, int64_t now_ns, const dp_moldudp_handler *handler)
    uint64_t dp_moldudp_feed_expected(const dp_moldudp_feed *feed)
    size_t dp_moldudp_build(
        uint8_t *data, const uint8_t *session, uint64_t sequence, uint16_t message_count)
