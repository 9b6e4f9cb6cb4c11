/* What verification asks of each order: quantities add up, and exposure is reserved for its terms
 * alone. Orders come out of the table; one field is then changed at a time. */
#include "check.h"
#include "dp_recover.h"

static struct dp_orders *orders;

static void start(void)
{
    const struct dp_orders_config config = {
        .order_count_max = 8, .exec_count_max = 8, .user_ref_num_first = 1};
    struct dp_err err;
    free(orders);
    orders = aligned_alloc(DP_CACHE_LINE, dp_round_up(dp_orders_size(&config), DP_CACHE_LINE));
    CHECK_EQUAL(dp_orders_init(orders, &config, &err), 0);
}

static void apply(enum dp_event_kind kind, uint64_t qty, int64_t price_nanos, uint32_t number)
{
    struct dp_event event = {
        .kind = (uint8_t)kind,
        .user_ref_num = number,
        .orig_user_ref_num = kind == DP_EVENT_REPLACE ? 1 : 0,
        .side = DP_SIDE_BUY,
        .qty = qty,
        .price_nanos = price_nanos,
        .order_state = kind == DP_EVENT_ACCEPTED ? 'L' : 0,
        .exec_id = kind == DP_EVENT_FILLED ? qty : 0,
    };
    CHECK_EQUAL(dp_orders_apply(orders, &event), DP_ORDER_APPLIED);
}

static struct dp_order copy(void)
{
    return *dp_orders_at(orders, 0);
}

/* An order of 100, 30 of them executed. */
static void make_live(void)
{
    start();
    apply(DP_EVENT_NEW, 100, 5000, 1);
    apply(DP_EVENT_ACCEPTED, 100, 5000, 1);
    apply(DP_EVENT_FILLED, 30, 5000, 1);
}

static void test_a_live_order_reserves_what_is_left_of_it(void)
{
    make_live();
    struct dp_order order = copy();
    CHECK(dp_recover_is_conserved(&order) && dp_recover_reserves_fit(&order));
    order.pending_qty = 200;
    CHECK(!dp_recover_reserves_fit(&order));
    order = copy();
    order.pending_price_nanos = 6000;
    CHECK(!dp_recover_reserves_fit(&order));
    order = copy();
    order.leaves_qty++;
    CHECK(!dp_recover_is_conserved(&order));
}

static void test_a_replace_in_flight_may_reserve_more(void)
{
    make_live();
    apply(DP_EVENT_REPLACE, 200, 6000, 2);
    struct dp_order order = copy();
    CHECK_EQUAL(dp_order_worst_leaves(&order), 170);
    CHECK(dp_recover_is_conserved(&order) && dp_recover_reserves_fit(&order));
}

static void test_a_closed_order_reserves_nothing(void)
{
    make_live();
    apply(DP_EVENT_FILLED, 70, 5000, 1);
    struct dp_order order = copy();
    CHECK(dp_recover_is_conserved(&order) && dp_recover_reserves_fit(&order));
    order.leaves_qty = 1;
    CHECK(!dp_recover_is_conserved(&order) && !dp_recover_reserves_fit(&order));
}

int main(void)
{
    RUN_TESTS(TEST(test_a_live_order_reserves_what_is_left_of_it),
        TEST(test_a_replace_in_flight_may_reserve_more),
        TEST(test_a_closed_order_reserves_nothing));
}
