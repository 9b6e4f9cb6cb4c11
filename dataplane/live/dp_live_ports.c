#include "dp_live_ports.h"

#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dp_live_frames.h"
#include "dp_live_stack.h"
#include "dp_port_card.h"
#include "dp_port_split.h"

#ifdef DP_HAVE_URING
#include "dp_port_uring.h"
#include "dp_stream_uring.h"
#endif
/* A split port has two, and one may stand behind a card. */
#define PORTS_MAX (DP_FEED_CHANNELS_LINES_MAX + DP_FEED_CHANNELS_MAX * DP_FEED_SERVERS_MAX + 3)
#define MULTICAST_FIRST 0xe0000000u
#define MULTICAST_LAST 0xefffffffu
#define GROUP_MAC 0x01005e000000u /* RFC 1112: and the group's low 23 bits */
#define GROUP_MAC_BITS 0x7fffffu

struct dp_live_ports {
    struct dp_live_ports_config config;
    struct dp_live_frames *frames;    /* NULL: sockets */
    int groups;                       /* a socket that has joined groups for it; -1: none */
    struct dp_card *card;             /* NULL: none */
    struct dp_live_stack *stack;      /* NULL: the kernel's TCP */
    struct dp_port *ports[PORTS_MAX]; /* each once, whatever it is used for */
    uint32_t port_count;
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
        .mode = ports->config.sqpoll_cpu >= 0 ? DP_PORT_URING_SQPOLL : DP_PORT_URING_DEFER,
        .sqpoll_cpu = ports->config.sqpoll_cpu,
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
    return dp_live_lacks("uring", "liburing", err);
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
    dp_live_lacks("uring", "liburing", err);
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

/* Frames are read past the kernel, but who is in a group is still for it to say, to the switch and
 * to the card. A card without a kernel's interface joins none. */
static int join_groups(struct dp_live_ports *ports, struct dp_err *err)
{
    const struct dp_live_ports_config *config = &ports->config;
    struct ip_mreqn request = {.imr_address.s_addr = htonl(config->local_ip)};
    if (config->kind == DP_LIVE_XDP)
        request.imr_ifindex = (int)if_nametoindex(config->interface);
    else if (config->local_ip == 0)
        return 0;
    ports->groups = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    for (uint32_t line = 0; line < config->line_count; line++) {
        request.imr_multiaddr.s_addr = htonl(config->lines[line].ip);
        if (is_group(config->lines[line].ip) &&
            setsockopt(ports->groups, IPPROTO_IP, IP_ADD_MEMBERSHIP, &request, sizeof(request)) < 0)
            return dp_err_set(err, errno,
                "live: line %u: its group cannot be joined on %s: %s; give local_ip, the address "
                "of the interface",
                line + 1, config->interface, strerror(errno));
    }
    return 0;
}

static int open_frames(struct dp_live_ports *ports, struct dp_port **port, struct dp_err *err)
{
    ports->frames = dp_live_frames_open(&ports->config, err);
    if (ports->frames == NULL)
        return -err->code;
    *port = dp_live_frames_port(ports->frames);
    return join_groups(ports, err);
}

/* As a number; what was sent to a group has an address made of the group's. */
static uint64_t mac_of(const struct dp_live_ports *ports, uint32_t ip)
{
    uint8_t mac[8] = {0};
    if (is_group(ip))
        return GROUP_MAC | (ip & GROUP_MAC_BITS);
    dp_live_frames_mac(ports->frames, mac + 2);
    return dp_load_be64(mac);
}

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
    dp_live_frames_mac(ports->frames, mac);
    ports->stack = dp_live_stack_open(&ports->config.tcp, stack, mac, err);
    return ports->stack == NULL ? -err->code : 0;
}

/* ---- opening ---- */

/* Frames: one port for all lines; with sockets each has its own. */
static int open_wire(struct dp_live_ports *ports, struct dp_port **port, struct dp_err *err)
{
    const struct dp_live_ports_config *config = &ports->config;
    int status = 0;
    if (config->kind != DP_LIVE_URING)
        status = open_frames(ports, port, err);
    if (status == 0)
        status = put_card(ports, port, err);
    if (status == 0 && config->tcp.is_lwip)
        status = open_stack(ports, port, err);
    return status;
}

