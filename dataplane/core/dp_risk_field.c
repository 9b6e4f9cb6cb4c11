#include "dp_risk_field.h"

#include <errno.h>

#define FIELD(type, member, key, money) \
    { \
        key, offsetof(struct type, member), sizeof(((struct type *)0)->member), money \
    }

#define STRATEGY(member, key, money) FIELD(dp_risk_strategy_limits, member, key, money)
static const struct dp_risk_field strategy_fields[] = {
    STRATEGY(order_qty_max, "max_order_qty", false),
    STRATEGY(order_notional_max_nanos, "max_order_notional", true),
    STRATEGY(gross_max_nanos, "max_gross", true),
    STRATEGY(net_max_nanos, "max_net", true),
    STRATEGY(open_order_count_max, "max_open_orders", false),
    STRATEGY(order_rate_max, "order_rate", false),
    STRATEGY(order_burst_max, "order_burst", false),
    STRATEGY(duplicate_count_max, "duplicate_count", false),
    STRATEGY(duplicate_window_ns, "duplicate_window_ns", false),
    STRATEGY(fan_out_max, "max_fan_out", false),
    STRATEGY(reject_rate_max, "max_reject_rate", false),
    STRATEGY(fill_rate_max, "max_fill_rate", false),
    STRATEGY(loss_max_nanos, "max_loss", true),
    STRATEGY(drawdown_max_nanos, "max_drawdown", true),
    STRATEGY(soft_percent, "soft_percent", false),
};

#define GROUP(member, key, money) FIELD(dp_risk_group_limits, member, key, money)
static const struct dp_risk_field group_fields[] = {
    GROUP(order_qty_max, "max_order_qty", false),
    GROUP(order_notional_max_nanos, "max_order_notional", true),
    GROUP(gross_max_nanos, "max_gross", true),
    GROUP(net_max_nanos, "max_net", true),
    GROUP(open_order_count_max, "max_open_orders", false),
    GROUP(open_max_nanos, "max_open_notional", true),
    GROUP(entered_max_nanos, "max_entered", true),
    GROUP(message_floor, "message_floor", false),
    GROUP(message_ratio, "message_ratio", false),
    GROUP(order_rate_max, "order_rate", false),
    GROUP(order_burst_max, "order_burst", false),
    GROUP(loss_max_nanos, "max_loss", true),
    GROUP(drawdown_max_nanos, "max_drawdown", true),
    GROUP(feed_age_max_ns, "max_feed_age_ns", false),
};

#define INSTRUMENT(member, key, money) FIELD(dp_risk_instrument_limits, member, key, money)
static const struct dp_risk_field instrument_fields[] = {
    INSTRUMENT(order_qty_max, "max_order_qty", false),
    INSTRUMENT(order_notional_max_nanos, "max_order_notional", true),
    INSTRUMENT(position_max, "max_position", false),
    INSTRUMENT(collar_bps, "collar_bps", false),
    INSTRUMENT(collar_abs_nanos, "collar_abs", true),
    INSTRUMENT(adv_fraction_bps, "max_adv_bps", false),
    INSTRUMENT(adv_qty, "adv_qty", false),
    INSTRUMENT(band_low_nanos, "band_low", true),
    INSTRUMENT(band_high_nanos, "band_high", true),
    INSTRUMENT(reference_age_max_ns, "max_reference_age_ns", false),
    INSTRUMENT(locate_qty, "locate_qty", false),
    INSTRUMENT(typical_multiple, "typical_multiple", false),
    INSTRUMENT(impact_bps, "impact_bps", false),
    INSTRUMENT(impact_levels, "impact_levels", false),
    INSTRUMENT(accounts_denied, "accounts_denied", false),
};

#define COUNT(fields) ((uint32_t)(sizeof(fields) / sizeof((fields)[0])))

uint32_t dp_risk_field_count(enum dp_risk_scope_kind kind)
{
    switch (kind) {
    case DP_RISK_SCOPE_FIRM:
    case DP_RISK_SCOPE_ACCOUNT: return COUNT(group_fields);
    case DP_RISK_SCOPE_STRATEGY: return COUNT(strategy_fields);
    case DP_RISK_SCOPE_INSTRUMENT: return COUNT(instrument_fields);
    default: return 0;
    }
}

