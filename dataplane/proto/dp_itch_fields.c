/*
 * The 23 messages as data: what dp_itch_decode() knows in code, by name, for rendering and for
 * tests.
 */
#include "dp_itch.h"

/* clang-format off */
#define HEADER_FIELDS \
    {"message_type", 0, 1, DP_ITCH_CHAR}, \
    {"stock_locate", 1, 2, DP_ITCH_UINT}, \
    {"tracking_number", 3, 2, DP_ITCH_UINT}, \
    {"timestamp", 5, 6, DP_ITCH_TIME6}
/* clang-format on */

static const struct dp_itch_field system_event[] = {
    HEADER_FIELDS,
    {"event_code", 11, 1, DP_ITCH_CHAR},
};

static const struct dp_itch_field stock_directory[] = {
    HEADER_FIELDS,
    {"stock", 11, 8, DP_ITCH_ALPHA},
    {"market_category", 19, 1, DP_ITCH_CHAR},
    {"financial_status_indicator", 20, 1, DP_ITCH_CHAR},
    {"round_lot_size", 21, 4, DP_ITCH_UINT},
    {"round_lots_only", 25, 1, DP_ITCH_CHAR},
    {"issue_classification", 26, 1, DP_ITCH_CHAR},
    {"issue_sub_type", 27, 2, DP_ITCH_ALPHA},
    {"authenticity", 29, 1, DP_ITCH_CHAR},
    {"short_sale_threshold_indicator", 30, 1, DP_ITCH_CHAR},
    {"ipo_flag", 31, 1, DP_ITCH_CHAR},
    {"luld_reference_price_tier", 32, 1, DP_ITCH_CHAR},
    {"etp_flag", 33, 1, DP_ITCH_CHAR},
    {"etp_leverage_factor", 34, 4, DP_ITCH_UINT},
    {"inverse_indicator", 38, 1, DP_ITCH_CHAR},
};

static const struct dp_itch_field stock_trading_action[] = {
    HEADER_FIELDS,
    {"stock", 11, 8, DP_ITCH_ALPHA},
    {"trading_state", 19, 1, DP_ITCH_CHAR},
    {"reserved", 20, 1, DP_ITCH_CHAR},
    {"reason", 21, 4, DP_ITCH_ALPHA},
};

static const struct dp_itch_field reg_sho_restriction[] = {
    HEADER_FIELDS,
    {"stock", 11, 8, DP_ITCH_ALPHA},
    {"reg_sho_action", 19, 1, DP_ITCH_CHAR},
};

static const struct dp_itch_field market_participant_position[] = {
    HEADER_FIELDS,
    {"mpid", 11, 4, DP_ITCH_ALPHA},
    {"stock", 15, 8, DP_ITCH_ALPHA},
    {"primary_market_maker", 23, 1, DP_ITCH_CHAR},
    {"market_maker_mode", 24, 1, DP_ITCH_CHAR},
    {"market_participant_state", 25, 1, DP_ITCH_CHAR},
};

static const struct dp_itch_field mwcb_decline_level[] = {
    HEADER_FIELDS,
    {"level_1", 11, 8, DP_ITCH_PRICE8},
    {"level_2", 19, 8, DP_ITCH_PRICE8},
    {"level_3", 27, 8, DP_ITCH_PRICE8},
};

static const struct dp_itch_field mwcb_status[] = {
    HEADER_FIELDS,
    {"breached_level", 11, 1, DP_ITCH_CHAR},
};

static const struct dp_itch_field ipo_quoting_period_update[] = {
    HEADER_FIELDS,
    {"stock", 11, 8, DP_ITCH_ALPHA},
    {"ipo_quotation_release_time", 19, 4, DP_ITCH_UINT},
    {"ipo_quotation_release_qualifier", 23, 1, DP_ITCH_CHAR},
    {"ipo_price", 24, 4, DP_ITCH_PRICE4},
};

