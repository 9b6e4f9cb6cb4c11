/*
 * dp_bench_risk - what `tickplane bench` times of the gate: decisions with every check on.
 *
 * A firm, an account, one strategy and 64 instruments, each limit set and wide enough, every
 * breaker and band on; a row of orders of mixed sides, prices and sizes that all pass. No order is
 * like the one before it, and time goes on by a microsecond each. The memory is the caller's.
 */
#ifndef DP_BENCH_RISK_H
#define DP_BENCH_RISK_H

#include "dp_hist.h"
#include "dp_risk.h"

#define DP_BENCH_RISK_INSTRUMENTS 64u
#define DP_BENCH_RISK_ORDERS 4096u

struct dp_bench_risk {
    struct dp_risk *risk;
    struct dp_risk_order orders[DP_BENCH_RISK_ORDERS];
    int64_t now_ns;
};

size_t dp_bench_risk_size(void); /* of the gate's memory */
/* memory: that many bytes, cache-line aligned. Called again before every run: nothing is open. */
void dp_bench_risk_init(struct dp_bench_risk *bench, void *memory);
/* Decides `count` orders; returns how many passed, which is all. */
uint64_t dp_bench_risk_decide(struct dp_bench_risk *bench, uint64_t count);
/* In the place of dp_risk_decide(): yes, at once. */
enum dp_reason dp_bench_say_yes(
    struct dp_risk *risk, const struct dp_risk_order *order, struct dp_risk_verdict *verdict);
/* The same loop with a call that says yes at once: what calling and walking the orders costs. */
uint64_t dp_bench_risk_empty(struct dp_bench_risk *bench, uint64_t count);
/* One by one, into the histogram in TSC ticks, the cost of reading the counter taken off. */
void dp_bench_risk_each(
    struct dp_bench_risk *bench, uint64_t count, uint64_t overhead_tsc, struct dp_hist *hist);

#endif
