#include "dp_port_uring.h"

#include <errno.h>
#include <liburing.h>
#include <linux/errqueue.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dp_uring_socket.h"

#define BUFFERS_DEFAULT 1024u
#define BUFFER_GROUP 0
#define CONTROL_SIZE CMSG_SPACE(sizeof(struct scm_timestamping))
/* What the kernel writes into a buffer: a header, the stamps, the datagram. */
#define BUFFER_SIZE (DP_PORT_JUMBO_MAX + 128u)
#define TX_SLOTS 256u
#define CQES 256u
#define SQPOLL_IDLE_MS 1000u
#define REGISTERED 0 /* index of our one registered socket, and of our one registered memory */

static_assert(sizeof(struct io_uring_recvmsg_out) + CONTROL_SIZE <= 128, "room before the data");

/* user_data of a completion: the multishot receive, or a slot of ours that was sent. */
#define RECEIVE_DATA UINT64_MAX
#define CANCEL_DATA (UINT64_MAX - 1)

struct tx_slot {
    uint8_t data[DP_PORT_FRAME_MAX];
    struct tx_slot *next_free;
};

struct uring_port {
    struct dp_port port; /* first: a struct dp_port * of ours is one of these */
    struct io_uring ring;
    bool has_ring;
    int socket;
    uint16_t local_port;
    bool zero_copy_send;
    bool has_registered_memory; /* the slots, for zero copy: not looked up and pinned each time */
    bool has_remote;
    bool must_enter;   /* the socket is busy-polled: only inside the kernel */
    bool is_receiving; /* the multishot receive is armed; not before the first receive */
    struct msghdr header;

    struct io_uring_buf_ring *buffer_ring;
    uint8_t *buffers;
    uint32_t buffer_count;
    uint32_t lent_count; /* buffers that the receiver is looking at */
    uint16_t lent[CQES];

    struct tx_slot *slots;
    struct tx_slot *slot_free;
    uint32_t slots_used;
};

static struct uring_port *of(struct dp_port *port)
{
    return (struct uring_port *)port;
}

/* ---- completions ---- */

static uint8_t *buffer_at(const struct uring_port *uring, uint32_t index)
{
    return uring->buffers + (size_t)index * BUFFER_SIZE;
}

static void give_buffer(struct uring_port *uring, uint16_t index, int offset)
{
    io_uring_buf_ring_add(uring->buffer_ring, buffer_at(uring, index), BUFFER_SIZE, index,
        (int)uring->buffer_count - 1, offset);
}

static void give_lent_buffers(struct uring_port *uring)
{
    for (uint32_t at = 0; at < uring->lent_count; at++)
        give_buffer(uring, uring->lent[at], (int)at);
    io_uring_buf_ring_advance(uring->buffer_ring, (int)uring->lent_count);
    uring->lent_count = 0;
}

static int64_t nanos_of(const struct timespec *time)
{
    return (int64_t)time->tv_sec * 1000000000 + time->tv_nsec;
}

/* The card's stamp where there is one, else the kernel's. */
static void read_stamp(
    struct uring_port *uring, struct io_uring_recvmsg_out *out, struct dp_packet *packet)
{
    struct cmsghdr *control = io_uring_recvmsg_cmsg_firsthdr(out, &uring->header);
    for (; control != NULL; control = io_uring_recvmsg_cmsg_nexthdr(out, &uring->header, control)) {
        if (control->cmsg_level != SOL_SOCKET || control->cmsg_type != SCM_TIMESTAMPING)
            continue;
        struct scm_timestamping stamps;
        memcpy(&stamps, CMSG_DATA(control), sizeof(stamps));
        bool is_hardware = stamps.ts[2].tv_sec != 0;
        packet->time_ns = nanos_of(&stamps.ts[is_hardware ? 2 : 0]);
        packet->clock = is_hardware ? DP_PORT_CLOCK_HARDWARE : DP_PORT_CLOCK_KERNEL;
    }
}

