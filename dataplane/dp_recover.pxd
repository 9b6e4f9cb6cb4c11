"""Mirror of core/dp_recover.h, and of the parts of core/dp_order.h that it shows."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from dataplane.dp_engine cimport dp_order, dp_orders, dp_orders_config
from dataplane.dp_err cimport dp_err
from dataplane.dp_journal cimport dp_journal_record


cdef extern from "dp_recover.h" nogil:
    enum:
        DP_RECOVER_SESSIONS

    ctypedef long long recover_money "dp_money_nanos"  # really 128 bits: only ever handed on

    struct dp_recover_instrument:
        recover_money cash
        uint64_t bought_qty
        uint64_t sold_qty
        char symbol[8]

    struct dp_recover:
        dp_orders *orders
        dp_recover_instrument *instruments
        uint32_t instrument_count
        uint64_t sequence
        int64_t time_ns
        uint64_t event_count
        uint64_t differ_count
        uint64_t differ_sequence
        uint64_t full_count
        uint32_t user_ref_num_max
        uint64_t inbound_sequences[256]

    void dp_recover_init(
        dp_recover *recover, dp_orders *orders, dp_recover_instrument *instruments, uint32_t count)
    void dp_recover_apply(dp_recover *recover, const dp_journal_record *record)
    bint dp_recover_is_in_flight(const dp_order *order)
    uint32_t dp_recover_settle(dp_recover *recover, int64_t time_ns)
    bint dp_recover_is_conserved(const dp_order *order)
    bint dp_recover_reserves_fit(const dp_order *order)
    void dp_recover_sum(const dp_recover *recover, dp_recover_instrument *sums)

    size_t dp_orders_size(const dp_orders_config *config)
    int dp_orders_init(dp_orders *orders, const dp_orders_config *config, dp_err *err)
    bint dp_order_is_live(const dp_order *order)
    int64_t dp_order_worst_price(const dp_order *order)
    uint64_t dp_order_worst_leaves(const dp_order *order)
