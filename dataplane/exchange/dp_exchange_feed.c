#include "dp_exchange_feed.h"

#define REQUEST_SIZE 20u
#define REQUEST_COUNT_AT 18u

bool dp_exchange_feed_open(
    struct dp_exchange_feed *feed, const struct dp_exchange_feed_config *config)
{
    *feed = (struct dp_exchange_feed){.config = *config, .packed = 1};
    feed->store = dp_exchange_store_open(config->store_bytes_max);
    for (uint32_t line = 0; line < DP_EXCHANGE_LINES; line++)
        feed->lines[line] = dp_exchange_line_open();
    if (feed->store == NULL || feed->lines[0] == NULL || feed->lines[1] == NULL)
        return false;
    dp_exchange_store_seek(feed->store, 1, &feed->cursor);
    return true;
}

void dp_exchange_feed_close(struct dp_exchange_feed *feed)
{
    dp_exchange_store_close(feed->store);
    for (uint32_t line = 0; line < DP_EXCHANGE_LINES; line++)
        dp_exchange_line_close(feed->lines[line]);
}

void dp_exchange_feed_add(struct dp_exchange_feed *feed, const struct dp_itch_message *message)
{
    if (feed->ended)
        return;
    uint32_t size = dp_itch_encode(message, dp_exchange_store_room(feed->store));
    DP_ASSERT(size > 0);
    dp_exchange_store_commit(feed->store, size);
}

void dp_exchange_feed_add_noii(struct dp_exchange_feed *feed, const struct dp_itch_noii *noii)
{
    if (feed->ended)
        return;
    uint32_t size = dp_itch_encode_noii(noii, dp_exchange_store_room(feed->store));
    dp_exchange_store_commit(feed->store, size);
}

/* Whole messages from data on that fit into `room`; returns their bytes. */
static uint32_t take_blocks(const uint8_t *data, int64_t size, uint32_t room, uint16_t *count)
{
    uint32_t taken = 0;
    *count = 0;
    while (taken < size) {
        uint32_t block = 2u + dp_load_be16(data + taken);
        if (taken + block > room || *count == DP_MOLDUDP_END_OF_SESSION - 1)
            break;
        taken += block;
        ++*count;
    }
    return taken;
}

static void say(struct dp_exchange_feed *feed, uint32_t size, int64_t now_ns,
    dp_exchange_feed_seen seen, void *context)
{
    for (uint32_t line = 0; line < DP_EXCHANGE_LINES; line++) {
        bool lost = !dp_exchange_line_push(feed->lines[line], feed->packet, size, now_ns);
        seen(context, line, lost, feed->packet, size, feed->packed, now_ns);
    }
    feed->said_ns = now_ns;
}

static bool pack(
    struct dp_exchange_feed *feed, int64_t now_ns, dp_exchange_feed_seen seen, void *context)
{
    const uint8_t *data = NULL;
    int64_t size = dp_exchange_store_span(feed->store, &feed->cursor, &data);
    if (size < 0) { /* more than the store holds came at once: the rest is lost to both lines */
        feed->packed = dp_exchange_store_first(feed->store);
        dp_exchange_store_seek(feed->store, feed->packed, &feed->cursor);
        return true;
    }
    if (size == 0)
        return false;
    uint16_t count;
    uint32_t room = feed->config.packet_size_max - DP_MOLDUDP_HEADER_SIZE;
    uint32_t taken = take_blocks(data, size, room, &count);
    DP_ASSERT(taken > 0);
    dp_moldudp_build(feed->packet, feed->config.session, feed->packed, count);
    memcpy(feed->packet + DP_MOLDUDP_HEADER_SIZE, data, taken);
    say(feed, DP_MOLDUDP_HEADER_SIZE + taken, now_ns, seen, context);
    feed->cursor.offset += taken;
    feed->packed += count;
    return true;
}

static void say_mark(struct dp_exchange_feed *feed, uint16_t count, int64_t now_ns,
    dp_exchange_feed_seen seen, void *context)
{
    dp_moldudp_build(feed->packet, feed->config.session, feed->packed, count);
    say(feed, DP_MOLDUDP_HEADER_SIZE, now_ns, seen, context);
}

void dp_exchange_feed_flush(
    struct dp_exchange_feed *feed, int64_t now_ns, dp_exchange_feed_seen seen, void *context)
{
    while (pack(feed, now_ns, seen, context))
        continue;
    bool first_end = feed->ends_left == DP_EXCHANGE_ENDS;
    if (!first_end && now_ns < feed->said_ns + feed->config.heartbeat_ns)
        return;
    if (feed->ends_left > 0) {
        say_mark(feed, DP_MOLDUDP_END_OF_SESSION, now_ns, seen, context);
        feed->ends_left--;
    } else if (!feed->ended) {
        say_mark(feed, 0, now_ns, seen, context);
    }
}

void dp_exchange_feed_end(struct dp_exchange_feed *feed)
{
    if (feed->ended)
        return;
    feed->ended = true;
    feed->ends_left = DP_EXCHANGE_ENDS;
}

int64_t dp_exchange_feed_next_ns(const struct dp_exchange_feed *feed)
{
    int64_t next_ns = INT64_MAX;
    if (!feed->ended || feed->ends_left > 0)
        next_ns = feed->said_ns + feed->config.heartbeat_ns;
    for (uint32_t line = 0; line < DP_EXCHANGE_LINES; line++) {
        int64_t line_ns = dp_exchange_line_next_ns(feed->lines[line]);
        next_ns = line_ns < next_ns ? line_ns : next_ns;
    }
    return next_ns;
}

uint32_t dp_exchange_feed_reply(
    const struct dp_exchange_feed *feed, const uint8_t *request, size_t size, uint8_t *reply)
{
    if (size != REQUEST_SIZE || memcmp(request, feed->config.session, 10) != 0)
        return 0;
    uint64_t sequence = dp_load_be64(request + 10);
    uint16_t wanted = dp_load_be16(request + REQUEST_COUNT_AT);
    /* What was not sent yet cannot be sent again. */
    if (sequence < dp_exchange_store_first(feed->store) || sequence >= feed->packed ||
        wanted == 0 || wanted == DP_MOLDUDP_END_OF_SESSION)
        return 0;
    struct dp_exchange_cursor cursor;
    dp_exchange_store_seek(feed->store, sequence, &cursor);
    uint64_t kept = feed->packed - sequence;
    uint32_t used = DP_MOLDUDP_HEADER_SIZE;
    uint16_t count = 0;
    while (count < wanted && count < kept) {
        const uint8_t *data;
        int64_t span = dp_exchange_store_span(feed->store, &cursor, &data);
        DP_ASSERT(span > 0);
        uint32_t block = 2u + dp_load_be16(data);
        if (used + block > feed->config.packet_size_max)
            break;
        memcpy(reply + used, data, block);
        used += block;
        cursor.offset += block;
        count++;
    }
    dp_moldudp_build(reply, feed->config.session, sequence, count);
    return used;
}
