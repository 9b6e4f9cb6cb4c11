#include "dp_engine_session.h"

#include <errno.h>

#include "dp_engine_internal.h"
#include "dp_net.h"
#include "dp_soup.h"

#define QUERY_SIZE (DP_SOUP_HEADER_SIZE + 1)
/* How long what TCP has may take to leave, and to be acknowledged, when a switch is set. A peer may
 * put off its acknowledgement by 40 ms; from 200 ms on TCP sends again what was not. */
#define LEAVE_PATIENCE_NS 500000ll
#define ACKNOWLEDGE_PATIENCE_NS 100000000ll

static struct dp_route_session *route_of(const struct dp_engine_session *session)
{
    return &session->engine->live->route.sessions[session->index];
}

/* ---- what is open ---- */

/* Trading begins when every session is explained, and stops everywhere as long as one is not. A
 * session that is down stops itself alone. */
static void set_gates(struct dp_engine *engine)
{
    struct dp_engine_live *live = engine->live;
    bool is_held = false;
    bool all_open = true;
    for (uint32_t index = 0; index < live->route.session_count; index++) {
        enum dp_engine_live_state state = live->sessions[index].status.state;
        is_held = is_held || state == DP_ENGINE_LIVE_HELD;
        all_open = all_open && state == DP_ENGINE_LIVE_OPEN;
    }
    live->has_opened = live->has_opened || all_open;
    for (uint32_t index = 0; index < live->route.session_count; index++) {
        bool is_open = live->has_opened && !is_held && !live->is_ending &&
            live->sessions[index].status.state == DP_ENGINE_LIVE_OPEN;
        live->route.sessions[index].is_open = is_open;
        dp_risk_set_session(engine->risk, (uint16_t)index, is_open);
    }
}

static void show(struct dp_engine_session *session)
{
    dp_engine_page_session(session->engine->page, session);
}

static void set_state(struct dp_engine_session *session, enum dp_engine_live_state state)
{
    session->status.state = state;
    show(session);
    set_gates(session->engine);
}

/* ---- what became of our requests ---- */

static void tell(struct dp_engine *engine, uint8_t kind, uint32_t user_ref_num)
{
    struct dp_event event = {.time_ns = engine->now_ns, .kind = kind, .user_ref_num = user_ref_num};
    dp_engine_apply_report(engine, &event);
}

static bool is_in_doubt(const struct dp_order *order, enum dp_order_base base)
{
    return DP_ORDER_BASE(dp_load_relaxed(&order->state)) == base;
}

/* An order that the venue has acknowledged lives on, whatever becomes of the replace or cancel that
 * waits: what is pending says so, and keeps the worst case of both. */
void dp_engine_session_lose_in_flight(struct dp_engine_session *session)
{
    struct dp_engine *engine = session->engine;
    uint32_t count = dp_orders_count(engine->orders);
    for (uint32_t index = 0; index < count; index++) {
        const struct dp_order *order = dp_orders_at(engine->orders, index);
        if (order->session_index == session->index && is_in_doubt(order, DP_ORDER_PENDING_NEW))
            tell(engine, DP_EVENT_OUTCOME_UNKNOWN, order->user_ref_num);
    }
}

/* Numbers from `next` on never reached the venue. */
static void settle_unseen(
    struct dp_engine_session *session, const struct dp_order *order, uint32_t next)
{
    uint32_t pending = order->pending_user_ref_num;
    uint32_t unseen = 0;
    if (order->venue_order_id == 0 && order->user_ref_num >= next)
        unseen = order->user_ref_num;
    else if (pending != 0 && pending >= next)
        unseen = pending;
    if (unseen == 0)
        return;
    session->status.never_received++;
    tell(session->engine, DP_EVENT_NOT_SENT, unseen);
}

/* What is left to explain about an order once the venue has told all. */
static void settle_rest(struct dp_engine_session *session, const struct dp_order *order)
{
    struct dp_engine_live_status *status = &session->status;
    uint32_t pending = DP_ORDER_PENDING(dp_load_relaxed(&order->state));
    if ((pending & DP_PENDING_CANCEL) != 0)
        status->cancels_again += dp_submit_cancel_again(&session->engine->submit, order);
    else if ((pending & DP_PENDING_REPLACE) != 0 || is_in_doubt(order, DP_ORDER_UNKNOWN) ||
        is_in_doubt(order, DP_ORDER_PENDING_NEW))
        status->unexplained++;
}

