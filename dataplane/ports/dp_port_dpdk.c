#include "dp_port_dpdk.h"

#include <errno.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <time.h>

#include "dp_dpdk_device.h"

#define BURST_MAX 64u

struct dpdk_port {
    struct dp_port port; /* first: a struct dp_port * of ours is one of these */
    struct dp_dpdk_device *device;
    uint16_t id;
    uint16_t queue;
    struct rte_mempool *pool;
    uint32_t lent_count; /* buffers that the receiver is looking at */
    struct rte_mbuf *lent[BURST_MAX];
};

static struct dpdk_port *of(struct dp_port *port)
{
    return (struct dpdk_port *)port;
}

static int64_t now_ns(void)
{
    struct timespec time;
    clock_gettime(CLOCK_REALTIME, &time);
    return (int64_t)time.tv_sec * 1000000000 + time.tv_nsec;
}

static void give_lent(struct dpdk_port *dpdk)
{
    rte_pktmbuf_free_bulk(dpdk->lent, dpdk->lent_count);
    dpdk->lent_count = 0;
}

/* A frame in several buffers (longer than one holds) is cut to the first, and says so. */
static struct dp_packet packet_of(struct rte_mbuf *buffer, int64_t time_ns)
{
    return (struct dp_packet){
        .data = rte_pktmbuf_mtod(buffer, const uint8_t *),
        .size = rte_pktmbuf_data_len(buffer),
        .original_size = rte_pktmbuf_pkt_len(buffer),
        .time_ns = time_ns,
        .clock = DP_PORT_CLOCK_USER,
    };
}

static uint32_t dpdk_receive(struct dp_port *port, struct dp_packet *packets, uint32_t max)
{
    struct dpdk_port *dpdk = of(port);
    give_lent(dpdk);
    uint16_t count = rte_eth_rx_burst(
        dpdk->id, dpdk->queue, dpdk->lent, (uint16_t)(max < BURST_MAX ? max : BURST_MAX));
    if (count == 0)
        return 0;
    int64_t time_ns = now_ns();
    for (uint32_t at = 0; at < count; at++) {
        packets[at] = packet_of(dpdk->lent[at], time_ns);
        port->stats.rx_bytes += packets[at].size;
    }
    dpdk->lent_count = count;
    port->stats.rx_packets += count;
    return count;
}

/* Copies the frame; NULL when no buffer is free. */
static struct rte_mbuf *fill(struct dpdk_port *dpdk, const struct dp_packet *packet)
{
    struct rte_mbuf *buffer = rte_pktmbuf_alloc(dpdk->pool);
    if (DP_UNLIKELY(buffer == NULL))
        return NULL;
    memcpy(rte_pktmbuf_append(buffer, (uint16_t)packet->size), packet->data, packet->size);
    return buffer;
}

/* One burst of at most BURST_MAX; returns how many of the packets were taken. */
static uint32_t send_burst(struct dpdk_port *dpdk, const struct dp_packet *packets, uint32_t count)
{
    struct rte_mbuf *buffers[BURST_MAX];
    uint16_t filled = 0;
    while (filled < count && (buffers[filled] = fill(dpdk, &packets[filled])) != NULL)
        filled++;
    uint16_t sent = rte_eth_tx_burst(dpdk->id, dpdk->queue, buffers, filled);
    rte_pktmbuf_free_bulk(buffers + sent, filled - sent);
    for (uint32_t at = 0; at < sent; at++)
        dpdk->port.stats.tx_bytes += packets[at].size;
    dpdk->port.stats.tx_packets += sent;
    return sent;
}

static bool can_be_sent(const struct dp_packet *packet)
{
    return packet->size != 0 && packet->size <= DP_PORT_FRAME_MAX;
}

/* How many from the first can go out in one burst. */
static uint32_t run_of(const struct dp_packet *packets, uint32_t count)
{
    uint32_t run = 0;
    while (run < count && run < BURST_MAX && can_be_sent(&packets[run]))
        run++;
    return run;
}

static uint32_t dpdk_send(struct dp_port *port, const struct dp_packet *packets, uint32_t count)
{
    uint32_t taken = 0;
    while (taken < count) {
        uint32_t run = run_of(packets + taken, count - taken);
        if (run == 0) {
            port->stats.tx_refused++;
            taken++;
            continue;
        }
        uint32_t sent = send_burst(of(port), packets + taken, run);
        taken += sent;
        if (sent < run)
            break;
    }
    return taken;
}

static bool dpdk_is_up(struct dp_port *port)
{
    struct rte_eth_link link = {0};
    return rte_eth_link_get_nowait(of(port)->id, &link) == 0 && link.link_status == RTE_ETH_LINK_UP;
}

static uint32_t dpdk_buffers_used(const struct dp_port *port)
{
    return dp_dpdk_device_buffers_used(((const struct dpdk_port *)port)->device);
}

static int dpdk_close(struct dp_port *port, struct dp_err *err)
{
    (void)err;
    give_lent(of(port));
    dp_dpdk_device_return_queue(of(port)->device, of(port)->queue);
    free(port);
    return 0;
}

static const struct dp_port_ops dpdk_ops = {
    .name = "dpdk",
    .framing = DP_PORT_ETHERNET,
    .receive = dpdk_receive,
    .send = dpdk_send,
    .is_up = dpdk_is_up,
    .buffers_used = dpdk_buffers_used,
    .close = dpdk_close,
};

struct dp_port *dp_port_dpdk_open(struct dp_dpdk_device *device, uint32_t queue, struct dp_err *err)
{
    struct dpdk_port *dpdk = calloc(1, sizeof(*dpdk));
    if (dpdk == NULL) {
        dp_err_set(err, ENOMEM, "dpdk port: no memory");
        return NULL;
    }
    if (dp_dpdk_device_take_queue(device, queue, err) < 0) {
        free(dpdk);
        return NULL;
    }
    dpdk->port.ops = &dpdk_ops;
    dpdk->device = device;
    dpdk->id = dp_dpdk_device_id(device);
    dpdk->pool = dp_dpdk_device_pool(device);
    dpdk->queue = (uint16_t)queue;
    return &dpdk->port;
}