/* lines: those of the channel; port: of frames. */
static int open_channel(struct dp_live_ports *ports, const struct dp_live_channel *channel,
    const struct dp_feed_target *lines, struct dp_port *port, struct dp_feed_live_config *feed,
    struct dp_err *err)
{
    int status = 0;
    for (uint32_t line = 0; line < channel->line_count && status == 0; line++) {
        if (ports->config.kind == DP_LIVE_URING)
            status = open_uring_line(ports, &lines[line], &port, err);
        feed->lines[line] = (struct dp_feed_live_line){port, lines[line]};
        if (status == 0 && ports->frames != NULL)
            feed->lines[line].target.mac = mac_of(ports, lines[line].ip);
    }
    for (uint32_t server = 0; server < channel->server_count && status == 0; server++)
        status = open_server(ports, &channel->servers[server], &feed->servers[server], err);
    feed->line_count = channel->line_count;
    feed->server_count = channel->server_count;
    return status;
}

static int check_counts(const struct dp_live_ports_config *config, struct dp_err *err)
{
    uint32_t lines = 0;
    for (uint32_t index = 0; index < config->channel_count; index++) {
        const struct dp_live_channel *channel = &config->channels[index];
        if (channel->line_count > DP_FEED_REPLIES || channel->server_count > DP_FEED_SERVERS_MAX)
            return dp_err_set(err, EINVAL,
                "live: channel %u: %u lines, %u servers; it takes at most %u and %u", index,
                channel->line_count, channel->server_count, DP_FEED_REPLIES, DP_FEED_SERVERS_MAX);
        lines += channel->line_count;
    }
    DP_ASSERT(lines == config->line_count && lines <= DP_FEED_CHANNELS_LINES_MAX);
    return 0;
}

static int open_all(
    struct dp_live_ports *ports, struct dp_engine_live_channel *channels, struct dp_err *err)
{
    const struct dp_live_ports_config *config = &ports->config;
    const struct dp_feed_target *lines = config->lines;
    struct dp_port *port = NULL;
    int status = check_counts(config, err);
    if (status == 0)
        status = open_wire(ports, &port, err);
    for (uint32_t index = 0; index < config->channel_count && status == 0; index++) {
        const struct dp_live_channel *channel = &config->channels[index];
        status = open_channel(ports, channel, lines, port, &channels[index].feed, err);
        lines += channel->line_count;
    }
    return status;
}

struct dp_live_ports *dp_live_ports_open(const struct dp_live_ports_config *config,
    struct dp_engine_live_channel *channels, struct dp_err *err)
{
    struct dp_live_ports *ports = calloc(1, sizeof(*ports));
    if (ports == NULL) {
        dp_err_set(err, ENOMEM, "live: no memory for ports");
        return NULL;
    }
    ports->config = *config;
    ports->groups = -1;
    if (open_all(ports, channels, err) < 0) {
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
    dp_live_frames_close(ports->frames);
    if (ports->groups >= 0)
        close(ports->groups);
    free(ports);
}

struct dp_card *dp_live_ports_card(const struct dp_live_ports *ports)
{
    return ports->card;
}

void dp_live_ports_describe(const struct dp_live_ports *ports, char *text, size_t size)
{
    const struct dp_live_ports_config *config = &ports->config;
    snprintf(text, size, "uring: %u sockets, %skernel stamps, datagrams up to %u bytes",
        ports->port_count, config->sqpoll_cpu >= 0 ? "submitted by a kernel thread, " : "",
        DP_PORT_JUMBO_MAX);
    if (ports->frames != NULL)
        dp_live_frames_describe(ports->frames, text, size);
    size_t used = strlen(text);
    if (ports->card != NULL)
        used += (size_t)snprintf(text + used, size - used, "; card %s", config->card);
    if (config->tcp.is_lwip && used < size)
        snprintf(text + used, size - used, "; tcp in user space");
}

struct dp_port *dp_live_ports_at(const struct dp_live_ports *ports, uint32_t index)
{
    uint32_t queue_count = ports->frames != NULL ? ports->config.queue_count : 0;
    if (index < queue_count)
        return dp_live_frames_queue(ports->frames, index);
    index -= queue_count;
    return index < ports->port_count ? ports->ports[index] : NULL;
}