const struct dp_risk_field *dp_risk_field_at(enum dp_risk_scope_kind kind, uint32_t number)
{
    if (number >= dp_risk_field_count(kind))
        return NULL;
    switch (kind) {
    case DP_RISK_SCOPE_STRATEGY: return &strategy_fields[number];
    case DP_RISK_SCOPE_INSTRUMENT: return &instrument_fields[number];
    default: return &group_fields[number];
    }
}

/* One scope's limits, of whichever kind. */
union limits {
    struct dp_risk_strategy_limits strategy;
    struct dp_risk_group_limits group;
    struct dp_risk_instrument_limits instrument;
};

static bool read_limits(
    const struct dp_risk *risk, struct dp_risk_scope scope, union limits *limits)
{
    switch (scope.kind) {
    case DP_RISK_SCOPE_FIRM: return dp_risk_group_limits(risk, DP_RISK_FIRM, &limits->group);
    case DP_RISK_SCOPE_ACCOUNT: return dp_risk_group_limits(risk, scope.index + 1, &limits->group);
    case DP_RISK_SCOPE_STRATEGY:
        return dp_risk_strategy_limits(risk, (uint16_t)scope.index, &limits->strategy);
    case DP_RISK_SCOPE_INSTRUMENT:
        return dp_risk_instrument_limits(risk, scope.index, &limits->instrument);
    default: return false;
    }
}

static int write_limits(struct dp_risk *risk, struct dp_risk_scope scope,
    const union limits *limits, struct dp_err *err)
{
    switch (scope.kind) {
    case DP_RISK_SCOPE_FIRM: return dp_risk_set_group(risk, DP_RISK_FIRM, &limits->group, err);
    case DP_RISK_SCOPE_ACCOUNT:
        return dp_risk_set_group(risk, scope.index + 1, &limits->group, err);
    case DP_RISK_SCOPE_STRATEGY:
        return dp_risk_set_strategy(risk, (uint16_t)scope.index, &limits->strategy, err);
    default: return dp_risk_set_instrument(risk, scope.index, &limits->instrument, err);
    }
}

static int64_t load(const void *limits, const struct dp_risk_field *field)
{
    uint32_t small = 0;
    int64_t value = 0;
    if (field->size == sizeof(small)) {
        memcpy(&small, (const uint8_t *)limits + field->offset, sizeof(small));
        return small;
    }
    memcpy(&value, (const uint8_t *)limits + field->offset, sizeof(value));
    return value;
}

static bool store(void *limits, const struct dp_risk_field *field, int64_t value)
{
    uint32_t small = (uint32_t)value;
    bool fits = value >= 0 && (field->size == sizeof(value) || value <= UINT32_MAX);
    if (fits && field->size == sizeof(small))
        memcpy((uint8_t *)limits + field->offset, &small, sizeof(small));
    else if (fits)
        memcpy((uint8_t *)limits + field->offset, &value, sizeof(value));
    return fits;
}

bool dp_risk_field_get(
    const struct dp_risk *risk, struct dp_risk_scope scope, uint32_t number, int64_t *value)
{
    union limits limits;
    const struct dp_risk_field *field = dp_risk_field_at(scope.kind, number);
    if (field == NULL || !read_limits(risk, scope, &limits))
        return false;
    *value = load(&limits, field);
    return true;
}

int dp_risk_field_set(struct dp_risk *risk, struct dp_risk_scope scope, uint32_t number,
    int64_t value, struct dp_err *err)
{
    union limits limits;
    const struct dp_risk_field *field = dp_risk_field_at(scope.kind, number);
    if (field == NULL || !read_limits(risk, scope, &limits))
        return dp_err_set(err, ENOENT, "risk: no such limit; see: tickplane limits show");
    if (!store(&limits, field, value))
        return dp_err_set(
            err, EINVAL, "risk: %s: %lld; give a number from 0", field->name, (long long)value);
    return write_limits(risk, scope, &limits, err);
}
