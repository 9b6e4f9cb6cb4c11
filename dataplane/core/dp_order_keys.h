/*
 * dp_order_keys - idempotency keys: which request was answered how, so that none is sent twice.
 *
 * A submitter may name a request by a key of its own choice, any 64-bit number but 0, unique within
 * its strategy. Each key that is noted belongs to a user_ref_num, and a table of orders has a
 * bounded count of those: so there is one place for each number, none is ever evicted, and a key is
 * remembered for as long as the number is, which is the life of the table (a trading day). The key
 * is in the order's event: a table rebuilt from a journal knows every key again.
 *
 * Finding is wait-free: one look at the newest key of its bucket, then down a list of those older,
 * one to two steps on average and never more than there are numbers. Keys that count up share
 * cache lines. One thread, that which makes orders. Private to dp_order*.c and its tests; no
 * pointers inside, memory belongs to the caller.
 */
#ifndef DP_ORDER_KEYS_H
#define DP_ORDER_KEYS_H

#include "dp_base.h"

struct dp_order_key {
    uint64_t key;
    uint32_t older; /* index + 1 of the next older one of this bucket; 0 behind the last */
    uint16_t strategy_index;
    uint16_t reason; /* enum dp_reason: how the request was answered */
};

struct dp_order_keys {
    uint32_t number_count_max;
    uint32_t bucket_mask;
    alignas(DP_CACHE_LINE) struct dp_order_key entries[]; /* one a number, then the buckets */
};

size_t dp_order_keys_size(uint32_t number_count_max);
void dp_order_keys_init(struct dp_order_keys *keys, uint32_t number_count_max);
/* number_index: below number_count_max, each at most once. */
void dp_order_keys_note(struct dp_order_keys *keys, uint32_t number_index, uint64_t key,
    uint16_t strategy_index, uint16_t reason);
/* The place in `entries` is the number's index; NULL when that key was never noted. */
const struct dp_order_key *dp_order_keys_find(
    const struct dp_order_keys *keys, uint64_t key, uint16_t strategy_index);

#endif
