#include "dp_risk.h"

#include <errno.h>

#include "dp_risk_layout.h"

#define INSTRUMENTS_MAX 65536u
#define MONEY_MAX ((dp_money_nanos)INT64_MAX << 64)

static uint64_t duplicates_offset(const struct dp_risk_config *config)
{
    return sizeof(struct dp_risk) + config->strategy_count_max * sizeof(struct risk_strategy);
}

static uint64_t instruments_offset(const struct dp_risk_config *config)
{
    return duplicates_offset(config) +
        (uint64_t)config->strategy_count_max * RISK_DUPLICATE_SLOTS * sizeof(struct risk_duplicate);
}

size_t dp_risk_size(const struct dp_risk_config *config)
{
    return instruments_offset(config) +
        (uint64_t)config->instrument_count_max * sizeof(struct risk_instrument);
}

int dp_risk_init(struct dp_risk *risk, const struct dp_risk_config *config, struct dp_err *err)
{
    if (config->strategy_count_max == 0 || config->strategy_count_max > DP_RISK_STRATEGIES_MAX)
        return dp_err_set(err, EINVAL, "risk: strategy_count_max: %u; give 1 to %d",
            config->strategy_count_max, DP_RISK_STRATEGIES_MAX);
    if (config->instrument_count_max == 0 || config->instrument_count_max > INSTRUMENTS_MAX)
        return dp_err_set(err, EINVAL, "risk: instrument_count_max: %u; give 1 to %u",
            config->instrument_count_max, INSTRUMENTS_MAX);

    memset(risk, 0, dp_risk_size(config));
    risk->duplicates_offset = duplicates_offset(config);
    risk->instruments_offset = instruments_offset(config);
    risk->strategy_count = config->strategy_count_max;
    risk->instrument_count = config->instrument_count_max;
    return 0;
}

/* ---- limits ---- */

struct limit_row {
    const char *name;
    int64_t value;
    int64_t min;
    int64_t max; /* UNLIMITED is taken besides */
};

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

/* A limit above INT64_MAX is as good as none. */
static int64_t signed_limit(uint64_t limit)
{
    return limit > INT64_MAX ? DP_RISK_UNLIMITED : (int64_t)limit;
}

static dp_money_nanos money_limit(int64_t limit)
{
    return limit == DP_RISK_UNLIMITED ? MONEY_MAX : limit;
}

static void set_rate(struct risk_strategy *strategy, const struct dp_risk_strategy_limits *limits)
{
    bool limited = signed_limit(limits->order_rate_max) != DP_RISK_UNLIMITED;
    uint64_t rate = limited ? limits->order_rate_max : 1;
    uint64_t burst =
        limits->order_burst_max < DP_RISK_RATE_MAX ? limits->order_burst_max : DP_RISK_RATE_MAX;
    uint64_t credit_max = burst * RISK_TOKEN;
    bool first_time = !strategy->has_policy;

    strategy->rate = (uint32_t)rate;
    strategy->order_cost = limited ? RISK_TOKEN : 0;
    strategy->credit_max = credit_max;
    strategy->fill_ns = (int64_t)(credit_max / rate + 1);
    if (first_time || strategy->credit > credit_max)
        strategy->credit = credit_max;
}

/* The kept sightings are as many as the old limit allowed: a new limit starts afresh. */
static void set_duplicates(
    struct dp_risk *risk, uint16_t strategy_index, const struct dp_risk_strategy_limits *limits)
{
    struct risk_strategy *strategy = &risk->strategies[strategy_index];
    bool limited = signed_limit(limits->duplicate_count_max) != DP_RISK_UNLIMITED;

    strategy->duplicate_count_max = limited ? (uint32_t)limits->duplicate_count_max : 0;
    strategy->duplicate_window_ns = limits->duplicate_window_ns;
    memset(dp_risk_duplicates(risk, strategy_index), 0,
        RISK_DUPLICATE_SLOTS * sizeof(struct risk_duplicate));
}

int dp_risk_set_strategy(struct dp_risk *risk, uint16_t strategy_index,
    const struct dp_risk_strategy_limits *limits, struct dp_err *err)
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
    };
    if (strategy_index >= risk->strategy_count)
        return dp_err_set(err, EINVAL, "risk: strategy index: %u; give one below %u",
            strategy_index, risk->strategy_count);
    int result = !limits->has_policy
        ? 0
        : check_limits("strategy", strategy_index, rows, sizeof(rows) / sizeof(rows[0]), err);
    if (result < 0)
        return result;

    struct risk_strategy *strategy = &risk->strategies[strategy_index];
    strategy->order_qty_max = limits->order_qty_max;
    strategy->notional_max = money_limit(limits->order_notional_max_nanos);
    strategy->gross_max = money_limit(limits->gross_max_nanos);
    strategy->net_max = money_limit(limits->net_max_nanos);
    strategy->open_order_count_max = limits->open_order_count_max;
    if (limits->has_policy) {
        set_rate(strategy, limits);
        set_duplicates(risk, strategy_index, limits);
    }
    strategy->has_policy = limits->has_policy;
    return 0;
}

