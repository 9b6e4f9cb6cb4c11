#include "dp_live_ports.h"

#include <errno.h>

#include "dp_live_stack.h"
#include "dp_net.h"
#include "dp_port_card.h"
#include "dp_port_split.h"

#ifdef DP_HAVE_URING
#include "dp_port_uring.h"
#include "dp_stream_uring.h"
#endif
#ifdef DP_HAVE_XDP
#include "dp_port_xdp.h"
#endif
#ifdef DP_HAVE_DPDK
#include "dp_port_dpdk.h"
#endif

/* A split port has two, and one may stand behind a card. */
#define PORTS_MAX (DP_FEED_LINES_MAX + DP_FEED_SERVERS_MAX + 3)
#define MULTICAST_FIRST 0xe0000000u
#define MULTICAST_LAST 0xefffffffu
#define XDP_BUSY_BUDGET 64u

struct dp_live_ports {
    struct dp_live_ports_config config;
    struct dp_card *card;             /* NULL: none */
    struct dp_live_stack *stack;      /* NULL: the kernel's TCP */
    struct dp_port *ports[PORTS_MAX]; /* each once, whatever it is used for */
    uint32_t port_count;
#ifdef DP_HAVE_XDP
    struct dp_xdp_program *program;
#endif
#ifdef DP_HAVE_DPDK
    struct dp_dpdk_device *device;
    bool has_dpdk;
#endif
};

static bool is_group(uint32_t ip)
{
    return ip >= MULTICAST_FIRST && ip <= MULTICAST_LAST;
}

static int keep(struct dp_live_ports *ports, struct dp_port *port, const struct dp_err *err)
{
    if (port == NULL)
        return -err->code;
    DP_ASSERT(ports->port_count < PORTS_MAX);
    ports->ports[ports->port_count++] = port;
    return 0;
}

/* Of no use in a build that has all of them. */
__attribute__((unused)) static int lacks(const char *kind, const char *library, struct dp_err *err)
{
    return dp_err_set(err, ENOTSUP,
        "live: port %s: not in this build; install %s and build again, or name another port", kind,
        library);
}

/* ---- sockets ---- */

#ifdef DP_HAVE_URING
static int open_uring_line(struct dp_live_ports *ports, const struct dp_feed_target *line,
    struct dp_port **port, struct dp_err *err)
{
    const struct dp_port_uring_config config = {
        .local_ip = line->ip,
        .local_port = line->port,
        .group_ip = is_group(line->ip) ? line->ip : 0,
        .interface_ip = ports->config.local_ip,
        .buffer_count = 4096,
        .busy_poll_us = ports->config.busy_poll_us,
    };
    *port = dp_port_uring_open(&config, err);
    return keep(ports, *port, err);
}

static int open_server(struct dp_live_ports *ports, const struct dp_feed_target *server,
    struct dp_port **port, struct dp_err *err)
{
    const struct dp_port_uring_config config = {
        .local_ip = ports->config.local_ip,
        .remote_ip = server->ip,
        .remote_port = server->port,
    };
    *port = dp_port_uring_open(&config, err);
    return keep(ports, *port, err);
}

static struct dp_stream *connect_kernel(const struct dp_live_ports *ports,
    const struct dp_order_session_address *address, struct dp_err *err)
{
    const struct dp_stream_uring_config config = {
        .remote_ip = address->ip,
        .remote_port = address->port,
        .busy_poll_us = ports->config.busy_poll_us,
    };
    return dp_stream_uring_open(&config, err);
}
#else
static int open_uring_line(struct dp_live_ports *ports, const struct dp_feed_target *line,
    struct dp_port **port, struct dp_err *err)
{
    (void)ports;
    (void)line;
    (void)port;
    return lacks("uring", "liburing", err);
}

static int open_server(struct dp_live_ports *ports, const struct dp_feed_target *server,
    struct dp_port **port, struct dp_err *err)
{
    return open_uring_line(ports, server, port, err);
}

static struct dp_stream *connect_kernel(const struct dp_live_ports *ports,
    const struct dp_order_session_address *address, struct dp_err *err)
{
    (void)ports;
    (void)address;
    lacks("uring", "liburing", err);
    return NULL;
}
#endif

