/* Limits of an instrument beyond the first ones, at each side; what an order's history trips. */
#include "risk_trade.h"

static const struct dp_risk_scope firm_scope = {DP_RISK_SCOPE_FIRM, 0};
static const struct dp_risk_scope strategy_scope = {DP_RISK_SCOPE_STRATEGY, 0};

/* ---- instruments ---- */

static struct dp_risk *with_instrument(const struct dp_risk_instrument_limits *limits)
{
    struct dp_risk *risk = scopes_open(1);
    CHECK_EQUAL(dp_risk_set_instrument(risk, 0, limits, NULL), 0);
    return risk;
}

static void test_restricted_instruments_and_accounts(void)
{
    struct dp_risk_instrument_limits limits = unlimited_instrument();
    limits.accounts_denied = 1u << 1;
    struct dp_risk *risk = with_instrument(&limits);
    struct dp_risk_order order = order_of(2, DP_SIDE_BUY, 1);
    expect(risk, &order, DP_REASON_RESTRICTED_SYMBOL, 1, 0);
    order.strategy_index = 0;
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    limits.restricted = true;
    CHECK_EQUAL(dp_risk_set_instrument(risk, 0, &limits, NULL), 0);
    expect(risk, &order, DP_REASON_RESTRICTED_SYMBOL, 0, 0);
    free(risk);
}

static void test_denied_attributes(void)
{
    struct dp_risk *risk = scopes_open(1);
    struct dp_risk_strategy_limits limits = unlimited_strategy();
    limits.attributes_denied = DP_RISK_ISO | DP_RISK_SHORT;
    CHECK_EQUAL(dp_risk_set_strategy(risk, 0, &limits, NULL), 0);
    struct dp_risk_order order = order_of(0, DP_SIDE_BUY, 1);
    order.attributes = DP_RISK_DAY;
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    order.attributes = DP_RISK_DAY | DP_RISK_ISO;
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ORDER_ATTRIBUTE);
    free(risk);
}

static void test_limit_up_and_limit_down(void)
{
    struct dp_risk_instrument_limits limits = unlimited_instrument();
    limits.band_low_nanos = 9 * DOLLAR;
    limits.band_high_nanos = 11 * DOLLAR;
    struct dp_risk *risk = with_instrument(&limits);
    struct dp_risk_order order = with_terms(DP_SIDE_BUY, 1, 11 * DOLLAR);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    order.price_nanos += TICK;
    expect(risk, &order, DP_REASON_PRICE_COLLAR, 11 * DOLLAR + TICK, 11 * DOLLAR);
    order = with_terms(DP_SIDE_SELL, 1, 9 * DOLLAR);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    order.price_nanos -= TICK;
    expect(risk, &order, DP_REASON_PRICE_COLLAR, 9 * DOLLAR - TICK, 9 * DOLLAR);
    order = with_terms(DP_SIDE_BUY, 1, 8 * DOLLAR); /* passive: it rests */
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    free(risk);
}

static void test_a_reference_grows_old(void)
{
    struct dp_risk_instrument_limits limits = unlimited_instrument();
    limits.reference_age_max_ns = 1000;
    struct dp_risk *risk = with_instrument(&limits);
    struct dp_risk_order order = order_of(0, DP_SIDE_BUY, 1);
    dp_risk_heard(risk, order.now_ns - 1000);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    order.now_ns++;
    expect(risk, &order, DP_REASON_NO_REFERENCE_PRICE, 1001, 1000);
    free(risk);
}

static void test_part_of_the_daily_volume(void)
{
    struct dp_risk_instrument_limits limits = unlimited_instrument();
    limits.adv_fraction_bps = 100;
    limits.adv_qty = 10000;
    struct dp_risk *risk = with_instrument(&limits);
    struct dp_risk_order order = order_of(0, DP_SIDE_BUY, 100);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    order.qty = 101;
    expect(risk, &order, DP_REASON_ADV_FRACTION, 101, 100);
    limits.adv_qty = 0; /* nobody knows: nothing passes */
    CHECK_EQUAL(dp_risk_set_instrument(risk, 0, &limits, NULL), 0);
    order.qty = 1;
    expect(risk, &order, DP_REASON_ADV_FRACTION, 1, 0);
    free(risk);
}

