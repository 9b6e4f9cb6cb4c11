/* Orders of other processes: taken from the desks, put through the verbs that strategies use. */
#include "dp_engine_internal.h"

#define BATCH 32u /* requests of one desk with one commit and one doorbell */
#define TURNS 8u  /* batches before the market is looked at again */

int dp_engine_place_desks(struct dp_engine *engine, struct dp_err *err)
{
    const struct dp_desks_config *config = &engine->config.desks;
    if (config->desk_count == 0)
        return 0;
    engine->desks = dp_region_place(engine->region, "desks", dp_desks_size(config), err);
    return engine->desks == NULL ? -err->code : dp_desks_init(engine->desks, config, err);
}

/* ---- the strategy that stands for them ---- */

static void on_start(void *state, struct dp_gateway *gateway)
{
    (void)state;
    if (gateway->engine->desks != NULL)
        dp_desks_allow(gateway->engine->desks, gateway->strategy_index);
}

static void on_order(void *state, struct dp_gateway *gateway, const struct dp_event *event)
{
    (void)state;
    if (gateway->engine->desks != NULL)
        dp_desks_tell(gateway->engine->desks, event);
}

const struct dp_strategy dp_engine_desk_strategy = {
    .on_start = on_start,
    .on_accepted = on_order,
    .on_filled = on_order,
    .on_canceled = on_order,
    .on_rejected = on_order,
};

/* NULL when no strategy of that index takes orders from here: a process that writes where it should
 * not. */
static struct dp_gateway *gateway_of(struct dp_engine *engine, uint16_t strategy_index)
{
    if (strategy_index >= engine->seat_count || !dp_desks_allows(engine->desks, strategy_index))
        return NULL;
    return dp_engine_gateway(engine, strategy_index);
}

/* ---- requests ---- */

static void submit_n(struct dp_engine *engine, struct dp_gateway *gateway,
    const struct dp_desk_request *asked, uint32_t count)
{
    struct dp_request requests[BATCH];
    struct dp_order_answer answers[BATCH];
    uint64_t keys[BATCH];
    for (uint32_t at = 0; at < count; at++) {
        keys[at] = asked[at].key;
        requests[at] = (struct dp_request){
            .instrument_index = asked[at].instrument_index,
            .side = asked[at].side,
            .time_in_force = asked[at].time_in_force,
            .qty = asked[at].qty,
            .price_nanos = asked[at].price_nanos,
        };
    }
    dp_gateway_submit_n(gateway, requests, keys, count, answers);
    for (uint32_t at = 0; at < count; at++)
        dp_desks_answer(
            engine->desks, &asked[at], (uint16_t)answers[at].reason, answers[at].user_ref_num);
}

static void change(
    struct dp_engine *engine, struct dp_gateway *gateway, const struct dp_desk_request *asked)
{
    enum dp_reason reason = DP_REASON_ORDER_INVALID;
    uint32_t number = asked->user_ref_num;
    if (asked->verb == DP_DESK_CANCEL)
        reason = dp_gateway_cancel(gateway, asked->user_ref_num);
    else if (asked->verb == DP_DESK_REPLACE)
        reason = dp_gateway_replace(
            gateway, asked->user_ref_num, asked->qty, asked->price_nanos, &number);
    dp_desks_answer(engine->desks, asked, (uint16_t)reason, number);
}

/* How many at the start are new orders: they go together. */
static uint32_t count_new(const struct dp_desk_request *asked, uint32_t count)
{
    uint32_t found = 0;
    while (found < count && asked[found].verb == DP_DESK_NEW)
        found++;
    return found;
}

/* All of one desk, in its order. */
static void carry_out(struct dp_engine *engine, const struct dp_desk_request *asked, uint32_t count)
{
    struct dp_gateway *gateway = gateway_of(engine, asked[0].strategy_index);
    uint32_t at = 0;
    for (; gateway == NULL && at < count; at++)
        dp_desks_answer(engine->desks, &asked[at], DP_REASON_NO_POLICY, 0);
    while (at < count) {
        uint32_t new_count = count_new(&asked[at], count - at);
        if (new_count > 0)
            submit_n(engine, gateway, &asked[at], new_count);
        else
            change(engine, gateway, &asked[at]);
        at += new_count > 0 ? new_count : 1;
    }
    dp_engine_drain(engine);
}

uint32_t dp_engine_take_orders(struct dp_engine *engine)
{
    struct dp_desk_request asked[BATCH];
    uint32_t done = 0;
    uint32_t count;
    if (DP_LIKELY(engine->desks == NULL))
        return 0;
    for (uint32_t turn = 0; turn < TURNS; turn++) {
        count = dp_desks_take(engine->desks, asked, BATCH);
        if (count == 0) {
            dp_desks_settle(engine->desks);
            break;
        }
        carry_out(engine, asked, count);
        done += count;
    }
    dp_counter_add(engine->counters, DP_COUNTER_DESK_REQUESTS, done);
    return done;
}

void dp_engine_close_desks(struct dp_engine *engine)
{
    if (engine->desks == NULL)
        return;
    dp_desks_close(engine->desks, DP_REASON_NOT_AUTHORISED);
    dp_counter_add(engine->counters, DP_COUNTER_DESK_LEAKED, dp_desks_leaked(engine->desks));
}
