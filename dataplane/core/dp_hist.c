#include "dp_hist.h"

static const char *const stage_keys[] = {
#define X(name, key) [DP_STAGE_##name] = #key,
    DP_STAGES(X)
#undef X
};

void dp_hist_init(struct dp_hist *hist)
{
    memset(hist, 0, sizeof(*hist));
    dp_store_relaxed(&hist->min, UINT64_MAX);
}

static uint64_t count_all(const struct dp_hist *hist)
{
    uint64_t count = 0;
    for (uint32_t bucket = 0; bucket < DP_HIST_BUCKET_COUNT; bucket++)
        count += dp_load_relaxed(&hist->buckets[bucket]);
    return count;
}

static uint64_t bucket_value(const struct dp_hist *hist, uint32_t bucket)
{
    uint64_t max = dp_load_relaxed(&hist->max);
    uint64_t value = dp_hist_bucket_max(bucket);
    return value < max && bucket != DP_HIST_BUCKET_COUNT - 1 ? value : max;
}

uint64_t dp_hist_percentile(const struct dp_hist *hist, uint32_t per_100000)
{
    DP_ASSERT(per_100000 <= 100000);
    /* The buckets themselves are summed: hist->count may be ahead of or behind them while the
     * writer runs, and buckets only grow, so the second walk always reaches what the first one
     * counted. */
    uint64_t total = count_all(hist);
    if (total == 0)
        return 0;

    /* Whole and rest apart, so that no total overflows;
     * rounded up, and at least the first value. */
    uint64_t wanted = total / 100000 * per_100000 + (total % 100000 * per_100000 + 99999) / 100000;
    if (wanted == 0)
        wanted = 1;
    uint64_t seen = 0;
    uint32_t bucket = 0;
    for (; bucket < DP_HIST_BUCKET_COUNT - 1; bucket++) {
        seen += dp_load_relaxed(&hist->buckets[bucket]);
        if (seen >= wanted)
            break;
    }
    return bucket_value(hist, bucket);
}

const char *dp_stage_key(enum dp_stage stage)
{
    DP_ASSERT((unsigned)stage < DP_STAGE_COUNT);
    return stage_keys[stage];
}
