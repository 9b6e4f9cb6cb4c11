#include "dp_feed_lines.h"

#include <errno.h>

#include "dp_net.h"

#define HOLD_COUNT 4096
#define PACKET_SIZE_MAX 9216 /* jumbo frames */
#define MARK_NS 1000000000ll /* no network keeps a packet on its way for so long */

static void count(struct dp_feed_lines *lines, enum dp_counter id, uint64_t by)
{
    dp_counter_add(lines->counters, id, by);
}

/* ---- what comes out of MoldUDP64 ---- */

static void on_message(
    void *context, uint64_t sequence, const uint8_t *data, size_t size, int64_t time_ns)
{
    struct dp_feed_lines *lines = context;
    (void)sequence;
    (void)time_ns;
    lines->message_count++;
    if (size > 0 && !lines->stop_asked) /* an empty message only uses up its number */
        lines->handler.on_message(lines->handler.context, data, size);
}

static void on_gap(void *context, uint64_t first, uint64_t last, int64_t time_ns)
{
    struct dp_feed_lines *lines = context;
    (void)time_ns;
    if (lines->stop_asked)
        return;
    count(lines, DP_COUNTER_MOLD_GAPS, 1);
    count(lines, DP_COUNTER_MOLD_LOST, last - first + 1);
    lines->is_lost = true;
    lines->handler.on_gap(lines->handler.context);
}

static void forget_numbers(struct dp_feed_line_stats *stats)
{
    stats->sequence_next = 0;
    stats->mark_next = 0;
    stats->past_next = 0;
}

static void on_session(void *context, const uint8_t *session)
{
    struct dp_feed_lines *lines = context;
    (void)session;
    lines->is_lost = false;
    for (uint32_t line = 0; line < DP_FEED_LINES_MAX; line++)
        forget_numbers(&lines->stats[line]);
    if (!lines->stop_asked)
        lines->handler.on_session(lines->handler.context);
}

static void on_end(void *context)
{
    (void)context;
}

static void count_verdict(struct dp_feed_lines *lines, enum dp_moldudp_verdict verdict)
{
    if (verdict == DP_MOLDUDP_DUPLICATE || verdict == DP_MOLDUDP_OLD_SESSION)
        count(lines, DP_COUNTER_MOLD_DUPLICATE, 1);
    else if (verdict == DP_MOLDUDP_HELD)
        count(lines, DP_COUNTER_MOLD_REORDERED, 1);
    else if (verdict == DP_MOLDUDP_MALFORMED)
        count(lines, DP_COUNTER_MOLD_MALFORMED, 1);
    else if (verdict == DP_MOLDUDP_STRANGE)
        count(lines, DP_COUNTER_MOLD_STRANGE, 1);
}

/* ---- the lines beside each other ---- */

static void add_behind(struct dp_feed_line_stats *stats, int64_t behind_ns)
{
    stats->behind_count++;
    stats->behind_ns_sum += behind_ns;
    if (behind_ns > stats->behind_ns_max)
        stats->behind_ns_max = behind_ns;
}

/* A second copy. Lines are read in turn, so the copy that was read first may have arrived last: it
 * is the line of the later stamp that is behind. */
static void note_behind(
    struct dp_feed_lines *lines, uint32_t line, uint64_t sequence, int64_t time_ns)
{
    struct dp_feed_arrival *arrival = &lines->arrivals[sequence % DP_FEED_SKEW_SLOTS];
    if (arrival->sequence != sequence)
        return;
    int64_t behind_ns = time_ns - arrival->time_ns;
    if (behind_ns >= 0)
        add_behind(&lines->stats[line], behind_ns);
    else
        add_behind(&lines->stats[arrival->line], -behind_ns);
}

/* The number behind a packet's last message. */
static uint64_t next_of(const struct dp_packet *packet)
{
    uint32_t used = dp_load_be16(packet->data + 18) % DP_MOLDUDP_END_OF_SESSION;
    return dp_load_be64(packet->data + 10) + used;
}

