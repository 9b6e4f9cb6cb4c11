#include "dp_engine_internal.h"
#include "dp_itch_apply.h"

#define NANOS_PER_DAY 86400000000000ll

/* ---- strategies: what they are told ---- */

static bool touch_changed(const struct dp_top *before, const struct dp_top *now)
{
    return before->bid_price_nanos != now->bid_price_nanos ||
        before->ask_price_nanos != now->ask_price_nanos || before->bid_qty != now->bid_qty ||
        before->ask_qty != now->ask_qty || before->flags != now->flags ||
        before->trading_state != now->trading_state || before->session != now->session;
}

static void read_top(const struct dp_engine *engine, uint32_t instrument_index, struct dp_top *top)
{
    struct dp_book_level_view level;
    *top = (struct dp_top){
        .time_ns = engine->now_ns,
        .bid_price_nanos = DP_PRICE_NONE,
        .ask_price_nanos = DP_PRICE_NONE,
        .instrument_index = instrument_index,
        .flags = dp_book_flags(engine->books, instrument_index),
        .trading_state = dp_book_trading_state(engine->books, instrument_index),
        .session = engine->channels[dp_engine_channel_of(engine, instrument_index)].session,
    };
    if (dp_book_levels(engine->books, instrument_index, DP_SIDE_BUY, &level, 1) == 1) {
        top->bid_price_nanos = level.price_nanos;
        top->bid_qty = level.qty;
    }
    if (dp_book_levels(engine->books, instrument_index, DP_SIDE_SELL, &level, 1) == 1) {
        top->ask_price_nanos = level.price_nanos;
        top->ask_qty = level.qty;
    }
}

static bool has_middle(const struct dp_top *top)
{
    return top->flags == 0 && top->bid_price_nanos != DP_PRICE_NONE &&
        top->ask_price_nanos != DP_PRICE_NONE && top->bid_price_nanos < top->ask_price_nanos;
}

static int64_t middle(const struct dp_top *top)
{
    return top->bid_price_nanos + (top->ask_price_nanos - top->bid_price_nanos) / 2;
}

int64_t dp_engine_mark(const struct dp_engine *engine, uint32_t instrument_index)
{
    if (engine->marks[instrument_index] != 0)
        return engine->marks[instrument_index];
    struct dp_top top;
    read_top(engine, instrument_index, &top);
    return has_middle(&top) ? middle(&top) : DP_PRICE_NONE;
}

static void tell_book(struct dp_engine *engine, uint32_t instrument_index)
{
    struct dp_top top;
    read_top(engine, instrument_index, &top);
    if (!touch_changed(&engine->tops[instrument_index], &top))
        return;

    engine->tops[instrument_index] = top;
    if (has_middle(&top))
        engine->marks[instrument_index] = middle(&top);
    for (uint32_t index = 0; index < engine->seat_count; index++) {
        struct dp_engine_seat *seat = &engine->seats[index];
        if (seat->gateway.watched[instrument_index] && seat->strategy->on_book != NULL)
            seat->strategy->on_book(seat->strategy->state, dp_engine_gateway(engine, index), &top);
    }
}

static void tell_trade(struct dp_engine *engine, const struct dp_trade *trade)
{
    for (uint32_t index = 0; index < engine->seat_count; index++) {
        struct dp_engine_seat *seat = &engine->seats[index];
        if (seat->gateway.watched[trade->instrument_index] && seat->strategy->on_trade != NULL)
            seat->strategy->on_trade(
                seat->strategy->state, dp_engine_gateway(engine, index), trade);
    }
}

/* The trade a message prints, read before the books change (an execution names an order
 * that may then be gone). */
static bool read_trade(
    const struct dp_engine *engine, const struct dp_itch_message *message, struct dp_trade *trade)
{
    struct dp_book_order_view order = {0};
    bool names_order = message->type == 'E' || message->type == 'C';
    bool prints = names_order || message->type == 'P' || message->type == 'Q';
    if (!prints || (message->type == 'C' && message->code != 'Y') || message->qty == 0)
        return false;
    if (names_order && !dp_book_order(engine->books, message->order_ref, &order))
        return false;

    *trade = (struct dp_trade){
        .time_ns = engine->now_ns,
        .price_nanos = message->type == 'E' ? order.price_nanos
                                            : (int64_t)message->price4 * DP_ITCH_NANOS_PER_PRICE4,
        .qty = message->qty,
        .match_number = message->match_number,
        .instrument_index = message->stock_locate,
        .aggressor = DP_SIDE_NONE,
        .kind = message->type,
    };
    if (names_order)
        trade->aggressor = order.side == DP_SIDE_BUY ? DP_SIDE_SELL : DP_SIDE_BUY;
    return true;
}

