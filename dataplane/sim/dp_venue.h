/*
 * dp_venue - the venue of a replay: our OUCH orders meet the recorded book.
 *
 * It stands where the exchange stands: frames of ours come in (Ethernet, TCP, SoupBinTCP, OUCH), frames of its own go out,
 * each after its latency. The recorded book is shared with the appliance and never changed by us. The model
 * (docs/replay-venue.md states what it assumes and what it ignores):
 *   - An order arrives order_latency_ns after it was sent and meets the book as it is then.
 *   - A marketable order trades against displayed depth, best price first, each recorded order's quantity used once.
 *   - A resting order stands behind all displayed quantity of its price that was there before it; recorded executions,
 *     cancels and replaces move it forward exactly; it fills when an execution reaches an order behind it or a worse
 *     price, and when a recorded order arrives that would have crossed it.
 * Answers carry report_latency_ns. Everything is a function of the input: no clock, no randomness.
 */
#ifndef DP_VENUE_H
#define DP_VENUE_H

#include "dp_base.h"
#include "dp_book.h"
#include "dp_err.h"
#include "dp_itch.h"
#include "dp_ouch.h"

struct dp_venue_config {
    int64_t order_latency_ns;  /* from our send to the venue's book */
    int64_t report_latency_ns; /* from the venue's decision to our receive */
    int64_t midnight_ns;       /* UTC nanoseconds of the session's local midnight */
    uint32_t order_count_max;  /* of ours, over the run */
    struct dp_net_endpoint us;
    struct dp_net_endpoint venue;
};

struct dp_venue_stats {
    uint64_t orders;        /* Enter Order messages that arrived */
    uint64_t executions;
    uint64_t rejected;
    uint64_t ignored;       /* silently, as the protocol says: numbers not above the last, dead targets */
    uint64_t malformed;
};

struct dp_venue; /* opaque; allocated once by dp_venue_open() */

/* books: read only here. */
struct dp_venue *dp_venue_open(const struct dp_venue_config *config, const struct dp_books *books, struct dp_err *err);
void dp_venue_close(struct dp_venue *venue);

/* A frame of ours, sent at time_ns: it is queued until its arrival. False when the queue is full. */
bool dp_venue_receive(struct dp_venue *venue, const uint8_t *frame, uint32_t size, int64_t time_ns);
/* Time of the earliest thing the venue will do or say (an arrival or an answer due), INT64_MAX when nothing waits. */
int64_t dp_venue_next_ns(const struct dp_venue *venue);
/* Lets orders that arrive up to and including now_ns meet the book. */
void dp_venue_advance(struct dp_venue *venue, int64_t now_ns);
/* A recorded message that is about to be applied to the books at now_ns: called before the books change. */
void dp_venue_on_message(struct dp_venue *venue, const struct dp_itch_message *message, int64_t now_ns);
/* The next answer due up to and including now_ns; NULL when there is none. *time_ns: when it reaches us.
 * Valid until the next call. */
const uint8_t *dp_venue_send(struct dp_venue *venue, int64_t now_ns, uint32_t *size, int64_t *time_ns);
struct dp_venue_stats dp_venue_stats(const struct dp_venue *venue);

#endif
