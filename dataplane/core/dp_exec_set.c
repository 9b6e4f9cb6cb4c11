#include "dp_exec_set.h"

#include <errno.h>

#define EXEC_COUNT_MAX (1u << 28) /* 8 GiB: more than a day of any venue */

size_t dp_exec_set_size(uint32_t count_max)
{
    return sizeof(struct dp_exec_set) + ((size_t)count_max + 1) * sizeof(struct dp_exec);
}

int dp_exec_set_init(struct dp_exec_set *set, uint32_t count_max, struct dp_err *err)
{
    if (count_max == 0 || count_max > EXEC_COUNT_MAX)
        return dp_err_set(err, EINVAL, "orders: exec_count_max: %u; give at least 1, at most %u",
            count_max, EXEC_COUNT_MAX);

    memset(set, 0, dp_exec_set_size(count_max));
    set->count_max = count_max;
    return 0;
}

/* A place behind all others; 0 when there is none. The look before the count keeps the counter from
 * ever wrapping: each thread passes it at most once. */
static uint32_t take_place(struct dp_exec_set *set)
{
    if (dp_exec_set_is_full(set))
        return 0;
    uint32_t place = dp_fetch_add_relaxed(&set->count, 1) + 1;
    if (DP_UNLIKELY(place > set->count_max))
        return 0;
    if (place < set->count_max)
        DP_PREFETCH_WRITE(&set->execs[place + 1]);
    return place;
}

struct dp_exec *dp_exec_set_take(struct dp_exec_set *set, uint64_t exec_id, uint32_t *highest)
{
    uint32_t *link = highest;
    while (*link != 0 && set->execs[*link].exec_id > exec_id)
        link = &set->execs[*link].next;
    if (*link != 0 && set->execs[*link].exec_id == exec_id)
        return &set->execs[*link];

    uint32_t place = take_place(set);
    if (DP_UNLIKELY(place == 0))
        return NULL;
    struct dp_exec *exec = &set->execs[place];
    exec->exec_id = exec_id;
    exec->next = *link;
    *link = place;
    return exec;
}
