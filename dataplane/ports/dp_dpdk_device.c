#include "dp_dpdk_device.h"

#include <errno.h>
#include <limits.h>
#include <rte_eal.h>
#include <rte_errno.h>
#include <rte_ethdev.h>
#include <rte_flow.h>
#include <rte_mbuf.h>
#include <sched.h>
#include <unistd.h>

#define MEMORY_MIB_DEFAULT 128u
#define BUFFERS_DEFAULT 8191u
#define BUFFERS_MAX (1u << 20)
#define BUFFER_CACHE 256u
#define DESCRIPTORS_DEFAULT 1024u
#define BUFFERS_JUMBO 4095u
#define FRAME_OVERHEAD 32u /* Ethernet header, two VLAN tags, checksum */
#define MTU_DEFAULT 1500u
#define PAGE_SIZE 4096u
#define ARGUMENTS_MAX 64

struct dp_dpdk_device {
    char name[RTE_ETH_NAME_MAX_LEN];
    uint16_t id;
    uint16_t queue_count;
    uint32_t taken; /* a bit for each queue that has a port */
    struct rte_mempool *pool;
};

/* ---- the environment ---- */

/* The command line that rte_eal_init() is spoken to in. */
struct arguments {
    int count;
    char *words[ARGUMENTS_MAX];
};

static void add(struct arguments *arguments, const char *option, const char *value)
{
    DP_ASSERT(arguments->count + 2 <= ARGUMENTS_MAX);
    arguments->words[arguments->count++] = strdup(option);
    if (value != NULL)
        arguments->words[arguments->count++] = strdup(value);
}

static bool is_virtual(const char *device)
{
    return strncmp(device, "net_", 4) == 0;
}

static void add_devices(struct arguments *arguments, const char *const *devices)
{
    bool any_real = false;
    for (; devices != NULL && *devices != NULL; devices++) {
        add(arguments, is_virtual(*devices) ? "--vdev" : "-a", *devices);
        any_real |= !is_virtual(*devices);
    }
    if (!any_real)
        add(arguments, "--no-pci", NULL);
}

static struct arguments arguments_of(const struct dp_dpdk_environment *environment)
{
    struct arguments arguments = {0};
    char memory[16];
    snprintf(memory, sizeof(memory), "%u",
        environment->memory_mib != 0 ? environment->memory_mib : MEMORY_MIB_DEFAULT);
    add(&arguments, "tickplane", NULL);
    add(&arguments, "--file-prefix", environment->name);
    add(&arguments, "--no-telemetry", NULL);
    add(&arguments, "--log-level", "error");
    /* Nothing is left in hugetlbfs or in /run when the process dies. */
    add(&arguments, environment->huge_pages ? "--in-memory" : "--no-huge", NULL);
    if (!environment->huge_pages)
        add(&arguments, "--no-shconf", NULL);
    add(&arguments, "-m", memory);
    if (environment->cores != NULL)
        add(&arguments, "-l", environment->cores);
    add_devices(&arguments, environment->devices);
    return arguments;
}

static int init(const struct dp_dpdk_environment *environment)
{
    struct arguments arguments = arguments_of(environment);
    char *words[ARGUMENTS_MAX]; /* rte_eal_init() reorders its copy */
    memcpy(words, arguments.words, sizeof(words));
    int result = rte_eal_init(arguments.count, words);
    for (int index = 0; index < arguments.count; index++)
        free(arguments.words[index]);
    return result;
}

/*
 * rte_eal_init() makes threads that inherit our policy and core, and waits for them in sleeps of a
 * microsecond. Under a real-time policy such a sleep is over before another thread gets the core:
 * it would wait for ever. So it starts as an ordinary thread, and its helpers stay such.
 */
static int init_as_ordinary(
    const struct dp_dpdk_environment *environment, int *result, struct dp_err *err)
{
    const struct sched_param ordinary = {0};
    struct sched_param param;
    int policy = sched_getscheduler(0);
    if (policy < 0 || sched_getparam(0, &param) < 0 ||
        sched_setscheduler(0, SCHED_OTHER, &ordinary) < 0)
        return dp_err_set(err, errno, "dpdk: scheduling policy: %s", strerror(errno));
    *result = init(environment);
    int init_errno = rte_errno;
    if (sched_setscheduler(0, policy, &param) < 0)
        return dp_err_set(err, errno,
            "dpdk: no way back to real-time priority %d: %s; raise the limit, ulimit -r",
            param.sched_priority, strerror(errno));
    rte_errno = init_errno;
    return 0;
}

int dp_dpdk_start(const struct dp_dpdk_environment *environment, struct dp_err *err)
{
    int result = 0;
    if (init_as_ordinary(environment, &result, err) < 0)
        return -err->code;
    if (result >= 0)
        return 0;
    if (rte_errno == EALREADY)
        return dp_err_set(err, EALREADY, "dpdk: already started in this process");
    return dp_err_set(err, rte_errno != 0 ? rte_errno : EINVAL,
        "dpdk: %s: cannot start: %s; see its own lines above; free huge pages: "
        "/sys/kernel/mm/hugepages, devices: dpdk-devbind.py --status",
        environment->name, rte_strerror(rte_errno));
}

