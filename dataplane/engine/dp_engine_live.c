#include "dp_engine_live.h"

#include <errno.h>
#include <sched.h>

#include "dp_engine_internal.h"
#include "dp_net.h"
#include "dp_soup.h"
#include "dp_wall.h"

#define QUERY_SIZE (DP_SOUP_HEADER_SIZE + 1)
/* How long open orders may take to end when the run does. */
#define END_PATIENCE_NS 5000000000ll
/* How long what TCP has may take to leave, and to be acknowledged, when a switch is set. A peer may
 * put off its acknowledgement by 40 ms; from 200 ms on TCP sends again what was not. */
#define LEAVE_PATIENCE_NS 500000ll
#define ACKNOWLEDGE_PATIENCE_NS 100000000ll
/* A session that begins so long before midnight is the next day's. */
#define EARLY_NS 3600000000000ll

struct dp_engine_live {
    struct dp_engine_live_config config;
    struct dp_feed_live feed;
    struct dp_order_session session;
    struct dp_engine_live_status status;
    struct dp_wall wall;
    uint64_t clock_step_count; /* of which new orders were stopped */
    int64_t now_ns;            /* of this turn of the loop */
    /* A switch was set then, while the first so many bytes were not all acknowledged: they must be
     * gone in time, or the connection is broken off. 0: none. */
    int64_t killed_ns;
    uint64_t killed_bytes;
};

const char *dp_engine_live_state_name(enum dp_engine_live_state state)
{
    static const char *const names[] = {
        [DP_ENGINE_LIVE_DOWN] = "DOWN",
        [DP_ENGINE_LIVE_ASKING] = "ASKING",
        [DP_ENGINE_LIVE_OPEN] = "OPEN",
        [DP_ENGINE_LIVE_HELD] = "HELD",
        [DP_ENGINE_LIVE_STOPPED] = "STOPPED",
    };
    DP_ASSERT((unsigned)state < sizeof(names) / sizeof(names[0]));
    return names[state];
}

