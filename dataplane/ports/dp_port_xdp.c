#include "dp_port_xdp.h"

#include <errno.h>
#include <net/if.h>
#include <poll.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <xdp/xsk.h>

#define FRAMES_DEFAULT 4096u
#define FRAMES_MAX (1u << 20)
#define FRAME_SIZE XSK_UMEM__DEFAULT_FRAME_SIZE
#define BURST_MAX 256u
#define PIECES_MAX 18u                    /* of one packet: what the kernel allows */
#define ONE_PIECE_MAX (FRAME_SIZE - 256u) /* XDP's own room before each */
#define JUMBOS_MAX 32u                    /* packets in several pieces that one receive brings */
#define WAKE_TRIES 64
#define OPEN_TRIES 50
#define OPEN_PAUSE_NS 20000000

#ifndef SO_PREFER_BUSY_POLL
#define SO_PREFER_BUSY_POLL 69
#define SO_BUSY_POLL_BUDGET 70
#endif
#define BUSY_POLL_US 20

/* Linux 6.6. */
#ifndef XDP_USE_SG
#define XDP_USE_SG (1 << 4)
#endif
#ifndef XDP_PKT_CONTD
#define XDP_PKT_CONTD 1
#endif

static_assert(FRAME_SIZE >= DP_PORT_FRAME_MAX, "a frame fits");

struct xdp_port {
    struct dp_port port; /* first: a struct dp_port * of ours is one of these */
    struct xsk_socket *socket;
    struct xsk_umem *umem;
    uint8_t *memory;
    size_t memory_size;
    uint32_t half; /* frames of one direction */
    bool must_poll;
    bool must_wake; /* frames lie in the transmit ring that the kernel would not take */
    bool is_zero_copy;
    uint64_t dropped_seen;
    char interface[IF_NAMESIZE];

    struct xsk_ring_prod fill;
    struct xsk_ring_cons complete;
    struct xsk_ring_cons rx;
    struct xsk_ring_prod tx;
    uint32_t lent_count; /* frames that the receiver is looking at, or looked at and still has */
    uint64_t lent[BURST_MAX];
    uint8_t *jumbos;      /* room to put pieces together in; NULL: every packet is one piece */
    uint32_t jumbo_count; /* of it in use by the receiver */
    uint32_t free_count;  /* frames that may be sent in */
    uint64_t *free;
};

static struct xdp_port *of(struct dp_port *port)
{
    return (struct xdp_port *)port;
}

/* ---- receive ---- */

/* The fill ring is as long as there are receive frames, so there is room for all of them; but the
 * kernel shows a frame in the receive ring a moment before it shows the place that this frame has
 * left in the fill ring. Frames that find no room in that moment are kept for the next call. */
static void give_lent_frames(struct xdp_port *xdp)
{
    uint32_t index = 0;
    if (xsk_ring_prod__reserve(&xdp->fill, xdp->lent_count, &index) != xdp->lent_count)
        return;
    for (uint32_t at = 0; at < xdp->lent_count; at++)
        *xsk_ring_prod__fill_addr(&xdp->fill, index + at) = xdp->lent[at];
    xsk_ring_prod__submit(&xdp->fill, xdp->lent_count);
    xdp->lent_count = 0;
}

/* Lets the driver work where it waits to be told: it has run dry, or this thread polls for it. */
static void wake_receiver(struct xdp_port *xdp)
{
    if (xdp->must_poll || xsk_ring_prod__needs_wakeup(&xdp->fill))
        (void)recvfrom(xsk_socket__fd(xdp->socket), NULL, 0, MSG_DONTWAIT, NULL, NULL);
}

/* By copy the kernel takes at most 32 frames a call, fewer when the device is busy, and says so;
 * what it left is then tried again here, and at the latest with the next receive. */
static void wake_sender(struct xdp_port *xdp)
{
    bool is_left = xdp->must_poll || xsk_ring_prod__needs_wakeup(&xdp->tx);
    for (int try = 0; is_left && try < WAKE_TRIES; try++)
        is_left = sendto(xsk_socket__fd(xdp->socket), NULL, 0, MSG_DONTWAIT, NULL, 0) < 0 &&
            (errno == EAGAIN || errno == EBUSY || errno == ENOBUFS || errno == EINTR);
    xdp->must_wake = is_left;
}

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

