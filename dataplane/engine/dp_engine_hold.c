#include <sched.h>

#include "dp_engine_internal.h"
#include "dp_net.h"
#include "dp_soup.h"

/* How many frames so far stand behind a record that must be on disk first. */
static uint64_t waiting_count(const struct dp_engine *engine)
{
    static const enum dp_counter counters[DP_JOURNAL_CLASS_COUNT] = {
        [DP_JOURNAL_CLASS_NEW] = DP_COUNTER_ORDERS_SENT,
        [DP_JOURNAL_CLASS_REPLACE] = DP_COUNTER_REPLACES_SENT,
        [DP_JOURNAL_CLASS_CANCEL] = DP_COUNTER_CANCELS_SENT,
    };
    uint64_t count = 0;
    for (uint32_t class = 0; class < DP_JOURNAL_CLASS_COUNT; class ++)
        if (engine->config.journal_durability[class] == DP_JOURNAL_FSYNC)
            count += dp_counter_read(engine->counters, counters[class]);
    return count;
}

static void note(struct dp_engine *engine)
{
    uint64_t waiting = waiting_count(engine);
    uint64_t sequence = 0;
    if (waiting != engine->waiting_noted)
        sequence = dp_load_relaxed(&engine->wal.segment.sequence_next) - 1;
    engine->waiting_noted = waiting;
    dp_hold_note(&engine->hold, dp_load_relaxed(&engine->submit.tx->tail), sequence);
}

/* ---- when the disk has failed ---- */

static bool read_frame(
    const uint8_t *data, size_t size, struct dp_net_packet *net, struct dp_ouch_message *message)
{
    struct dp_soup_packet soup;
    return dp_net_parse(data, size, false, net) == DP_NET_OK &&
        dp_soup_parse(net->payload, net->payload_size, &soup) == DP_SOUP_OK &&
        dp_ouch_decode(soup.payload, soup.payload_size, DP_OUCH_INBOUND, message) == DP_OUCH_OK;
}

/* A cancel leaves all the same, renumbered: the bytes before it never went. */
static void rebuild_cancel(struct dp_engine *engine, struct dp_ring_slot *slot)
{
    struct dp_submit *submit = &engine->submit;
    const struct dp_template_fields fields = {
        .user_ref_num = slot->tag,
        .tcp_seq = submit->tcp_seq,
        .tcp_ack = submit->tcp_ack,
        .ip_id = submit->ip_id,
    };
    slot->size = dp_template_build(&engine->cancel_template, &fields, slot->data);
    submit->tcp_seq += engine->cancel_template.payload_size;
    submit->ip_id++;
}

static bool is_of_session(const struct dp_engine *engine, uint32_t user_ref_num, int session)
{
    const struct dp_order *order = dp_orders_find(engine->orders, user_ref_num);
    return session == DP_ENGINE_ALL_SESSIONS || (order != NULL && order->session_index == session);
}

/* Its session does not wait for it any more. */
static void forget_waiting(struct dp_engine *engine, uint32_t user_ref_num)
{
    const struct dp_order *order = dp_orders_find(engine->orders, user_ref_num);
    if (engine->submit.route != NULL && order != NULL)
        engine->submit.route->sessions[order->session_index].waiting--;
}

/* Empties the slots of orders that may not leave any more; their events are told afterwards, for a
 * strategy may answer to them. */
static uint32_t empty_slots(
    struct dp_engine *engine, uint64_t from, int session, uint32_t numbers[DP_ENGINE_TX_SLOTS])
{
    struct dp_ring *ring = engine->submit.tx;
    uint64_t tail = dp_load_relaxed(&ring->tail);
    uint32_t count = 0;
    bool is_first = true;
    for (uint64_t head = from; head != tail; head++) {
        struct dp_ring_slot *slot = dp_ring_slot_at(ring, head);
        struct dp_net_packet net;
        struct dp_ouch_message message;
        if (!read_frame(slot->data, slot->size, &net, &message) ||
            !is_of_session(engine, slot->tag, session))
            continue;
        if (is_first)
            engine->submit.tcp_seq = net.tcp_seq;
        is_first = false;
        if (message.type == 'X') {
            rebuild_cancel(engine, slot);
            continue;
        }
        slot->size = 0;
        numbers[count++] = slot->tag;
    }
    if (session != DP_ENGINE_ALL_SESSIONS)
        return count; /* what others wait for, they still do */
    engine->hold.head = engine->hold.tail;
    engine->hold.open = tail;
    return count;
}

static void drop_from(struct dp_engine *engine, uint64_t from, int session)
{
    uint32_t numbers[DP_ENGINE_TX_SLOTS];
    uint32_t count = empty_slots(engine, from, session, numbers);
    for (uint32_t index = 0; index < count; index++) {
        struct dp_event event = {
            .time_ns = engine->now_ns,
            .kind = DP_EVENT_NOT_SENT,
            .user_ref_num = numbers[index],
        };
        forget_waiting(engine, numbers[index]);
        dp_engine_apply_report(engine, &event);
    }
}

void dp_engine_drop_unsent(struct dp_engine *engine, int session_index)
{
    drop_from(engine, dp_load_relaxed(&engine->submit.tx->head), session_index);
}

/* ---- when a switch was set meanwhile ---- */

bool dp_engine_may_leave(struct dp_engine *engine, const struct dp_packet *packet)
{
    struct dp_net_packet net;
    struct dp_ouch_message message;
    if (DP_LIKELY(dp_risk_gate(engine->risk) == engine->gate_seen))
        return true;
    if (!read_frame(packet->data, packet->size, &net, &message) || message.type == 'X')
        return true;
    const struct dp_order *order = dp_orders_find(engine->orders, message.user_ref_num);
    return order == NULL ||
        dp_risk_mode_of(engine->risk, order->strategy_index, order->session_index,
            order->instrument_index) < DP_SWITCH_REJECT_NEW;
}

/* ---- what the disk has ---- */

static void open_durable(struct dp_engine *engine)
{
    dp_hold_open(&engine->hold, dp_wal_durable(&engine->wal));
    if (engine->hold.head == engine->hold.tail || !dp_wal_failed(&engine->wal))
        return;
    dp_hold_open(&engine->hold, dp_wal_durable(&engine->wal));
    drop_from(engine, engine->hold.open, DP_ENGINE_ALL_SESSIONS);
}

/* Orders on the way may have their record in memory that dies with us. */
static void drop_lost(struct dp_engine *engine)
{
    dp_store_relaxed(&engine->wal.segment.tainted, true);
    dp_engine_drop_unsent(engine, DP_ENGINE_ALL_SESSIONS);
}

uint64_t dp_engine_hold(struct dp_engine *engine)
{
    if (!engine->has_wal)
        return UINT64_MAX;
    if (DP_UNLIKELY(dp_wal_lost(&engine->wal)))
        drop_lost(engine);
    if (!engine->wal.keeper.waits)
        return UINT64_MAX;
    note(engine);
    open_durable(engine);
    while (engine->live == NULL && engine->hold.head != engine->hold.tail) {
        sched_yield();
        open_durable(engine);
    }
    /* After a failure what comes is cancels: nothing else is recorded any more. */
    return dp_wal_failed(&engine->wal) ? UINT64_MAX : engine->hold.open;
}
