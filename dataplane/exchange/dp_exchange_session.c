#include "dp_exchange_state.h"

static struct dp_exchange_connection *connection_at(struct dp_exchange *exchange, uint32_t index)
{
    DP_ASSERT(index < exchange->connection_high);
    return &exchange->connections[index];
}

/* ---- the queue of connections that want something of the host ---- */

void dp_exchange_make_ready(struct dp_exchange *exchange, uint32_t index)
{
    struct dp_exchange_connection *connection = connection_at(exchange, index);
    if (connection->ready)
        return;
    connection->ready = true;
    connection->ready_next = DP_EXCHANGE_NONE;
    if (exchange->ready_last == DP_EXCHANGE_NONE)
        exchange->ready_first = index;
    else
        exchange->connections[exchange->ready_last].ready_next = index;
    exchange->ready_last = index;
}

uint32_t dp_exchange_take_ready(struct dp_exchange *exchange)
{
    uint32_t index = exchange->ready_first;
    if (index == DP_EXCHANGE_NONE)
        return index;
    struct dp_exchange_connection *connection = &exchange->connections[index];
    connection->ready = false;
    exchange->ready_first = connection->ready_next;
    if (exchange->ready_first == DP_EXCHANGE_NONE)
        exchange->ready_last = DP_EXCHANGE_NONE;
    return index;
}

/* ---- beginning and end ---- */

uint32_t dp_exchange_connect(
    struct dp_exchange *exchange, enum dp_exchange_port port, int64_t now_ns)
{
    dp_exchange_set_now(exchange, now_ns);
    uint32_t index = dp_pool_take(exchange->connection_pool);
    if (index == DP_POOL_NONE) {
        dp_exchange_say(
            exchange, DP_EXCHANGE_NOTE_CONNECTIONS_FULL, DP_EXCHANGE_NONE, DP_EXCHANGE_NONE, 0);
        return DP_EXCHANGE_NONE;
    }
    if (exchange->connection_high <= index)
        exchange->connection_high = index + 1;
    struct dp_exchange_connection *connection = &exchange->connections[index];
    /* One that was here before may still be in the queue: it stays there. */
    *connection = (struct dp_exchange_connection){
        .state = DP_EXCHANGE_GREETING,
        .port = (uint8_t)port,
        .ready = connection->ready,
        .ready_next = connection->ready_next,
        .account = DP_EXCHANGE_NONE,
        .opened_ns = exchange->now_ns,
        .heard_ns = exchange->now_ns,
        .said_ns = exchange->now_ns,
    };
    exchange->stats.connections++;
    exchange->stats.connection_count++;
    dp_exchange_record(
        exchange, DP_EXCHANGE_TAPE_CONNECTED, DP_EXCHANGE_NONE, index, port, NULL, 0);
    return index;
}

/* The account is free for another login; what it asked for when this happens is done. */
static void leave_account(struct dp_exchange *exchange, uint32_t index)
{
    uint32_t account_index = exchange->connections[index].account;
    if (account_index == DP_EXCHANGE_NONE || exchange->accounts[account_index].connection != index)
        return;
    exchange->accounts[account_index].connection = DP_EXCHANGE_NONE;
    if (exchange->accounts[account_index].config.cancel_on_disconnect)
        dp_exchange_arrive(exchange, account_index, NULL, 0);
}

void dp_exchange_hang_up(struct dp_exchange *exchange, uint32_t index,
    enum dp_exchange_note_kind why, uint8_t detail, bool at_once)
{
    struct dp_exchange_connection *connection = connection_at(exchange, index);
    if (connection->state == DP_EXCHANGE_FREE || connection->state == DP_EXCHANGE_OVER)
        return;
    if (connection->ended == DP_EXCHANGE_NOTE_NONE) {
        connection->ended = (uint8_t)why;
        dp_exchange_say(exchange, why, index, connection->account, detail);
    }
    connection->state = at_once ? DP_EXCHANGE_OVER : DP_EXCHANGE_ENDING;
    leave_account(exchange, index);
    dp_exchange_make_ready(exchange, index);
}

void dp_exchange_closed(struct dp_exchange *exchange, uint32_t index, int64_t now_ns)
{
    dp_exchange_set_now(exchange, now_ns);
    struct dp_exchange_connection *connection = connection_at(exchange, index);
    DP_ASSERT(connection->state != DP_EXCHANGE_FREE);
    dp_exchange_hang_up(exchange, index, DP_EXCHANGE_NOTE_PEER_CLOSED, 0, true);
    dp_exchange_record(
        exchange, DP_EXCHANGE_TAPE_CLOSED, connection->account, index, connection->ended, NULL, 0);
    if (connection->port == DP_EXCHANGE_PORT_SNAPSHOT)
        dp_exchange_store_close(connection->store);
    connection->store = NULL;
    connection->state = DP_EXCHANGE_FREE;
    exchange->stats.connection_count--;
    dp_pool_give(exchange->connection_pool, index);
}

bool dp_exchange_is_over(const struct dp_exchange *exchange, uint32_t index)
{
    return exchange->connections[index].state == DP_EXCHANGE_OVER;
}

bool dp_exchange_is_paused(const struct dp_exchange *exchange, uint32_t index)
{
    const struct dp_exchange_connection *connection = &exchange->connections[index];
    return connection->state == DP_EXCHANGE_LIVE &&
        exchange->accounts[connection->account].faults.read_again_ns > exchange->now_ns;
}

/* ---- out ---- */

/* Bytes of the store not sent yet, at most to the end of a chunk; -1: they are gone. */
static int64_t unsent(struct dp_exchange_connection *connection, const uint8_t **data)
{
    if (connection->store == NULL || connection->state != DP_EXCHANGE_LIVE)
        return 0;
    return dp_exchange_store_span(connection->store, &connection->cursor, data);
}

