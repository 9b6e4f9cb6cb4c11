/*
 * dp_feed_snapshot - the books as a server of snapshots tells them, when the messages themselves
 * can no longer be had (the form of GLIMPSE 5.0 over SoupBinTCP).
 *
 *   IDLE -- ask --> connect, log in to a new session --> messages --> G: the end --> IDLE
 *                     ^                                     |
 *                     +----- lost, or not to be used -------+
 *
 * A snapshot is the instruments and displayed orders of one moment as ITCH messages, and then the
 * number of the feed's message that comes next. One that broke off, is of another session than the
 * feed, or older than what the feed has, is of no use: another one is asked for, each time later up
 * to a second. One thread; no call waits.
 */
#ifndef DP_FEED_SNAPSHOT_H
#define DP_FEED_SNAPSHOT_H

#include "dp_moldudp.h"
#include "dp_order_session.h"

struct dp_feed_snapshot_handler {
    void *context;
    void (*on_begin)(void *context); /* a snapshot's first message comes next */
    void (*on_message)(void *context, const uint8_t *data, size_t size); /* never empty */
    /* All of it came; the feed's message `sequence` is the next one. False: it is of no use. */
    bool (*on_end)(void *context, uint64_t sequence);
};

struct dp_feed_snapshot {
    struct dp_order_session session; /* a SoupBinTCP session, whatever it carries */
    struct dp_feed_snapshot_handler handler;
    uint8_t wanted[DP_MOLDUDP_SESSION_SIZE]; /* the feed's session */
    bool is_asked;
    bool is_over; /* the end came, or something that makes it of no use: hang up */
    uint64_t taken_count;
};

/* session: its servers, user and password; addresses are tried in turn. 0, or -errno with err
 * filled in. */
int dp_feed_snapshot_open(struct dp_feed_snapshot *snapshot,
    const struct dp_order_session_config *session, const struct dp_feed_snapshot_handler *handler,
    struct dp_err *err);
/* A snapshot of that session (10 bytes) is wanted from now on. */
void dp_feed_snapshot_ask(struct dp_feed_snapshot *snapshot, const uint8_t *session);
/* None is wanted any more. */
void dp_feed_snapshot_drop(struct dp_feed_snapshot *snapshot);
/* Moves everything on; the handler is called inside. */
void dp_feed_snapshot_poll(struct dp_feed_snapshot *snapshot, int64_t now_ns);

#endif
