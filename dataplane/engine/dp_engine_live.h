/*
 * dp_engine_live - a live run: market data from ports, orders through a session with a venue.
 *
 * The same engine as in a replay, with another source and another far end. Time is the machine's
 * clock (UTC). The order session goes through
 *
 *   DOWN -- logged in --> ASKING -- account answer, all explained --> OPEN
 *     ^                     +------ something is not explained -----> HELD
 *     +-------- lost (any of them)                                    STOPPED: for good
 *
 * New orders and replaces pass in OPEN only; in all others the risk gate refuses them
 * (NOT_AUTHORISED), and cancels wait in the ring. On a loss, frames that were not handed to TCP are
 * taken out again (NOT_SENT), and every order that the venue has not acknowledged is Unknown, its
 * exposure kept. After the next login the venue first sends what was missed, then answers our
 * account query: its next number tells which requests it never saw (NOT_SENT). A cancel without an
 * answer is sent again. What is then still without an answer holds the session: a person must look.
 *
 * The engine's thread calls all of this.
 */
#ifndef DP_ENGINE_LIVE_H
#define DP_ENGINE_LIVE_H

#include "dp_difference.h"
#include "dp_engine.h"
#include "dp_feed_channels.h"
#include "dp_order_session.h"
#include "dp_route.h"

struct dp_engine_live_session {
    struct dp_order_session_config wire;
    struct dp_throttle throttle; /* what the venue takes of it; dp_throttle_make() */
    /* Where it goes on, from the journal; a blank name (or zero bytes) and 0 or 1: a new one. */
    char name[DP_SOUP_SESSION_NAME_SIZE];
    uint64_t sequence;
};

/* One MoldUDP64 channel. It numbers instruments and orders for itself: its instruments are those
 * behind the ones of the channels before it. */
struct dp_engine_live_channel {
    struct dp_feed_live_config feed; /* its ports are the caller's, closed after the engine */
    uint32_t instrument_count;       /* of the books; 0, in the last one only: all that are left */
};

#define DP_ENGINE_DAYS_MAX 32u

/* What the engine's thread does after a turn in which nothing happened. */
enum dp_engine_idle {
    DP_ENGINE_YIELD = 0, /* gives the core up to who wants it */
    DP_ENGINE_SPIN,      /* never gives it up */
    DP_ENGINE_ADAPTIVE,  /* yields, and after a millisecond of nothing sleeps 50 us at a time */
};

struct dp_engine_live_config {
    struct dp_card *card; /* before the feed's ports, the caller's as they are; NULL: none */
    struct dp_engine_live_channel channels[DP_FEED_CHANNELS_MAX];
    uint32_t channel_count; /* at least 1 */
    struct dp_engine_live_session sessions[DP_ROUTE_SESSIONS_MAX];
    uint32_t session_count; /* at least 1 */
    enum dp_route_spread spread;
    /* What becomes of all new orders when the venue contradicts us; CLEAR: it is counted. */
    enum dp_switch_mode differences[DP_DIFFERENCE_COUNT];
    bool queues; /* an order beyond its session's limit waits; false: it is refused */
    /* Midnights of the feed's days in UTC, ascending: when a session of it begins, the day's is
     * taken. None: that of dp_engine_config stays. */
    int64_t midnights_ns[DP_ENGINE_DAYS_MAX];
    uint32_t midnight_count;
    int64_t
        warm_after_ns; /* shadow orders when nothing happened for so long (dp_warm.h); 0: none */
    enum dp_engine_idle idle;
};

enum dp_engine_live_state {
    DP_ENGINE_LIVE_DOWN = 0,
    DP_ENGINE_LIVE_ASKING,
    DP_ENGINE_LIVE_OPEN,
    DP_ENGINE_LIVE_HELD,
    DP_ENGINE_LIVE_STOPPED,
};

const char *dp_engine_live_state_name(enum dp_engine_live_state state); /* "OPEN" */

struct dp_engine_live_status {
    enum dp_engine_live_state state;
    enum dp_soup_session_verdict verdict; /* of the last loss */
    int error;                            /* errno of the last loss */
    uint64_t login_count;
    uint64_t loss_count;
    uint64_t never_received; /* requests that the venue never saw, found when reconciling */
    uint64_t unexplained;    /* orders, and instruments named otherwise than the journal does, that
                                hold the session */
    uint64_t cancels_again;  /* cancels sent a second time */
    uint64_t sequence_next;  /* of the venue's messages */
    uint64_t given;          /* orders and replaces that passed the gate to it */
    uint64_t waiting;        /* of them those that have not left */
    char session_name[DP_SOUP_SESSION_NAME_SIZE];
    uint64_t clock_step_count;   /* how often the machine's clock was set under this run */
    int64_t clock_step_ns;       /* the last time by so much */
    const char *journal_trouble; /* why the journal takes no record just now; NULL: it does */
};

/* Instead of dp_engine_start(): opens journal and capture, calls on_start of every strategy. The
 * session begins to connect with the first run. */
int dp_engine_start_live(
    struct dp_engine *engine, const struct dp_engine_live_config *config, struct dp_err *err);
/* Runs for so long or until dp_engine_stop(); returns packets taken. */
uint64_t dp_engine_run_live(struct dp_engine *engine, int64_t duration_ns);
/* Between two runs: shows the counters and the link of one of the caller's ports to who watches
 * ("page" in the region). More than DP_PAGE_PORTS_MAX are not shown. */
void dp_engine_show_port(struct dp_engine *engine, uint32_t index, struct dp_port *port);
struct dp_engine_live_status dp_engine_live_status(const struct dp_engine *engine, uint32_t index);
/* That of the worst channel. */
enum dp_feed_state dp_engine_live_feed(const struct dp_engine *engine);
enum dp_feed_state dp_engine_live_feed_of(const struct dp_engine *engine, uint32_t channel);
const struct dp_feed_line_stats *dp_engine_live_line(
    const struct dp_engine *engine, uint32_t channel, uint32_t line);

#endif
