#include "dp_bench_wire_session.h"

#include <errno.h>

#include "dp_bench_wire_stream.h"
#include "dp_clock.h"
#include "dp_live_ports.h"
#include "dp_soup.h"

#define ORDER_SIZE 50u /* OUCH 5.0, Enter Order without options, in its SoupBinTCP packet */
#define LOGIN_PATIENCE_NS 10000000000ll
#define ANSWER_PATIENCE_NS 10000000000ll /* a busy machine is late */

struct client {
    struct dp_order_session session;
    uint64_t answered;
    bool is_lost;
};

static void on_login(void *context)
{
    (void)context;
}

static void on_message(void *context, uint64_t sequence, const uint8_t *data, uint32_t size)
{
    struct client *client = context;
    (void)sequence;
    (void)data;
    client->answered += size == ORDER_SIZE - DP_SOUP_HEADER_SIZE;
}

static void on_lost(void *context, enum dp_soup_session_verdict verdict, int error)
{
    struct client *client = context;
    (void)verdict;
    (void)error;
    client->is_lost = client->session.state != DP_ORDER_SESSION_DOWN || client->answered > 0;
}

static bool log_in(struct client *client)
{
    int64_t until_ns = dp_clock_monotonic_ns() + LOGIN_PATIENCE_NS;
    int64_t now_ns;
    do {
        now_ns = dp_clock_monotonic_ns();
        dp_order_session_poll(&client->session, now_ns);
    } while (client->session.state != DP_ORDER_SESSION_ACTIVE && now_ns < until_ns);
    return client->session.state == DP_ORDER_SESSION_ACTIVE;
}

/* Ticks of the TSC until the answer; 0 when there is none. */
static uint64_t ping(struct client *client, const uint8_t *order)
{
    uint64_t wanted = client->answered + 1;
    int64_t now_ns = dp_clock_monotonic_ns();
    int64_t until_ns = now_ns + ANSWER_PATIENCE_NS;
    uint64_t start_tsc = dp_tsc();
    if (!dp_order_session_send(&client->session, order, ORDER_SIZE, now_ns))
        return 0;
    while (client->answered < wanted && !client->is_lost && now_ns < until_ns) {
        now_ns = dp_clock_monotonic_ns();
        dp_order_session_poll(&client->session, now_ns);
    }
    return client->answered < wanted ? 0 : dp_tsc() - start_tsc;
}

static int run_pings(struct client *client, const struct dp_bench_wire_ping *config,
    uint32_t *ticks_tsc, struct dp_err *err)
{
    uint8_t order[ORDER_SIZE] = {0};
    dp_soup_build(order, 'U', ORDER_SIZE - DP_SOUP_HEADER_SIZE);
    if (!log_in(client))
        return dp_err_set(err, ETIMEDOUT, "bench: wire: no session with the server");
    for (uint32_t at = 0; at < config->warm_count + config->count; at++) {
        uint64_t taken_tsc = ping(client, order);
        int64_t until_ns = dp_clock_monotonic_ns() + config->pause_ns;
        if (taken_tsc == 0)
            return dp_err_set(err, ETIMEDOUT, "bench: wire: order %u: no answer", at);
        if (at >= config->warm_count)
            ticks_tsc[at - config->warm_count] = (uint32_t)taken_tsc;
        while (dp_clock_monotonic_ns() < until_ns)
            __builtin_ia32_pause();
    }
    return 0;
}

/* Ports without lines: all that is wanted of them is their TCP. */
static struct dp_live_ports *open_ports(const char *tcp, const char *interface,
    const struct dp_bench_wire_ends *ends, struct dp_err *err)
{
    struct dp_live_ports_config config = {
        .name = "tickplane-bench",
        .interface = interface,
        .queue_count = 1,
        .local_ip = ends->here.ip,
    };
    if (strcmp(tcp, "lwip") == 0) {
        config.kind = DP_LIVE_XDP;
        config.tcp = (struct dp_live_tcp){
            .is_lwip = true, .ip = ends->here.ip, .port_first = ends->here.port};
        memcpy(config.tcp.next_hop_mac, ends->there.mac, sizeof(ends->there.mac));
    }
    return dp_live_ports_open(&config, NULL, err);
}

int dp_bench_wire_session_ping(const char *tcp, const char *interface,
    const struct dp_bench_wire_ends *ends, const struct dp_bench_wire_ping *config,
    uint32_t *ticks_tsc, struct dp_err *err)
{
    struct client client = {0};
    bool is_plain = strcmp(tcp, "plain") == 0;
    struct dp_live_ports *ports = is_plain ? NULL : open_ports(tcp, interface, ends, err);
    const struct dp_order_session_config session = {
        .addresses = {{ends->there.ip, ends->there.port}},
        .address_count = 1,
        .connect = is_plain ? dp_bench_wire_plain_connect : dp_live_connect,
        .connect_context = ports,
    };
    const struct dp_order_session_handler handler = {&client, on_login, on_message, on_lost};
    if (!is_plain && ports == NULL)
        return -err->code;
    int status = dp_order_session_open(&client.session, &session, &handler, err);
    if (status == 0)
        status = run_pings(&client, config, ticks_tsc, err);
    dp_order_session_close(&client.session);
    dp_live_ports_close(ports);
    return status;
}
