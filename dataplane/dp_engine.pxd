"""Mirror of engine/dp_engine.h and of what it is configured with."""

from libc.stdint cimport int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from dataplane.dp_book cimport dp_books, dp_books_config
from dataplane.dp_clock cimport dp_clock
from dataplane.dp_counter cimport dp_counters
from dataplane.dp_desk cimport dp_desks_config
from dataplane.dp_digest cimport dp_digest
from dataplane.dp_err cimport dp_err
from dataplane.dp_hist cimport dp_hist, dp_stage
from dataplane.dp_risk cimport dp_risk, dp_risk_scope, dp_switch_mode, dp_switch_source
from dataplane.dp_strategy cimport dp_strategy


cdef extern from "dp_net.h" nogil:
    struct dp_net_endpoint:
        uint8_t mac[6]
        uint32_t ip
        uint16_t port

cdef extern from "dp_ouch.h" nogil:
    struct dp_ouch_session:
        dp_net_endpoint us
        dp_net_endpoint venue
        char cl_ord_id_prefix[7]
        char capacity
        char display

cdef extern from "dp_order.h" nogil:
    struct dp_orders_config:
        uint32_t order_count_max
        uint32_t exec_count_max
        uint32_t user_ref_num_first
    struct dp_order:
        uint32_t user_ref_num
        uint32_t pending_user_ref_num
        uint32_t instrument_index
        uint16_t strategy_index
        uint8_t side
        uint64_t qty
        uint64_t leaves_qty
        uint64_t cum_qty
        int64_t price_nanos
        uint64_t venue_order_id
    struct dp_orders:
        pass
    uint32_t dp_orders_count(const dp_orders *orders)
    const dp_order *dp_orders_at(const dp_orders *orders, uint32_t index)
    uint8_t dp_order_status(const dp_order *order)

cdef extern from "dp_venue.h" nogil:
    struct dp_venue_config:
        int64_t order_latency_ns
        int64_t report_latency_ns
    struct dp_venue_stats:
        uint64_t orders
        uint64_t executions
        uint64_t rejected
        uint64_t ignored
        uint64_t malformed

cdef extern from "dp_risk.h" nogil:
    """
    /* 128-bit money in two halves, for Python's integers. */
    static inline int64_t money_high(dp_money_nanos money) { return (int64_t)(money >> 64); }
    static inline uint64_t money_low(dp_money_nanos money) { return (uint64_t)money; }
    """
    ctypedef long long dp_money_nanos  # really 128 bits: only ever handed on
    struct dp_risk_strategy_limits:
        uint64_t order_qty_max
        int64_t order_notional_max_nanos
        int64_t gross_max_nanos
        int64_t net_max_nanos
        uint64_t open_order_count_max
        uint64_t order_rate_max
        uint64_t order_burst_max
        uint64_t duplicate_count_max
        int64_t duplicate_window_ns
        uint64_t fan_out_max
        uint64_t reject_rate_max
        uint64_t fill_rate_max
        int64_t loss_max_nanos
        int64_t drawdown_max_nanos
        uint32_t soft_percent
        uint16_t account_index
        bint has_policy
    struct dp_risk_group_limits:
        uint64_t order_qty_max
        int64_t order_notional_max_nanos
        int64_t gross_max_nanos
        int64_t net_max_nanos
        uint64_t open_order_count_max
        int64_t open_max_nanos
        int64_t entered_max_nanos
        uint64_t message_floor
        uint64_t message_ratio
        uint64_t order_rate_max
        uint64_t order_burst_max
        int64_t loss_max_nanos
        int64_t drawdown_max_nanos
        int64_t feed_age_max_ns
        bint has_policy
    struct dp_risk_instrument_limits:
        uint64_t order_qty_max
        int64_t order_notional_max_nanos
        uint64_t position_max
        uint32_t collar_bps
        int64_t collar_abs_nanos
        uint32_t adv_fraction_bps
        uint64_t adv_qty
        int64_t band_low_nanos
        int64_t band_high_nanos
        int64_t reference_age_max_ns
        uint64_t locate_qty
        uint32_t typical_multiple
        uint32_t impact_bps
        uint32_t impact_levels
        uint8_t short_sale
        bint restricted
        bint price_test
        bint self_trade_denied
        bint has_policy
    struct dp_risk_position:
        int64_t position
        uint64_t buy_leaves
        uint64_t sell_leaves
        dp_money_nanos cash
        uint64_t bought_qty
        uint64_t sold_qty
    dp_risk_position dp_risk_position_of "dp_risk_position" (
        const dp_risk *risk, uint32_t instrument_index)
    int64_t money_high(dp_money_nanos money)
    uint64_t money_low(dp_money_nanos money)

