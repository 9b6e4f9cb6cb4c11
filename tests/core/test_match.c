/* Plain orders, cancels, replaces, self-trade prevention, refusals, snapshots. */
#include "core/match_rig.h"

static void test_orders_trade_by_price_then_time(void)
{
    struct rig rig;
    struct dp_match_instrument terms = rig_terms(DP_MATCH_FIFO);
    rig_open(&rig, &terms);
    sell(&rig, 1, 100, 1002);
    sell(&rig, 2, 100, 1001);
    sell(&rig, 3, 100, 1001);
    forget(&rig);
    buy(&rig, 4, 250, 1002);
    EXPECT(&rig,
        "accepted 4 250 leaves 250\n"
        "traded 2 with 4 100 @1001 leaves 0/150\n"
        "traded 3 with 4 100 @1001 leaves 0/50\n"
        "traded 1 with 4 50 @1002 leaves 50/0 shows 50\n");
    buy(&rig, 5, 60, 1003);
    EXPECT(&rig,
        "accepted 5 60 leaves 60\n"
        "traded 1 with 5 50 @1002 leaves 0/10\n"
        "rested 5 10 @1003 leaves 10 shows 10\n");
    rig_close(&rig);
}

static void test_what_is_not_for_resting_goes(void)
{
    struct rig rig;
    struct dp_match_instrument terms = rig_terms(DP_MATCH_FIFO);
    rig_open(&rig, &terms);
    sell(&rig, 1, 100, 1001);
    forget(&rig);
    struct dp_match_order order = limit(2, DP_SIDE_BUY, 150, 1001);
    order.time_in_force = DP_MATCH_FOK;
    send(&rig, order);
    EXPECT(&rig,
        "accepted 2 150 leaves 150\n"
        "cancelled 2 150 leaves 0 FILL_OR_KILL\n");
    order.order_id = 3;
    order.time_in_force = DP_MATCH_IOC;
    send(&rig, order);
    EXPECT(&rig,
        "accepted 3 150 leaves 150\n"
        "traded 1 with 3 100 @1001 leaves 0/50\n"
        "cancelled 3 50 leaves 0 IMMEDIATE\n");
    order = limit(4, DP_SIDE_BUY, 10, 0);
    order.type = DP_MATCH_MARKET;
    order.price_nanos = DP_PRICE_NONE;
    send(&rig, order);
    EXPECT(&rig,
        "accepted 4 10 leaves 10\n"
        "cancelled 4 10 leaves 0 NO_LIQUIDITY\n");
    CHECK_EQUAL(dp_match_view_order_count(rig.match), 0);
    rig_close(&rig);
}

static void replace(
    struct rig *rig, uint64_t order_id, uint64_t new_id, uint64_t qty, int64_t ticks)
{
    const struct dp_match_replace request = {.order_id = order_id,
        .new_order_id = new_id,
        .tag = 7,
        .qty = qty,
        .price_nanos = ticks != 0 ? ticks * TICK : DP_PRICE_NONE};
    dp_match_replace(rig->match, &request, rig->now_ns, &rig->sink);
}

static void test_priority_is_kept_only_by_less_at_the_same_price(void)
{
    struct rig rig;
    struct dp_match_instrument terms = rig_terms(DP_MATCH_FIFO);
    rig_open(&rig, &terms);
    buy(&rig, 1, 100, 1000);
    buy(&rig, 2, 100, 1000);
    buy(&rig, 3, 100, 1000);
    forget(&rig);
    replace(&rig, 1, 0, 50, 0);
    replace(&rig, 2, 20, 101, 0);
    EXPECT(&rig,
        "replaced 1 with 1 50 @1000 leaves 50 shows 50\n"
        "replaced 20 with 2 101 @1000 leaves 101 shows 101\n");
    sell(&rig, 4, 200, 1000);
    EXPECT(&rig,
        "accepted 4 200 leaves 200\n"
        "traded 1 with 4 50 @1000 leaves 0/150\n"
        "traded 3 with 4 100 @1000 leaves 0/50\n"
        "traded 20 with 4 50 @1000 leaves 51/0 shows 51\n");
    replace(&rig, 2, 0, 10, 0);
    EXPECT(&rig, "rejected 2 0 leaves 0 ORDER_UNKNOWN\n");
    sell(&rig, 5, 10, 1005);
    forget(&rig);
    replace(&rig, 20, 21, 30, 1005);
    EXPECT(&rig,
        "replaced 21 with 20 30 leaves 30\n"
        "traded 5 with 21 10 @1005 leaves 0/20\n"
        "rested 21 20 @1005 leaves 20 shows 20\n");
    rig_close(&rig);
}

