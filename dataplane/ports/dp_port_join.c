#include "dp_port_join.h"

#include <errno.h>

struct join {
    struct dp_port port; /* first: a struct dp_port * of ours is one of these */
    struct dp_port_ops ops;
    uint32_t count;
    uint32_t next; /* that is asked first */
    struct dp_port *ports[DP_PORT_JOIN_MAX];
};

/* A port that is not asked because there is no room keeps what it has; the next turn begins behind
 * the one that this one began with. */
static uint32_t join_receive(struct dp_port *port, struct dp_packet *packets, uint32_t max)
{
    struct join *join = (struct join *)port;
    uint32_t found = 0;
    for (uint32_t asked = 0; asked < join->count && found < max; asked++) {
        uint32_t at = (join->next + asked) % join->count;
        found += dp_port_receive(join->ports[at], packets + found, max - found);
    }
    join->next = (join->next + 1) % join->count;
    for (uint32_t at = 0; at < found; at++)
        port->stats.rx_bytes += packets[at].size;
    port->stats.rx_packets += found;
    return found;
}

static uint32_t join_send(struct dp_port *port, const struct dp_packet *packets, uint32_t count)
{
    uint32_t taken = dp_port_send(((struct join *)port)->ports[0], packets, count);
    for (uint32_t at = 0; at < taken; at++)
        port->stats.tx_bytes += packets[at].size;
    port->stats.tx_packets += taken;
    return taken;
}

static bool join_is_up(struct dp_port *port)
{
    return dp_port_is_up(((struct join *)port)->ports[0]);
}

static int join_close(struct dp_port *port, struct dp_err *err)
{
    (void)err;
    free(port);
    return 0;
}

static bool are_of_one_kind(struct dp_port *const *ports, uint32_t count)
{
    for (uint32_t at = 1; at < count; at++)
        if (ports[at]->ops->framing != ports[0]->ops->framing)
            return false;
    return true;
}

struct dp_port *dp_port_join_open(struct dp_port *const *ports, uint32_t count, struct dp_err *err)
{
    if (count == 0 || count > DP_PORT_JOIN_MAX || !are_of_one_kind(ports, count)) {
        dp_err_set(err, EINVAL, "join port: %u ports; give 1 to %u, all of frames or of datagrams",
            count, DP_PORT_JOIN_MAX);
        return NULL;
    }
    struct join *join = calloc(1, sizeof(*join));
    if (join == NULL) {
        dp_err_set(err, ENOMEM, "join port: no memory");
        return NULL;
    }
    memcpy(join->ports, ports, count * sizeof(*ports));
    join->count = count;
    join->ops = (struct dp_port_ops){
        .name = "join",
        .framing = ports[0]->ops->framing,
        .receive = join_receive,
        .send = join_send,
        .is_up = join_is_up,
        .close = join_close,
    };
    join->port.ops = &join->ops;
    return &join->port;
}