void dp_dpdk_stop(void)
{
    char folder[PATH_MAX];
    snprintf(folder, sizeof(folder), "%s", rte_eal_get_runtime_dir());
    rte_eal_cleanup();
    (void)rmdir(folder); /* DPDK leaves it, empty */
}

/* ---- a device ---- */

static int find(struct dp_dpdk_device *device, const char *name, struct dp_err *err)
{
    snprintf(device->name, sizeof(device->name), "%s", name);
    if (rte_eth_dev_get_port_by_name(device->name, &device->id) < 0)
        return dp_err_set(err, ENODEV,
            "dpdk device: %s: not there; a card must be bound to vfio-pci, a virtual device be "
            "named in the environment",
            device->name);
    return 0;
}

/* Room for a whole frame in one buffer: in whole pages, as the rings of packet sockets are. */
static uint16_t room_of(uint32_t mtu)
{
    return (uint16_t)(mtu <= MTU_DEFAULT
            ? RTE_MBUF_DEFAULT_BUF_SIZE
            : RTE_PKTMBUF_HEADROOM + dp_round_up(mtu + FRAME_OVERHEAD, PAGE_SIZE));
}

static int open_pool(
    struct dp_dpdk_device *device, const struct dp_dpdk_device_config *config, struct dp_err *err)
{
    char name[RTE_MEMPOOL_NAMESIZE];
    uint32_t count = config->mtu <= MTU_DEFAULT ? BUFFERS_DEFAULT : BUFFERS_JUMBO;
    if (config->buffer_count != 0)
        count = config->buffer_count;
    if (count > BUFFERS_MAX)
        return dp_err_set(err, EINVAL, "dpdk device: %s: buffer_count is %u; it takes at most %u",
            device->name, count, BUFFERS_MAX);
    snprintf(name, sizeof(name), "tickplane-%u", device->id);
    device->pool = rte_pktmbuf_pool_create(
        name, count, BUFFER_CACHE, 0, room_of(config->mtu), rte_eth_dev_socket_id(device->id));
    if (device->pool == NULL)
        return dp_err_set(err, rte_errno,
            "dpdk device: %s: no memory for %u buffers: %s; give the environment more memory_mib",
            device->name, count, rte_strerror(rte_errno));
    return 0;
}

static int open_queues(struct dp_dpdk_device *device, uint32_t wanted, struct dp_err *err)
{
    int socket = rte_eth_dev_socket_id(device->id);
    uint16_t rx_count = (uint16_t)(wanted != 0 ? wanted : DESCRIPTORS_DEFAULT);
    uint16_t tx_count = rx_count;
    int result = rte_eth_dev_adjust_nb_rx_tx_desc(device->id, &rx_count, &tx_count);
    for (uint16_t queue = 0; result == 0 && queue < device->queue_count; queue++) {
        result = rte_eth_rx_queue_setup(
            device->id, queue, rx_count, (unsigned)socket, NULL, device->pool);
        if (result == 0)
            result = rte_eth_tx_queue_setup(device->id, queue, tx_count, (unsigned)socket, NULL);
    }
    if (result < 0)
        return dp_err_set(err, -result, "dpdk device: %s: %u queues of %u: %s", device->name,
            device->queue_count, rx_count, strerror(-result));
    return 0;
}

static int configure(
    struct dp_dpdk_device *device, const struct dp_dpdk_device_config *config, struct dp_err *err)
{
    struct rte_eth_dev_info info;
    struct rte_eth_conf wish = {0};
    uint32_t queue_count = config->queue_count != 0 ? config->queue_count : 1;
    int result = rte_eth_dev_info_get(device->id, &info);
    if (result < 0)
        return dp_err_set(err, -result, "dpdk device: %s: %s", device->name, strerror(-result));
    if (queue_count > info.max_rx_queues || queue_count > info.max_tx_queues ||
        queue_count > DP_DPDK_QUEUES_MAX)
        return dp_err_set(err, EINVAL,
            "dpdk device: %s: queue_count is %u; it has %u to receive and %u to send, and at most "
            "%u are used",
            device->name, queue_count, info.max_rx_queues, info.max_tx_queues, DP_DPDK_QUEUES_MAX);
    if (config->mtu > DP_PORT_JUMBO_MAX)
        return dp_err_set(err, EINVAL, "dpdk device: %s: mtu is %u; it takes at most %u",
            device->name, config->mtu, DP_PORT_JUMBO_MAX);
    if (!is_virtual(device->name)) /* those take what their other end does, whatever they say */
        wish.rxmode.mtu = config->mtu;
    device->queue_count = (uint16_t)queue_count;
    if (queue_count > 1) {
        wish.rxmode.mq_mode = RTE_ETH_MQ_RX_RSS;
        wish.rx_adv_conf.rss_conf.rss_hf = RTE_ETH_RSS_UDP & info.flow_type_rss_offloads;
    }
    result = rte_eth_dev_configure(device->id, device->queue_count, device->queue_count, &wish);
    if (result < 0)
        return dp_err_set(err, -result, "dpdk device: %s: cannot be configured: %s", device->name,
            strerror(-result));
    return 0;
}

