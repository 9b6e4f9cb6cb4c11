/* Several orders with one doorbell, and requests that may come twice. */
#include "submit_bench.h"

static struct dp_request buy(uint64_t qty)
{
    return (struct dp_request){.instrument_index = OPEN,
        .side = DP_SIDE_BUY,
        .time_in_force = DP_TIF_DAY,
        .qty = qty,
        .price_nanos = 10 * DOLLAR};
}

static void test_a_batch_gives_the_bytes_of_single_orders(void)
{
    struct path *single = path_open();
    struct path *batch = path_open();
    const struct dp_request requests[] = {buy(1), buy(2000), buy(3)}; /* the second is refused */
    struct dp_order_answer answers[3];
    CHECK_EQUAL(dp_submit_n(&batch->submit, 0, requests, NULL, 3, answers), 2);
    for (int index = 0; index < 3; index++) {
        uint32_t user_ref_num;
        enum dp_reason reason = dp_submit_new(&single->submit, 0, &requests[index], &user_ref_num);
        CHECK_EQUAL(answers[index].reason, reason);
        CHECK_EQUAL(answers[index].user_ref_num, user_ref_num);
    }
    CHECK_EQUAL(path_record_count(batch), 3);
    for (uint64_t index = 0; index < 3; index++)
        CHECK(memcmp(path_record(batch, index), path_record(single, index),
                  sizeof(struct dp_event)) == 0);
    struct dp_ring_slot *slot;
    while ((slot = dp_ring_peek(single->submit.tx)) != NULL) {
        struct dp_ring_slot *other = dp_ring_peek(batch->submit.tx);
        CHECK(other != NULL && other->size == slot->size && other->tag == slot->tag &&
            memcmp(other->data, slot->data, slot->size) == 0);
        dp_ring_release(single->submit.tx);
        dp_ring_release(batch->submit.tx);
    }
    CHECK(dp_ring_peek(batch->submit.tx) == NULL);
    CHECK_EQUAL(dp_counter_read(&batch->counters, DP_COUNTER_ORDERS_SENT), 2);
    path_close(single);
    path_close(batch);
}

/* What another thread sees of the journal when the first frame of a batch appears: all of it. The
 * second record of the batch begins a segment, so those before it are committed on their own. */
static uint64_t committed_at_roll;

static bool roll(void *wal)
{
    struct path *path = wal;
    committed_at_roll = path_record_count(path);
    CHECK_EQUAL(path->segment.uncommitted, 0);
    path->segment.used = DP_JOURNAL_HEADER_SIZE;
    return true;
}

static void test_a_batch_is_committed_once_and_before_a_roll(void)
{
    struct path *path = path_open();
    const struct dp_request requests[] = {buy(1), buy(2), buy(3)};
    struct dp_order_answer answers[3];
    path->submit.next_segment = roll;
    path->submit.wal = path;
    path->segment.used = path->segment.size - 2 * sizeof(struct dp_journal_record);
    CHECK_EQUAL(dp_submit_n(&path->submit, 0, requests, NULL, 3, answers), 3);
    CHECK_EQUAL(committed_at_roll, 1);
    CHECK_EQUAL(path_record_count(path), 3);
    CHECK_EQUAL(path->segment.uncommitted, 0);
    CHECK_EQUAL(path->segment.used, DP_JOURNAL_HEADER_SIZE + 2 * sizeof(struct dp_journal_record));
    path_close(path);
}

static void test_a_batch_takes_the_room_there_is(void)
{
    struct path *path = path_open();
    struct dp_request requests[BENCH_RING_SLOTS + 2];
    struct dp_order_answer answers[BENCH_RING_SLOTS + 2];
    for (int index = 0; index < BENCH_RING_SLOTS + 2; index++)
        requests[index] = buy(index == 1 ? 2000 : 1); /* a refused one takes no room */
    CHECK_EQUAL(dp_submit_n(&path->submit, 0, requests, NULL, BENCH_RING_SLOTS + 2, answers),
        BENCH_RING_SLOTS);
    CHECK_EQUAL(answers[1].reason, DP_REASON_MAX_ORDER_QTY);
    CHECK_EQUAL(answers[BENCH_RING_SLOTS].reason, DP_REASON_ACCEPTED);
    CHECK_EQUAL(answers[BENCH_RING_SLOTS + 1].reason, DP_REASON_TX_FULL);
    CHECK(dp_risk_exposure(path->submit.risk, 0).buy_open ==
        BENCH_RING_SLOTS * 10 * (dp_money_nanos)DOLLAR);
    CHECK_EQUAL(dp_submit_n(&path->submit, 0, requests, NULL, 0, answers), 0);
    path_close(path);
}

