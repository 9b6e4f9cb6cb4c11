"""Mirror of core/dp_strategy.h, and of dp_submit.h's request: the contract of a strategy."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from dataplane.dp_book cimport dp_book_level_view
from dataplane.dp_err cimport dp_err
from dataplane.dp_event cimport dp_event, dp_reason, dp_side


cdef extern from "dp_submit.h" nogil:
    struct dp_request:
        uint32_t instrument_index
        uint8_t side
        uint8_t time_in_force
        uint64_t qty
        int64_t price_nanos

cdef extern from "dp_order.h" nogil:
    struct dp_order_answer:
        uint32_t user_ref_num
        dp_reason reason

cdef extern from "dp_strategy.h" nogil:
    struct dp_trade:
        int64_t time_ns
        int64_t price_nanos
        uint64_t qty
        uint64_t match_number
        uint32_t instrument_index
        uint8_t aggressor
        uint8_t kind

    struct dp_top:
        int64_t time_ns
        int64_t bid_price_nanos
        int64_t ask_price_nanos
        uint64_t bid_qty
        uint64_t ask_qty
        uint32_t instrument_index
        uint32_t flags
        uint32_t trading_state
        uint32_t session

    bint dp_top_is_tradable(const dp_top *top)

    struct dp_gateway_verbs:
        uint32_t (*levels)(
            const dp_gateway *gateway, uint32_t instrument_index, dp_side side,
            dp_book_level_view *levels, uint32_t max) noexcept nogil
        void (*symbol)(
            const dp_gateway *gateway, uint32_t instrument_index, char *symbol) noexcept nogil
        int64_t (*position)(const dp_gateway *gateway, uint32_t instrument_index) noexcept nogil
        void (*stop)(dp_gateway *gateway) noexcept nogil

    struct dp_gateway:
        const dp_gateway_verbs *verbs
        int64_t now_ns
        int64_t timer_interval_ns
        uint32_t instrument_count_max
        uint16_t strategy_index

    struct dp_strategy:
        void *state
        void (*on_start)(void *state, dp_gateway *gateway) noexcept nogil
        void (*on_open)(void *state, dp_gateway *gateway, uint32_t instrument_index) noexcept nogil
        void (*on_book)(void *state, dp_gateway *gateway, const dp_top *top) noexcept nogil
        void (*on_trade)(void *state, dp_gateway *gateway, const dp_trade *trade) noexcept nogil
        void (*on_accepted)(void *state, dp_gateway *gateway, const dp_event *event) noexcept nogil
        void (*on_filled)(void *state, dp_gateway *gateway, const dp_event *event) noexcept nogil
        void (*on_canceled)(void *state, dp_gateway *gateway, const dp_event *event) noexcept nogil
        void (*on_rejected)(void *state, dp_gateway *gateway, const dp_event *event) noexcept nogil
        void (*on_timer)(void *state, dp_gateway *gateway, int64_t now_ns) noexcept nogil
        void (*on_stop)(void *state, dp_gateway *gateway) noexcept nogil

    struct dp_strategy_param:
        const char *name
        const char *value

    void dp_gateway_watch(dp_gateway *gateway, uint32_t instrument_index)
    dp_reason dp_gateway_submit(
        dp_gateway *gateway, const dp_request *request, uint32_t *user_ref_num)
    dp_reason dp_gateway_submit_once(
        dp_gateway *gateway, const dp_request *request, uint64_t key, uint32_t *user_ref_num)
    uint32_t dp_gateway_submit_n(
        dp_gateway *gateway, const dp_request *requests, const uint64_t *keys, uint32_t count,
        dp_order_answer *answers)
    dp_reason dp_gateway_replace(
        dp_gateway *gateway, uint32_t user_ref_num, uint64_t qty, int64_t price_nanos,
        uint32_t *new_user_ref_num)
    dp_reason dp_gateway_cancel(dp_gateway *gateway, uint32_t user_ref_num)
