/* Limits of accounts, firm and instruments beyond the first ones: each side of each; the kill
 * switch of every scope; breakers. */
#include "risk_scopes.h"

static const struct dp_risk_scope firm_scope = {DP_RISK_SCOPE_FIRM, 0};

/* ---- accounts and firm ---- */

/* One order of 100 at 10.00 passes, a second one does not: of the same account, or of any. */
struct group_row {
    const char *name;
    struct dp_risk_group_limits limits;
    enum dp_reason reason;
    int64_t observed;
    int64_t limit;
};

#define GROUP_ROW(field, value, reason, observed) \
    { \
#field, {.field = value }, DP_REASON_##reason, observed, value \
    }

static const struct group_row group_rows[] = {
    GROUP_ROW(gross_max_nanos, 1999 * DOLLAR, GROSS_EXPOSURE_ENTERED, 2000 * DOLLAR),
    GROUP_ROW(net_max_nanos, 1999 * DOLLAR, NET_EXPOSURE, 2000 * DOLLAR),
    GROUP_ROW(open_max_nanos, 1999 * DOLLAR, OPEN_NOTIONAL, 2000 * DOLLAR),
    GROUP_ROW(entered_max_nanos, 1999 * DOLLAR, ACCUMULATED_VALUE, 2000 * DOLLAR),
    GROUP_ROW(open_order_count_max, 1, OPEN_ORDER_COUNT, 2),
    GROUP_ROW(message_floor, 1, ORDER_TO_TRADE, 2),
};

static struct dp_risk_group_limits narrowed(const struct group_row *row)
{
    struct dp_risk_group_limits limits = unlimited_group();
    const uint64_t *from = (const uint64_t *)&row->limits;
    uint64_t *to = (uint64_t *)&limits;
    for (size_t index = 0; index < sizeof(limits) / sizeof(*to); index++)
        if (from[index] != 0)
            to[index] = from[index];
    return limits;
}

static void check_group_row(const struct group_row *row, uint32_t group)
{
    struct dp_risk *risk = scopes_open(1);
    struct dp_risk_group_limits limits = narrowed(row);
    CHECK_EQUAL(dp_risk_set_group(risk, group, &limits, NULL), 0);
    struct dp_risk_order first = order_of(0, DP_SIDE_BUY, 100);
    struct dp_risk_order same_account = order_of(1, DP_SIDE_BUY, 100);
    struct dp_risk_order other_account = order_of(2, DP_SIDE_BUY, 100);
    CHECK_THAT(decide(risk, &first) == DP_REASON_ACCEPTED, "%s: one passes", row->name);
    expect(risk, &same_account, row->reason, row->observed, row->limit);
    enum dp_reason other = group == DP_RISK_FIRM ? row->reason : DP_REASON_ACCEPTED;
    CHECK_THAT(decide(risk, &other_account) == other, "%s: another account", row->name);
    /* A cancel makes room, but neither for what was entered nor for messages. */
    dp_risk_undo(risk, &first);
    bool stays = row->reason == DP_REASON_ORDER_TO_TRADE;
    if (group != DP_RISK_FIRM || !stays)
        CHECK_THAT(decide(risk, &same_account) == (stays ? row->reason : DP_REASON_ACCEPTED),
            "%s: after the first is gone", row->name);
    free(risk);
}

static void test_each_limit_of_an_account_and_of_the_firm(void)
{
    for (size_t index = 0; index < sizeof(group_rows) / sizeof(group_rows[0]); index++) {
        check_group_row(&group_rows[index], 1);
        check_group_row(&group_rows[index], DP_RISK_FIRM);
    }
}

static void test_equal_to_the_limit_passes_in_every_scope(void)
{
    struct dp_risk *risk = scopes_open(1);
    struct dp_risk_group_limits limits = unlimited_group();
    limits.gross_max_nanos = 2000 * DOLLAR;
    CHECK_EQUAL(dp_risk_set_group(risk, 1, &limits, NULL), 0);
    struct dp_risk_order order = order_of(0, DP_SIDE_BUY, 100);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_GROSS_EXPOSURE_ENTERED);
    free(risk);
}

