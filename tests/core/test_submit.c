/* The order path end to end over memory: what leaves, what is recorded, what is given back. */
#include "submit_bench.h"

static void test_a_new_order_leaves_as_asked_and_is_recorded(void)
{
    struct path *path = path_open();
    uint32_t user_ref_num = path_submit(path, 100, 1000 * CENT);
    CHECK_EQUAL(user_ref_num, 1);

    struct dp_ouch_message message;
    CHECK(path_sent(path, &message));
    CHECK_EQUAL(message.type, 'O');
    CHECK_EQUAL(message.user_ref_num, 1);
    CHECK_EQUAL(message.side, 'B');
    CHECK_EQUAL(message.qty, 100);
    CHECK_EQUAL(message.price_wire, 100000);
    CHECK_EQUAL(message.time_in_force, DP_TIF_DAY);
    CHECK(memcmp(message.symbol, "ABC     ", 8) == 0);
    CHECK(!path_sent(path, &message));

    CHECK_EQUAL(path_record_count(path), 1);
    const struct dp_event *event = path_record(path, 0);
    CHECK_EQUAL(event->kind, DP_EVENT_NEW);
    CHECK_EQUAL(event->ord_status, DP_ORD_PENDING_NEW);
    CHECK_EQUAL(event->leaves_qty, 100);
    CHECK_EQUAL(event->observed, 1000 * DOLLAR); /* gross after the order */
    CHECK_EQUAL(event->limit, DP_RISK_UNLIMITED);
    CHECK(dp_risk_exposure(path->submit.risk, 0).buy_open == 1000 * (dp_money_nanos)DOLLAR);
    path_close(path);
}

static void test_a_refused_order_is_recorded_and_does_not_leave(void)
{
    struct path *path = path_open();
    const struct dp_request request = {
        .side = DP_SIDE_BUY, .time_in_force = DP_TIF_DAY, .qty = 1001, .price_nanos = DOLLAR};
    uint32_t user_ref_num = 0;
    CHECK_EQUAL(dp_submit_new(&path->submit, 0, &request, &user_ref_num), DP_REASON_MAX_ORDER_QTY);
    CHECK_EQUAL(user_ref_num, 1);
    CHECK_EQUAL(path_record_count(path), 1);
    CHECK_EQUAL(path_record(path, 0)->kind, DP_EVENT_DENIED);
    CHECK_EQUAL(path_record(path, 0)->reason, DP_REASON_MAX_ORDER_QTY);
    CHECK_EQUAL(path_record(path, 0)->observed, 1001);
    CHECK_EQUAL(path_record(path, 0)->limit, 1000);
    CHECK_EQUAL(path->submit.reject_counts[DP_REASON_MAX_ORDER_QTY], 1);
    CHECK_EQUAL(dp_counter_read(&path->counters, DP_COUNTER_ORDERS_DENIED), 1);
    CHECK(dp_ring_peek(path->submit.tx) == NULL);
    CHECK_EQUAL(path_submit(path, 1, 10 * DOLLAR), 2);
    path_close(path);
}

static void test_what_the_wire_cannot_carry_is_refused(void)
{
    static const struct {
        const char *name;
        struct dp_request request;
    } rows[] = {
        {"no side", {OPEN, DP_SIDE_NONE, DP_TIF_DAY, 1, DOLLAR}},
        {"another time in force", {OPEN, DP_SIDE_BUY, '6', 1, DOLLAR}},
        {"no quantity", {OPEN, DP_SIDE_BUY, DP_TIF_DAY, 0, DOLLAR}},
        {"more than six digits", {OPEN, DP_SIDE_BUY, DP_TIF_DAY, 1000000, DOLLAR}},
        {"no price", {OPEN, DP_SIDE_BUY, DP_TIF_DAY, 1, 0}},
        {"a negative price", {OPEN, DP_SIDE_BUY, DP_TIF_DAY, 1, -DOLLAR}},
        {"between two ticks", {OPEN, DP_SIDE_BUY, DP_TIF_DAY, 1, DOLLAR + 1}},
        {"above the highest price", {OPEN, DP_SIDE_BUY, DP_TIF_DAY, 1, 200000 * DOLLAR}},
        {"an instrument never opened", {NEVER_OPENED, DP_SIDE_BUY, DP_TIF_DAY, 1, DOLLAR}},
        {"no such instrument", {2, DP_SIDE_BUY, DP_TIF_DAY, 1, DOLLAR}},
    };
    struct path *path = path_open();
    for (size_t index = 0; index < sizeof(rows) / sizeof(rows[0]); index++) {
        uint32_t user_ref_num;
        enum dp_reason reason =
            dp_submit_new(&path->submit, 0, &rows[index].request, &user_ref_num);
        CHECK_THAT(reason == DP_REASON_ORDER_INVALID, "%s", rows[index].name);
        /* A venue that reports on a number which never left must not hurt us. */
        CHECK_EQUAL(path_report(path, DP_EVENT_FILLED, user_ref_num, 1, 1), DP_ORDER_ANOMALY);
    }
    path_close(path);
}

