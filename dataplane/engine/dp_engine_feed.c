#include "dp_engine_internal.h"
#include "dp_itch_apply.h"
#include "dp_net.h"

#include <errno.h>

#define NANOS_PER_DAY 86400000000000ll
#define FEED_HOLD_COUNT 4096
#define FEED_PACKET_SIZE_MAX 9216 /* jumbo frames */

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
    set_limits(engine, instrument_index, symbol);
    read_top(engine, instrument_index, &engine->tops[instrument_index]);

    for (uint32_t index = 0; index < engine->seat_count; index++) {
        struct dp_engine_seat *seat = &engine->seats[index];
        if (is_wanted(seat, symbol))
            dp_gateway_watch(&seat->gateway, instrument_index);
        if (!seat->gateway.watched[instrument_index])
            continue;
        engine->watched_any[instrument_index] = 1;
        if (seat->strategy->on_open != NULL)
            seat->strategy->on_open(
                seat->strategy->state, dp_engine_gateway(engine, index), instrument_index);
    }
}

static void forget_instruments(struct dp_engine *engine)
{
    uint32_t count = engine->config.books.instrument_count_max;
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
}

/* A phase of the day: every watched instrument hears of it;
 * the first of a day forgets the day before. */
static void change_session(struct dp_engine *engine, uint8_t event_code)
{
    engine->session = event_code;
    if (event_code == 'O')
        forget_instruments(engine);
    else
        tell_all_books(engine);
}

/* ---- one message, to completion ---- */

static bool decode(
    struct dp_engine *engine, const uint8_t *data, size_t size, struct dp_itch_message *message)
{
    enum dp_itch_result result = dp_itch_decode(data, size, message);
    dp_counter_add(engine->counters, DP_COUNTER_ITCH_MESSAGES, 1);
    _Atomic uint64_t *by_type = &engine->status->messages_by_type[message->type];
    dp_store_relaxed(by_type, dp_load_relaxed(by_type) + 1);

    if (DP_LIKELY(result == DP_ITCH_OK))
        return true;
    if (result == DP_ITCH_LONGER)
        dp_counter_add(engine->counters, DP_COUNTER_ITCH_LONGER, 1);
    else if (result == DP_ITCH_SHORT)
        dp_counter_add(engine->counters, DP_COUNTER_ITCH_MALFORMED, 1);
    else
        dp_counter_add(engine->counters, DP_COUNTER_ITCH_UNKNOWN, 1);
    return result == DP_ITCH_LONGER;
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

    dp_venue_on_message(engine->venue, message, engine->now_ns);
    uint64_t book_tsc = measured ? dp_tsc() : 0;
    dp_itch_apply(engine->books, engine->counters, message, engine->config.midnight_ns);
    uint64_t done_tsc = measured ? dp_tsc() : 0;
    if (measured)
        dp_hist_record(engine->hists[DP_STAGE_BOOK], done_tsc - book_tsc);

    if (message->type == 'S')
        change_session(engine, message->code);
    if (names_symbol(message) && DP_UNLIKELY(!engine->template_ready[instrument_index]) &&
        dp_book_is_open(engine->books, instrument_index))
        open_instrument(engine, instrument_index, message->stock);

    if (watched) {
        if (traded)
            tell_trade(engine, &trade);
        tell_book(engine, instrument_index);
        if (measured)
            dp_hist_record(engine->hists[DP_STAGE_STRATEGY], dp_tsc() - done_tsc);
    }
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

    /* A time of more than a day is damage: the message counts, the clock stays. */
    if (message.timestamp_ns < NANOS_PER_DAY) {
        int64_t time_ns = engine->config.midnight_ns + message.timestamp_ns;
        dp_engine_advance(engine, time_ns);
        dp_engine_set_now(engine, time_ns);
    }
    engine->tick_tsc = measured ? dp_tsc() - decode_tsc : 0;
    apply_message(engine, &message, measured);
    dp_engine_drain(engine);
}

/* ---- sources ---- */

