#include "dp_moldudp.h"

#include <errno.h>

#define SESSION_SIZE 10
/* Remembered, so that the slower line's last packets open no session again. */
#define OLD_SESSIONS_MAX 8

/* A packet, heartbeat or end mark ahead of a hole. */
struct held {
    uint64_t sequence;
    uint64_t next;   /* number behind its last message */
    int64_t time_ns; /* of arrival: no hole before it is younger than that */
    uint32_t size;
    uint32_t buf_index;
    bool is_end;
};

struct dp_moldudp_feed {
    struct dp_moldudp_config config;
    uint64_t expected; /* next to go out */
    int64_t now_ns;    /* largest time seen */
    bool started;      /* session and expected are known */
    bool ended;
    uint8_t session[SESSION_SIZE];
    uint8_t old_sessions[OLD_SESSIONS_MAX][SESSION_SIZE];
    uint32_t old_count; /* ever; the latest OLD_SESSIONS_MAX are kept */
    uint32_t held_count;
    /* The first held_count entries wait, by sequence; the rest own the free buffers. The buffers,
     * packet_size_max bytes each, stand behind the last entry. */
    struct held held[];
};

/* ---- one packet ---- */

static bool blocks_end_exactly(const uint8_t *blocks, size_t size, uint32_t message_count)
{
    for (; message_count > 0; message_count--) {
        if (size < 2)
            return false;
        size_t block_size = 2u + dp_load_be16(blocks);
        if (size < block_size)
            return false;
        blocks += block_size;
        size -= block_size;
    }
    return size == 0;
}

static bool is_end(const struct dp_moldudp_packet *packet)
{
    return packet->message_count == DP_MOLDUDP_END_OF_SESSION;
}

/* Heartbeats and end marks name the next number and use up none. */
static uint32_t numbers_used(const struct dp_moldudp_packet *packet)
{
    return is_end(packet) ? 0 : packet->message_count;
}

bool dp_moldudp_parse(const uint8_t *data, size_t size, struct dp_moldudp_packet *packet)
{
    if (size < DP_MOLDUDP_HEADER_SIZE)
        return false;
    *packet = (struct dp_moldudp_packet){
        .session = data,
        .sequence = dp_load_be64(data + 10),
        .message_count = dp_load_be16(data + 18),
        .blocks = data + DP_MOLDUDP_HEADER_SIZE,
        .blocks_size = size - DP_MOLDUDP_HEADER_SIZE,
    };
    if (packet->sequence > UINT64_MAX - numbers_used(packet))
        return false;
    return blocks_end_exactly(packet->blocks, packet->blocks_size, numbers_used(packet));
}

size_t dp_moldudp_build(
    uint8_t *data, const uint8_t *session, uint64_t sequence, uint16_t message_count)
{
    memcpy(data, session, SESSION_SIZE);
    dp_store_be64(data + 10, sequence);
    dp_store_be16(data + 18, message_count);
    return DP_MOLDUDP_HEADER_SIZE;
}

/* ---- the hold ---- */

static uint8_t *held_buf(struct dp_moldudp_feed *feed, const struct held *held)
{
    uint8_t *bufs = (uint8_t *)&feed->held[feed->config.hold_count_max];
    return bufs + (size_t)held->buf_index * feed->config.packet_size_max;
}

/* True when one held packet has all that this one brings. */
static bool is_held(const struct dp_moldudp_feed *feed, const struct dp_moldudp_packet *packet)
{
    uint64_t next = packet->sequence + numbers_used(packet);
    for (uint32_t index = 0; index < feed->held_count; index++) {
        const struct held *held = &feed->held[index];
        if (held->sequence > packet->sequence)
            return false;
        if (next <= held->next && held->is_end >= is_end(packet))
            return true;
    }
    return false;
}

/* Behind those of the same number: what came first goes first. */
static void hold(struct dp_moldudp_feed *feed, const struct dp_moldudp_packet *packet)
{
    struct held entry = feed->held[feed->held_count];
    uint32_t index = feed->held_count++;
    for (; index > 0 && feed->held[index - 1].sequence > packet->sequence; index--)
        feed->held[index] = feed->held[index - 1];

    entry.sequence = packet->sequence;
    entry.next = packet->sequence + numbers_used(packet);
    entry.is_end = is_end(packet);
    entry.time_ns = feed->now_ns;
    entry.size = (uint32_t)(DP_MOLDUDP_HEADER_SIZE + packet->blocks_size);
    memcpy(held_buf(feed, &entry), packet->session, entry.size); /* the session stands first */
    feed->held[index] = entry;
}

