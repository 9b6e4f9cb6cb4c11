#include "dp_feed_live.h"

#include <errno.h>

#define BURST 64u
#define REPLIES (DP_FEED_LINES_MAX - 1) /* the line that the servers' answers count as */

static uint32_t take_datagrams(struct dp_feed_live *live, uint32_t line, struct dp_port *port)
{
    struct dp_packet packets[BURST];
    uint32_t count = dp_port_receive(port, packets, BURST);
    for (uint32_t index = 0; index < count; index++)
        dp_feed_lines_push_datagram(&live->lines, line, &packets[index]);
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

uint32_t dp_feed_live_poll(struct dp_feed_live *live, int64_t now_ns)
{
    const struct dp_feed_live_config *config = &live->config;
    uint32_t count = 0;
    live->lines.turn_ns = now_ns;
    for (uint32_t line = 0; line < config->line_count; line++)
        count += take_line(live, line);
    for (uint32_t server = 0; server < config->server_count; server++)
        count += take_datagrams(live, REPLIES, config->servers[server]);
    dp_feed_lines_poll(&live->lines, now_ns);
    if (config->server_count > 0)
        ask_again(live, now_ns);
    return count;
}

int dp_feed_live_open(struct dp_feed_live *live, const struct dp_feed_live_config *config,
    struct dp_counters *counters, const struct dp_feed_handler *handler, struct dp_err *err)
{
    struct dp_moldudp_request_config request = config->request;
    if (config->line_count == 0 || config->line_count > REPLIES)
        return dp_err_set(err, EINVAL, "feed: %u lines; give 1 to %u", config->line_count, REPLIES);
    if (config->server_count > DP_FEED_SERVERS_MAX)
        return dp_err_set(err, EINVAL, "feed: %u re-request servers; give at most %u",
            config->server_count, DP_FEED_SERVERS_MAX);
    live->config = *config;
    for (uint32_t line = 0; line < config->line_count; line++)
        live->targets[line] = config->lines[line].target;
    request.server_count = (uint16_t)config->server_count;
    if (config->server_count > 0 && dp_moldudp_requester_init(&live->requester, &request, err) < 0)
        return -err->code;
    return dp_feed_lines_open(&live->lines, config->gap_timeout_ns, counters, handler, err);
}

void dp_feed_live_close(struct dp_feed_live *live)
{
    dp_feed_lines_close(&live->lines);
}