/* What was known a mark ago is surely known by the next one. */
static void move_mark(struct dp_feed_line_stats *stats, int64_t time_ns)
{
    if (time_ns - stats->mark_ns < MARK_NS)
        return;
    stats->past_next = stats->mark_next;
    stats->mark_next = stats->sequence_next;
    stats->mark_ns = time_ns;
}

/* Whether a packet of the feed's own session is one of a new beginning. */
static bool has_gone_back(
    const struct dp_feed_lines *lines, uint32_t line, const struct dp_packet *packet)
{
    const uint8_t *session = dp_moldudp_feed_session(lines->feed);
    if (!lines->is_live || session == NULL || packet->size < DP_MOLDUDP_HEADER_SIZE)
        return false;
    return next_of(packet) < lines->stats[line].past_next &&
        memcmp(packet->data, session, DP_MOLDUDP_SESSION_SIZE) == 0;
}

static void note_line(struct dp_feed_lines *lines, uint32_t line, const struct dp_packet *packet,
    enum dp_moldudp_verdict verdict)
{
    struct dp_feed_line_stats *stats = &lines->stats[line];
    uint64_t sequence = dp_load_be64(packet->data + 10);
    uint64_t next = next_of(packet);
    stats->packets++;
    stats->heard_ns = packet->time_ns;
    if (stats->sequence_next != 0 && sequence > stats->sequence_next)
        stats->lost += sequence - stats->sequence_next;
    if (next > stats->sequence_next)
        stats->sequence_next = next;
    if (line < DP_FEED_REPLIES) /* answers go back by their nature */
        move_mark(stats, packet->time_ns);
    if (verdict == DP_MOLDUDP_DELIVERED || verdict == DP_MOLDUDP_HELD) {
        stats->first++;
        lines->arrivals[sequence % DP_FEED_SKEW_SLOTS] =
            (struct dp_feed_arrival){sequence, packet->time_ns, line};
    } else if (verdict == DP_MOLDUDP_DUPLICATE) {
        note_behind(lines, line, sequence, packet->time_ns);
    }
}

/* ---- what goes in ---- */

void dp_feed_lines_push(struct dp_feed_lines *lines, uint32_t line, const struct dp_packet *packet)
{
    int64_t time_ns = lines->turn_ns != 0 ? lines->turn_ns : packet->time_ns;
    dp_feed_lines_poll(lines, time_ns);
    if (has_gone_back(lines, line, packet)) {
        count(lines, DP_COUNTER_MOLD_RESTARTS, 1);
        dp_moldudp_feed_restart(lines->feed, &lines->feed_handler);
    }
    enum dp_moldudp_verdict verdict = dp_moldudp_feed_push(
        lines->feed, packet->data, packet->size, time_ns, &lines->feed_handler);
    count_verdict(lines, verdict);
    if (verdict != DP_MOLDUDP_MALFORMED && verdict != DP_MOLDUDP_OLD_SESSION &&
        verdict != DP_MOLDUDP_STRANGE)
        note_line(lines, line, packet, verdict);
}

void dp_feed_lines_push_datagram(
    struct dp_feed_lines *lines, uint32_t line, const struct dp_packet *packet)
{
    DP_ASSERT(line < DP_FEED_LINES_MAX);
    count(lines, DP_COUNTER_RX_PACKETS, 1);
    count(lines, DP_COUNTER_RX_BYTES, packet->size);
    dp_feed_lines_push(lines, line, packet);
}

static bool is_for(
    const struct dp_feed_target *target, const struct dp_net_packet *net, uint64_t mac)
{
    return (target->ip == 0 || target->ip == net->target_ip) &&
        (target->port == 0 || target->port == net->target_port) &&
        (target->mac == 0 || target->mac == mac);
}

