#include "dp_feed_live.h"

#include <errno.h>

#define BURST 64u

const char *dp_feed_state_name(enum dp_feed_state state)
{
    static const char *const names[] = {"whole", "late", "lost", "rebuilding"};
    DP_ASSERT((unsigned)state < sizeof(names) / sizeof(names[0]));
    return names[state];
}

/* ---- packets ---- */

static uint32_t take_datagrams(struct dp_feed_live *live, uint32_t line, struct dp_port *port)
{
    struct dp_packet packets[BURST];
    uint32_t count = dp_port_receive(port, packets, BURST);
    for (uint32_t index = 0; index < count; index++)
        dp_feed_lines_push_datagram(&live->lines, line, &packets[index]);
    return count;
}

static uint32_t take_replies(struct dp_feed_live *live, struct dp_port *port)
{
    struct dp_packet packets[BURST];
    uint32_t count = dp_port_receive(port, packets, BURST);
    for (uint32_t index = 0; index < count; index++) {
        const struct dp_packet *packet = &packets[index];
        if (dp_moldudp_requester_asked(
                &live->requester, live->lines.feed, packet->data, packet->size))
            dp_feed_lines_push_datagram(&live->lines, DP_FEED_REPLIES, packet);
        else
            dp_counter_add(live->lines.counters, DP_COUNTER_MOLD_UNASKED, 1);
    }
    return count;
}

static uint32_t take_frames(struct dp_feed_live *live, struct dp_port *port)
{
    struct dp_packet packets[BURST];
    uint32_t count = dp_port_receive(port, packets, BURST);
    for (uint32_t index = 0; index < count; index++)
        dp_feed_lines_push_frame(
            &live->lines, live->targets, live->config.line_count, &packets[index]);
    return count;
}

/* A port that brings several lines is asked once. */
static bool was_taken(const struct dp_feed_live_config *config, uint32_t line)
{
    for (uint32_t before = 0; before < line; before++)
        if (config->lines[before].port == config->lines[line].port)
            return true;
    return false;
}

static uint32_t take_line(struct dp_feed_live *live, uint32_t line)
{
    struct dp_port *port = live->config.lines[line].port;
    if (!dp_port_moves_frames(port))
        return take_datagrams(live, line, port);
    return was_taken(&live->config, line) ? 0 : take_frames(live, port);
}

static void ask_again(struct dp_feed_live *live, int64_t now_ns)
{
    uint8_t request[DP_MOLDUDP_REQUEST_SIZE];
    uint32_t server = 0;
    size_t size =
        dp_moldudp_requester_poll(&live->requester, live->lines.feed, now_ns, request, &server);
    if (size == 0)
        return;
    const struct dp_packet packet = {.data = request, .size = (uint32_t)size};
    dp_port_send(live->config.servers[server], &packet, 1);
}

/* ---- snapshots ---- */

static bool has_snapshots(const struct dp_feed_live *live)
{
    return live->config.snapshot.address_count > 0;
}

static void on_begin(void *context)
{
    const struct dp_feed_handler *handler = &((struct dp_feed_live *)context)->lines.handler;
    handler->on_rebuild(handler->context);
}

static void on_snapshot(void *context, const uint8_t *data, size_t size)
{
    const struct dp_feed_handler *handler = &((struct dp_feed_live *)context)->lines.handler;
    handler->on_snapshot(handler->context, data, size);
}

static bool on_end(void *context, uint64_t sequence)
{
    struct dp_feed_live *live = context;
    struct dp_feed_lines *lines = &live->lines;
    if (!dp_moldudp_feed_jump(lines->feed, sequence, &lines->feed_handler))
        return false;
    live->state = DP_FEED_WHOLE;
    lines->is_lost = false;
    dp_counter_add(lines->counters, DP_COUNTER_SNAPSHOTS, 1);
    lines->handler.on_whole(lines->handler.context);
    return true;
}

/* What a snapshot alone can mend has been given up, and waits; unless another session began. */
static void follow_pause(struct dp_feed_live *live, int64_t now_ns)
{
    struct dp_feed_lines *lines = &live->lines;
    struct dp_moldudp_hole hole;
    if (dp_moldudp_feed_hole(lines->feed, &hole) &&
        hole.last - hole.first >= live->config.window_max)
        dp_moldudp_feed_give_up(lines->feed, &lines->feed_handler);
    if (dp_moldudp_feed_is_paused(lines->feed))
        dp_feed_snapshot_ask(&live->snapshot, dp_moldudp_feed_session(lines->feed));
    else
        dp_feed_snapshot_drop(&live->snapshot);
    dp_feed_snapshot_poll(&live->snapshot, now_ns);
}

