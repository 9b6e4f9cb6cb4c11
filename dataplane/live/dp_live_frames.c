#include "dp_live_frames.h"

#include <errno.h>

#include "dp_live_stack.h"
#include "dp_net.h"
#include "dp_port_join.h"

#ifdef DP_HAVE_XDP
#include "dp_port_xdp.h"
#endif
#ifdef DP_HAVE_DPDK
#include "dp_port_dpdk.h"
#endif

#define XDP_BUSY_BUDGET 64u
#define MTU_DEFAULT 1500u

struct dp_live_frames {
    const struct dp_live_ports_config *config;
    struct dp_port *queues[DP_PORT_JOIN_MAX];
    uint32_t queue_count;
    struct dp_port *joined; /* NULL: one queue alone */
    uint32_t steered;       /* dpdk: lines that a flow rule brings to the first queue */
#ifdef DP_HAVE_XDP
    struct dp_xdp_program *program;
#endif
#ifdef DP_HAVE_DPDK
    struct dp_dpdk_device *device;
    bool has_dpdk;
#endif
};

/* Of no use in a build that has neither. */
__attribute__((unused)) static int keep(
    struct dp_live_frames *frames, struct dp_port *port, const struct dp_err *err)
{
    if (port == NULL)
        return -err->code;
    frames->queues[frames->queue_count++] = port;
    return 0;
}

#ifdef DP_HAVE_XDP
static uint32_t list_flows(const struct dp_live_ports_config *config, struct dp_xdp_flow *flows)
{
    uint32_t count = 0;
    for (uint32_t line = 0; line < config->line_count; line++)
        flows[count++] =
            (struct dp_xdp_flow){config->lines[line].ip, config->lines[line].port, DP_NET_UDP};
    for (uint16_t at = 0; config->tcp.is_lwip && at < DP_LIVE_STACK_PORTS; at++)
        flows[count++] = (struct dp_xdp_flow){
            config->tcp.ip, (uint16_t)(config->tcp.port_first + at), DP_NET_TCP};
    return count;
}

static int open_xdp(struct dp_live_frames *frames, struct dp_err *err)
{
    const struct dp_live_ports_config *config = frames->config;
    struct dp_xdp_flow flows[DP_FEED_CHANNELS_LINES_MAX + DP_LIVE_STACK_PORTS];
    uint32_t flow_count = list_flows(config, flows);
    frames->program = dp_xdp_program_open(config->interface, flows, flow_count, true, err);
    int status = frames->program == NULL ? -err->code : 0;
    for (uint32_t at = 0; at < config->queue_count && status == 0; at++) {
        const struct dp_port_xdp_config queue = {
            .queue = config->queue + at,
            .busy_poll_budget = config->busy_poll_us != 0 ? XDP_BUSY_BUDGET : 0,
        };
        status = keep(frames, dp_port_xdp_open(frames->program, &queue, err), err);
    }
    return status;
}
#else
static int open_xdp(struct dp_live_frames *frames, struct dp_err *err)
{
    (void)frames;
    return dp_live_lacks("xdp", "libxdp and libbpf", err);
}
#endif

#ifdef DP_HAVE_DPDK
/* A wish: a device without rules spreads flows by itself, and all its queues are read. */
static void steer(struct dp_live_frames *frames)
{
    const struct dp_live_ports_config *config = frames->config;
    struct dp_err err;
    for (uint32_t line = 0; line < config->line_count; line++)
        frames->steered += dp_dpdk_device_steer(frames->device, config->lines[line].ip,
                               config->lines[line].port, 0, &err) == 0;
}

static int open_dpdk(struct dp_live_frames *frames, struct dp_err *err)
{
    const struct dp_live_ports_config *config = frames->config;
    const char *const devices[] = {config->interface, NULL};
    char name[64];
    const struct dp_dpdk_environment environment = {
        .name = config->name, .huge_pages = config->huge_pages, .devices = devices};
    const struct dp_dpdk_device_config device = {
        .name = name, .queue_count = config->queue_count, .mtu = config->mtu};
    if (dp_dpdk_start(&environment, err) < 0)
        return -err->code;
    frames->has_dpdk = true;
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(config->interface, ","), config->interface);
    frames->device = dp_dpdk_device_open(&device, err);
    int status = frames->device == NULL ? -err->code : 0;
    for (uint32_t at = 0; at < config->queue_count && status == 0; at++)
        status = keep(frames, dp_port_dpdk_open(frames->device, at, err), err);
    if (status == 0)
        steer(frames);
    return status;
}
#else
static int open_dpdk(struct dp_live_frames *frames, struct dp_err *err)
{
    (void)frames;
    return dp_live_lacks("dpdk", "libdpdk", err);
}
#endif