/* target_count when it is for none of them. */
static uint32_t line_of(const struct dp_feed_target *targets, uint32_t target_count,
    const struct dp_net_packet *net, const uint8_t *frame)
{
    uint64_t mac = dp_load_be64(frame) >> 16;
    uint32_t line = 0;
    while (line < target_count && !is_for(&targets[line], net, mac))
        line++;
    return line;
}

/* What a frame counts as that gives no datagram, or one for nobody here. */
static enum dp_counter drop_of(enum dp_net_result result, const struct dp_net_packet *net)
{
    switch (result) {
    case DP_NET_OK:
        return net->protocol == DP_NET_UDP ? DP_COUNTER_NET_FOREIGN : DP_COUNTER_NET_OTHER;
    case DP_NET_OTHER: return DP_COUNTER_NET_OTHER;
    case DP_NET_FRAGMENT: return DP_COUNTER_NET_FRAGMENTS;
    case DP_NET_CHECKSUM: return DP_COUNTER_NET_CHECKSUM_BAD;
    default: return DP_COUNTER_NET_DROPPED;
    }
}

uint32_t dp_feed_lines_read_frame(struct dp_counters *counters,
    const struct dp_feed_target *targets, uint32_t target_count, const struct dp_packet *packet,
    struct dp_packet *datagram)
{
    struct dp_net_packet net;
    enum dp_net_result result = dp_net_parse(packet->data, packet->size, true, &net);
    bool is_datagram = result == DP_NET_OK && net.protocol == DP_NET_UDP;
    uint32_t line = is_datagram ? line_of(targets, target_count, &net, packet->data) : target_count;
    dp_counter_add(counters, DP_COUNTER_RX_PACKETS, 1);
    dp_counter_add(counters, DP_COUNTER_RX_BYTES, packet->size);
    if (line == target_count) {
        dp_counter_add(counters, drop_of(result, &net), 1);
    } else {
        *datagram = *packet;
        datagram->data = net.payload;
        datagram->size = net.payload_size;
    }
    return line;
}

void dp_feed_lines_push_frame(struct dp_feed_lines *lines, const struct dp_feed_target *targets,
    uint32_t target_count, const struct dp_packet *packet)
{
    DP_ASSERT(target_count <= DP_FEED_LINES_MAX);
    struct dp_packet datagram;
    uint32_t line =
        dp_feed_lines_read_frame(lines->counters, targets, target_count, packet, &datagram);
    if (line < target_count)
        dp_feed_lines_push(lines, line, &datagram);
}

void dp_feed_lines_poll(struct dp_feed_lines *lines, int64_t now_ns)
{
    dp_moldudp_feed_poll(lines->feed, now_ns, &lines->feed_handler);
}

/* ---- life ---- */

int dp_feed_lines_open(struct dp_feed_lines *lines, const struct dp_feed_lines_config *wanted,
    struct dp_counters *counters, const struct dp_feed_handler *handler, struct dp_err *err)
{
    const struct dp_moldudp_config config = {
        .hold_count_max = HOLD_COUNT,
        .packet_size_max = PACKET_SIZE_MAX,
        .gap_timeout_ns = wanted->gap_timeout_ns,
        .sequence_first = 1,
        .pause_at_gap = wanted->pause_at_gap,
        .confirm_session = wanted->is_live,
    };
    size_t size = dp_round_up(dp_moldudp_feed_size(&config), DP_CACHE_LINE);
    *lines = (struct dp_feed_lines){
        .counters = counters, .handler = *handler, .is_live = wanted->is_live};
    lines->feed_handler =
        (struct dp_moldudp_handler){lines, on_message, on_gap, on_session, on_end};
    lines->feed = aligned_alloc(DP_CACHE_LINE, size);
    if (lines->feed == NULL)
        return dp_err_set(
            err, ENOMEM, "feed: no memory for packets held ahead of a gap: %zu bytes", size);
    return dp_moldudp_feed_init(lines->feed, &config, err);
}

void dp_feed_lines_close(struct dp_feed_lines *lines)
{
    free(lines->feed);
    lines->feed = NULL;
}
