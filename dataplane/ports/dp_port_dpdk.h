/*
 * dp_port_dpdk - Ethernet frames through a DPDK device: a card bound to vfio-pci, or any virtual
 * device (net_af_xdp, net_af_packet, net_ring, net_memif, net_pcap, net_tap ...).
 *
 * dp_dpdk_start() brings up DPDK's environment once in a process, with a file prefix of its own, so
 * that several appliances share a host. dp_dpdk_device_open() configures and starts one device with
 * its queues and a pool of packet buffers on the device's NUMA node; dp_port_dpdk_open() makes a
 * port of one queue. Received frames are read in the buffers they landed in; sending copies each
 * frame into one.
 *
 * One thread opens and closes devices; one thread a port. DPDK keeps state in the process: link
 * this into one extension module only.
 */
#ifndef DP_PORT_DPDK_H
#define DP_PORT_DPDK_H

#include "dp_port.h"

#define DP_DPDK_QUEUES_MAX 16u
#define DP_DPDK_DEVICES_MAX 8u

struct dp_dpdk_environment {
    const char *name;           /* file prefix: letters, digits, - and _ */
    const char *cores;          /* a DPDK core list, "1" or "2,3"; NULL: where we run now */
    uint32_t memory_mib;        /* of huge pages, or of plain ones; 0: 128 */
    bool huge_pages;            /* false: plain memory; virtual devices only */
    const char *const *devices; /* "0000:3b:00.0", or "net_ring0,key=value": NULL-terminated */
};

/* 0, or -errno: no huge pages free, a device that does not exist or cannot be probed, DPDK already
 * started in this process. */
int dp_dpdk_start(const struct dp_dpdk_environment *environment, struct dp_err *err);
void dp_dpdk_stop(void);

struct dp_dpdk_device; /* opaque */

struct dp_dpdk_device_config {
    const char *name;          /* as in environment.devices, without its arguments */
    uint32_t queue_count;      /* each a port; 0: 1 */
    uint32_t buffer_count;     /* packet buffers; 0: 8191, or 4095 for an mtu above 1500 */
    uint32_t mtu;              /* longest packet, without the Ethernet header; 0: 1500 */
    uint32_t descriptor_count; /* of each queue and direction; 0: 1024; the driver may adjust it */
};

struct dp_dpdk_device *dp_dpdk_device_open(
    const struct dp_dpdk_device_config *config, struct dp_err *err);
/* Steers UDP packets to that address and port (host order) to a queue in hardware. -ENOTSUP when
 * the driver cannot: they then arrive by its own rule (queue 0, or spread by RSS). An accepted rule
 * is not yet an honoured one: send a probe and look. */
int dp_dpdk_device_steer(struct dp_dpdk_device *device, uint32_t target_ip, uint16_t target_port,
    uint32_t queue, struct dp_err *err);
void dp_dpdk_device_mac(const struct dp_dpdk_device *device, uint8_t mac[6]);
/* Packet buffers out of the pool now: in the device's rings, in ports, lent. Steady under load. */
uint32_t dp_dpdk_device_buffers_used(const struct dp_dpdk_device *device);
/* Ports of its queues must be closed before. */
void dp_dpdk_device_close(struct dp_dpdk_device *device);

struct dp_port *dp_port_dpdk_open(
    struct dp_dpdk_device *device, uint32_t queue, struct dp_err *err);

#endif