/* ---- instruments ---- */

static void set_limits(struct dp_engine *engine, uint32_t instrument_index, const uint8_t *symbol)
{
    static const char any[8];
    const struct dp_engine_limits *chosen = NULL;
    for (uint32_t index = 0; index < engine->limits_count; index++) {
        const struct dp_engine_limits *limits = &engine->limits[index];
        if (memcmp(limits->symbol, symbol, 8) == 0) {
            chosen = limits;
            break;
        }
        if (memcmp(limits->symbol, any, 8) == 0)
            chosen = limits;
    }
    if (chosen != NULL)
        dp_risk_set_instrument(engine->risk, instrument_index, &chosen->limits, NULL);
}

static bool is_wanted(struct dp_engine_seat *seat, uint32_t channel, const uint8_t *symbol)
{
    for (uint32_t index = 0; index < seat->symbol_count; index++)
        if (memcmp(seat->symbols[index], symbol, 8) == 0)
            return true;
    uint32_t opened_count = 0;
    for (uint32_t index = 0; index < DP_FEED_CHANNELS_MAX; index++)
        opened_count += seat->opened[index];
    if (opened_count >= seat->first_count)
        return false;
    seat->opened[channel]++;
    return true;
}

/* The first time an instrument is named: its order template, its limits, and who watches it. */
void dp_engine_open_instrument(
    struct dp_engine *engine, uint32_t instrument_index, const uint8_t *symbol)
{
    char text[8];
    uint32_t channel = dp_engine_channel_of(engine, instrument_index);
    memcpy(text, symbol, sizeof(text));
    dp_ouch_enter_template(
        &engine->enter_templates[instrument_index], &engine->config.session, text);
    engine->template_ready[instrument_index] = 1;
    if (dp_engine_is_named(engine, instrument_index, symbol))
        set_limits(engine, instrument_index, symbol); /* without limits no order passes */
    dp_engine_set_kept_instrument(engine, instrument_index, symbol);
    read_top(engine, instrument_index, &engine->tops[instrument_index]);

    for (uint32_t index = 0; index < engine->seat_count; index++) {
        struct dp_engine_seat *seat = &engine->seats[index];
        if (is_wanted(seat, channel, symbol))
            dp_gateway_watch(&seat->gateway, instrument_index);
        if (!seat->gateway.watched[instrument_index])
            continue;
        engine->watched_any[instrument_index] = 1;
        dp_engine_arm_card(engine, instrument_index);
        if (seat->strategy->on_open != NULL)
            seat->strategy->on_open(
                seat->strategy->state, dp_engine_gateway(engine, index), instrument_index);
    }
}

void dp_engine_tell_books(const struct dp_engine_channel *channel)
{
    struct dp_engine *engine = channel->engine;
    uint32_t end = dp_engine_channel_end(channel);
    for (uint32_t index = channel->first; index < end; index++)
        if (engine->watched_any[index])
            tell_book(engine, index);
    dp_engine_drain(engine);
}

/* A phase of the day: every watched instrument of the channel hears of it; the first of a day
 * forgets the day before. */
static void change_session(struct dp_engine_channel *channel, uint8_t event_code)
{
    channel->session = event_code;
    if (event_code == 'O')
        dp_engine_forget_instruments(channel);
    else if (channel->telling == DP_ENGINE_TELLS)
        dp_engine_tell_books(channel);
}

/* ---- one message, to completion ---- */

bool dp_engine_decode_itch(
    struct dp_engine *engine, const uint8_t *data, size_t size, struct dp_itch_message *message)
{
    enum dp_itch_result result = dp_itch_decode(data, size, message);
    _Atomic uint64_t *by_type = &engine->status->messages_by_type[message->type];
    dp_store_relaxed(by_type, dp_load_relaxed(by_type) + 1);
    return dp_itch_note(engine->books, engine->counters, data, size, result);
}

static bool names_symbol(const struct dp_itch_message *message)
{
    return message->type == 'R' || message->type == 'A' || message->type == 'F';
}

/* Books and everyone who must know, in the order of cause and effect: venue, books, strategies. */
static void apply_message(
    struct dp_engine_channel *channel, const struct dp_itch_message *message, bool measured)
{
    struct dp_engine *engine = channel->engine;
    uint32_t instrument_index = message->stock_locate;
    struct dp_trade trade;
    bool watched = engine->watched_any[instrument_index];
    bool traded = watched && read_trade(engine, message, &trade);

