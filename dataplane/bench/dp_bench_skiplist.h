/*
 * dp_bench_skiplist - what `tickplane bench` times of dp_skiplist_multi, and of an ordered map of
 * the C++ library that one thread uses alone.
 *
 * As many lists of level_count levels as make DP_BENCH_LEVELS together, so that every size works in
 * as much memory as the largest. Even prices rest; one call puts odd ones in, in random order over
 * all lists, or takes them out again, or looks for resting ones.
 */
#ifndef DP_BENCH_SKIPLIST_H
#define DP_BENCH_SKIPLIST_H

#include <stdbool.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

struct dp_err;

#define DP_BENCH_LEVELS 10000u
#define DP_BENCH_LEVEL_OPS (DP_BENCH_LEVELS / 10) /* operations in one call */

/* Where operation `at` goes. */
struct dp_bench_level_op {
    uint32_t list;
    int64_t price_nanos;
};

struct dp_bench_skiplist; /* opaque, allocated by dp_bench_skiplist_open() */

/* NULL and err when memory is short. */
struct dp_bench_skiplist *dp_bench_skiplist_open(uint32_t level_count, struct dp_err *err);
void dp_bench_skiplist_close(struct dp_bench_skiplist *bench);
/* Odd prices, which the first puts in and the second takes out; even ones, which are found. */
void dp_bench_skiplist_insert(struct dp_bench_skiplist *bench);
void dp_bench_skiplist_delete(struct dp_bench_skiplist *bench);
void dp_bench_skiplist_lookup(struct dp_bench_skiplist *bench);

/* The same with std::map. */
struct dp_bench_map;
/* Whether there was a C++ compiler; without one the calls below do nothing and open says NULL. */
bool dp_bench_map_is_there(void);
struct dp_bench_map *dp_bench_map_open(uint32_t level_count);
void dp_bench_map_close(struct dp_bench_map *map);
void dp_bench_map_insert(struct dp_bench_map *map);
void dp_bench_map_delete(struct dp_bench_map *map);
void dp_bench_map_lookup(struct dp_bench_map *map);

/* What both do: fills in DP_BENCH_LEVELS resting places, and DP_BENCH_LEVEL_OPS of either kind. */
void dp_bench_level_ops(uint32_t level_count, struct dp_bench_level_op *resting,
    struct dp_bench_level_op *odd, struct dp_bench_level_op *even);

#ifdef __cplusplus
}
#endif

#endif
