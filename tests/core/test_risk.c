/* Each check at its limit and one above, and the order of the checks. */
#include <errno.h>

#include "risk_bench.h"

static void test_without_limits_nothing_passes(void)
{
    struct dp_risk *risk = risk_with(NULL, NULL);
    struct dp_risk_order order = plain_order();
    expect(risk, &order, DP_REASON_ACCEPTED, 1000 * DOLLAR, DP_RISK_UNLIMITED);
    order.strategy_index = 1;
    expect(risk, &order, DP_REASON_NO_POLICY, 1, 0);
    order.strategy_index = 2; /* there is no such strategy */
    expect(risk, &order, DP_REASON_NO_POLICY, 2, 0);
    order.strategy_index = 0;
    order.instrument_index = 3;
    expect(risk, &order, DP_REASON_NO_POLICY, 3, 0);
    order.instrument_index = 4;
    expect(risk, &order, DP_REASON_NO_POLICY, 4, 0);
    free(risk);
}

static void test_kill_switch_comes_first_and_is_cleared(void)
{
    struct dp_risk *risk = risk_with(NULL, NULL);
    struct dp_risk_order order = plain_order();
    const struct dp_risk_scope firm = {DP_RISK_SCOPE_FIRM, 0};
    CHECK(dp_risk_kill(risk, firm, DP_SWITCH_REJECT_NEW, DP_SWITCH_BY_PERSON));
    order.trading_state = DP_TRADING_HALTED;
    expect(risk, &order, DP_REASON_KILL_SWITCH, DP_SWITCH_REJECT_NEW, DP_SWITCH_CLEAR);
    CHECK(dp_risk_arm(risk, firm, dp_risk_mark_of(risk, firm)));
    expect(risk, &order, DP_REASON_HALTED, DP_TRADING_HALTED, DP_TRADING_OPEN);
    free(risk);
}

static void test_what_is_not_announced_as_trading_is_halted(void)
{
    struct dp_risk *risk = risk_with(NULL, NULL);
    static const uint32_t states[] = {
        DP_TRADING_UNKNOWN, DP_TRADING_HALTED, DP_TRADING_PAUSED, DP_TRADING_QUOTATION, 'x'};
    for (size_t index = 0; index < sizeof(states) / sizeof(states[0]); index++) {
        struct dp_risk_order order = plain_order();
        order.trading_state = states[index];
        expect(risk, &order, DP_REASON_HALTED, states[index], DP_TRADING_OPEN);
    }
    free(risk);
}

static void test_quantity_of_strategy_and_instrument(void)
{
    struct dp_risk_strategy_limits strategy = unlimited_strategy();
    struct dp_risk_instrument_limits instrument = unlimited_instrument();
    struct dp_risk_order order = plain_order();
    strategy.order_qty_max = 100;
    struct dp_risk *risk = risk_with(&strategy, NULL);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    order.qty = 101;
    expect(risk, &order, DP_REASON_MAX_ORDER_QTY, 101, 100);
    free(risk);

    instrument.order_qty_max = 99;
    risk = risk_with(&strategy, &instrument);
    order.qty = 100;
    expect(risk, &order, DP_REASON_MAX_ORDER_QTY, 100, 99);
    free(risk);
}

static void test_numbers_that_no_venue_takes(void)
{
    struct dp_risk *risk = risk_with(NULL, NULL);
    static const struct {
        const char *name;
        uint64_t qty;
        int64_t price_nanos;
        uint8_t side;
    } rows[] = {
        {"no quantity", 0, DOLLAR, DP_SIDE_BUY},
        {"a quantity that wraps", (uint64_t)UINT32_MAX + 1, DOLLAR, DP_SIDE_BUY},
        {"a part of a tick", 1, DOLLAR + 1, DP_SIDE_BUY},
        {"no price", 1, 0, DP_SIDE_BUY},
        {"a negative price", 1, -1, DP_SIDE_BUY},
        {"a missing price", 1, DP_PRICE_NONE, DP_SIDE_SELL},
        {"no side", 1, DOLLAR, DP_SIDE_NONE},
        {"another side", 1, DOLLAR, 3},
    };
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
        struct dp_risk_order order =
            with_terms(rows[index].side, rows[index].qty, rows[index].price_nanos);
        CHECK_THAT(decide(risk, &order) == DP_REASON_ORDER_INVALID, "%s", rows[index].name);
    }
    free(risk);
}