static void test_short_sales_are_marked_located_and_above_the_bid(void)
{
    struct dp_risk_instrument_limits limits = unlimited_instrument();
    limits.short_sale = DP_RISK_SHORT_LOCATE;
    limits.locate_qty = 150;
    limits.price_test = true;
    struct dp_risk *risk = with_instrument(&limits);
    struct dp_risk_order order = order_of(0, DP_SIDE_SELL, 100);
    expect(risk, &order, DP_REASON_SHORT_SALE, 100, 0); /* nothing is held */
    order.attributes = DP_RISK_SHORT;
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    expect(risk, &order, DP_REASON_SHORT_SALE, 100, 50); /* fifty are left to borrow */
    order.qty = 50;
    order.price_nanos = order.best_bid_nanos;
    expect(risk, &order, DP_REASON_SHORT_SALE, order.best_bid_nanos, order.best_bid_nanos);
    order.attributes = DP_RISK_SHORT_EXEMPT;
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    order = order_of(0, DP_SIDE_BUY, 100); /* a buy needs none of it */
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    free(risk);
}

static void test_no_order_meets_one_of_our_own(void)
{
    struct dp_risk_instrument_limits limits = unlimited_instrument();
    limits.self_trade_denied = true;
    struct dp_risk *risk = with_instrument(&limits);
    struct dp_risk_order sell = with_terms(DP_SIDE_SELL, 1, 10 * DOLLAR);
    struct dp_risk_order buy = with_terms(DP_SIDE_BUY, 1, 10 * DOLLAR - TICK);
    CHECK_EQUAL(decide(risk, &sell), DP_REASON_ACCEPTED);
    CHECK_EQUAL(decide(risk, &buy), DP_REASON_ACCEPTED);
    buy.price_nanos += TICK;
    expect(risk, &buy, DP_REASON_SELF_TRADE, 10 * DOLLAR, 10 * DOLLAR);
    sell.price_nanos = 10 * DOLLAR - TICK;
    expect(risk, &sell, DP_REASON_SELF_TRADE, 10 * DOLLAR - TICK, 10 * DOLLAR - TICK);
    sell.price_nanos = 10 * DOLLAR;
    dp_risk_undo(risk, &sell);
    CHECK_EQUAL(decide(risk, &buy), DP_REASON_ACCEPTED);
    free(risk);
}

static void test_how_far_an_order_may_sweep(void)
{
    const struct dp_books_config config = {
        .instrument_count_max = 2, .order_count_max = 64, .level_count_max = 64};
    struct dp_books *books =
        aligned_alloc(DP_CACHE_LINE, dp_round_up(dp_books_size(&config), DP_CACHE_LINE));
    memset(books, 0, dp_books_size(&config));
    CHECK_EQUAL(dp_books_init(books, &config, NULL), 0);
    dp_book_open(books, 0, "ABC     ");
    dp_book_add(books, 0, 1, DP_SIDE_SELL, 100, 10 * DOLLAR, 1);
    dp_book_add(books, 0, 2, DP_SIDE_SELL, 100, 10 * DOLLAR + DOLLAR / 100, 1);
    dp_book_add(books, 0, 3, DP_SIDE_SELL, 100, 10 * DOLLAR + DOLLAR / 50, 1);
    struct dp_risk_instrument_limits limits = unlimited_instrument();
    limits.impact_levels = 2;
    struct dp_risk *risk = with_instrument(&limits);
    struct dp_risk_order order = with_terms(DP_SIDE_BUY, 200, 11 * DOLLAR);
    order.best_ask_nanos = 10 * DOLLAR;
    expect(risk, &order, DP_REASON_MARKET_IMPACT, 0, 2); /* no depth is known */
    order.books = books;
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    order.qty = 201;
    expect(risk, &order, DP_REASON_MARKET_IMPACT, 3, 2);
    limits.impact_levels = 0;
    limits.impact_bps = 10;
    CHECK_EQUAL(dp_risk_set_instrument(risk, 0, &limits, NULL), 0);
    order.qty = 200;
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    order.qty = 201;
    expect(risk, &order, DP_REASON_MARKET_IMPACT, 20, 10);
    order.price_nanos = 10 * DOLLAR + DOLLAR / 100; /* its own limit keeps it from the third */
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    free(risk);
    free(books);
}

