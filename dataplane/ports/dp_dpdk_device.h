/*
 * dp_dpdk_device - what dp_port_dpdk.c needs of a device. Not for anybody else.
 */
#ifndef DP_DPDK_DEVICE_H
#define DP_DPDK_DEVICE_H

#include "dp_port_dpdk.h"

struct rte_mempool;

/* The number DPDK gave the device. */
uint16_t dp_dpdk_device_id(const struct dp_dpdk_device *device);
struct rte_mempool *dp_dpdk_device_pool(const struct dp_dpdk_device *device);
/* Each queue has one port at a time. 0, or -EINVAL, -EBUSY. */
int dp_dpdk_device_take_queue(struct dp_dpdk_device *device, uint32_t queue, struct dp_err *err);
void dp_dpdk_device_return_queue(struct dp_dpdk_device *device, uint32_t queue);

#endif