static void add_control(
    struct dp_exchange *exchange, uint32_t index, const uint8_t *data, uint32_t size)
{
    struct dp_exchange_connection *connection = connection_at(exchange, index);
    memcpy(connection->control + connection->control_size, data, size);
    connection->control_size += size;
    connection->said_ns = exchange->now_ns;
    dp_exchange_record(exchange, DP_EXCHANGE_TAPE_OUT, connection->account, index, 0, data, size);
    dp_exchange_make_ready(exchange, index);
}

bool dp_exchange_control(
    struct dp_exchange *exchange, uint32_t index, const uint8_t *data, uint32_t size)
{
    struct dp_exchange_connection *connection = connection_at(exchange, index);
    const uint8_t *rest;
    if (unsent(connection, &rest) != 0 ||
        connection->control_size + size > DP_EXCHANGE_CONTROL_SIZE)
        return false;
    add_control(exchange, index, data, size);
    return true;
}

static void say_end(struct dp_exchange *exchange, uint32_t index)
{
    uint8_t packet[DP_SOUP_HEADER_SIZE];
    dp_soup_build(packet, 'Z', 0);
    exchange->connections[index].end_after = false;
    add_control(exchange, index, packet, sizeof(packet));
    dp_exchange_hang_up(exchange, index, DP_EXCHANGE_NOTE_SESSION_ENDED, 0, false);
}

static void say_garbage(struct dp_exchange *exchange, uint32_t index)
{
    static const uint8_t packet[] = {0, 2, '?', 0};
    exchange->connections[index].garbage_after = false;
    add_control(exchange, index, packet, sizeof(packet));
}

size_t dp_exchange_output(struct dp_exchange *exchange, uint32_t index, const uint8_t **data)
{
    struct dp_exchange_connection *connection = connection_at(exchange, index);
    if (connection->state == DP_EXCHANGE_FREE || connection->state == DP_EXCHANGE_OVER)
        return 0;
    if (connection->control_size == 0) {
        int64_t size = unsent(connection, data);
        if (size > 0)
            return (size_t)size;
        if (size < 0) {
            dp_exchange_hang_up(exchange, index, DP_EXCHANGE_NOTE_SLOW, 0, true);
            return 0;
        }
        if (connection->garbage_after)
            say_garbage(exchange, index);
        if (connection->end_after)
            say_end(exchange, index);
        if (connection->control_size == 0)
            return 0;
    }
    *data = connection->control + connection->control_sent;
    return connection->control_size - connection->control_sent;
}

void dp_exchange_sent(struct dp_exchange *exchange, uint32_t index, size_t size, int64_t now_ns)
{
    struct dp_exchange_connection *connection = connection_at(exchange, index);
    dp_exchange_set_now(exchange, now_ns);
    connection->said_ns = exchange->now_ns;
    if (connection->control_size == 0) {
        connection->cursor.offset += (uint32_t)size;
        return;
    }
    connection->control_sent += (uint32_t)size;
    DP_ASSERT(connection->control_sent <= connection->control_size);
    if (connection->control_sent < connection->control_size)
        return;
    connection->control_size = 0;
    connection->control_sent = 0;
    if (connection->state == DP_EXCHANGE_ENDING) {
        connection->state = DP_EXCHANGE_OVER;
        dp_exchange_make_ready(exchange, index);
    }
}

/* ---- time ---- */

static void say_heartbeat(struct dp_exchange *exchange, uint32_t index)
{
    uint8_t packet[DP_SOUP_HEADER_SIZE];
    dp_soup_build(packet, 'H', 0);
    if (exchange->connections[index].control_size == 0)
        dp_exchange_control(exchange, index, packet, sizeof(packet));
}

static void watch_live(struct dp_exchange *exchange, uint32_t index)
{
    struct dp_exchange_connection *connection = &exchange->connections[index];
    struct dp_exchange_faults *faults = &exchange->accounts[connection->account].faults;
    int64_t now_ns = exchange->now_ns;
    if (faults->read_again_ns != 0) {
        connection->heard_ns = now_ns; /* what it said meanwhile is not read, by order */
        if (faults->read_again_ns <= now_ns) {
            faults->read_again_ns = 0;
            dp_exchange_make_ready(exchange, index);
        }
    }
    if (now_ns - connection->heard_ns > exchange->config.silence_ns)
        dp_exchange_hang_up(exchange, index, DP_EXCHANGE_NOTE_SILENT, 0, true);
    else if (dp_exchange_store_behind(connection->store, &connection->cursor) >
        exchange->config.slow_bytes_max)
        dp_exchange_hang_up(exchange, index, DP_EXCHANGE_NOTE_SLOW, 0, true);
    else if (now_ns - connection->said_ns > exchange->config.heartbeat_ns &&
        faults->heartbeat_from_ns <= now_ns)
        say_heartbeat(exchange, index);
}

void dp_exchange_watch(struct dp_exchange *exchange)
{
    for (uint32_t index = 0; index < exchange->connection_high; index++) {
        const struct dp_exchange_connection *connection = &exchange->connections[index];
        if (connection->state == DP_EXCHANGE_LIVE)
            watch_live(exchange, index);
        else if (connection->state == DP_EXCHANGE_GREETING &&
            exchange->now_ns - connection->opened_ns > exchange->config.login_ns)
            dp_exchange_hang_up(exchange, index, DP_EXCHANGE_NOTE_LOGIN_MISSING, 0, true);
        else if (connection->state == DP_EXCHANGE_ENDING &&
            exchange->now_ns - connection->said_ns > exchange->config.silence_ns)
            dp_exchange_hang_up(exchange, index, DP_EXCHANGE_NOTE_SLOW, 0, true);
    }
}
