/* Duplicates against a slow model: an order passes when fewer than `count` equal ones have passed
 * within the window before it. */
#include "risk_bench.h"

enum { ORDERS = 100, STEPS = 4000, WINDOW_NS = 20000 };

struct model {
    uint64_t count_max;
    uint32_t passed[ORDERS];
    int64_t times[ORDERS][STEPS];
};

/* So many that some share a set, and none three. */
static struct dp_risk_order order_of_kind(uint32_t kind, int64_t now_ns)
{
    struct dp_risk_order order = plain_order();
    order.now_ns = now_ns;
    order.qty = 1 + kind / 4 * 7919 % 997;
    order.price_nanos += (int64_t)(kind / 4 * 31 % 50) * TICK;
    order.instrument_index = kind / 2 % 2;
    order.side = kind % 2 == 0 ? DP_SIDE_BUY : DP_SIDE_SELL;
    return order;
}

static bool passes(struct model *model, uint32_t kind, int64_t now_ns)
{
    uint64_t recent = 0;
    for (uint32_t index = model->passed[kind]; index > 0; index--)
        recent += now_ns - model->times[kind][index - 1] < WINDOW_NS;
    if (recent >= model->count_max)
        return false;
    model->times[kind][model->passed[kind]++] = now_ns;
    return true;
}

/* A new limit forgets what was seen under the one before. */
static int64_t walk(struct dp_risk *risk, uint64_t count_max, int64_t now_ns)
{
    struct dp_risk_strategy_limits strategy = unlimited_strategy();
    strategy.duplicate_count_max = count_max;
    strategy.duplicate_window_ns = WINDOW_NS;
    CHECK_EQUAL(dp_risk_set_strategy(risk, 0, &strategy, NULL), 0);
    struct model *model = calloc(1, sizeof(*model));
    model->count_max = count_max;
    uint64_t random = count_max;
    uint32_t refused = 0;
    for (int step = 0; step < STEPS; step++) {
        now_ns += (int64_t)(check_random(&random) % 150);
        uint32_t kind = (uint32_t)(check_random(&random) % ORDERS);
        struct dp_risk_order order = order_of_kind(kind, now_ns);
        enum dp_reason expected = DP_REASON_ACCEPTED;
        if (!passes(model, kind, now_ns))
            expected = DP_REASON_DUPLICATE_ORDER;
        enum dp_reason reason = decide(risk, &order);
        CHECK_THAT(reason == expected, "of %" PRIu64 ", step %d: %s", count_max, step,
            dp_reason_name(reason));
        refused += reason == DP_REASON_DUPLICATE_ORDER;
    }
    CHECK_THAT(refused > 20, "of %" PRIu64 ": refused %u", count_max, refused);
    free(model);
    return now_ns;
}

static void test_as_many_as_allowed_within_the_window(void)
{
    static const uint64_t counts[] = {1, 2, 3, 4, 3, 2, 1};
    struct dp_risk_strategy_limits strategy = unlimited_strategy();
    struct dp_risk_instrument_limits instrument = unlimited_instrument();
    struct dp_risk *risk = risk_with(&strategy, &instrument);
    dp_risk_set_instrument(risk, 1, &instrument, NULL);
    int64_t now_ns = 1000000;
    for (size_t index = 0; index < sizeof(counts) / sizeof(counts[0]); index++)
        now_ns = walk(risk, counts[index], now_ns);
    free(risk);
}

int main(void)
{
    RUN_TESTS(TEST(test_as_many_as_allowed_within_the_window));
}