/* The packet's bytes stay as they are until the next hold(). */
static struct dp_moldudp_packet unhold_first(struct dp_moldudp_feed *feed)
{
    struct held first = feed->held[0];
    feed->held_count--;
    memmove(&feed->held[0], &feed->held[1], feed->held_count * sizeof(first));
    feed->held[feed->held_count] = first;

    struct dp_moldudp_packet packet;
    bool sound = dp_moldudp_parse(held_buf(feed, &first), first.size, &packet);
    DP_ASSERT(sound); /* it was when it came */
    return packet;
}

/* ---- the sequence ---- */

/* Sends out what is new in a packet that starts at or before the expected number. */
static bool deliver(struct dp_moldudp_feed *feed, const struct dp_moldudp_packet *packet,
    const struct dp_moldudp_handler *handler)
{
    uint64_t next = packet->sequence + numbers_used(packet);
    uint64_t sequence = packet->sequence;
    const uint8_t *block = packet->blocks;
    bool any = next > feed->expected;
    for (; sequence < next; sequence++) {
        uint16_t size = dp_load_be16(block);
        if (sequence >= feed->expected)
            handler->on_message(handler->context, sequence, block + 2, size, feed->now_ns);
        block += 2u + size;
    }
    if (any)
        feed->expected = next;

    if (is_end(packet) && packet->sequence == feed->expected && !feed->ended) {
        feed->ended = true;
        feed->held_count = 0; /* nothing is added behind an end mark */
        handler->on_end(handler->context);
    }
    return any;
}

/* Sends out the held packets that have become next. */
static void release(struct dp_moldudp_feed *feed, const struct dp_moldudp_handler *handler)
{
    while (feed->held_count > 0 && feed->held[0].sequence <= feed->expected) {
        struct dp_moldudp_packet packet = unhold_first(feed);
        deliver(feed, &packet, handler);
    }
}

static void give_up_before(
    struct dp_moldudp_feed *feed, uint64_t sequence, const struct dp_moldudp_handler *handler)
{
    uint64_t first = feed->expected;
    feed->expected = sequence;
    handler->on_gap(handler->context, first, sequence - 1, feed->now_ns);
    release(feed, handler);
}

/* The first hole was known as soon as anything behind it was: everything held is behind it. */
static int64_t hole_time_ns(const struct dp_moldudp_feed *feed)
{
    int64_t time_ns = feed->held[0].time_ns;
    for (uint32_t index = 1; index < feed->held_count; index++)
        if (feed->held[index].time_ns < time_ns)
            time_ns = feed->held[index].time_ns;
    return time_ns;
}

void dp_moldudp_feed_poll(
    struct dp_moldudp_feed *feed, int64_t now_ns, const struct dp_moldudp_handler *handler)
{
    /* No time of day: taken as one, it would stop the clock for all packets to come. */
    bool all = now_ns == INT64_MAX;
    if (!all && now_ns > feed->now_ns)
        feed->now_ns = now_ns;
    while (feed->held_count > 0 &&
        (all || feed->now_ns - hole_time_ns(feed) > feed->config.gap_timeout_ns))
        give_up_before(feed, feed->held[0].sequence, handler);
}

/* ---- sessions ---- */

static bool is_old_session(const struct dp_moldudp_feed *feed, const uint8_t *session)
{
    for (uint32_t index = 0; index < OLD_SESSIONS_MAX && index < feed->old_count; index++)
        if (memcmp(feed->old_sessions[index], session, SESSION_SIZE) == 0)
            return true;
    return false;
}

static void start_session(struct dp_moldudp_feed *feed, const uint8_t *session, uint64_t expected)
{
    memcpy(feed->session, session, SESSION_SIZE);
    feed->expected = expected;
    feed->started = true;
    feed->ended = false;
}

/* Gives up what the old session still misses; the new one starts at 1, as all do. */
static void change_session(
    struct dp_moldudp_feed *feed, const uint8_t *session, const struct dp_moldudp_handler *handler)
{
    dp_moldudp_feed_poll(feed, INT64_MAX, handler);
    memcpy(feed->old_sessions[feed->old_count++ % OLD_SESSIONS_MAX], feed->session, SESSION_SIZE);
    start_session(feed, session, 1);
    handler->on_session(handler->context, session);
}

/* ---- the feed ---- */

static enum dp_moldudp_verdict push_ahead(struct dp_moldudp_feed *feed,
    const struct dp_moldudp_packet *packet, const struct dp_moldudp_handler *handler)
{
    if (is_held(feed, packet))
        return DP_MOLDUDP_DUPLICATE;
    while (feed->held_count == feed->config.hold_count_max && packet->sequence > feed->expected) {
        /* Full: the first hole is given up, up to whatever is known to stand behind it. */
        uint64_t sequence = packet->sequence;
        if (feed->held_count > 0 && feed->held[0].sequence < sequence)
            sequence = feed->held[0].sequence;
        give_up_before(feed, sequence, handler);
    }
    if (feed->ended)
        return DP_MOLDUDP_OLD_SESSION; /* a held end mark came out */
    if (packet->sequence > feed->expected) {
        hold(feed, packet);
        return DP_MOLDUDP_HELD;
    }
    bool any = deliver(feed, packet, handler);
    release(feed, handler);
    return any ? DP_MOLDUDP_DELIVERED : DP_MOLDUDP_DUPLICATE;
}

