/* What the person who runs the exchange does: the day, faults, broken trades. */
#include "dp_exchange_state.h"

static const char *const fault_words[] = {
#define X(number, name, word, words) [number] = word,
    DP_EXCHANGE_FAULTS(X)
#undef X
};

static const char *const note_words[] = {
#define X(number, name, words) [number] = words,
    DP_EXCHANGE_NOTES(X)
#undef X
};

const char *dp_exchange_fault_word(uint32_t fault)
{
    return fault < DP_EXCHANGE_FAULT_COUNT ? fault_words[fault] : NULL;
}

const char *dp_exchange_note_words(uint8_t kind)
{
    return kind < DP_EXCHANGE_NOTE_COUNT ? note_words[kind] : "unknown";
}

/* ---- the day ---- */

static void publish_event(struct dp_exchange *exchange, char event_code)
{
    struct dp_itch_message message = {.type = 'S', .code = (uint8_t)event_code};
    dp_exchange_publish(exchange, &message);
}

static void tell_accounts(struct dp_exchange *exchange, char event_code)
{
    for (uint32_t account = 0; account < exchange->account_count; account++)
        dp_exchange_system_event(exchange, account, event_code);
}

void dp_exchange_start(struct dp_exchange *exchange, int64_t now_ns)
{
    dp_exchange_set_now(exchange, now_ns);
    exchange->started = true;
    publish_event(exchange, 'O');
    for (uint32_t index = 0; index < exchange->instrument_count; index++)
        dp_exchange_show_directory(exchange, index);
    for (uint32_t index = 0; index < exchange->instrument_count; index++) {
        dp_exchange_show_short_sale(exchange, index);
        dp_exchange_schedule_imbalance(exchange, index);
    }
    publish_event(exchange, 'S');
    for (uint32_t index = 0; index < exchange->instrument_count; index++)
        dp_exchange_show_session(
            exchange, index, (enum dp_match_session)exchange->instruments[index].session);
    publish_event(exchange, 'Q');
    tell_accounts(exchange, 'S');
}

static void set_session(
    struct dp_exchange *exchange, uint32_t instrument_index, enum dp_match_session session)
{
    dp_match_set_session(
        exchange->match, instrument_index, session, exchange->now_ns, &exchange->sink);
    dp_exchange_settle(exchange);
    if (!exchange->instruments[instrument_index].frozen)
        dp_exchange_cancel_waiting(exchange, instrument_index);
}

void dp_exchange_set_session(struct dp_exchange *exchange, uint32_t instrument_index,
    enum dp_match_session session, int64_t now_ns)
{
    dp_exchange_set_now(exchange, now_ns);
    for (uint32_t index = 0; index < exchange->instrument_count; index++)
        if (instrument_index == DP_EXCHANGE_NONE || index == instrument_index)
            set_session(exchange, index, session);
}

void dp_exchange_freeze(struct dp_exchange *exchange, uint32_t instrument_index)
{
    for (uint32_t index = 0; index < exchange->instrument_count; index++)
        if (instrument_index == DP_EXCHANGE_NONE || index == instrument_index)
            exchange->instruments[index].frozen = true;
}

static void end_connections(struct dp_exchange *exchange)
{
    for (uint32_t index = 0; index < exchange->connection_high; index++) {
        if (exchange->connections[index].state != DP_EXCHANGE_LIVE)
            continue;
        exchange->connections[index].end_after = true;
        dp_exchange_make_ready(exchange, index);
    }
}

void dp_exchange_end(struct dp_exchange *exchange, int64_t now_ns)
{
    if (exchange->ended)
        return;
    dp_exchange_set_now(exchange, now_ns);
    for (uint32_t account = 0; account < exchange->account_count; account++)
        dp_exchange_cancel_all(exchange, account, DP_OUCH_CANCEL_DAY_END);
    publish_event(exchange, 'M');
    publish_event(exchange, 'E');
    publish_event(exchange, 'C');
    tell_accounts(exchange, 'E');
    dp_exchange_feed_end(&exchange->feed);
    end_connections(exchange);
    exchange->ended = true;
    exchange->imbalance_due_ns = INT64_MAX;
}

/* ---- a lit exchange and its follower ---- */

void dp_exchange_follow(struct dp_exchange *dark, struct dp_exchange *lit)
{
    lit->follower = dark;
    for (uint32_t index = 0; index < lit->instrument_count; index++)
        lit->instruments[index].twin =
            dp_exchange_find_symbol(dark, lit->instruments[index].symbol);
}

/* ---- broken trades ---- */

static void report_broken(struct dp_exchange *exchange, const struct dp_exchange_party *party,
    uint64_t match_number, char reason)
{
    struct dp_ouch_message message = {
        .type = 'B',
        .user_ref_num = party->user_ref_num,
        .match_number = match_number,
        .reason = reason,
    };
    memcpy(message.cl_ord_id, party->cl_ord_id, sizeof(message.cl_ord_id));
    dp_exchange_report_on(exchange, party->account, party->user_ref_idx, &message);
}

bool dp_exchange_break(
    struct dp_exchange *exchange, uint64_t match_number, char reason, int64_t now_ns)
{
    dp_exchange_set_now(exchange, now_ns);
    struct dp_exchange_trade *trade = &exchange->trades[match_number % DP_EXCHANGE_TRADES_HELD];
    if (match_number == 0 || trade->match_number != match_number)
        return false;
    trade->match_number = 0;
    report_broken(exchange, &trade->parties[0], match_number, reason);
    report_broken(exchange, &trade->parties[1], match_number, reason);
    struct dp_itch_message message = {
        .type = 'B',
        .stock_locate = (uint16_t)(trade->instrument_index + 1),
        .match_number = match_number,
    };
    dp_exchange_publish(exchange, &message);
    return true;
}