static const struct dp_itch_field luld_auction_collar[] = {
    HEADER_FIELDS,
    {"stock", 11, 8, DP_ITCH_ALPHA},
    {"auction_collar_reference_price", 19, 4, DP_ITCH_PRICE4},
    {"upper_auction_collar_price", 23, 4, DP_ITCH_PRICE4},
    {"lower_auction_collar_price", 27, 4, DP_ITCH_PRICE4},
    {"auction_collar_extension", 31, 4, DP_ITCH_UINT},
};

static const struct dp_itch_field operational_halt[] = {
    HEADER_FIELDS,
    {"stock", 11, 8, DP_ITCH_ALPHA},
    {"market_code", 19, 1, DP_ITCH_CHAR},
    {"operational_halt_action", 20, 1, DP_ITCH_CHAR},
};

static const struct dp_itch_field add_order[] = {
    HEADER_FIELDS,
    {"order_reference_number", 11, 8, DP_ITCH_UINT},
    {"side", 19, 1, DP_ITCH_CHAR},
    {"shares", 20, 4, DP_ITCH_UINT},
    {"stock", 24, 8, DP_ITCH_ALPHA},
    {"price", 32, 4, DP_ITCH_PRICE4},
};

static const struct dp_itch_field add_order_mpid[] = {
    HEADER_FIELDS,
    {"order_reference_number", 11, 8, DP_ITCH_UINT},
    {"side", 19, 1, DP_ITCH_CHAR},
    {"shares", 20, 4, DP_ITCH_UINT},
    {"stock", 24, 8, DP_ITCH_ALPHA},
    {"price", 32, 4, DP_ITCH_PRICE4},
    {"attribution", 36, 4, DP_ITCH_ALPHA},
};

static const struct dp_itch_field order_executed[] = {
    HEADER_FIELDS,
    {"order_reference_number", 11, 8, DP_ITCH_UINT},
    {"executed_shares", 19, 4, DP_ITCH_UINT},
    {"match_number", 23, 8, DP_ITCH_UINT},
};

static const struct dp_itch_field order_executed_with_price[] = {
    HEADER_FIELDS,
    {"order_reference_number", 11, 8, DP_ITCH_UINT},
    {"executed_shares", 19, 4, DP_ITCH_UINT},
    {"match_number", 23, 8, DP_ITCH_UINT},
    {"printable", 31, 1, DP_ITCH_CHAR},
    {"execution_price", 32, 4, DP_ITCH_PRICE4},
};

static const struct dp_itch_field order_cancel[] = {
    HEADER_FIELDS,
    {"order_reference_number", 11, 8, DP_ITCH_UINT},
    {"canceled_shares", 19, 4, DP_ITCH_UINT},
};

static const struct dp_itch_field order_delete[] = {
    HEADER_FIELDS,
    {"order_reference_number", 11, 8, DP_ITCH_UINT},
};

static const struct dp_itch_field order_replace[] = {
    HEADER_FIELDS,
    {"original_order_reference_number", 11, 8, DP_ITCH_UINT},
    {"new_order_reference_number", 19, 8, DP_ITCH_UINT},
    {"shares", 27, 4, DP_ITCH_UINT},
    {"price", 31, 4, DP_ITCH_PRICE4},
};

static const struct dp_itch_field trade_non_cross[] = {
    HEADER_FIELDS,
    {"order_reference_number", 11, 8, DP_ITCH_UINT},
    {"side", 19, 1, DP_ITCH_CHAR},
    {"shares", 20, 4, DP_ITCH_UINT},
    {"stock", 24, 8, DP_ITCH_ALPHA},
    {"price", 32, 4, DP_ITCH_PRICE4},
    {"match_number", 36, 8, DP_ITCH_UINT},
};

static const struct dp_itch_field cross_trade[] = {
    HEADER_FIELDS,
    {"shares", 11, 8, DP_ITCH_UINT},
    {"stock", 19, 8, DP_ITCH_ALPHA},
    {"cross_price", 27, 4, DP_ITCH_PRICE4},
    {"match_number", 31, 8, DP_ITCH_UINT},
    {"cross_type", 39, 1, DP_ITCH_CHAR},
};

