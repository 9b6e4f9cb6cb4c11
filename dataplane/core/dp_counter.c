#include "dp_counter.h"

struct counter_row {
    const char *key;
    const char *words;
};

static const struct counter_row rows[] = {
#define X(name, key, words) [DP_COUNTER_##name] = {#key, words},
    DP_COUNTERS(X)
#undef X
};

static_assert(sizeof(rows) / sizeof(rows[0]) == DP_COUNTER_COUNT, "one row a counter");

const char *dp_counter_key(enum dp_counter id)
{
    DP_ASSERT((unsigned)id < DP_COUNTER_COUNT);
    return rows[id].key;
}

const char *dp_counter_words(enum dp_counter id)
{
    DP_ASSERT((unsigned)id < DP_COUNTER_COUNT);
    return rows[id].words;
}