/* Before any order leaves: who goes on behind it asks the venue for what follows this answer. An
 * answer from before those orders, heard again, would say that they never arrived. */
static void record_open(const struct dp_engine_session *session, uint32_t next_user_ref_num)
{
    struct dp_engine *engine = session->engine;
    struct dp_journal_session opened = {
        .time_ns = engine->now_ns, .user_ref_num_next = next_user_ref_num};
    static_assert(sizeof(opened.name) == DP_SOUP_SESSION_NAME_SIZE, "the venue's whole name");
    memcpy(opened.name, session->wire.soup.name, sizeof(opened.name));
    if (!engine->has_wal)
        return;
    bool recorded = dp_submit_can_record(&engine->submit) &&
        dp_journal_append_session(engine->submit.segment, &opened);
    dp_counter_add(
        engine->counters, recorded ? DP_COUNTER_JOURNAL_RECORDS : DP_COUNTER_JOURNAL_LOST, 1);
}

static void reconcile(struct dp_engine_session *session, uint32_t next_user_ref_num)
{
    struct dp_engine *engine = session->engine;
    uint32_t count = dp_orders_count(engine->orders);
    session->status.unexplained = 0;
    for (uint32_t index = 0; index < count; index++) {
        const struct dp_order *order = dp_orders_at(engine->orders, index);
        if (order->session_index != session->index)
            continue;
        if (dp_order_is_live(order))
            settle_unseen(session, order, next_user_ref_num);
        if (dp_order_is_live(order))
            settle_rest(session, order);
    }
    session->status.unexplained += engine->misnamed_count;
    set_state(
        session, session->status.unexplained == 0 ? DP_ENGINE_LIVE_OPEN : DP_ENGINE_LIVE_HELD);
    dp_engine_cancel_killed(engine); /* of switches that were set while it was down */
}

/* ---- requests out ---- */

static bool is_up(const struct dp_engine_session *session)
{
    return session->status.state == DP_ENGINE_LIVE_ASKING ||
        session->status.state == DP_ENGINE_LIVE_OPEN ||
        session->status.state == DP_ENGINE_LIVE_HELD;
}

/* Cancels pass whenever there is a login; orders when nothing is unexplained. */
static bool may_go(
    struct dp_engine_session *session, const struct dp_packet *packet, bool is_cancel)
{
    if (is_cancel)
        return is_up(session);
    return session->status.state == DP_ENGINE_LIVE_OPEN &&
        dp_engine_may_leave(session->engine, packet);
}

/* Where orders beyond the limit are refused the gate has taken their place in it already. */
static bool is_counted_here(const struct dp_engine_session *session, bool is_cancel)
{
    return is_cancel || session->engine->live->route.queues;
}

/* The kernel's or the stack's TCP writes headers of its own: only what is behind ours goes. */
static bool hand_over(
    struct dp_engine_session *session, const struct dp_packet *packet, bool is_cancel)
{
    struct dp_engine *engine = session->engine;
    struct dp_route_session *route = route_of(session);
    bool is_counted = is_counted_here(session, is_cancel);
    if (!may_go(session, packet, is_cancel) ||
        (is_counted && !dp_throttle_has(&route->throttle, engine->now_ns, is_cancel)) ||
        !dp_order_session_send(&session->wire, packet->data + DP_NET_TCP_HEADERS_SIZE,
            packet->size - DP_NET_TCP_HEADERS_SIZE, engine->live->now_ns))
        return false;
    if (is_counted)
        dp_throttle_take(&route->throttle, engine->now_ns);
    if (!is_cancel)
        route->waiting--;
    dp_engine_note_frame(engine, packet);
    return true;
}

static void pump_ring(struct dp_engine_session *session, struct dp_ring *ring, bool is_cancel)
{
    struct dp_ring_slot *slot;
    while ((slot = dp_engine_outbox_peek(ring)) != NULL) {
        const struct dp_packet packet = {
            .data = slot->data,
            .size = slot->size,
            .original_size = slot->size,
            .time_ns = slot->time_ns,
        };
        if (!hand_over(session, &packet, is_cancel))
            return;
        dp_ring_release(ring);
    }
}

