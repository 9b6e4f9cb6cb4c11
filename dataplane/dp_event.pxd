"""Mirror of core/dp_event.h and core/dp_reason.h: what happened to an order, and why not."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t


cdef extern from "dp_base.h" nogil:
    const int64_t DP_PRICE_NONE
    enum dp_side:
        DP_SIDE_NONE
        DP_SIDE_BUY
        DP_SIDE_SELL

cdef extern from "dp_event.h" nogil:
    enum dp_event_kind:
        DP_EVENT_NONE
        DP_EVENT_NEW
        DP_EVENT_DENIED
        DP_EVENT_REPLACE
        DP_EVENT_REPLACE_DENIED
        DP_EVENT_CANCEL
        DP_EVENT_ACCEPTED
        DP_EVENT_REJECTED
        DP_EVENT_FILLED
        DP_EVENT_CANCELED
        DP_EVENT_REPLACED
        DP_EVENT_REPLACE_REJECTED
        DP_EVENT_CANCEL_PENDING
        DP_EVENT_CANCEL_REJECTED
        DP_EVENT_RESTATED
        DP_EVENT_BROKEN
        DP_EVENT_EXPIRED

    enum dp_time_in_force:
        DP_TIF_DAY
        DP_TIF_IOC

    struct dp_event:
        int64_t time_ns
        uint64_t venue_order_id
        uint64_t exec_id
        uint64_t request_key
        int64_t price_nanos
        uint64_t qty
        int64_t observed
        int64_t limit
        uint32_t user_ref_num
        uint32_t orig_user_ref_num
        uint32_t instrument_index
        uint16_t strategy_index
        uint16_t reason
        uint8_t kind
        uint8_t side
        uint8_t time_in_force
        uint8_t liquidity
        uint8_t session_index
        uint8_t ord_status
        uint8_t order_state
        uint16_t policy_version
        uint64_t leaves_qty
        uint64_t cum_qty

    bint dp_event_has_key(const dp_event *event)
    const char *dp_event_kind_name(uint8_t kind)
    const char *dp_ord_status_name(uint8_t ord_status)

cdef extern from "dp_reason.h" nogil:
    enum dp_reason:
        DP_REASON_ACCEPTED
        DP_REASON_COUNT

    const char *dp_reason_name(dp_reason reason)
    const char *dp_reason_words(dp_reason reason)
    int dp_reason_ord_rej_reason(dp_reason reason)