/* Where the order reference of a message stands, for looking ahead:
 * all five types that name a resting order have it at 11. */
static uint64_t peek_order_ref(const struct dp_capture_record *record)
{
    return record->size >= 19 ? dp_load_be64(record->data + DP_ITCH_HEADER_SIZE) : 0;
}

static uint64_t run_messages(struct dp_engine *engine, uint64_t message_count)
{
    struct dp_capture_record records[DP_ENGINE_BATCH];
    uint64_t taken = 0;
    while (taken < message_count && !engine->stop_asked) {
        uint32_t count = dp_capture_read(engine->feed_capture, records, DP_ENGINE_BATCH);
        if (count == 0)
            break;
        for (uint32_t index = 0; index < count && !engine->stop_asked; index++) {
            if (index + 12 < count)
                dp_book_prefetch_ref(engine->books, peek_order_ref(&records[index + 12]));
            if (index + 5 < count)
                dp_book_prefetch_order(engine->books, peek_order_ref(&records[index + 5]));
            process_message(engine, records[index].data, records[index].size);
            dp_counter_add(engine->counters, DP_COUNTER_RX_BYTES, records[index].size);
        }
        taken += count;
        dp_store_relaxed(&engine->status->position, dp_capture_position(engine->feed_capture));
    }
    return taken;
}

static void on_message(
    void *context, uint64_t sequence, const uint8_t *data, size_t size, int64_t time_ns)
{
    struct dp_engine *engine = context;
    (void)sequence;
    (void)time_ns;
    engine->feed_message_count++;
    if (size > 0 && !engine->stop_asked) /* an empty message only consumes its number */
        process_message(engine, data, size);
}

/* From here on nothing that was in the books can be trusted, and every strategy that
 * watches one hears it. */
static void on_gap(void *context, uint64_t first, uint64_t last, int64_t time_ns)
{
    struct dp_engine *engine = context;
    (void)time_ns;
    dp_counter_add(engine->counters, DP_COUNTER_MOLD_GAPS, 1);
    dp_counter_add(engine->counters, DP_COUNTER_MOLD_LOST, last - first + 1);
    dp_books_set_flags(engine->books, DP_BOOK_STALE);
    tell_all_books(engine);
    dp_engine_drain(engine);
}

static void on_session(void *context, const uint8_t *session)
{
    struct dp_engine *engine = context;
    (void)session;
    dp_books_clear(engine->books);
    forget_instruments(engine);
}

static void on_end(void *context)
{
    (void)context;
}

static void count_verdict(struct dp_engine *engine, enum dp_moldudp_verdict verdict)
{
    if (verdict == DP_MOLDUDP_DUPLICATE || verdict == DP_MOLDUDP_OLD_SESSION)
        dp_counter_add(engine->counters, DP_COUNTER_MOLD_DUPLICATE, 1);
    else if (verdict == DP_MOLDUDP_HELD)
        dp_counter_add(engine->counters, DP_COUNTER_MOLD_REORDERED, 1);
    else if (verdict == DP_MOLDUDP_MALFORMED)
        dp_counter_add(engine->counters, DP_COUNTER_MOLD_MALFORMED, 1);
}

static void process_packet(struct dp_engine *engine, const struct dp_packet *packet)
{
    struct dp_net_packet net;
    dp_counter_add(engine->counters, DP_COUNTER_RX_PACKETS, 1);
    dp_counter_add(engine->counters, DP_COUNTER_RX_BYTES, packet->size);
    enum dp_net_result result = dp_net_parse(packet->data, packet->size, true, &net);
    if (result == DP_NET_CHECKSUM) {
        dp_counter_add(engine->counters, DP_COUNTER_NET_CHECKSUM_BAD, 1);
    } else if (result != DP_NET_OK || net.protocol != DP_NET_UDP) {
        dp_counter_add(engine->counters, DP_COUNTER_NET_DROPPED, 1);
    } else {
        dp_moldudp_feed_poll(engine->feed, packet->time_ns, &engine->feed_handler);
        count_verdict(engine,
            dp_moldudp_feed_push(engine->feed, net.payload, net.payload_size, packet->time_ns,
                &engine->feed_handler));
    }
}

