#include <errno.h>

#include "dp_engine_internal.h"
#include "dp_itch_apply.h"

#define REF_BITS 56 /* of an order reference, where several channels are marked above them */

/* ---- whose instruments ---- */

uint32_t dp_engine_channel_of(const struct dp_engine *engine, uint32_t instrument_index)
{
    uint32_t index = 0;
    while (DP_UNLIKELY(
        instrument_index - engine->channels[index].first >= engine->channels[index].count))
        index++;
    return index;
}

int dp_engine_set_channels(
    struct dp_engine *engine, const uint32_t *counts, uint32_t channel_count, struct dp_err *err)
{
    uint32_t total = engine->config.books.instrument_count_max;
    uint32_t first = 0;
    for (uint32_t index = 0; index < channel_count; index++) {
        bool is_last = index + 1 == channel_count;
        uint32_t count = is_last && counts[index] == 0 ? total - first : counts[index];
        if (count == 0 || count > total - first)
            return dp_err_set(err, EINVAL,
                "engine: channel %u: %u instruments; the %u before it leave %u", index, count,
                index, total - first);
        engine->channels[index] = (struct dp_engine_channel){.engine = engine,
            .first = first,
            .count = is_last ? total - first : count,
            .ref_mark = (uint64_t)index << REF_BITS};
        first += count;
    }
    engine->channel_count = channel_count;
    return 0;
}

/* From a channel's own numbers to those of the books. False: it has no such instrument. */
bool dp_engine_place(const struct dp_engine_channel *channel, struct dp_itch_message *message)
{
    bool is_marked = ((message->order_ref | message->new_order_ref) >> REF_BITS) != 0;
    if (message->stock_locate >= channel->count ||
        (channel->engine->channel_count > 1 && is_marked)) {
        dp_counter_add(channel->engine->counters, DP_COUNTER_BOOK_INVALID, 1);
        return false;
    }
    message->stock_locate = (uint16_t)(message->stock_locate + channel->first);
    message->order_ref |= channel->ref_mark;
    message->new_order_ref |= channel->ref_mark;
    return true;
}

/* A card forgets all of its triggers at once: those of other channels are armed again. */
static void disarm_card(const struct dp_engine_channel *channel)
{
    struct dp_engine *engine = channel->engine;
    dp_engine_disarm_card(engine);
    for (uint32_t index = 0; index < dp_books_instrument_count(engine->books); index++)
        if (index - channel->first >= channel->count && engine->watched_any[index])
            dp_engine_arm_card(engine, index);
}

void dp_engine_forget_instruments(const struct dp_engine_channel *channel)
{
    struct dp_engine *engine = channel->engine;
    disarm_card(channel);
    memset(engine->template_ready + channel->first, 0, channel->count);
    memset(engine->watched_any + channel->first, 0, channel->count);
    memset(engine->journal_named + channel->first, 0, channel->count);
    for (uint32_t index = 0; index < engine->seat_count; index++) {
        struct dp_engine_seat *seat = &engine->seats[index];
        memset(seat->gateway.watched + channel->first, 0, channel->count);
        seat->opened[channel - engine->channels] = 0;
    }
}

/* Behind the last of its instruments that the books know. */
uint32_t dp_engine_channel_end(const struct dp_engine_channel *channel)
{
    uint32_t known = dp_books_instrument_count(channel->engine->books);
    uint32_t end = channel->first + channel->count;
    return known < end ? known : end;
}

/* ---- what the feed tells ---- */

static void on_message(void *context, const uint8_t *data, size_t size)
{
    dp_engine_read_itch(context, data, size);
}

static void mark_stale(struct dp_engine_channel *channel, enum dp_engine_telling telling)
{
    struct dp_books *books = channel->engine->books;
    uint32_t end = dp_engine_channel_end(channel);
    channel->telling = telling;
    for (uint32_t index = channel->first; index < end; index++)
        if (dp_book_is_open(books, index))
            dp_book_set_flags(books, index, DP_BOOK_STALE);
    dp_engine_tell_books(channel);
}

