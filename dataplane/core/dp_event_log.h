/*
 * dp_event_log - where events are made, and the digest over them, off the path of an order.
 *
 * An event is written once, in the slot that dp_event_log_next() gives, and stays there while table
 * and journal take it. dp_event_log_add() makes it the next one of the digest; the digest itself
 * is brought up to date by dp_event_log_settle(), which the engine calls when a callback is over
 * and the frames are gone: no order needs it to leave. When nobody settles, a full log settles
 * itself: the value is the same as if every event had been digested at once, only the time is
 * another.
 *
 * Settling also shows the events to readers outside, where the owner has given a dp_recent.
 *
 * One thread. Memory belongs to the caller, that of `recent` too.
 */
#ifndef DP_EVENT_LOG_H
#define DP_EVENT_LOG_H

#include "dp_base.h"
#include "dp_digest.h"
#include "dp_event.h"
#include "dp_recent.h"

#define DP_EVENT_LOG_SLOTS 64u /* a power of two; above what one batch makes */

struct dp_event_log {
    struct dp_digest digest; /* over the first `settled` events */
    uint64_t count;          /* events added */
    uint64_t settled;
    struct dp_recent *recent; /* NULL: nobody looks from outside */
    alignas(DP_CACHE_LINE) struct dp_event slots[DP_EVENT_LOG_SLOTS];
};

void dp_event_log_init(struct dp_event_log *log);
/* Afterwards `digest` covers every event added. */
void dp_event_log_settle(struct dp_event_log *log);

/* The slot to make an event in; the same one until it is added. */
static inline struct dp_event *dp_event_log_next(struct dp_event_log *log)
{
    if (DP_UNLIKELY(log->count - log->settled == DP_EVENT_LOG_SLOTS))
        dp_event_log_settle(log);
    return &log->slots[log->count % DP_EVENT_LOG_SLOTS];
}

/* The slot's event has happened: it may not change any more. */
static inline void dp_event_log_add(struct dp_event_log *log)
{
    log->count++;
}

#endif
