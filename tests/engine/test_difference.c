/* What a message of the venue contradicts, for each class one that does and one that is close. */
#include "../core/order_bench.h"
#include "dp_difference.h"

enum { QTY = 100, LIMIT = 1000000000 };

static struct dp_event report(
    struct bench *bench, enum dp_event_kind kind, uint32_t number, uint64_t qty)
{
    return (struct dp_event){
        .time_ns = ++bench->time_ns,
        .kind = (uint8_t)kind,
        .user_ref_num = number,
        .qty = qty,
        .price_nanos = LIMIT,
        .exec_id = ++bench->exec_id,
        .venue_order_id = 77,
        .order_state = 'L',
    };
}

static void expect(struct bench *bench, struct dp_event event, enum dp_difference expected)
{
    const struct dp_order *order = dp_orders_find(bench->orders, event.user_ref_num);
    struct dp_difference_before before = dp_difference_look(order);
    enum dp_order_result result = dp_orders_apply(bench->orders, &event);
    enum dp_difference found = dp_difference_of(&before, order, &event, result);
    CHECK_THAT(found == expected, "kind %u of %u: %s, not %s", event.kind, event.user_ref_num,
        dp_difference_name(found), dp_difference_name(expected));
}

/* Number 1: bought, open, 40 of 100 executed. */
static struct bench *open_order(struct dp_event *fill)
{
    struct bench *bench = bench_open();
    bench_send(bench, DP_EVENT_NEW, 1, 0, QTY);
    expect(bench, report(bench, DP_EVENT_ACCEPTED, 1, QTY), DP_DIFFERENCE_NONE);
    *fill = report(bench, DP_EVENT_FILLED, 1, 40);
    expect(bench, *fill, DP_DIFFERENCE_NONE);
    return bench;
}

static void test_executions(void)
{
    struct dp_event fill;
    struct bench *bench = open_order(&fill);
    expect(bench, fill, DP_DIFFERENCE_DUPLICATE);
    fill.qty++;
    expect(bench, fill, DP_DIFFERENCE_EXECUTION);
    expect(bench, report(bench, DP_EVENT_BROKEN, 1, 0), DP_DIFFERENCE_EXECUTION);
    fill = report(bench, DP_EVENT_FILLED, 1, 1);
    fill.price_nanos = LIMIT - 1;
    expect(bench, fill, DP_DIFFERENCE_NONE); /* better than asked for */
    fill = report(bench, DP_EVENT_FILLED, 1, 1);
    fill.price_nanos = LIMIT + 1;
    expect(bench, fill, DP_DIFFERENCE_PRICE);
    expect(bench, report(bench, DP_EVENT_FILLED, 1, QTY), DP_DIFFERENCE_QUANTITY);
    bench_close(bench);
}

static void test_states(void)
{
    struct dp_event fill;
    struct bench *bench = open_order(&fill);
    expect(bench, report(bench, DP_EVENT_FILLED, 9, 1), DP_DIFFERENCE_VENUE_ONLY);
    expect(bench, report(bench, DP_EVENT_REJECTED, 1, 0), DP_DIFFERENCE_STATUS);
    expect(bench, report(bench, DP_EVENT_CANCELED, 1, QTY), DP_DIFFERENCE_QUANTITY);
    bench_send(bench, DP_EVENT_NEW, 2, 0, QTY);
    expect(bench, report(bench, DP_EVENT_REJECTED, 2, 0), DP_DIFFERENCE_NONE);
    expect(bench, report(bench, DP_EVENT_ACCEPTED, 2, QTY), DP_DIFFERENCE_STATUS);
    bench_close(bench);
}

/* An order that was replaced: what its old number executed had the old limit. */
static void test_an_old_number_has_no_limit(void)
{
    struct dp_event fill;
    struct bench *bench = open_order(&fill);
    bench_send(bench, DP_EVENT_REPLACE, 2, 1, QTY);
    struct dp_event replaced = report(bench, DP_EVENT_REPLACED, 2, 60);
    replaced.orig_user_ref_num = 1;
    replaced.price_nanos = LIMIT / 2;
    expect(bench, replaced, DP_DIFFERENCE_NONE);
    expect(bench, report(bench, DP_EVENT_FILLED, 1, 1), DP_DIFFERENCE_NONE);
    expect(bench, report(bench, DP_EVENT_FILLED, 2, 1), DP_DIFFERENCE_PRICE);
    bench_close(bench);
}

static void test_names(void)
{
    CHECK(strcmp(dp_difference_name(DP_DIFFERENCE_VENUE_ONLY), "venue_only") == 0);
    CHECK(strcmp(dp_difference_name(DP_DIFFERENCE_COUNT), "?") == 0);
}

int main(void)
{
    RUN_TESTS(TEST(test_executions), TEST(test_states), TEST(test_an_old_number_has_no_limit),
        TEST(test_names));
}