struct dp_stream *dp_live_connect(
    void *context, const struct dp_order_session_address *address, struct dp_err *err)
{
    const struct dp_live_ports *ports = context;
    return ports->stack != NULL ? dp_live_stack_connect(ports->stack, address, err)
                                : connect_kernel(ports, address, err);
}

/* ---- frames ---- */

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

static int open_xdp(struct dp_live_ports *ports, struct dp_port **port, struct dp_err *err)
{
    const struct dp_live_ports_config *config = &ports->config;
    struct dp_xdp_flow flows[DP_FEED_LINES_MAX + DP_LIVE_STACK_PORTS];
    uint32_t flow_count = list_flows(config, flows);
    ports->program = dp_xdp_program_open(config->interface, flows, flow_count, true, err);
    if (ports->program == NULL)
        return -err->code;
    const struct dp_port_xdp_config queue = {
        .queue = config->queue,
        .busy_poll_budget = config->busy_poll_us != 0 ? XDP_BUSY_BUDGET : 0,
    };
    *port = dp_port_xdp_open(ports->program, &queue, err);
    return keep(ports, *port, err);
}
#else
static int open_xdp(struct dp_live_ports *ports, struct dp_port **port, struct dp_err *err)
{
    (void)ports;
    (void)port;
    return lacks("xdp", "libxdp and libbpf", err);
}
#endif

#ifdef DP_HAVE_DPDK
static int open_dpdk(struct dp_live_ports *ports, struct dp_port **port, struct dp_err *err)
{
    const struct dp_live_ports_config *config = &ports->config;
    const char *const devices[] = {config->interface, NULL};
    char name[64];
    const struct dp_dpdk_environment environment = {
        .name = config->name, .huge_pages = config->huge_pages, .devices = devices};
    const struct dp_dpdk_device_config device = {.name = name};
    if (dp_dpdk_start(&environment, err) < 0)
        return -err->code;
    ports->has_dpdk = true;
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(config->interface, ","), config->interface);
    ports->device = dp_dpdk_device_open(&device, err);
    if (ports->device == NULL)
        return -err->code;
    *port = dp_port_dpdk_open(ports->device, 0, err);
    return keep(ports, *port, err);
}
#else
static int open_dpdk(struct dp_live_ports *ports, struct dp_port **port, struct dp_err *err)
{
    (void)ports;
    (void)port;
    return lacks("dpdk", "libdpdk", err);
}
#endif

/* ---- a card before them ---- */

/* *port becomes the one behind the card. */
static int put_card(struct dp_live_ports *ports, struct dp_port **port, struct dp_err *err)
{
    const char *name = ports->config.card;
    if (name == NULL || name[0] == '\0')
        return 0;
    if (ports->config.kind == DP_LIVE_URING)
        return dp_err_set(err, EINVAL,
            "live: card %s: the port uring moves no Ethernet frames; use xdp or dpdk", name);
    ports->card = dp_card_open(name, ports->config.card_identity, err);
    if (ports->card == NULL)
        return -err->code;
    *port = dp_port_card_open(*port, ports->card, err);
    return keep(ports, *port, err);
}

/* ---- TCP beside the lines ---- */

/* The hardware address of the interface below the port. */
static void read_mac(const struct dp_live_ports *ports, uint8_t mac[6])
{
    memset(mac, 0, 6);
#ifdef DP_HAVE_XDP
    if (ports->program != NULL)
        dp_xdp_program_mac(ports->program, mac);
#endif
#ifdef DP_HAVE_DPDK
    if (ports->device != NULL)
        dp_dpdk_device_mac(ports->device, mac);
#endif
}

/* *port becomes the lines' half. */
static int open_stack(struct dp_live_ports *ports, struct dp_port **port, struct dp_err *err)
{
    struct dp_port *feed = NULL;
    struct dp_port *stack = NULL;
    uint8_t mac[6];
    if (ports->config.kind == DP_LIVE_URING)
        return dp_err_set(err, EINVAL,
            "live: tcp lwip: the port uring moves no Ethernet frames; use xdp or dpdk");
    if (dp_port_split_open(*port, &feed, &stack, err) < 0)
        return -err->code;
    keep(ports, feed, err);
    keep(ports, stack, err);
    *port = feed;
    read_mac(ports, mac);
    ports->stack = dp_live_stack_open(&ports->config.tcp, stack, mac, err);
    return ports->stack == NULL ? -err->code : 0;
}