/* ---- the order's history ---- */

static void test_orders_at_one_instant_trip_the_strategy(void)
{
    struct dp_risk *risk = scopes_open(1);
    struct dp_risk_strategy_limits limits = unlimited_strategy();
    limits.fan_out_max = 2;
    CHECK_EQUAL(dp_risk_set_strategy(risk, 0, &limits, NULL), 0);
    struct dp_risk_order order = order_of(0, DP_SIDE_BUY, 1);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    expect(risk, &order, DP_REASON_FAN_OUT, 3, 2);
    order.now_ns++;
    CHECK_EQUAL(decide(risk, &order), DP_REASON_KILL_SWITCH);
    CHECK_EQUAL(dp_switch_source_of(dp_risk_mark_of(risk, strategy_scope)), DP_SWITCH_BY_FAN_OUT);
    free(risk);
}

static void test_a_refusal_may_trip_the_strategy(void)
{
    struct dp_risk *risk = scopes_open(1);
    struct dp_risk_order order = order_of(0, DP_SIDE_BUY, 1);
    order.book_flags = DP_BOOK_STALE;
    dp_risk_set_trip(risk, DP_REASON_STALE_MARKET_DATA, true);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_STALE_MARKET_DATA);
    order.book_flags = 0;
    CHECK_EQUAL(decide(risk, &order), DP_REASON_KILL_SWITCH);
    CHECK_EQUAL(dp_switch_source_of(dp_risk_mark_of(risk, strategy_scope)), DP_SWITCH_BY_BREACH);
    free(risk);
}

static int64_t mark_at_eleven(void *context, uint32_t instrument_index)
{
    (void)instrument_index;
    return context != NULL ? *(int64_t *)context : 11 * DOLLAR;
}

static void test_loss_trips_at_its_limit_and_lets_reduce(void)
{
    struct dp_risk *risk = scopes_open(1);
    struct bench *bench = bench_open();
    struct dp_risk_strategy_limits limits = unlimited_strategy();
    limits.loss_max_nanos = 100 * DOLLAR;
    CHECK_EQUAL(dp_risk_set_strategy(risk, 0, &limits, NULL), 0);
    struct dp_order *order = send(risk, bench, DP_SIDE_BUY, 100);
    report(risk, bench, order, DP_EVENT_FILLED, 100, 10 * DOLLAR);
    int64_t mark = 9 * DOLLAR + TICK;
    dp_risk_watch(risk, 0, 1, mark_at_eleven, &mark);
    CHECK(dp_risk_exposure(risk, 0).profit == -100 * (dp_money_nanos)(DOLLAR - TICK));
    CHECK_EQUAL(dp_risk_mark_of(risk, strategy_scope), 0);
    mark = 9 * DOLLAR;
    dp_risk_watch(risk, 0, 1, mark_at_eleven, &mark);
    CHECK_EQUAL(dp_switch_source_of(dp_risk_mark_of(risk, strategy_scope)), DP_SWITCH_BY_LOSS);
    struct dp_risk_order more = order_of(0, DP_SIDE_BUY, 1);
    CHECK_EQUAL(decide(risk, &more), DP_REASON_KILL_SWITCH);
    struct dp_risk_order less = order_of(0, DP_SIDE_SELL, 100);
    CHECK_EQUAL(decide(risk, &less), DP_REASON_ACCEPTED);
    less.qty = 1; /* all of it is on its way already */
    CHECK_EQUAL(decide(risk, &less), DP_REASON_KILL_SWITCH);
    bench_close(bench);
    free(risk);
}