static void test_cancels(void)
{
    struct rig rig;
    struct dp_match_instrument terms = rig_terms(DP_MATCH_FIFO);
    rig_open(&rig, &terms);
    buy(&rig, 1, 100, 1000);
    buy(&rig, 2, 100, 999);
    buy(&rig, 5, 100, 1001);
    sell(&rig, 6, 100, 1002);
    forget(&rig);
    dp_match_cancel(rig.match, 1, 40, 0, &rig.sink);
    dp_match_cancel(rig.match, 1, 40, 0, &rig.sink);
    dp_match_cancel(rig.match, 1, 0, 0, &rig.sink);
    dp_match_cancel(rig.match, 1, 0, 0, &rig.sink);
    EXPECT(&rig,
        "cancelled 1 60 leaves 40 shows 40 REQUEST\n"
        "cancelled 1 0 leaves 40 shows 40 REQUEST\n"
        "cancelled 1 40 leaves 0 REQUEST\n"
        "rejected 1 0 leaves 0 ORDER_UNKNOWN\n");
    const struct dp_match_mass_cancel criteria = {.participant = 2, .instrument_index = 0};
    dp_match_mass_cancel(rig.match, &criteria, 0, &rig.sink);
    EXPECT(&rig,
        "cancelled 2 100 leaves 0 MASS_CANCEL\n"
        "cancelled 6 100 leaves 0 MASS_CANCEL\n");
    CHECK_EQUAL(dp_match_view_order_count(rig.match), 1);
    rig_close(&rig);
}

static void stp_case(enum dp_match_stp_mode mode, const char *wanted)
{
    struct rig rig;
    struct dp_match_instrument terms = rig_terms(DP_MATCH_FIFO);
    rig_open(&rig, &terms);
    struct dp_match_order own = limit(1, DP_SIDE_SELL, 30, 1000);
    own.stp_group = 9;
    send(&rig, own);
    sell(&rig, 2, 50, 1000);
    forget(&rig);
    struct dp_match_order taker = limit(3, DP_SIDE_BUY, 60, 1000);
    taker.stp_group = 9;
    taker.stp_mode = (uint8_t)mode;
    send(&rig, taker);
    EXPECT(&rig, wanted);
    rig_close(&rig);
}

static void test_nobody_trades_with_their_own_group(void)
{
    stp_case(DP_MATCH_CANCEL_NEWEST,
        "accepted 3 60 leaves 60\n"
        "cancelled 3 60 leaves 0 SELF_TRADE\n");
    stp_case(DP_MATCH_CANCEL_OLDEST,
        "accepted 3 60 leaves 60\n"
        "cancelled 1 30 leaves 0 SELF_TRADE\n"
        "traded 2 with 3 50 @1000 leaves 0/10\n"
        "rested 3 10 @1000 leaves 10 shows 10\n");
    stp_case(DP_MATCH_CANCEL_BOTH,
        "accepted 3 60 leaves 60\n"
        "cancelled 1 30 leaves 0 SELF_TRADE\n"
        "cancelled 3 60 leaves 0 SELF_TRADE\n");
    stp_case(DP_MATCH_DECREMENT_AND_CANCEL,
        "accepted 3 60 leaves 60\n"
        "cancelled 1 30 leaves 0 SELF_TRADE\n"
        "cancelled 3 30 leaves 30 SELF_TRADE\n"
        "traded 2 with 3 30 @1000 leaves 20/0 shows 20\n");
}

