/*
 * dp_throttle - how many messages a second a venue takes from one session: a token bucket.
 *
 * Orders leave a part of it to cancels, so a cancel is not held up by the orders before it. Kept as
 * one number, the time when the bucket is full again: no counting, no rounding. One thread; time is
 * an argument.
 */
#ifndef DP_THROTTLE_H
#define DP_THROTTLE_H

#include "dp_base.h"

struct dp_throttle {
    int64_t interval_ns; /* of one message at the venue's rate; 0: no limit */
    int64_t depth_ns;    /* of a burst out of a full bucket */
    int64_t reserve_ns;  /* the part of it that only cancels may use */
    int64_t full_ns;     /* when the bucket is full again, if nothing more is sent */
};

#define DP_THROTTLE_RATE_MAX 1000000000u

/* rate: messages a second, at most DP_THROTTLE_RATE_MAX; 0: no limit. burst: messages at once, at
 * least 1. headroom_percent of the burst is for cancels alone, and at least one message is for
 * orders. */
static inline struct dp_throttle dp_throttle_make(
    uint32_t rate, uint32_t burst, uint32_t headroom_percent)
{
    int64_t interval_ns = rate == 0 ? 0 : 1000000000 / rate;
    int64_t reserved = (int64_t)burst * headroom_percent / 100;
    reserved = reserved < burst ? reserved : (int64_t)burst - 1;
    return (struct dp_throttle){
        .interval_ns = interval_ns,
        .depth_ns = burst * interval_ns,
        .reserve_ns = reserved * interval_ns,
    };
}

static inline int64_t dp_throttle_after(const struct dp_throttle *throttle, int64_t now_ns)
{
    return (throttle->full_ns > now_ns ? throttle->full_ns : now_ns) + throttle->interval_ns;
}

/* Whether one more message may go now. */
static inline bool dp_throttle_has(
    const struct dp_throttle *throttle, int64_t now_ns, bool is_cancel)
{
    int64_t depth_ns = throttle->depth_ns - (is_cancel ? 0 : throttle->reserve_ns);
    return throttle->interval_ns == 0 || dp_throttle_after(throttle, now_ns) - now_ns <= depth_ns;
}

/* One has gone. */
static inline void dp_throttle_take(struct dp_throttle *throttle, int64_t now_ns)
{
    throttle->full_ns = dp_throttle_after(throttle, now_ns);
}

#endif