/* From here on nothing that was in the books of the channel can be trusted, and every strategy that
 * watches one hears it. */
static void on_gap(void *context)
{
    mark_stale(context, DP_ENGINE_TELLS);
}

static void on_late(void *context)
{
    mark_stale(context, DP_ENGINE_TELLS_TRADES);
}

static void clear_books(const struct dp_engine_channel *channel)
{
    struct dp_engine *engine = channel->engine;
    if (engine->channel_count == 1)
        dp_books_clear(engine->books);
    else
        dp_books_clear_some(engine->books, channel->first, channel->count);
}

/* Who watches a book hears that it is over before it is gone. */
static void on_session(void *context)
{
    struct dp_engine_channel *channel = context;
    struct dp_engine *engine = channel->engine;
    mark_stale(channel, DP_ENGINE_TELLS);
    dp_engine_carry_switches(engine, channel->first, dp_engine_channel_end(channel));
    clear_books(channel);
    if (engine->live != NULL)
        engine->config.midnight_ns = dp_engine_live_midnight(engine);
    channel->session = 0;
    dp_engine_forget_instruments(channel);
}

/* Instruments stay known to strategies: it is the same session. */
static void on_rebuild(void *context)
{
    struct dp_engine_channel *channel = context;
    channel->telling = DP_ENGINE_TELLS_NOTHING;
    clear_books(channel);
}

static void on_snapshot(void *context, const uint8_t *data, size_t size)
{
    struct dp_engine_channel *channel = context;
    struct dp_engine *engine = channel->engine;
    struct dp_itch_message message;
    if (!dp_engine_decode_itch(engine, data, size, &message) || !dp_engine_place(channel, &message))
        return;
    if (message.type == 'S') {
        channel->session = message.code; /* how the day stands: nothing begins */
        return;
    }
    dp_itch_apply(engine->books, engine->counters, &message, engine->config.midnight_ns);
    dp_book_set_flags(engine->books, message.stock_locate, DP_BOOK_STALE);
}

/* Those that were named while nothing was told. */
static void open_new_instruments(const struct dp_engine_channel *channel)
{
    struct dp_engine *engine = channel->engine;
    uint32_t end = dp_engine_channel_end(channel);
    for (uint32_t index = channel->first; index < end; index++) {
        char symbol[9];
        if (engine->template_ready[index] || !dp_book_is_open(engine->books, index))
            continue;
        dp_book_symbol(engine->books, index, symbol);
        memset(symbol + strlen(symbol), ' ', 8 - strlen(symbol));
        dp_engine_open_instrument(engine, index, (const uint8_t *)symbol);
    }
}

static void on_whole(void *context)
{
    struct dp_engine_channel *channel = context;
    uint32_t end = dp_engine_channel_end(channel);
    channel->telling = DP_ENGINE_TELLS;
    for (uint32_t index = channel->first; index < end; index++)
        dp_book_drop_flags(channel->engine->books, index, DP_BOOK_STALE);
    open_new_instruments(channel);
    dp_engine_tell_books(channel);
}

/* All five types that name a resting order have its reference at the same place; in others it is
 * noise, and harmless. */
static void on_ahead(void *context, const uint8_t *data, size_t size, bool is_near)
{
    const struct dp_engine_channel *channel = context;
    const struct dp_engine *engine = channel->engine;
    if (size < DP_ITCH_HEADER_SIZE + sizeof(uint64_t))
        return;
    uint64_t order_ref = dp_load_be64(data + DP_ITCH_HEADER_SIZE);
    if (is_near)
        dp_book_prefetch_order(engine->books, order_ref);
    else
        dp_book_prefetch_ref(engine->books, order_ref);
}

void dp_engine_feed_handler(struct dp_engine_channel *channel, struct dp_feed_handler *handler)
{
    *handler = (struct dp_feed_handler){
        .context = channel,
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
