/*
 * dp_feed_channels - the MoldUDP64 channels that one thread reads, each a live feed of its own.
 *
 * A channel has its lines, its re-request servers, its source of snapshots, a session and numbers,
 * and a hole in one is none in another. A port of frames may bring the lines of all of them: it is
 * asked once a turn, and each frame goes to the channel whose target it was sent to. One thread.
 */
#ifndef DP_FEED_CHANNELS_H
#define DP_FEED_CHANNELS_H

#include "dp_feed_live.h"

#define DP_FEED_CHANNELS_MAX 8u
#define DP_FEED_CHANNELS_LINES_MAX (DP_FEED_CHANNELS_MAX * DP_FEED_REPLIES)

struct dp_feed_channels {
    struct dp_feed_live feeds[DP_FEED_CHANNELS_MAX];
    uint32_t count;
    struct dp_counters *counters;
    struct dp_port *frames; /* brings the lines of several channels; NULL: each has its own ports */
    struct dp_feed_target targets[DP_FEED_CHANNELS_LINES_MAX];
    uint32_t target_count;
    struct dp_feed_place {
        uint32_t channel;
        uint32_t line;
    } places[DP_FEED_CHANNELS_LINES_MAX]; /* of a target */
};

/* configs, handlers: `count` of them. All lines of frames stand on one port. 0, or -errno with err
 * filled in; what was opened is closed by dp_feed_channels_close(). */
int dp_feed_channels_open(struct dp_feed_channels *channels,
    const struct dp_feed_live_config *configs, uint32_t count, struct dp_counters *counters,
    const struct dp_feed_handler *handlers, struct dp_err *err);
void dp_feed_channels_close(struct dp_feed_channels *channels);
/* As dp_feed_live_poll(), for all of them. */
uint32_t dp_feed_channels_poll(struct dp_feed_channels *channels, int64_t now_ns);
/* That of the channel which is worst: WHOLE when all are. */
enum dp_feed_state dp_feed_channels_state(const struct dp_feed_channels *channels);

#endif