static const struct dp_itch_field broken_trade[] = {
    HEADER_FIELDS,
    {"match_number", 11, 8, DP_ITCH_UINT},
};

static const struct dp_itch_field noii[] = {
    HEADER_FIELDS,
    {"paired_shares", 11, 8, DP_ITCH_UINT},
    {"imbalance_shares", 19, 8, DP_ITCH_UINT},
    {"imbalance_direction", 27, 1, DP_ITCH_CHAR},
    {"stock", 28, 8, DP_ITCH_ALPHA},
    {"far_price", 36, 4, DP_ITCH_PRICE4},
    {"near_price", 40, 4, DP_ITCH_PRICE4},
    {"current_reference_price", 44, 4, DP_ITCH_PRICE4},
    {"cross_type", 48, 1, DP_ITCH_CHAR},
    {"price_variation_indicator", 49, 1, DP_ITCH_CHAR},
};

static const struct dp_itch_field retail_price_improvement[] = {
    HEADER_FIELDS,
    {"stock", 11, 8, DP_ITCH_ALPHA},
    {"interest_flag", 19, 1, DP_ITCH_CHAR},
};

static const struct dp_itch_field direct_listing_capital_raise[] = {
    HEADER_FIELDS,
    {"stock", 11, 8, DP_ITCH_ALPHA},
    {"open_eligibility_status", 19, 1, DP_ITCH_CHAR},
    {"minimum_allowable_price", 20, 4, DP_ITCH_PRICE4},
    {"maximum_allowable_price", 24, 4, DP_ITCH_PRICE4},
    {"near_execution_price", 28, 4, DP_ITCH_PRICE4},
    {"near_execution_time", 32, 8, DP_ITCH_UINT},
    {"lower_price_range_collar", 40, 4, DP_ITCH_PRICE4},
    {"upper_price_range_collar", 44, 4, DP_ITCH_PRICE4},
};

#define FIELD_COUNT(fields) (uint8_t)(sizeof(fields) / sizeof((fields)[0]))
/* clang-format off */
#define TYPE(type, length, fields) {type, length, FIELD_COUNT(fields), #fields, fields}
/* clang-format on */

static const struct dp_itch_type types[] = {
    TYPE('S', 12, system_event),
    TYPE('R', 39, stock_directory),
    TYPE('H', 25, stock_trading_action),
    TYPE('Y', 20, reg_sho_restriction),
    TYPE('L', 26, market_participant_position),
    TYPE('V', 35, mwcb_decline_level),
    TYPE('W', 12, mwcb_status),
    TYPE('K', 28, ipo_quoting_period_update),
    TYPE('J', 35, luld_auction_collar),
    TYPE('h', 21, operational_halt),
    TYPE('A', 36, add_order),
    TYPE('F', 40, add_order_mpid),
    TYPE('E', 31, order_executed),
    TYPE('C', 36, order_executed_with_price),
    TYPE('X', 23, order_cancel),
    TYPE('D', 19, order_delete),
    TYPE('U', 35, order_replace),
    TYPE('P', 44, trade_non_cross),
    TYPE('Q', 40, cross_trade),
    TYPE('B', 19, broken_trade),
    TYPE('I', 50, noii),
    TYPE('N', 20, retail_price_improvement),
    TYPE('O', 48, direct_listing_capital_raise),
};

#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

static_assert(TYPE_COUNT == 23, "ITCH 5.0, revision of 19 February 2026");

const struct dp_itch_type *dp_itch_type(uint8_t type)
{
    for (size_t index = 0; index < TYPE_COUNT; index++)
        if ((uint8_t)types[index].type == type)
            return &types[index];
    return NULL;
}

const struct dp_itch_type *dp_itch_type_at(size_t index)
{
    return index < TYPE_COUNT ? &types[index] : NULL;
}
