/*
 * dp_bench_submit - what `tickplane bench` times of the order path: one order, a batch, a life.
 *
 * The whole path over memory of its own: open books, every risk limit set, an order table, a
 * journal segment, templates and the transmit ring, as the engine wires them. What the engine does
 * when a callback is over (hand the frames to the port, bring the digest up to date) is done after
 * each order: inside a closed loop's time, outside a latency.
 *
 * Latency is open loop: order i is due at start + i * interval whatever happened before, and what
 * is recorded is due to done, so a stall counts against every order that it delayed. The same loop
 * without an order is the clock's own cost.
 */
#ifndef DP_BENCH_SUBMIT_H
#define DP_BENCH_SUBMIT_H

#include "dp_base.h"
#include "dp_err.h"
#include "dp_hist.h"
#include "dp_strategy.h"

#define DP_BENCH_BATCH_MAX 32

enum dp_bench_between {
    DP_BENCH_WARM = 0, /* nothing else happens between two orders */
    DP_BENCH_COLD,     /* 8 MiB of something else are written between two orders */
    DP_BENCH_REWARMED, /* the same, then a shadow order is walked and the next one looked for */
};

struct dp_bench_submit; /* opaque, allocated by dp_bench_submit_open() */

/* order_count: the most orders between two resets. NULL and err when memory is short. */
struct dp_bench_submit *dp_bench_submit_open(uint32_t order_count, struct dp_err *err);
void dp_bench_submit_close(struct dp_bench_submit *bench);
/* Back to the first order, all memory touched. */
void dp_bench_submit_reset(struct dp_bench_submit *bench);
uint64_t dp_bench_submit_sent(const struct dp_bench_submit *bench); /* frames since the reset */

/* What a strategy holds, and the request it makes as its order `index`. */
struct dp_gateway *dp_bench_submit_gateway(struct dp_bench_submit *bench);
struct dp_request dp_bench_submit_request(uint64_t index);

/* Closed loops: `count` orders as fast as they go, one at a time, DP_BENCH_BATCH_MAX at a time, and
 * each with its accept and its fill. */
void dp_bench_submit_one(struct dp_bench_submit *bench, uint64_t count);
/* As the first, with a gate that says yes at once: beside it, what the gate costs inside. */
void dp_bench_submit_ungated(struct dp_bench_submit *bench, uint64_t count);
void dp_bench_submit_batch(struct dp_bench_submit *bench, uint64_t count);
void dp_bench_submit_life(struct dp_bench_submit *bench, uint64_t count);

/* Makes one order through the gateway; its frame is in the ring when it returns. */
typedef void dp_bench_order(void *state, struct dp_gateway *gateway, uint64_t index);
/* As a strategy in C does. */
void dp_bench_submit_order(void *state, struct dp_gateway *gateway, uint64_t index);
/* Both in TSC ticks. The first is the latency; the second leaves out what an order waited for those
 * before it, and so says how much of the first was the order's own. */
struct dp_bench_latency {
    struct dp_hist since_due;
    struct dp_hist since_begun;
};

/* Open loop; order NULL: the clock alone. */
void dp_bench_submit_latency(struct dp_bench_submit *bench, enum dp_bench_between between,
    dp_bench_order *order, void *state, uint64_t count, uint64_t interval_tsc,
    struct dp_bench_latency *latency);

#endif