/* One datagram out of a completion; false when it gives none. */
static bool take_datagram(
    struct uring_port *uring, const struct io_uring_cqe *cqe, struct dp_packet *packet)
{
    uring->is_receiving &= (cqe->flags & IORING_CQE_F_MORE) != 0;
    if (cqe->res < 0 || !(cqe->flags & IORING_CQE_F_BUFFER)) {
        uring->port.stats.rx_failed += cqe->res != -ECANCELED && cqe->res != -ENOBUFS;
        return false;
    }
    uint16_t index = (uint16_t)(cqe->flags >> IORING_CQE_BUFFER_SHIFT);
    uring->lent[uring->lent_count++] = index;
    struct io_uring_recvmsg_out *out =
        io_uring_recvmsg_validate(buffer_at(uring, index), cqe->res, &uring->header);
    if (out == NULL) {
        uring->port.stats.rx_failed++;
        return false;
    }
    *packet = (struct dp_packet){
        .data = io_uring_recvmsg_payload(out, &uring->header),
        .size = io_uring_recvmsg_payload_length(out, cqe->res, &uring->header),
    };
    packet->original_size = out->flags & MSG_TRUNC ? out->payloadlen : packet->size;
    read_stamp(uring, out, packet);
    return true;
}

/* A zero-copy send completes twice; its buffer is free with the last of the two. */
static void take_sent(struct uring_port *uring, const struct io_uring_cqe *cqe)
{
    if (cqe->res < 0)
        uring->port.stats.tx_failed++;
    if (cqe->flags & IORING_CQE_F_MORE)
        return;
    struct tx_slot *slot = (struct tx_slot *)(uintptr_t)cqe->user_data;
    slot->next_free = uring->slot_free;
    uring->slot_free = slot;
    uring->slots_used--;
}

/* Takes completions in their order until `max` datagrams are there, or none is left. With max 0,
 * those of sends up to the first datagram. */
static uint32_t reap(struct uring_port *uring, struct dp_packet *packets, uint32_t max)
{
    struct io_uring_cqe *cqe;
    uint32_t count = 0;
    while (uring->lent_count < CQES && io_uring_peek_cqe(&uring->ring, &cqe) == 0) {
        bool is_datagram = cqe->user_data == RECEIVE_DATA;
        if (is_datagram && count == max)
            break;
        if (!is_datagram)
            take_sent(uring, cqe);
        else if (take_datagram(uring, cqe, &packets[count]))
            uring->port.stats.rx_bytes += packets[count++].size;
        io_uring_cqe_seen(&uring->ring, cqe);
    }
    uring->port.stats.rx_packets += count;
    return count;
}

/* Lets the kernel make completions, if it has any to make: its flag spares the call. */
static void make_completions(struct uring_port *uring)
{
    unsigned flags = IO_URING_READ_ONCE(*uring->ring.sq.kflags);
    if (uring->must_enter || (flags & (IORING_SQ_TASKRUN | IORING_SQ_CQ_OVERFLOW)) != 0)
        io_uring_get_events(&uring->ring);
}

/* ---- receive and send ---- */

static void arm(struct uring_port *uring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);
    if (sqe == NULL)
        return; /* the queue is full of sends: at the next call */
    /* MSG_TRUNC: the length says what was sent, not what fitted. */
    io_uring_prep_recvmsg_multishot(sqe, REGISTERED, &uring->header, MSG_TRUNC);
    sqe->flags |= IOSQE_BUFFER_SELECT | IOSQE_FIXED_FILE;
    sqe->buf_group = BUFFER_GROUP;
    io_uring_sqe_set_data64(sqe, RECEIVE_DATA);
    uring->is_receiving = io_uring_submit(&uring->ring) >= 0;
}

static uint32_t uring_receive(struct dp_port *port, struct dp_packet *packets, uint32_t max)
{
    struct uring_port *uring = of(port);
    give_lent_buffers(uring);
    if (DP_UNLIKELY(!uring->is_receiving))
        arm(uring);
    uint32_t count = reap(uring, packets, max < CQES ? max : CQES);
    if (count > 0)
        return count;
    make_completions(uring);
    return reap(uring, packets, max < CQES ? max : CQES);
}

static struct tx_slot *take_slot(struct uring_port *uring)
{
    if (DP_UNLIKELY(uring->slot_free == NULL)) {
        make_completions(uring);
        reap(uring, NULL, 0);
    }
    struct tx_slot *slot = uring->slot_free;
    if (slot != NULL) {
        uring->slot_free = slot->next_free;
        uring->slots_used++;
    }
    return slot;
}

