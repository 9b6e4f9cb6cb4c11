/* What clients send on a connection: packets cut out of the stream, logins, requests. */
#include "dp_exchange_state.h"

static uint32_t find_account(const struct dp_exchange *exchange, const struct dp_soup_login *login)
{
    for (uint32_t index = 0; index < exchange->account_count; index++) {
        const struct dp_exchange_account_config *config = &exchange->accounts[index].config;
        if (!config->no_login && memcmp(config->user, login->user, sizeof(login->user)) == 0 &&
            memcmp(config->password, login->password, sizeof(login->password)) == 0)
            return index;
    }
    return DP_EXCHANGE_NONE;
}

static void refuse(
    struct dp_exchange *exchange, uint32_t connection, char reason, enum dp_exchange_note_kind why)
{
    uint8_t packet[DP_SOUP_REJECTED_SIZE];
    dp_soup_rejected_build(packet, reason);
    dp_exchange_control(exchange, connection, packet, sizeof(packet));
    dp_exchange_hang_up(exchange, connection, why, (uint8_t)reason, false);
}

static bool is_blank(const char session[DP_SOUP_SERVER_SESSION_SIZE])
{
    static const char blank[DP_SOUP_SERVER_SESSION_SIZE + 1] = "          ";
    return memcmp(session, blank, DP_SOUP_SERVER_SESSION_SIZE) == 0;
}

/* Where the stream begins: what was asked for if it is kept, else the nearest that is. 0 asks for
 * the newest message. */
static uint64_t first_number(const struct dp_exchange_store *store, uint64_t wanted)
{
    uint64_t first = dp_exchange_store_first(store);
    uint64_t next = dp_exchange_store_next(store);
    if (wanted == 0)
        wanted = next - 1;
    return wanted < first ? first : wanted > next ? next : wanted;
}

static void accept(struct dp_exchange *exchange, uint32_t index,
    const char session[DP_SOUP_SERVER_SESSION_SIZE], struct dp_exchange_store *store,
    uint64_t wanted)
{
    struct dp_exchange_connection *connection = &exchange->connections[index];
    uint64_t number = first_number(store, wanted);
    uint8_t packet[DP_SOUP_ACCEPTED_SIZE];
    dp_soup_accepted_build(packet, session, number);
    dp_exchange_control(exchange, index, packet, sizeof(packet));
    connection->store = store;
    dp_exchange_store_seek(store, number, &connection->cursor);
    connection->state = DP_EXCHANGE_LIVE;
    exchange->stats.logins++;
    dp_exchange_say(exchange, DP_EXCHANGE_NOTE_LOGGED_IN, index, connection->account, 0);
}

/* True when nobody else is, or is any more, logged in as the account. */
static bool take_account(struct dp_exchange *exchange, uint32_t connection, uint32_t account)
{
    uint32_t other = exchange->accounts[account].connection;
    if (other != DP_EXCHANGE_NONE && !exchange->config.newest_login_wins) {
        refuse(exchange, connection, DP_SOUP_REJECT_NOT_AUTHORISED, DP_EXCHANGE_NOTE_LOGIN_TWICE);
        return false;
    }
    if (other != DP_EXCHANGE_NONE)
        dp_exchange_hang_up(exchange, other, DP_EXCHANGE_NOTE_LOGIN_TAKEN_OVER, 0, true);
    exchange->accounts[account].connection = connection;
    return true;
}

static void login_to_snapshot(struct dp_exchange *exchange, uint32_t index)
{
    struct dp_exchange_store *store = dp_exchange_snapshot(exchange);
    accept(exchange, index, exchange->config.session, store, 1);
}

static void login(struct dp_exchange *exchange, uint32_t index, const struct dp_soup_packet *packet)
{
    struct dp_soup_login login;
    if (!dp_soup_login_parse(packet->payload, packet->payload_size, &login)) {
        refuse(exchange, index, DP_SOUP_REJECT_SESSION, DP_EXCHANGE_NOTE_LOGIN_MALFORMED);
        return;
    }
    uint32_t account = find_account(exchange, &login);
    if (account == DP_EXCHANGE_NONE) {
        refuse(exchange, index, DP_SOUP_REJECT_NOT_AUTHORISED, DP_EXCHANGE_NOTE_LOGIN_REFUSED);
        return;
    }
    struct dp_exchange_connection *connection = &exchange->connections[index];
    const char *session = exchange->accounts[account].session;
    connection->account = account;
    if (exchange->ended ||
        (!is_blank(login.session) && !dp_soup_session_is(login.session, session))) {
        refuse(exchange, index, DP_SOUP_REJECT_SESSION, DP_EXCHANGE_NOTE_SESSION_REFUSED);
        return;
    }
    if (connection->port == DP_EXCHANGE_PORT_SNAPSHOT)
        login_to_snapshot(exchange, index);
    else if (take_account(exchange, index, account))
        accept(exchange, index, session, exchange->accounts[account].store, login.sequence);
}