static int open_all(struct dp_live_frames *frames, struct dp_err *err)
{
    int status =
        frames->config->kind == DP_LIVE_XDP ? open_xdp(frames, err) : open_dpdk(frames, err);
    if (status < 0 || frames->queue_count == 1)
        return status;
    frames->joined = dp_port_join_open(frames->queues, frames->queue_count, err);
    return frames->joined == NULL ? -err->code : 0;
}

struct dp_live_frames *dp_live_frames_open(
    const struct dp_live_ports_config *config, struct dp_err *err)
{
    if (config->queue_count == 0 || config->queue_count > DP_PORT_JOIN_MAX) {
        dp_err_set(err, EINVAL, "live: queues is %u; it takes 1 to %u", config->queue_count,
            DP_PORT_JOIN_MAX);
        return NULL;
    }
    struct dp_live_frames *frames = calloc(1, sizeof(*frames));
    if (frames == NULL) {
        dp_err_set(err, ENOMEM, "live: no memory for a port of frames");
        return NULL;
    }
    frames->config = config;
    if (open_all(frames, err) < 0) {
        dp_live_frames_close(frames);
        return NULL;
    }
    return frames;
}

struct dp_port *dp_live_frames_port(const struct dp_live_frames *frames)
{
    return frames->joined != NULL ? frames->joined : frames->queues[0];
}

struct dp_port *dp_live_frames_queue(const struct dp_live_frames *frames, uint32_t index)
{
    if (index >= frames->queue_count)
        return NULL;
#ifdef DP_HAVE_XDP
    if (frames->config->kind == DP_LIVE_XDP)
        dp_port_xdp_update_stats(frames->queues[index]);
#endif
    return frames->queues[index];
}

void dp_live_frames_mac(const struct dp_live_frames *frames, uint8_t mac[6])
{
    (void)frames;
    memset(mac, 0, 6);
#ifdef DP_HAVE_XDP
    if (frames->program != NULL)
        dp_xdp_program_mac(frames->program, mac);
#endif
#ifdef DP_HAVE_DPDK
    if (frames->device != NULL)
        dp_dpdk_device_mac(frames->device, mac);
#endif
}

void dp_live_frames_describe(const struct dp_live_frames *frames, char *text, size_t size)
{
    const struct dp_live_ports_config *config = frames->config;
    char queues[32];
    snprintf(queues, sizeof(queues), "queue %u", config->queue);
    if (frames->queue_count > 1)
        snprintf(queues, sizeof(queues), "queues %u to %u", config->queue,
            config->queue + frames->queue_count - 1);
    text[0] = '\0';
#ifdef DP_HAVE_XDP
    if (config->kind == DP_LIVE_XDP)
        snprintf(text, size, "xdp: %s %s, %s, %s, frames up to %u bytes", config->interface, queues,
            dp_xdp_program_hook(frames->program) == DP_XDP_NATIVE ? "in the driver" : "generic",
            dp_port_xdp_is_zero_copy(frames->queues[0]) ? "zero copy" : "by copy",
            dp_port_xdp_packet_max(frames->queues[0]));
#endif
#ifdef DP_HAVE_DPDK
    if (config->kind == DP_LIVE_DPDK)
        snprintf(text, size, "dpdk: %s, %s, %s pages, %s, packets up to %u bytes",
            config->interface, queues, config->huge_pages ? "huge" : "plain",
            frames->steered == config->line_count ? "flow rules" : "no flow rules",
            config->mtu != 0 ? config->mtu : MTU_DEFAULT);
#endif
}

void dp_live_frames_close(struct dp_live_frames *frames)
{
    if (frames == NULL)
        return;
    if (frames->joined != NULL)
        dp_port_close(frames->joined, NULL);
    while (frames->queue_count > 0)
        dp_port_close(frames->queues[--frames->queue_count], NULL);
#ifdef DP_HAVE_XDP
    dp_xdp_program_close(frames->program);
#endif
#ifdef DP_HAVE_DPDK
    if (frames->device != NULL)
        dp_dpdk_device_close(frames->device);
    if (frames->has_dpdk)
        dp_dpdk_stop();
#endif
    free(frames);
}
