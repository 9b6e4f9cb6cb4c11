/* What was commanded: limits are checked, stored as a whole, and the gate tells every lane. */
#include <errno.h>

#include "dp_risk.h"
#include "dp_risk_layout.h"

struct limit_row {
    const char *name;
    int64_t value;
    int64_t min;
    int64_t max; /* UNLIMITED is taken besides */
};

#define ROW_COUNT(rows) (sizeof(rows) / sizeof((rows)[0]))

static int check_limits(const char *where, uint32_t index, const struct limit_row *rows,
    size_t row_count, struct dp_err *err)
{
    for (const struct limit_row *row = rows; row < rows + row_count; row++) {
        bool fits = row->value >= row->min && row->value <= row->max;
        if (!fits && row->value != DP_RISK_UNLIMITED)
            return dp_err_set(err, EINVAL, "risk: %s %u: %s: %lld; give %lld to %lld, or unlimited",
                where, index, row->name, (long long)row->value, (long long)row->min,
                (long long)row->max);
    }
    return 0;
}

static int check_index(const char *what, uint32_t index, uint32_t count, struct dp_err *err)
{
    if (index < count)
        return 0;
    return dp_err_set(err, EINVAL, "risk: %s: %u; give one below %u", what, index, count);
}

/* A limit above INT64_MAX is as good as none. */
static int64_t signed_limit(uint64_t limit)
{
    return limit > INT64_MAX ? DP_RISK_UNLIMITED : (int64_t)limit;
}

/* ---- strategies ---- */

static int check_strategy(
    uint32_t index, const struct dp_risk_strategy_limits *limits, struct dp_err *err)
{
    const struct limit_row rows[] = {
        {"order_qty_max", signed_limit(limits->order_qty_max), 0, INT64_MAX},
        {"order_notional_max_nanos", limits->order_notional_max_nanos, 0, INT64_MAX},
        {"gross_max_nanos", limits->gross_max_nanos, 0, INT64_MAX},
        {"net_max_nanos", limits->net_max_nanos, 0, INT64_MAX},
        {"order_rate_max", signed_limit(limits->order_rate_max), 1, DP_RISK_RATE_MAX},
        {"order_burst_max", signed_limit(limits->order_burst_max), 1, DP_RISK_RATE_MAX},
        {"duplicate_count_max", signed_limit(limits->duplicate_count_max), 1,
            DP_RISK_DUPLICATES_MAX},
        {"duplicate_window_ns", limits->duplicate_window_ns, 0, INT64_MAX},
        {"reject_rate_max", signed_limit(limits->reject_rate_max), 0, DP_RISK_RATE_MAX},
        {"fill_rate_max", signed_limit(limits->fill_rate_max), 0, DP_RISK_RATE_MAX},
        {"loss_max_nanos", limits->loss_max_nanos, 0, INT64_MAX},
        {"drawdown_max_nanos", limits->drawdown_max_nanos, 0, INT64_MAX},
        {"soft_percent", limits->soft_percent, 0, 100},
    };
    return check_limits("strategy", index, rows, ROW_COUNT(rows), err);
}

static int check_places(
    const struct dp_risk *risk, const struct dp_risk_strategy_limits *limits, struct dp_err *err)
{
    const struct dp_risk_config *config = &risk->config;
    uint32_t accounts = config->account_count_max > 0 ? config->account_count_max : 1;
    int status = check_index("account index", limits->account_index, accounts, err);
    if (status == 0)
        status = check_index("lane", limits->lane, config->lane_count_max, err);
    return status;
}

int dp_risk_set_strategy(struct dp_risk *risk, uint16_t strategy_index,
    const struct dp_risk_strategy_limits *limits, struct dp_err *err)
{
    int status =
        check_index("strategy index", strategy_index, risk->config.strategy_count_max, err);
    if (status == 0)
        status = check_places(risk, limits, err);
    if (status == 0 && limits->has_policy)
        status = check_strategy(strategy_index, limits, err);
    if (status < 0)
        return status;

    struct risk_strategy *strategy = &risk->strategies[strategy_index];
    uint64_t words[RISK_WORDS(*limits)];
    memcpy(words, limits, sizeof(words));
    dp_versioned_write(&strategy->version, strategy->words[0], RISK_WORDS(*limits), words);
    if (dp_load_relaxed(&strategy->version) > 1)
        dp_switch_tell(&risk->gate);
    return 0;
}