static void test_a_key_seen_before_gets_the_first_answer_and_sends_nothing(void)
{
    struct path *path = path_open();
    struct dp_ouch_message message;
    struct dp_request request = buy(1);
    struct dp_request large = buy(2000);
    uint32_t first;
    uint32_t again;
    CHECK_EQUAL(dp_submit_once(&path->submit, 0, &request, 77, &first), DP_REASON_ACCEPTED);
    CHECK(path_sent(path, &message));
    CHECK_EQUAL(dp_submit_once(&path->submit, 0, &request, 77, &again), DP_REASON_ACCEPTED);
    CHECK_EQUAL(again, first);
    CHECK(!path_sent(path, &message));

    CHECK_EQUAL(dp_submit_once(&path->submit, 0, &large, 78, &first), DP_REASON_MAX_ORDER_QTY);
    CHECK_EQUAL(dp_submit_once(&path->submit, 0, &request, 78, &again), DP_REASON_MAX_ORDER_QTY);
    CHECK_EQUAL(again, first);
    CHECK_EQUAL(path_record_count(path), 2);
    CHECK_EQUAL(path->submit.reject_counts[DP_REASON_MAX_ORDER_QTY], 1);
    CHECK_EQUAL(dp_counter_read(&path->counters, DP_COUNTER_REQUESTS_REPEATED), 2);

    /* Another strategy's key, and the end of an order, change nothing. */
    CHECK_EQUAL(dp_submit_once(&path->submit, 1, &request, 77, &again), DP_REASON_ACCEPTED);
    CHECK_EQUAL(again, 3);
    path_report(path, DP_EVENT_REJECTED, 1, 0, 0);
    CHECK_EQUAL(dp_submit_once(&path->submit, 0, &request, 77, &again), DP_REASON_ACCEPTED);
    CHECK_EQUAL(again, 1);
    path_close(path);
}

static void test_keys_are_known_again_after_a_rebuild_from_the_journal(void)
{
    struct path *path = path_open();
    struct path *after = path_open();
    const struct dp_request requests[] = {buy(1), buy(2000), buy(3), buy(4)};
    const uint64_t keys[] = {5, 6, 5, 0};
    struct dp_order_answer answers[4];
    CHECK_EQUAL(dp_submit_n(&path->submit, 0, requests, keys, 4, answers), 2);
    CHECK_EQUAL(answers[2].user_ref_num, answers[0].user_ref_num); /* twice in one batch */
    for (uint64_t index = 0; index < path_record_count(path); index++) {
        struct dp_event event = *path_record(path, index);
        CHECK_EQUAL(dp_orders_apply(after->submit.orders, &event), DP_ORDER_APPLIED);
    }
    struct dp_order_answer again[4];
    struct dp_ouch_message message;
    CHECK_EQUAL(dp_submit_n(&after->submit, 0, requests, keys, 3, again), 0);
    CHECK(!path_sent(after, &message));
    for (int index = 0; index < 3; index++)
        CHECK(again[index].reason == answers[index].reason &&
            again[index].user_ref_num == answers[index].user_ref_num);
    path_close(path);
    path_close(after);
}

static bool no_next_segment(void *wal)
{
    (void)wal;
    return false;
}

static void test_a_request_without_a_number_is_not_remembered(void)
{
    struct path *path = path_open();
    struct dp_request request = buy(1);
    uint32_t user_ref_num;
    uint64_t used = path->segment.used;
    path->segment.used = path->segment.size - sizeof(struct dp_journal_record);
    path->submit.next_segment = no_next_segment;
    CHECK_EQUAL(dp_submit_once(&path->submit, 0, &request, 9, &user_ref_num),
        DP_REASON_JOURNAL_UNAVAILABLE);
    path->segment.used = used;
    CHECK_EQUAL(dp_submit_once(&path->submit, 0, &request, 9, &user_ref_num), DP_REASON_ACCEPTED);
    path_close(path);
}

int main(void)
{
    RUN_TESTS(TEST(test_a_batch_gives_the_bytes_of_single_orders),
        TEST(test_a_batch_is_committed_once_and_before_a_roll),
        TEST(test_a_batch_takes_the_room_there_is),
        TEST(test_a_key_seen_before_gets_the_first_answer_and_sends_nothing),
        TEST(test_keys_are_known_again_after_a_rebuild_from_the_journal),
        TEST(test_a_request_without_a_number_is_not_remembered));
}