static void test_order_size_and_value_of_the_account(void)
{
    struct dp_risk *risk = scopes_open(1);
    struct dp_risk_group_limits limits = unlimited_group();
    limits.order_qty_max = 100;
    limits.order_notional_max_nanos = 900 * DOLLAR;
    CHECK_EQUAL(dp_risk_set_group(risk, 1, &limits, NULL), 0);
    struct dp_risk_order order = order_of(0, DP_SIDE_BUY, 101);
    expect(risk, &order, DP_REASON_MAX_ORDER_QTY, 101, 100);
    order = order_of(0, DP_SIDE_BUY, 90);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    order = order_of(0, DP_SIDE_BUY, 91);
    expect(risk, &order, DP_REASON_MAX_ORDER_NOTIONAL, 910 * DOLLAR, 900 * DOLLAR);
    free(risk);
}

static void test_the_firm_has_a_rate_of_its_own(void)
{
    struct dp_risk *risk = scopes_open(1);
    struct dp_risk_group_limits limits = unlimited_group();
    limits.order_rate_max = 1;
    limits.order_burst_max = 2;
    CHECK_EQUAL(dp_risk_set_group(risk, DP_RISK_FIRM, &limits, NULL), 0);
    struct dp_risk_order order = order_of(0, DP_SIDE_BUY, 1);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    dp_risk_cancel(risk, 0, order.now_ns); /* charged, never refused */
    order.strategy_index = 2;
    expect(risk, &order, DP_REASON_MESSAGE_RATE, 3000000000, 2000000000);
    order.now_ns += 1000000000;
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    free(risk);
}

static void test_no_policy_of_account_or_firm_refuses(void)
{
    struct dp_risk *risk = scopes_open(1);
    const struct dp_risk_group_limits none = {0};
    struct dp_risk_order order = order_of(2, DP_SIDE_BUY, 1);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    CHECK_EQUAL(dp_risk_set_group(risk, 2, &none, NULL), 0);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_NO_POLICY);
    order.strategy_index = 0;
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    CHECK_EQUAL(dp_risk_set_group(risk, DP_RISK_FIRM, &none, NULL), 0);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_NO_POLICY);
    free(risk);
}

/* ---- limits change ---- */

static void test_a_changed_limit_holds_from_the_next_order_on(void)
{
    struct dp_risk *risk = scopes_open(1);
    struct dp_risk_group_limits limits = unlimited_group();
    struct dp_risk_order order = order_of(0, DP_SIDE_BUY, 100);
    struct dp_risk_verdict verdict;
    dp_risk_decide(risk, &order, &verdict);
    CHECK_EQUAL(verdict.policy_version, 0);
    limits.gross_max_nanos = 2000 * DOLLAR; /* what was used while unlimited counts */
    CHECK_EQUAL(dp_risk_set_group(risk, 1, &limits, NULL), 0);
    CHECK_EQUAL(dp_risk_decide(risk, &order, &verdict), DP_REASON_ACCEPTED);
    CHECK_EQUAL(verdict.policy_version, 1);
    expect(risk, &order, DP_REASON_GROSS_EXPOSURE_ENTERED, 3000 * DOLLAR, 2000 * DOLLAR);
    limits.gross_max_nanos = 1000 * DOLLAR; /* below what is used: nothing more, until it is less */
    CHECK_EQUAL(dp_risk_set_group(risk, 1, &limits, NULL), 0);
    expect(risk, &order, DP_REASON_GROSS_EXPOSURE_ENTERED, 3000 * DOLLAR, 1000 * DOLLAR);
    dp_risk_undo(risk, &order);
    dp_risk_undo(risk, &order);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    limits.gross_max_nanos = DP_RISK_UNLIMITED;
    CHECK_EQUAL(dp_risk_set_group(risk, 1, &limits, NULL), 0);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    free(risk);
}