static int start(struct dp_dpdk_device *device, struct dp_err *err)
{
    int result = rte_eth_dev_start(device->id);
    if (result < 0)
        return dp_err_set(
            err, -result, "dpdk device: %s: does not start: %s", device->name, strerror(-result));
    (void)rte_eth_promiscuous_enable(device->id); /* feeds come to group addresses */
    return 0;
}

static int open_all(
    struct dp_dpdk_device *device, const struct dp_dpdk_device_config *config, struct dp_err *err)
{
    int result = find(device, config->name, err);
    if (result == 0)
        result = configure(device, config, err);
    if (result == 0)
        result = open_pool(device, config, err);
    if (result == 0)
        result = open_queues(device, config->descriptor_count, err);
    return result < 0 ? result : start(device, err);
}

struct dp_dpdk_device *dp_dpdk_device_open(
    const struct dp_dpdk_device_config *config, struct dp_err *err)
{
    struct dp_dpdk_device *device = calloc(1, sizeof(*device));
    if (device == NULL) {
        dp_err_set(err, ENOMEM, "dpdk device: no memory");
        return NULL;
    }
    if (open_all(device, config, err) < 0) {
        rte_mempool_free(device->pool);
        free(device);
        return NULL;
    }
    return device;
}

void dp_dpdk_device_mac(const struct dp_dpdk_device *device, uint8_t mac[6])
{
    struct rte_ether_addr address = {0};
    (void)rte_eth_macaddr_get(device->id, &address); /* of a device that is open: it has one */
    memcpy(mac, address.addr_bytes, sizeof(address.addr_bytes));
}

uint32_t dp_dpdk_device_buffers_used(const struct dp_dpdk_device *device)
{
    return rte_mempool_in_use_count(device->pool);
}

void dp_dpdk_device_close(struct dp_dpdk_device *device)
{
    DP_ASSERT(device->taken == 0);
    rte_eth_dev_stop(device->id);
    rte_eth_dev_close(device->id);
    /* Some drivers (net_af_xdp) do not give back what their rings held: it goes with the pool. */
    rte_mempool_free(device->pool);
    free(device);
}

/* ---- queues ---- */

uint16_t dp_dpdk_device_id(const struct dp_dpdk_device *device)
{
    return device->id;
}

struct rte_mempool *dp_dpdk_device_pool(const struct dp_dpdk_device *device)
{
    return device->pool;
}

int dp_dpdk_device_take_queue(struct dp_dpdk_device *device, uint32_t queue, struct dp_err *err)
{
    if (queue >= device->queue_count)
        return dp_err_set(err, EINVAL, "dpdk port: %s: queue is %u; it was opened with %u",
            device->name, queue, device->queue_count);
    if ((device->taken & 1u << queue) != 0)
        return dp_err_set(
            err, EBUSY, "dpdk port: %s: queue %u: another port holds it", device->name, queue);
    device->taken |= 1u << queue;
    return 0;
}

void dp_dpdk_device_return_queue(struct dp_dpdk_device *device, uint32_t queue)
{
    device->taken &= ~(1u << queue);
}

int dp_dpdk_device_steer(struct dp_dpdk_device *device, uint32_t target_ip, uint16_t target_port,
    uint32_t queue, struct dp_err *err)
{
    const struct rte_flow_attr attributes = {.ingress = 1};
    const struct rte_flow_item_ipv4 ip = {.hdr.dst_addr = rte_cpu_to_be_32(target_ip)};
    const struct rte_flow_item_ipv4 ip_mask = {.hdr.dst_addr = UINT32_MAX};
    const struct rte_flow_item_udp udp = {.hdr.dst_port = rte_cpu_to_be_16(target_port)};
    const struct rte_flow_item_udp udp_mask = {.hdr.dst_port = UINT16_MAX};
    const struct rte_flow_item pattern[] = {
        {.type = RTE_FLOW_ITEM_TYPE_ETH},
        {.type = RTE_FLOW_ITEM_TYPE_IPV4, .spec = &ip, .mask = &ip_mask},
        {.type = RTE_FLOW_ITEM_TYPE_UDP, .spec = &udp, .mask = &udp_mask},
        {.type = RTE_FLOW_ITEM_TYPE_END},
    };
    const struct rte_flow_action_queue to = {.index = (uint16_t)queue};
    const struct rte_flow_action actions[] = {
        {.type = RTE_FLOW_ACTION_TYPE_QUEUE, .conf = &to},
        {.type = RTE_FLOW_ACTION_TYPE_END},
    };
    struct rte_flow_error error = {0};
    if (rte_flow_create(device->id, &attributes, pattern, actions, &error) != NULL)
        return 0;
    return dp_err_set(err, rte_errno != 0 ? rte_errno : ENOTSUP,
        "dpdk device: %s: no rule for port %u to queue %u: %s", device->name, target_port, queue,
        error.message != NULL ? error.message : "the driver has none");
}