static void refused(struct rig *rig, struct dp_match_order order, enum dp_match_reason reason)
{
    rig->sink.count = 0;
    send(rig, order);
    CHECK_EQUAL(rig->sink.count, 1);
    CHECK_EQUAL(rig->reports[0].type, DP_MATCH_REJECTED);
    CHECK_EQUAL(rig->reports[0].reason, reason);
    CHECK_EQUAL(rig->reports[0].order_id, order.order_id);
    CHECK_EQUAL(dp_match_view_order_count(rig->match), 1);
    rig->sink.count = 0;
}

static void test_every_field_out_of_range_is_refused(void)
{
    struct rig rig;
    struct dp_match_instrument terms = rig_terms(DP_MATCH_FIFO);
    terms.lot_qty = 10;
    rig_open(&rig, &terms);
    buy(&rig, 1, 100, 1000);
    const struct dp_match_order right = limit(2, DP_SIDE_BUY, 100, 1000);
#define REFUSED(field, value, reason) \
    do { \
        struct dp_match_order wrong = right; \
        wrong.field = (value); \
        refused(&rig, wrong, DP_MATCH_REASON_##reason); \
    } while (0)
    REFUSED(order_id, 0, ORDER_DUPLICATE);
    REFUSED(order_id, 1, ORDER_DUPLICATE);
    REFUSED(instrument_index, 1, INSTRUMENT_UNKNOWN);
    REFUSED(participant, 4, PARTICIPANT_UNKNOWN);
    REFUSED(side, 0, SIDE);
    REFUSED(side, 3, SIDE);
    REFUSED(qty, 0, QTY);
    REFUSED(qty, 105, QTY);
    REFUSED(qty, (UINT64_C(1) << 32) + 4, QTY);
    REFUSED(type, 0, TYPE);
    REFUSED(type, DP_MATCH_ORDER_TYPE_COUNT, TYPE);
    REFUSED(time_in_force, 5, TIME_IN_FORCE);
    REFUSED(time_in_force, DP_MATCH_GTD, TIME_IN_FORCE);
    REFUSED(time_in_force, DP_MATCH_AT_OPEN, SESSION);
    REFUSED(stp_mode, DP_MATCH_STP_MODE_COUNT, STP_MODE);
    REFUSED(flags, 8, TERMS);
    REFUSED(price_nanos, 0, PRICE);
    REFUSED(price_nanos, -TICK, PRICE);
    REFUSED(price_nanos, DP_PRICE_NONE, PRICE);
    REFUSED(price_nanos, 1000001 * TICK, PRICE);
    REFUSED(price_nanos, TICK + 1, TICK);
    REFUSED(price_nanos, TICK / 2, TICK);
    rig_close(&rig);
}

/* Any tick, any price: the multiply says the same as a division. */
static void test_prices_are_multiples_of_the_tick(void)
{
    static const int64_t ticks[] = {2, 6, 100, 10000000, 2500000, 123456, 1 << 20, 333333334};
    for (size_t index = 0; index < sizeof(ticks) / sizeof(ticks[0]); index++) {
        struct rig rig;
        struct dp_match_instrument terms = rig_terms(DP_MATCH_FIFO);
        terms.tick_nanos = ticks[index];
        terms.price_nanos_max = ticks[index] * 5000;
        rig_open(&rig, &terms);
        for (int64_t price = 1; price < 300; price++) {
            struct dp_match_order order = limit(1, DP_SIDE_BUY, 1, 0);
            order.price_nanos = price % 3 == 0 ? price * ticks[index] : price * ticks[index] / 7;
            rig.sink.count = 0;
            send(&rig, order);
            CHECK_THAT((rig.reports[0].type == DP_MATCH_ACCEPTED) ==
                    (order.price_nanos > 0 && order.price_nanos % ticks[index] == 0),
                "tick %lld price %lld", (long long)ticks[index], (long long)order.price_nanos);
            dp_match_cancel(rig.match, 1, 0, 0, &rig.sink);
        }
        rig.sink.count = 0;
        rig_close(&rig);
    }
}

static void test_a_snapshot_goes_on_as_the_original(void)
{
    struct rig rig;
    struct rig other;
    struct dp_match_instrument terms = rig_terms(DP_MATCH_FIFO);
    struct dp_err err;
    rig_open(&rig, &terms);
    rig_open(&other, &terms);
    for (uint64_t order = 1; order < 60; order++)
        send(&rig,
            limit(order, order % 3 ? DP_SIDE_BUY : DP_SIDE_SELL, order,
                1000 + (int64_t)(order * 7 % 11)));
    size_t size = dp_match_snapshot_size(rig.match);
    uint8_t *bytes = malloc(size);
    dp_match_snapshot(rig.match, bytes);
    CHECK_THAT(dp_match_restore(other.match, bytes, size, &err) == 0, "%s", err.text);
    forget(&rig);
    sell(&rig, 100, 500, 900);
    sell(&other, 100, 500, 900);
    flush_reports(&rig.sink);
    EXPECT(&other, rig.text);
    uint8_t *again = malloc(dp_match_snapshot_size(other.match));
    size = dp_match_snapshot_size(rig.match);
    bytes = realloc(bytes, size);
    dp_match_snapshot(rig.match, bytes);
    dp_match_snapshot(other.match, again);
    CHECK_EQUAL(size, dp_match_snapshot_size(other.match));
    CHECK_EQUAL(memcmp(bytes, again, size), 0);
    bytes[size / 2] ^= 1;
    CHECK(dp_match_restore(other.match, bytes, size, &err) < 0);
    CHECK(strcmp(err.text, "match: the snapshot was changed after it was written") == 0);
    CHECK(dp_match_restore(other.match, bytes, size - 1, &err) < 0);
    CHECK(dp_match_restore(other.match, bytes, 10, &err) < 0);
    CHECK(strcmp(err.text, "match: a snapshot of 10 bytes is cut short") == 0);
    free(bytes);
    free(again);
    rig_close(&rig);
    rig_close(&other);
}

static void test_a_full_engine_refuses(void)
{
    struct rig rig;
    struct dp_match_instrument terms = rig_terms(DP_MATCH_FIFO);
    rig_open(&rig, &terms);
    for (uint64_t order = 1; order <= 1000; order++)
        buy(&rig, order, 1, 1000);
    CHECK_EQUAL(dp_match_view_order_count(rig.match), 1000);
    forget(&rig);
    buy(&rig, 1001, 1, 1000);
    EXPECT(&rig, "rejected 1001 1 leaves 0 CAPACITY\n");
    for (uint64_t order = 1; order <= 1000; order++)
        dp_match_cancel(rig.match, order, 0, 0, &rig.sink);
    forget(&rig);
    uint64_t order = 1;
    while (dp_match_view_order_count(rig.match) + 1 == order && order < 1000)
        buy(&rig, order, 1, 800 * (int64_t)order), order++;
    CHECK_THAT(
        order > 60 && order < 500, "levels ran out at order %llu", (unsigned long long)order);
    forget(&rig);
    buy(&rig, order, 1, 800 * (int64_t)order);
    char wanted[200];
    snprintf(wanted, sizeof(wanted),
        "accepted %llu 1 leaves 1\ncancelled %llu 1 leaves 0 CAPACITY\n", (unsigned long long)order,
        (unsigned long long)order);
    EXPECT(&rig, wanted);
    rig_close(&rig);
}

/* The promise of docs/matching.md: 96 bytes a plain resting order, index and levels with it. */
static void test_a_million_orders_take_less_than_96_bytes_each(void)
{
    struct dp_match_config config = rig_config;
    config.terms_count_max = 0;
    config.level_count_max = 20000;
    config.order_count_max = 1000000;
    CHECK_THAT(dp_match_size(&config) / config.order_count_max <= 96, "%zu bytes in all",
        dp_match_size(&config));
}

int main(void)
{
    RUN_TESTS(TEST(test_orders_trade_by_price_then_time), TEST(test_what_is_not_for_resting_goes),
        TEST(test_priority_is_kept_only_by_less_at_the_same_price), TEST(test_cancels),
        TEST(test_nobody_trades_with_their_own_group),
        TEST(test_every_field_out_of_range_is_refused), TEST(test_prices_are_multiples_of_the_tick),
        TEST(test_a_snapshot_goes_on_as_the_original), TEST(test_a_full_engine_refuses),
        TEST(test_a_million_orders_take_less_than_96_bytes_each));
}