cdef extern from "dp_submit.h" nogil:
    struct dp_submit:
        uint64_t *reject_counts

cdef extern from "dp_recover.h" nogil:
    struct dp_recover_state "dp_recover":
        pass

cdef extern from "dp_pacer.h" nogil:
    unsigned int DP_PACER_SPEED_MAX
    struct dp_pacer:
        uint32_t speed_permille
        int64_t late_max_ns
        int64_t late_sum_ns
        uint64_t count

cdef extern from "dp_engine.h" nogil:
    const uint32_t DP_ENGINE_WATCH_ALL
    const dp_strategy dp_engine_desk_strategy
    struct dp_engine:
        pass
    struct dp_engine_card:
        const char *name
        const uint8_t *identity
        bint watched_only
    struct dp_engine_config:
        const char *name
        const char *region_path
        const char *journal_directory
        const char *configuration
        const char *pcap_out
        dp_engine_card card
        uint64_t journal_segment_size
        uint8_t journal_durability[3]
        uint64_t generation
        int64_t midnight_ns
        int64_t gap_timeout_ns
        uint32_t speed_permille
        dp_books_config books
        dp_orders_config orders
        uint32_t account_count
        dp_desks_config desks
        dp_venue_config venue
        dp_ouch_session session
        bint measure_latency
    struct dp_engine_limits:
        char symbol[8]
        dp_risk_instrument_limits limits
    struct dp_engine_kept:
        dp_risk_scope scope
        char symbol[8]
        dp_switch_mode mode
        dp_switch_source source
        char author[16]
        char cause[40]
    struct dp_engine_watch:
        const char *name
        char (*symbols)[8]  # const in C
        uint32_t symbol_count
        uint32_t first_count
    struct dp_engine_status:
        int64_t now_ns
        uint64_t position
        uint64_t size
        uint64_t messages_by_type[256]

    dp_engine *dp_engine_open(const dp_engine_config *config, dp_err *err)
    void dp_engine_close(dp_engine *engine)
    dp_books *dp_engine_books(dp_engine *engine)
    dp_orders *dp_engine_orders(dp_engine *engine)
    dp_risk *dp_engine_risk(dp_engine *engine)
    dp_submit *dp_engine_submit(dp_engine *engine)
    dp_counters *dp_engine_counters(dp_engine *engine)
    dp_hist *dp_engine_hist(dp_engine *engine, dp_stage stage)
    dp_engine_status *dp_engine_status_of "dp_engine_status" (dp_engine *engine)
    const dp_clock *dp_engine_clock(const dp_engine *engine)
    const dp_digest *dp_engine_events_digest(dp_engine *engine)
    const dp_digest *dp_engine_wire_digest(const dp_engine *engine)
    dp_venue_stats dp_engine_venue_stats(const dp_engine *engine)
    int64_t dp_engine_mark(const dp_engine *engine, uint32_t instrument_index)
    int dp_engine_set_limits(
        dp_engine *engine, const dp_engine_limits *limits, uint32_t limits_count, dp_err *err)
    int dp_engine_set_group(
        dp_engine *engine, uint32_t group, const char *name, const dp_risk_group_limits *limits,
        dp_err *err)
    int dp_engine_keep_switches(
        dp_engine *engine, const dp_engine_kept *kept, uint32_t count, dp_err *err)
    int dp_engine_add_strategy(
        dp_engine *engine, const dp_strategy *strategy, const dp_engine_watch *watch,
        const dp_risk_strategy_limits *limits, dp_err *err)
    int dp_engine_start(dp_engine *engine, const char *capture_path, dp_err *err)
    const dp_pacer *dp_engine_pacer(const dp_engine *engine)
    uint64_t dp_engine_run(dp_engine *engine, uint64_t message_count)
    void dp_engine_stop(dp_engine *engine)
    bint dp_engine_is_stopping(const dp_engine *engine)
    int dp_engine_finish(dp_engine *engine, dp_err *err)
    int dp_engine_source_status(const dp_engine *engine, dp_err *err)
    int dp_engine_adopt(dp_engine *engine, const dp_recover_state *found, dp_err *err)
