#include "dp_feed_channels.h"

#include <errno.h>

#define BURST 64u

static void push(struct dp_feed_channels *channels, const struct dp_packet *frame)
{
    struct dp_packet datagram;
    uint32_t target = dp_feed_lines_read_frame(
        channels->counters, channels->targets, channels->target_count, frame, &datagram);
    if (target == channels->target_count)
        return;
    const struct dp_feed_place *place = &channels->places[target];
    dp_feed_lines_push(&channels->feeds[place->channel].lines, place->line, &datagram);
}

static uint32_t poll_frames(struct dp_feed_channels *channels, int64_t now_ns)
{
    struct dp_packet frames[BURST];
    for (uint32_t index = 0; index < channels->count; index++)
        channels->feeds[index].lines.turn_ns = now_ns;
    uint32_t count = dp_port_receive(channels->frames, frames, BURST);
    for (uint32_t index = 0; index < count; index++)
        push(channels, &frames[index]);
    for (uint32_t index = 0; index < channels->count; index++)
        count += dp_feed_live_follow(&channels->feeds[index], now_ns);
    return count;
}

uint32_t dp_feed_channels_poll(struct dp_feed_channels *channels, int64_t now_ns)
{
    if (channels->frames != NULL)
        return poll_frames(channels, now_ns);
    uint32_t count = 0;
    for (uint32_t index = 0; index < channels->count; index++)
        count += dp_feed_live_poll(&channels->feeds[index], now_ns);
    return count;
}

static int severity(enum dp_feed_state state)
{
    switch (state) {
    case DP_FEED_WHOLE: return 0;
    case DP_FEED_LATE: return 1;
    case DP_FEED_REBUILDING: return 2;
    default: return 3;
    }
}

enum dp_feed_state dp_feed_channels_state(const struct dp_feed_channels *channels)
{
    enum dp_feed_state worst = DP_FEED_WHOLE;
    for (uint32_t index = 0; index < channels->count; index++)
        if (severity(channels->feeds[index].state) > severity(worst))
            worst = channels->feeds[index].state;
    return worst;
}

static void note_targets(struct dp_feed_channels *channels, uint32_t channel)
{
    const struct dp_feed_live *feed = &channels->feeds[channel];
    for (uint32_t line = 0; line < feed->config.line_count; line++) {
        uint32_t target = channels->target_count++;
        channels->targets[target] = feed->targets[line];
        channels->places[target] = (struct dp_feed_place){channel, line};
    }
    struct dp_port *port = feed->config.lines[0].port;
    if (channels->count > 1 && dp_port_moves_frames(port))
        channels->frames = port;
}

int dp_feed_channels_open(struct dp_feed_channels *channels,
    const struct dp_feed_live_config *configs, uint32_t count, struct dp_counters *counters,
    const struct dp_feed_handler *handlers, struct dp_err *err)
{
    if (count == 0 || count > DP_FEED_CHANNELS_MAX)
        return dp_err_set(
            err, EINVAL, "feed: %u channels; give 1 to %u", count, DP_FEED_CHANNELS_MAX);
    channels->counters = counters;
    channels->count = count;
    for (uint32_t index = 0; index < count; index++) {
        int status = dp_feed_live_open(
            &channels->feeds[index], &configs[index], counters, &handlers[index], err);
        if (status < 0)
            return status;
        note_targets(channels, index);
    }
    return 0;
}

void dp_feed_channels_close(struct dp_feed_channels *channels)
{
    for (uint32_t index = 0; index < channels->count; index++)
        dp_feed_live_close(&channels->feeds[index]);
}
