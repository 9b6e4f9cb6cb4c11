/*
 * dp_bench_plain - a matching engine as one would write it first, to measure beside `dp_match`.
 *
 * The price levels of a side stand in one sorted array, best last; orders in linked queues; all
 * orders in an array by id. Price, then time; no reports, no accounts, nothing but limit orders. It
 * decides the same as dp_match for the flows of dp_bench_match, so what both traded can be
 * compared. One thread; the memory belongs to the caller.
 */
#ifndef DP_BENCH_PLAIN_H
#define DP_BENCH_PLAIN_H

#include "dp_bench_match.h"

#define DP_BENCH_PLAIN_LEVELS 16384

struct dp_bench_plain_order {
    uint32_t qty; /* 0: not live */
    int32_t ticks;
    uint32_t next;
    uint32_t back;
    uint8_t side;
};

struct dp_bench_plain_level {
    int32_t rank; /* larger is better: ticks of a bid, minus ticks of an ask */
    uint32_t first;
    uint32_t last;
};

struct dp_bench_plain {
    uint32_t level_count[2];
    struct dp_bench_plain_level levels[2][DP_BENCH_PLAIN_LEVELS];
    struct dp_bench_plain_order orders[]; /* by id */
};

size_t dp_bench_plain_size(uint32_t order_count);
void dp_bench_plain_init(struct dp_bench_plain *plain, uint32_t order_count);
struct dp_bench_match_result dp_bench_plain_run(
    struct dp_bench_plain *plain, const struct dp_bench_match_command *commands, uint32_t count);

#endif
