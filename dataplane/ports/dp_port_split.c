#include "dp_port_split.h"

#include <errno.h>

#define BURST 64u
#define ETHER_TYPE_AT 12u
#define PROTOCOL_AT 23u
#define ETHER_IPV4 0x0800u
#define ETHER_ARP 0x0806u
#define PROTOCOL_TCP 6u

struct split;

struct half {
    struct dp_port port; /* first: a struct dp_port * of ours is one of these */
    struct split *split;
    struct half *other;
    uint32_t count; /* found by the last look */
    uint32_t taken; /* of them */
    uint32_t waits; /* how often the other one has waited for this one */
    struct dp_packet found[BURST];
};

/* Both halves in one block, freed with the second. */
struct split {
    struct dp_port *below;
    struct half feed;
    struct half stack;
    uint32_t open_count;
};

static bool is_for_stack(const struct dp_packet *packet)
{
    if (packet->size <= PROTOCOL_AT)
        return false;
    uint16_t ether_type = dp_load_be16(packet->data + ETHER_TYPE_AT);
    return ether_type == ETHER_ARP ||
        (ether_type == ETHER_IPV4 && packet->data[PROTOCOL_AT] == PROTOCOL_TCP);
}

static void look(struct split *split)
{
    struct dp_packet packets[BURST];
    uint32_t count = dp_port_receive(split->below, packets, BURST);
    split->feed.count = split->feed.taken = 0;
    split->stack.count = split->stack.taken = 0;
    for (uint32_t at = 0; at < count; at++) {
        struct half *half = is_for_stack(&packets[at]) ? &split->stack : &split->feed;
        half->found[half->count++] = packets[at];
    }
}

/* False: the other one has not taken its packets, and still may. */
static bool may_look(struct half *half)
{
    struct half *other = half->other;
    uint32_t left = other->count - other->taken;
    if (left > 0 && ++other->waits < DP_PORT_SPLIT_PATIENCE)
        return false;
    other->port.stats.rx_failed += left;
    other->waits = 0;
    return true;
}

static uint32_t split_receive(struct dp_port *port, struct dp_packet *packets, uint32_t max)
{
    struct half *half = (struct half *)port;
    if (half->taken == half->count && may_look(half))
        look(half->split);
    uint32_t left = half->count - half->taken;
    uint32_t count = left < max ? left : max;
    for (uint32_t at = 0; at < count; at++) {
        packets[at] = half->found[half->taken++];
        port->stats.rx_bytes += packets[at].size;
    }
    half->waits = 0;
    port->stats.rx_packets += count;
    return count;
}

static uint32_t split_send(struct dp_port *port, const struct dp_packet *packets, uint32_t count)
{
    uint32_t taken = dp_port_send(((struct half *)port)->split->below, packets, count);
    for (uint32_t at = 0; at < taken; at++)
        port->stats.tx_bytes += packets[at].size;
    port->stats.tx_packets += taken;
    return taken;
}

static bool split_is_up(struct dp_port *port)
{
    return dp_port_is_up(((struct half *)port)->split->below);
}

static int split_close(struct dp_port *port, struct dp_err *err)
{
    struct split *split = ((struct half *)port)->split;
    (void)err;
    if (--split->open_count == 0)
        free(split);
    return 0;
}

static const struct dp_port_ops split_ops = {
    .name = "split",
    .framing = DP_PORT_ETHERNET,
    .receive = split_receive,
    .send = split_send,
    .is_up = split_is_up,
    .close = split_close,
};

static struct half half_of(struct split *split, struct half *other)
{
    return (struct half){.port.ops = &split_ops, .split = split, .other = other};
}

int dp_port_split_open(
    struct dp_port *below, struct dp_port **feed, struct dp_port **stack, struct dp_err *err)
{
    if (!dp_port_moves_frames(below))
        return dp_err_set(err, EINVAL,
            "split port: a %s port moves no Ethernet frames; give an xdp or dpdk port",
            below->ops->name);
    struct split *split = calloc(1, sizeof(*split));
    if (split == NULL)
        return dp_err_set(err, ENOMEM, "split port: no memory");
    split->below = below;
    split->open_count = 2;
    split->feed = half_of(split, &split->stack);
    split->stack = half_of(split, &split->feed);
    *feed = &split->feed.port;
    *stack = &split->stack.port;
    return 0;
}