static void test_a_full_ring_refuses_before_anything_is_reserved(void)
{
    struct path *path = path_open();
    for (int count = 0; count < BENCH_RING_SLOTS; count++)
        path_submit(path, 1, 10 * DOLLAR);
    dp_money_nanos open = dp_risk_exposure(path->submit.risk, 0).buy_open;
    const struct dp_request request = {
        .side = DP_SIDE_BUY, .time_in_force = DP_TIF_DAY, .qty = 1, .price_nanos = 10 * DOLLAR};
    uint32_t user_ref_num;
    CHECK_EQUAL(dp_submit_new(&path->submit, 0, &request, &user_ref_num), DP_REASON_TX_FULL);
    CHECK_EQUAL(dp_submit_cancel(&path->submit, 0, 1), DP_REASON_TX_FULL);
    CHECK(dp_risk_exposure(path->submit.risk, 0).buy_open == open);
    CHECK_EQUAL(path_record(path, BENCH_RING_SLOTS)->kind, DP_EVENT_DENIED);
    path_close(path);
}

static bool no_next_segment(void *wal)
{
    (void)wal;
    return false;
}

/* The same memory again: enough to see that it was asked for. */
static bool next_segment(void *wal)
{
    struct path *path = wal;
    path->segment.used = DP_JOURNAL_HEADER_SIZE;
    return true;
}

static void test_a_full_journal_refuses_everything_or_goes_on_in_the_next_segment(void)
{
    struct path *path = path_open();
    uint32_t user_ref_num = path_submit(path, 1, 10 * DOLLAR);
    const struct dp_request request = {
        .side = DP_SIDE_BUY, .time_in_force = DP_TIF_DAY, .qty = 1, .price_nanos = 10 * DOLLAR};
    uint32_t none;
    path->segment.used = path->segment.size - sizeof(struct dp_journal_record);
    path->submit.next_segment = no_next_segment;
    CHECK_EQUAL(dp_submit_new(&path->submit, 0, &request, &none), DP_REASON_JOURNAL_UNAVAILABLE);
    CHECK_EQUAL(none, 0);
    CHECK_EQUAL(dp_orders_count(path->submit.orders), 1);

    path->submit.next_segment = next_segment;
    path->submit.wal = path;
    CHECK_EQUAL(path_submit(path, 1, 10 * DOLLAR), user_ref_num + 1);
    path_close(path);
}

static void test_a_cancel_leaves_without_a_record_and_then_no_order_passes(void)
{
    struct path *path = path_open();
    uint32_t user_ref_num = path_submit(path, 1, 10 * DOLLAR);
    const struct dp_request request = {
        .side = DP_SIDE_BUY, .time_in_force = DP_TIF_DAY, .qty = 1, .price_nanos = 10 * DOLLAR};
    struct dp_ouch_message message;
    uint32_t none;
    CHECK(path_sent(path, &message));
    path->segment.used = path->segment.size - sizeof(struct dp_journal_record);
    path->submit.next_segment = no_next_segment;
    CHECK_EQUAL(dp_submit_cancel(&path->submit, 0, user_ref_num), DP_REASON_ACCEPTED);
    CHECK(path_sent(path, &message) && message.type == 'X');
    CHECK_EQUAL(path_report(path, DP_EVENT_ACCEPTED, user_ref_num, 1, 0), DP_ORDER_APPLIED);
    CHECK_EQUAL(dp_counter_read(&path->counters, DP_COUNTER_JOURNAL_LOST), 2);

    /* Room again does not help: the events in between are missing. */
    path->submit.next_segment = next_segment;
    path->submit.wal = path;
    CHECK_EQUAL(dp_submit_new(&path->submit, 0, &request, &none), DP_REASON_JOURNAL_UNAVAILABLE);
    path_close(path);
}

