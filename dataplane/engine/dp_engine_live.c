#include "dp_engine_live.h"

#include <errno.h>
#include <sched.h>
#include <sys/prctl.h>
#include <time.h>

#include "dp_engine_internal.h"
#include "dp_engine_session.h"

/* How long open orders may take to end when the run does. */
#define END_PATIENCE_NS 5000000000ll
/* A session that begins so long before midnight is the next day's. */
#define EARLY_NS 3600000000000ll
#define NAP_NS 50000
#define NAP_AFTER_NS 1000000

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

/* ---- switches ---- */

void dp_engine_live_kill(struct dp_engine *engine)
{
    for (uint32_t index = 0; index < engine->live->route.session_count; index++)
        dp_engine_session_kill(&engine->live->sessions[index]);
    dp_engine_drop_unsent(engine, DP_ENGINE_ALL_SESSIONS);
}

/* ---- the link ---- */

/* An order keeps the session that it left by. */
static bool live_send(
    struct dp_engine *engine, const struct dp_packet *packet, uint32_t user_ref_num)
{
    const struct dp_order *order = dp_orders_find(engine->orders, user_ref_num);
    uint8_t index = order != NULL ? order->session_index : 0;
    return dp_engine_session_send(&engine->live->sessions[index], packet, user_ref_num);
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

static bool poll_sessions(struct dp_engine *engine)
{
    struct dp_engine_live *live = engine->live;
    bool has_heard = false;
    for (uint32_t index = 0; index < live->route.session_count; index++)
        has_heard |= dp_engine_session_poll(&live->sessions[index]);
    return has_heard;
}

/* The end of a turn in which nothing happened. */
static void rest(const struct dp_engine_live *live)
{
    const struct timespec nap = {.tv_nsec = NAP_NS};
    if (live->config.idle == DP_ENGINE_SPIN)
        return;
    if (live->config.idle == DP_ENGINE_ADAPTIVE && live->now_ns - live->busy_ns >= NAP_AFTER_NS)
        nanosleep(&nap, NULL);
    else
        sched_yield();
}

static uint32_t take_turn(struct dp_engine *engine)
{
    struct dp_engine_live *live = engine->live;
    take_time(engine);
    uint32_t packets = dp_feed_channels_poll(&live->feeds, live->now_ns);
    if (packets > 0)
        dp_risk_heard(engine->risk, live->now_ns);
    dp_engine_advance(engine, live->now_ns);
    dp_engine_set_now(engine, live->now_ns);
    dp_store_relaxed(&engine->status->now_ns, engine->now_ns);
    dp_engine_control(engine); /* also when no line says anything */
    bool has_heard = poll_sessions(engine);
    uint32_t asked = dp_engine_take_orders(engine);
    dp_engine_drain(engine);
    bool is_idle = packets == 0 && asked == 0 && !has_heard;
    dp_engine_keep_warm(engine, live->now_ns, is_idle);
    if (is_idle)
        rest(live);
    else
        live->busy_ns = live->now_ns;
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

static bool is_any_open(const struct dp_engine_live *live)
{
    for (uint32_t index = 0; index < live->route.session_count; index++)
        if (live->sessions[index].status.state == DP_ENGINE_LIVE_OPEN)
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
    live->is_ending = true;
    for (uint32_t index = 0; index < live->route.session_count; index++)
        dp_engine_session_shut(&live->sessions[index]);
    cancel_open(engine);
    while (has_live_orders(engine) && is_any_open(live) && live->now_ns < until_ns) {
        live->now_ns = dp_wall_now(&live->wall);
        dp_engine_set_now(engine, live->now_ns);
        poll_sessions(engine);
        dp_engine_drain(engine);
        rest(live);
    }
    for (uint32_t index = 0; index < live->route.session_count; index++)
        dp_order_session_close(&live->sessions[index].wire);
}

static void live_close(struct dp_engine *engine)
{
    for (uint32_t index = 0; index < engine->live->route.session_count; index++)
        dp_engine_session_close(&engine->live->sessions[index]);
    dp_feed_channels_close(&engine->live->feeds);
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

/* An order lives on in the session that it left by. */
static int check_orders(const struct dp_engine *engine, uint32_t session_count, struct dp_err *err)
{
    uint32_t count = dp_orders_count(engine->orders);
    for (uint32_t index = 0; index < count; index++) {
        const struct dp_order *order = dp_orders_at(engine->orders, index);
        if (dp_order_is_live(order) && order->session_index >= session_count)
            return dp_err_set(err, EINVAL,
                "engine: order %u is open in session %u, there are only %u (from 0 on); keep the "
                "sessions of the run before",
                order->user_ref_num, order->session_index, session_count);
    }
    return 0;
}

static int open_sessions(struct dp_engine *engine, struct dp_err *err)
{
    struct dp_engine_live *live = engine->live;
    const struct dp_engine_live_config *config = &live->config;
    int status = check_orders(engine, config->session_count, err);
    DP_ASSERT(config->session_count > 0 && config->session_count <= DP_ROUTE_SESSIONS_MAX);
    live->route.session_count = config->session_count;
    live->route.spread = config->spread;
    live->route.queues = config->queues;
    for (uint32_t index = 0; status == 0 && index < config->session_count; index++)
        status = dp_engine_session_open(engine, (uint8_t)index, err);
    engine->submit.route = &live->route;
    return status;
}

static void show(struct dp_engine *engine)
{
    struct dp_engine_live *live = engine->live;
    dp_engine_page_journal(engine);
    for (uint32_t index = 0; index < live->route.session_count; index++)
        dp_engine_page_session(engine->page, &live->sessions[index]);
    dp_engine_page_feeds(engine->page, &live->feeds);
}

static int open_feeds(struct dp_engine *engine, struct dp_err *err)
{
    const struct dp_engine_live_config *config = &engine->live->config;
    struct dp_feed_live_config feeds[DP_FEED_CHANNELS_MAX];
    struct dp_feed_handler handlers[DP_FEED_CHANNELS_MAX];
    uint32_t counts[DP_FEED_CHANNELS_MAX];
    DP_ASSERT(config->channel_count <= DP_FEED_CHANNELS_MAX);
    for (uint32_t index = 0; index < config->channel_count; index++) {
        feeds[index] = config->channels[index].feed;
        counts[index] = config->channels[index].instrument_count;
    }
    if (dp_engine_set_channels(engine, counts, config->channel_count, err) < 0)
        return -err->code;
    for (uint32_t index = 0; index < config->channel_count; index++)
        dp_engine_feed_handler(&engine->channels[index], &handlers[index]);
    return dp_feed_channels_open(
        &engine->live->feeds, feeds, config->channel_count, engine->counters, handlers, err);
}

int dp_engine_start_live(
    struct dp_engine *engine, const struct dp_engine_live_config *config, struct dp_err *err)
{
    DP_ASSERT(!engine->started && engine->link == NULL);
    engine->live = calloc(1, sizeof(*engine->live));
    if (engine->live == NULL)
        return dp_err_set(err, ENOMEM, "engine: no memory for a live run");
    engine->link = &live_link;
    engine->live->config = *config;
    if (config->idle == DP_ENGINE_ADAPTIVE)
        (void)prctl(PR_SET_TIMERSLACK, 1000ul); /* else a nap is twice as long */
    engine->card = config->card;
    dp_wall_open(&engine->live->wall);
    engine->live->now_ns = dp_wall_now(&engine->live->wall);
    int status = open_feeds(engine, err);
    if (status == 0)
        status = open_sessions(engine, err);
    if (status == 0)
        status = dp_engine_open_warm(engine, config->warm_after_ns, err);
    if (status == 0)
        status = dp_engine_begin(engine, engine->live->now_ns, err);
    if (status < 0)
        return status;
    dp_store_relaxed(&engine->page->is_live, 1);
    show(engine);
    for (uint32_t index = 0; index < engine->live->route.session_count; index++)
        dp_engine_session_lose_in_flight(&engine->live->sessions[index]); /* of the run before */
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

struct dp_engine_live_status dp_engine_live_status(const struct dp_engine *engine, uint32_t index)
{
    DP_ASSERT(index < engine->live->route.session_count);
    const struct dp_order_session *wire = &engine->live->sessions[index].wire;
    struct dp_engine_live_status status = engine->live->sessions[index].status;
    status.login_count = wire->login_count;
    status.loss_count = wire->loss_count;
    status.sequence_next = wire->soup.sequence_next;
    status.given = engine->live->route.sessions[index].given;
    status.waiting = engine->live->route.sessions[index].waiting;
    memcpy(status.session_name, wire->soup.name, sizeof(status.session_name));
    status.clock_step_count = engine->live->wall.step_count;
    status.clock_step_ns = engine->live->wall.step_ns;
    status.journal_trouble = engine->has_wal ? dp_wal_trouble(&engine->wal) : NULL;
    return status;
}

enum dp_feed_state dp_engine_live_feed(const struct dp_engine *engine)
{
    return dp_feed_channels_state(&engine->live->feeds);
}

enum dp_feed_state dp_engine_live_feed_of(const struct dp_engine *engine, uint32_t channel)
{
    DP_ASSERT(channel < engine->live->feeds.count);
    return engine->live->feeds.feeds[channel].state;
}

const struct dp_feed_line_stats *dp_engine_live_line(
    const struct dp_engine *engine, uint32_t channel, uint32_t line)
{
    DP_ASSERT(channel < engine->live->feeds.count && line < DP_FEED_LINES_MAX);
    return &engine->live->feeds.feeds[channel].lines.stats[line];
}