/* What becomes free makes room only when less is used than the new limit allows. */
static void test_below_what_is_in_use_nothing_passes(void)
{
    struct dp_risk *risk = scopes_open(1);
    struct dp_risk_group_limits limits = unlimited_group();
    struct dp_risk_instrument_limits instrument = unlimited_instrument();
    const struct dp_risk_order order = order_of(0, DP_SIDE_BUY, 100);
    const struct dp_risk_order half = order_of(1, DP_SIDE_BUY, 50);
    for (int index = 0; index < 4; index++)
        CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    limits.gross_max_nanos = 1500 * DOLLAR;
    CHECK_EQUAL(dp_risk_set_group(risk, DP_RISK_FIRM, &limits, NULL), 0);
    expect(risk, &half, DP_REASON_GROSS_EXPOSURE_ENTERED, 4500 * DOLLAR, 1500 * DOLLAR);
    dp_risk_undo(risk, &order);
    expect(risk, &half, DP_REASON_GROSS_EXPOSURE_ENTERED, 3500 * DOLLAR, 1500 * DOLLAR);
    dp_risk_undo(risk, &order);
    dp_risk_undo(risk, &order);
    CHECK_EQUAL(decide(risk, &half), DP_REASON_ACCEPTED);

    instrument.position_max = 120;
    CHECK_EQUAL(dp_risk_set_instrument(risk, 0, &instrument, NULL), 0);
    limits.gross_max_nanos = DP_RISK_UNLIMITED;
    CHECK_EQUAL(dp_risk_set_group(risk, DP_RISK_FIRM, &limits, NULL), 0);
    expect(risk, &half, DP_REASON_POSITION, 200, 120);
    dp_risk_undo(risk, &half);
    expect(risk, &half, DP_REASON_POSITION, 150, 120);
    free(risk);
}

static void test_a_strategys_limits_change_too(void)
{
    struct dp_risk *risk = scopes_open(1);
    struct dp_risk_strategy_limits limits = unlimited_strategy();
    struct dp_risk_order order = order_of(0, DP_SIDE_SELL, 100);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    limits.net_max_nanos = 1000 * DOLLAR;
    CHECK_EQUAL(dp_risk_set_strategy(risk, 0, &limits, NULL), 0);
    expect(risk, &order, DP_REASON_NET_EXPOSURE, 2000 * DOLLAR, 1000 * DOLLAR);
    order.side = DP_SIDE_BUY;
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    CHECK(dp_risk_exposure(risk, 0).sell_open == 1000 * (dp_money_nanos)DOLLAR);
    free(risk);
}

/* ---- the kill switch ---- */

static void test_each_scope_stops_its_own(void)
{
    static const struct {
        struct dp_risk_scope scope;
        bool stops_other_strategy; /* 1, of the same account */
        bool stops_other_account;  /* 2 */
        bool stops_other_instrument;
    } rows[] = {
        {{DP_RISK_SCOPE_FIRM, 0}, true, true, true},
        {{DP_RISK_SCOPE_ACCOUNT, 0}, true, false, true},
        {{DP_RISK_SCOPE_STRATEGY, 0}, false, false, true},
        {{DP_RISK_SCOPE_SESSION, 0}, true, true, true},
        {{DP_RISK_SCOPE_INSTRUMENT, 0}, true, true, false},
    };
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
        struct dp_risk *risk = scopes_open(1);
        struct dp_risk_order order = order_of(0, DP_SIDE_BUY, 1);
        struct dp_risk_order elsewhere = order;
        elsewhere.instrument_index = 1;
        struct dp_risk_order same = order_of(1, DP_SIDE_BUY, 1);
        struct dp_risk_order other = order_of(2, DP_SIDE_BUY, 1);
        CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
        CHECK(dp_risk_kill(risk, rows[index].scope, DP_SWITCH_REJECT_NEW, DP_SWITCH_BY_PERSON));
        expect(risk, &order, DP_REASON_KILL_SWITCH, DP_SWITCH_REJECT_NEW, DP_SWITCH_CLEAR);
        CHECK_EQUAL(decide(risk, &same) != DP_REASON_ACCEPTED, rows[index].stops_other_strategy);
        CHECK_EQUAL(decide(risk, &other) != DP_REASON_ACCEPTED, rows[index].stops_other_account);
        CHECK_EQUAL(
            decide(risk, &elsewhere) != DP_REASON_ACCEPTED, rows[index].stops_other_instrument);
        CHECK(dp_risk_arm(risk, rows[index].scope, dp_risk_mark_of(risk, rows[index].scope)));
        CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
        free(risk);
    }
}