static void pump(struct dp_engine_session *session)
{
    pump_ring(session, session->outbox.cancels, true);
    if (dp_engine_outbox_is_empty(session->outbox.cancels))
        pump_ring(session, session->outbox.orders, false);
}

/* An order that waits here is taken out, not cancelled at a venue that has never heard of it. */
static bool is_cancelled_here(struct dp_engine_session *session, uint32_t user_ref_num)
{
    if (!dp_engine_outbox_take_out(session->outbox.orders, user_ref_num))
        return false;
    route_of(session)->waiting--;
    tell(session->engine, DP_EVENT_NOT_SENT, user_ref_num);
    return true;
}

/* Without a connection a cancel is not kept: whatever waits for one gets it after the next login.
 */
static bool send_cancel(
    struct dp_engine_session *session, const struct dp_packet *packet, uint32_t user_ref_num)
{
    if (!is_up(session) || is_cancelled_here(session, user_ref_num))
        return true;
    return (dp_engine_outbox_is_empty(session->outbox.cancels) &&
               hand_over(session, packet, true)) ||
        dp_engine_outbox_put(session->outbox.cancels, packet, user_ref_num);
}

static bool send_order(
    struct dp_engine_session *session, const struct dp_packet *packet, uint32_t user_ref_num)
{
    const struct dp_engine_outbox *outbox = &session->outbox;
    bool is_first =
        dp_engine_outbox_is_empty(outbox->cancels) && dp_engine_outbox_is_empty(outbox->orders);
    if (is_first && hand_over(session, packet, false))
        return true;
    if (!dp_engine_outbox_put(outbox->orders, packet, user_ref_num))
        return false;
    dp_counter_add(session->engine->counters, DP_COUNTER_ORDERS_QUEUED, 1);
    return true;
}

bool dp_engine_session_send(
    struct dp_engine_session *session, const struct dp_packet *packet, uint32_t user_ref_num)
{
    bool is_cancel = packet->data[DP_NET_TCP_HEADERS_SIZE + DP_SOUP_HEADER_SIZE] == 'X';
    return is_cancel ? send_cancel(session, packet, user_ref_num)
                     : send_order(session, packet, user_ref_num);
}

/* Orders that wait here are NOT_SENT. */
static void drop_waiting(struct dp_engine_session *session)
{
    uint32_t numbers[DP_ROUTE_WAITING_MAX];
    uint32_t count = dp_engine_outbox_drop(session->outbox.orders, numbers);
    route_of(session)->waiting -= count;
    for (uint32_t index = 0; index < count; index++)
        tell(session->engine, DP_EVENT_NOT_SENT, numbers[index]);
}

/* ---- the session's words ---- */

static void on_login(void *context)
{
    struct dp_engine_session *session = context;
    struct dp_engine *engine = session->engine;
    uint8_t query[QUERY_SIZE];
    query[DP_SOUP_HEADER_SIZE] = 'Q';
    dp_soup_build(query, 'U', 1);
    set_state(session, DP_ENGINE_LIVE_ASKING);
    dp_counter_add(engine->counters, DP_COUNTER_SESSION_LOGINS, 1);
    dp_order_session_send(&session->wire, query, sizeof(query), engine->live->now_ns);
}

static bool is_account_answer(const uint8_t *data, uint32_t size, struct dp_ouch_message *message)
{
    return size > 0 && data[0] == 'Q' &&
        dp_ouch_decode(data, size, DP_OUCH_OUTBOUND, message) == DP_OUCH_OK;
}

static void on_message(void *context, uint64_t sequence, const uint8_t *data, uint32_t size)
{
    struct dp_engine_session *session = context;
    struct dp_engine *engine = session->engine;
    struct dp_ouch_message message;
    dp_engine_set_now(engine, engine->live->now_ns);
    engine->wal.segment.session = session->index;
    engine->wal.segment.inbound_sequence = sequence - 1;
    if (is_account_answer(data, size, &message)) {
        engine->wal.segment.inbound_sequence = sequence;
        record_open(session, message.user_ref_num);
        reconcile(session, message.user_ref_num);
    } else {
        uint32_t user_ref_num = 0;
        enum dp_difference found = dp_engine_read_ouch(engine, data, size, &user_ref_num);
        if (DP_UNLIKELY(found != DP_DIFFERENCE_NONE))
            dp_engine_contradicted(engine, found, user_ref_num);
    }
    dp_engine_drain(engine);
}

