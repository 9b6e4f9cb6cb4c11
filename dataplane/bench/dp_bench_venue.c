#include "dp_bench_venue.h"
#include "dp_clock.h"
#include "dp_ouch.h"
#include "dp_soup.h"
#include "dp_soup_session.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <sys/socket.h>
#include <unistd.h>

#define ORDER_SIZE (DP_SOUP_HEADER_SIZE + 47u) /* OUCH 5.0, Enter Order without options */
#define NUMBER_AT (DP_SOUP_HEADER_SIZE + 1u)
#define SIDE_AT (DP_SOUP_HEADER_SIZE + 5u)
#define ACCEPTED_NUMBER_AT 9u /* OUCH 5.0, Order Accepted */
#define READ_BYTES (256u << 10)
#define SILENCE_MS 5000

struct session {
    int file;
    uint32_t next;     /* number of the next order */
    uint32_t answered; /* so far */
    size_t kept;       /* bytes of a packet that is not whole */
    size_t unsent;     /* of `out`, from out_at on */
    size_t out_at;
    uint8_t *in;
    uint8_t *out;
    int64_t *sent_ns; /* by number */
};

struct load {
    const struct dp_bench_venue_load *config;
    struct dp_hist *hist;
    uint8_t order[ORDER_SIZE];
    struct session sessions[DP_BENCH_VENUE_SESSIONS_MAX];
};

static int connected(uint16_t port)
{
    int on = 1;
    int file = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK), .sin_port = htons(port)};
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    if (connect(file, (const struct sockaddr *)&address, sizeof(address)) == 0)
        return file;
    close(file);
    return -1;
}

/* Logs in and reads the answer, an echo's or an exchange's, and nothing behind it. */
static bool log_in(struct session *session, uint32_t index)
{
    struct dp_soup_session_config config = {.password = "secret"};
    snprintf(config.username, sizeof(config.username), "load%u", index % 10);
    struct dp_soup_session client;
    uint8_t packet[DP_SOUP_LOGIN_SIZE];
    dp_soup_session_init(&client, &config, NULL);
    dp_soup_session_resume(&client, "          ", UINT64_MAX); /* only what is new */
    size_t size = dp_soup_session_connect(&client, packet, 0);
    if (send(session->file, packet, size, MSG_NOSIGNAL) != (ssize_t)size ||
        recv(session->file, packet, DP_SOUP_HEADER_SIZE, MSG_WAITALL) != DP_SOUP_HEADER_SIZE)
        return false;
    size_t rest = dp_load_be16(packet) - 1u;
    return (packet[2] == 'A' || packet[2] == 'L') && rest <= sizeof(packet) &&
        recv(session->file, packet, rest, MSG_WAITALL) == (ssize_t)rest;
}

static void make_order(struct load *load)
{
    struct dp_ouch_message message = {
        .type = 'O',
        .qty = 100,
        .price_wire = 100000,
        .time_in_force = '0',
        .display = 'Y',
        .capacity = 'P',
        .intermarket_sweep = 'N',
        .cross_type = 'N',
    };
    memset(message.cl_ord_id, ' ', sizeof(message.cl_ord_id));
    memcpy(message.symbol, load->config->symbol, sizeof(message.symbol));
    size_t size = dp_ouch_encode(&message, DP_OUCH_INBOUND, load->order + DP_SOUP_HEADER_SIZE,
        ORDER_SIZE - DP_SOUP_HEADER_SIZE);
    DP_ASSERT(size == ORDER_SIZE - DP_SOUP_HEADER_SIZE);
    dp_soup_build(load->order, 'U', (uint32_t)size);
}

static bool open_session(struct load *load, uint32_t index)
{
    struct session *session = &load->sessions[index];
    session->file = connected(load->config->port);
    session->next = load->config->user_ref_num_first;
    session->in = malloc(READ_BYTES);
    session->out = malloc((size_t)load->config->window * ORDER_SIZE);
    session->sent_ns = malloc(load->config->window * sizeof(*session->sent_ns));
    return session->file >= 0 && session->in != NULL && session->out != NULL &&
        session->sent_ns != NULL && log_in(session, index);
}

