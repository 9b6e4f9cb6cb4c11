"""Mirror of bench/dp_bench_skiplist.h."""

from libc.stdint cimport uint32_t

from dataplane.dp_err cimport dp_err


cdef extern from "dp_bench_skiplist.h" nogil:
    const uint32_t DP_BENCH_LEVEL_OPS

    struct dp_bench_skiplist:
        pass

    dp_bench_skiplist *dp_bench_skiplist_open(uint32_t level_count, dp_err *err)
    void dp_bench_skiplist_close(dp_bench_skiplist *bench)
    void dp_bench_skiplist_insert(dp_bench_skiplist *bench)
    void dp_bench_skiplist_delete(dp_bench_skiplist *bench)
    void dp_bench_skiplist_lookup(dp_bench_skiplist *bench)

    struct dp_bench_map:
        pass

    bint dp_bench_map_is_there()
    dp_bench_map *dp_bench_map_open(uint32_t level_count)
    void dp_bench_map_close(dp_bench_map *map)
    void dp_bench_map_insert(dp_bench_map *map)
    void dp_bench_map_delete(dp_bench_map *map)
    void dp_bench_map_lookup(dp_bench_map *map)