static enum dp_moldudp_verdict push_packet(struct dp_moldudp_feed *feed,
    const struct dp_moldudp_packet *packet, const struct dp_moldudp_handler *handler)
{
    uint32_t count = numbers_used(packet);
    if (feed->ended && packet->sequence + count > feed->expected)
        return DP_MOLDUDP_OLD_SESSION; /* nothing is added to a session that is over */
    if (packet->sequence > feed->expected)
        return push_ahead(feed, packet, handler);

    if (deliver(feed, packet, handler)) {
        release(feed, handler);
        return DP_MOLDUDP_DELIVERED;
    }
    return count == 0 ? DP_MOLDUDP_IDLE : DP_MOLDUDP_DUPLICATE;
}

enum dp_moldudp_verdict dp_moldudp_feed_push(struct dp_moldudp_feed *feed, const uint8_t *data,
    size_t size, int64_t time_ns, const struct dp_moldudp_handler *handler)
{
    if (time_ns != INT64_MAX)
        dp_moldudp_feed_poll(feed, time_ns, handler);

    struct dp_moldudp_packet packet;
    if (size > feed->config.packet_size_max || !dp_moldudp_parse(data, size, &packet))
        return DP_MOLDUDP_MALFORMED;
    uint64_t sequence_first = feed->config.sequence_first;
    if (packet.sequence == 0 && sequence_first != 0)
        return DP_MOLDUDP_MALFORMED;

    if (!feed->started)
        start_session(feed, packet.session, sequence_first == 0 ? packet.sequence : sequence_first);
    if (memcmp(packet.session, feed->session, SESSION_SIZE) != 0) {
        if (is_old_session(feed, packet.session))
            return DP_MOLDUDP_OLD_SESSION;
        change_session(feed, packet.session, handler);
    }
    return push_packet(feed, &packet, handler);
}

uint64_t dp_moldudp_feed_expected(const struct dp_moldudp_feed *feed)
{
    return feed->expected;
}

bool dp_moldudp_feed_hole(const struct dp_moldudp_feed *feed, struct dp_moldudp_hole *hole)
{
    if (feed->held_count == 0)
        return false;
    *hole = (struct dp_moldudp_hole){
        .first = feed->expected,
        .last = feed->held[0].sequence - 1,
        .since_ns = hole_time_ns(feed),
        .session = feed->session,
    };
    return true;
}

bool dp_moldudp_feed_jump(
    struct dp_moldudp_feed *feed, uint64_t sequence, const struct dp_moldudp_handler *handler)
{
    if (sequence < feed->expected)
        return false;
    feed->expected = sequence;
    release(feed, handler);
    return true;
}

size_t dp_moldudp_feed_size(const struct dp_moldudp_config *config)
{
    size_t per_packet = sizeof(struct held) + config->packet_size_max;
    return sizeof(struct dp_moldudp_feed) + config->hold_count_max * per_packet;
}

int dp_moldudp_feed_init(
    struct dp_moldudp_feed *feed, const struct dp_moldudp_config *config, struct dp_err *err)
{
    if (config->hold_count_max > DP_MOLDUDP_HOLD_COUNT_MAX)
        return dp_err_set(err, EINVAL, "moldudp: hold_count_max: %u; give at most %u",
            config->hold_count_max, DP_MOLDUDP_HOLD_COUNT_MAX);
    if (config->packet_size_max < DP_MOLDUDP_HEADER_SIZE ||
        config->packet_size_max > DP_MOLDUDP_PACKET_SIZE_MAX)
        return dp_err_set(err, EINVAL, "moldudp: packet_size_max: %u; give %u to %u",
            config->packet_size_max, DP_MOLDUDP_HEADER_SIZE, DP_MOLDUDP_PACKET_SIZE_MAX);
    if (config->gap_timeout_ns < 0)
        return dp_err_set(err, EINVAL, "moldudp: gap_timeout_ns: %lld; give 0 or more",
            (long long)config->gap_timeout_ns);

    *feed = (struct dp_moldudp_feed){.config = *config, .expected = config->sequence_first};
    for (uint32_t index = 0; index < config->hold_count_max; index++)
        feed->held[index] = (struct held){.buf_index = index};
    return 0;
}
