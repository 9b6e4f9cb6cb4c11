/* Races and anomalies one by one: what the numbers are afterwards, and what the operator
 * is told. */
#include <errno.h>

#include "check.h"
#include "dp_order.h"
#include "order_bench.h"

#define PRICE 1000000000

static const struct dp_order *accepted_order(struct bench *bench)
{
    bench_send(bench, DP_EVENT_NEW, 1, 0, 100);
    bench_answer(bench, DP_EVENT_ACCEPTED, 1, 100);
    return dp_orders_find(bench->orders, 1);
}

static enum dp_order_result fill(
    struct bench *bench, uint32_t user_ref_num, uint64_t exec_id, uint64_t qty, int64_t price_nanos)
{
    struct dp_event event = {
        .kind = DP_EVENT_FILLED,
        .user_ref_num = user_ref_num,
        .exec_id = exec_id,
        .qty = qty,
        .price_nanos = price_nanos,
    };
    return bench_apply(bench, &event);
}

static void expect(const struct dp_order *order, const char *state, uint64_t qty,
    uint64_t leaves_qty, uint64_t cum_qty, uint32_t flags)
{
    char text[4];
    CHECK_TEXT(bench_state_text(order, DP_ORDER_APPLIED, text) + 1, state);
    CHECK_EQUAL(order->qty, qty);
    CHECK_EQUAL(order->leaves_qty, leaves_qty);
    CHECK_EQUAL(order->cum_qty, cum_qty);
    CHECK_EQUAL(DP_ORDER_FLAGS(dp_load_relaxed(&order->state)), flags);
}

static void test_one_exec_id_with_two_contents_is_not_applied(void)
{
    struct bench *bench = bench_open();
    const struct dp_order *order = accepted_order(bench);
    CHECK_EQUAL(fill(bench, 1, 5, 10, PRICE), DP_ORDER_APPLIED);
    CHECK_EQUAL(fill(bench, 1, 5, 10, PRICE), DP_ORDER_DUPLICATE);
    CHECK_EQUAL(fill(bench, 1, 5, 10, PRICE + 1), DP_ORDER_ANOMALY);
    CHECK_EQUAL(fill(bench, 1, 5, 11, PRICE), DP_ORDER_ANOMALY);
    expect(order, "1-", 100, 90, 10, DP_ORDER_FLAG_ANOMALY | DP_ORDER_FLAG_EXEC_ID_CONFLICT);
    bench_close(bench);
}

static void test_both_sides_of_one_match_may_be_ours(void)
{
    struct bench *bench = bench_open();
    accepted_order(bench);
    bench_send(bench, DP_EVENT_NEW, 2, 0, 100);
    CHECK_EQUAL(fill(bench, 1, 5, 10, PRICE), DP_ORDER_APPLIED);
    CHECK_EQUAL(fill(bench, 2, 5, 10, PRICE), DP_ORDER_APPLIED);
    bench_close(bench);
}

static void test_replaced_is_net_of_what_filled_on_the_way(void)
{
    struct bench *bench = bench_open();
    const struct dp_order *order = accepted_order(bench);
    bench_send(bench, DP_EVENT_REPLACE, 2, 1, 150);
    CHECK_EQUAL(fill(bench, 1, 5, 30, PRICE), DP_ORDER_APPLIED);
    CHECK_EQUAL(dp_order_worst_leaves(order), 120);
    bench_answer(bench, DP_EVENT_REPLACED, 2, 120);
    expect(order, "1-", 150, 120, 30, 0);
    CHECK(dp_orders_find(bench->orders, 1) == order && order->user_ref_num == 2);

    /* One that was executed before the replace and reported after it: netted already. */
    CHECK_EQUAL(fill(bench, 1, 6, 20, PRICE), DP_ORDER_APPLIED);
    expect(order, "1-", 170, 120, 50, 0);
    bench_close(bench);
}

static void test_a_replaced_order_that_is_dead_on_arrival(void)
{
    struct bench *bench = bench_open();
    const struct dp_order *order = accepted_order(bench);
    bench_send(bench, DP_EVENT_REPLACE, 2, 1, 150);
    struct dp_event event = {
        .kind = DP_EVENT_REPLACED, .user_ref_num = 2, .qty = 150, .order_state = 'D'};
    CHECK_EQUAL(bench_apply(bench, &event), DP_ORDER_APPLIED);
    expect(order, "4-", 150, 0, 0, 0);
    CHECK_EQUAL(event.ord_status, DP_ORD_CANCELED);
    bench_close(bench);
}