static void on_lost(void *context, enum dp_soup_session_verdict verdict, int error)
{
    struct dp_engine_session *session = context;
    struct dp_engine *engine = session->engine;
    bool had_orders = session->status.state != DP_ENGINE_LIVE_DOWN;
    uint32_t ignored[DP_ROUTE_WAITING_MAX];
    session->status.verdict = verdict;
    session->status.error = error;
    session->killed_ns = 0;
    dp_counter_add(engine->counters, DP_COUNTER_SESSION_LOSSES, 1);
    set_state(session,
        session->wire.state == DP_ORDER_SESSION_STOPPED ? DP_ENGINE_LIVE_STOPPED
                                                        : DP_ENGINE_LIVE_DOWN);
    dp_engine_set_now(engine, engine->live->now_ns);
    if (!had_orders)
        return;
    dp_engine_outbox_drop(session->outbox.cancels, ignored); /* sent after the next login */
    drop_waiting(session);
    dp_engine_drop_unsent(engine, session->index);
    dp_engine_session_lose_in_flight(session);
}

/* ---- switches ---- */

/* Frames of ours are taken back. What TCP has is not ours any more, and is watched: it may hold it
 * back for a venue that does not read, or send it again when a line comes back. */
void dp_engine_session_kill(struct dp_engine_session *session)
{
    const struct dp_stream *stream = session->wire.stream;
    drop_waiting(session);
    if (stream == NULL)
        return;
    session->killed_bytes = stream->stats.taken_bytes;
    session->killed_ns = session->engine->live->now_ns;
}

/* Whether what had to be gone by now is still here. */
static bool is_held(const struct dp_engine_session *session, const struct dp_stream *stream)
{
    int64_t waited_ns = session->engine->live->now_ns - session->killed_ns;
    uint64_t taken = stream->stats.taken_bytes;
    if (waited_ns >= LEAVE_PATIENCE_NS && taken - dp_stream_unsent(stream) < session->killed_bytes)
        return true;
    return waited_ns >= ACKNOWLEDGE_PATIENCE_NS;
}

/* An order that has not left by then never will. What it may have done at the venue, the next login
 * tells; the cancels follow it. */
static void watch_leaving(struct dp_engine_session *session)
{
    const struct dp_stream *stream = session->wire.stream;
    if (stream == NULL ||
        stream->stats.taken_bytes - dp_stream_unacknowledged(stream) >= session->killed_bytes) {
        session->killed_ns = 0;
    } else if (is_held(session, stream)) {
        session->killed_ns = 0;
        dp_order_session_reset(&session->wire, session->engine->live->now_ns);
    }
}

/* ---- life ---- */

static uint64_t received(const struct dp_engine_session *session)
{
    return session->wire.stream == NULL ? 0 : session->wire.stream->stats.rx_bytes;
}

bool dp_engine_session_poll(struct dp_engine_session *session)
{
    if (DP_UNLIKELY(session->killed_ns != 0))
        watch_leaving(session);
    uint64_t before = received(session);
    dp_order_session_poll(&session->wire, session->engine->live->now_ns);
    pump(session);
    return session->wire.stream != NULL && received(session) != before;
}

void dp_engine_session_shut(struct dp_engine_session *session)
{
    set_state(session, session->status.state);
}

void dp_engine_session_close(struct dp_engine_session *session)
{
    dp_order_session_close(&session->wire);
    dp_engine_outbox_close(&session->outbox);
}

int dp_engine_session_open(struct dp_engine *engine, uint8_t index, struct dp_err *err)
{
    static const char none[DP_SOUP_SESSION_NAME_SIZE];
    struct dp_engine_session *session = &engine->live->sessions[index];
    const struct dp_engine_live_session *config = &engine->live->config.sessions[index];
    const struct dp_order_session_handler handler = {session, on_login, on_message, on_lost};
    session->engine = engine;
    session->index = index;
    route_of(session)->throttle = config->throttle;
    int status = dp_engine_outbox_open(&session->outbox, err);
    if (status == 0)
        status = dp_order_session_open(&session->wire, &config->wire, &handler, err);
    if (status == 0 && memcmp(config->name, none, sizeof(none)) != 0 && config->sequence > 0)
        dp_order_session_resume(&session->wire, config->name, config->sequence);
    if (status == 0)
        set_state(session, DP_ENGINE_LIVE_DOWN);
    return status;
}
