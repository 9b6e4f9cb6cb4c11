#include "dp_bench_wire_echo.h"

#include <errno.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <xdp/xsk.h>

#include "dp_xdp_program.h"

#define FRAMES 4096u
#define FRAME_SIZE XSK_UMEM__DEFAULT_FRAME_SIZE
#define BURST 64u

struct xdp_echo {
    struct dp_bench_wire_echo echo; /* first */
    struct dp_xdp_program *program;
    struct xsk_umem *umem;
    struct xsk_socket *socket;
    uint8_t *memory;
    struct xsk_ring_prod fill;
    struct xsk_ring_cons complete;
    struct xsk_ring_cons rx;
    struct xsk_ring_prod tx;
};

/* Frames that were sent may be received into again. */
static void recycle(struct xdp_echo *xdp)
{
    uint32_t from = 0;
    uint32_t to = 0;
    uint32_t count = xsk_ring_cons__peek(&xdp->complete, BURST, &from);
    if (count == 0 || xsk_ring_prod__reserve(&xdp->fill, count, &to) != count)
        return;
    for (uint32_t at = 0; at < count; at++)
        *xsk_ring_prod__fill_addr(&xdp->fill, to + at) =
            *xsk_ring_cons__comp_addr(&xdp->complete, from + at);
    xsk_ring_prod__submit(&xdp->fill, count);
    xsk_ring_cons__release(&xdp->complete, count);
}

static void turn(struct dp_bench_wire_echo *echo)
{
    struct xdp_echo *xdp = (struct xdp_echo *)echo;
    uint32_t from = 0;
    uint32_t to = 0;
    uint32_t count = xsk_ring_cons__peek(&xdp->rx, BURST, &from);
    if (count == 0 || xsk_ring_prod__reserve(&xdp->tx, count, &to) != count) {
        recycle(xdp);
        return;
    }
    for (uint32_t at = 0; at < count; at++) {
        const struct xdp_desc *frame = xsk_ring_cons__rx_desc(&xdp->rx, from + at);
        dp_bench_wire_turn_round(xdp->memory + frame->addr);
        *xsk_ring_prod__tx_desc(&xdp->tx, to + at) = *frame;
    }
    xsk_ring_prod__submit(&xdp->tx, count);
    xsk_ring_cons__release(&xdp->rx, count);
    (void)sendto(xsk_socket__fd(xdp->socket), NULL, 0, MSG_DONTWAIT, NULL, 0);
}

static void close_echo(struct dp_bench_wire_echo *echo)
{
    struct xdp_echo *xdp = (struct xdp_echo *)echo;
    if (xdp->socket != NULL)
        xsk_socket__delete(xdp->socket);
    if (xdp->umem != NULL)
        xsk_umem__delete(xdp->umem);
    if (xdp->memory != NULL)
        munmap(xdp->memory, FRAMES * FRAME_SIZE);
    dp_xdp_program_close(xdp->program);
    free(xdp);
}

static int open_memory(struct xdp_echo *xdp)
{
    const struct xsk_umem_config config = {
        .fill_size = FRAMES, .comp_size = FRAMES, .frame_size = FRAME_SIZE};
    uint32_t at = 0;
    void *memory = mmap(NULL, FRAMES * FRAME_SIZE, PROT_READ | PROT_WRITE,
        MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (memory == MAP_FAILED)
        return -ENOMEM;
    xdp->memory = memory;
    int result = xsk_umem__create(
        &xdp->umem, memory, FRAMES * FRAME_SIZE, &xdp->fill, &xdp->complete, &config);
    if (result < 0)
        return result;
    xsk_ring_prod__reserve(&xdp->fill, FRAMES, &at);
    for (uint32_t frame = 0; frame < FRAMES; frame++)
        *xsk_ring_prod__fill_addr(&xdp->fill, at + frame) = (uint64_t)frame * FRAME_SIZE;
    xsk_ring_prod__submit(&xdp->fill, FRAMES);
    return 0;
}

static int open_socket(struct xdp_echo *xdp, const char *interface, struct dp_err *err)
{
    const struct xsk_socket_config config = {
        .rx_size = FRAMES,
        .tx_size = FRAMES,
        .libxdp_flags = XSK_LIBXDP_FLAGS__INHIBIT_PROG_LOAD,
        .bind_flags = XDP_USE_NEED_WAKEUP | XDP_COPY,
    };
    int result = open_memory(xdp);
    if (result == 0)
        result =
            xsk_socket__create(&xdp->socket, interface, 0, xdp->umem, &xdp->rx, &xdp->tx, &config);
    if (result < 0)
        return dp_err_set(err, -result, "bench: wire: AF_XDP echo: %s", strerror(-result));
    return dp_xdp_program_add_socket(xdp->program, 0, xsk_socket__fd(xdp->socket), err);
}

struct dp_bench_wire_echo *dp_bench_wire_echo_xdp(
    const char *interface, const struct dp_bench_wire_ends *ends, struct dp_err *err)
{
    const struct dp_xdp_flow flow = {ends->here.ip, ends->here.port, DP_NET_UDP};
    struct xdp_echo *xdp = calloc(1, sizeof(*xdp));
    DP_ASSERT(xdp != NULL);
    xdp->echo = (struct dp_bench_wire_echo){turn, close_echo};
    xdp->program = dp_xdp_program_open(interface, &flow, 1, true, err);
    if (xdp->program == NULL || open_socket(xdp, interface, err) < 0) {
        close_echo(&xdp->echo);
        return NULL;
    }
    return &xdp->echo;
}