static void test_no_number_no_order(void)
{
    struct path *path = path_open();
    struct dp_ouch_message message;
    const struct dp_request request = {
        .side = DP_SIDE_BUY, .time_in_force = DP_TIF_DAY, .qty = 1, .price_nanos = 10 * DOLLAR};
    uint32_t user_ref_num;
    for (int count = 0; count < BENCH_NUMBERS; count++) {
        path_submit(path, 1, 10 * DOLLAR);
        CHECK(path_sent(path, &message));
    }
    CHECK_EQUAL(dp_submit_new(&path->submit, 0, &request, &user_ref_num), DP_REASON_POOL_EXHAUSTED);
    CHECK_EQUAL(path->submit.reject_counts[DP_REASON_POOL_EXHAUSTED], 1);
    CHECK_EQUAL(dp_submit_cancel(&path->submit, 0, 1), DP_REASON_ACCEPTED);
    path_close(path);
}

static void test_no_number_is_used_before_it_is_reserved(void)
{
    struct path *path = path_open();
    struct dp_id_pool ids;
    const struct dp_request request = {
        .side = DP_SIDE_BUY, .time_in_force = DP_TIF_DAY, .qty = 1, .price_nanos = 10 * DOLLAR};
    uint32_t user_ref_num;
    dp_id_pool_init(&ids, 1, 2);
    path->submit.ids = &ids;
    CHECK_EQUAL(dp_submit_new(&path->submit, 0, &request, &user_ref_num), DP_REASON_POOL_EXHAUSTED);
    dp_id_pool_extend(&ids, dp_id_pool_wanted(&ids));
    CHECK_EQUAL(path_submit(path, 1, 10 * DOLLAR), 1);
    CHECK_EQUAL(path_submit(path, 1, 10 * DOLLAR), 2);
    path_report(path, DP_EVENT_ACCEPTED, 1, 1, 0);
    CHECK_EQUAL(dp_submit_replace(&path->submit, 0, 1, 2, 10 * DOLLAR, &user_ref_num),
        DP_REASON_POOL_EXHAUSTED);
    CHECK_EQUAL(dp_submit_cancel(&path->submit, 0, 2), DP_REASON_ACCEPTED); /* needs none */
    dp_id_pool_extend(&ids, dp_id_pool_wanted(&ids));
    CHECK_EQUAL(
        dp_submit_replace(&path->submit, 0, 1, 2, 10 * DOLLAR, &user_ref_num), DP_REASON_ACCEPTED);
    CHECK_EQUAL(user_ref_num, 3);
    path_close(path);
}

