#include "dp_order_keys.h"

/* At least one bucket a number: a list has one entry on average when all are used. */
static uint32_t bucket_count(uint32_t number_count_max)
{
    uint32_t count = 1;
    while (count < number_count_max && count < 1u << 31)
        count *= 2;
    return count;
}

static uint32_t *buckets(const struct dp_order_keys *keys)
{
    return (uint32_t *)(uintptr_t)(keys->entries + keys->number_count_max);
}

/* Keys that count up stay neighbours; the folds bring in what clocks and counters keep in their
 * high bits. */
static uint32_t *bucket_of(const struct dp_order_keys *keys, uint64_t key, uint16_t strategy_index)
{
    uint64_t folded = key ^ key >> 17 ^ key >> 34 ^ key >> 51;
    return &buckets(keys)[(folded + strategy_index * 0x9e3779b9u) & keys->bucket_mask];
}

size_t dp_order_keys_size(uint32_t number_count_max)
{
    return sizeof(struct dp_order_keys) + (size_t)number_count_max * sizeof(struct dp_order_key) +
        (size_t)bucket_count(number_count_max) * sizeof(uint32_t);
}

void dp_order_keys_init(struct dp_order_keys *keys, uint32_t number_count_max)
{
    memset(keys, 0, dp_order_keys_size(number_count_max));
    keys->number_count_max = number_count_max;
    keys->bucket_mask = bucket_count(number_count_max) - 1;
}

void dp_order_keys_note(struct dp_order_keys *keys, uint32_t number_index, uint64_t key,
    uint16_t strategy_index, uint16_t reason)
{
    DP_ASSERT(number_index < keys->number_count_max && key != 0);
    uint32_t *newest = bucket_of(keys, key, strategy_index);
    keys->entries[number_index] = (struct dp_order_key){
        .key = key, .older = *newest, .strategy_index = strategy_index, .reason = reason};
    *newest = number_index + 1;
}

const struct dp_order_key *dp_order_keys_find(
    const struct dp_order_keys *keys, uint64_t key, uint16_t strategy_index)
{
    uint32_t place = *bucket_of(keys, key, strategy_index);
    while (place != 0) {
        const struct dp_order_key *entry = &keys->entries[place - 1];
        if (entry->key == key && entry->strategy_index == strategy_index)
            return entry;
        place = entry->older;
    }
    return NULL;
}
