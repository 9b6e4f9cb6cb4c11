#include "dp_event_log.h"

static_assert(sizeof(struct dp_event) == DP_DIGEST_RECORD_SIZE, "an event is such a record");

void dp_event_log_init(struct dp_event_log *log)
{
    memset(log, 0, sizeof(*log)); /* its pages too: none is touched for the first time later */
    dp_digest_init(&log->digest);
}

void dp_event_log_settle(struct dp_event_log *log)
{
    for (; log->settled != log->count; log->settled++) {
        const struct dp_event *event = &log->slots[log->settled % DP_EVENT_LOG_SLOTS];
        dp_digest_record(&log->digest, event);
        if (log->recent != NULL)
            dp_recent_add(log->recent, event);
    }
}
