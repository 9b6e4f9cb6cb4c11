#include "dp_stream_lwip.h"

#include <errno.h>
#include <lwip/tcp.h>

#include "dp_lwip.h"

struct lwip_stream {
    struct dp_stream stream; /* first: a struct dp_stream * of ours is one of these */
    struct dp_lwip *lwip;
    struct tcp_pcb *pcb; /* NULL once lwIP has let go of it */
    enum dp_stream_state state;
    uint8_t *data; /* received: begin .. end are in use */
    size_t begin;
    size_t end;
};

static struct lwip_stream *of(struct dp_stream *stream)
{
    return (struct lwip_stream *)stream;
}

/* ---- what lwIP tells ---- */

static int errno_of(err_t error)
{
    switch (error) {
    case ERR_RST: return ECONNRESET;
    case ERR_ABRT: return ETIMEDOUT; /* it gave up retransmitting */
    case ERR_CLSD: return 0;
    case ERR_MEM: return ENOMEM;
    default: return EIO;
    }
}

/* lwIP has freed the connection already. */
static void on_error(void *context, err_t error)
{
    struct lwip_stream *lwip = context;
    lwip->stream.error =
        lwip->state == DP_STREAM_CONNECTING && error == ERR_RST ? ECONNREFUSED : errno_of(error);
    lwip->pcb = NULL;
    lwip->state = DP_STREAM_CLOSED;
}

static err_t on_connected(void *context, struct tcp_pcb *pcb, err_t error)
{
    struct lwip_stream *lwip = context;
    (void)pcb;
    (void)error; /* always ERR_OK: a failure goes to on_error() */
    lwip->state = DP_STREAM_OPEN;
    return ERR_OK;
}

/* What does not fit stays with lwIP, which offers it again; its window tells the peer. */
static err_t on_received(void *context, struct tcp_pcb *pcb, struct pbuf *buffer, err_t error)
{
    struct lwip_stream *lwip = context;
    (void)pcb;
    (void)error;
    if (buffer == NULL) {
        lwip->state = DP_STREAM_CLOSED;
        return ERR_OK;
    }
    if (buffer->tot_len > DP_STREAM_BUFFER_BYTES - lwip->end)
        return ERR_MEM;
    pbuf_copy_partial(buffer, lwip->data + lwip->end, buffer->tot_len, 0);
    lwip->end += buffer->tot_len;
    lwip->stream.stats.rx_bytes += buffer->tot_len;
    pbuf_free(buffer);
    return ERR_OK;
}

/* ---- the interface ---- */

static enum dp_stream_state lwip_poll(struct dp_stream *stream)
{
    struct lwip_stream *lwip = of(stream);
    if (lwip->begin > 0) {
        memmove(lwip->data, lwip->data + lwip->begin, lwip->end - lwip->begin);
        lwip->end -= lwip->begin;
        lwip->begin = 0;
    }
    dp_lwip_poll(lwip->lwip);
    return lwip->state;
}

static size_t lwip_peek(struct dp_stream *stream, const uint8_t **data)
{
    const struct lwip_stream *lwip = of(stream);
    *data = lwip->data + lwip->begin;
    return lwip->end - lwip->begin;
}

static void lwip_consume(struct dp_stream *stream, size_t size)
{
    struct lwip_stream *lwip = of(stream);
    DP_ASSERT(size <= lwip->end - lwip->begin);
    lwip->begin += size;
    for (; size > 0 && lwip->pcb != NULL; size -= size < UINT16_MAX ? size : UINT16_MAX)
        tcp_recved(lwip->pcb, (u16_t)(size < UINT16_MAX ? size : UINT16_MAX));
}

static bool lwip_send(struct dp_stream *stream, const uint8_t *data, size_t size)
{
    struct lwip_stream *lwip = of(stream);
    if (lwip->state != DP_STREAM_OPEN || lwip->pcb == NULL || size > tcp_sndbuf(lwip->pcb))
        return false;
    if (tcp_write(lwip->pcb, data, (u16_t)size, TCP_WRITE_FLAG_COPY) != ERR_OK)
        return false;
    tcp_output(lwip->pcb);
    lwip->stream.stats.tx_bytes += size;
    return true;
}

static size_t lwip_unsent(const struct dp_stream *stream)
{
    const struct tcp_pcb *pcb = ((const struct lwip_stream *)stream)->pcb;
    return pcb == NULL ? 0 : (size_t)(u32_t)(pcb->snd_lbb - pcb->snd_nxt);
}

static size_t lwip_unacknowledged(const struct dp_stream *stream)
{
    const struct tcp_pcb *pcb = ((const struct lwip_stream *)stream)->pcb;
    return pcb == NULL ? 0 : (size_t)(u32_t)(pcb->snd_lbb - pcb->lastack);
}

static void let_go(struct lwip_stream *lwip, bool at_once)
{
    if (lwip->pcb != NULL) {
        tcp_arg(lwip->pcb, NULL);
        tcp_recv(lwip->pcb, NULL);
        tcp_err(lwip->pcb, NULL);
        if (at_once || tcp_close(lwip->pcb) != ERR_OK)
            tcp_abort(lwip->pcb);
    }
    free(lwip->data);
    free(lwip);
}

static void lwip_close(struct dp_stream *stream)
{
    let_go(of(stream), of(stream)->state == DP_STREAM_CONNECTING);
}

static void lwip_reset(struct dp_stream *stream)
{
    let_go(of(stream), true);
}

static const struct dp_stream_ops lwip_ops = {
    .name = "lwip",
    .poll = lwip_poll,
    .peek = lwip_peek,
    .consume = lwip_consume,
    .send = lwip_send,
    .unsent = lwip_unsent,
    .unacknowledged = lwip_unacknowledged,
    .close = lwip_close,
    .reset = lwip_reset,
};

/* ---- opening ---- */

static int connect_pcb(
    struct lwip_stream *lwip, const struct dp_stream_lwip_config *config, struct dp_err *err)
{
    const ip_addr_t remote = IPADDR4_INIT(lwip_htonl(config->remote_ip));
    lwip->pcb = tcp_new();
    if (lwip->pcb == NULL)
        return dp_err_set(err, ENOMEM, "lwip stream: no memory for a connection");
    tcp_arg(lwip->pcb, lwip);
    tcp_err(lwip->pcb, on_error);
    tcp_recv(lwip->pcb, on_received);
    tcp_nagle_disable(lwip->pcb);
    if (tcp_bind(lwip->pcb, IP4_ADDR_ANY, config->local_port) != ERR_OK)
        return dp_err_set(err, EADDRINUSE, "lwip stream: local_port %u: another connection has it",
            config->local_port);
    if (tcp_connect(lwip->pcb, &remote, config->remote_port, on_connected) != ERR_OK)
        return dp_err_set(err, EIO, "lwip stream: the first segment could not be sent");
    return 0;
}

struct dp_stream *dp_stream_lwip_open(
    struct dp_lwip *stack, const struct dp_stream_lwip_config *config, struct dp_err *err)
{
    struct lwip_stream *lwip = calloc(1, sizeof(*lwip));
    uint8_t *data = malloc(DP_STREAM_BUFFER_BYTES);
    if (lwip == NULL || data == NULL) {
        dp_err_set(err, ENOMEM, "lwip stream: no memory");
        free(lwip);
        free(data);
        return NULL;
    }
    lwip->stream.ops = &lwip_ops;
    lwip->lwip = stack;
    lwip->data = data;
    if (connect_pcb(lwip, config, err) < 0) {
        lwip_close(&lwip->stream);
        return NULL;
    }
    return &lwip->stream;
}
