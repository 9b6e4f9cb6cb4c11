/* What of each limit is in use, by the names that people know. */
#include "dp_risk_field.h"
#include "risk_trade.h"

static const struct dp_risk_scope firm = {DP_RISK_SCOPE_FIRM, 0};
static const struct dp_risk_scope account = {DP_RISK_SCOPE_ACCOUNT, 0};
static const struct dp_risk_scope strategy = {DP_RISK_SCOPE_STRATEGY, 0};
static const struct dp_risk_scope instrument = {DP_RISK_SCOPE_INSTRUMENT, 0};
static int64_t now_ns = 1000000;

/* -1: nothing uses that limit up. */
static int64_t used(const struct dp_risk *risk, struct dp_risk_scope scope, const char *name)
{
    int64_t found = -1;
    const struct dp_risk_field *field;
    for (uint32_t number = 0; (field = dp_risk_field_at(scope.kind, number)) != NULL; number++)
        if (strcmp(field->name, name) == 0 &&
            !dp_risk_field_used(risk, scope, number, now_ns, &found))
            return -1;
    return found;
}

static int64_t mark_at_nine(void *context, uint32_t instrument_index)
{
    (void)context;
    (void)instrument_index;
    return 9 * DOLLAR;
}

/* 100 bought at 10.00, 60 of them executed; 30 sold at 10.00, open. */
static struct dp_risk *traded(struct bench *bench)
{
    struct dp_risk *risk = scopes_open(2);
    struct dp_order *bought = send(risk, bench, DP_SIDE_BUY, 100);
    report(risk, bench, bought, DP_EVENT_FILLED, 60, 10 * DOLLAR);
    send(risk, bench, DP_SIDE_SELL, 30);
    dp_risk_watch(risk, 0, now_ns, mark_at_nine, NULL);
    return risk;
}

static void test_every_amount_of_exposure(void)
{
    static const struct {
        const char *name;
        int64_t used;
    } rows[] = {
        {"max_gross", 1300 * DOLLAR},
        {"max_net", 1000 * DOLLAR},
        {"max_open_orders", 2},
        {"max_loss", 60 * DOLLAR},
        {"max_drawdown", 60 * DOLLAR},
        {"max_order_qty", -1},
        {"max_order_notional", -1},
    };
    struct bench *bench = bench_open();
    struct dp_risk *risk = traded(bench);
    for (size_t row = 0; row < sizeof(rows) / sizeof(rows[0]); row++) {
        CHECK_EQUAL(used(risk, strategy, rows[row].name), rows[row].used);
        CHECK_EQUAL(used(risk, account, rows[row].name), rows[row].used);
        CHECK_EQUAL(used(risk, firm, rows[row].name), rows[row].used);
    }
    CHECK_EQUAL(used(risk, firm, "max_open_notional"), 700 * DOLLAR);
    CHECK_EQUAL(used(risk, firm, "max_entered"), 1300 * DOLLAR);
    CHECK_EQUAL(used(risk, firm, "message_floor"), 2);
    CHECK_EQUAL(used(risk, firm, "message_ratio"), -1);
    CHECK_EQUAL(used(risk, instrument, "max_position"), 100);
    CHECK_EQUAL(used(risk, instrument, "locate_qty"), 0);
    CHECK_EQUAL(used(risk, instrument, "collar_bps"), -1);
    bench_close(bench);
    free(risk);
}

static void test_of_a_short_position_the_short_side_counts(void)
{
    struct bench *bench = bench_open();
    struct dp_risk *risk = scopes_open(1);
    struct dp_order *sold = send(risk, bench, DP_SIDE_SELL, 70);
    report(risk, bench, sold, DP_EVENT_FILLED, 70, 10 * DOLLAR);
    send(risk, bench, DP_SIDE_BUY, 50);
    CHECK_EQUAL(used(risk, instrument, "max_position"), 70);
    CHECK_EQUAL(used(risk, strategy, "max_net"), 700 * DOLLAR);
    bench_close(bench);
    free(risk);
}

