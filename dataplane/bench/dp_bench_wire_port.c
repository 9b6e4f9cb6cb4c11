#include "dp_bench_wire_port.h"

#include <errno.h>

#include "dp_live_ports.h"

#ifdef DP_HAVE_URING
#include "dp_port_uring.h"

static struct dp_port *open_uring(const struct dp_bench_wire_ends *ends, struct dp_err *err)
{
    const struct dp_port_uring_config config = {
        .local_ip = ends->here.ip,
        .local_port = ends->here.port,
        .remote_ip = ends->there.ip,
        .remote_port = ends->there.port,
        .buffer_count = 4096,
    };
    return dp_port_uring_open(&config, err);
}
#else
static struct dp_port *open_uring(const struct dp_bench_wire_ends *ends, struct dp_err *err)
{
    (void)ends;
    dp_err_set(err, ENOTSUP, "bench: wire: uring: not in this build");
    return NULL;
}
#endif

/* The engine's own way: the port of its first line. */
static struct dp_port *open_live(struct dp_bench_wire_port *opened, enum dp_live_kind kind,
    const char *interface, const struct dp_bench_wire_ends *ends, struct dp_err *err)
{
    struct dp_engine_live_channel channel = {0};
    const struct dp_live_ports_config config = {
        .name = "tickplane-bench",
        .kind = kind,
        .interface = interface,
        .queue_count = 1,
        .lines = {{.ip = ends->here.ip, .port = ends->here.port}},
        .line_count = 1,
        .channels = {{.line_count = 1}},
        .channel_count = 1,
    };
    opened->owner = dp_live_ports_open(&config, &channel, err);
    return opened->owner == NULL ? NULL : channel.feed.lines[0].port;
}

int dp_bench_wire_port_open(struct dp_bench_wire_port *opened, const char *kind,
    const char *interface, const struct dp_bench_wire_ends *ends, struct dp_err *err)
{
    *opened = (struct dp_bench_wire_port){0};
    if (strcmp(kind, "plain") == 0)
        opened->port = dp_bench_wire_plain_open(ends, err);
    else if (strcmp(kind, "uring") == 0)
        opened->port = open_uring(ends, err);
    else if (strcmp(kind, "xdp") == 0)
        opened->port = open_live(opened, DP_LIVE_XDP, interface, ends, err);
    else if (strcmp(kind, "dpdk") == 0)
        opened->port = open_live(opened, DP_LIVE_DPDK, interface, ends, err);
    else
        dp_err_set(err, EINVAL, "bench: wire: kind is '%s'; give uring, xdp, dpdk or plain", kind);
    return opened->port == NULL ? -err->code : 0;
}

void dp_bench_wire_port_close(struct dp_bench_wire_port *opened)
{
    if (opened->owner != NULL)
        dp_live_ports_close(opened->owner);
    else if (opened->port != NULL)
        dp_port_close(opened->port, NULL);
    *opened = (struct dp_bench_wire_port){0};
}