static void test_accepted_and_dead_at_once(void)
{
    struct bench *bench = bench_open();
    bench_send(bench, DP_EVENT_NEW, 1, 0, 100);
    struct dp_event event = {
        .kind = DP_EVENT_ACCEPTED,
        .user_ref_num = 1,
        .qty = 100,
        .venue_order_id = 9,
        .order_state = 'D',
    };
    CHECK_EQUAL(bench_apply(bench, &event), DP_ORDER_APPLIED);
    expect(dp_orders_find(bench->orders, 1), "4-", 100, 0, 0, 0);
    bench_close(bench);
}

static void test_a_reject_of_the_new_number_is_of_the_replace(void)
{
    struct bench *bench = bench_open();
    const struct dp_order *order = accepted_order(bench);
    bench_send(bench, DP_EVENT_REPLACE, 2, 1, 150);
    struct dp_event event = {.kind = DP_EVENT_REJECTED, .user_ref_num = 2};
    CHECK_EQUAL(bench_apply(bench, &event), DP_ORDER_APPLIED);
    CHECK_EQUAL(event.kind, DP_EVENT_REPLACE_REJECTED);
    CHECK_EQUAL(event.orig_user_ref_num, 1);
    expect(order, "0-", 100, 100, 0, 0);
    CHECK_EQUAL(dp_order_worst_leaves(order), 100);
    bench_close(bench);
}

static void test_a_late_fill_takes_from_what_was_cancelled(void)
{
    struct bench *bench = bench_open();
    const struct dp_order *order = accepted_order(bench);
    bench_answer(bench, DP_EVENT_CANCELED, 1, 100);
    CHECK_EQUAL(fill(bench, 1, 5, 60, PRICE), DP_ORDER_APPLIED);
    expect(order, "4-", 100, 0, 60, DP_ORDER_FLAG_LATE_FILL);
    CHECK_EQUAL(order->cxl_qty, 40);
    CHECK_EQUAL(fill(bench, 1, 6, 60, PRICE), DP_ORDER_ANOMALY);
    expect(order, "4-", 100, 0, 120,
        DP_ORDER_FLAG_ANOMALY | DP_ORDER_FLAG_LATE_FILL | DP_ORDER_FLAG_OVERFILL);
    bench_close(bench);
}

static void test_more_than_was_open_is_booked_and_flagged(void)
{
    struct bench *bench = bench_open();
    const struct dp_order *order = accepted_order(bench);
    CHECK_EQUAL(fill(bench, 1, 5, 101, PRICE), DP_ORDER_ANOMALY);
    expect(order, "2-", 100, 0, 101, DP_ORDER_FLAG_ANOMALY | DP_ORDER_FLAG_OVERFILL);
    bench_close(bench);
}

static void test_a_break_finds_what_it_breaks(void)
{
    struct bench *bench = bench_open();
    const struct dp_order *order = accepted_order(bench);
    fill(bench, 1, 5, 30, 2 * PRICE);
    struct dp_event event = {.kind = DP_EVENT_BROKEN, .user_ref_num = 1, .exec_id = 5};
    CHECK_EQUAL(bench_apply(bench, &event), DP_ORDER_APPLIED);
    CHECK_EQUAL(event.qty, 30);
    CHECK_EQUAL(event.price_nanos, 2 * (int64_t)PRICE);
    expect(order, "0-", 100, 70, 0, 0);
    CHECK(order->cum_money == 0 && order->bust_qty == 30);
    CHECK_EQUAL(bench_apply(bench, &event), DP_ORDER_DUPLICATE);
    fill(bench, 1, 6, 70, PRICE);
    expect(order, "2-", 100, 0, 70, 0);
    event.exec_id = 6;
    bench_apply(bench, &event);
    expect(order, "4-", 100, 0, 0, 0);
    bench_close(bench);
}

static void test_a_break_before_its_fill_waits_for_it(void)
{
    struct bench *bench = bench_open();
    const struct dp_order *order = accepted_order(bench);
    struct dp_event event = {.kind = DP_EVENT_BROKEN, .user_ref_num = 1, .exec_id = 5};
    CHECK_EQUAL(bench_apply(bench, &event), DP_ORDER_ANOMALY);
    CHECK_EQUAL(fill(bench, 1, 5, 30, PRICE), DP_ORDER_ANOMALY);
    expect(order, "0-", 100, 70, 0, DP_ORDER_FLAG_ANOMALY | DP_ORDER_FLAG_ORPHAN_BREAK);
    CHECK_EQUAL(fill(bench, 1, 5, 30, PRICE), DP_ORDER_DUPLICATE);
    bench_close(bench);
}