static void close_session(struct session *session)
{
    if (session->file >= 0)
        close(session->file);
    free(session->in);
    free(session->out);
    free(session->sent_ns);
}

static uint32_t unanswered(const struct load *load, const struct session *session)
{
    return session->next - load->config->user_ref_num_first - session->answered;
}

/* As many orders as the window has room for, in one piece. */
static void make_orders(struct load *load, struct session *session)
{
    const struct dp_bench_venue_load *config = load->config;
    uint64_t made = session->next - config->user_ref_num_first;
    uint64_t count = config->window - unanswered(load, session);
    if (count > config->orders_per_session - made)
        count = config->orders_per_session - made;
    int64_t now_ns = dp_clock_monotonic_ns();
    session->out_at = 0;
    for (uint64_t index = 0; index < count; index++) {
        uint8_t *order = session->out + session->unsent;
        memcpy(order, load->order, ORDER_SIZE);
        dp_store_be32(order + NUMBER_AT, session->next);
        order[SIDE_AT] = session->next % 2 == 0 ? 'B' : 'S';
        session->sent_ns[session->next & (config->window - 1)] = now_ns;
        session->unsent += ORDER_SIZE;
        session->next++;
    }
}

static bool send_orders(struct load *load, struct session *session)
{
    if (session->unsent == 0)
        make_orders(load, session);
    if (session->unsent == 0)
        return true;
    ssize_t sent = send(session->file, session->out + session->out_at, session->unsent,
        MSG_NOSIGNAL | MSG_DONTWAIT);
    if (sent < 0)
        return errno == EAGAIN;
    session->out_at += (size_t)sent;
    session->unsent -= (size_t)sent;
    return true;
}

/* The number of the order that a packet answers, 0 when it answers none. */
static uint32_t answered_number(const struct dp_soup_packet *packet)
{
    if (packet->type == 'U')
        return dp_load_be32(packet->payload + 1);
    return packet->type == 'S' && packet->payload[0] == 'A'
        ? dp_load_be32(packet->payload + ACCEPTED_NUMBER_AT)
        : 0;
}

static bool read_answers(struct load *load, struct session *session)
{
    ssize_t size =
        recv(session->file, session->in + session->kept, READ_BYTES - session->kept, MSG_DONTWAIT);
    if (size <= 0)
        return size < 0 && errno == EAGAIN;
    int64_t now_ns = dp_clock_monotonic_ns();
    size_t whole = session->kept + (size_t)size;
    size_t used = 0;
    struct dp_soup_packet packet;
    while (dp_soup_parse(session->in + used, whole - used, &packet) == DP_SOUP_OK) {
        uint32_t number = answered_number(&packet);
        used += packet.size;
        if (number == 0)
            continue;
        session->answered++;
        int64_t sent_ns = session->sent_ns[number & (load->config->window - 1)];
        dp_hist_record(load->hist, (uint64_t)(now_ns - sent_ns));
    }
    memmove(session->in, session->in + used, whole - used);
    session->kept = whole - used;
    return true;
}

/* Sends what the windows have room for, then waits for any answer; false when the far end failed.
 */
static bool turn(struct load *load, bool *done)
{
    struct pollfd polls[DP_BENCH_VENUE_SESSIONS_MAX];
    uint32_t count = load->config->session_count;
    *done = true;
    for (uint32_t index = 0; index < count; index++) {
        struct session *session = &load->sessions[index];
        if (!send_orders(load, session))
            return false;
        *done = *done && session->answered == load->config->orders_per_session;
        polls[index] = (struct pollfd){
            .fd = session->file, .events = (short)(POLLIN | (session->unsent > 0 ? POLLOUT : 0))};
    }
    if (*done)
        return true;
    if (poll(polls, count, SILENCE_MS) <= 0)
        return false;
    for (uint32_t index = 0; index < count; index++)
        if ((polls[index].revents & POLLIN) && !read_answers(load, &load->sessions[index]))
            return false;
    return true;
}