static void test_drawdown_soft_limit_and_a_missing_mark(void)
{
    struct dp_risk *risk = scopes_open(1);
    struct bench *bench = bench_open();
    struct dp_risk_strategy_limits limits = unlimited_strategy();
    limits.drawdown_max_nanos = 150 * DOLLAR;
    limits.gross_max_nanos = 1200 * DOLLAR;
    limits.soft_percent = 80;
    CHECK_EQUAL(dp_risk_set_strategy(risk, 0, &limits, NULL), 0);
    struct dp_order *order = send(risk, bench, DP_SIDE_BUY, 100);
    report(risk, bench, order, DP_EVENT_FILLED, 100, 10 * DOLLAR);
    int64_t mark = 11 * DOLLAR;
    dp_risk_watch(risk, 0, 1, mark_at_eleven, &mark);
    dp_risk_watch(risk, 0, 1, mark_at_eleven, &mark);
    CHECK_EQUAL(dp_risk_exposure(risk, 0).alerts, 1); /* 1000 of 1200, told once */
    CHECK_EQUAL(dp_risk_mark_of(risk, strategy_scope), 0);
    mark = 95 * DOLLAR / 10; /* from +100 to -50 */
    dp_risk_watch(risk, 0, 1, mark_at_eleven, &mark);
    CHECK_EQUAL(dp_switch_source_of(dp_risk_mark_of(risk, strategy_scope)), DP_SWITCH_BY_DRAWDOWN);
    dp_risk_arm(risk, strategy_scope, dp_risk_mark_of(risk, strategy_scope));
    mark = DP_PRICE_NONE;
    dp_risk_watch(risk, 0, 1, mark_at_eleven, &mark);
    CHECK_EQUAL(dp_switch_mode_of(dp_risk_mark_of(risk, strategy_scope)), DP_SWITCH_REDUCE_ONLY);
    bench_close(bench);
    free(risk);
}

static void test_a_silent_feed_and_the_firms_loss_trip_the_firm(void)
{
    struct dp_risk *risk = scopes_open(1);
    struct bench *bench = bench_open();
    struct dp_risk_group_limits limits = unlimited_group();
    limits.feed_age_max_ns = 1000;
    CHECK_EQUAL(dp_risk_set_group(risk, DP_RISK_FIRM, &limits, NULL), 0);
    dp_risk_heard(risk, 5000);
    dp_risk_watch(risk, 0, 6000, mark_at_eleven, NULL);
    CHECK_EQUAL(dp_risk_mark_of(risk, firm_scope), 0);
    dp_risk_watch(risk, 0, 6001, mark_at_eleven, NULL);
    CHECK_EQUAL(dp_switch_source_of(dp_risk_mark_of(risk, firm_scope)), DP_SWITCH_BY_FEED_STALE);
    dp_risk_arm(risk, firm_scope, dp_risk_mark_of(risk, firm_scope));

    limits.feed_age_max_ns = 0;
    limits.loss_max_nanos = 10 * DOLLAR;
    CHECK_EQUAL(dp_risk_set_group(risk, DP_RISK_FIRM, &limits, NULL), 0);
    struct dp_order *order = send(risk, bench, DP_SIDE_SELL, 10);
    report(risk, bench, order, DP_EVENT_FILLED, 10, 10 * DOLLAR);
    dp_risk_watch(risk, 0, 6001, mark_at_eleven, NULL); /* sold at 10, worth 11 */
    CHECK_EQUAL(dp_switch_source_of(dp_risk_mark_of(risk, firm_scope)), DP_SWITCH_BY_LOSS);
    bench_close(bench);
    free(risk);
}

