#include "dp_ouch.h"

/* The tables of OUCH 5.0, one row a field: the only place that knows an offset. */
#define FIELD(name, offset, length, kind, member) \
    { \
        name, offset, length, DP_OUCH_##kind, offsetof(struct dp_ouch_message, member) \
    }

static const struct dp_ouch_field enter_order_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("user_ref_num", 1, 4, UINT, user_ref_num),
    FIELD("side", 5, 1, CHAR, side),
    FIELD("quantity", 6, 4, UINT, qty),
    FIELD("symbol", 10, 8, ALPHA, symbol),
    FIELD("price", 18, 8, PRICE8, price_wire),
    FIELD("time_in_force", 26, 1, CHAR, time_in_force),
    FIELD("display", 27, 1, CHAR, display),
    FIELD("capacity", 28, 1, CHAR, capacity),
    FIELD("intermarket_sweep", 29, 1, CHAR, intermarket_sweep),
    FIELD("cross_type", 30, 1, CHAR, cross_type),
    FIELD("cl_ord_id", 31, 14, ALPHA, cl_ord_id),
    FIELD("appendage_length", 45, 2, UINT, options_size),
};

static const struct dp_ouch_field replace_order_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("orig_user_ref_num", 1, 4, UINT, orig_user_ref_num),
    FIELD("user_ref_num", 5, 4, UINT, user_ref_num),
    FIELD("quantity", 9, 4, UINT, qty),
    FIELD("price", 13, 8, PRICE8, price_wire),
    FIELD("time_in_force", 21, 1, CHAR, time_in_force),
    FIELD("display", 22, 1, CHAR, display),
    FIELD("intermarket_sweep", 23, 1, CHAR, intermarket_sweep),
    FIELD("cl_ord_id", 24, 14, ALPHA, cl_ord_id),
    FIELD("appendage_length", 38, 2, UINT, options_size),
};

static const struct dp_ouch_field cancel_order_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("user_ref_num", 1, 4, UINT, user_ref_num),
    FIELD("quantity", 5, 4, UINT, qty),
};

static const struct dp_ouch_field modify_order_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("user_ref_num", 1, 4, UINT, user_ref_num),
    FIELD("side", 5, 1, CHAR, side),
    FIELD("quantity", 6, 4, UINT, qty),
};

static const struct dp_ouch_field account_query_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
};

static const struct dp_ouch_field mass_cancel_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("user_ref_num", 1, 4, UINT, user_ref_num),
    FIELD("firm", 5, 4, ALPHA, firm),
    FIELD("symbol", 9, 8, ALPHA, symbol),
    FIELD("appendage_length", 17, 2, UINT, options_size),
};

static const struct dp_ouch_field disable_order_entry_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("user_ref_num", 1, 4, UINT, user_ref_num),
    FIELD("firm", 5, 4, ALPHA, firm),
    FIELD("appendage_length", 9, 2, UINT, options_size),
};

static const struct dp_ouch_field enable_order_entry_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("user_ref_num", 1, 4, UINT, user_ref_num),
    FIELD("firm", 5, 4, ALPHA, firm),
    FIELD("appendage_length", 9, 2, UINT, options_size),
};

static const struct dp_ouch_field system_event_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("timestamp", 1, 8, TIME8, timestamp_ns),
    FIELD("event_code", 9, 1, CHAR, event_code),
};

static const struct dp_ouch_field order_accepted_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("timestamp", 1, 8, TIME8, timestamp_ns),
    FIELD("user_ref_num", 9, 4, UINT, user_ref_num),
    FIELD("side", 13, 1, CHAR, side),
    FIELD("quantity", 14, 4, UINT, qty),
    FIELD("symbol", 18, 8, ALPHA, symbol),
    FIELD("price", 26, 8, PRICE8, price_wire),
    FIELD("time_in_force", 34, 1, CHAR, time_in_force),
    FIELD("display", 35, 1, CHAR, display),
    FIELD("order_reference_number", 36, 8, UINT, order_ref),
    FIELD("capacity", 44, 1, CHAR, capacity),
    FIELD("intermarket_sweep", 45, 1, CHAR, intermarket_sweep),
    FIELD("cross_type", 46, 1, CHAR, cross_type),
    FIELD("order_state", 47, 1, CHAR, order_state),
    FIELD("cl_ord_id", 48, 14, ALPHA, cl_ord_id),
    FIELD("appendage_length", 62, 2, UINT, options_size),
};

