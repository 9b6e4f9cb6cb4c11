/* From policies to what a decision compares with: done when the gate has moved, not before. */
#include "dp_risk.h"
#include "dp_risk_layout.h"
#include "dp_tick.h"

static const struct dp_risk_group_limits unlimited_group = {
    .order_qty_max = DP_RISK_UNLIMITED,
    .order_notional_max_nanos = DP_RISK_UNLIMITED,
    .order_rate_max = DP_RISK_UNLIMITED,
    .order_burst_max = DP_RISK_UNLIMITED,
    .has_policy = true,
};

/* ---- numbers ---- */

static int64_t least(int64_t one, int64_t other)
{
    return one < other ? one : other;
}

static uint32_t qty_limit(uint64_t qty)
{
    return qty < RISK_QTY_MAX ? (uint32_t)qty : RISK_QTY_MAX;
}

/* Rounded down: a notional is a whole number of ticks, so none is between. */
static int64_t tick_limit(int64_t nanos)
{
    return nanos == DP_RISK_UNLIMITED ? INT64_MAX : nanos / DP_RISK_TICK_NANOS;
}

static uint32_t price_limit(int64_t nanos, uint32_t otherwise)
{
    int64_t ticks = nanos / DP_RISK_TICK_NANOS;
    return nanos > 0 && ticks < UINT32_MAX ? (uint32_t)ticks : otherwise;
}

void dp_risk_set_bucket(struct risk_bucket *bucket, uint64_t rate, uint64_t burst)
{
    int64_t full_at = bucket->token_at + bucket->depth;
    const uint64_t second = UINT64_C(1000000000) * RISK_BEAT;
    bool limited = rate > 0 && rate < INT64_MAX;
    uint64_t depth_max = (uint64_t)INT64_MAX / RISK_BEAT / 2;
    bucket->step = limited ? (int64_t)((second + rate - 1) / rate) : 0;
    dp_money_nanos depth = burst == 0 ? 0 : (dp_money_nanos)(burst - 1) * bucket->step;
    bucket->depth = depth < (dp_money_nanos)depth_max ? (int64_t)depth : (int64_t)depth_max;
    if (!limited)
        bucket->depth = RISK_DEPTH_UNLIMITED;
    bucket->token_at = full_at - bucket->depth;
}

/* ---- credit ---- */

void dp_risk_settle(struct dp_credit_pool *pool, int64_t limit, uint32_t lane,
    struct dp_credit_hold *hold, int64_t *free)
{
    int64_t leased = dp_load_relaxed(&hold->leased);
    bool was_shared = leased < DP_CREDIT_UNLIMITED / 2;
    bool is_shared = limit != DP_CREDIT_UNLIMITED;
    if (was_shared && !is_shared) {
        dp_credit_give(pool, lane, hold, free, leased);
        dp_store_relaxed(&hold->leased, DP_CREDIT_UNLIMITED);
        *free += DP_CREDIT_UNLIMITED;
    } else if (!was_shared && is_shared) {
        dp_store_relaxed(&hold->leased, leased - DP_CREDIT_UNLIMITED);
        *free -= DP_CREDIT_UNLIMITED;
    }
    if (is_shared && *free != 0)
        dp_credit_give(pool, lane, hold, free, *free);
}

bool dp_risk_owes(
    const struct dp_credit_pool *pools, const _Atomic int64_t *limits, uint32_t dim_count)
{
    bool owes = false;
    for (uint32_t dim = 0; dim < dim_count; dim++)
        owes = owes ||
            (dp_load_relaxed(&limits[dim]) != DP_CREDIT_UNLIMITED &&
                dp_credit_free(&pools[dim]) < 0);
    return owes;
}

static void settle_group(struct dp_risk *risk, uint32_t group_index, uint32_t lane,
    const struct dp_risk_group_limits *limits)
{
    struct risk_group *group = dp_risk_group(risk, group_index);
    struct risk_share *share = dp_risk_share(risk, group_index, lane);
    uint64_t lanes = risk->config.lane_count_max;
    bool alone = risk->config.account_count_max == 0;
    bool rated = limits->order_rate_max < INT64_MAX;
    uint64_t rate = rated ? limits->order_rate_max / lanes : limits->order_rate_max;

    for (uint32_t dim = 0; dim < RISK_DIMS; dim++)
        dp_risk_settle(&group->pools[dim],
            alone ? DP_CREDIT_UNLIMITED : dp_load_relaxed(&group->limits[dim]), lane,
            &share->holds[dim], &share->credit.free[dim]);
    share->owes = !alone && dp_risk_owes(group->pools, group->limits, RISK_DIMS);
    share->message_ratio = least((int64_t)limits->message_ratio, DP_RISK_RATE_MAX);
    dp_risk_set_bucket(
        &share->orders, rate > 0 ? rate : 1, rated ? limits->order_burst_max / lanes : UINT32_MAX);
}

