#include "dp_engine_internal.h"

/* ---- verbs: what a strategy may do ---- */

/* The journal names an instrument before its first order, so that it can be read on its own. */
static void name_instrument(struct dp_engine *engine, uint32_t instrument_index)
{
    char text[9];
    char symbol[8];
    dp_book_symbol(engine->books, instrument_index, text);
    memset(symbol, ' ', sizeof(symbol));
    memcpy(symbol, text, strlen(text));
    /* Without room the order itself will be refused: JOURNAL_UNAVAILABLE. */
    if (dp_submit_can_record(&engine->submit))
        engine->journal_named[instrument_index] = dp_journal_append_instrument(
            engine->submit.segment, instrument_index, symbol, engine->now_ns);
}

static void make_named(struct dp_gateway *gateway, uint32_t instrument_index)
{
    struct dp_engine *engine = gateway->engine;
    if (engine->has_wal && instrument_index < gateway->instrument_count_max &&
        DP_UNLIKELY(!engine->journal_named[instrument_index]))
        name_instrument(engine, instrument_index);
}

static enum dp_reason verb_submit(
    struct dp_gateway *gateway, const struct dp_request *request, uint32_t *user_ref_num)
{
    make_named(gateway, request->instrument_index);
    return dp_submit_new(gateway->submit, gateway->strategy_index, request, user_ref_num);
}

static enum dp_reason verb_submit_once(struct dp_gateway *gateway, const struct dp_request *request,
    uint64_t key, uint32_t *user_ref_num)
{
    make_named(gateway, request->instrument_index);
    return dp_submit_once(gateway->submit, gateway->strategy_index, request, key, user_ref_num);
}

static uint32_t verb_submit_n(struct dp_gateway *gateway, const struct dp_request *requests,
    const uint64_t *keys, uint32_t count, struct dp_order_answer *answers)
{
    for (uint32_t index = 0; index < count; index++)
        make_named(gateway, requests[index].instrument_index);
    return dp_submit_n(gateway->submit, gateway->strategy_index, requests, keys, count, answers);
}

static enum dp_reason verb_replace(struct dp_gateway *gateway, uint32_t user_ref_num, uint64_t qty,
    int64_t price_nanos, uint32_t *new_user_ref_num)
{
    return dp_submit_replace(
        gateway->submit, gateway->strategy_index, user_ref_num, qty, price_nanos, new_user_ref_num);
}

static enum dp_reason verb_cancel(struct dp_gateway *gateway, uint32_t user_ref_num)
{
    return dp_submit_cancel(gateway->submit, gateway->strategy_index, user_ref_num);
}

static uint32_t verb_levels(const struct dp_gateway *gateway, uint32_t instrument_index,
    enum dp_side side, struct dp_book_level_view *levels, uint32_t max)
{
    return dp_book_levels(gateway->submit->books, instrument_index, side, levels, max);
}

static void verb_symbol(const struct dp_gateway *gateway, uint32_t instrument_index, char symbol[9])
{
    dp_book_symbol(gateway->submit->books, instrument_index, symbol);
}

static int64_t verb_position(const struct dp_gateway *gateway, uint32_t instrument_index)
{
    return dp_risk_position(gateway->submit->risk, instrument_index).position;
}

static void verb_stop(struct dp_gateway *gateway)
{
    dp_engine_stop(gateway->engine);
}

const struct dp_gateway_verbs dp_engine_verbs = {
    .submit = verb_submit,
    .replace = verb_replace,
    .cancel = verb_cancel,
    .levels = verb_levels,
    .symbol = verb_symbol,
    .position = verb_position,
    .stop = verb_stop,
    .submit_once = verb_submit_once,
    .submit_n = verb_submit_n,
};

/* ---- frames out ---- */

void dp_engine_note_frame(struct dp_engine *engine, const struct dp_packet *packet)
{
    dp_digest_update(&engine->wire_digest, packet->data, packet->size);
    dp_counter_add(engine->counters, DP_COUNTER_TX_FRAMES, 1);
    dp_counter_add(engine->counters, DP_COUNTER_TX_BYTES, packet->size);
    if (engine->tx_capture != NULL && engine->tx_capture_status == 0)
        engine->tx_capture_status =
            dp_capture_writer_add(engine->tx_capture, packet->time_ns, packet->data, packet->size);
    if (engine->tick_tsc != 0)
        dp_hist_record(engine->hists[DP_STAGE_TICK_TO_ORDER], dp_tsc() - engine->tick_tsc);
}

void dp_engine_drain(struct dp_engine *engine)
{
    struct dp_ring *ring = engine->submit.tx;
    uint64_t open = dp_engine_hold(engine);
    struct dp_ring_slot *slot;
    while (dp_load_relaxed(&ring->head) < open && (slot = dp_ring_peek(ring)) != NULL) {
        if (slot->size == 0) {
            dp_ring_release(ring);
            continue;
        }
        struct dp_packet packet = {
            .data = slot->data,
            .size = slot->size,
            .original_size = slot->size,
            .time_ns = slot->time_ns,
        };
        if (!engine->link->send(engine, &packet, slot->tag))
            break; /* it waits where it is */
        dp_ring_release(ring);
    }
    dp_event_log_settle(&engine->events); /* now that nothing waits for it */
    if (engine->link->drained != NULL)
        engine->link->drained(engine);
}

