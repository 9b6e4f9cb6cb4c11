/*
 * dp_feed_live - market data from ports as messages, once each and in sequence, with what both
 * lines lost asked for again.
 *
 * Ports are the caller's: opened before, closed after. A port of datagrams is one line; a port of
 * frames may bring several, which are told apart by their targets. Each re-request server is a
 * datagram port whose remote it is. dp_feed_live_poll() takes what has
 * arrived and moves time; it never waits. Answers that nobody asked for are dropped.
 *
 *   WHOLE <-- filled -- LATE: a hole that the other line did not fill; asked for
 *     ^                  |
 *     |                  +-- not filled in time --> LOST, until another session begins
 *     |                  +---- or, with a server of snapshots --> REBUILDING
 *     +------------------------- snapshot, then what came meanwhile ----+
 *
 * A hole longer than window_max, as who joins late sees, is not asked for where there are
 * snapshots: it goes to REBUILDING at once. Another session is WHOLE at its beginning. One thread.
 */
#ifndef DP_FEED_LIVE_H
#define DP_FEED_LIVE_H

#include "dp_feed_lines.h"
#include "dp_feed_snapshot.h"
#include "dp_moldudp_request.h"

#define DP_FEED_SERVERS_MAX 4u

enum dp_feed_state {
    DP_FEED_WHOLE = 0,
    DP_FEED_LATE,
    DP_FEED_LOST,
    DP_FEED_REBUILDING,
};

const char *dp_feed_state_name(enum dp_feed_state state); /* "whole" */

struct dp_feed_live_line {
    struct dp_port *port;         /* one port of frames may stand in several lines */
    struct dp_feed_target target; /* of frames; datagrams were chosen by their socket */
};

struct dp_feed_live_config {
    struct dp_feed_live_line lines[DP_FEED_REPLIES];
    uint32_t line_count;
    struct dp_port *servers[DP_FEED_SERVERS_MAX];
    uint32_t server_count; /* 0: nothing is asked for again */
    int64_t gap_timeout_ns;
    /* server_count is filled in. */
    struct dp_moldudp_request_config request;
    struct dp_order_session_config snapshot; /* address_count 0: no snapshots */
    uint64_t window_max; /* messages that servers are asked for; a longer hole needs a snapshot */
};

struct dp_feed_live {
    struct dp_feed_live_config config;
    struct dp_feed_target targets[DP_FEED_LINES_MAX]; /* by line */
    struct dp_feed_lines lines;
    struct dp_moldudp_requester requester;
    struct dp_feed_snapshot snapshot;
    enum dp_feed_state state;
};

int dp_feed_live_open(struct dp_feed_live *live, const struct dp_feed_live_config *config,
    struct dp_counters *counters, const struct dp_feed_handler *handler, struct dp_err *err);
void dp_feed_live_close(struct dp_feed_live *live);
/* now_ns on the clock of the ports' stamps (CLOCK_REALTIME). Returns packets taken. */
uint32_t dp_feed_live_poll(struct dp_feed_live *live, int64_t now_ns);
/* The same without its lines, whose packets came another way. */
uint32_t dp_feed_live_follow(struct dp_feed_live *live, int64_t now_ns);

/* What the re-request servers brought, as a line of its own. */
static inline const struct dp_feed_line_stats *dp_feed_live_replies(const struct dp_feed_live *live)
{
    return &live->lines.stats[DP_FEED_REPLIES];
}

#endif
