#include "dp_bench_risk.h"

#include "dp_book.h"

#define DOLLAR INT64_C(1000000000)
#define WIDE (INT64_MAX - 1) /* a limit like any other, and the widest */
#define START_NS INT64_C(1767225600000000000)
#define STEP_NS 1000

static const struct dp_risk_config config = {
    .instrument_count_max = DP_BENCH_RISK_INSTRUMENTS,
    .strategy_count_max = 1,
    .account_count_max = 1,
    .lane_count_max = 1,
};

static const struct dp_risk_group_limits group_limits = {
    .order_qty_max = 10000,
    .order_notional_max_nanos = 1000000 * DOLLAR,
    .gross_max_nanos = WIDE,
    .net_max_nanos = WIDE,
    .open_order_count_max = 1ull << 40,
    .open_max_nanos = WIDE,
    .entered_max_nanos = WIDE,
    .message_floor = 1ull << 40,
    .message_ratio = 100,
    .order_rate_max = 100000000,
    .order_burst_max = 100000000,
    .loss_max_nanos = 1000000 * DOLLAR,
    .feed_age_max_ns = DOLLAR,
    .soft_percent = 80,
    .has_policy = true,
};

static const struct dp_risk_strategy_limits strategy_limits = {
    .order_qty_max = 10000,
    .order_notional_max_nanos = 1000000 * DOLLAR,
    .gross_max_nanos = WIDE,
    .net_max_nanos = WIDE,
    .open_order_count_max = 1ull << 40,
    .order_rate_max = 10000000,
    .order_burst_max = 1000000,
    .duplicate_count_max = 20,
    .duplicate_window_ns = 100000000,
    .fan_out_max = 100,
    .reject_rate_max = 100,
    .fill_rate_max = 1000,
    .loss_max_nanos = 1000000 * DOLLAR,
    .drawdown_max_nanos = 1000000 * DOLLAR,
    .soft_percent = 80,
    .attributes_denied = DP_RISK_ISO,
    .has_policy = true,
};

static const struct dp_risk_instrument_limits instrument_limits = {
    .order_qty_max = 10000,
    .order_notional_max_nanos = 1000000 * DOLLAR,
    .position_max = 1ull << 40,
    .collar_bps = 500,
    .collar_abs_nanos = DOLLAR / 20,
    .adv_fraction_bps = 1000,
    .adv_qty = 1000000,
    .band_low_nanos = 90 * DOLLAR,
    .band_high_nanos = 110 * DOLLAR,
    .reference_age_max_ns = DOLLAR,
    .locate_qty = 1ull << 40,
    .typical_multiple = 1000,
    .impact_bps = 100,
    .impact_levels = 5,
    .short_sale = DP_RISK_SHORT_LOCATE,
    .price_test = true,
    .self_trade_denied = true,
    .has_policy = true,
};

static uint32_t next_random(uint64_t *state)
{
    *state = *state * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(*state >> 33);
}

/* Buys at or below the bid and sells at or above the ask: they rest, so none meets another of
 * ours. Two sells in three are of what is held short, and say so. */
static struct dp_risk_order make_order(uint64_t *state)
{
    uint32_t away = next_random(state) % 40;
    bool buy = next_random(state) % 2 == 0;
    int64_t touch = buy ? 100 * DOLLAR - DOLLAR / 100 : 100 * DOLLAR + DOLLAR / 100;
    int64_t offset = (int64_t)away * DOLLAR / 100;
    return (struct dp_risk_order){
        .price_nanos = buy ? touch - offset : touch + offset,
        .best_bid_nanos = 100 * DOLLAR - DOLLAR / 100,
        .best_ask_nanos = 100 * DOLLAR + DOLLAR / 100,
        .qty = 1 + next_random(state) % 100,
        .instrument_index = next_random(state) % DP_BENCH_RISK_INSTRUMENTS,
        .trading_state = DP_TRADING_OPEN,
        .attributes = DP_RISK_DAY | (buy ? 0u : DP_RISK_SHORT),
        .side = buy ? DP_SIDE_BUY : DP_SIDE_SELL,
    };
}

size_t dp_bench_risk_size(void)
{
    return dp_risk_size(&config);
}

void dp_bench_risk_init(struct dp_bench_risk *bench, void *memory)
{
    uint64_t state = 1;
    bench->risk = memory;
    bench->now_ns = START_NS;
    int status = dp_risk_init(bench->risk, &config, NULL);
    status += dp_risk_set_group(bench->risk, DP_RISK_FIRM, &group_limits, NULL);
    status += dp_risk_set_group(bench->risk, 1, &group_limits, NULL);
    status += dp_risk_set_strategy(bench->risk, 0, &strategy_limits, NULL);
    for (uint32_t index = 0; index < DP_BENCH_RISK_INSTRUMENTS; index++)
        status += dp_risk_set_instrument(bench->risk, index, &instrument_limits, NULL);
    DP_ASSERT(status == 0);
    dp_risk_heard(bench->risk, START_NS);
    for (uint32_t index = 0; index < DP_BENCH_RISK_ORDERS; index++)
        bench->orders[index] = make_order(&state);
}

static struct dp_risk_order *next_order(struct dp_bench_risk *bench, uint64_t index)
{
    struct dp_risk_order *order = &bench->orders[index % DP_BENCH_RISK_ORDERS];
    bench->now_ns += STEP_NS;
    order->now_ns = bench->now_ns;
    order->qty = order->qty % 100 + 1; /* another order than the last time round */
    if (index % 1024 == 0)
        dp_risk_heard(bench->risk, bench->now_ns);
    return order;
}

uint64_t dp_bench_risk_decide(struct dp_bench_risk *bench, uint64_t count)
{
    struct dp_risk_verdict verdict;
    uint64_t passed = 0;
    for (uint64_t index = 0; index < count; index++)
        passed +=
            dp_risk_decide(bench->risk, next_order(bench, index), &verdict) == DP_REASON_ACCEPTED;
    return passed;
}

__attribute__((noinline)) enum dp_reason dp_bench_say_yes(
    struct dp_risk *risk, const struct dp_risk_order *order, struct dp_risk_verdict *verdict)
{
    *verdict = (struct dp_risk_verdict){.observed = order->now_ns, .limit = (int64_t)order->qty};
    __asm__ volatile("" : : "r"(risk), "r"(verdict) : "memory");
    return DP_REASON_ACCEPTED;
}

uint64_t dp_bench_risk_empty(struct dp_bench_risk *bench, uint64_t count)
{
    struct dp_risk_verdict verdict;
    uint64_t passed = 0;
    for (uint64_t index = 0; index < count; index++)
        passed +=
            dp_bench_say_yes(bench->risk, next_order(bench, index), &verdict) == DP_REASON_ACCEPTED;
    return passed;
}

void dp_bench_risk_each(
    struct dp_bench_risk *bench, uint64_t count, uint64_t overhead_tsc, struct dp_hist *hist)
{
    struct dp_risk_verdict verdict;
    for (uint64_t index = 0; index < count; index++) {
        const struct dp_risk_order *order = next_order(bench, index);
        uint64_t start_tsc = dp_tsc();
        dp_risk_decide(bench->risk, order, &verdict);
        uint64_t ticks = dp_tsc() - start_tsc;
        dp_hist_record(hist, ticks > overhead_tsc ? ticks - overhead_tsc : 0);
    }
}
