/*
 * dp_bench_venue - a load of orders for an exchange over sockets, and a bare echo to compare it
 * with.
 *
 * The load logs in on so many connections and keeps `window` orders unanswered on each: buys and
 * sells of one instrument in turn, so that every second one trades. An answer is an acceptance, or
 * the order itself when an echo sends it back. Times are from before an order's send to after the
 * read that brought its answer. The echo sends back what it reads, on the same kind of sockets.
 * Both block their thread; each has its own.
 */
#ifndef DP_BENCH_VENUE_H
#define DP_BENCH_VENUE_H

#include "dp_err.h"
#include "dp_hist.h"

#define DP_BENCH_VENUE_SESSIONS_MAX 16u
#define DP_BENCH_VENUE_WINDOW_MAX 4096u

struct dp_bench_venue_load {
    uint16_t port; /* of the loopback */
    uint32_t session_count;
    uint32_t window;             /* a power of two */
    uint64_t orders_per_session; /* a multiple of 2 */
    uint32_t user_ref_num_first; /* on every session */
    char symbol[8];
};

/* Users are load0, load1 ..., password "secret". Runs the load; elapsed_ns is from the first order
 * to the last answer, *hist has each order's time in nanoseconds. */
int dp_bench_venue_run(const struct dp_bench_venue_load *load, struct dp_hist *hist,
    int64_t *elapsed_ns, struct dp_err *err);

struct dp_bench_echo; /* opaque */

struct dp_bench_echo *dp_bench_echo_open(struct dp_err *err);
uint16_t dp_bench_echo_port(const struct dp_bench_echo *echo);
void dp_bench_echo_run(struct dp_bench_echo *echo, int64_t budget_ns);
void dp_bench_echo_close(struct dp_bench_echo *echo); /* NULL is fine */

#endif
