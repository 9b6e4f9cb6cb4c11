#include "dp_moldudp.h"

#include <errno.h>

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
    bool paused;            /* a hole was given up: all is held until a jump */
    uint64_t held_next_max; /* no held packet reaches further */
    uint32_t stranger_size; /* the first packet of what may be another session; 0: none */
    uint8_t session[DP_MOLDUDP_SESSION_SIZE];
    uint8_t old_sessions[OLD_SESSIONS_MAX][DP_MOLDUDP_SESSION_SIZE];
    uint32_t old_count; /* ever; the latest OLD_SESSIONS_MAX are kept */
    uint32_t held_count;
    /* The first held_count entries wait, by sequence; the rest own the free buffers. The buffers,
     * packet_size_max bytes each and one for the stranger, stand behind the last entry. */
    struct held held[];
};

/* ---- the hold ---- */

static uint8_t *buf_at(struct dp_moldudp_feed *feed, uint32_t buf_index)
{
    uint8_t *bufs = (uint8_t *)&feed->held[feed->config.hold_count_max];
    return bufs + (size_t)buf_index * feed->config.packet_size_max;
}

/* True when one held packet has all that this one brings. From the back: what comes is new or a
 * copy of what came last. */
static bool is_held(const struct dp_moldudp_feed *feed, const struct dp_moldudp_packet *packet)
{
    uint64_t next = packet->sequence + dp_moldudp_numbers_used(packet);
    if (next > feed->held_next_max)
        return false;
    for (uint32_t index = feed->held_count; index > 0; index--) {
        const struct held *held = &feed->held[index - 1];
        if (held->sequence <= packet->sequence && next <= held->next &&
            held->is_end >= dp_moldudp_is_end(packet))
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
    entry.next = packet->sequence + dp_moldudp_numbers_used(packet);
    entry.is_end = dp_moldudp_is_end(packet);
    entry.time_ns = feed->now_ns;
    entry.size = (uint32_t)(DP_MOLDUDP_HEADER_SIZE + packet->blocks_size);
    memcpy(
        buf_at(feed, entry.buf_index), packet->session, entry.size); /* the session stands first */
    feed->held[index] = entry;
    if (feed->held_count == 1 || entry.next > feed->held_next_max)
        feed->held_next_max = entry.next;
}

/* The packet's bytes stay as they are until the next hold(). */
static struct dp_moldudp_packet unhold_first(struct dp_moldudp_feed *feed)
{
    struct held first = feed->held[0];
    feed->held_count--;
    memmove(&feed->held[0], &feed->held[1], feed->held_count * sizeof(first));
    feed->held[feed->held_count] = first;

    struct dp_moldudp_packet packet;
    bool sound = dp_moldudp_parse(buf_at(feed, first.buf_index), first.size, &packet);
    DP_ASSERT(sound); /* it was when it came */
    return packet;
}

/* ---- the sequence ---- */

/* Sends out what is new in a packet that starts at or before the expected number. */
static bool deliver(struct dp_moldudp_feed *feed, const struct dp_moldudp_packet *packet,
    const struct dp_moldudp_handler *handler)
{
    uint64_t next = packet->sequence + dp_moldudp_numbers_used(packet);
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

    if (dp_moldudp_is_end(packet) && packet->sequence == feed->expected && !feed->ended) {
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
    feed->paused = feed->config.pause_at_gap;
    if (!feed->paused)
        feed->expected = sequence;
    handler->on_gap(handler->context, first, sequence - 1, feed->now_ns);
    if (!feed->paused)
        release(feed, handler);
}

void dp_moldudp_feed_give_up(struct dp_moldudp_feed *feed, const struct dp_moldudp_handler *handler)
{
    if (feed->held_count > 0 && !feed->paused)
        give_up_before(feed, feed->held[0].sequence, handler);
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
    while (feed->held_count > 0 && !feed->paused &&
        (all || feed->now_ns - hole_time_ns(feed) > feed->config.gap_timeout_ns))
        give_up_before(feed, feed->held[0].sequence, handler);
}

/* ---- sessions ---- */

static bool is_old_session(const struct dp_moldudp_feed *feed, const uint8_t *session)
{
    for (uint32_t index = 0; index < OLD_SESSIONS_MAX && index < feed->old_count; index++)
        if (memcmp(feed->old_sessions[index], session, DP_MOLDUDP_SESSION_SIZE) == 0)
            return true;
    return false;
}

static void start_session(struct dp_moldudp_feed *feed, const uint8_t *session, uint64_t expected)
{
    memcpy(feed->session, session, DP_MOLDUDP_SESSION_SIZE);
    feed->expected = expected;
    feed->started = true;
    feed->ended = false;
    feed->paused = false;
    feed->held_count = 0; /* of another session, behind a hole that it will not fill */
    feed->stranger_size = 0;
}

/* Gives up what the old session still misses; the new one starts at 1, as all do. */
static void change_session(
    struct dp_moldudp_feed *feed, const uint8_t *session, const struct dp_moldudp_handler *handler)
{
    dp_moldudp_feed_poll(feed, INT64_MAX, handler);
    memcpy(feed->old_sessions[feed->old_count++ % OLD_SESSIONS_MAX], feed->session,
        DP_MOLDUDP_SESSION_SIZE);
    start_session(feed, session, 1);
    handler->on_session(handler->context, session);
}

void dp_moldudp_feed_restart(struct dp_moldudp_feed *feed, const struct dp_moldudp_handler *handler)
{
    if (!feed->started)
        return;
    feed->started = false;
    feed->ended = false;
    feed->paused = false;
    feed->held_count = 0;
    feed->expected = feed->config.sequence_first;
    handler->on_session(handler->context, feed->session);
}

/* Keeps the first packet of what may be another session; true when this is its second. A copy of
 * the first, as another line brings of noise too, is none. */
static bool is_confirmed(struct dp_moldudp_feed *feed, const struct dp_moldudp_packet *packet)
{
    uint8_t *kept = buf_at(feed, feed->config.hold_count_max);
    if (feed->ended || !feed->config.confirm_session)
        return true;
    if (feed->stranger_size > 0 && memcmp(kept, packet->session, DP_MOLDUDP_SESSION_SIZE) == 0)
        return memcmp(kept, packet->session, DP_MOLDUDP_HEADER_SIZE) != 0;
    feed->stranger_size = (uint32_t)(DP_MOLDUDP_HEADER_SIZE + packet->blocks_size);
    memcpy(kept, packet->session, feed->stranger_size); /* the session stands first */
    return false;
}

/* ---- the feed ---- */

/* Waiting for a jump: what came first is what it may leave out. */
static enum dp_moldudp_verdict push_paused(
    struct dp_moldudp_feed *feed, const struct dp_moldudp_packet *packet)
{
    if (feed->held_count == feed->config.hold_count_max) {
        if (feed->held_count == 0 || packet->sequence < feed->held[0].sequence)
            return DP_MOLDUDP_DUPLICATE;
        unhold_first(feed);
    }
    hold(feed, packet);
    return DP_MOLDUDP_HELD;
}

static enum dp_moldudp_verdict push_ahead(struct dp_moldudp_feed *feed,
    const struct dp_moldudp_packet *packet, const struct dp_moldudp_handler *handler)
{
    if (is_held(feed, packet))
        return DP_MOLDUDP_DUPLICATE;
    while (feed->held_count == feed->config.hold_count_max && packet->sequence > feed->expected &&
        !feed->paused) {
        /* Full: the first hole is given up, up to whatever is known to stand behind it. */
        uint64_t sequence = packet->sequence;
        if (feed->held_count > 0 && feed->held[0].sequence < sequence)
            sequence = feed->held[0].sequence;
        give_up_before(feed, sequence, handler);
    }
    if (feed->paused)
        return push_paused(feed, packet);
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
    uint32_t count = dp_moldudp_numbers_used(packet);
    if (feed->ended && packet->sequence + count > feed->expected)
        return DP_MOLDUDP_OLD_SESSION; /* nothing is added to a session that is over */
    bool brings = packet->sequence + count > feed->expected;
    if (packet->sequence > feed->expected || (feed->paused && brings))
        return push_ahead(feed, packet, handler);

    if (deliver(feed, packet, handler)) {
        release(feed, handler);
        return DP_MOLDUDP_DELIVERED;
    }
    return count == 0 ? DP_MOLDUDP_IDLE : DP_MOLDUDP_DUPLICATE;
}

/* The other session's first packet, if it was kept, comes before its second. */
static void begin_session(
    struct dp_moldudp_feed *feed, const uint8_t *session, const struct dp_moldudp_handler *handler)
{
    const uint8_t *kept = buf_at(feed, feed->config.hold_count_max);
    uint32_t size = feed->stranger_size;
    struct dp_moldudp_packet first;
    bool is_its_own = size > 0 && memcmp(kept, session, DP_MOLDUDP_SESSION_SIZE) == 0;
    change_session(feed, session, handler);
    if (is_its_own && dp_moldudp_parse(kept, size, &first))
        push_packet(feed, &first, handler);
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
    if (memcmp(packet.session, feed->session, DP_MOLDUDP_SESSION_SIZE) != 0) {
        if (is_old_session(feed, packet.session))
            return DP_MOLDUDP_OLD_SESSION;
        if (!is_confirmed(feed, &packet))
            return DP_MOLDUDP_STRANGE;
        begin_session(feed, packet.session, handler);
    }
    feed->stranger_size = 0; /* our own session goes on: what came between was noise */
    return push_packet(feed, &packet, handler);
}

uint64_t dp_moldudp_feed_expected(const struct dp_moldudp_feed *feed)
{
    return feed->expected;
}

bool dp_moldudp_feed_is_paused(const struct dp_moldudp_feed *feed)
{
    return feed->paused;
}

const uint8_t *dp_moldudp_feed_session(const struct dp_moldudp_feed *feed)
{
    return feed->started ? feed->session : NULL;
}

bool dp_moldudp_feed_hole(const struct dp_moldudp_feed *feed, struct dp_moldudp_hole *hole)
{
    if (feed->held_count == 0 || feed->paused)
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
    feed->paused = false;
    release(feed, handler);
    return true;
}

size_t dp_moldudp_feed_size(const struct dp_moldudp_config *config)
{
    size_t per_packet = sizeof(struct held) + config->packet_size_max;
    return sizeof(struct dp_moldudp_feed) + config->hold_count_max * per_packet +
        config->packet_size_max;
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
