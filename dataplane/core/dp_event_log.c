#include "dp_event_log.h"

void dp_event_log_init(struct dp_event_log *log)
{
    memset(log, 0, sizeof(*log)); /* its pages too: none is touched for the first time later */
    dp_digest_init(&log->digest);
}

void dp_event_log_settle(struct dp_event_log *log)
{
    for (; log->settled != log->count; log->settled++) {
        const struct dp_event *event = &log->slots[log->settled % DP_EVENT_LOG_SLOTS];
        dp_digest_update(&log->digest, event, sizeof(*event));
        if (log->recent != NULL)
            dp_recent_add(log->recent, event);
    }
}