bool dp_risk_read_strategy(
    const struct risk_strategy *strategy, struct dp_risk_strategy_limits *limits)
{
    uint64_t words[RISK_WORDS(*limits)];
    bool whole =
        dp_versioned_read(&strategy->version, strategy->words[0], RISK_WORDS(*limits), words);
    memcpy(limits, words, sizeof(*limits));
    return whole && limits->has_policy;
}

bool dp_risk_strategy_limits(
    const struct dp_risk *risk, uint16_t strategy_index, struct dp_risk_strategy_limits *limits)
{
    return strategy_index < risk->config.strategy_count_max &&
        dp_risk_read_strategy(&risk->strategies[strategy_index], limits);
}

/* ---- pools ---- */

/* A limit that is not shared (unlimited) has an empty pool. */
static int64_t pooled(int64_t limit)
{
    return limit == DP_CREDIT_UNLIMITED ? 0 : limit;
}

/* First the pool, then the number that lanes compare with; the gate is moved after both. */
static void set_pool(struct dp_credit_pool *pool, _Atomic int64_t *stored, int64_t limit)
{
    int64_t before = dp_load_relaxed(stored);
    dp_credit_grow(pool, pooled(limit) - pooled(before));
    dp_store_relaxed(stored, limit);
}

/* 2^63 nanos are 9.2e13 ticks: below DP_CREDIT_MAX. */
static int64_t money_limit(int64_t nanos)
{
    return nanos == DP_RISK_UNLIMITED ? DP_CREDIT_UNLIMITED : nanos / DP_RISK_TICK_NANOS;
}

static int64_t count_limit(uint64_t count)
{
    return count >= (uint64_t)DP_CREDIT_MAX ? DP_CREDIT_UNLIMITED : (int64_t)count;
}

/* ---- accounts and the firm ---- */

static int check_group(
    uint32_t group, const struct dp_risk_group_limits *limits, struct dp_err *err)
{
    const struct limit_row rows[] = {
        {"order_notional_max_nanos", limits->order_notional_max_nanos, 0, INT64_MAX},
        {"gross_max_nanos", limits->gross_max_nanos, 0, INT64_MAX},
        {"net_max_nanos", limits->net_max_nanos, 0, INT64_MAX},
        {"open_max_nanos", limits->open_max_nanos, 0, INT64_MAX},
        {"entered_max_nanos", limits->entered_max_nanos, 0, INT64_MAX},
        {"message_ratio", signed_limit(limits->message_ratio), 0, DP_RISK_RATE_MAX},
        {"order_rate_max", signed_limit(limits->order_rate_max), 1, DP_RISK_RATE_MAX},
        {"order_burst_max", signed_limit(limits->order_burst_max), 1, DP_RISK_RATE_MAX},
        {"loss_max_nanos", limits->loss_max_nanos, 0, INT64_MAX},
        {"drawdown_max_nanos", limits->drawdown_max_nanos, 0, INT64_MAX},
        {"feed_age_max_ns", limits->feed_age_max_ns, 0, INT64_MAX},
        {"soft_percent", limits->soft_percent, 0, 100},
    };
    return check_limits("group", group, rows, ROW_COUNT(rows), err);
}

static void set_group_pools(struct risk_group *group, const struct dp_risk_group_limits *limits)
{
    const int64_t values[RISK_DIMS] = {
        [RISK_GROSS] = money_limit(limits->gross_max_nanos),
        [RISK_OPEN] = money_limit(limits->open_max_nanos),
        [RISK_ENTERED] = money_limit(limits->entered_max_nanos),
        [RISK_COUNT] = count_limit(limits->open_order_count_max),
        [RISK_MESSAGES] = count_limit(limits->message_floor),
        [RISK_NET_BUY] = money_limit(limits->net_max_nanos),
        [RISK_NET_SELL] = money_limit(limits->net_max_nanos),
        [RISK_SPARE] = DP_CREDIT_UNLIMITED,
    };
    for (uint32_t dim = 0; dim < RISK_DIMS; dim++)
        set_pool(&group->pools[dim], &group->limits[dim], values[dim]);
}