/* ---- how it is ---- */

static enum dp_feed_state state_of(const struct dp_feed_live *live, int64_t now_ns)
{
    struct dp_moldudp_hole hole;
    if (dp_moldudp_feed_is_paused(live->lines.feed))
        return DP_FEED_REBUILDING;
    if (live->lines.is_lost)
        return DP_FEED_LOST;
    bool is_late = dp_moldudp_feed_hole(live->lines.feed, &hole) &&
        now_ns - hole.since_ns >= live->config.request.wait_ns;
    return is_late ? DP_FEED_LATE : DP_FEED_WHOLE;
}

/* The handler hears of what is given up when it is: here of what is late, and is not any more. */
static void follow_hole(struct dp_feed_live *live, int64_t now_ns)
{
    const struct dp_feed_handler *handler = &live->lines.handler;
    enum dp_feed_state before = live->state;
    live->state = state_of(live, now_ns);
    if (live->state == before)
        return;
    if (live->state == DP_FEED_LATE)
        handler->on_late(handler->context);
    else if (live->state == DP_FEED_WHOLE)
        handler->on_whole(handler->context);
}

/* ---- life ---- */

uint32_t dp_feed_live_poll(struct dp_feed_live *live, int64_t now_ns)
{
    uint32_t count = 0;
    live->lines.turn_ns = now_ns;
    for (uint32_t line = 0; line < live->config.line_count; line++)
        count += take_line(live, line);
    return count + dp_feed_live_follow(live, now_ns);
}

uint32_t dp_feed_live_follow(struct dp_feed_live *live, int64_t now_ns)
{
    const struct dp_feed_live_config *config = &live->config;
    uint32_t count = 0;
    for (uint32_t server = 0; server < config->server_count; server++)
        count += take_replies(live, config->servers[server]);
    dp_feed_lines_poll(&live->lines, now_ns);
    if (has_snapshots(live))
        follow_pause(live, now_ns);
    follow_hole(live, now_ns);
    if (config->server_count > 0)
        ask_again(live, now_ns);
    return count;
}

static int open_snapshot(struct dp_feed_live *live, struct dp_err *err)
{
    const struct dp_feed_snapshot_handler words = {live, on_begin, on_snapshot, on_end};
    if (live->config.window_max == 0)
        return dp_err_set(err, EINVAL, "feed: window_max is 0; give at least 1");
    return dp_feed_snapshot_open(&live->snapshot, &live->config.snapshot, &words, err);
}

int dp_feed_live_open(struct dp_feed_live *live, const struct dp_feed_live_config *config,
    struct dp_counters *counters, const struct dp_feed_handler *handler, struct dp_err *err)
{
    struct dp_moldudp_request_config request = config->request;
    if (config->line_count == 0 || config->line_count > DP_FEED_REPLIES)
        return dp_err_set(
            err, EINVAL, "feed: %u lines; give 1 to %u", config->line_count, DP_FEED_REPLIES);
    if (config->server_count > DP_FEED_SERVERS_MAX)
        return dp_err_set(err, EINVAL, "feed: %u re-request servers; give at most %u",
            config->server_count, DP_FEED_SERVERS_MAX);
    live->config = *config;
    live->state = DP_FEED_WHOLE;
    for (uint32_t line = 0; line < config->line_count; line++)
        live->targets[line] = config->lines[line].target;
    request.server_count = (uint16_t)config->server_count;
    if (config->server_count > 0 && dp_moldudp_requester_init(&live->requester, &request, err) < 0)
        return -err->code;
    if (has_snapshots(live) && open_snapshot(live, err) < 0)
        return -err->code;
    const struct dp_feed_lines_config lines = {
        .gap_timeout_ns = config->gap_timeout_ns,
        .is_live = true,
        .pause_at_gap = has_snapshots(live),
    };
    return dp_feed_lines_open(&live->lines, &lines, counters, handler, err);
}

void dp_feed_live_close(struct dp_feed_live *live)
{
    dp_feed_snapshot_drop(&live->snapshot);
    dp_feed_lines_close(&live->lines);
}