static const struct dp_ouch_field order_replaced_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("timestamp", 1, 8, TIME8, timestamp_ns),
    FIELD("orig_user_ref_num", 9, 4, UINT, orig_user_ref_num),
    FIELD("user_ref_num", 13, 4, UINT, user_ref_num),
    FIELD("side", 17, 1, CHAR, side),
    FIELD("quantity", 18, 4, UINT, qty),
    FIELD("symbol", 22, 8, ALPHA, symbol),
    FIELD("price", 30, 8, PRICE8, price_wire),
    FIELD("time_in_force", 38, 1, CHAR, time_in_force),
    FIELD("display", 39, 1, CHAR, display),
    FIELD("order_reference_number", 40, 8, UINT, order_ref),
    FIELD("capacity", 48, 1, CHAR, capacity),
    FIELD("intermarket_sweep", 49, 1, CHAR, intermarket_sweep),
    FIELD("cross_type", 50, 1, CHAR, cross_type),
    FIELD("order_state", 51, 1, CHAR, order_state),
    FIELD("cl_ord_id", 52, 14, ALPHA, cl_ord_id),
    FIELD("appendage_length", 66, 2, UINT, options_size),
};

static const struct dp_ouch_field order_canceled_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("timestamp", 1, 8, TIME8, timestamp_ns),
    FIELD("user_ref_num", 9, 4, UINT, user_ref_num),
    FIELD("quantity", 13, 4, UINT, qty),
    FIELD("reason", 17, 1, CHAR, reason),
};

static const struct dp_ouch_field aiq_canceled_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("timestamp", 1, 8, TIME8, timestamp_ns),
    FIELD("user_ref_num", 9, 4, UINT, user_ref_num),
    FIELD("decrement_shares", 13, 4, UINT, qty),
    FIELD("reason", 17, 1, CHAR, reason),
    FIELD("quantity_prevented_from_trading", 18, 4, UINT, qty_prevented),
    FIELD("execution_price", 22, 8, PRICE8, price_wire),
    FIELD("liquidity_flag", 30, 1, CHAR, liquidity_flag),
    FIELD("aiq_strategy", 31, 1, CHAR, aiq_strategy),
};

static const struct dp_ouch_field order_executed_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("timestamp", 1, 8, TIME8, timestamp_ns),
    FIELD("user_ref_num", 9, 4, UINT, user_ref_num),
    FIELD("quantity", 13, 4, UINT, qty),
    FIELD("price", 17, 8, PRICE8, price_wire),
    FIELD("liquidity_flag", 25, 1, CHAR, liquidity_flag),
    FIELD("match_number", 26, 8, UINT, match_number),
    FIELD("appendage_length", 34, 2, UINT, options_size),
};

static const struct dp_ouch_field broken_trade_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("timestamp", 1, 8, TIME8, timestamp_ns),
    FIELD("user_ref_num", 9, 4, UINT, user_ref_num),
    FIELD("match_number", 13, 8, UINT, match_number),
    FIELD("reason", 21, 1, CHAR, reason),
    FIELD("cl_ord_id", 22, 14, ALPHA, cl_ord_id),
};

static const struct dp_ouch_field rejected_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("timestamp", 1, 8, TIME8, timestamp_ns),
    FIELD("user_ref_num", 9, 4, UINT, user_ref_num),
    FIELD("reason", 13, 2, CODE16, reject_code),
    FIELD("cl_ord_id", 15, 14, ALPHA, cl_ord_id),
};

static const struct dp_ouch_field cancel_pending_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("timestamp", 1, 8, TIME8, timestamp_ns),
    FIELD("user_ref_num", 9, 4, UINT, user_ref_num),
};

static const struct dp_ouch_field cancel_reject_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("timestamp", 1, 8, TIME8, timestamp_ns),
    FIELD("user_ref_num", 9, 4, UINT, user_ref_num),
};

static const struct dp_ouch_field order_priority_update_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("timestamp", 1, 8, TIME8, timestamp_ns),
    FIELD("user_ref_num", 9, 4, UINT, user_ref_num),
    FIELD("price", 13, 8, PRICE8, price_wire),
    FIELD("display", 21, 1, CHAR, display),
    FIELD("order_reference_number", 22, 8, UINT, order_ref),
};

static const struct dp_ouch_field order_modified_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("timestamp", 1, 8, TIME8, timestamp_ns),
    FIELD("user_ref_num", 9, 4, UINT, user_ref_num),
    FIELD("side", 13, 1, CHAR, side),
    FIELD("quantity", 14, 4, UINT, qty),
};