int dp_bench_venue_run(const struct dp_bench_venue_load *config, struct dp_hist *hist,
    int64_t *elapsed_ns, struct dp_err *err)
{
    struct load load = {.config = config, .hist = hist};
    DP_ASSERT(config->session_count <= DP_BENCH_VENUE_SESSIONS_MAX &&
        dp_is_power_of_two(config->window) && config->window <= DP_BENCH_VENUE_WINDOW_MAX);
    bool fine = true;
    for (uint32_t index = 0; index < DP_BENCH_VENUE_SESSIONS_MAX; index++)
        load.sessions[index].file = -1;
    make_order(&load);
    for (uint32_t index = 0; fine && index < config->session_count; index++)
        fine = open_session(&load, index);
    int64_t start_ns = dp_clock_monotonic_ns();
    bool done = false;
    while (fine && !done)
        fine = turn(&load, &done);
    *elapsed_ns = dp_clock_monotonic_ns() - start_ns;
    for (uint32_t index = 0; index < config->session_count; index++)
        close_session(&load.sessions[index]);
    return fine
        ? 0
        : dp_err_set(err, EIO, "bench: port %u: the far end hung up or fell silent", config->port);
}

/* ---- the echo ---- */

struct dp_bench_echo {
    int listener;
    uint32_t count;
    struct pollfd polls[DP_BENCH_VENUE_SESSIONS_MAX + 1]; /* [0]: the listener */
    uint8_t bytes[READ_BYTES];
};

struct dp_bench_echo *dp_bench_echo_open(struct dp_err *err)
{
    struct dp_bench_echo *echo = calloc(1, sizeof(*echo));
    const struct sockaddr_in address = {
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    if (echo == NULL) {
        dp_err_set(err, ENOMEM, "bench: no memory");
        return NULL;
    }
    echo->listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (bind(echo->listener, (const struct sockaddr *)&address, sizeof(address)) < 0 ||
        listen(echo->listener, (int)DP_BENCH_VENUE_SESSIONS_MAX) < 0) {
        dp_err_set(err, errno, "bench: echo: %s", strerror(errno));
        dp_bench_echo_close(echo);
        return NULL;
    }
    echo->polls[0] = (struct pollfd){.fd = echo->listener, .events = POLLIN};
    return echo;
}

uint16_t dp_bench_echo_port(const struct dp_bench_echo *echo)
{
    struct sockaddr_in address;
    socklen_t size = sizeof(address);
    getsockname(echo->listener, (struct sockaddr *)&address, &size);
    return ntohs(address.sin_port);
}

static void accept_one(struct dp_bench_echo *echo)
{
    int on = 1;
    int file = accept4(echo->listener, NULL, NULL, SOCK_CLOEXEC);
    if (file < 0 || echo->count == DP_BENCH_VENUE_SESSIONS_MAX)
        return;
    setsockopt(file, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
    echo->polls[++echo->count] = (struct pollfd){.fd = file, .events = POLLIN};
}

/* False when the connection is over. Sending waits: the load always reads. */
static bool echo_one(struct dp_bench_echo *echo, int file)
{
    ssize_t size = recv(file, echo->bytes, READ_BYTES, MSG_DONTWAIT);
    if (size <= 0)
        return size < 0 && errno == EAGAIN;
    for (ssize_t sent = 0; sent < size;) {
        ssize_t part = send(file, echo->bytes + sent, (size_t)(size - sent), MSG_NOSIGNAL);
        if (part < 0)
            return false;
        sent += part;
    }
    return true;
}

void dp_bench_echo_run(struct dp_bench_echo *echo, int64_t budget_ns)
{
    int64_t until_ns = dp_clock_monotonic_ns() + budget_ns;
    while (dp_clock_monotonic_ns() < until_ns) {
        if (poll(echo->polls, echo->count + 1, 1) <= 0)
            continue;
        for (uint32_t index = echo->count; index > 0; index--) {
            if (echo->polls[index].revents == 0 || echo_one(echo, echo->polls[index].fd))
                continue;
            close(echo->polls[index].fd);
            echo->polls[index] = echo->polls[echo->count--];
        }
        if (echo->polls[0].revents & POLLIN)
            accept_one(echo);
    }
}

void dp_bench_echo_close(struct dp_bench_echo *echo)
{
    if (echo == NULL)
        return;
    for (uint32_t index = 1; index <= echo->count; index++)
        close(echo->polls[index].fd);
    close(echo->listener);
    free(echo);
}