static void test_tokens_come_back_with_time(void)
{
    struct dp_risk *risk = scopes_open(1);
    struct dp_risk_strategy_limits limits = unlimited_strategy();
    struct dp_risk_group_limits group = unlimited_group();
    limits.order_rate_max = group.order_rate_max = 1000;
    limits.order_burst_max = group.order_burst_max = 5;
    CHECK_EQUAL(dp_risk_set_strategy(risk, 0, &limits, NULL), 0);
    CHECK_EQUAL(dp_risk_set_group(risk, DP_RISK_FIRM, &group, NULL), 0);
    struct dp_risk_order order = order_of(0, DP_SIDE_BUY, 1);
    for (uint32_t count = 0; count < 3; count++)
        CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    CHECK_EQUAL(used(risk, strategy, "order_burst"), 3);
    CHECK_EQUAL(used(risk, firm, "order_burst"), 3);
    CHECK_EQUAL(used(risk, account, "order_burst"), 0); /* only the firm counts messages */
    now_ns += 1100000;                                  /* a token a millisecond */
    CHECK_EQUAL(used(risk, strategy, "order_burst"), 2);
    now_ns += 10000000;
    CHECK_EQUAL(used(risk, strategy, "order_burst"), 0);
    free(risk);
}

static void test_executions_count_against_their_breaker(void)
{
    struct bench *bench = bench_open();
    struct dp_risk *risk = scopes_open(1);
    struct dp_risk_strategy_limits limits = unlimited_strategy();
    limits.fill_rate_max = limits.reject_rate_max = 10;
    CHECK_EQUAL(dp_risk_set_strategy(risk, 0, &limits, NULL), 0);
    now_ns = 1000000;
    struct dp_order *order = send(risk, bench, DP_SIDE_BUY, 100);
    report(risk, bench, order, DP_EVENT_FILLED, 1, 10 * DOLLAR);
    report(risk, bench, order, DP_EVENT_FILLED, 1, 10 * DOLLAR);
    CHECK_EQUAL(used(risk, strategy, "max_fill_rate"), 2);
    CHECK_EQUAL(used(risk, strategy, "max_reject_rate"), 0);
    bench_close(bench);
    free(risk);
}

static void test_the_silence_of_the_feed(void)
{
    struct dp_risk *risk = scopes_open(1);
    now_ns = 9000;
    CHECK_EQUAL(used(risk, firm, "max_feed_age_ns"), 0); /* never heard: not yet silent */
    dp_risk_heard(risk, 5000);
    CHECK_EQUAL(used(risk, firm, "max_feed_age_ns"), 4000);
    free(risk);
}

static void test_what_is_not_there_has_no_use(void)
{
    struct dp_risk *risk = scopes_open(1);
    int64_t value;
    const struct dp_risk_scope beyond[] = {{DP_RISK_SCOPE_ACCOUNT, 2}, {DP_RISK_SCOPE_STRATEGY, 3},
        {DP_RISK_SCOPE_INSTRUMENT, 3}, {DP_RISK_SCOPE_INSTRUMENT, 4}, {DP_RISK_SCOPE_SESSION, 0}};
    for (size_t row = 0; row < sizeof(beyond) / sizeof(beyond[0]); row++)
        CHECK(!dp_risk_field_used(risk, beyond[row], 2, 1, &value));
    CHECK(!dp_risk_field_used(risk, firm, 99, 1, &value));
    free(risk);
}

int main(void)
{
    RUN_TESTS(TEST(test_every_amount_of_exposure),
        TEST(test_of_a_short_position_the_short_side_counts), TEST(test_tokens_come_back_with_time),
        TEST(test_executions_count_against_their_breaker), TEST(test_the_silence_of_the_feed),
        TEST(test_what_is_not_there_has_no_use));
}