static void test_too_many_rejects_or_executions_trip(void)
{
    static const struct {
        uint8_t kind;
        enum dp_switch_source source;
    } rows[] = {{DP_EVENT_REJECTED, DP_SWITCH_BY_REJECT_RATE},
        {DP_EVENT_FILLED, DP_SWITCH_BY_REPEAT_EXECUTION}};
    for (size_t index = 0; index < 2; index++) {
        struct dp_risk *risk = scopes_open(1);
        struct bench *bench = bench_open();
        struct dp_risk_strategy_limits limits = unlimited_strategy();
        limits.reject_rate_max = 2;
        limits.fill_rate_max = 2;
        CHECK_EQUAL(dp_risk_set_strategy(risk, 0, &limits, NULL), 0);
        for (int count = 0; count < 2; count++)
            report(
                risk, bench, send(risk, bench, DP_SIDE_BUY, 1), rows[index].kind, 1, 10 * DOLLAR);
        CHECK_EQUAL(dp_risk_mark_of(risk, strategy_scope), 0);
        report(risk, bench, send(risk, bench, DP_SIDE_BUY, 1), rows[index].kind, 1, 10 * DOLLAR);
        CHECK_EQUAL(dp_switch_source_of(dp_risk_mark_of(risk, strategy_scope)), rows[index].source);
        bench_close(bench);
        free(risk);
    }
}

static void test_executions_allow_more_messages(void)
{
    struct dp_risk *risk = scopes_open(1);
    struct bench *bench = bench_open();
    struct dp_risk_group_limits limits = unlimited_group();
    limits.message_floor = 2;
    limits.message_ratio = 1;
    CHECK_EQUAL(dp_risk_set_group(risk, 1, &limits, NULL), 0);
    struct dp_order *order = send(risk, bench, DP_SIDE_BUY, 2);
    dp_risk_cancel(risk, 0, 1000000);
    struct dp_risk_order next = order_of(0, DP_SIDE_BUY, 1);
    expect(risk, &next, DP_REASON_ORDER_TO_TRADE, 3, 2);
    report(risk, bench, order, DP_EVENT_FILLED, 1, 10 * DOLLAR);
    CHECK_EQUAL(decide(risk, &next), DP_REASON_ACCEPTED);
    bench_close(bench);
    free(risk);
}

static void test_many_times_the_usual_size(void)
{
    struct dp_risk_instrument_limits limits = unlimited_instrument();
    limits.typical_multiple = 5;
    struct dp_risk *risk = with_instrument(&limits);
    struct bench *bench = bench_open();
    struct dp_order *last = NULL;
    for (uint32_t count = 0; count < DP_RISK_SIZES; count++) {
        struct dp_risk_order large = order_of(0, DP_SIDE_BUY, 1000);
        if (count == 8)
            CHECK_EQUAL(decide(risk, &large), DP_REASON_ACCEPTED); /* too few to know */
        last = send(risk, bench, DP_SIDE_BUY, 10);
    }
    report(risk, bench, last, DP_EVENT_ACCEPTED, 10, 10 * DOLLAR);
    struct dp_risk_order order = order_of(0, DP_SIDE_BUY, 50);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    order.qty = 51;
    expect(risk, &order, DP_REASON_TYPICAL_SIZE_MULTIPLE, 51, 50);
    bench_close(bench);
    free(risk);
}

int main(void)
{
    RUN_TESTS(TEST(test_restricted_instruments_and_accounts), TEST(test_denied_attributes),
        TEST(test_limit_up_and_limit_down), TEST(test_a_reference_grows_old),
        TEST(test_part_of_the_daily_volume),
        TEST(test_short_sales_are_marked_located_and_above_the_bid),
        TEST(test_no_order_meets_one_of_our_own), TEST(test_how_far_an_order_may_sweep),
        TEST(test_orders_at_one_instant_trip_the_strategy),
        TEST(test_a_refusal_may_trip_the_strategy),
        TEST(test_loss_trips_at_its_limit_and_lets_reduce),
        TEST(test_drawdown_soft_limit_and_a_missing_mark),
        TEST(test_a_silent_feed_and_the_firms_loss_trip_the_firm),
        TEST(test_too_many_rejects_or_executions_trip), TEST(test_executions_allow_more_messages),
        TEST(test_many_times_the_usual_size));
}