static uint64_t run_packets(struct dp_engine *engine, uint64_t message_count)
{
    struct dp_packet packets[DP_ENGINE_BATCH];
    uint64_t taken = 0;
    engine->feed_message_count = 0;
    while (engine->feed_message_count < message_count && !engine->stop_asked) {
        uint32_t count = dp_port_receive(engine->feed_port, packets, DP_ENGINE_BATCH);
        if (count == 0) {
            /* The capture is over: nothing more can close a hole. */
            dp_moldudp_feed_poll(engine->feed, INT64_MAX, &engine->feed_handler);
            break;
        }
        for (uint32_t index = 0; index < count && !engine->stop_asked; index++)
            process_packet(engine, &packets[index]);
        taken += count;
        dp_store_relaxed(&engine->status->position,
            dp_capture_position(dp_port_pcap_capture(engine->feed_port)));
    }
    return taken;
}

uint64_t dp_engine_run(struct dp_engine *engine, uint64_t message_count)
{
    DP_ASSERT(engine->started && !engine->finished);
    uint64_t taken = engine->feed_port != NULL ? run_packets(engine, message_count)
                                               : run_messages(engine, message_count);
    dp_store_relaxed(&engine->status->now_ns, engine->now_ns);
    dp_store_relaxed(&engine->status->heartbeat, dp_load_relaxed(&engine->status->heartbeat) + 1);
    return taken;
}

/* ---- opening and closing ---- */

static int open_packets(struct dp_engine *engine, const char *path, struct dp_err *err)
{
    struct dp_moldudp_config config = {
        .hold_count_max = FEED_HOLD_COUNT,
        .packet_size_max = FEED_PACKET_SIZE_MAX,
        .gap_timeout_ns = engine->config.gap_timeout_ns,
        .sequence_first = 1,
    };
    engine->feed_port = dp_port_pcap_open(path, NULL, err);
    if (engine->feed_port == NULL)
        return -err->code;
    engine->feed = calloc(1, dp_moldudp_feed_size(&config));
    if (engine->feed == NULL)
        return dp_err_set(err, ENOMEM, "%s: no memory for the packets held ahead of a gap", path);
    engine->feed_handler = (struct dp_moldudp_handler){
        .context = engine,
        .on_message = on_message,
        .on_gap = on_gap,
        .on_session = on_session,
        .on_end = on_end,
    };
    return dp_moldudp_feed_init(engine->feed, &config, err);
}

int dp_engine_open_feed(struct dp_engine *engine, const char *path, struct dp_err *err)
{
    struct dp_capture *capture = dp_capture_open(path, err);
    if (capture == NULL)
        return -err->code;

    snprintf(engine->status->source, sizeof(engine->status->source), "%s", path);
    dp_store_relaxed(&engine->status->size, dp_capture_size(capture));
    enum dp_capture_format format = dp_capture_format(capture);
    if (format == DP_CAPTURE_PCAP || format == DP_CAPTURE_PCAPNG) {
        dp_capture_close(capture);
        return open_packets(engine, path, err);
    }
    engine->feed_capture = capture;
    return 0;
}

int dp_engine_source_status(const struct dp_engine *engine, struct dp_err *err)
{
    if (engine->feed_port != NULL)
        return dp_capture_status(dp_port_pcap_capture(engine->feed_port), err);
    if (engine->feed_capture != NULL)
        return dp_capture_status(engine->feed_capture, err);
    *err = engine->source_err;
    return engine->source_status;
}

void dp_engine_close_feed(struct dp_engine *engine, struct dp_err *err)
{
    engine->source_status = dp_engine_source_status(engine, &engine->source_err);
    if (engine->feed_port != NULL)
        dp_port_close(engine->feed_port, err);
    dp_capture_close(engine->feed_capture);
    free(engine->feed);
    engine->feed_port = NULL;
    engine->feed_capture = NULL;
    engine->feed = NULL;
}
