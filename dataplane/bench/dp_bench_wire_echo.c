#include "dp_bench_wire_echo.h"

#include <errno.h>

#include "dp_clock.h"

#define LOOKS 1024 /* between two looks at the clock */

static dp_bench_wire_echo_open_fn *find(const char *kind)
{
#ifdef DP_HAVE_URING
    if (strcmp(kind, "uring") == 0)
        return dp_bench_wire_echo_uring;
#endif
#ifdef DP_HAVE_XDP
    if (strcmp(kind, "xdp") == 0)
        return dp_bench_wire_echo_xdp;
#endif
#ifdef DP_HAVE_DPDK
    if (strcmp(kind, "dpdk") == 0)
        return dp_bench_wire_echo_dpdk;
#endif
    return NULL;
}

struct dp_bench_wire_echo *dp_bench_wire_echo_open(const char *kind, const char *interface,
    const struct dp_bench_wire_ends *ends, struct dp_err *err)
{
    dp_bench_wire_echo_open_fn *open = find(kind);
    if (open != NULL)
        return open(interface, ends, err);
    dp_err_set(err, ENOTSUP, "bench: wire: no echo over '%s' in this build", kind);
    return NULL;
}

void dp_bench_wire_echo_run(struct dp_bench_wire_echo *echo, int64_t time_ns)
{
    int64_t until_ns = dp_clock_monotonic_ns() + time_ns;
    while (dp_clock_monotonic_ns() < until_ns)
        for (int look = 0; look < LOOKS; look++)
            echo->turn(echo);
}

void dp_bench_wire_echo_close(struct dp_bench_wire_echo *echo)
{
    if (echo != NULL)
        echo->close(echo);
}
