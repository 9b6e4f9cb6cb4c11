#include "dp_bench_skiplist.h"

#include <errno.h>

#include "dp_err.h"
#include "dp_skiplist_multi.h"

struct dp_bench_skiplist {
    struct dp_skiplist_multi *multi;
    struct dp_epoch *epoch;
    struct dp_skiplist_multi_writer writer;
    struct dp_bench_level_op odd[DP_BENCH_LEVEL_OPS];
    struct dp_bench_level_op even[DP_BENCH_LEVEL_OPS];
};

static uint64_t draw(uint64_t *random)
{
    *random ^= *random >> 12;
    *random ^= *random << 25;
    *random ^= *random >> 27;
    return *random * 0x2545f4914f6cdd1dull >> 16;
}

static void shuffle(struct dp_bench_level_op *ops, uint32_t count, uint64_t *random)
{
    for (uint32_t at = count; at > 1; at--) {
        uint32_t other = (uint32_t)(draw(random) % at);
        struct dp_bench_level_op op = ops[at - 1];
        ops[at - 1] = ops[other];
        ops[other] = op;
    }
}

void dp_bench_level_ops(uint32_t level_count, struct dp_bench_level_op *resting,
    struct dp_bench_level_op *odd, struct dp_bench_level_op *even)
{
    uint64_t random = 88172645463325252ull;
    for (uint32_t at = 0; at < DP_BENCH_LEVELS; at++)
        resting[at] = (struct dp_bench_level_op){at / level_count, 2 + 2 * (at % level_count)};
    shuffle(resting, DP_BENCH_LEVELS, &random);
    for (uint32_t at = 0; at < DP_BENCH_LEVEL_OPS; at++)
        even[at] = odd[at] = resting[at];
    for (uint32_t at = 0; at < DP_BENCH_LEVEL_OPS; at++)
        odd[at].price_nanos++;
    shuffle(odd, DP_BENCH_LEVEL_OPS, &random);
    shuffle(resting, DP_BENCH_LEVELS, &random);
}

static void *zeroed(size_t size)
{
    size = dp_round_up(size, DP_CACHE_LINE);
    void *memory = aligned_alloc(DP_CACHE_LINE, size);
    return memory == NULL ? NULL : memset(memory, 0, size);
}

static void put(
    struct dp_bench_skiplist *bench, const struct dp_bench_level_op *ops, uint32_t count)
{
    for (uint32_t at = 0; at < count; at++) {
        enum dp_skiplist_multi_result result = dp_skiplist_multi_insert(
            &bench->writer, 2 * ops[at].list + 1, ops[at].price_nanos, 1, 1);
        DP_ASSERT(result == DP_SKIPLIST_MULTI_OK);
    }
}

static bool fill(struct dp_bench_skiplist *bench, uint32_t level_count)
{
    struct dp_bench_level_op *resting = zeroed(DP_BENCH_LEVELS * sizeof(*resting));
    if (resting == NULL)
        return false;
    dp_bench_level_ops(level_count, resting, bench->odd, bench->even);
    put(bench, resting, DP_BENCH_LEVELS);
    free(resting);
    return true;
}

struct dp_bench_skiplist *dp_bench_skiplist_open(uint32_t level_count, struct dp_err *err)
{
    uint32_t list_count = 2 * (DP_BENCH_LEVELS / level_count);
    uint32_t capacity = 2 * DP_BENCH_LEVELS;
    struct dp_bench_skiplist *bench = zeroed(sizeof(*bench));
    if (bench == NULL)
        goto short_of_memory;
    bench->multi = zeroed(dp_skiplist_multi_size(list_count, capacity));
    bench->epoch = zeroed(dp_epoch_size(1));
    if (bench->multi == NULL || bench->epoch == NULL)
        goto short_of_memory;
    dp_epoch_init(bench->epoch, 1);
    if (dp_skiplist_multi_init(bench->multi, list_count, capacity, err) < 0)
        goto unwind;
    dp_skiplist_multi_join(&bench->writer, bench->multi, bench->epoch, 1);
    if (fill(bench, level_count))
        return bench;

short_of_memory:
    dp_err_set(err, ENOMEM, "bench: no memory for %u levels; free some", capacity);
unwind:
    dp_bench_skiplist_close(bench);
    return NULL;
}

void dp_bench_skiplist_close(struct dp_bench_skiplist *bench)
{
    if (bench == NULL)
        return;
    free(bench->multi);
    free(bench->epoch);
    free(bench);
}

void dp_bench_skiplist_insert(struct dp_bench_skiplist *bench)
{
    put(bench, bench->odd, DP_BENCH_LEVEL_OPS);
}

void dp_bench_skiplist_delete(struct dp_bench_skiplist *bench)
{
    for (uint32_t at = 0; at < DP_BENCH_LEVEL_OPS; at++) {
        struct dp_skiplist_multi_level last;
        const struct dp_bench_level_op *op = &bench->odd[at];
        enum dp_skiplist_multi_result result =
            dp_skiplist_multi_remove(&bench->writer, 2 * op->list + 1, op->price_nanos, &last);
        DP_ASSERT(result == DP_SKIPLIST_MULTI_OK);
    }
}

void dp_bench_skiplist_lookup(struct dp_bench_skiplist *bench)
{
    uint64_t qty = 0;
    for (uint32_t at = 0; at < DP_BENCH_LEVEL_OPS; at++) {
        struct dp_skiplist_multi_level level;
        const struct dp_bench_level_op *op = &bench->even[at];
        if (dp_skiplist_multi_find(bench->multi, 2 * op->list + 1, op->price_nanos, &level))
            qty += level.qty;
    }
    DP_ASSERT(qty == DP_BENCH_LEVEL_OPS);
}

#ifndef DP_BENCH_HAS_MAP
bool dp_bench_map_is_there(void)
{
    return false;
}

struct dp_bench_map *dp_bench_map_open(uint32_t level_count)
{
    (void)level_count;
    return NULL;
}

void dp_bench_map_close(struct dp_bench_map *map)
{
    (void)map;
}

void dp_bench_map_insert(struct dp_bench_map *map)
{
    (void)map;
}

void dp_bench_map_delete(struct dp_bench_map *map)
{
    (void)map;
}

void dp_bench_map_lookup(struct dp_bench_map *map)
{
    (void)map;
}
#endif
