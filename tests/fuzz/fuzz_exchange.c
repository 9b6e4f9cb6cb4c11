/* Any bytes at both ports of an exchange, from two connections that are or are not logged in: it
 * ends what it must, money and shares balance, and the feed's books are the engine's. */
#include "dp_exchange.h"
#include "dp_match_ledger.h"
#include "dp_soup_session.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct dp_exchange *open_exchange(void)
{
    struct dp_exchange_config config = {
        .session = "         1",
        .heartbeat_ns = 1000000000,
        .silence_ns = 15000000000,
        .login_ns = 30000000000,
        .connection_count_max = 4,
        .account_count_max = 4,
        .instrument_count_max = 2,
        .order_count_max = 64,
        .packet_size_max = 1400,
        .slow_bytes_max = 1 << 20,
    };
    struct dp_exchange *exchange = dp_exchange_open(&config, NULL);
    DP_ASSERT(exchange != NULL);
    const struct dp_match_instrument instrument = {
        .tick_nanos = 10000000,
        .price_nanos_max = 199999990000000,
        .reference_price_nanos = 10000000000,
        .lot_qty = 1,
        .session = DP_MATCH_CONTINUOUS,
    };
    struct dp_exchange_account_config account = {
        .password = "b         ", .firm = "TPLN", .stp_group = 1};
    DP_ASSERT(dp_exchange_add_instrument(exchange, "TPLN    ", &instrument, NULL) == 0);
    memcpy(account.user, "a     ", 6);
    DP_ASSERT(dp_exchange_add_account(exchange, &account, NULL) == 1);
    memcpy(account.user, "c     ", 6);
    account.cancel_on_disconnect = true;
    DP_ASSERT(dp_exchange_add_account(exchange, &account, NULL) == 2);
    dp_exchange_tape(exchange)->on = true;
    dp_exchange_start(exchange, 1);
    return exchange;
}

static void log_in(struct dp_exchange *exchange, uint32_t connection, const char *user)
{
    struct dp_soup_session client;
    struct dp_soup_session_config config = {.password = "b"};
    memcpy(config.username, user, 2);
    uint8_t packet[DP_SOUP_LOGIN_SIZE];
    dp_soup_session_init(&client, &config, NULL);
    dp_exchange_receive(
        exchange, connection, packet, dp_soup_session_connect(&client, packet, 0), 1);
}

/* Sends everything, and closes what is over. */
static void drain(struct dp_exchange *exchange, bool *open, int64_t now_ns)
{
    dp_exchange_advance(exchange, now_ns);
    uint32_t connection;
    while ((connection = dp_exchange_take_ready(exchange)) != DP_EXCHANGE_NONE) {
        const uint8_t *out;
        size_t size;
        while ((size = dp_exchange_output(exchange, connection, &out)) > 0)
            dp_exchange_sent(exchange, connection, size > 7 ? size - 7 : size, now_ns);
        if (open[connection] && dp_exchange_is_over(exchange, connection)) {
            open[connection] = false;
            dp_exchange_closed(exchange, connection, now_ns);
        }
    }
    for (uint32_t line = 0; line < DP_EXCHANGE_LINES; line++) {
        uint32_t size;
        while (dp_exchange_pop_datagram(exchange, line, now_ns, &size) != NULL)
            continue;
    }
    dp_exchange_tape_drop(dp_exchange_tape(exchange));
}

/* The first byte says how the rest is cut, where it goes and how fast time passes. */
static void play(struct dp_exchange *exchange, const uint8_t *data, size_t size)
{
    bool open[4] = {true, true, true, false};
    uint8_t reply[DP_EXCHANGE_PACKET_MAX];
    int64_t now_ns = 1;
    while (size > 1) {
        uint32_t connection = data[0] & 3;
        size_t part = 1u + (data[0] >> 2);
        now_ns += (int64_t)data[0] * 100000000;
        data++, size--;
        part = part < size ? part : size;
        if (connection == 3)
            dp_exchange_reply(exchange, data, part, reply, now_ns);
        else if (open[connection])
            dp_exchange_receive(exchange, connection, data, part, now_ns);
        drain(exchange, open, now_ns);
        data += part;
        size -= part;
    }
    dp_exchange_end(exchange, now_ns);
    drain(exchange, open, now_ns);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct dp_exchange *exchange = open_exchange();
    for (uint32_t connection = 0; connection < 3; connection++)
        DP_ASSERT(dp_exchange_connect(exchange,
                      connection == 2 ? DP_EXCHANGE_PORT_SNAPSHOT : DP_EXCHANGE_PORT_ORDERS,
                      1) == connection);
    log_in(exchange, 0, "a");
    if (size > 0 && (data[0] & 1))
        log_in(exchange, 1, "c");
    play(exchange, data, size);
    struct dp_exchange_note note;
    while (dp_exchange_take_note(exchange, &note))
        DP_ASSERT(dp_exchange_note_words(note.kind) != NULL);
    DP_ASSERT(dp_match_ledger_is_balanced(dp_exchange_match(exchange)));
    DP_ASSERT(dp_exchange_stats(exchange).order_count == 0);
    dp_exchange_close(exchange);
    return 0;
}