int dp_risk_set_group(struct dp_risk *risk, uint32_t group_index,
    const struct dp_risk_group_limits *limits, struct dp_err *err)
{
    int status = check_index("group", group_index, 1 + risk->config.account_count_max, err);
    if (status == 0 && limits->has_policy)
        status = check_group(group_index, limits, err);
    if (status < 0)
        return status;

    struct risk_group *group = dp_risk_group(risk, group_index);
    uint64_t words[RISK_WORDS(*limits)];
    memcpy(words, limits, sizeof(words));
    if (limits->has_policy)
        set_group_pools(group, limits);
    dp_versioned_write(&group->version, group->words[0], RISK_WORDS(*limits), words);
    if (dp_load_relaxed(&group->version) > 1)
        dp_switch_tell(&risk->gate);
    return 0;
}

bool dp_risk_read_group(const struct risk_group *group, struct dp_risk_group_limits *limits)
{
    uint64_t words[RISK_WORDS(*limits)];
    bool whole = dp_versioned_read(&group->version, group->words[0], RISK_WORDS(*limits), words);
    memcpy(limits, words, sizeof(*limits));
    return whole && limits->has_policy;
}

bool dp_risk_group_limits(
    const struct dp_risk *risk, uint32_t group, struct dp_risk_group_limits *limits)
{
    return group <= risk->config.account_count_max &&
        dp_risk_read_group(dp_risk_group(risk, group), limits);
}

/* ---- instruments ---- */

static int check_instrument(
    uint32_t index, const struct dp_risk_instrument_limits *limits, struct dp_err *err)
{
    const struct limit_row rows[] = {
        {"order_notional_max_nanos", limits->order_notional_max_nanos, 0, INT64_MAX},
        {"collar_abs_nanos", limits->collar_abs_nanos, 0, INT64_MAX},
        {"adv_fraction_bps", limits->adv_fraction_bps, 0, 10000},
        {"band_low_nanos", limits->band_low_nanos, 0, INT64_MAX},
        {"band_high_nanos", limits->band_high_nanos, 0, INT64_MAX},
        {"reference_age_max_ns", limits->reference_age_max_ns, 0, INT64_MAX},
        {"impact_bps", limits->impact_bps, 0, 10000},
    };
    return check_limits("instrument", index, rows, ROW_COUNT(rows), err);
}

static void set_instrument_pools(
    struct risk_instrument *instrument, const struct dp_risk_instrument_limits *limits)
{
    bool locates = limits->short_sale == DP_RISK_SHORT_LOCATE;
    const int64_t values[RISK_SIDE_DIMS] = {
        [RISK_LONG] = count_limit(limits->position_max),
        [RISK_SHORT] = count_limit(limits->position_max),
        [RISK_LOCATE] = locates ? count_limit(limits->locate_qty) : DP_CREDIT_UNLIMITED,
    };
    for (uint32_t dim = 0; dim < RISK_SIDE_DIMS; dim++)
        set_pool(&instrument->pools[dim], &instrument->limits[dim], values[dim]);
}

int dp_risk_set_instrument(struct dp_risk *risk, uint32_t instrument_index,
    const struct dp_risk_instrument_limits *limits, struct dp_err *err)
{
    int status =
        check_index("instrument index", instrument_index, risk->config.instrument_count_max, err);
    if (status == 0 && limits->has_policy)
        status = check_instrument(instrument_index, limits, err);
    if (status < 0)
        return status;

    struct risk_instrument *instrument = dp_risk_instrument(risk, instrument_index);
    uint64_t words[RISK_WORDS(*limits)];
    memcpy(words, limits, sizeof(words));
    /* Named again by the directory: nothing new. */
    bool again = dp_load_relaxed(&instrument->version) > 0;
    if (limits->has_policy)
        set_instrument_pools(instrument, limits);
    dp_versioned_write(&instrument->version, instrument->words[0], RISK_WORDS(*limits), words);
    if (again)
        dp_switch_tell(&risk->gate);
    return 0;
}

bool dp_risk_read_instrument(
    const struct risk_instrument *instrument, struct dp_risk_instrument_limits *limits)
{
    uint64_t words[RISK_WORDS(*limits)];
    bool whole =
        dp_versioned_read(&instrument->version, instrument->words[0], RISK_WORDS(*limits), words);
    memcpy(limits, words, sizeof(*limits));
    return whole && limits->has_policy;
}

bool dp_risk_instrument_limits(
    const struct dp_risk *risk, uint32_t instrument_index, struct dp_risk_instrument_limits *limits)
{
    return instrument_index < risk->config.instrument_count_max &&
        dp_risk_read_instrument(dp_risk_instrument(risk, instrument_index), limits);
}
