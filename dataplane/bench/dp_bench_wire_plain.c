#include "dp_bench_wire.h"

#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>

#include "dp_clock.h"

struct plain_port {
    struct dp_port port; /* first: a struct dp_port * of ours is one of these */
    int socket;
    uint8_t data[DP_PORT_FRAME_MAX];
};

static uint32_t plain_receive(struct dp_port *port, struct dp_packet *packets, uint32_t max)
{
    struct plain_port *plain = (struct plain_port *)port;
    (void)max; /* one a call, as a simple program does */
    ssize_t size = recv(plain->socket, plain->data, sizeof(plain->data), 0);
    if (size < 0)
        return 0;
    packets[0] = (struct dp_packet){
        .data = plain->data,
        .size = (uint32_t)size,
        .original_size = (uint32_t)size,
        .time_ns = dp_clock_wall_ns(),
        .clock = DP_PORT_CLOCK_USER,
    };
    port->stats.rx_packets++;
    port->stats.rx_bytes += (uint64_t)size;
    return 1;
}

static uint32_t plain_send(struct dp_port *port, const struct dp_packet *packets, uint32_t count)
{
    const struct plain_port *plain = (const struct plain_port *)port;
    uint32_t sent = 0;
    while (sent < count && send(plain->socket, packets[sent].data, packets[sent].size, 0) >= 0)
        port->stats.tx_bytes += packets[sent++].size;
    port->stats.tx_packets += sent;
    return sent;
}

static int plain_close(struct dp_port *port, struct dp_err *err)
{
    (void)err;
    close(((struct plain_port *)port)->socket);
    free(port);
    return 0;
}

static const struct dp_port_ops plain_ops = {
    .name = "plain",
    .framing = DP_PORT_DATAGRAM,
    .receive = plain_receive,
    .send = plain_send,
    .close = plain_close,
};

struct dp_port *dp_bench_wire_plain_open(const struct dp_bench_wire_ends *ends, struct dp_err *err)
{
    const struct timeval patience = {.tv_usec = 100000};
    struct plain_port *plain = calloc(1, sizeof(*plain));
    DP_ASSERT(plain != NULL);
    plain->port.ops = &plain_ops;
    plain->socket = dp_bench_wire_socket(ends, err);
    if (plain->socket < 0) {
        free(plain);
        return NULL;
    }
    (void)setsockopt(plain->socket, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
    return &plain->port;
}