static void test_a_replace_sends_what_is_liable_and_reserves_the_increase(void)
{
    struct path *path = path_open();
    struct dp_ouch_message message;
    uint32_t old = path_submit(path, 100, 10 * DOLLAR);
    uint32_t new;
    path_sent(path, &message);
    CHECK_EQUAL(dp_submit_replace(&path->submit, 0, old, 120, 11 * DOLLAR, &new),
        DP_REASON_ORDER_PENDING); /* not acknowledged yet */
    path_report(path, DP_EVENT_ACCEPTED, old, 100, 0);
    path_report(path, DP_EVENT_FILLED, old, 30, 1);
    struct dp_event prevented = {
        .kind = DP_EVENT_CANCELED, .user_ref_num = old, .qty = 10, .reason = 'Q'};
    dp_report(&path->submit, &prevented);

    CHECK_EQUAL(dp_submit_replace(&path->submit, 0, old, 30, 11 * DOLLAR, &new),
        DP_REASON_ORDER_INVALID); /* executed already */
    CHECK_EQUAL(dp_submit_replace(&path->submit, 1, old, 120, 11 * DOLLAR, &new),
        DP_REASON_ORDER_UNKNOWN); /* another strategy's */
    CHECK_EQUAL(
        dp_submit_replace(&path->submit, 0, old, 120, 11 * DOLLAR, &new), DP_REASON_ACCEPTED);
    CHECK(path_sent(path, &message));
    CHECK_EQUAL(message.type, 'U');
    CHECK_EQUAL(message.orig_user_ref_num, old);
    CHECK_EQUAL(message.user_ref_num, new);
    CHECK_EQUAL(new, 2);           /* refused replaces used up no number */
    CHECK_EQUAL(message.qty, 130); /* 30 executed, 10 prevented, 90 open */
    CHECK_EQUAL(message.price_wire, 110000);
    CHECK(dp_risk_exposure(path->submit.risk, 0).buy_open == 90 * 11 * (dp_money_nanos)DOLLAR);

    path_report(path, DP_EVENT_REJECTED, new, 0, 0);
    CHECK(dp_risk_exposure(path->submit.risk, 0).buy_open == 60 * 10 * (dp_money_nanos)DOLLAR);
    path_close(path);
}

static void test_a_refused_replace_is_recorded_on_the_order(void)
{
    struct path *path = path_open();
    uint32_t user_ref_num = path_submit(path, 100, 10 * DOLLAR);
    uint32_t none;
    path_report(path, DP_EVENT_ACCEPTED, user_ref_num, 100, 0);
    CHECK_EQUAL(dp_submit_replace(&path->submit, 0, user_ref_num, 1001, 10 * DOLLAR, &none),
        DP_REASON_MAX_ORDER_QTY);
    CHECK_EQUAL(none, 0);
    const struct dp_event *event = path_record(path, path_record_count(path) - 1);
    CHECK_EQUAL(event->kind, DP_EVENT_REPLACE_DENIED);
    CHECK_EQUAL(event->user_ref_num, user_ref_num);
    CHECK_EQUAL(event->observed, 1001);
    CHECK_EQUAL(event->ord_status, DP_ORD_NEW);
    path_close(path);
}

static void test_a_cancel_passes_while_killed_but_only_once(void)
{
    struct path *path = path_open();
    struct dp_ouch_message message;
    uint32_t user_ref_num = path_submit(path, 100, 10 * DOLLAR);
    path_sent(path, &message);
    dp_risk_kill(path->submit.risk, (struct dp_risk_scope){DP_RISK_SCOPE_FIRM, 0},
        DP_SWITCH_HARD_STOP, DP_SWITCH_BY_PERSON);
    CHECK_EQUAL(dp_submit_cancel(&path->submit, 1, user_ref_num), DP_REASON_ORDER_UNKNOWN);
    CHECK_EQUAL(dp_submit_cancel(&path->submit, 0, 99), DP_REASON_ORDER_UNKNOWN);
    CHECK_EQUAL(dp_submit_cancel(&path->submit, 0, user_ref_num), DP_REASON_ACCEPTED);
    CHECK_EQUAL(dp_submit_cancel(&path->submit, 0, user_ref_num), DP_REASON_ORDER_PENDING);
    CHECK(path_sent(path, &message));
    CHECK_EQUAL(message.type, 'X');
    CHECK_EQUAL(message.user_ref_num, user_ref_num);
    CHECK_EQUAL(message.qty, 0);
    path_report(path, DP_EVENT_CANCELED, user_ref_num, 100, 0);
    CHECK_EQUAL(dp_submit_cancel(&path->submit, 0, user_ref_num), DP_REASON_ORDER_UNKNOWN);
    path_close(path);
}

static void test_a_cancel_behind_a_replace_names_both_numbers(void)
{
    struct path *path = path_open();
    struct dp_ouch_message message;
    uint32_t old = path_submit(path, 100, 10 * DOLLAR);
    uint32_t new;
    path_report(path, DP_EVENT_ACCEPTED, old, 100, 0);
    dp_submit_replace(&path->submit, 0, old, 50, 10 * DOLLAR, &new);
    CHECK_EQUAL(dp_submit_cancel(&path->submit, 0, old), DP_REASON_ACCEPTED);
    CHECK_EQUAL(dp_counter_read(&path->counters, DP_COUNTER_CANCELS_SENT), 1);
    path_sent(path, &message);
    path_sent(path, &message);
    CHECK(path_sent(path, &message) && message.type == 'X' && message.user_ref_num == old);
    CHECK(path_sent(path, &message) && message.type == 'X' && message.user_ref_num == new);
    path_close(path);
}