static const struct dp_ouch_field order_restated_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("timestamp", 1, 8, TIME8, timestamp_ns),
    FIELD("user_ref_num", 9, 4, UINT, user_ref_num),
    FIELD("reason", 13, 1, CHAR, reason),
    FIELD("appendage_length", 14, 2, UINT, options_size),
};

static const struct dp_ouch_field account_query_response_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("timestamp", 1, 8, TIME8, timestamp_ns),
    FIELD("next_user_ref_num", 9, 4, UINT, user_ref_num),
};

static const struct dp_ouch_field mass_cancel_response_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("timestamp", 1, 8, TIME8, timestamp_ns),
    FIELD("user_ref_num", 9, 4, UINT, user_ref_num),
    FIELD("firm", 13, 4, ALPHA, firm),
    FIELD("symbol", 17, 8, ALPHA, symbol),
    FIELD("appendage_length", 25, 2, UINT, options_size),
};

static const struct dp_ouch_field disable_order_entry_response_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("timestamp", 1, 8, TIME8, timestamp_ns),
    FIELD("user_ref_num", 9, 4, UINT, user_ref_num),
    FIELD("firm", 13, 4, ALPHA, firm),
    FIELD("appendage_length", 17, 2, UINT, options_size),
};

static const struct dp_ouch_field enable_order_entry_response_fields[] = {
    FIELD("type", 0, 1, CHAR, type),
    FIELD("timestamp", 1, 8, TIME8, timestamp_ns),
    FIELD("user_ref_num", 9, 4, UINT, user_ref_num),
    FIELD("firm", 13, 4, ALPHA, firm),
    FIELD("appendage_length", 17, 2, UINT, options_size),
};

#define TYPE(letter, direction, length, appendage, name) \
    { \
        letter, DP_OUCH_##direction, length, sizeof(name##_fields) / sizeof(name##_fields[0]), \
            DP_OUCH_APPENDAGE_##appendage, #name, name##_fields \
    }

/* C D E inbound and X G K outbound are of the 2025 revision. */
static const struct dp_ouch_type types[] = {
    TYPE('O', INBOUND, 47, REQUIRED, enter_order),
    TYPE('U', INBOUND, 40, REQUIRED, replace_order),
    TYPE('X', INBOUND, 9, OPTIONAL, cancel_order),
    TYPE('M', INBOUND, 10, OPTIONAL, modify_order),
    TYPE('Q', INBOUND, 1, OPTIONAL, account_query),
    TYPE('C', INBOUND, 19, REQUIRED, mass_cancel),
    TYPE('D', INBOUND, 11, REQUIRED, disable_order_entry),
    TYPE('E', INBOUND, 11, REQUIRED, enable_order_entry),
    TYPE('S', OUTBOUND, 10, NONE, system_event),
    TYPE('A', OUTBOUND, 64, REQUIRED, order_accepted),
    TYPE('U', OUTBOUND, 68, REQUIRED, order_replaced),
    TYPE('C', OUTBOUND, 18, OPTIONAL, order_canceled),
    TYPE('D', OUTBOUND, 32, OPTIONAL, aiq_canceled),
    TYPE('E', OUTBOUND, 36, REQUIRED, order_executed),
    TYPE('B', OUTBOUND, 36, OPTIONAL, broken_trade),
    TYPE('J', OUTBOUND, 29, OPTIONAL, rejected),
    TYPE('P', OUTBOUND, 13, OPTIONAL, cancel_pending),
    TYPE('I', OUTBOUND, 13, OPTIONAL, cancel_reject),
    TYPE('T', OUTBOUND, 30, OPTIONAL, order_priority_update),
    TYPE('M', OUTBOUND, 18, OPTIONAL, order_modified),
    TYPE('R', OUTBOUND, 16, REQUIRED, order_restated),
    TYPE('Q', OUTBOUND, 13, OPTIONAL, account_query_response),
    TYPE('X', OUTBOUND, 27, REQUIRED, mass_cancel_response),
    TYPE('G', OUTBOUND, 19, REQUIRED, disable_order_entry_response),
    TYPE('K', OUTBOUND, 19, REQUIRED, enable_order_entry_response),
};

#define TYPE_COUNT (sizeof(types) / sizeof(types[0]))

const struct dp_ouch_type *dp_ouch_type_at(size_t index)
{
    return index < TYPE_COUNT ? &types[index] : NULL;
}

const struct dp_ouch_type *dp_ouch_type(uint8_t type, enum dp_ouch_direction direction)
{
    for (size_t index = 0; index < TYPE_COUNT; index++)
        if ((uint8_t)types[index].type == type && types[index].direction == (uint8_t)direction)
            return &types[index];
    return NULL;
}