static void test_reference_needs_both_sides_uncrossed(void)
{
    struct dp_risk *risk = risk_with(NULL, NULL);
    static const struct {
        const char *name;
        int64_t bid;
        int64_t ask;
        enum dp_reason reason;
    } rows[] = {
        {"both", 10, 11, DP_REASON_ACCEPTED},
        {"no bid", DP_PRICE_NONE, 11, DP_REASON_NO_REFERENCE_PRICE},
        {"no ask", 10, DP_PRICE_NONE, DP_REASON_NO_REFERENCE_PRICE},
        {"empty", DP_PRICE_NONE, DP_PRICE_NONE, DP_REASON_NO_REFERENCE_PRICE},
        {"locked", 10, 10, DP_REASON_NO_REFERENCE_PRICE},
        {"crossed", 11, 10, DP_REASON_NO_REFERENCE_PRICE},
        {"a bid of nothing", 0, 10, DP_REASON_NO_REFERENCE_PRICE},
    };
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
        struct dp_risk_order order = plain_order();
        order.best_bid_nanos = rows[index].bid;
        order.best_ask_nanos = rows[index].ask;
        CHECK_THAT(decide(risk, &order) == rows[index].reason, "%s", rows[index].name);
    }
    free(risk);
}

static void test_stale_book_refuses(void)
{
    struct dp_risk *risk = risk_with(NULL, NULL);
    struct dp_risk_order order = plain_order();
    order.book_flags = DP_BOOK_SUSPECT;
    expect(risk, &order, DP_REASON_STALE_MARKET_DATA, DP_BOOK_SUSPECT, 0);
    free(risk);
}

/* Reference 10.00: 1 % is 0.10, beside an absolute band. */
static void test_collar_at_its_edge_on_both_sides(void)
{
    static const struct {
        const char *name;
        uint32_t bps;
        int64_t abs_nanos;
        int64_t band;
    } rows[] = {
        {"relative wins", 100, DOLLAR / 100, DOLLAR / 10},
        {"absolute wins", 100, DOLLAR / 5, DOLLAR / 5},
        {"no band at all", 0, 0, 0},
    };
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
        struct dp_risk_instrument_limits limits = unlimited_instrument();
        limits.collar_bps = rows[index].bps;
        limits.collar_abs_nanos = rows[index].abs_nanos;
        struct dp_risk *risk = risk_with(NULL, &limits);
        int64_t high = 10 * DOLLAR + rows[index].band;
        int64_t low = 10 * DOLLAR - rows[index].band;
        struct dp_risk_order order = with_terms(DP_SIDE_BUY, 1, high);
        CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
        order = with_terms(DP_SIDE_BUY, 1, high + TICK);
        expect(risk, &order, DP_REASON_PRICE_COLLAR, high + TICK, high);
        order = with_terms(DP_SIDE_SELL, 1, low);
        CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
        order = with_terms(DP_SIDE_SELL, 1, low - TICK);
        expect(risk, &order, DP_REASON_PRICE_COLLAR, low - TICK, low);
        order = with_terms(DP_SIDE_BUY, 1, TICK); /* far away on the passive side */
        CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
        free(risk);
    }
}

static void test_a_mid_of_half_a_tick_is_not_rounded(void)
{
    struct dp_risk_instrument_limits limits = unlimited_instrument();
    limits.collar_abs_nanos = 0;
    struct dp_risk *risk = risk_with(NULL, &limits);
    struct dp_risk_order order = with_terms(DP_SIDE_BUY, 1, 10 * TICK);
    order.best_bid_nanos = 10 * TICK;
    order.best_ask_nanos = 11 * TICK;
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    order.price_nanos = 11 * TICK; /* above 10.5 */
    CHECK_EQUAL(decide(risk, &order), DP_REASON_PRICE_COLLAR);
    free(risk);
}

static void test_notional_at_its_limit(void)
{
    struct dp_risk_strategy_limits limits = unlimited_strategy();
    limits.order_notional_max_nanos = 1000 * DOLLAR;
    struct dp_risk *risk = risk_with(&limits, NULL);
    struct dp_risk_order order = plain_order();
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    order.price_nanos += TICK;
    expect(risk, &order, DP_REASON_MAX_ORDER_NOTIONAL, 1000 * DOLLAR + 100 * TICK, 1000 * DOLLAR);
    free(risk);
}

static void test_duplicates_within_the_window(void)
{
    struct dp_risk_strategy_limits limits = unlimited_strategy();
    limits.duplicate_count_max = 2;
    struct dp_risk *risk = risk_with(&limits, NULL);
    struct dp_risk_order order = plain_order();
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    order.now_ns += 500;
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    order.now_ns += 499; /* 999 after the first */
    expect(risk, &order, DP_REASON_DUPLICATE_ORDER, 3, 2);
    struct dp_risk_order other = order;
    other.qty++;
    CHECK_EQUAL(decide(risk, &other), DP_REASON_ACCEPTED);
    order.now_ns += 1; /* the first is out, the second is not */
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_DUPLICATE_ORDER);
    free(risk);
}

