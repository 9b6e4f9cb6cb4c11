/*
 * dp_hist - a histogram of durations with a bounded relative error (HDR style).
 *
 * Buckets are linear inside each power of two: 64 a power, so a value is known to 1/64 (1.6 %); values
 * below 64 are exact. One writer, any number of readers in any process; a reader may see a count that is a
 * moment old, never one that is torn. The unit is the caller's (TSC ticks on the hot path, converted when read).
 */
#ifndef DP_HIST_H
#define DP_HIST_H

#include "dp_atomic.h"
#include "dp_base.h"

#define DP_HIST_SUB_BITS 6
#define DP_HIST_POWERS 36 /* up to 2^41: ten minutes of TSC at 4 GHz; larger values land in the last bucket */
#define DP_HIST_BUCKET_COUNT ((DP_HIST_POWERS + 1) << DP_HIST_SUB_BITS)

struct dp_hist {
    alignas(DP_CACHE_LINE) _Atomic uint64_t count;
    _Atomic uint64_t sum;
    _Atomic uint64_t min; /* UINT64_MAX while count is 0 */
    _Atomic uint64_t max;
    _Atomic uint64_t buckets[DP_HIST_BUCKET_COUNT];
};

/* Engine stages, in the order a tick meets them. */
#define DP_STAGES(X) \
    X(DECODE, decode) X(BOOK, book) X(STRATEGY, strategy) X(RISK, risk) X(SUBMIT, submit) \
    X(TICK_TO_ORDER, tick_to_order)

enum dp_stage {
#define X(name, key) DP_STAGE_##name,
    DP_STAGES(X)
#undef X
    DP_STAGE_COUNT
};

void dp_hist_init(struct dp_hist *hist);
void dp_hist_record(struct dp_hist *hist, uint64_t value);  /* writer only */
/* The smallest bucket's upper value with at least `permille_10` / 100,000 of the counts at or below it; 0 when empty.
 * 50,000 is the median, 99,900 is p99.9. Never above max. */
uint64_t dp_hist_percentile(const struct dp_hist *hist, uint32_t per_100000);
const char *dp_stage_key(enum dp_stage stage);

#endif
