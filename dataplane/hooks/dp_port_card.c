#include "dp_port_card.h"

#include <errno.h>

#define BURST 64u

struct card_port {
    struct dp_port port;
    struct dp_port *inner;
    struct dp_card *card;
    uint32_t fired_size; /* of a frame that the card itself sends, until the inner port takes it */
    uint8_t fired[DP_TEMPLATE_FRAME_MAX];
    uint32_t passed_size;                     /* 0: none */
    uint8_t passed[DP_CARD_FRAME_MAX];        /* through the gate, and the inner port was full */
    uint8_t frames[BURST][DP_CARD_FRAME_MAX]; /* of the last receive */
};

static uint32_t filter(struct card_port *self, const struct dp_packet *taken, uint32_t count,
    struct dp_packet *packets)
{
    uint32_t passed = 0;
    for (uint32_t index = 0; index < count; index++) {
        struct dp_packet packet = taken[index];
        if (packet.size > DP_CARD_FRAME_MAX) {
            self->port.stats.rx_failed++;
            continue;
        }
        uint8_t *frame = self->frames[passed];
        packet.size = dp_card_ingress(self->card, packet.data, packet.size, frame);
        if (packet.size == 0)
            continue;
        packet.data = frame;
        if (packet.size != taken[index].size)
            packet.original_size = packet.size;
        packets[passed++] = packet;
        self->port.stats.rx_packets++;
        self->port.stats.rx_bytes += packet.size;
    }
    return passed;
}

/* What its trigger sent, when the inner port has room: a card that is one has sent it already. */
static void send_fired(struct card_port *self, int64_t time_ns)
{
    if (self->fired_size == 0)
        self->fired_size = dp_card_fired(self->card, self->fired);
    const struct dp_packet packet = {.data = self->fired,
        .size = self->fired_size,
        .original_size = self->fired_size,
        .time_ns = time_ns};
    if (self->fired_size == 0 || dp_port_send(self->inner, &packet, 1) == 0)
        return;
    self->port.stats.tx_packets++;
    self->port.stats.tx_bytes += self->fired_size;
    self->fired_size = 0;
}

static uint32_t card_receive(struct dp_port *port, struct dp_packet *packets, uint32_t max)
{
    struct card_port *self = (struct card_port *)port;
    struct dp_packet taken[BURST];
    uint32_t passed = 0;
    /* A burst of which nothing passes is no end: the next one may hold something. */
    while (passed == 0) {
        uint32_t count = dp_port_receive(self->inner, taken, max < BURST ? max : BURST);
        if (count == 0) {
            send_fired(self, 0);
            return 0;
        }
        passed = filter(self, taken, count, packets);
        send_fired(self, taken[count - 1].time_ns);
    }
    return passed;
}

/* Whether it is the frame that passed the gate before, when the inner port was full. */
static bool has_passed(const struct card_port *self, const struct dp_packet *packet)
{
    return self->passed_size == packet->size &&
        memcmp(self->passed, packet->data, packet->size) == 0;
}

static bool may_leave(struct card_port *self, const struct dp_packet *packet)
{
    if (packet->size > DP_CARD_FRAME_MAX)
        return false;
    bool passed = self->passed_size > 0 && has_passed(self, packet);
    self->passed_size = 0;
    return passed || dp_card_egress(self->card, packet->data, packet->size);
}

/* False: the inner port is full, the caller keeps the frame, and the gate is not asked again. */
static bool send_one(struct card_port *self, const struct dp_packet *packet)
{
    struct dp_port_stats *stats = &self->port.stats;
    if (!may_leave(self, packet)) {
        stats->tx_refused++;
        return true;
    }
    if (dp_port_send(self->inner, packet, 1) == 0) {
        memcpy(self->passed, packet->data, packet->size);
        self->passed_size = packet->size;
        return false;
    }
    stats->tx_packets++;
    stats->tx_bytes += packet->size;
    return true;
}

static uint32_t card_send(struct dp_port *port, const struct dp_packet *packets, uint32_t count)
{
    struct card_port *self = (struct card_port *)port;
    uint32_t index = 0;
    while (index < count && send_one(self, &packets[index]))
        index++;
    return index;
}

static bool card_is_up(struct dp_port *port)
{
    return dp_port_is_up(((struct card_port *)port)->inner);
}

static int card_close(struct dp_port *port, struct dp_err *err)
{
    (void)err;
    free(port);
    return 0;
}

static const struct dp_port_ops card_ops = {
    .name = "card",
    .framing = DP_PORT_ETHERNET,
    .receive = card_receive,
    .send = card_send,
    .is_up = card_is_up,
    .close = card_close,
};

struct dp_port *dp_port_card_open(struct dp_port *inner, struct dp_card *card, struct dp_err *err)
{
    if (!dp_port_moves_frames(inner)) {
        dp_err_set(err, EINVAL, "card port: port %s moves datagrams; give one that moves frames",
            inner->ops->name);
        return NULL;
    }
    struct card_port *self = calloc(1, sizeof(*self));
    if (self == NULL) {
        dp_err_set(err, ENOMEM, "card port: no memory for %zu bytes", sizeof(*self));
        return NULL;
    }
    self->port.ops = &card_ops;
    self->inner = inner;
    self->card = card;
    return &self->port;
}
