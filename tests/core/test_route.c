/* Which session an order leaves by, and how many messages a session may send. */
#include "check.h"
#include "dp_route.h"

#define MS 1000000ll

static struct dp_route route_of(enum dp_route_spread spread, uint32_t count)
{
    struct dp_route route = {.session_count = count, .spread = spread};
    for (uint32_t index = 0; index < count; index++)
        route.sessions[index].is_open = true;
    return route;
}

static void test_a_strategy_or_an_instrument_keeps_its_session(void)
{
    struct dp_route by_strategy = route_of(DP_ROUTE_BY_STRATEGY, 3);
    struct dp_route by_instrument = route_of(DP_ROUTE_BY_INSTRUMENT, 3);
    for (uint32_t index = 0; index < 9; index++) {
        CHECK_EQUAL(dp_route_choose(&by_strategy, (uint16_t)index, 7), index % 3);
        CHECK_EQUAL(dp_route_choose(&by_instrument, 7, index), index % 3);
    }
}

static void test_a_session_that_is_not_open_is_passed_over(void)
{
    struct dp_route route = route_of(DP_ROUTE_BY_STRATEGY, 3);
    route.sessions[1].is_open = false;
    CHECK_EQUAL(dp_route_choose(&route, 1, 0), 2);
    route.sessions[2].is_open = false;
    CHECK_EQUAL(dp_route_choose(&route, 1, 0), 0);
    route.sessions[0].is_open = false;
    CHECK_EQUAL(dp_route_choose(&route, 1, 0), 1); /* its own: the gate refuses it there */
}

static void test_the_least_loaded_is_open_waits_least_and_got_least(void)
{
    struct dp_route route = route_of(DP_ROUTE_LEAST_LOADED, 3);
    CHECK_EQUAL(dp_route_choose(&route, 0, 0), 0);
    dp_route_give(&route, 0, 0);
    CHECK_EQUAL(dp_route_choose(&route, 0, 0), 1);
    route.sessions[0].waiting--;
    route.sessions[1].waiting = 1;
    CHECK_EQUAL(dp_route_choose(&route, 0, 0), 2);
    route.sessions[2].is_open = false;
    CHECK_EQUAL(dp_route_choose(&route, 0, 0), 0);
}

static uint32_t take_all(struct dp_throttle *throttle, int64_t now_ns, bool is_cancel)
{
    uint32_t count = 0;
    for (; count < 1000 && dp_throttle_has(throttle, now_ns, is_cancel); count++)
        dp_throttle_take(throttle, now_ns);
    return count;
}

static void test_cancels_have_what_orders_leave(void)
{
    struct dp_throttle throttle = dp_throttle_make(1000, 10, 30);
    CHECK_EQUAL(take_all(&throttle, 0, false), 7);
    CHECK_EQUAL(take_all(&throttle, 0, true), 3);
    CHECK_EQUAL(take_all(&throttle, 1 * MS, false), 0); /* the reserve comes back first */
    CHECK_EQUAL(take_all(&throttle, 1 * MS, true), 1);
    CHECK_EQUAL(take_all(&throttle, 5 * MS, false), 1);
    CHECK_EQUAL(take_all(&throttle, 1000 * MS, false), 7);
}

/* In no stretch of time more than a burst and what the rate allows in it. */
static void test_the_venue_never_sees_more_than_it_takes(void)
{
    struct dp_throttle throttle = dp_throttle_make(500, 20, 0);
    uint64_t sent = 0;
    for (int64_t now_ns = 0; now_ns < 1000 * MS; now_ns += MS / 4) {
        sent += take_all(&throttle, now_ns, false);
        CHECK(sent <= 20 + (uint64_t)(now_ns / (2 * MS)));
    }
    CHECK_EQUAL(sent, 20 + 499);
}

static void test_without_a_rate_there_is_no_limit(void)
{
    struct dp_throttle throttle = dp_throttle_make(0, 1, 0);
    CHECK_EQUAL(take_all(&throttle, 0, false), 1000);
}

static void test_orders_always_have_one(void)
{
    struct dp_throttle throttle = dp_throttle_make(10, 1, 90);
    CHECK_EQUAL(take_all(&throttle, 0, false), 1);
    CHECK_EQUAL(take_all(&throttle, 0, true), 0);
}

static void test_a_refusing_route_counts_at_the_gate(void)
{
    struct dp_route route = route_of(DP_ROUTE_BY_STRATEGY, 2);
    route.sessions[0].throttle = dp_throttle_make(1000, 2, 0);
    dp_route_give(&route, 0, 0);
    CHECK(!dp_route_is_throttled(&route, 0, 0));
    dp_route_give(&route, 0, 0);
    CHECK(dp_route_is_throttled(&route, 0, 0));
    CHECK(!dp_route_is_throttled(&route, 1, 0));
    route.queues = true;
    CHECK(!dp_route_is_throttled(&route, 0, 0));
    route.sessions[1].waiting = DP_ROUTE_WAITING_MAX;
    CHECK(!dp_route_has_room(&route, 1));
    CHECK(dp_route_has_room(&route, 0));
}

int main(void)
{
    RUN_TESTS(TEST(test_a_strategy_or_an_instrument_keeps_its_session),
        TEST(test_a_session_that_is_not_open_is_passed_over),
        TEST(test_the_least_loaded_is_open_waits_least_and_got_least),
        TEST(test_cancels_have_what_orders_leave),
        TEST(test_the_venue_never_sees_more_than_it_takes),
        TEST(test_without_a_rate_there_is_no_limit), TEST(test_orders_always_have_one),
        TEST(test_a_refusing_route_counts_at_the_gate));
}
