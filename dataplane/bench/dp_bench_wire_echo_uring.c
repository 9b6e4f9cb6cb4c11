#include "dp_bench_wire_echo.h"

#include <liburing.h>
#include <sys/socket.h>
#include <unistd.h>

#define ENTRIES 8u

enum operation { RECEIVE = 1, SEND };

struct uring_echo {
    struct dp_bench_wire_echo echo; /* first */
    struct io_uring ring;
    bool has_ring;
    int socket;
    uint8_t data[DP_BENCH_WIRE_DATAGRAM_MAX];
};

static void receive(struct uring_echo *uring)
{
    struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);
    io_uring_prep_recv(sqe, uring->socket, uring->data, sizeof(uring->data), 0);
    io_uring_sqe_set_data64(sqe, RECEIVE);
}

static void take(struct uring_echo *uring, const struct io_uring_cqe *cqe)
{
    if (cqe->user_data == RECEIVE && cqe->res > 0) {
        struct io_uring_sqe *sqe = io_uring_get_sqe(&uring->ring);
        io_uring_prep_send(sqe, uring->socket, uring->data, (size_t)cqe->res, 0);
        io_uring_sqe_set_data64(sqe, SEND);
    } else {
        receive(uring);
    }
    io_uring_submit(&uring->ring);
}

static void turn(struct dp_bench_wire_echo *echo)
{
    struct uring_echo *uring = (struct uring_echo *)echo;
    struct io_uring_cqe *cqe;
    io_uring_get_events(&uring->ring);
    while (io_uring_peek_cqe(&uring->ring, &cqe) == 0) {
        struct io_uring_cqe kept = *cqe;
        io_uring_cqe_seen(&uring->ring, cqe);
        take(uring, &kept);
    }
}

static void close_echo(struct dp_bench_wire_echo *echo)
{
    struct uring_echo *uring = (struct uring_echo *)echo;
    if (uring->has_ring)
        io_uring_queue_exit(&uring->ring);
    if (uring->socket >= 0)
        close(uring->socket);
    free(uring);
}

static bool open_all(
    struct uring_echo *uring, const struct dp_bench_wire_ends *ends, struct dp_err *err)
{
    struct io_uring_params params = {
        .flags = IORING_SETUP_SINGLE_ISSUER | IORING_SETUP_DEFER_TASKRUN};
    uring->socket = dp_bench_wire_socket(ends, err);
    if (uring->socket < 0)
        return false;
    int result = io_uring_queue_init_params(ENTRIES, &uring->ring, &params);
    uring->has_ring = result == 0;
    if (result < 0)
        dp_err_set(err, -result, "bench: wire: io_uring echo: %s", strerror(-result));
    return uring->has_ring;
}

struct dp_bench_wire_echo *dp_bench_wire_echo_uring(
    const char *interface, const struct dp_bench_wire_ends *ends, struct dp_err *err)
{
    (void)interface;
    struct uring_echo *uring = calloc(1, sizeof(*uring));
    DP_ASSERT(uring != NULL);
    uring->echo = (struct dp_bench_wire_echo){turn, close_echo};
    uring->socket = -1;
    if (!open_all(uring, ends, err)) {
        close_echo(&uring->echo);
        return NULL;
    }
    receive(uring);
    io_uring_submit(&uring->ring);
    return &uring->echo;
}
