#include <errno.h>

#include "dp_port.h"

struct slot {
    int64_t time_ns;
    uint32_t size;
    uint32_t original_size;
    uint8_t data[DP_PORT_FRAME_MAX];
};

/* One direction. tail and head count frames since it was made and never wrap in practice: at one
 * frame per nanosecond 64 bits last 584 years. */
struct lane {
    struct slot *slots;
    uint64_t tail; /* sent */
    uint64_t head; /* received, and handed back by the next receive */
    uint64_t lent; /* frames behind head that the receiver is looking at */
};

struct link;

struct loop_port {
    struct dp_port port; /* first: a struct dp_port * of ours is one of these */
    struct link *link;
    struct lane *rx;
    struct lane *tx;
};

/* Both ends and both directions in one block, freed with the second end. */
struct link {
    struct loop_port ends[2];
    struct lane lanes[2];
    uint32_t slot_count;
    uint32_t open_count;
    struct slot slots[];
};

static uint32_t loop_receive(struct dp_port *port, struct dp_packet *packets, uint32_t max)
{
    struct loop_port *end = (struct loop_port *)port;
    struct lane *lane = end->rx;
    lane->head += lane->lent;
    uint64_t waiting = lane->tail - lane->head;
    uint32_t count = waiting < max ? (uint32_t)waiting : max;
    for (uint32_t index = 0; index < count; index++) {
        const struct slot *slot = &lane->slots[(lane->head + index) & (end->link->slot_count - 1)];
        packets[index] = (struct dp_packet){
            .data = slot->data,
            .size = slot->size,
            .original_size = slot->original_size,
            .time_ns = slot->time_ns,
            .clock = DP_PORT_CLOCK_USER,
        };
        port->stats.rx_bytes += slot->size;
    }
    lane->lent = count;
    port->stats.rx_packets += count;
    return count;
}

static void store(struct slot *slot, const struct dp_packet *packet)
{
    slot->time_ns = packet->time_ns;
    slot->size = packet->size;
    slot->original_size = packet->original_size;
    memcpy(slot->data, packet->data, packet->size);
}

static uint32_t loop_send(struct dp_port *port, const struct dp_packet *packets, uint32_t count)
{
    struct loop_port *end = (struct loop_port *)port;
    struct lane *lane = end->tx;
    uint32_t slot_count = end->link->slot_count;
    uint32_t index = 0;
    for (; index < count && lane->tail - lane->head < slot_count; index++) {
        if (packets[index].size > DP_PORT_FRAME_MAX) {
            port->stats.tx_refused++;
            continue;
        }
        store(&lane->slots[lane->tail++ & (slot_count - 1)], &packets[index]);
        port->stats.tx_packets++;
        port->stats.tx_bytes += packets[index].size;
    }
    return index;
}

static int loop_close(struct dp_port *port, struct dp_err *err)
{
    (void)err;
    struct link *link = ((struct loop_port *)port)->link;
    if (--link->open_count == 0)
        free(link);
    return 0;
}

static const struct dp_port_ops loop_ops = {
    .name = "loop",
    .receive = loop_receive,
    .send = loop_send,
    .close = loop_close,
};

int dp_port_loop_open(
    struct dp_port **a, struct dp_port **b, uint32_t slot_count, struct dp_err *err)
{
    if (!dp_is_power_of_two(slot_count) || slot_count > DP_PORT_LOOP_SLOTS_MAX)
        return dp_err_set(err, EINVAL,
            "loop port: slot_count is %u; it must be a power of two, at most %u", slot_count,
            DP_PORT_LOOP_SLOTS_MAX);
    struct link *link = calloc(1, sizeof(*link) + 2 * sizeof(struct slot) * slot_count);
    if (link == NULL)
        return dp_err_set(err, ENOMEM, "loop port: no memory for %u slots", slot_count);
    link->slot_count = slot_count;
    link->open_count = 2;
    for (uint32_t index = 0; index < 2; index++) {
        link->lanes[index].slots = link->slots + (size_t)index * slot_count;
        link->ends[index] = (struct loop_port){
            .port.ops = &loop_ops,
            .link = link,
            .rx = &link->lanes[index],
            .tx = &link->lanes[1 - index],
        };
    }
    *a = &link->ends[0].port;
    *b = &link->ends[1].port;
    return 0;
}