static void test_rate_is_a_bucket_that_fills_exactly(void)
{
    struct dp_risk_strategy_limits limits = unlimited_strategy();
    limits.order_rate_max = 3; /* a token each 333,333,333.3 ns */
    limits.order_burst_max = 2;
    struct dp_risk *risk = risk_with(&limits, NULL);
    struct dp_risk_order order = plain_order();
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    expect(risk, &order, DP_REASON_ORDER_RATE, 3000000000, 2000000000);
    int64_t start_ns = order.now_ns;
    order.now_ns = start_ns + 333333333;
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ORDER_RATE);
    order.now_ns = start_ns + 333333334;
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    order.now_ns = start_ns; /* a clock that steps back gives nothing */
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ORDER_RATE);
    order.now_ns = INT64_MAX; /* nor does one that leaps give more than the burst */
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ORDER_RATE);
    free(risk);
}

static void test_counters_are_charged_by_orders_refused_later(void)
{
    struct dp_risk_strategy_limits limits = unlimited_strategy();
    limits.order_rate_max = 1;
    limits.order_burst_max = 2;
    limits.gross_max_nanos = 999 * DOLLAR;
    struct dp_risk *risk = risk_with(&limits, NULL);
    struct dp_risk_order order = plain_order();
    CHECK_EQUAL(decide(risk, &order), DP_REASON_GROSS_EXPOSURE_ENTERED);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_GROSS_EXPOSURE_ENTERED);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ORDER_RATE);
    CHECK(dp_risk_exposure(risk, 0).buy_open == 0);
    free(risk);
}

static void test_open_orders_count_but_replaces_do_not_add(void)
{
    struct dp_risk_strategy_limits limits = unlimited_strategy();
    limits.open_order_count_max = 1;
    struct dp_risk *risk = risk_with(&limits, NULL);
    struct dp_risk_order order = plain_order();
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    expect(risk, &order, DP_REASON_OPEN_ORDER_COUNT, 2, 1);
    order.is_replace = true;
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    CHECK_EQUAL(dp_risk_exposure(risk, 0).open_order_count, 1);
    free(risk);
}

static void test_position_counts_what_is_open_on_one_side(void)
{
    struct dp_risk_instrument_limits limits = unlimited_instrument();
    limits.position_max = 150;
    struct dp_risk *risk = risk_with(NULL, &limits);
    struct dp_risk_order buy = with_terms(DP_SIDE_BUY, 100, DOLLAR);
    struct dp_risk_order sell = with_terms(DP_SIDE_SELL, 150, DOLLAR);
    CHECK_EQUAL(decide(risk, &buy), DP_REASON_ACCEPTED);
    expect(risk, &buy, DP_REASON_POSITION, 200, 150);
    CHECK_EQUAL(decide(risk, &sell), DP_REASON_ACCEPTED); /* the open buy may never execute */
    sell = with_terms(DP_SIDE_SELL, 1, DOLLAR);
    expect(risk, &sell, DP_REASON_POSITION, 151, 150);
    buy = with_terms(DP_SIDE_BUY, 50, DOLLAR);
    CHECK_EQUAL(decide(risk, &buy), DP_REASON_ACCEPTED);
    buy.increase_qty = 0; /* a replace to less passes whatever is open */
    buy.is_replace = true;
    CHECK_EQUAL(decide(risk, &buy), DP_REASON_ACCEPTED);
    free(risk);
}

static void test_net_and_gross_after_the_order(void)
{
    struct dp_risk_strategy_limits limits = unlimited_strategy();
    limits.net_max_nanos = 100 * DOLLAR;
    limits.gross_max_nanos = 150 * DOLLAR;
    struct dp_risk *risk = risk_with(&limits, NULL);
    struct dp_risk_order buy = with_terms(DP_SIDE_BUY, 100, DOLLAR);
    struct dp_risk_order sell = with_terms(DP_SIDE_SELL, 50, DOLLAR);
    struct dp_risk_order one = with_terms(DP_SIDE_BUY, 1, DOLLAR);
    expect(risk, &buy, DP_REASON_ACCEPTED, 100 * DOLLAR, 150 * DOLLAR);
    expect(risk, &one, DP_REASON_NET_EXPOSURE, 101 * DOLLAR, 100 * DOLLAR);
    expect(risk, &sell, DP_REASON_ACCEPTED, 150 * DOLLAR, 150 * DOLLAR);
    /* Open sells are no cover for more buys: they may be cancelled. */
    expect(risk, &one, DP_REASON_NET_EXPOSURE, 101 * DOLLAR, 100 * DOLLAR);
    one.side = DP_SIDE_SELL;
    expect(risk, &one, DP_REASON_GROSS_EXPOSURE_ENTERED, 151 * DOLLAR, 150 * DOLLAR);
    free(risk);
}