    if (engine->link->on_message != NULL)
        engine->link->on_message(engine, message);
    uint64_t book_tsc = measured ? dp_tsc() : 0;
    dp_itch_apply(engine->books, engine->counters, message, engine->config.midnight_ns);
    uint64_t done_tsc = measured ? dp_tsc() : 0;
    if (measured)
        dp_hist_record(engine->hists[DP_STAGE_BOOK], done_tsc - book_tsc);

    if (message->type == 'S')
        change_session(channel, message->code);
    if (DP_UNLIKELY(channel->telling != DP_ENGINE_TELLS))
        dp_book_set_flags(engine->books, instrument_index, DP_BOOK_STALE);
    else if (names_symbol(message) && DP_UNLIKELY(!engine->template_ready[instrument_index]) &&
        dp_book_is_open(engine->books, instrument_index))
        dp_engine_open_instrument(engine, instrument_index, message->stock);

    if (watched && channel->telling != DP_ENGINE_TELLS_NOTHING) {
        if (traded)
            tell_trade(engine, &trade);
        if (DP_LIKELY(channel->telling == DP_ENGINE_TELLS))
            tell_book(engine, instrument_index);
        if (measured)
            dp_hist_record(engine->hists[DP_STAGE_STRATEGY], dp_tsc() - done_tsc);
    }
}

/* Live, the machine's clock; in a replay the exchange's, where a time of more than a day is damage:
 * the message counts, the clock stays. */
static int64_t time_of(const struct dp_engine *engine, const struct dp_itch_message *message)
{
    if (engine->live != NULL)
        return dp_engine_live_now(engine);
    return message->timestamp_ns < NANOS_PER_DAY
        ? engine->config.midnight_ns + message->timestamp_ns
        : engine->now_ns;
}

void dp_engine_read_itch(struct dp_engine_channel *channel, const uint8_t *data, size_t size)
{
    struct dp_engine *engine = channel->engine;
    struct dp_itch_message message;
    uint64_t start_tsc = engine->config.measure_latency ? dp_tsc() : 0;
    if (!dp_engine_decode_itch(engine, data, size, &message) || !dp_engine_place(channel, &message))
        return;

    bool measured = engine->config.measure_latency &&
        (engine->watched_any[message.stock_locate] ||
            (engine->sample++ & DP_ENGINE_SAMPLE_MASK) == 0);
    uint64_t decode_tsc = measured ? dp_tsc() - start_tsc : 0;
    if (measured)
        dp_hist_record(engine->hists[DP_STAGE_DECODE], decode_tsc);

    int64_t time_ns = time_of(engine, &message);
    dp_engine_advance(engine, time_ns);
    dp_engine_set_now(engine, time_ns);
    dp_engine_watch_risk(engine);
    dp_engine_control(engine);
    dp_engine_take_orders(engine);
    engine->tick_tsc = measured ? dp_tsc() - decode_tsc : 0;
    apply_message(channel, &message, measured);
    dp_engine_drain(engine);
}

int dp_engine_open_feed(struct dp_engine *engine, const char *path, struct dp_err *err)
{
    struct dp_feed_handler handler;
    dp_engine_feed_handler(&engine->channels[0], &handler);
    engine->feed =
        dp_feed_open(path, engine->config.gap_timeout_ns, engine->counters, &handler, err);
    if (engine->feed == NULL)
        return -err->code;
    dp_feed_set_speed(engine->feed, engine->config.speed_permille);
    snprintf(engine->status->source, sizeof(engine->status->source), "%s", path);
    dp_store_relaxed(&engine->status->size, dp_feed_size(engine->feed));
    return 0;
}

const struct dp_pacer *dp_engine_pacer(const struct dp_engine *engine)
{
    return dp_feed_pacer(engine->feed);
}

uint64_t dp_engine_run(struct dp_engine *engine, uint64_t message_count)
{
    DP_ASSERT(engine->started && !engine->finished);
    uint64_t taken = engine->stop_asked ? 0 : dp_feed_run(engine->feed, message_count);
    dp_store_relaxed(&engine->status->now_ns, engine->now_ns);
    dp_store_relaxed(&engine->status->position, dp_feed_position(engine->feed));
    dp_engine_page_journal(engine);
    dp_store_relaxed(&engine->status->heartbeat, dp_load_relaxed(&engine->status->heartbeat) + 1);
    return taken;
}