/* False when the port has no room now. */
static bool queue(struct uring_port *uring, const struct dp_packet *packet)
{
    if (io_uring_sq_space_left(&uring->ring) == 0)
        io_uring_submit(&uring->ring);
    struct tx_slot *slot = take_slot(uring);
    if (slot == NULL)
        return false;
    struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);
    DP_ASSERT(sqe != NULL);
    memcpy(slot->data, packet->data, packet->size);
    if (uring->has_registered_memory)
        io_uring_prep_send_zc_fixed(sqe, REGISTERED, slot->data, packet->size, 0, 0, REGISTERED);
    else if (uring->zero_copy_send)
        io_uring_prep_send_zc(sqe, REGISTERED, slot->data, packet->size, 0, 0);
    else
        io_uring_prep_send(sqe, REGISTERED, slot->data, packet->size, 0);
    sqe->flags |= IOSQE_FIXED_FILE;
    io_uring_sqe_set_data(sqe, slot);
    return true;
}

static uint32_t uring_send(struct dp_port *port, const struct dp_packet *packets, uint32_t count)
{
    struct uring_port *uring = of(port);
    uint32_t index = 0;
    for (; index < count; index++) {
        if (packets[index].size > DP_PORT_FRAME_MAX || !uring->has_remote) {
            port->stats.tx_refused++;
            continue;
        }
        if (!queue(uring, &packets[index]))
            break;
        port->stats.tx_packets++;
        port->stats.tx_bytes += packets[index].size;
    }
    io_uring_submit(&uring->ring);
    return index;
}

/* The ring would let go of the socket some time after it is gone itself, and until then nobody
 * could bind to its address: so the receive is ended first. */
static void disarm(struct uring_port *uring)
{
    struct io_uring_sqe *sqe = uring->is_receiving ? io_uring_get_sqe(&uring->ring) : NULL;
    if (sqe == NULL)
        return;
    io_uring_prep_cancel64(sqe, RECEIVE_DATA, 0);
    io_uring_sqe_set_data64(sqe, CANCEL_DATA);
    io_uring_submit(&uring->ring);
    struct io_uring_cqe *cqe;
    while (uring->is_receiving && io_uring_wait_cqe(&uring->ring, &cqe) == 0) {
        if (cqe->user_data == RECEIVE_DATA && !(cqe->flags & IORING_CQE_F_MORE))
            uring->is_receiving = false;
        io_uring_cqe_seen(&uring->ring, cqe);
    }
}

static void release(struct uring_port *uring)
{
    /* The ring lets go of a registered socket some time after it is gone itself. */
    if (uring->has_ring)
        (void)io_uring_unregister_files(&uring->ring);
    if (uring->has_ring)
        io_uring_queue_exit(&uring->ring);
    if (uring->socket >= 0)
        close(uring->socket);
    free(uring->buffer_ring);
    free(uring->buffers);
    free(uring->slots);
    free(uring);
}

static int uring_close(struct dp_port *port, struct dp_err *err)
{
    (void)err;
    disarm(of(port));
    release(of(port));
    return 0;
}

static uint32_t uring_buffers_used(const struct dp_port *port)
{
    const struct uring_port *uring = (const struct uring_port *)port;
    return uring->slots_used + uring->lent_count;
}

static const struct dp_port_ops uring_ops = {
    .name = "uring",
    .framing = DP_PORT_DATAGRAM,
    .receive = uring_receive,
    .send = uring_send,
    .buffers_used = uring_buffers_used,
    .close = uring_close,
};

uint16_t dp_port_uring_local_port(const struct dp_port *port)
{
    DP_ASSERT(port->ops == &uring_ops);
    return ((const struct uring_port *)port)->local_port;
}

/* ---- opening ---- */

static struct io_uring_params ring_params(const struct dp_port_uring_config *config)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_CQSIZE | IORING_SETUP_SINGLE_ISSUER,
        .cq_entries = 2 * (TX_SLOTS + CQES),
    };
    if (config->mode == DP_PORT_URING_DEFER) {
        params.flags |= IORING_SETUP_DEFER_TASKRUN | IORING_SETUP_TASKRUN_FLAG;
        return params;
    }
    params.flags |= IORING_SETUP_SQPOLL;
    params.sq_thread_idle = SQPOLL_IDLE_MS;
    if (config->sqpoll_cpu >= 0) {
        params.flags |= IORING_SETUP_SQ_AFF;
        params.sq_thread_cpu = (unsigned)config->sqpoll_cpu;
    }
    return params;
}