static void test_undo_gives_back_what_was_reserved(void)
{
    struct dp_risk *risk = risk_with(NULL, NULL);
    struct dp_risk_order order = plain_order();
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    CHECK(dp_risk_exposure(risk, 0).buy_open == 1000 * (dp_money_nanos)DOLLAR);
    CHECK_EQUAL(dp_risk_position(risk, 0).buy_leaves, 100);
    dp_risk_undo(risk, &order);
    CHECK(dp_risk_exposure(risk, 0).buy_open == 0);
    CHECK_EQUAL(dp_risk_exposure(risk, 0).open_order_count, 0);
    CHECK_EQUAL(dp_risk_position(risk, 0).buy_leaves, 0);
    free(risk);
}

static void test_the_largest_amounts_do_not_wrap(void)
{
    struct dp_risk *risk = risk_with(NULL, NULL);
    struct dp_risk_order order = with_terms(DP_SIDE_BUY, (1 << 24) - 1, 199999 * DOLLAR);
    order.best_bid_nanos = order.price_nanos - TICK;
    order.best_ask_nanos = order.price_nanos + TICK;
    int count = 0;
    while (count < 1000 && decide(risk, &order) == DP_REASON_ACCEPTED)
        count++;
    CHECK_EQUAL(count, 137); /* 2^62 ticks: what is called unlimited */
    CHECK(dp_risk_exposure(risk, 0).buy_open ==
        count * (dp_money_nanos)order.price_nanos * (dp_money_nanos)order.qty);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_OPEN_NOTIONAL);
    free(risk);
}

static void test_a_limit_out_of_range_says_which(void)
{
    struct dp_risk *risk = risk_open();
    struct dp_risk_strategy_limits limits = unlimited_strategy();
    struct dp_err err = {0};
    limits.gross_max_nanos = -1;
    CHECK_EQUAL(dp_risk_set_strategy(risk, 1, &limits, &err), -EINVAL);
    CHECK_TEXT(err.text,
        "risk: strategy 1: gross_max_nanos: -1; give 0 to 9223372036854775807, or unlimited");
    limits = unlimited_strategy();
    limits.duplicate_count_max = 30;
    CHECK_EQUAL(dp_risk_set_strategy(risk, 0, &limits, &err), -EINVAL);
    CHECK_TEXT(err.text, "risk: strategy 0: duplicate_count_max: 30; give 1 to 29, or unlimited");
    CHECK_EQUAL(dp_risk_set_strategy(risk, 2, &limits, &err), -EINVAL);
    CHECK_TEXT(err.text, "risk: strategy index: 2; give one below 2");
    limits.account_index = 1;
    CHECK_EQUAL(dp_risk_set_strategy(risk, 0, &limits, &err), -EINVAL);
    CHECK_TEXT(err.text, "risk: account index: 1; give one below 1");
    free(risk);
}

int main(void)
{
    RUN_TESTS(TEST(test_without_limits_nothing_passes),
        TEST(test_kill_switch_comes_first_and_is_cleared),
        TEST(test_what_is_not_announced_as_trading_is_halted),
        TEST(test_quantity_of_strategy_and_instrument), TEST(test_numbers_that_no_venue_takes),
        TEST(test_reference_needs_both_sides_uncrossed), TEST(test_stale_book_refuses),
        TEST(test_collar_at_its_edge_on_both_sides), TEST(test_a_mid_of_half_a_tick_is_not_rounded),
        TEST(test_notional_at_its_limit), TEST(test_duplicates_within_the_window),
        TEST(test_rate_is_a_bucket_that_fills_exactly),
        TEST(test_counters_are_charged_by_orders_refused_later),
        TEST(test_open_orders_count_but_replaces_do_not_add),
        TEST(test_position_counts_what_is_open_on_one_side),
        TEST(test_net_and_gross_after_the_order), TEST(test_undo_gives_back_what_was_reserved),
        TEST(test_the_largest_amounts_do_not_wrap), TEST(test_a_limit_out_of_range_says_which));
}