/* Orders pass the gate in OPEN only. */
static void set_state(struct dp_engine *engine, enum dp_engine_live_state state)
{
    engine->live->status.state = state;
    dp_engine_page_session(engine->page, &engine->live->status, &engine->live->session);
    dp_risk_set_session(engine->risk, 0, state == DP_ENGINE_LIVE_OPEN);
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
static void lose_in_flight(struct dp_engine *engine)
{
    uint32_t count = dp_orders_count(engine->orders);
    for (uint32_t index = 0; index < count; index++) {
        const struct dp_order *order = dp_orders_at(engine->orders, index);
        if (is_in_doubt(order, DP_ORDER_PENDING_NEW))
            tell(engine, DP_EVENT_OUTCOME_UNKNOWN, order->user_ref_num);
    }
}

/* Numbers from `next` on never reached the venue. */
static void settle_unseen(struct dp_engine *engine, const struct dp_order *order, uint32_t next)
{
    uint32_t pending = order->pending_user_ref_num;
    uint32_t unseen = 0;
    if (order->venue_order_id == 0 && order->user_ref_num >= next)
        unseen = order->user_ref_num;
    else if (pending != 0 && pending >= next)
        unseen = pending;
    if (unseen == 0)
        return;
    engine->live->status.never_received++;
    tell(engine, DP_EVENT_NOT_SENT, unseen);
}

/* What is left to explain about an order once the venue has told all. */
static void settle_rest(struct dp_engine *engine, const struct dp_order *order)
{
    struct dp_engine_live_status *status = &engine->live->status;
    uint32_t pending = DP_ORDER_PENDING(dp_load_relaxed(&order->state));
    if ((pending & DP_PENDING_CANCEL) != 0)
        status->cancels_again += dp_submit_cancel_again(&engine->submit, order);
    else if ((pending & DP_PENDING_REPLACE) != 0 || is_in_doubt(order, DP_ORDER_UNKNOWN) ||
        is_in_doubt(order, DP_ORDER_PENDING_NEW))
        status->unexplained++;
}

/* Before any order leaves: who goes on behind it asks the venue for what follows this answer. An
 * answer from before those orders, heard again, would say that they never arrived. */
static void record_open(struct dp_engine *engine, uint32_t next_user_ref_num)
{
    struct dp_journal_session session = {
        .time_ns = engine->now_ns, .user_ref_num_next = next_user_ref_num};
    static_assert(sizeof(session.name) == DP_SOUP_SESSION_NAME_SIZE, "the venue's whole name");
    memcpy(session.name, engine->live->session.soup.name, sizeof(session.name));
    if (!engine->has_wal)
        return;
    bool recorded = dp_submit_can_record(&engine->submit) &&
        dp_journal_append_session(engine->submit.segment, &session);
    dp_counter_add(
        engine->counters, recorded ? DP_COUNTER_JOURNAL_RECORDS : DP_COUNTER_JOURNAL_LOST, 1);
}

static void reconcile(struct dp_engine *engine, uint32_t next_user_ref_num)
{
    uint32_t count = dp_orders_count(engine->orders);
    engine->live->status.unexplained = 0;
    for (uint32_t index = 0; index < count; index++) {
        const struct dp_order *order = dp_orders_at(engine->orders, index);
        if (dp_order_is_live(order))
            settle_unseen(engine, order, next_user_ref_num);
        if (dp_order_is_live(order))
            settle_rest(engine, order);
    }
    engine->live->status.unexplained += engine->misnamed_count;
    set_state(
        engine, engine->live->status.unexplained == 0 ? DP_ENGINE_LIVE_OPEN : DP_ENGINE_LIVE_HELD);
    dp_engine_cancel_killed(engine); /* of switches that were set while it was down */
}

/* ---- the session's words ---- */

static void on_login(void *context)
{
    struct dp_engine *engine = context;
    uint8_t query[QUERY_SIZE];
    query[DP_SOUP_HEADER_SIZE] = 'Q';
    dp_soup_build(query, 'U', 1);
    set_state(engine, DP_ENGINE_LIVE_ASKING);
    dp_counter_add(engine->counters, DP_COUNTER_SESSION_LOGINS, 1);
    dp_order_session_send(&engine->live->session, query, sizeof(query), engine->live->now_ns);
}

static bool is_account_answer(const uint8_t *data, uint32_t size, struct dp_ouch_message *message)
{
    return size > 0 && data[0] == 'Q' &&
        dp_ouch_decode(data, size, DP_OUCH_OUTBOUND, message) == DP_OUCH_OK;
}

static void on_message(void *context, uint64_t sequence, const uint8_t *data, uint32_t size)
{
    struct dp_engine *engine = context;
    struct dp_ouch_message message;
    dp_engine_set_now(engine, engine->live->now_ns);
    engine->wal.segment.inbound_sequence = sequence - 1;
    if (is_account_answer(data, size, &message)) {
        engine->wal.segment.inbound_sequence = sequence;
        record_open(engine, message.user_ref_num);
        reconcile(engine, message.user_ref_num);
    } else {
        dp_engine_read_ouch(engine, data, size);
    }
    dp_engine_drain(engine);
}

static void on_lost(void *context, enum dp_soup_session_verdict verdict, int error)
{
    struct dp_engine *engine = context;
    struct dp_engine_live *live = engine->live;
    bool had_orders = live->status.state != DP_ENGINE_LIVE_DOWN;
    live->status.verdict = verdict;
    live->status.error = error;
    dp_counter_add(engine->counters, DP_COUNTER_SESSION_LOSSES, 1);
    set_state(engine,
        live->session.state == DP_ORDER_SESSION_STOPPED ? DP_ENGINE_LIVE_STOPPED
                                                        : DP_ENGINE_LIVE_DOWN);
    dp_engine_set_now(engine, live->now_ns);
    if (!had_orders)
        return;
    dp_engine_drop_unsent(engine);
    lose_in_flight(engine);
}

/* ---- switches ---- */

/* Frames of ours are taken back. What TCP has is not ours any more, and is watched: it may hold it
 * back for a venue that does not read, or send it again when a line comes back. */
void dp_engine_live_kill(struct dp_engine *engine)
{
    struct dp_engine_live *live = engine->live;
    const struct dp_stream *stream = live->session.stream;
    dp_engine_drop_unsent(engine);
    if (stream == NULL)
        return;
    live->killed_bytes = stream->stats.taken_bytes;
    live->killed_ns = live->now_ns;
}

/* Whether what had to be gone by now is still here. */
static bool is_held(const struct dp_engine_live *live, const struct dp_stream *stream)
{
    int64_t waited_ns = live->now_ns - live->killed_ns;
    uint64_t taken = stream->stats.taken_bytes;
    if (waited_ns >= LEAVE_PATIENCE_NS && taken - dp_stream_unsent(stream) < live->killed_bytes)
        return true;
    return waited_ns >= ACKNOWLEDGE_PATIENCE_NS;
}

/* An order that has not left by then never will. What it may have done at the venue, the next login
 * tells; the cancels follow it. */
static void watch_leaving(struct dp_engine_live *live)
{
    const struct dp_stream *stream = live->session.stream;
    if (stream == NULL ||
        stream->stats.taken_bytes - dp_stream_unacknowledged(stream) >= live->killed_bytes) {
        live->killed_ns = 0;
    } else if (is_held(live, stream)) {
        live->killed_ns = 0;
        dp_order_session_reset(&live->session, live->now_ns);
    }
}

/* ---- the link ---- */

/* The kernel's or the stack's TCP writes headers of its own: only what is behind ours goes. */
static bool live_send(struct dp_engine *engine, const struct dp_packet *packet)
{
    struct dp_engine_live *live = engine->live;
    enum dp_engine_live_state state = live->status.state;
    if (state != DP_ENGINE_LIVE_OPEN && state != DP_ENGINE_LIVE_HELD)
        return false;
    if (!dp_engine_may_leave(engine, packet))
        return false;
    return dp_order_session_send(&live->session, packet->data + DP_NET_TCP_HEADERS_SIZE,
        packet->size - DP_NET_TCP_HEADERS_SIZE, live->now_ns);
}

/* It acts in every turn of the loop, not at times that are known before. */
static int64_t live_next_ns(const struct dp_engine *engine)
{
    (void)engine;
    return INT64_MAX;
}

static void live_advance(struct dp_engine *engine, int64_t time_ns)
{
    (void)engine;
    (void)time_ns;
}

/* The time of this turn is the run's own, whatever was done to the machine's clock. But what rests
 * on the machine's is wrong from here on, or was before: a person must say. */
static void take_time(struct dp_engine *engine)
{
    struct dp_engine_live *live = engine->live;
    live->now_ns = dp_wall_now(&live->wall);
    if (DP_LIKELY(live->wall.step_count == live->clock_step_count))
        return;
    live->clock_step_count = live->wall.step_count;
    dp_engine_set_now(engine, live->now_ns);
    dp_engine_clock_stepped(engine, live->wall.step_ns);
}

static uint32_t take_turn(struct dp_engine *engine)
{
    struct dp_engine_live *live = engine->live;
    take_time(engine);
    uint32_t packets = dp_feed_live_poll(&live->feed, live->now_ns);
    if (packets > 0)
        dp_risk_heard(engine->risk, live->now_ns);
    dp_engine_advance(engine, live->now_ns);
    dp_engine_set_now(engine, live->now_ns);
    dp_store_relaxed(&engine->status->now_ns, engine->now_ns);
    dp_engine_control(engine); /* also when no line says anything */
    if (DP_UNLIKELY(live->killed_ns != 0))
        watch_leaving(live);
    uint64_t received = live->session.stream == NULL ? 0 : live->session.stream->stats.rx_bytes;
    dp_order_session_poll(&live->session, live->now_ns);
    uint32_t asked = dp_engine_take_orders(engine);
    dp_engine_drain(engine);
    bool is_idle = packets == 0 && asked == 0 &&
        (live->session.stream == NULL || live->session.stream->stats.rx_bytes == received);
    dp_engine_keep_warm(engine, live->now_ns, is_idle);
    if (is_idle && !live->config.spin)
        sched_yield();
    return packets;
}

static bool has_live_orders(const struct dp_engine *engine)
{
    uint32_t count = dp_orders_count(engine->orders);
    for (uint32_t index = 0; index < count; index++)
        if (dp_order_is_live(dp_orders_at(engine->orders, index)))
            return true;
    return false;
}

static void cancel_open(struct dp_engine *engine)
{
    uint32_t count = dp_orders_count(engine->orders);
    for (uint32_t index = 0; index < count; index++) {
        const struct dp_order *order = dp_orders_at(engine->orders, index);
        if (dp_order_is_live(order))
            dp_submit_cancel(&engine->submit, order->strategy_index, order->user_ref_num);
        dp_engine_drain(engine);
    }
}

/* Open orders are cancelled, and the venue is given a moment to say so. What it does not answer
 * stays in the journal as it is, for the next start to reconcile. */
static void live_end(struct dp_engine *engine)
{
    struct dp_engine_live *live = engine->live;
    int64_t until_ns = dp_wall_now(&live->wall) + END_PATIENCE_NS;
    set_state(engine, live->status.state);
    dp_risk_set_session(engine->risk, 0, false);
    cancel_open(engine);
    while (has_live_orders(engine) && live->status.state == DP_ENGINE_LIVE_OPEN &&
        live->now_ns < until_ns) {
        live->now_ns = dp_wall_now(&live->wall);
        dp_engine_set_now(engine, live->now_ns);
        dp_order_session_poll(&live->session, live->now_ns);
        dp_engine_drain(engine);
        if (!live->config.spin)
            sched_yield();
    }
    dp_order_session_close(&live->session);
}

static void live_close(struct dp_engine *engine)
{
    dp_order_session_close(&engine->live->session);
    dp_feed_live_close(&engine->live->feed);
    dp_engine_close_warm(engine);
    free(engine->live);
}

static const struct dp_engine_link live_link = {
    .send = live_send,
    .next_ns = live_next_ns,
    .advance = live_advance,
    .end = live_end,
    .close = live_close,
};

/* ---- life ---- */

static int open_session(struct dp_engine *engine, struct dp_err *err)
{
    static const char none[DP_SOUP_SESSION_NAME_SIZE];
    struct dp_engine_live *live = engine->live;
    const struct dp_engine_live_config *config = &live->config;
    const struct dp_order_session_handler handler = {engine, on_login, on_message, on_lost};
    int status = dp_order_session_open(&live->session, &config->session, &handler, err);
    if (status == 0 && memcmp(config->session_name, none, sizeof(none)) != 0 &&
        config->session_sequence > 0)
        dp_order_session_resume(&live->session, config->session_name, config->session_sequence);
    return status;
}

static void show(struct dp_engine *engine)
{
    struct dp_engine_live *live = engine->live;
    dp_engine_page_journal(engine);
    dp_engine_page_session(engine->page, &live->status, &live->session);
    dp_engine_page_feed(engine->page, &live->feed);
}

int dp_engine_start_live(
    struct dp_engine *engine, const struct dp_engine_live_config *config, struct dp_err *err)
{
    struct dp_feed_handler handler;
    DP_ASSERT(!engine->started && engine->link == NULL);
    engine->live = calloc(1, sizeof(*engine->live));
    if (engine->live == NULL)
        return dp_err_set(err, ENOMEM, "engine: no memory for a live run");
    engine->link = &live_link;
    engine->live->config = *config;
    engine->card = config->card;
    dp_wall_open(&engine->live->wall);
    engine->live->now_ns = dp_wall_now(&engine->live->wall);
    dp_engine_feed_handler(engine, &handler);
    int status =
        dp_feed_live_open(&engine->live->feed, &config->feed, engine->counters, &handler, err);
    if (status == 0)
        status = open_session(engine, err);
    if (status == 0)
        status = dp_engine_open_warm(engine, config->warm_after_ns, err);
    if (status == 0)
        status = dp_engine_begin(engine, engine->live->now_ns, err);
    if (status < 0)
        return status;
    memcpy(engine->page->session.user, config->session.soup.username,
        sizeof(config->session.soup.username));
    dp_store_relaxed(&engine->page->is_live, 1);
    set_state(engine, DP_ENGINE_LIVE_DOWN);
    show(engine);
    lose_in_flight(engine); /* of the run before */
    return 0;
}

uint64_t dp_engine_run_live(struct dp_engine *engine, int64_t duration_ns)
{
    uint64_t packets = 0;
    DP_ASSERT(engine->started && !engine->finished && engine->live != NULL);
    int64_t until_ns = dp_wall_now(&engine->live->wall) + duration_ns;
    do
        packets += take_turn(engine);
    while (!engine->stop_asked && engine->live->now_ns < until_ns);
    dp_store_relaxed(&engine->status->now_ns, engine->now_ns);
    dp_store_relaxed(&engine->status->heartbeat, dp_load_relaxed(&engine->status->heartbeat) + 1);
    show(engine);
    return packets;
}

int64_t dp_engine_live_midnight(const struct dp_engine *engine)
{
    const struct dp_engine_live_config *config = &engine->live->config;
    int64_t midnight_ns = engine->config.midnight_ns;
    for (uint32_t day = 0; day < config->midnight_count; day++)
        if (config->midnights_ns[day] <= engine->live->now_ns + EARLY_NS)
            midnight_ns = config->midnights_ns[day];
    return midnight_ns;
}

int64_t dp_engine_live_now(const struct dp_engine *engine)
{
    return engine->live->now_ns;
}

struct dp_engine_live_status dp_engine_live_status(const struct dp_engine *engine)
{
    const struct dp_order_session *session = &engine->live->session;
    struct dp_engine_live_status status = engine->live->status;
    status.login_count = session->login_count;
    status.loss_count = session->loss_count;
    status.sequence_next = session->soup.sequence_next;
    status.clock_step_count = engine->live->wall.step_count;
    status.clock_step_ns = engine->live->wall.step_ns;
    status.journal_trouble = engine->has_wal ? dp_wal_trouble(&engine->wal) : NULL;
    memcpy(status.session_name, session->soup.name, sizeof(status.session_name));
    return status;
}

enum dp_feed_state dp_engine_live_feed(const struct dp_engine *engine)
{
    return engine->live->feed.state;
}

const struct dp_feed_line_stats *dp_engine_live_line(const struct dp_engine *engine, uint32_t line)
{
    DP_ASSERT(line < DP_FEED_LINES_MAX);
    return &engine->live->feed.lines.stats[line];
}