/* A strategy has one lane: its own limits are not shared. What was used stays used. */
static void rebase(struct risk_seat *seat, const struct dp_risk_strategy_limits *limits)
{
    int64_t net = tick_limit(limits->net_max_nanos);
    const int64_t wanted[RISK_SEAT_DIMS] = {
        [RISK_GROSS] = least(tick_limit(limits->gross_max_nanos), DP_CREDIT_UNLIMITED),
        [RISK_COUNT] =
            least((int64_t)(limits->open_order_count_max & INT64_MAX), DP_CREDIT_UNLIMITED),
        [RISK_NET_BUY] = least(net, DP_CREDIT_UNLIMITED),
        [RISK_NET_SELL] = least(net, DP_CREDIT_UNLIMITED),
    };
    for (uint32_t dim = 0; dim < RISK_SEAT_DIMS; dim++) {
        seat->credit.free[dim] += wanted[dim] - seat->base[dim];
        seat->base[dim] = wanted[dim];
    }
}

/* ---- a seat ---- */

static uint64_t offset_of(const struct dp_risk *risk, const void *place)
{
    return (uint64_t)((const uint8_t *)place - (const uint8_t *)risk);
}

static void set_places(struct dp_risk *risk, struct risk_seat *seat, uint32_t lane)
{
    seat->account_at = offset_of(risk, dp_risk_share(risk, seat->account_index + 1, lane));
    seat->firm_at = offset_of(risk, dp_risk_share(risk, DP_RISK_FIRM, lane));
    seat->lines_at = offset_of(risk, dp_risk_line(risk, lane, 0));
    seat->lane = lane;
}

/* The kept sightings are as many as the old limit allowed: a new limit starts afresh. */
static void set_duplicates(struct risk_seat *seat, const struct dp_risk_strategy_limits *limits)
{
    bool limited = limits->duplicate_count_max <= DP_RISK_DUPLICATES_MAX;
    uint32_t count_max = limited ? (uint32_t)limits->duplicate_count_max : 0;
    if (seat->duplicate_count_max != count_max ||
        seat->duplicate_window_ns != limits->duplicate_window_ns)
        memset(seat->prints, 0, sizeof(seat->prints));
    seat->duplicate_count_max = count_max;
    seat->duplicate_window_ns = limits->duplicate_window_ns;
}

static void set_seat(
    struct dp_risk *risk, uint32_t index, const struct dp_risk_strategy_limits *limits)
{
    struct risk_seat *seat = dp_risk_seat(risk, index);
    seat->account_index = limits->account_index;
    seat->account_bit = 1u << limits->account_index;
    set_places(risk, seat, limits->lane);
    rebase(seat, limits);
    dp_risk_set_bucket(&seat->orders, limits->order_rate_max, limits->order_burst_max);
    set_duplicates(seat, limits);
    dp_risk_set_bucket(&seat->rejects, limits->reject_rate_max, limits->reject_rate_max);
    dp_risk_set_bucket(&seat->fills, limits->fill_rate_max, limits->fill_rate_max);
    seat->gross_max_nanos = limits->gross_max_nanos;
    seat->attributes_denied = limits->attributes_denied;
    seat->fan_out_max = limits->fan_out_max > 0 && limits->fan_out_max < UINT32_MAX
        ? (uint32_t)limits->fan_out_max
        : UINT32_MAX;
    seat->soft_percent = limits->soft_percent;
}

static bool read_group(
    const struct dp_risk *risk, uint32_t group, struct dp_risk_group_limits *limits)
{
    *limits = unlimited_group;
    return risk->config.account_count_max == 0 ||
        dp_risk_read_group(dp_risk_group(risk, group), limits);
}

