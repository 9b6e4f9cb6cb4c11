#include "dp_bench_wire_echo.h"

#include <rte_ethdev.h>
#include <rte_mbuf.h>

#include "dp_dpdk_device.h"

#define BURST 32u

struct dpdk_echo {
    struct dp_bench_wire_echo echo; /* first */
    struct dp_dpdk_device *device;
    uint16_t id;
};

static void turn(struct dp_bench_wire_echo *echo)
{
    struct dpdk_echo *dpdk = (struct dpdk_echo *)echo;
    struct rte_mbuf *buffers[BURST];
    uint16_t count = rte_eth_rx_burst(dpdk->id, 0, buffers, BURST);
    if (count == 0)
        return;
    for (uint16_t at = 0; at < count; at++)
        dp_bench_wire_turn_round(rte_pktmbuf_mtod(buffers[at], uint8_t *));
    uint16_t sent = rte_eth_tx_burst(dpdk->id, 0, buffers, count);
    rte_pktmbuf_free_bulk(buffers + sent, count - sent);
}

static void close_echo(struct dp_bench_wire_echo *echo)
{
    struct dpdk_echo *dpdk = (struct dpdk_echo *)echo;
    if (dpdk->device != NULL)
        dp_dpdk_device_close(dpdk->device);
    dp_dpdk_stop();
    free(dpdk);
}

struct dp_bench_wire_echo *dp_bench_wire_echo_dpdk(
    const char *interface, const struct dp_bench_wire_ends *ends, struct dp_err *err)
{
    (void)ends;
    char name[64];
    const char *const devices[] = {interface, NULL};
    const struct dp_dpdk_environment environment = {
        .name = "tickplane-echo", .huge_pages = false, .devices = devices};
    const struct dp_dpdk_device_config config = {.name = name};
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(interface, ","), interface);
    if (dp_dpdk_start(&environment, err) < 0)
        return NULL;
    struct dpdk_echo *dpdk = calloc(1, sizeof(*dpdk));
    DP_ASSERT(dpdk != NULL);
    dpdk->echo = (struct dp_bench_wire_echo){turn, close_echo};
    dpdk->device = dp_dpdk_device_open(&config, err);
    if (dpdk->device == NULL) {
        close_echo(&dpdk->echo);
        return NULL;
    }
    dpdk->id = dp_dpdk_device_id(dpdk->device);
    return &dpdk->echo;
}