/* ---- faults ---- */

void dp_exchange_fill(struct dp_exchange *exchange, const struct dp_exchange_order *order)
{
    struct dp_exchange_account *house = &exchange->accounts[DP_EXCHANGE_HOUSE];
    dp_exchange_order_key key = order->key;
    struct dp_ouch_message request = {
        .type = 'O',
        .side = dp_ouch_side(order->side) == DP_SIDE_BUY ? 'S' : 'B',
        .price_wire = order->price_wire,
        .time_in_force = '3',
        .display = exchange->config.dark ? 'N' : 'Y',
        .capacity = 'P',
        .intermarket_sweep = 'N',
        .cross_type = 'N',
    };
    memset(request.cl_ord_id, ' ', sizeof(request.cl_ord_id));
    memcpy(request.symbol, exchange->instruments[order->instrument_index].symbol, 8);
    uint64_t trades;
    do { /* the queue ahead of it trades first */
        trades = exchange->stats.trades;
        request.qty = order->leaves_qty;
        request.user_ref_num = ++house->user_ref_num_last[0];
        dp_exchange_enter(exchange, DP_EXCHANGE_HOUSE, &request, 0);
        order = dp_exchange_orders_find(&exchange->orders, key);
    } while (order != NULL && exchange->stats.trades > trades);
}

static void reset_sequence(struct dp_exchange *exchange, uint32_t account_index)
{
    struct dp_exchange_account *account = &exchange->accounts[account_index];
    if (account->connection != DP_EXCHANGE_NONE)
        dp_exchange_hang_up(exchange, account->connection, DP_EXCHANGE_NOTE_FAULT, 0, true);
    dp_exchange_store_clear(account->store);
    char session[sizeof(account->session) + 1];
    snprintf(session, sizeof(session), "R%09u", ++exchange->session_number % 1000000000u);
    memcpy(account->session, session, sizeof(account->session));
}

/* Those that happen now, to the connection there is. */
static void fault_connection(
    struct dp_exchange *exchange, uint32_t account, enum dp_exchange_fault fault)
{
    uint32_t index = exchange->accounts[account].connection;
    if (fault == DP_EXCHANGE_FAULT_SEQUENCE_RESET)
        reset_sequence(exchange, account);
    if (index == DP_EXCHANGE_NONE)
        return;
    struct dp_exchange_connection *connection = &exchange->connections[index];
    if (fault == DP_EXCHANGE_FAULT_DISCONNECT)
        dp_exchange_hang_up(exchange, index, DP_EXCHANGE_NOTE_FAULT, 0, true);
    else if (fault == DP_EXCHANGE_FAULT_MALFORMED_PACKET)
        connection->garbage_after = true;
    else if (fault == DP_EXCHANGE_FAULT_END_SESSION)
        connection->end_after = true;
    dp_exchange_make_ready(exchange, index);
}

static void set_fault(
    struct dp_exchange *exchange, uint32_t account, enum dp_exchange_fault fault, int64_t value)
{
    struct dp_exchange_faults *faults = &exchange->accounts[account].faults;
    uint32_t count = value < 0 ? 0 : value > UINT32_MAX ? UINT32_MAX : (uint32_t)value;
    switch (fault) {
    case DP_EXCHANGE_FAULT_NONE: *faults = (struct dp_exchange_faults){0}; break;
    case DP_EXCHANGE_FAULT_STOP_READING: faults->read_again_ns = exchange->now_ns + value; break;
    case DP_EXCHANGE_FAULT_SILENT: faults->heartbeat_from_ns = exchange->now_ns + value; break;
    case DP_EXCHANGE_FAULT_LATE: faults->late_ns = value; break;
    case DP_EXCHANGE_FAULT_DUPLICATE: faults->duplicate_count = count; break;
    case DP_EXCHANGE_FAULT_REORDER: faults->reorder_count = count; break;
    case DP_EXCHANGE_FAULT_MALFORMED_MESSAGE: faults->malformed_count = count; break;
    case DP_EXCHANGE_FAULT_REJECT: faults->reject_code = (uint16_t)count; break;
    case DP_EXCHANGE_FAULT_THROTTLE: faults->throttle_per_second = count; break;
    case DP_EXCHANGE_FAULT_FILL_BEFORE_CANCEL: faults->fill_count = count; break;
    case DP_EXCHANGE_FAULT_ACCEPT_DEAD: faults->dead_count = count; break;
    default: fault_connection(exchange, account, fault); break;
    }
    if (exchange->accounts[account].connection != DP_EXCHANGE_NONE)
        dp_exchange_make_ready(exchange, exchange->accounts[account].connection);
}

void dp_exchange_set_fault(struct dp_exchange *exchange, uint32_t account,
    enum dp_exchange_fault fault, int64_t value, int64_t now_ns)
{
    dp_exchange_set_now(exchange, now_ns);
    for (uint32_t index = DP_EXCHANGE_HOUSE + 1; index < exchange->account_count; index++)
        if (account == DP_EXCHANGE_NONE || account == index)
            set_fault(exchange, index, fault, value);
}
