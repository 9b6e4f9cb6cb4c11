#include "dp_bench_wire_trade.h"

#include <errno.h>

#include "dp_ouch.h"
#include "dp_soup_server.h"

#define ANSWERS_MAX 256u

struct wire_stream {
    struct dp_stream stream; /* first: a struct dp_stream * of ours is one of these */
    const struct dp_bench_wire_trade *trade;
    size_t size; /* of the answers that were not read */
    uint8_t answers[ANSWERS_MAX];
    uint8_t frame[DP_PORT_FRAME_MAX];
};

static enum dp_stream_state wire_poll(struct dp_stream *stream)
{
    (void)stream;
    return DP_STREAM_OPEN;
}

static size_t wire_peek(struct dp_stream *stream, const uint8_t **data)
{
    const struct wire_stream *wire = (const struct wire_stream *)stream;
    *data = wire->answers;
    return wire->size;
}

static void wire_consume(struct dp_stream *stream, size_t size)
{
    struct wire_stream *wire = (struct wire_stream *)stream;
    memmove(wire->answers, wire->answers + size, wire->size - size);
    wire->size -= size;
}

static void accept_login(struct wire_stream *wire)
{
    wire->size = dp_soup_accepted_build(wire->answers, "WIRE000001", 1);
}

/* The account has sent nothing yet: its next number is 1. */
static void answer_query(struct wire_stream *wire)
{
    const struct dp_ouch_message answer = {.type = 'Q', .user_ref_num = 1};
    uint8_t *data = wire->answers + wire->size;
    size_t size = dp_ouch_encode(&answer, DP_OUCH_OUTBOUND, data + DP_SOUP_HEADER_SIZE,
        ANSWERS_MAX - wire->size - DP_SOUP_HEADER_SIZE);
    dp_soup_build(data, 'S', (uint32_t)size);
    wire->size += DP_SOUP_HEADER_SIZE + size;
}

static bool put_on_wire(struct wire_stream *wire, const uint8_t *data, size_t size)
{
    const struct dp_bench_wire_trade *trade = wire->trade;
    struct dp_packet packet = {.data = data, .size = (uint32_t)size};
    if (dp_port_moves_frames(trade->port)) {
        memcpy(wire->frame + DP_NET_UDP_HEADERS_SIZE, data, size);
        packet.data = wire->frame;
        packet.size =
            dp_net_build_udp(wire->frame, &trade->ends.here, &trade->ends.there, (uint32_t)size, 1);
    }
    wire->stream.stats.tx_bytes += size;
    return dp_port_send(trade->port, &packet, 1) == 1;
}

static bool wire_send(struct dp_stream *stream, const uint8_t *data, size_t size)
{
    struct wire_stream *wire = (struct wire_stream *)stream;
    if (data[2] == 'U' && data[DP_SOUP_HEADER_SIZE] == 'O')
        return put_on_wire(wire, data, size);
    if (data[2] == 'L')
        accept_login(wire);
    else if (data[2] == 'U' && data[DP_SOUP_HEADER_SIZE] == 'Q')
        answer_query(wire);
    return true; /* a heartbeat or a logout: there is nobody to hear it */
}

/* What is sent is on the port. */
static size_t wire_unsent(const struct dp_stream *stream)
{
    (void)stream;
    return 0;
}

static void wire_close(struct dp_stream *stream)
{
    free(stream);
}

static const struct dp_stream_ops wire_ops = {
    .name = "wire",
    .poll = wire_poll,
    .peek = wire_peek,
    .consume = wire_consume,
    .send = wire_send,
    .unsent = wire_unsent,
    .unacknowledged = wire_unsent,
    .close = wire_close,
    .reset = wire_close,
};

struct dp_stream *dp_bench_wire_connect(
    void *context, const struct dp_order_session_address *address, struct dp_err *err)
{
    (void)address;
    struct wire_stream *wire = calloc(1, sizeof(*wire));
    if (wire == NULL) {
        dp_err_set(err, ENOMEM, "bench: wire: no memory");
        return NULL;
    }
    wire->stream.ops = &wire_ops;
    wire->trade = context;
    return &wire->stream;
}

void dp_bench_wire_on_book(void *state, struct dp_gateway *gateway, const struct dp_top *top)
{
    uint64_t *count = state;
    uint32_t user_ref_num;
    if (!dp_top_is_tradable(top))
        return;
    bool buys = (*count)++ % 2 == 0;
    const struct dp_request request = {
        .instrument_index = top->instrument_index,
        .side = buys ? DP_SIDE_BUY : DP_SIDE_SELL,
        .time_in_force = DP_TIF_DAY,
        .qty = 100,
        .price_nanos = buys ? top->bid_price_nanos : top->ask_price_nanos,
    };
    dp_gateway_submit(gateway, &request, &user_ref_num);
}