/* How many of the next `count` descriptors are one packet; 0 when its end is not among them. */
static uint32_t pieces_of(const struct xdp_port *xdp, uint32_t index, uint32_t count)
{
    for (uint32_t at = 0; at < count; at++)
        if ((xsk_ring_cons__rx_desc(&xdp->rx, index + at)->options & XDP_PKT_CONTD) == 0)
            return at + 1;
    return 0;
}

/* Where the whole packet lies; NULL when it is longer than we take. */
static const uint8_t *put_together(
    struct xdp_port *xdp, uint32_t index, uint32_t pieces, uint32_t *size)
{
    uint8_t *whole = xdp->jumbos + (size_t)xdp->jumbo_count * DP_PORT_JUMBO_MAX;
    *size = 0;
    for (uint32_t at = 0; at < pieces; at++) {
        const struct xdp_desc *piece = xsk_ring_cons__rx_desc(&xdp->rx, index + at);
        if (piece->len > DP_PORT_JUMBO_MAX - *size)
            return NULL;
        memcpy(whole + *size, xdp->memory + piece->addr, piece->len);
        *size += piece->len;
    }
    xdp->jumbo_count++;
    return whole;
}

/* False for a packet that is longer than we take: it is counted. */
static bool take_packet(
    struct xdp_port *xdp, uint32_t index, uint32_t pieces, struct dp_packet *packet)
{
    const struct xdp_desc *frame = xsk_ring_cons__rx_desc(&xdp->rx, index);
    packet->data = xdp->memory + frame->addr;
    packet->size = frame->len;
    if (DP_UNLIKELY(pieces > 1))
        packet->data = put_together(xdp, index, pieces, &packet->size);
    for (uint32_t at = 0; at < pieces; at++)
        xdp->lent[xdp->lent_count++] =
            xsk_ring_cons__rx_desc(&xdp->rx, index + at)->addr & ~(uint64_t)(FRAME_SIZE - 1);
    xdp->port.stats.rx_failed += packet->data == NULL;
    return packet->data != NULL;
}

/* The descriptors that are whole packets, up to max of those; the rest is left in the ring. */
static uint32_t take_packets(struct xdp_port *xdp, struct dp_packet *packets, uint32_t max)
{
    uint32_t index = 0;
    uint32_t count = 0;
    uint32_t used = 0;
    uint32_t room = BURST_MAX - xdp->lent_count;
    uint32_t wanted = xdp->jumbos != NULL && max < BURST_MAX ? max + PIECES_MAX : max;
    uint32_t found = xsk_ring_cons__peek(&xdp->rx, wanted < room ? wanted : room, &index);
    int64_t time_ns = found > 0 ? now_ns() : 0;
    xdp->jumbo_count = 0;
    while (used < found && count < max && xdp->jumbo_count < JUMBOS_MAX) {
        uint32_t pieces = pieces_of(xdp, index + used, found - used);
        if (pieces == 0)
            break;
        if (take_packet(xdp, index + used, pieces, &packets[count])) {
            packets[count].original_size = packets[count].size;
            packets[count].time_ns = time_ns;
            packets[count].clock = DP_PORT_CLOCK_USER;
            xdp->port.stats.rx_bytes += packets[count++].size;
        }
        used += pieces;
    }
    xsk_ring_cons__cancel(&xdp->rx, found - used);
    xsk_ring_cons__release(&xdp->rx, used);
    return count;
}

static uint32_t xdp_receive(struct dp_port *port, struct dp_packet *packets, uint32_t max)
{
    struct xdp_port *xdp = of(port);
    give_lent_frames(xdp);
    uint32_t count = take_packets(xdp, packets, max);
    if (count == 0) {
        wake_receiver(xdp);
        if (DP_UNLIKELY(xdp->must_wake))
            wake_sender(xdp);
        return 0;
    }
    port->stats.rx_packets += count;
    return count;
}

