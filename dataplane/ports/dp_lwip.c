#include <errno.h>
#include <lwip/etharp.h>
#include <lwip/init.h>
#include <lwip/netif.h>
#include <lwip/prot/ethernet.h>
#include <lwip/timeouts.h>
#include <netif/ethernet.h>

#include "dp_lwip.h"

#define BURST 32u
#define MTU 1500
#define SEND_TRIES 1000 /* a full port is mostly full for microseconds; then TCP sends again */

/* lwip_init() may be called once in a process; its own state is global all the same. */
static bool was_initialised;
static bool is_open;

struct dp_lwip {
    struct dp_lwip_config config;
    struct netif netif;
};

/* ---- frames out ---- */

static err_t send_frame(struct netif *netif, struct pbuf *buffer)
{
    struct dp_lwip *lwip = netif->state;
    uint8_t frame[DP_PORT_FRAME_MAX];
    struct dp_packet packet = {.data = buffer->payload, .size = buffer->tot_len};
    if (buffer->tot_len > sizeof(frame))
        return ERR_BUF;
    if (buffer->next != NULL) {
        pbuf_copy_partial(buffer, frame, buffer->tot_len, 0);
        packet.data = frame;
    }
    for (int try = 0; try < SEND_TRIES; try++)
        if (dp_port_send(lwip->config.port, &packet, 1) == 1)
            return ERR_OK;
    return ERR_BUF;
}

/* Every packet goes to the same next hop. */
static err_t output(struct netif *netif, struct pbuf *buffer, const ip4_addr_t *target)
{
    struct dp_lwip *lwip = netif->state;
    struct eth_addr source;
    struct eth_addr next_hop;
    (void)target;
    memcpy(source.addr, lwip->config.mac, sizeof(source.addr));
    memcpy(next_hop.addr, lwip->config.next_hop_mac, sizeof(next_hop.addr));
    return ethernet_output(netif, buffer, &source, &next_hop, ETHTYPE_IP);
}

/* ---- frames in ---- */

static void take_frame(struct dp_lwip *lwip, const struct dp_packet *packet)
{
    /* Not PBUF_POOL: Debian's lwIP 2.1.3 hands out pool buffers that are smaller than it says, and
     * writes past their ends. */
    struct pbuf *buffer = pbuf_alloc(PBUF_RAW, (u16_t)packet->size, PBUF_RAM);
    if (buffer == NULL)
        return; /* no memory: as if the wire had lost it */
    pbuf_take(buffer, packet->data, (u16_t)packet->size);
    if (lwip->netif.input(buffer, &lwip->netif) != ERR_OK)
        pbuf_free(buffer);
}

void dp_lwip_poll(struct dp_lwip *lwip)
{
    struct dp_packet packets[BURST];
    uint32_t count = dp_port_receive(lwip->config.port, packets, BURST);
    for (uint32_t index = 0; index < count; index++)
        if (packets[index].size == packets[index].original_size)
            take_frame(lwip, &packets[index]);
    sys_check_timeouts();
}

/* ---- life ---- */

static err_t init_netif(struct netif *netif)
{
    const struct dp_lwip *lwip = netif->state;
    netif->name[0] = 't';
    netif->name[1] = 'p';
    netif->mtu = MTU;
    netif->hwaddr_len = sizeof(lwip->config.mac);
    memcpy(netif->hwaddr, lwip->config.mac, sizeof(lwip->config.mac));
    netif->flags = NETIF_FLAG_BROADCAST | NETIF_FLAG_ETHARP | NETIF_FLAG_ETHERNET;
    netif->output = output;
    netif->linkoutput = send_frame;
    return ERR_OK;
}

struct dp_lwip *dp_lwip_open(const struct dp_lwip_config *config, struct dp_err *err)
{
    const ip4_addr_t ip = {lwip_htonl(config->ip)};
    const ip4_addr_t netmask = {lwip_htonl(config->netmask)};
    const ip4_addr_t gateway = {0};
    if (!dp_port_moves_frames(config->port)) {
        dp_err_set(err, EINVAL,
            "lwip: a %s port moves no Ethernet frames; give an xdp or dpdk port",
            config->port->ops->name);
        return NULL;
    }
    if (is_open) {
        dp_err_set(err, EBUSY, "lwip: this process has its one stack already");
        return NULL;
    }
    struct dp_lwip *lwip = calloc(1, sizeof(*lwip));
    if (lwip == NULL) {
        dp_err_set(err, ENOMEM, "lwip: no memory");
        return NULL;
    }
    if (!was_initialised)
        lwip_init();
    was_initialised = true;
    is_open = true;
    lwip->config = *config;
    netif_add(&lwip->netif, &ip, &netmask, &gateway, lwip, init_netif, ethernet_input);
    netif_set_default(&lwip->netif);
    netif_set_link_up(&lwip->netif);
    netif_set_up(&lwip->netif);
    return lwip;
}

void dp_lwip_close(struct dp_lwip *lwip)
{
    netif_remove(&lwip->netif);
    is_open = false;
    free(lwip);
}