bool dp_risk_arm_seat(struct dp_risk *risk, uint32_t strategy_index)
{
    struct dp_risk_strategy_limits limits;
    struct dp_risk_group_limits account;
    struct dp_risk_group_limits firm;
    struct risk_seat *seat = dp_risk_seat(risk, strategy_index);
    if (!dp_risk_read_strategy(&risk->strategies[strategy_index], &limits) ||
        !read_group(risk, limits.account_index + 1, &account) ||
        !read_group(risk, DP_RISK_FIRM, &firm))
        return false;

    set_seat(risk, strategy_index, &limits);
    uint32_t qty = qty_limit(limits.order_qty_max);
    qty = qty < account.order_qty_max ? qty : (uint32_t)account.order_qty_max;
    seat->qty_max = qty < firm.order_qty_max ? qty : firm.order_qty_max;
    seat->notional_max = least(tick_limit(limits.order_notional_max_nanos),
        least(tick_limit(account.order_notional_max_nanos),
            tick_limit(firm.order_notional_max_nanos)));
    settle_group(risk, limits.account_index + 1, limits.lane, &account);
    settle_group(risk, DP_RISK_FIRM, limits.lane, &firm);
    return true;
}

/* ---- a line ---- */

static void set_sizes(struct risk_line *line, const struct dp_risk_instrument_limits *limits)
{
    line->order_qty_max = qty_limit(limits->order_qty_max);
    line->volume_qty_max = RISK_QTY_MAX;
    if (limits->adv_fraction_bps > 0)
        line->volume_qty_max = qty_limit((uint64_t)least((int64_t)limits->adv_qty, 1ll << 48) *
            limits->adv_fraction_bps / 10000);
    line->typical_multiple = limits->typical_multiple;
    if (line->typical_multiple == 0 || line->size_count < DP_RISK_SIZES)
        line->typical_qty_max = RISK_QTY_MAX;
    line->qty_max =
        (uint32_t)least(line->order_qty_max, least(line->volume_qty_max, line->typical_qty_max));
}

static void set_line(struct risk_line *line, const struct dp_risk_instrument_limits *limits)
{
    line->credit.notional_max = tick_limit(limits->order_notional_max_nanos);
    line->collar_twice =
        limits->collar_abs_nanos > INT64_MAX / 2 ? INT64_MAX : 2 * limits->collar_abs_nanos;
    line->collar_bps = limits->collar_bps;
    line->accounts_denied = limits->restricted ? UINT32_MAX : limits->accounts_denied;
    line->age_max_ns = limits->reference_age_max_ns > 0 ? limits->reference_age_max_ns : INT64_MAX;
    line->band[0] = price_limit(limits->band_high_nanos, UINT32_MAX);
    line->band[1] = dp_risk_reach(price_limit(limits->band_low_nanos, 0), 1);
    line->impact_bps = limits->impact_bps;
    line->impact_levels = limits->impact_levels;
    line->marked_least[1] = limits->short_sale == DP_RISK_SHORT_LOCATE;
    line->flags = (limits->price_test ? RISK_PRICE_RULE : 0) |
        (limits->impact_bps > 0 || limits->impact_levels > 0 ? RISK_IMPACT_RULE : 0) |
        (limits->typical_multiple > 0 ? RISK_TYPICAL_RULE : 0);
    line->own_mask = limits->self_trade_denied ? UINT32_MAX : 0;
    set_sizes(line, limits);
}

bool dp_risk_arm_line(struct dp_risk *risk, uint32_t lane, uint32_t instrument_index)
{
    struct dp_risk_instrument_limits limits;
    struct risk_instrument *instrument = dp_risk_instrument(risk, instrument_index);
    struct risk_line *line = dp_risk_line(risk, lane, instrument_index);
    if (!dp_risk_read_instrument(instrument, &limits))
        return false;
    set_line(line, &limits);
    for (uint64_t side = 0; side < 2; side++)
        line->salt[side] = ((uint64_t)instrument_index * 2 + side) * DP_TICK_INVERSE;
    for (uint32_t dim = 0; dim < RISK_SIDE_DIMS; dim++)
        dp_risk_settle(&instrument->pools[dim], dp_load_relaxed(&instrument->limits[dim]), lane,
            &line->holds[dim], &line->credit.free[dim]);
    line->owes = dp_risk_owes(instrument->pools, instrument->limits, RISK_SIDE_DIMS);
    return true;
}
