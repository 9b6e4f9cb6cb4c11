/*
 * dp_hist - a histogram of durations with a bounded relative error (HDR style).
 *
 * Buckets are linear inside each power of two: 64 a power, so a value is known to 1/64 (1.6 %);
 * values below 64 are exact. One writer, any number of readers in any process; a reader may see a
 * count that is a moment old, never one that is torn. The unit is the caller's (TSC ticks on the
 * hot path, converted when read).
 */
#ifndef DP_HIST_H
#define DP_HIST_H

#include "dp_atomic.h"
#include "dp_base.h"

#define DP_HIST_SUB_BITS 6
/* Below 2^42: eighteen minutes of TSC at 4 GHz; larger values land in the last bucket. */
#define DP_HIST_POWERS 36
#define DP_HIST_BUCKET_COUNT ((DP_HIST_POWERS + 1) << DP_HIST_SUB_BITS)

struct dp_hist {
    alignas(DP_CACHE_LINE) _Atomic uint64_t count;
    _Atomic uint64_t sum;
    _Atomic uint64_t min; /* UINT64_MAX while count is 0 */
    _Atomic uint64_t max;
    _Atomic uint64_t buckets[DP_HIST_BUCKET_COUNT];
};

/* Engine stages, in the order a tick meets them. */
/* clang-format off */
#define DP_STAGES(X) \
    X(DECODE, decode) \
    X(BOOK, book) \
    X(STRATEGY, strategy) \
    X(RISK, risk) \
    X(SUBMIT, submit) \
    X(TICK_TO_ORDER, tick_to_order)
/* clang-format on */

enum dp_stage {
#define X(name, key) DP_STAGE_##name,
    DP_STAGES(X) DP_STAGE_COUNT
#undef X
};

void dp_hist_init(struct dp_hist *hist);

/* The bucket of a value: below 64 the value itself, above its power of two and the next
 * six bits. */
static inline uint32_t dp_hist_bucket(uint64_t value)
{
    if (value < 1u << DP_HIST_SUB_BITS)
        return (uint32_t)value;
    uint32_t shift = 63u - (uint32_t)__builtin_clzll(value) - DP_HIST_SUB_BITS;
    if (shift >= DP_HIST_POWERS)
        return DP_HIST_BUCKET_COUNT - 1;
    return (shift << DP_HIST_SUB_BITS) + (uint32_t)(value >> shift);
}

/* The largest value of a bucket. */
static inline uint64_t dp_hist_bucket_max(uint32_t bucket)
{
    uint32_t power = bucket >> DP_HIST_SUB_BITS;
    if (power == 0)
        return bucket;
    uint64_t top = (bucket & ((1u << DP_HIST_SUB_BITS) - 1)) + (1u << DP_HIST_SUB_BITS);
    return ((top + 1) << (power - 1)) - 1;
}

/* Writer only. Plain loads and stores: with one writer no locked instruction is needed. Relaxed
 * throughout: each word stands for itself, and no reader concludes from one about another. */
static inline void dp_hist_record(struct dp_hist *hist, uint64_t value)
{
    _Atomic uint64_t *bucket = &hist->buckets[dp_hist_bucket(value)];
    dp_store_relaxed(bucket, dp_load_relaxed(bucket) + 1);
    dp_store_relaxed(&hist->count, dp_load_relaxed(&hist->count) + 1);
    dp_store_relaxed(&hist->sum, dp_load_relaxed(&hist->sum) + value);
    if (value < dp_load_relaxed(&hist->min))
        dp_store_relaxed(&hist->min, value);
    if (value > dp_load_relaxed(&hist->max))
        dp_store_relaxed(&hist->max, value);
}

/* The largest value of the first bucket with at least `per_100000` / 100,000 of all counts at or
 * below it; 0 when empty. 50,000 is the median, 99,900 is p99.9, 100,000 the maximum. Never above
 * max, never below the true value, at most 1/64 over it. Any process, while the writer goes on. */
uint64_t dp_hist_percentile(const struct dp_hist *hist, uint32_t per_100000);
const char *dp_stage_key(enum dp_stage stage); /* "tick_to_order" */

#endif
