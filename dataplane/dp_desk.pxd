"""Mirror of core/dp_desk.h and sys/dp_process.h."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from dataplane.dp_err cimport dp_err
from dataplane.dp_event cimport dp_event


cdef extern from "dp_process.h" nogil:
    uint64_t dp_process_id()
    bint dp_process_has_ended(uint64_t id)

cdef extern from "dp_desk.h" nogil:
    enum:
        DP_DESK_POST_MAX
    enum dp_desk_verb:
        DP_DESK_NEW
        DP_DESK_REPLACE
        DP_DESK_CANCEL
    struct dp_desk_request:
        uint64_t tag
        uint64_t key
        uint64_t qty
        int64_t price_nanos
        uint32_t instrument_index
        uint32_t user_ref_num
        uint8_t verb
        uint8_t side
        uint8_t time_in_force
    struct dp_desk_answer:
        uint64_t tag
        uint32_t user_ref_num
        uint16_t reason
        bint is_event
        dp_event event
    struct dp_desks_config:
        uint32_t desk_count
        uint32_t waiting_count
    struct dp_desks:
        pass
    struct dp_desk:
        dp_desks *desks

    int dp_desk_open(
        dp_desk *desk, dp_desks *desks, uint16_t strategy_index, uint64_t process,
        bint (*has_ended)(uint64_t) noexcept nogil, dp_err *err)
    void dp_desk_leave(dp_desk *desk)
    uint32_t dp_desk_post(dp_desk *desk, const dp_desk_request *requests, uint32_t count)
    bint dp_desk_read(dp_desk *desk, dp_desk_answer *answer)
    uint64_t dp_desk_missed(const dp_desk *desk)
    bint dp_desk_is_over(const dp_desk *desk)