/* ---- opening ---- */

/* Sockets: one a line. Frames: one port for all of them. */
static int open_lines(
    struct dp_live_ports *ports, struct dp_feed_live_config *feed, struct dp_err *err)
{
    const struct dp_live_ports_config *config = &ports->config;
    struct dp_port *port = NULL;
    int status = 0;
    if (config->kind == DP_LIVE_XDP)
        status = open_xdp(ports, &port, err);
    else if (config->kind == DP_LIVE_DPDK)
        status = open_dpdk(ports, &port, err);
    if (status == 0)
        status = put_card(ports, &port, err);
    if (status == 0 && config->tcp.is_lwip)
        status = open_stack(ports, &port, err);
    for (uint32_t line = 0; line < config->line_count && status == 0; line++) {
        if (config->kind == DP_LIVE_URING)
            status = open_uring_line(ports, &config->lines[line], &port, err);
        feed->lines[line] = (struct dp_feed_live_line){port, config->lines[line]};
    }
    feed->line_count = config->line_count;
    return status;
}

static int open_all(
    struct dp_live_ports *ports, struct dp_feed_live_config *feed, struct dp_err *err)
{
    const struct dp_live_ports_config *config = &ports->config;
    if (config->line_count >= DP_FEED_LINES_MAX || config->server_count > DP_FEED_SERVERS_MAX)
        return dp_err_set(err, EINVAL, "live: %u lines, %u servers; it takes at most %u and %u",
            config->line_count, config->server_count, DP_FEED_LINES_MAX - 1, DP_FEED_SERVERS_MAX);
    int status = open_lines(ports, feed, err);
    for (uint32_t server = 0; server < config->server_count && status == 0; server++)
        status = open_server(ports, &config->servers[server], &feed->servers[server], err);
    feed->server_count = config->server_count;
    return status;
}

struct dp_live_ports *dp_live_ports_open(
    const struct dp_live_ports_config *config, struct dp_feed_live_config *feed, struct dp_err *err)
{
    struct dp_live_ports *ports = calloc(1, sizeof(*ports));
    if (ports == NULL) {
        dp_err_set(err, ENOMEM, "live: no memory for ports");
        return NULL;
    }
    ports->config = *config;
    if (open_all(ports, feed, err) < 0) {
        dp_live_ports_close(ports);
        return NULL;
    }
    return ports;
}

void dp_live_ports_close(struct dp_live_ports *ports)
{
    if (ports == NULL)
        return;
    dp_live_stack_close(ports->stack);
    while (ports->port_count > 0) /* from the last: the halves of a split port before it */
        dp_port_close(ports->ports[--ports->port_count], NULL);
    if (ports->card != NULL)
        dp_card_close(ports->card);
#ifdef DP_HAVE_XDP
    dp_xdp_program_close(ports->program);
#endif
#ifdef DP_HAVE_DPDK
    if (ports->device != NULL)
        dp_dpdk_device_close(ports->device);
    if (ports->has_dpdk)
        dp_dpdk_stop();
#endif
    free(ports);
}

struct dp_card *dp_live_ports_card(const struct dp_live_ports *ports)
{
    return ports->card;
}

void dp_live_ports_describe(const struct dp_live_ports *ports, char *text, size_t size)
{
    const struct dp_live_ports_config *config = &ports->config;
    snprintf(text, size, "uring: %u sockets, kernel stamps", ports->port_count);
#ifdef DP_HAVE_XDP
    if (config->kind == DP_LIVE_XDP)
        snprintf(text, size, "xdp: %s queue %u, %s, %s", config->interface, config->queue,
            dp_xdp_program_hook(ports->program) == DP_XDP_NATIVE ? "in the driver" : "generic",
            dp_port_xdp_is_zero_copy(ports->ports[0]) ? "zero copy" : "by copy");
#endif
#ifdef DP_HAVE_DPDK
    if (config->kind == DP_LIVE_DPDK)
        snprintf(text, size, "dpdk: %s, %s pages", config->interface,
            config->huge_pages ? "huge" : "plain");
#endif
    size_t used = strlen(text);
    if (ports->card != NULL)
        used += (size_t)snprintf(text + used, size - used, "; card %s", config->card);
    if (config->tcp.is_lwip && used < size)
        snprintf(text + used, size - used, "; tcp in user space");
}
