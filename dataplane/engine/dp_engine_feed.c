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
        .session = engine->session,
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

static bool is_wanted(struct dp_engine_seat *seat, const uint8_t *symbol)
{
    for (uint32_t index = 0; index < seat->symbol_count; index++)
        if (memcmp(seat->symbols[index], symbol, 8) == 0)
            return true;
    if (seat->opened_count < seat->first_count) {
        seat->opened_count++;
        return true;
    }
    return false;
}

/* The first time an instrument is named: its order template, its limits, and who watches it. */
static void open_instrument(
    struct dp_engine *engine, uint32_t instrument_index, const uint8_t *symbol)
{
    char text[8];
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
        if (is_wanted(seat, symbol))
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

static void forget_instruments(struct dp_engine *engine)
{
    uint32_t count = engine->config.books.instrument_count_max;
    dp_engine_disarm_card(engine);
    memset(engine->template_ready, 0, count);
    memset(engine->watched_any, 0, count);
    memset(engine->journal_named, 0, count);
    for (uint32_t index = 0; index < engine->seat_count; index++) {
        memset(engine->seats[index].gateway.watched, 0, count);
        engine->seats[index].opened_count = 0;
    }
}

static void tell_all_books(struct dp_engine *engine)
{
    uint32_t count = dp_books_instrument_count(engine->books);
    for (uint32_t index = 0; index < count; index++)
        if (engine->watched_any[index])
            tell_book(engine, index);
    dp_engine_drain(engine);
}

/* A phase of the day: every watched instrument hears of it;
 * the first of a day forgets the day before. */
static void change_session(struct dp_engine *engine, uint8_t event_code)
{
    engine->session = event_code;
    if (event_code == 'O')
        forget_instruments(engine);
    else if (engine->telling == DP_ENGINE_TELLS)
        tell_all_books(engine);
}

/* ---- one message, to completion ---- */

static bool decode(
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
    struct dp_engine *engine, const struct dp_itch_message *message, bool measured)
{
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
        change_session(engine, message->code);
    if (DP_UNLIKELY(engine->telling != DP_ENGINE_TELLS))
        dp_book_set_flags(engine->books, instrument_index, DP_BOOK_STALE);
    else if (names_symbol(message) && DP_UNLIKELY(!engine->template_ready[instrument_index]) &&
        dp_book_is_open(engine->books, instrument_index))
        open_instrument(engine, instrument_index, message->stock);

    if (watched && engine->telling != DP_ENGINE_TELLS_NOTHING) {
        if (traded)
            tell_trade(engine, &trade);
        if (DP_LIKELY(engine->telling == DP_ENGINE_TELLS))
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

static void process_message(struct dp_engine *engine, const uint8_t *data, size_t size)
{
    struct dp_itch_message message;
    uint64_t start_tsc = engine->config.measure_latency ? dp_tsc() : 0;
    if (!decode(engine, data, size, &message))
        return;
    if (message.stock_locate >= engine->config.books.instrument_count_max) {
        dp_counter_add(engine->counters, DP_COUNTER_BOOK_INVALID, 1);
        return;
    }

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
    apply_message(engine, &message, measured);
    dp_engine_drain(engine);
}

/* ---- what the feed tells ---- */

static void on_message(void *context, const uint8_t *data, size_t size)
{
    process_message(context, data, size);
}

static void mark_stale(struct dp_engine *engine, enum dp_engine_telling telling)
{
    engine->telling = telling;
    dp_books_set_flags(engine->books, DP_BOOK_STALE);
    tell_all_books(engine);
}

/* From here on nothing that was in the books can be trusted, and every strategy that watches one
 * hears it. */
static void on_gap(void *context)
{
    mark_stale(context, DP_ENGINE_TELLS);
}

static void on_late(void *context)
{
    mark_stale(context, DP_ENGINE_TELLS_TRADES);
}

/* Who watches a book hears that it is over before it is gone. */
static void on_session(void *context)
{
    struct dp_engine *engine = context;
    mark_stale(engine, DP_ENGINE_TELLS);
    dp_books_clear(engine->books);
    if (engine->live != NULL)
        engine->config.midnight_ns = dp_engine_live_midnight(engine);
    engine->session = 0;
    forget_instruments(engine);
}

/* Instruments stay known to strategies: it is the same session. */
static void on_rebuild(void *context)
{
    struct dp_engine *engine = context;
    engine->telling = DP_ENGINE_TELLS_NOTHING;
    dp_books_clear(engine->books);
}

static void on_snapshot(void *context, const uint8_t *data, size_t size)
{
    struct dp_engine *engine = context;
    struct dp_itch_message message;
    if (!decode(engine, data, size, &message))
        return;
    if (message.type == 'S') {
        engine->session = message.code; /* how the day stands: nothing begins */
    } else if (message.stock_locate < engine->config.books.instrument_count_max) {
        dp_itch_apply(engine->books, engine->counters, &message, engine->config.midnight_ns);
        dp_book_set_flags(engine->books, message.stock_locate, DP_BOOK_STALE);
    } else {
        dp_counter_add(engine->counters, DP_COUNTER_BOOK_INVALID, 1);
    }
}

/* Those that were named while nothing was told. */
static void open_new_instruments(struct dp_engine *engine)
{
    uint32_t count = dp_books_instrument_count(engine->books);
    for (uint32_t index = 0; index < count; index++) {
        char symbol[9];
        if (engine->template_ready[index] || !dp_book_is_open(engine->books, index))
            continue;
        dp_book_symbol(engine->books, index, symbol);
        memset(symbol + strlen(symbol), ' ', 8 - strlen(symbol));
        open_instrument(engine, index, (const uint8_t *)symbol);
    }
}

static void on_whole(void *context)
{
    struct dp_engine *engine = context;
    engine->telling = DP_ENGINE_TELLS;
    dp_books_drop_flags(engine->books, DP_BOOK_STALE);
    open_new_instruments(engine);
    tell_all_books(engine);
}

/* All five types that name a resting order have its reference at the same place; in others it is
 * noise, and harmless. */
static void on_ahead(void *context, const uint8_t *data, size_t size, bool is_near)
{
    const struct dp_engine *engine = context;
    if (size < DP_ITCH_HEADER_SIZE + sizeof(uint64_t))
        return;
    uint64_t order_ref = dp_load_be64(data + DP_ITCH_HEADER_SIZE);
    if (is_near)
        dp_book_prefetch_order(engine->books, order_ref);
    else
        dp_book_prefetch_ref(engine->books, order_ref);
}

void dp_engine_feed_handler(struct dp_engine *engine, struct dp_feed_handler *handler)
{
    *handler = (struct dp_feed_handler){
        .context = engine,
        .on_message = on_message,
        .on_gap = on_gap,
        .on_session = on_session,
        .on_late = on_late,
        .on_rebuild = on_rebuild,
        .on_snapshot = on_snapshot,
        .on_whole = on_whole,
        .on_ahead = on_ahead,
    };
}

int dp_engine_open_feed(struct dp_engine *engine, const char *path, struct dp_err *err)
{
    struct dp_feed_handler handler;
    dp_engine_feed_handler(engine, &handler);
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
