// The reference of dp_bench_skiplist.h: the ordered map of the C++ library. Built where there is a
// C++ compiler; nothing else of the project is C++.
#include "dp_bench_skiplist.h"

#include <cstdlib>
#include <map>
#include <vector>

static void expect(bool holds)
{
    if (!holds)
        abort();
}

struct dp_bench_map {
    std::vector<std::map<int64_t, uint64_t>> lists;
    std::vector<dp_bench_level_op> odd, even;
};

bool dp_bench_map_is_there(void)
{
    return true;
}

struct dp_bench_map *dp_bench_map_open(uint32_t level_count)
{
    auto *map = new dp_bench_map;
    std::vector<dp_bench_level_op> resting(DP_BENCH_LEVELS);
    map->lists.resize(DP_BENCH_LEVELS / level_count);
    map->odd.resize(DP_BENCH_LEVEL_OPS);
    map->even.resize(DP_BENCH_LEVEL_OPS);
    dp_bench_level_ops(level_count, resting.data(), map->odd.data(), map->even.data());
    for (const auto &op : resting)
        map->lists[op.list].emplace(op.price_nanos, 1);
    return map;
}

void dp_bench_map_close(struct dp_bench_map *map)
{
    delete map;
}

void dp_bench_map_insert(struct dp_bench_map *map)
{
    for (const auto &op : map->odd)
        expect(map->lists[op.list].emplace(op.price_nanos, 1).second);
}

void dp_bench_map_delete(struct dp_bench_map *map)
{
    for (const auto &op : map->odd)
        expect(map->lists[op.list].erase(op.price_nanos) == 1);
}

void dp_bench_map_lookup(struct dp_bench_map *map)
{
    uint64_t qty = 0;
    for (const auto &op : map->even) {
        auto found = map->lists[op.list].find(op.price_nanos);
        if (found != map->lists[op.list].end())
            qty += found->second;
    }
    expect(qty == DP_BENCH_LEVEL_OPS);
}