/* ---- send ---- */

static void take_completed(struct xdp_port *xdp)
{
    uint32_t index = 0;
    uint32_t count = xsk_ring_cons__peek(&xdp->complete, BURST_MAX, &index);
    for (uint32_t at = 0; at < count; at++)
        xdp->free[xdp->free_count++] = *xsk_ring_cons__comp_addr(&xdp->complete, index + at);
    xsk_ring_cons__release(&xdp->complete, count);
}

/* False when the port has no room now. */
static bool queue(struct xdp_port *xdp, const struct dp_packet *packet)
{
    uint32_t index = 0;
    if (DP_UNLIKELY(xdp->free_count == 0) ||
        DP_UNLIKELY(xsk_ring_prod__reserve(&xdp->tx, 1, &index) == 0))
        return false;
    struct xdp_desc *frame = xsk_ring_prod__tx_desc(&xdp->tx, index);
    frame->addr = xdp->free[--xdp->free_count];
    frame->len = packet->size;
    frame->options = 0;
    memcpy(xdp->memory + frame->addr, packet->data, packet->size);
    return true;
}

static uint32_t xdp_send(struct dp_port *port, const struct dp_packet *packets, uint32_t count)
{
    struct xdp_port *xdp = of(port);
    uint32_t queued = 0;
    uint32_t index = 0;
    take_completed(xdp);
    for (; index < count; index++) {
        if (packets[index].size == 0 || packets[index].size > DP_PORT_FRAME_MAX) {
            port->stats.tx_refused++;
            continue;
        }
        if (!queue(xdp, &packets[index]))
            break;
        queued++;
        port->stats.tx_bytes += packets[index].size;
    }
    xsk_ring_prod__submit(&xdp->tx, queued);
    wake_sender(xdp);
    port->stats.tx_packets += queued;
    return index;
}

/* ---- link, counters, close ---- */

static bool xdp_is_up(struct dp_port *port)
{
    struct ifreq request = {0};
    int probe = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (probe < 0)
        return false;
    memcpy(request.ifr_name, of(port)->interface, sizeof(request.ifr_name));
    bool is_up = ioctl(probe, SIOCGIFFLAGS, &request) == 0 && (request.ifr_flags & IFF_UP) != 0 &&
        (request.ifr_flags & IFF_RUNNING) != 0;
    close(probe);
    return is_up;
}

void dp_port_xdp_update_stats(struct dp_port *port)
{
    struct xdp_port *xdp = of(port);
    struct xdp_statistics stats = {0};
    socklen_t size = sizeof(stats);
    if (getsockopt(xsk_socket__fd(xdp->socket), SOL_XDP, XDP_STATISTICS, &stats, &size) < 0)
        return;
    uint64_t dropped = stats.rx_dropped + stats.rx_ring_full + stats.rx_invalid_descs;
    port->stats.rx_failed += dropped - xdp->dropped_seen;
    xdp->dropped_seen = dropped;
}

static uint32_t xdp_buffers_used(const struct dp_port *port)
{
    const struct xdp_port *xdp = (const struct xdp_port *)port;
    return xdp->half - xdp->free_count + xdp->lent_count;
}

static void release(struct xdp_port *xdp)
{
    if (xdp->socket != NULL)
        xsk_socket__delete(xdp->socket);
    if (xdp->umem != NULL)
        xsk_umem__delete(xdp->umem);
    if (xdp->memory != NULL)
        munmap(xdp->memory, xdp->memory_size);
    free(xdp->jumbos);
    free(xdp->free);
    free(xdp);
}

static int xdp_close(struct dp_port *port, struct dp_err *err)
{
    (void)err;
    release(of(port));
    return 0;
}

static const struct dp_port_ops xdp_ops = {
    .name = "xdp",
    .framing = DP_PORT_ETHERNET,
    .receive = xdp_receive,
    .send = xdp_send,
    .is_up = xdp_is_up,
    .buffers_used = xdp_buffers_used,
    .close = xdp_close,
};