static int open_ring(
    struct uring_port *uring, const struct dp_port_uring_config *config, struct dp_err *err)
{
    struct io_uring_params params = ring_params(config);
    int result = io_uring_queue_init_params(TX_SLOTS, &uring->ring, &params);
    if (result < 0)
        return dp_err_set(err, -result,
            "uring port: no io_uring: %s; it takes Linux 6.1 and kernel.io_uring_disabled = 0",
            strerror(-result));
    uring->has_ring = true;
    result = io_uring_register_files(&uring->ring, &uring->socket, 1);
    return result < 0
        ? dp_err_set(err, -result, "uring port: no registered socket: %s", strerror(-result))
        : 0;
}

/* A wish: what may be locked (ulimit -l) can be too little for it, and sending then pins each
 * packet. */
static void register_slots(struct uring_port *uring)
{
    const struct iovec memory = {uring->slots, TX_SLOTS * sizeof(struct tx_slot)};
    uring->has_registered_memory =
        uring->zero_copy_send && io_uring_register_buffers(&uring->ring, &memory, 1) == 0;
}

/* Memory of whole pages, as the kernel wants it for a buffer ring. */
static void *take_pages(size_t size)
{
    size_t page_size = (size_t)sysconf(_SC_PAGESIZE);
    void *memory = aligned_alloc(page_size, dp_round_up(size, page_size));
    if (memory != NULL)
        memset(memory, 0, size);
    return memory;
}

static int open_buffers(struct uring_port *uring, struct dp_err *err)
{
    uint32_t count = uring->buffer_count;
    uring->buffer_ring = take_pages(count * sizeof(struct io_uring_buf));
    uring->buffers = take_pages((size_t)count * BUFFER_SIZE);
    uring->slots = take_pages(TX_SLOTS * sizeof(struct tx_slot));
    if (uring->buffer_ring == NULL || uring->buffers == NULL || uring->slots == NULL)
        return dp_err_set(err, ENOMEM, "uring port: no memory for %u buffers", count);

    struct io_uring_buf_reg registration = {
        .ring_addr = (uintptr_t)uring->buffer_ring,
        .ring_entries = count,
        .bgid = BUFFER_GROUP,
    };
    int result = io_uring_register_buf_ring(&uring->ring, &registration, 0);
    if (result < 0)
        return dp_err_set(err, -result, "uring port: %u buffers: %s", count, strerror(-result));
    register_slots(uring);
    for (uint32_t index = 0; index < count; index++)
        give_buffer(uring, (uint16_t)index, (int)index);
    io_uring_buf_ring_advance(uring->buffer_ring, (int)count);
    for (uint32_t index = 0; index < TX_SLOTS; index++)
        uring->slots[index].next_free = index + 1 < TX_SLOTS ? &uring->slots[index + 1] : NULL;
    uring->slot_free = uring->slots;
    return 0;
}

static int open_all(
    struct uring_port *uring, const struct dp_port_uring_config *config, struct dp_err *err)
{
    uring->buffer_count = config->buffer_count != 0 ? config->buffer_count : BUFFERS_DEFAULT;
    if (!dp_is_power_of_two(uring->buffer_count) || uring->buffer_count > DP_PORT_URING_BUFFERS_MAX)
        return dp_err_set(err, EINVAL,
            "uring port: buffer_count is %u; it must be a power of two, at most %u",
            uring->buffer_count, DP_PORT_URING_BUFFERS_MAX);
    uring->socket = dp_uring_socket_open(config, &uring->local_port, err);
    if (uring->socket < 0)
        return uring->socket;
    uring->must_enter = config->busy_poll_us != 0;
    int result = open_ring(uring, config, err);
    return result < 0 ? result : open_buffers(uring, err);
}

struct dp_port *dp_port_uring_open(const struct dp_port_uring_config *config, struct dp_err *err)
{
    struct uring_port *uring = calloc(1, sizeof(*uring));
    if (uring == NULL) {
        dp_err_set(err, ENOMEM, "uring port: no memory");
        return NULL;
    }
    uring->port.ops = &uring_ops;
    uring->socket = -1;
    uring->zero_copy_send = config->zero_copy_send;
    uring->has_remote = config->remote_ip != 0;
    uring->header.msg_controllen = CONTROL_SIZE;
    if (open_all(uring, config, err) < 0) {
        release(uring);
        return NULL;
    }
    return &uring->port;
}
