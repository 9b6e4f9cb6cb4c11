/*
 * dp_feed - a recorded session as messages, once each and in sequence, whatever it was recorded as.
 *
 * A BinaryFILE gives its messages as they stand. The packets of a pcap or pcapng come through a
 * port, their checksums and MoldUDP64: lines A and B are joined, the first copy of a message wins,
 * and the handler hears of holes in both. Every frame and packet that gives no message is counted
 * (RX_*, NET_*, MOLD_*). One thread; the handler is called inside dp_feed_run() only.
 */
#ifndef DP_FEED_H
#define DP_FEED_H

#include "dp_base.h"
#include "dp_card.h"
#include "dp_counter.h"
#include "dp_err.h"

struct dp_feed_handler {
    void *context;
    void (*on_message)(void *context, const uint8_t *data, size_t size); /* never empty */
    /* Messages are missing on every line and will not come. */
    void (*on_gap)(void *context);
    void (*on_session)(void *context); /* another session began: empty books */
    /* Live only. Messages are missing just now and asked for: what books say is of before. Those
     * that come next are in sequence, and late, until on_whole. */
    void (*on_late)(void *context);
    /* A snapshot begins, with empty books: on_snapshot for each message of it, then on_message for
     * what came meanwhile, then on_whole. Broken off, it begins again. */
    void (*on_rebuild)(void *context);
    void (*on_snapshot)(void *context, const uint8_t *data, size_t size);
    void (*on_whole)(void *context); /* nothing is missing any more */
    /* A message that on_message will get some messages from now, to start its memory loads; NULL:
     * not wanted. BinaryFILE only. */
    void (*on_ahead)(void *context, const uint8_t *data, size_t size, bool is_near);
};

struct dp_feed; /* opaque, allocated by dp_feed_open() */

/* gap_timeout_ns: how long a missing packet may still arrive on the other line, by capture time. */
struct dp_feed *dp_feed_open(const char *path, int64_t gap_timeout_ns, struct dp_counters *counters,
    const struct dp_feed_handler *handler, struct dp_err *err);
/* Frames come through the card from now on; it must outlive the feed. A BinaryFILE has none:
 * nothing happens. 0 or -errno. */
int dp_feed_put_card(struct dp_feed *feed, struct dp_card *card, struct dp_err *err);
/* Hands on about message_count messages (a batch of packets is never cut). Records taken; 0: the
 * session is over. */
uint64_t dp_feed_run(struct dp_feed *feed, uint64_t message_count);
/* dp_feed_run() returns at the next message. Callable by the handler; cleared by the next
 * dp_feed_run(). */
void dp_feed_stop(struct dp_feed *feed);
/* Messages and packets come as they were recorded, so many thousandths as fast: by the time in the
 * message (BinaryFILE) or of the capture. Before the first dp_feed_run(); 0: as fast as it goes.
 * While one waits, a signal makes dp_feed_run() hand it on and return. */
void dp_feed_set_speed(struct dp_feed *feed, uint32_t speed_permille);
struct dp_pacer;
const struct dp_pacer *dp_feed_pacer(const struct dp_feed *feed);
uint64_t dp_feed_position(const struct dp_feed *feed); /* bytes of the file consumed */
uint64_t dp_feed_size(const struct dp_feed *feed);     /* bytes of the file */
/* 0, or -errno and what is wrong with the file at which byte; all before the fault
 * was handed on. */
int dp_feed_status(const struct dp_feed *feed, struct dp_err *err);
void dp_feed_close(struct dp_feed *feed); /* NULL is fine */

#endif
