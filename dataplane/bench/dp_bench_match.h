/*
 * dp_bench_match - flows of orders for the rows `match.*` of `tickplane bench`.
 *
 * Half of the commands are new orders, of which 15 % are immediate-or-cancel, 41 % are cancels, 9 %
 * replaces (half of them for less at the same price). Limit orders come at a geometric distance
 * behind the middle, immediate ones, ten times smaller, reach two ticks over it. A cancel or
 * replace names an order whose owner has not cancelled it, nine of ten times among the thousand
 * youngest; it may have traded meanwhile, so some come too late and are refused. The shapes say how
 * the middle moves, in ticks:
 *
 *     static    not at all
 *     normal    one either way, every five hundredth command
 *     swing25   up and down by 25 within 100,000 commands
 *     swing40   up and down by 40 within 100,000 commands
 *     crash     as normal; halfway 3,000 down within 20,000 commands, and back
 */
#ifndef DP_BENCH_MATCH_H
#define DP_BENCH_MATCH_H

#include "dp_match.h"

enum dp_bench_match_shape {
    DP_BENCH_MATCH_STATIC = 0,
    DP_BENCH_MATCH_NORMAL,
    DP_BENCH_MATCH_SWING25,
    DP_BENCH_MATCH_SWING40,
    DP_BENCH_MATCH_CRASH,
    DP_BENCH_MATCH_SHAPE_COUNT
};

enum dp_bench_match_kind {
    DP_BENCH_MATCH_NEW = 0,
    DP_BENCH_MATCH_IMMEDIATE,
    DP_BENCH_MATCH_CANCEL,
    DP_BENCH_MATCH_REPLACE,
};

struct dp_bench_match_command {
    uint32_t order_id; /* 1 .. number of new orders */
    int32_t ticks;     /* price */
    uint32_t qty;
    uint8_t kind;
    uint8_t side;
    uint16_t participant;
};

#define DP_BENCH_MATCH_TICK INT64_C(10000000)

/* What one pass did; equal for equal rules. */
struct dp_bench_match_result {
    uint64_t traded_qty;
    uint64_t trades;
    uint64_t live; /* orders at the end */
    uint64_t refused;
};

/* An engine for such flows, with one instrument. Cache-line aligned memory of
 * dp_bench_match_size(). */
size_t dp_bench_match_size(uint32_t order_count_max);
void dp_bench_match_init(
    struct dp_match *match, uint32_t order_count_max, enum dp_match_policy policy);

/* resting: so many orders within 500 ticks of the middle come first, the measured `count` behind
 * them. Ids are counted from 1. Fills commands[resting + count]. */
void dp_bench_match_flow(enum dp_bench_match_shape shape, uint64_t seed,
    struct dp_bench_match_command *commands, uint32_t resting, uint32_t count);

struct dp_bench_match_result dp_bench_match_run(
    struct dp_match *match, const struct dp_bench_match_command *commands, uint32_t count);
/* How many reports each command has, at most 255. */
void dp_bench_match_report_counts(struct dp_match *match,
    const struct dp_bench_match_command *commands, uint32_t count, uint8_t *report_counts);
/* The harness alone: the same requests made, and as many reports read, of an engine that does
 * nothing. Returns the trades among them, which are none. */
uint64_t dp_bench_match_empty(
    const struct dp_bench_match_command *commands, uint32_t count, const uint8_t *report_counts);
/* Each command's ticks of the time-stamp counter. */
void dp_bench_match_time(struct dp_match *match, const struct dp_bench_match_command *commands,
    uint32_t count, uint32_t *ticks_tsc);

#endif
