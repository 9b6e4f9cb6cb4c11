#include "dp_exec_set.h"

#include <errno.h>

#define EXEC_COUNT_MAX (1u << 28) /* 16 GiB of slots: more than a day of any venue */

/* At least twice the count, so that a search meets an empty slot soon. */
static uint32_t slot_bits(uint32_t count_max)
{
    uint32_t bits = 1;
    while (((uint64_t)1 << bits) < (uint64_t)count_max * 2)
        bits++;
    return bits;
}

size_t dp_exec_set_size(uint32_t count_max)
{
    return sizeof(struct dp_exec_set) + (sizeof(struct dp_exec) << slot_bits(count_max));
}

int dp_exec_set_init(struct dp_exec_set *set, uint32_t count_max, struct dp_err *err)
{
    if (count_max == 0 || count_max > EXEC_COUNT_MAX)
        return dp_err_set(err, EINVAL, "orders: exec_count_max: %u; give at least 1, at most %u",
            count_max, EXEC_COUNT_MAX);

    memset(set, 0, dp_exec_set_size(count_max));
    set->slot_mask = ((uint64_t)1 << slot_bits(count_max)) - 1;
    set->hash_shift = 64 - slot_bits(count_max);
    set->count_max = count_max;
    return 0;
}

/* Multiply and keep the high bits: match numbers rise by small steps, and so spread evenly. */
static uint64_t first_slot(const struct dp_exec_set *set, uint64_t exec_id, uint32_t order_index)
{
    uint64_t key = exec_id ^ (uint64_t)order_index << 40;
    return key * 0x9e3779b97f4a7c15ull >> set->hash_shift;
}

struct dp_exec *dp_exec_set_take(struct dp_exec_set *set, uint64_t exec_id, uint32_t order_index)
{
    uint64_t index = first_slot(set, exec_id, order_index);
    struct dp_exec *exec = &set->slots[index];
    while (exec->used) {
        if (exec->exec_id == exec_id && exec->order_index == order_index)
            return exec;
        index = (index + 1) & set->slot_mask;
        exec = &set->slots[index];
    }
    if (set->count == set->count_max)
        return NULL;

    set->count++;
    *exec = (struct dp_exec){.exec_id = exec_id, .order_index = order_index, .used = 1};
    return exec;
}