static void test_a_weaker_mode_or_an_old_look_changes_nothing(void)
{
    struct dp_risk *risk = scopes_open(1);
    uint64_t before = dp_risk_mark_of(risk, firm_scope);
    dp_risk_kill(risk, firm_scope, DP_SWITCH_CANCEL_ALL, DP_SWITCH_BY_PERSON);
    dp_risk_kill(risk, firm_scope, DP_SWITCH_REDUCE_ONLY, DP_SWITCH_BY_LOSS);
    CHECK_EQUAL(dp_switch_mode_of(dp_risk_mark_of(risk, firm_scope)), DP_SWITCH_CANCEL_ALL);
    CHECK_EQUAL(dp_switch_source_of(dp_risk_mark_of(risk, firm_scope)), DP_SWITCH_BY_PERSON);
    CHECK(!dp_risk_arm(risk, firm_scope, before));
    uint64_t seen = dp_risk_mark_of(risk, firm_scope);
    dp_risk_kill(risk, firm_scope, DP_SWITCH_HARD_STOP, DP_SWITCH_BY_PERSON);
    CHECK(!dp_risk_arm(risk, firm_scope, seen)); /* it became worse while the person looked */
    CHECK_EQUAL(dp_risk_mode_of(risk, 0, 0, 0), DP_SWITCH_HARD_STOP);
    CHECK(!dp_risk_kill(risk, (struct dp_risk_scope){DP_RISK_SCOPE_ACCOUNT, 2},
        DP_SWITCH_REJECT_NEW, DP_SWITCH_BY_PERSON));
    free(risk);
}

static void test_a_restart_begins_uncertain(void)
{
    const struct dp_risk_config config = {
        .instrument_count_max = 1, .strategy_count_max = 1, .starts_uncertain = true};
    struct dp_risk *risk =
        aligned_alloc(DP_CACHE_LINE, dp_round_up(dp_risk_size(&config), DP_CACHE_LINE));
    CHECK_EQUAL(dp_risk_init(risk, &config, NULL), 0);
    const struct dp_risk_strategy_limits strategy = unlimited_strategy();
    const struct dp_risk_instrument_limits instrument = unlimited_instrument();
    dp_risk_set_strategy(risk, 0, &strategy, NULL);
    dp_risk_set_instrument(risk, 0, &instrument, NULL);
    struct dp_risk_order order = plain_order();
    expect(risk, &order, DP_REASON_KILL_SWITCH, DP_SWITCH_UNCERTAIN, DP_SWITCH_CLEAR);
    CHECK(dp_risk_arm(risk, firm_scope, dp_risk_mark_of(risk, firm_scope)));
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    free(risk);
}

/* ---- the node ---- */

static void test_sessions_and_the_node(void)
{
    struct dp_risk *risk = scopes_open(1);
    struct dp_risk_order order = order_of(0, DP_SIDE_BUY, 1);
    dp_risk_set_session(risk, 0, false);
    expect(risk, &order, DP_REASON_NOT_AUTHORISED, 0, 0);
    dp_risk_set_session(risk, 0, true);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    dp_risk_set_degraded(risk, DP_RISK_CLOCK_UNSYNCED, true);
    dp_risk_set_degraded(risk, DP_RISK_JOURNAL_DEGRADED, true);
    expect(risk, &order, DP_REASON_NODE_DEGRADED, 3, 0);
    dp_risk_set_degraded(risk, DP_RISK_CLOCK_UNSYNCED, false);
    expect(risk, &order, DP_REASON_NODE_DEGRADED, 1, 0);
    dp_risk_set_degraded(risk, DP_RISK_JOURNAL_DEGRADED, false);
    CHECK_EQUAL(decide(risk, &order), DP_REASON_ACCEPTED);
    free(risk);
}

int main(void)
{
    RUN_TESTS(TEST(test_each_limit_of_an_account_and_of_the_firm),
        TEST(test_equal_to_the_limit_passes_in_every_scope),
        TEST(test_order_size_and_value_of_the_account), TEST(test_the_firm_has_a_rate_of_its_own),
        TEST(test_no_policy_of_account_or_firm_refuses),
        TEST(test_a_changed_limit_holds_from_the_next_order_on),
        TEST(test_below_what_is_in_use_nothing_passes), TEST(test_a_strategys_limits_change_too),
        TEST(test_each_scope_stops_its_own),
        TEST(test_a_weaker_mode_or_an_old_look_changes_nothing),
        TEST(test_a_restart_begins_uncertain), TEST(test_sessions_and_the_node));
}