bool dp_port_xdp_is_zero_copy(const struct dp_port *port)
{
    DP_ASSERT(port->ops == &xdp_ops);
    return ((const struct xdp_port *)port)->is_zero_copy;
}

uint32_t dp_port_xdp_packet_max(const struct dp_port *port)
{
    DP_ASSERT(port->ops == &xdp_ops);
    return ((const struct xdp_port *)port)->jumbos != NULL ? DP_PORT_JUMBO_MAX : ONE_PIECE_MAX;
}

/* ---- opening ---- */

static int open_memory(struct xdp_port *xdp, struct dp_err *err)
{
    const struct xsk_umem_config config = {
        .fill_size = xdp->half,
        .comp_size = xdp->half,
        .frame_size = FRAME_SIZE,
    };
    xdp->memory_size = 2ull * xdp->half * FRAME_SIZE;
    void *memory = mmap(NULL, xdp->memory_size, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        return dp_err_set(
            err, ENOMEM, "xdp port: %s: no memory for %u frames", xdp->interface, 2 * xdp->half);
    xdp->memory = memory;
    xdp->free = calloc(xdp->half, sizeof(*xdp->free));
    if (xdp->free == NULL)
        return dp_err_set(err, ENOMEM, "xdp port: %s: no memory", xdp->interface);
    int result = xsk_umem__create(
        &xdp->umem, xdp->memory, xdp->memory_size, &xdp->fill, &xdp->complete, &config);
    if (result < 0)
        return dp_err_set(err, -result,
            "xdp port: %s: its memory cannot be registered: %s; run as root, and allow locked "
            "memory (ulimit -l)",
            xdp->interface, strerror(-result));
    return 0;
}

/* Frames 0 .. half-1 are for receiving, the rest for sending. */
static void share_frames(struct xdp_port *xdp)
{
    uint32_t index = 0;
    uint32_t count = xsk_ring_prod__reserve(&xdp->fill, xdp->half, &index);
    DP_ASSERT(count == xdp->half);
    for (uint32_t at = 0; at < xdp->half; at++) {
        *xsk_ring_prod__fill_addr(&xdp->fill, index + at) = (uint64_t)at * FRAME_SIZE;
        xdp->free[at] = (uint64_t)(xdp->half + at) * FRAME_SIZE;
    }
    xsk_ring_prod__submit(&xdp->fill, count);
    xdp->free_count = xdp->half;
}

static int create_socket(struct xdp_port *xdp, const struct dp_port_xdp_config *config, bool copy)
{
    const uint32_t pieces = xdp->jumbos != NULL ? XDP_USE_SG : 0;
    const struct xsk_socket_config socket_config = {
        .rx_size = xdp->half,
        .tx_size = xdp->half,
        .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
        .bind_flags = (uint16_t)(XDP_USE_NEED_WAKEUP | pieces | (copy ? XDP_COPY : XDP_ZEROCOPY)),
    };
    return xsk_socket__create(
        &xdp->socket, xdp->interface, config->queue, xdp->umem, &xdp->rx, &xdp->tx, &socket_config);
}

/* A queue is held for a moment after its last socket was closed. */
static int create_patiently(
    struct xdp_port *xdp, const struct dp_port_xdp_config *config, bool copy)
{
    const struct timespec pause = {.tv_nsec = OPEN_PAUSE_NS};
    int result = create_socket(xdp, config, copy);
    for (int try = 1; result == -EBUSY && try < OPEN_TRIES; try++) {
        nanosleep(&pause, NULL);
        result = create_socket(xdp, config, copy);
    }
    return result;
}

static int create_as_wished(struct xdp_port *xdp, const struct dp_port_xdp_config *config)
{
    int result = -EOPNOTSUPP;
    if (config->zero_copy != DP_XDP_ZERO_COPY_OFF)
        result = create_patiently(xdp, config, false);
    if (result == -EOPNOTSUPP && config->zero_copy != DP_XDP_ZERO_COPY_REQUIRE)
        result = create_patiently(xdp, config, true);
    return result;
}

static int open_socket(
    struct xdp_port *xdp, const struct dp_port_xdp_config *config, struct dp_err *err)
{
    int result = create_as_wished(xdp, config);
    if (result == -EINVAL && xdp->jumbos != NULL) { /* a kernel before 6.6 has no pieces */
        free(xdp->jumbos);
        xdp->jumbos = NULL;
        result = create_as_wished(xdp, config);
    }
    if (result == -EBUSY)
        return dp_err_set(err, EBUSY, "xdp port: %s: queue %u: another socket holds it",
            xdp->interface, config->queue);
    if (result == -EOPNOTSUPP)
        return dp_err_set(err, EOPNOTSUPP,
            "xdp port: %s: queue %u: the driver has no zero copy; set zero_copy to prefer or off",
            xdp->interface, config->queue);
    if (result < 0)
        return dp_err_set(err, -result,
            "xdp port: %s: queue %u: %s; see the queues with: ethtool -l %s", xdp->interface,
            config->queue, strerror(-result), xdp->interface);
    return 0;
}

/* What was asked for is not always what one gets: the kernel is asked. */
static void read_back(struct xdp_port *xdp)
{
    struct xdp_options options = {0};
    socklen_t size = sizeof(options);
    int socket = xsk_socket__fd(xdp->socket);
    xdp->is_zero_copy = getsockopt(socket, SOL_XDP, XDP_OPTIONS, &options, &size) == 0 &&
        (options.flags & XDP_OPTIONS_ZEROCOPY) != 0;
}

static int set_busy_poll(struct xdp_port *xdp, uint32_t budget, struct dp_err *err)
{
    const int values[3] = {1, BUSY_POLL_US, (int)budget};
    const int options[3] = {SO_PREFER_BUSY_POLL, SO_BUSY_POLL, SO_BUSY_POLL_BUDGET};
    if (budget == 0)
        return 0;
    for (int at = 0; at < 3; at++) {
        if (setsockopt(xsk_socket__fd(xdp->socket), SOL_SOCKET, options[at], &values[at],
                sizeof(values[at])) < 0)
            return dp_err_set(err, errno,
                "xdp port: %s: busy_poll_budget %u: %s; it takes Linux "
                "5.11 and a budget of at most 65535",
                xdp->interface, budget, strerror(errno));
    }
    xdp->must_poll = true;
    return 0;
}

static int open_all(struct xdp_port *xdp, struct dp_xdp_program *program,
    const struct dp_port_xdp_config *config, struct dp_err *err)
{
    uint32_t frame_count = config->frame_count != 0 ? config->frame_count : FRAMES_DEFAULT;
    if (!dp_is_power_of_two(frame_count) || frame_count < 128 || frame_count > FRAMES_MAX)
        return dp_err_set(err, EINVAL,
            "xdp port: %s: frame_count is %u; it must be a power of two, 128 to %u", xdp->interface,
            frame_count, FRAMES_MAX);
    xdp->half = frame_count / 2;
    xdp->jumbos = dp_xdp_program_takes_pieces(program)
        ? malloc((size_t)JUMBOS_MAX * DP_PORT_JUMBO_MAX)
        : NULL;
    int result = open_memory(xdp, err);
    if (result == 0)
        result = open_socket(xdp, config, err);
    if (result < 0)
        return result;
    share_frames(xdp);
    read_back(xdp);
    result = set_busy_poll(xdp, config->busy_poll_budget, err);
    return result < 0
        ? result
        : dp_xdp_program_add_socket(program, config->queue, xsk_socket__fd(xdp->socket), err);
}

struct dp_port *dp_port_xdp_open(
    struct dp_xdp_program *program, const struct dp_port_xdp_config *config, struct dp_err *err)
{
    struct xdp_port *xdp = calloc(1, sizeof(*xdp));
    if (xdp == NULL) {
        dp_err_set(err, ENOMEM, "xdp port: no memory");
        return NULL;
    }
    xdp->port.ops = &xdp_ops;
    snprintf(xdp->interface, sizeof(xdp->interface), "%s", dp_xdp_program_interface(program));
    if (open_all(xdp, program, config, err) < 0) {
        release(xdp);
        return NULL;
    }
    return &xdp->port;
}
