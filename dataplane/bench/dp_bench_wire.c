#include "dp_bench_wire.h"

#include <arpa/inet.h>
#include <errno.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dp_bench_wire_echo.h"
#include "dp_clock.h"
#include "dp_itch_encode.h"
#include "dp_moldudp.h"

#define BURST 32u
#define LOOKS 1024                      /* between two looks at the clock */
#define ANSWER_PATIENCE_NS 1000000000ll /* a machine that is busy elsewhere is late, not lossy */
#define FIRST_PATIENCE_NS 5000000000ll
#define DOLLAR_PRICE4 10000u /* a price of ITCH has four decimal places */
#define SOCKET_BUFFER_BYTES (8 << 20)

static struct sockaddr_in address_of(const struct dp_net_endpoint *end)
{
    return (struct sockaddr_in){
        .sin_family = AF_INET, .sin_addr.s_addr = htonl(end->ip), .sin_port = htons(end->port)};
}

int dp_bench_wire_socket(const struct dp_bench_wire_ends *ends, struct dp_err *err)
{
    const int size = SOCKET_BUFFER_BYTES;
    struct sockaddr_in here = address_of(&ends->here);
    struct sockaddr_in there = address_of(&ends->there);
    int file = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    if (file < 0)
        return dp_err_set(err, errno, "bench: wire: no socket: %s", strerror(errno));
    (void)setsockopt(file, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
    (void)setsockopt(file, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
    (void)setsockopt(file, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
    if (bind(file, (struct sockaddr *)&here, sizeof(here)) == 0 &&
        connect(file, (struct sockaddr *)&there, sizeof(there)) == 0)
        return file;
    int error = errno;
    close(file);
    return dp_err_set(err, error, "bench: wire: port %u: %s", ends->here.port, strerror(error));
}

/* ---- ticks ---- */

struct exchange {
    int file;
    uint64_t sequence;
    uint64_t tick;
    uint64_t patience_tsc;
    uint32_t lost;
    size_t size;
    uint8_t packet[128];
};

/* One message a packet, as its number says. */
static void make(struct exchange *exchange, const struct dp_itch_message *message)
{
    uint8_t *data = exchange->packet;
    size_t at = dp_moldudp_build(data, (const uint8_t *)"WIRE000001", exchange->sequence++, 1);
    uint32_t size = dp_itch_encode(message, data + at + 2);
    dp_store_be16(data + at, (uint16_t)size);
    exchange->size = at + 2 + size;
}

static bool put(struct exchange *exchange, const struct dp_itch_message *message)
{
    make(exchange, message);
    return send(exchange->file, exchange->packet, exchange->size, 0) == (ssize_t)exchange->size;
}

static struct dp_itch_message order_of(uint64_t id, enum dp_side side, uint32_t price4)
{
    return (struct dp_itch_message){
        .type = 'A',
        .stock_locate = 1,
        .stock = (const uint8_t *)DP_BENCH_WIRE_SYMBOL,
        .order_ref = id,
        .side = (uint8_t)side,
        .qty = 100,
        .price4 = price4,
    };
}

static bool open_market(struct exchange *exchange)
{
    static const char events[] = "OSQ";
    struct dp_itch_message directory = {
        .type = 'R', .stock_locate = 1, .stock = (const uint8_t *)DP_BENCH_WIRE_SYMBOL};
    struct dp_itch_message trading = directory;
    struct dp_itch_message bid = order_of(1, DP_SIDE_BUY, 999 * DOLLAR_PRICE4);
    struct dp_itch_message ask = order_of(2, DP_SIDE_SELL, 1001 * DOLLAR_PRICE4);
    trading.type = 'H';
    trading.code = 'T';
    bool fine = true;
    for (uint32_t at = 0; at < 3; at++)
        fine = fine &&
            put(exchange, &(struct dp_itch_message){.type = 'S', .code = (uint8_t)events[at]});
    return fine && put(exchange, &directory) && put(exchange, &trading) && put(exchange, &bid) &&
        put(exchange, &ask);
}

/* A better bid, and in turn its end: both change the touch. */
static void make_tick(struct exchange *exchange)
{
    uint64_t id = 3 + exchange->tick / 2;
    struct dp_itch_message message = order_of(id, DP_SIDE_BUY, 999 * DOLLAR_PRICE4 + 100);
    if (exchange->tick++ % 2 == 1)
        message.type = 'D';
    make(exchange, &message);
}

/* Ticks of the TSC until the answer; 0 when there is none. */
static uint64_t ping(struct exchange *exchange)
{
    uint8_t answer[2048];
    uint64_t start_tsc = dp_tsc();
    uint64_t end_tsc = start_tsc;
    if (send(exchange->file, exchange->packet, exchange->size, 0) != (ssize_t)exchange->size)
        return 0;
    while (end_tsc - start_tsc < exchange->patience_tsc) {
        ssize_t size = recv(exchange->file, answer, sizeof(answer), MSG_DONTWAIT);
        end_tsc = dp_tsc();
        if (size > 0)
            return end_tsc - start_tsc;
    }
    return 0;
}

static void pause_for(uint64_t ticks_tsc)
{
    uint64_t start_tsc = dp_tsc();
    while (dp_tsc() - start_tsc < ticks_tsc)
        __builtin_ia32_pause();
}

/* An answer that came too late must not be taken for the next one's. */
static void forget_late(struct exchange *exchange)
{
    uint8_t answer[2048];
    while (recv(exchange->file, answer, sizeof(answer), MSG_DONTWAIT) > 0)
        continue;
}

static uint64_t ping_once(struct exchange *exchange)
{
    make_tick(exchange);
    uint64_t taken_tsc = ping(exchange);
    if (taken_tsc != 0)
        return taken_tsc;
    exchange->lost++;
    forget_late(exchange);
    return 0;
}

/* Never the same twice: whoever sleeps for so long and looks would always be met at one moment. */
static uint64_t pause_of(uint64_t pause_tsc, uint32_t at)
{
    uint64_t part = (uint32_t)(at * 0x9e3779b1u) >> 16; /* of 65536, spread evenly */
    return pause_tsc + pause_tsc * part / 65536 / 16;
}

static int run_pings(struct exchange *exchange, const struct dp_bench_wire_ping *config,
    const struct dp_clock *clock, uint32_t *ticks_tsc, struct dp_err *err)
{
    uint64_t pause_tsc = (uint64_t)config->pause_ns * clock->tsc_hz / 1000000000;
    exchange->patience_tsc = (uint64_t)FIRST_PATIENCE_NS / 1000 * clock->tsc_hz / 1000000;
    if (!open_market(exchange) || ping_once(exchange) == 0)
        return dp_err_set(err, ETIMEDOUT, "bench: wire: no answer to the first tick");
    exchange->patience_tsc = (uint64_t)ANSWER_PATIENCE_NS * clock->tsc_hz / 1000000000;
    for (uint32_t at = 0; at < config->warm_count; at++) {
        ping_once(exchange);
        pause_for(pause_of(pause_tsc, at));
    }
    for (uint32_t at = 0; at < config->count; at++) {
        ticks_tsc[at] = (uint32_t)ping_once(exchange);
        pause_for(pause_of(pause_tsc, at));
    }
    return 0;
}

int dp_bench_wire_ping(const struct dp_bench_wire_ends *ends,
    const struct dp_bench_wire_ping *config, uint32_t *ticks_tsc, uint32_t *lost,
    struct dp_err *err)
{
    struct exchange exchange = {.sequence = 1};
    struct dp_clock clock;
    dp_clock_calibrate(&clock, 20);
    exchange.file = dp_bench_wire_socket(ends, err);
    if (exchange.file < 0)
        return exchange.file;
    int status = run_pings(&exchange, config, &clock, ticks_tsc, err);
    *lost = exchange.lost;
    close(exchange.file);
    return status;
}

/* ---- many datagrams ---- */

struct burst {
    struct mmsghdr messages[BURST];
    struct iovec places[BURST];
    uint8_t data[BURST][DP_BENCH_WIRE_DATAGRAM_MAX];
};

static void lay_out(struct burst *burst, uint32_t size)
{
    for (uint32_t at = 0; at < BURST; at++) {
        burst->places[at] = (struct iovec){burst->data[at], size};
        burst->messages[at].msg_hdr =
            (struct msghdr){.msg_iov = &burst->places[at], .msg_iovlen = 1};
    }
}

/* How many more may go now. */
static uint32_t due(const struct dp_bench_wire_blast *config, int64_t elapsed_ns, uint64_t sent)
{
    uint64_t most = config->count != 0 ? config->count : UINT64_MAX;
    if (config->rate != 0) {
        uint64_t by_now = (uint64_t)elapsed_ns * config->rate / 1000000000;
        most = by_now < most ? by_now : most;
    }
    uint64_t left = most > sent ? most - sent : 0;
    return left < BURST ? (uint32_t)left : BURST;
}

int dp_bench_wire_blast(const struct dp_bench_wire_ends *ends,
    const struct dp_bench_wire_blast *config, uint64_t *sent, struct dp_err *err)
{
    struct burst burst = {0};
    int file = dp_bench_wire_socket(ends, err);
    DP_ASSERT(config->size >= 8 && config->size <= DP_BENCH_WIRE_DATAGRAM_MAX);
    if (file < 0)
        return file;
    lay_out(&burst, config->size);
    int64_t start_ns = dp_clock_monotonic_ns();
    int64_t elapsed_ns = 0;
    *sent = 0;
    while (elapsed_ns < config->time_ns && (config->count == 0 || *sent < config->count)) {
        uint32_t count = due(config, elapsed_ns, *sent);
        for (uint32_t at = 0; at < count; at++)
            dp_store_be64(burst.data[at], *sent + at);
        int taken = count == 0 ? 0 : sendmmsg(file, burst.messages, count, 0);
        *sent += taken > 0 ? (uint64_t)taken : 0;
        elapsed_ns = dp_clock_monotonic_ns() - start_ns;
    }
    close(file);
    return 0;
}

uint64_t dp_bench_wire_take(struct dp_port *port, int64_t time_ns)
{
    struct dp_packet packets[64];
    int64_t until_ns = dp_clock_monotonic_ns() + time_ns;
    uint64_t taken = 0;
    uint64_t sum = 0;
    while (dp_clock_monotonic_ns() < until_ns) {
        uint32_t count = dp_port_receive(port, packets, 64);
        for (uint32_t at = 0; at < count; at++)
            sum += dp_load_be64(packets[at].data);
        taken += count;
    }
    __asm__ volatile("" : : "r"(sum)); /* the reading counts, not the sum */
    return taken;
}

uint64_t dp_bench_wire_sink(int file, int64_t time_ns)
{
    struct burst burst = {0};
    int64_t until_ns = dp_clock_monotonic_ns() + time_ns;
    uint64_t taken = 0;
    lay_out(&burst, DP_BENCH_WIRE_DATAGRAM_MAX);
    while (dp_clock_monotonic_ns() < until_ns) {
        int count = recvmmsg(file, burst.messages, BURST, MSG_DONTWAIT, NULL);
        taken += count > 0 ? (uint64_t)count : 0;
    }
    return taken;
}

/* Frames are copied and turned round; datagrams go to the socket's remote. */
static void send_back(struct dp_port *port, struct dp_packet packet)
{
    uint8_t frame[DP_PORT_FRAME_MAX];
    if (dp_port_moves_frames(port)) {
        memcpy(frame, packet.data, packet.size);
        dp_bench_wire_turn_round(frame);
        packet.data = frame;
    }
    dp_port_send(port, &packet, 1);
}

void dp_bench_wire_return(struct dp_port *port, int64_t time_ns)
{
    struct dp_packet packets[BURST];
    int64_t until_ns = dp_clock_monotonic_ns() + time_ns;
    while (dp_clock_monotonic_ns() < until_ns) {
        for (int look = 0; look < LOOKS; look++) {
            uint32_t count = dp_port_receive(port, packets, BURST);
            for (uint32_t at = 0; at < count; at++)
                send_back(port, packets[at]);
        }
    }
}

uint64_t dp_bench_wire_give(struct dp_port *port, const struct dp_bench_wire_ends *ends,
    uint32_t payload_size, int64_t time_ns)
{
    uint8_t frame[DP_PORT_FRAME_MAX] = {0};
    struct dp_packet packets[BURST];
    struct dp_bench_wire_ends beside = *ends;
    struct dp_packet one = {.data = frame, .size = payload_size};
    DP_ASSERT(payload_size <= DP_BENCH_WIRE_DATAGRAM_MAX);
    beside.there.mac[5] ^= 0xff; /* nobody's there, as testpmd's: what is timed is sending */
    if (dp_port_moves_frames(port))
        one.size = dp_net_build_udp(frame, &beside.here, &beside.there, payload_size, 1);
    for (uint32_t at = 0; at < BURST; at++)
        packets[at] = one;
    int64_t until_ns = dp_clock_monotonic_ns() + time_ns;
    uint64_t given = 0;
    while (dp_clock_monotonic_ns() < until_ns)
        given += dp_port_send(port, packets, BURST);
    return given;
}