int dp_risk_set_instrument(struct dp_risk *risk, uint32_t instrument_index,
    const struct dp_risk_instrument_limits *limits, struct dp_err *err)
{
    const struct limit_row rows[] = {
        {"order_notional_max_nanos", limits->order_notional_max_nanos, 0, INT64_MAX},
        {"collar_abs_nanos", limits->collar_abs_nanos, 0, INT64_MAX},
    };
    if (instrument_index >= risk->instrument_count)
        return dp_err_set(err, EINVAL, "risk: instrument index: %u; give one below %u",
            instrument_index, risk->instrument_count);
    int result = !limits->has_policy
        ? 0
        : check_limits("instrument", instrument_index, rows, sizeof(rows) / sizeof(rows[0]), err);
    if (result < 0)
        return result;

    struct risk_instrument *instrument = dp_risk_instrument(risk, instrument_index);
    instrument->order_qty_max = limits->order_qty_max;
    instrument->notional_max = money_limit(limits->order_notional_max_nanos);
    instrument->position_max = signed_limit(limits->position_max);
    instrument->collar_bps = limits->collar_bps;
    instrument->collar_abs_nanos = limits->collar_abs_nanos;
    instrument->has_policy = limits->has_policy;
    return 0;
}

/* ---- kill switch ---- */

void dp_risk_kill(struct dp_risk *risk)
{
    dp_store_relaxed(&risk->killed, 1);
}

void dp_risk_clear(struct dp_risk *risk)
{
    dp_store_relaxed(&risk->killed, 0);
}

bool dp_risk_is_killed(const struct dp_risk *risk)
{
    return dp_load_relaxed(&risk->killed) != 0;
}

/* ---- what the venue reports ---- */

struct dp_risk_weight dp_risk_weigh(const struct dp_order *order)
{
    struct dp_risk_weight weight = {
        .cum_money = order->cum_money,
        .cum_qty = order->cum_qty,
        .open = dp_order_is_live(order),
    };
    if (weight.open) {
        weight.leaves = dp_order_worst_leaves(order);
        weight.money = (dp_money_nanos)dp_order_worst_price(order) * (dp_money_nanos)weight.leaves;
    }
    return weight;
}

void dp_risk_apply(
    struct dp_risk *risk, const struct dp_order *order, const struct dp_risk_weight *before)
{
    /* A denied order may carry any index and side, and a venue may report on any number (T36). */
    if (DP_UNLIKELY(order->strategy_index >= risk->strategy_count ||
            order->instrument_index >= risk->instrument_count))
        return;

    struct dp_risk_weight after = dp_risk_weigh(order);
    struct risk_strategy *strategy = &risk->strategies[order->strategy_index];
    struct risk_instrument *instrument = dp_risk_instrument(risk, order->instrument_index);
    dp_money_nanos open = after.money - before->money;
    dp_money_nanos executed = after.cum_money - before->cum_money;
    int64_t leaves = (int64_t)(after.leaves - before->leaves);
    int64_t qty = (int64_t)(after.cum_qty - before->cum_qty);

    strategy->open_order_count += (uint64_t)after.open - (uint64_t)before->open;
    if (order->side == DP_SIDE_BUY) {
        strategy->buy_open += open;
        strategy->buy_executed += executed;
        instrument->buy_leaves += leaves;
        instrument->bought_qty += qty;
        instrument->position += qty;
        instrument->cash -= executed;
    } else {
        strategy->sell_open += open;
        strategy->sell_executed += executed;
        instrument->sell_leaves += leaves;
        instrument->sold_qty += qty;
        instrument->position -= qty;
        instrument->cash += executed;
    }
}

struct dp_risk_exposure dp_risk_exposure(const struct dp_risk *risk, uint16_t strategy_index)
{
    if (strategy_index >= risk->strategy_count)
        return (struct dp_risk_exposure){0};
    const struct risk_strategy *strategy = &risk->strategies[strategy_index];
    return (struct dp_risk_exposure){
        .buy_open = strategy->buy_open,
        .sell_open = strategy->sell_open,
        .buy_executed = strategy->buy_executed,
        .sell_executed = strategy->sell_executed,
        .open_order_count = strategy->open_order_count,
    };
}

struct dp_risk_position dp_risk_position(const struct dp_risk *risk, uint32_t instrument_index)
{
    if (instrument_index >= risk->instrument_count)
        return (struct dp_risk_position){0};
    const struct risk_instrument *instrument = dp_risk_instrument(risk, instrument_index);
    return (struct dp_risk_position){
        .position = instrument->position,
        .buy_leaves = (uint64_t)instrument->buy_leaves,
        .sell_leaves = (uint64_t)instrument->sell_leaves,
        .cash = instrument->cash,
        .bought_qty = (uint64_t)instrument->bought_qty,
        .sold_qty = (uint64_t)instrument->sold_qty,
    };
}