static void test_self_match_counts_in_the_chain(void)
{
    struct bench *bench = bench_open();
    const struct dp_order *order = accepted_order(bench);
    struct dp_event event = {
        .kind = DP_EVENT_CANCELED, .user_ref_num = 1, .qty = 10, .reason = 'Q'};
    bench_apply(bench, &event);
    bench_send(bench, DP_EVENT_REPLACE, 2, 1, 100);
    bench_answer(bench, DP_EVENT_REPLACED, 2, 100);
    CHECK_EQUAL(order->stp_qty, 10);
    CHECK_EQUAL(order->cxl_qty, 0);
    expect(order, "0-", 100, 100, 0, 0);
    bench_close(bench);
}

static void test_numbers_rise_and_end(void)
{
    struct bench *bench = bench_open();
    accepted_order(bench);
    CHECK_EQUAL(bench_send(bench, DP_EVENT_NEW, 1, 0, 100), DP_ORDER_DUPLICATE);
    CHECK_EQUAL(bench_send(bench, DP_EVENT_NEW, 5, 0, 100), DP_ORDER_APPLIED);
    CHECK(dp_orders_find(bench->orders, 4) == NULL);
    CHECK_EQUAL(bench_answer(bench, DP_EVENT_FILLED, 4, 1), DP_ORDER_UNKNOWN_NUMBER);
    CHECK_EQUAL(bench_answer(bench, DP_EVENT_FILLED, 0, 1), DP_ORDER_UNKNOWN_NUMBER);
    CHECK_EQUAL(bench_send(bench, DP_EVENT_NEW, BENCH_NUMBERS_MAX, 0, 1), DP_ORDER_APPLIED);
    CHECK_EQUAL(dp_orders_next(bench->orders), 0);
    CHECK_EQUAL(bench_send(bench, DP_EVENT_NEW, BENCH_NUMBERS_MAX + 1, 0, 1), DP_ORDER_TABLE_FULL);
    bench_check_replay(bench);
    bench_close(bench);
}

static void test_a_full_set_of_executions_stops_new_orders_not_fills(void)
{
    const struct dp_orders_config config = {
        .order_count_max = 4, .exec_count_max = 1, .user_ref_num_first = 1};
    struct bench *bench = bench_open();
    free(bench->orders);
    bench->orders = bench_make_orders(&config);
    const struct dp_order *order = accepted_order(bench);
    CHECK_EQUAL(fill(bench, 1, 5, 10, PRICE), DP_ORDER_APPLIED);
    CHECK_EQUAL(dp_orders_next(bench->orders), 0);
    CHECK_EQUAL(fill(bench, 1, 6, 10, PRICE), DP_ORDER_TABLE_FULL);
    CHECK_EQUAL(order->cum_qty, 20);
    CHECK_EQUAL(fill(bench, 1, 5, 10, PRICE), DP_ORDER_DUPLICATE);
    bench_close(bench);
}

static void test_a_table_out_of_range_says_why(void)
{
    static const struct {
        struct dp_orders_config config;
        const char *text;
    } rows[] = {
        {{1, 1, 0}, "orders: user_ref_num_first: 0; give at least 1, 0 means none on the wire"},
        {{0, 1, 1},
            "orders: order_count_max: 0; give at least 1, at most 4294967294 from number "
            "1 on"},
        {{1, 0, 1}, "orders: exec_count_max: 0; give at least 1, at most 268435456"},
    };
    struct bench *bench = bench_open();
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
        struct dp_err err = {0};
        CHECK_EQUAL(dp_orders_init(bench->orders, &rows[index].config, &err), -EINVAL);
        CHECK_TEXT(err.text, rows[index].text);
    }
    bench_close(bench);
}

int main(void)
{
    RUN_TESTS(TEST(test_one_exec_id_with_two_contents_is_not_applied),
        TEST(test_both_sides_of_one_match_may_be_ours),
        TEST(test_replaced_is_net_of_what_filled_on_the_way),
        TEST(test_a_replaced_order_that_is_dead_on_arrival), TEST(test_accepted_and_dead_at_once),
        TEST(test_a_reject_of_the_new_number_is_of_the_replace),
        TEST(test_a_late_fill_takes_from_what_was_cancelled),
        TEST(test_more_than_was_open_is_booked_and_flagged),
        TEST(test_a_break_finds_what_it_breaks), TEST(test_a_break_before_its_fill_waits_for_it),
        TEST(test_self_match_counts_in_the_chain), TEST(test_numbers_rise_and_end),
        TEST(test_a_full_set_of_executions_stops_new_orders_not_fills),
        TEST(test_a_table_out_of_range_says_why));
}
