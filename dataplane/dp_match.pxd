"""Mirror of core/dp_match.h, dp_match_view.h, dp_match_ledger.h and dp_match_snapshot.h."""

from libc.stdint cimport int32_t, int64_t, uint8_t, uint16_t, uint32_t, uint64_t

from dataplane.dp_err cimport dp_err


cdef extern from *:
    ctypedef long long dp_money_nanos "__int128"

cdef extern from "dp_match.h" nogil:
    const uint32_t DP_MATCH_NONE
    const int64_t DP_PRICE_NONE

    enum:
        DP_MATCH_POLICY_COUNT
        DP_MATCH_SESSION_COUNT
        DP_MATCH_STP_MODE_COUNT
        DP_MATCH_FEE_TIERS_MAX
        DP_MATCH_LMM_MAX

    enum dp_side:
        pass

    struct dp_match:
        pass

    struct dp_match_config:
        uint32_t instrument_count_max
        uint32_t participant_count_max
        uint32_t order_count_max
        uint32_t terms_count_max
        uint32_t level_count_max
        uint32_t node_count_max
        uint64_t seed

    enum dp_match_policy:
        pass
    enum dp_match_session:
        pass
    enum dp_match_reason:
        DP_MATCH_REASON_COUNT

    struct dp_match_lmm:
        uint32_t participant
        uint32_t share_ppm

    struct dp_match_instrument:
        int64_t tick_nanos
        int64_t price_nanos_max
        int64_t reference_price_nanos
        uint64_t lot_qty
        uint64_t allocation_min_qty
        uint64_t top_qty_max
        int64_t pause_ns
        uint32_t band_ppm
        dp_match_policy policy
        dp_match_session session
        uint16_t dark
        uint16_t quoted
        dp_match_lmm lmms[4]

    struct dp_match_fee_tier:
        uint64_t from_qty
        int64_t maker_nanos_per_unit
        int64_t taker_nanos_per_unit
        int32_t maker_ppm
        int32_t taker_ppm

    struct dp_match_report:
        uint8_t type
        uint8_t reason
        uint8_t side
        uint8_t flags
        uint32_t instrument_index
        uint64_t order_id
        uint64_t tag
        int64_t price_nanos
        uint64_t qty
        uint64_t leaves_qty
        uint64_t display_qty
        int64_t fee_nanos
        uint64_t match_number
        uint64_t contra_order_id
        uint64_t contra_tag
        uint64_t contra_leaves_qty
        int64_t contra_fee_nanos

    struct dp_match_sink:
        dp_match_report *reports
        uint32_t capacity
        uint32_t count
        void (*flush)(dp_match_sink *sink) noexcept nogil
        void *context

    struct dp_match_terms:
        int64_t stop_price_nanos
        int64_t trail_nanos
        uint64_t display_qty
        uint64_t refresh_range_qty
        uint64_t min_qty
        int64_t peg_offset_nanos
        int64_t discretion_nanos
        int64_t expire_ns
        uint64_t group_order_id
        uint32_t peg
        uint32_t group

    struct dp_match_order:
        uint64_t order_id
        uint64_t tag
        int64_t price_nanos
        uint64_t qty
        uint32_t instrument_index
        uint32_t participant
        uint32_t stp_group
        uint8_t side
        uint8_t type
        uint8_t time_in_force
        uint8_t stp_mode
        uint8_t flags
        const dp_match_terms *terms

    struct dp_match_replace_request "dp_match_replace":
        uint64_t order_id
        uint64_t new_order_id
        uint64_t tag
        int64_t price_nanos
        uint64_t qty
        int64_t stop_price_nanos

    struct dp_match_mass_cancel_request "dp_match_mass_cancel":
        uint32_t participant
        uint32_t instrument_index
        uint8_t side

    size_t dp_match_size(const dp_match_config *config)
    int dp_match_init(dp_match *match, const dp_match_config *config, dp_err *err)
    int64_t dp_match_add_instrument(
        dp_match *match, const dp_match_instrument *instrument, dp_err *err)
    int64_t dp_match_add_participant(dp_match *match, uint32_t fee_class, dp_err *err)
    int dp_match_set_fees(dp_match *match, uint32_t fee_class, const dp_match_fee_tier *tiers,
                          uint32_t tier_count, dp_err *err)
    void dp_match_new(
        dp_match *match, const dp_match_order *order, int64_t now_ns, dp_match_sink *sink)
    void dp_match_replace(dp_match *match, const dp_match_replace_request *replace,
                          int64_t now_ns, dp_match_sink *sink)
    void dp_match_cancel(dp_match *match, uint64_t order_id, uint64_t leaves_qty_max,
                         int64_t now_ns, dp_match_sink *sink)
    void dp_match_mass_cancel(
        dp_match *match, const dp_match_mass_cancel_request *criteria, int64_t now_ns,
        dp_match_sink *sink)
    void dp_match_set_session(dp_match *match, uint32_t instrument_index,
                              dp_match_session session, int64_t now_ns, dp_match_sink *sink)
    void dp_match_quote(dp_match *match, uint32_t instrument_index, int64_t bid_nanos,
                        int64_t ask_nanos, int64_t now_ns, dp_match_sink *sink)
    void dp_match_advance(dp_match *match, int64_t now_ns, dp_match_sink *sink)
    const char *dp_match_reason_name(dp_match_reason reason)
    const char *dp_match_reason_words(dp_match_reason reason)

cdef extern from "dp_match_view.h" nogil:
    uint32_t dp_match_view_order_count(const dp_match *match)

    struct dp_match_indication:
        int64_t reference_nanos
        uint64_t paired_qty
        int64_t imbalance_qty
        int64_t near_nanos
        int64_t far_nanos

    dp_match_indication dp_match_view_indication(const dp_match *match, uint32_t instrument_index)

    struct dp_match_order_view:
        uint64_t order_id
        uint64_t tag
        int64_t price_nanos
        uint64_t leaves_qty
        uint64_t display_qty
        uint64_t priority
        uint32_t instrument_index
        uint32_t participant
        uint8_t side
        uint8_t place
        uint8_t time_in_force
        uint8_t flags

    struct dp_match_level_view:
        int64_t price_nanos
        uint64_t display_qty
        uint32_t order_count

    uint32_t dp_match_view_levels(
        const dp_match *match, uint32_t instrument_index, dp_side side,
        dp_match_level_view *levels, uint32_t capacity)
    uint32_t dp_match_view_orders(
        const dp_match *match, uint32_t instrument_index, dp_match_order_view *views,
        uint32_t skip, uint32_t capacity)

cdef extern from "dp_match_ledger.h" nogil:
    struct dp_match_account_view:
        dp_money_nanos cash_nanos
        dp_money_nanos fees_nanos
        uint64_t traded_qty

    dp_match_account_view dp_match_ledger_account(const dp_match *match, uint32_t participant)
    int64_t dp_match_ledger_position(
        const dp_match *match, uint32_t participant, uint32_t instrument_index)
    bint dp_match_ledger_is_balanced(const dp_match *match)

cdef extern from "dp_match_snapshot.h" nogil:
    size_t dp_match_snapshot_size(const dp_match *match)
    void dp_match_snapshot(const dp_match *match, uint8_t *bytes)
    int dp_match_restore(dp_match *match, const uint8_t *bytes, size_t size, dp_err *err)