static void test_a_life_is_booked_once_and_drains_to_nothing(void)
{
    struct path *path = path_open();
    uint32_t user_ref_num = path_submit(path, 100, 10 * DOLLAR);
    CHECK_EQUAL(path_report(path, DP_EVENT_ACCEPTED, user_ref_num, 100, 0), DP_ORDER_APPLIED);
    CHECK_EQUAL(path_report(path, DP_EVENT_FILLED, user_ref_num, 60, 5), DP_ORDER_APPLIED);
    CHECK_EQUAL(path_report(path, DP_EVENT_FILLED, user_ref_num, 60, 5), DP_ORDER_DUPLICATE);
    CHECK_EQUAL(path_report(path, DP_EVENT_CANCELED, user_ref_num, 40, 0), DP_ORDER_APPLIED);
    CHECK_EQUAL(path_report(path, DP_EVENT_FILLED, 99, 60, 5), DP_ORDER_UNKNOWN_NUMBER);

    struct dp_risk_exposure exposure = dp_risk_exposure(path->submit.risk, 0);
    CHECK(exposure.buy_open == 0 && exposure.open_order_count == 0);
    CHECK(exposure.buy_executed == 600 * (dp_money_nanos)DOLLAR);
    CHECK_EQUAL(dp_risk_position(path->submit.risk, OPEN).position, 60);
    CHECK_EQUAL(path_record_count(path), 5); /* the duplicate is not recorded, the unknown is */
    CHECK_EQUAL(dp_counter_read(&path->counters, DP_COUNTER_REPORTS), 3);
    CHECK_EQUAL(dp_counter_read(&path->counters, DP_COUNTER_REPORTS_DUPLICATE), 1);
    CHECK_EQUAL(dp_counter_read(&path->counters, DP_COUNTER_REPORTS_UNKNOWN), 1);
    path_close(path);
}

static void test_the_stream_of_bytes_has_no_hole(void)
{
    struct path *path = path_open();
    uint32_t next = path->submit.tcp_seq;
    path_submit(path, 1, 10 * DOLLAR);
    path_submit(path, 2, 10 * DOLLAR);
    dp_submit_cancel(&path->submit, 0, 1);
    struct dp_ring_slot *slot;
    while ((slot = dp_ring_peek(path->submit.tx)) != NULL) {
        struct dp_net_packet net;
        dp_net_parse(slot->data, slot->size, true, &net);
        CHECK_EQUAL(net.tcp_seq, next);
        next += net.payload_size;
        dp_ring_release(path->submit.tx);
    }
    CHECK_EQUAL(path->submit.tcp_seq, next);
    path_close(path);
}

int main(void)
{
    RUN_TESTS(

        TEST(test_a_new_order_leaves_as_asked_and_is_recorded),
        TEST(test_a_refused_order_is_recorded_and_does_not_leave),
        TEST(test_what_the_wire_cannot_carry_is_refused),
        TEST(test_a_full_ring_refuses_before_anything_is_reserved),
        TEST(test_a_full_journal_refuses_everything_or_goes_on_in_the_next_segment),
        TEST(test_a_cancel_leaves_without_a_record_and_then_no_order_passes),
        TEST(test_no_number_no_order), TEST(test_no_number_is_used_before_it_is_reserved),
        TEST(test_a_replace_sends_what_is_liable_and_reserves_the_increase),
        TEST(test_a_refused_replace_is_recorded_on_the_order),
        TEST(test_a_cancel_passes_while_killed_but_only_once),
        TEST(test_a_cancel_behind_a_replace_names_both_numbers),
        TEST(test_a_life_is_booked_once_and_drains_to_nothing),
        TEST(test_the_stream_of_bytes_has_no_hole));
}