/* ---- reports in ---- */

typedef void order_callback(void *state, struct dp_gateway *gateway, const struct dp_event *event);

static order_callback *callback_for(const struct dp_strategy *strategy, uint8_t kind)
{
    switch (kind) {
    case DP_EVENT_ACCEPTED:
    case DP_EVENT_REPLACED: return strategy->on_accepted;
    case DP_EVENT_FILLED:
    case DP_EVENT_BROKEN: return strategy->on_filled;
    case DP_EVENT_CANCELED:
    case DP_EVENT_EXPIRED: return strategy->on_canceled;
    case DP_EVENT_REJECTED:
    case DP_EVENT_REPLACE_REJECTED:
    case DP_EVENT_CANCEL_REJECTED:
    case DP_EVENT_NOT_SENT: return strategy->on_rejected;
    default: return NULL;
    }
}

enum dp_order_result dp_engine_apply_report(struct dp_engine *engine, struct dp_event *event)
{
    enum dp_order_result result = dp_report(&engine->submit, event);
    if (result != DP_ORDER_APPLIED && result != DP_ORDER_ANOMALY)
        return result;
    if (event->strategy_index >= engine->seat_count)
        return result;

    const struct dp_strategy *strategy = engine->seats[event->strategy_index].strategy;
    order_callback *callback = callback_for(strategy, event->kind);
    if (callback != NULL)
        callback(strategy->state, dp_engine_gateway(engine, event->strategy_index), event);
    return result;
}

/* An instrument that the feed has not named yet is no evidence. */
static bool names_another(const struct dp_engine *engine, const struct dp_order *order,
    const struct dp_ouch_message *message)
{
    char symbol[9];
    if (order == NULL || (message->type != 'A' && message->type != 'R') ||
        !dp_book_is_open(engine->books, order->instrument_index))
        return false;
    dp_book_symbol(engine->books, order->instrument_index, symbol);
    memset(symbol + strlen(symbol), ' ', sizeof(symbol) - strlen(symbol));
    return memcmp(symbol, message->symbol, sizeof(message->symbol)) != 0;
}

static enum dp_difference apply_ouch(
    struct dp_engine *engine, const struct dp_ouch_message *message, struct dp_event *event)
{
    const struct dp_order *order = dp_orders_find(engine->orders, event->user_ref_num);
    struct dp_difference_before before = dp_difference_look(order);
    enum dp_order_result result = dp_engine_apply_report(engine, event);
    if (names_another(engine, order, message))
        return DP_DIFFERENCE_INSTRUMENT;
    return dp_difference_of(&before, order, event, result);
}

enum dp_difference dp_engine_read_ouch(
    struct dp_engine *engine, const uint8_t *data, size_t size, uint32_t *user_ref_num)
{
    struct dp_ouch_message message;
    struct dp_event event;
    engine->wal.segment.inbound_sequence++;
    if (dp_ouch_decode(data, size, DP_OUCH_OUTBOUND, &message) != DP_OUCH_OK) {
        dp_counter_add(engine->counters, DP_COUNTER_OUCH_MALFORMED, 1);
        return DP_DIFFERENCE_UNREADABLE;
    }
    *user_ref_num = message.user_ref_num;
    return dp_ouch_event(&message, engine->config.midnight_ns, &event)
        ? apply_ouch(engine, &message, &event)
        : DP_DIFFERENCE_NONE;
}

/* ---- time ---- */

static uint32_t next_timer(const struct dp_engine *engine, int64_t *time_ns)
{
    uint32_t found = DP_ENGINE_STRATEGIES_MAX;
    *time_ns = INT64_MAX;
    for (uint32_t index = 0; index < engine->seat_count; index++) {
        const struct dp_gateway *gateway = &engine->seats[index].gateway;
        if (gateway->timer_interval_ns > 0 && gateway->timer_next_ns < *time_ns) {
            *time_ns = gateway->timer_next_ns;
            found = index;
        }
    }
    return found;
}

static void fire_timer(struct dp_engine *engine, uint32_t seat_index)
{
    const struct dp_strategy *strategy = engine->seats[seat_index].strategy;
    struct dp_gateway *gateway = dp_engine_gateway(engine, seat_index);
    int64_t interval_ns = gateway->timer_interval_ns;
    if (interval_ns < DP_ENGINE_TIMER_MIN_NS)
        interval_ns = DP_ENGINE_TIMER_MIN_NS;
    gateway->timer_next_ns += interval_ns;
    if (strategy->on_timer != NULL)
        strategy->on_timer(strategy->state, gateway, engine->now_ns);
    dp_engine_drain(engine);
}

void dp_engine_advance(struct dp_engine *engine, int64_t time_ns)
{
    /* Latency is that of ticks: what time itself sets off is not measured against a packet. */
    engine->tick_tsc = 0;
    for (;;) {
        int64_t timer_ns;
        uint32_t seat_index = next_timer(engine, &timer_ns);
        int64_t link_ns = engine->link->next_ns(engine);
        int64_t next_ns = link_ns <= timer_ns ? link_ns : timer_ns;
        if (next_ns > time_ns || next_ns == INT64_MAX || engine->stop_asked)
            return;

        dp_engine_set_now(engine, next_ns);
        if (link_ns <= timer_ns)
            engine->link->advance(engine, next_ns);
        else
            fire_timer(engine, seat_index);
    }
}