static void take_packet(
    struct dp_exchange *exchange, uint32_t index, const struct dp_soup_packet *packet)
{
    struct dp_exchange_connection *connection = &exchange->connections[index];
    bool live = connection->state == DP_EXCHANGE_LIVE;
    if (packet->type == '+' || (packet->type == 'R' && live))
        return;
    if (packet->type == 'L' && !live)
        login(exchange, index, packet);
    else if (packet->type == 'O' && live)
        dp_exchange_hang_up(exchange, index, DP_EXCHANGE_NOTE_LOGGED_OUT, 0, true);
    else if (packet->type == 'U' && live && connection->port == DP_EXCHANGE_PORT_ORDERS)
        dp_exchange_arrive(exchange, connection->account, packet->payload, packet->payload_size);
    else
        dp_exchange_hang_up(
            exchange, index, DP_EXCHANGE_NOTE_PACKET_UNEXPECTED, packet->type, true);
}

/* Ends the connection: the stream cannot be followed. The bytes that show it are recorded. */
static void give_up(struct dp_exchange *exchange, uint32_t index, enum dp_exchange_note_kind why,
    const uint8_t *data, size_t size)
{
    uint32_t shown = size < DP_EXCHANGE_MESSAGE_MAX ? (uint32_t)size : DP_EXCHANGE_MESSAGE_MAX;
    dp_exchange_record(
        exchange, DP_EXCHANGE_TAPE_IN, exchange->connections[index].account, index, 0, data, shown);
    exchange->stats.malformed++;
    dp_exchange_hang_up(exchange, index, why, size > 2 ? data[2] : 0, true);
}

/* The first packet of the bytes; its size, or 0 when it is not whole or the connection ended. */
static size_t take_first(
    struct dp_exchange *exchange, uint32_t index, const uint8_t *data, size_t size)
{
    struct dp_soup_packet packet;
    enum dp_soup_result result = dp_soup_parse(data, size, &packet);
    bool too_long = size > DP_SOUP_HEADER_SIZE && 2u + dp_load_be16(data) > DP_EXCHANGE_MESSAGE_MAX;
    if (result == DP_SOUP_MALFORMED || too_long) {
        give_up(exchange, index,
            too_long && result != DP_SOUP_MALFORMED ? DP_EXCHANGE_NOTE_PACKET_TOO_LONG
                                                    : DP_EXCHANGE_NOTE_PACKET_MALFORMED,
            data, size);
        return 0;
    }
    if (result == DP_SOUP_MORE)
        return 0;
    dp_exchange_record(exchange, DP_EXCHANGE_TAPE_IN, exchange->connections[index].account, index,
        0, data, packet.size);
    take_packet(exchange, index, &packet);
    return packet.size;
}

static bool listens(const struct dp_exchange_connection *connection)
{
    return connection->state == DP_EXCHANGE_GREETING || connection->state == DP_EXCHANGE_LIVE;
}

/* Completes the packet whose beginning is kept; returns the bytes taken of the new ones. */
static size_t complete(
    struct dp_exchange *exchange, uint32_t index, const uint8_t *data, size_t size)
{
    struct dp_exchange_connection *connection = &exchange->connections[index];
    size_t room = sizeof(connection->pending) - connection->pending_size;
    size_t added = size < room ? size : room;
    memcpy(connection->pending + connection->pending_size, data, added);
    size_t had = connection->pending_size;
    size_t taken = take_first(exchange, index, connection->pending, had + added);
    connection->pending_size = taken > 0 ? 0 : (uint32_t)(had + added);
    return taken > 0 ? taken - had : added;
}

static void keep(struct dp_exchange_connection *connection, const uint8_t *data, size_t size)
{
    DP_ASSERT(size <= sizeof(connection->pending));
    memcpy(connection->pending, data, size);
    connection->pending_size = (uint32_t)size;
}

void dp_exchange_receive(
    struct dp_exchange *exchange, uint32_t index, const uint8_t *data, size_t size, int64_t now_ns)
{
    dp_exchange_set_now(exchange, now_ns);
    struct dp_exchange_connection *connection = &exchange->connections[index];
    connection->heard_ns = exchange->now_ns;
    while (size > 0 && listens(connection)) {
        size_t taken = connection->pending_size > 0 ? complete(exchange, index, data, size)
                                                    : take_first(exchange, index, data, size);
        if (taken == 0) {
            if (listens(connection))
                keep(connection, data, size);
            return;
        }
        data += taken;
        size -= taken;
    }
}
