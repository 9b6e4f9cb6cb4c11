/*
 * dp_venue - the venue of a replay: our OUCH orders meet the recorded book.
 *
 * It stands where the exchange stands: frames of ours come in (Ethernet, TCP, SoupBinTCP, OUCH),
 * frames of its own go out, each after its latency. The recorded book is shared with the appliance
 * and never changed by us. The model (docs/replay-venue.md states what it assumes and what it
 * ignores):
 *   - An order arrives order_latency_ns after it was sent and meets the book as it is then.
 *   - A marketable order trades against displayed depth, best price first, each recorded order's
 *     quantity used once.
 *   - A resting order stands behind all displayed quantity of its price that was there before it;
 *     recorded executions, cancels and replaces move it forward exactly; it fills when an execution
 *     reaches an order behind it or a worse price, and when a recorded order arrives that would
 * have crossed it. Answers carry report_latency_ns. Everything is a function of the input: no
 * clock, no randomness.
 *
 * One thread, the books' writer's. Memory is allocated by dp_venue_open(); only the queue of
 * answers grows afterwards. The caller's loop, with T the time of the next recorded message:
 *
 *     while dp_venue_next_ns() <= T: dp_venue_advance(), dp_venue_send() until NULL
 *     dp_venue_on_message(message of T), then the books change
 */
#ifndef DP_VENUE_H
#define DP_VENUE_H

#include "dp_base.h"
#include "dp_book.h"
#include "dp_err.h"
#include "dp_itch.h"
#include "dp_ouch.h"

/* Numbers of ours have the top bit set: no recorded order reference or match number has. */
#define DP_VENUE_ORDER_REF_FIRST (UINT64_C(1) << 63)
#define DP_VENUE_MATCH_NUMBER_FIRST (UINT64_C(1) << 63)

struct dp_venue_config {
    int64_t order_latency_ns;  /* from our send to the venue's book */
    int64_t report_latency_ns; /* from the venue's decision to our receive */
    int64_t midnight_ns;       /* UTC nanoseconds of the session's local midnight */
    uint32_t order_count_max;  /* of ours, over the run: new orders and replaces */
    struct dp_net_endpoint us;
    struct dp_net_endpoint venue;
};

struct dp_venue_stats {
    uint64_t orders;     /* Enter Order messages that arrived */
    uint64_t executions; /* Order Executed messages sent */
    uint64_t rejected;
    uint64_t ignored;   /* silently, as the protocol says: numbers not above the last, dead targets;
                           and requests the model does not know (docs/replay-venue.md) */
    uint64_t malformed; /* frames and messages that are not what an order port takes */
};

struct dp_venue; /* opaque; allocated once by dp_venue_open() */

/* books: read only here; must outlive the venue. NULL with err filled when a value is out of range
 * or there is no memory. */
struct dp_venue *dp_venue_open(
    const struct dp_venue_config *config, const struct dp_books *books, struct dp_err *err);
void dp_venue_close(struct dp_venue *venue); /* NULL is fine */

/* A frame of ours, sent at time_ns: it is queued until its arrival. False when the queue is full;
 * nothing of the frame is then taken. A frame that cannot be understood is counted and gone. */
bool dp_venue_receive(struct dp_venue *venue, const uint8_t *frame, uint32_t size, int64_t time_ns);
/* Time of the earliest thing the venue will do or say (an arrival or an answer due), INT64_MAX when
 * nothing waits. */
int64_t dp_venue_next_ns(const struct dp_venue *venue);
/* Lets orders that arrive up to and including now_ns meet the book. */
void dp_venue_advance(struct dp_venue *venue, int64_t now_ns);
/* A recorded message that is about to be applied to the books at now_ns: called before the books
 * change. Returns at once for instruments where nothing of ours matters. A System Event 'M' (end of
 * market hours) expires what is open. */
void dp_venue_on_message(
    struct dp_venue *venue, const struct dp_itch_message *message, int64_t now_ns);
/* Ends the session before the recording does: what has arrived is worked on, then all open orders
 * are cancelled (reason Z) and the end of day is announced. Orders still on their way will find the
 * destination closed. Without effect on a session that is over. */
void dp_venue_end(struct dp_venue *venue, int64_t now_ns);
/* The next answer due up to and including now_ns; NULL when there is none. *time_ns: when it
 * reaches us. Valid until the next call. */
const uint8_t *dp_venue_send(
    struct dp_venue *venue, int64_t now_ns, uint32_t *size, int64_t *time_ns);
struct dp_venue_stats dp_venue_stats(const struct dp_venue *venue);

/* Displayed quantity ahead of our resting order at its price, less what we took of it ourselves:
 * its queue position. False when the number names no resting order. Counts along the level. */
bool dp_venue_queue_ahead(const struct dp_venue *venue, uint32_t user_ref_num, uint64_t *qty);

#endif
