#include "dp_exchange_state.h"

#include <errno.h>

#define NANOS_PER_SECOND 1000000000
#define LEVELS_PER_ORDER 1u
#define LEVELS_MAX (1u << 20)

static int check_config(const struct dp_exchange_config *config, struct dp_err *err)
{
    if (config->account_count_max == 0 || config->account_count_max > DP_EXCHANGE_ACCOUNTS_MAX)
        return dp_err_set(err, EINVAL, "exchange: account_count_max: %u; it must be from 1 to %u",
            config->account_count_max, DP_EXCHANGE_ACCOUNTS_MAX);
    if (config->connection_count_max == 0 ||
        config->connection_count_max > DP_EXCHANGE_CONNECTIONS_MAX)
        return dp_err_set(err, EINVAL,
            "exchange: connection_count_max: %u; it must be from 1 to %u",
            config->connection_count_max, DP_EXCHANGE_CONNECTIONS_MAX);
    if (config->packet_size_max < DP_MOLDUDP_HEADER_SIZE + 2 + DP_ITCH_ENCODED_MAX ||
        config->packet_size_max > DP_EXCHANGE_PACKET_MAX)
        return dp_err_set(err, EINVAL, "exchange: packet_size_max: %u; it must be from %u to %u",
            config->packet_size_max, DP_MOLDUDP_HEADER_SIZE + 2 + DP_ITCH_ENCODED_MAX,
            DP_EXCHANGE_PACKET_MAX);
    if (config->order_latency_ns < 0 || config->report_latency_ns < 0)
        return dp_err_set(
            err, EINVAL, "exchange: order_latency_ns, report_latency_ns: below 0; give 0 or more");
    return 0;
}

static int open_match(struct dp_exchange *exchange, struct dp_err *err)
{
    const struct dp_exchange_config *config = &exchange->config;
    uint32_t levels = config->order_count_max * LEVELS_PER_ORDER;
    struct dp_match_config match = {
        .instrument_count_max = config->instrument_count_max,
        .participant_count_max = config->account_count_max,
        .order_count_max = config->order_count_max,
        .terms_count_max = config->order_count_max,
        .level_count_max = levels < LEVELS_MAX ? levels : LEVELS_MAX,
        .seed = config->seed,
    };
    size_t size = dp_match_size(&match);
    if (size > 0)
        exchange->match = aligned_alloc(DP_CACHE_LINE, dp_round_up(size, DP_CACHE_LINE));
    if (size > 0 && exchange->match == NULL)
        return dp_err_set(err, ENOMEM, "exchange: order_count_max: %u; no memory for so many",
            config->order_count_max);
    /* With a size of 0 it says which value is out of range, and touches nothing. */
    return dp_match_init(exchange->match, &match, err);
}

static uint64_t power_of_two_from(uint64_t least)
{
    uint64_t value = 2;
    while (value < least)
        value *= 2;
    return value;
}

static bool allocate(struct dp_exchange *exchange)
{
    const struct dp_exchange_config *config = &exchange->config;
    uint64_t symbols = power_of_two_from(2ull * config->instrument_count_max);
    exchange->symbol_mask = symbols - 1;
    exchange->symbols = calloc(symbols, sizeof(*exchange->symbols));
    exchange->instruments = calloc(config->instrument_count_max, sizeof(*exchange->instruments));
    exchange->accounts = calloc(config->account_count_max, sizeof(*exchange->accounts));
    exchange->connections = calloc(config->connection_count_max, sizeof(*exchange->connections));
    exchange->connection_pool = malloc(dp_pool_size(config->connection_count_max));
    exchange->trades = calloc(DP_EXCHANGE_TRADES_HELD, sizeof(*exchange->trades));
    const struct dp_exchange_feed_config feed = {
        .packet_size_max = config->packet_size_max,
        .heartbeat_ns = config->heartbeat_ns,
        .store_bytes_max = config->store_bytes_max,
    };
    return dp_exchange_orders_open(&exchange->orders, config->order_count_max) &&
        dp_exchange_feed_open(&exchange->feed, &feed) && exchange->symbols != NULL &&
        exchange->instruments != NULL && exchange->accounts != NULL &&
        exchange->connections != NULL && exchange->trades != NULL &&
        exchange->connection_pool != NULL &&
        dp_pool_init(exchange->connection_pool, config->connection_count_max, NULL) == 0;
}

/* The engine's reports of one call seldom fill the buffer; when they do, they are settled early. */
static void flush_reports(struct dp_match_sink *sink)
{
    dp_exchange_settle(sink->context);
}

struct dp_exchange *dp_exchange_open(const struct dp_exchange_config *config, struct dp_err *err)
{
    if (check_config(config, err) < 0)
        return NULL;
    struct dp_exchange *exchange = calloc(1, sizeof(*exchange));
    if (exchange != NULL) {
        exchange->config = *config;
        exchange->config.account_count_max++; /* the house */
        exchange->order_ref_next = 1;
        exchange->imbalance_due_ns = INT64_MAX;
        exchange->quiet_record = DP_EXCHANGE_ORDER_NONE;
        exchange->quiet_successor = DP_EXCHANGE_ORDER_NONE;
        exchange->ready_first = DP_EXCHANGE_NONE;
        exchange->ready_last = DP_EXCHANGE_NONE;
        exchange->sink = (struct dp_match_sink){
            .reports = exchange->engine_reports,
            .capacity = DP_EXCHANGE_ENGINE_REPORTS,
            .flush = flush_reports,
            .context = exchange,
        };
    }
    if (exchange == NULL || !allocate(exchange)) {
        dp_exchange_close(exchange);
        dp_err_set(err, ENOMEM, "exchange: order_count_max: %u; no memory for so many",
            config->order_count_max);
        return NULL;
    }
    memcpy(exchange->feed.config.session, config->session, sizeof(config->session));
    const struct dp_exchange_account_config house = {
        .user = "house ", .firm = "    ", .no_login = true};
    if (open_match(exchange, err) < 0 || dp_exchange_add_account(exchange, &house, err) < 0) {
        dp_exchange_close(exchange);
        return NULL;
    }
    return exchange;
}

void dp_exchange_close(struct dp_exchange *exchange)
{
    if (exchange == NULL)
        return;
    for (uint32_t index = 0; index < exchange->account_count; index++) {
        dp_exchange_store_close(exchange->accounts[index].store);
        free(exchange->accounts[index].delay.entries);
    }
    for (uint32_t index = 0; index < exchange->connection_high; index++)
        if (exchange->connections[index].port == DP_EXCHANGE_PORT_SNAPSHOT)
            dp_exchange_store_close(exchange->connections[index].store);
    dp_exchange_orders_close(&exchange->orders);
    dp_exchange_feed_close(&exchange->feed);
    dp_exchange_tape_free(&exchange->tape);
    free(exchange->match);
    free(exchange->instruments);
    free(exchange->symbols);
    free(exchange->accounts);
    free(exchange->connections);
    free(exchange->connection_pool);
    free(exchange->arrivals);
    free(exchange->trades);
    free(exchange);
}

static uint64_t symbol_slot(const struct dp_exchange *exchange, const char symbol[8])
{
    uint64_t word;
    memcpy(&word, symbol, sizeof(word));
    uint64_t slot = word * 0x9e3779b97f4a7c15ull >> 32 & exchange->symbol_mask;
    while (exchange->symbols[slot] != 0 &&
        memcmp(exchange->instruments[exchange->symbols[slot] - 1].symbol, symbol, 8) != 0)
        slot = (slot + 1) & exchange->symbol_mask;
    return slot;
}

uint32_t dp_exchange_find_symbol(const struct dp_exchange *exchange, const char symbol[8])
{
    uint32_t found = exchange->symbols[symbol_slot(exchange, symbol)];
    return found == 0 ? DP_EXCHANGE_NONE : found - 1;
}

int64_t dp_exchange_add_instrument(struct dp_exchange *exchange, const char symbol[8],
    const struct dp_match_instrument *instrument, struct dp_err *err)
{
    if (dp_exchange_find_symbol(exchange, symbol) != DP_EXCHANGE_NONE)
        return dp_err_set(err, EEXIST, "exchange: symbol: %.8s; it is there already", symbol);
    struct dp_match_instrument terms = *instrument;
    terms.dark = exchange->config.dark;
    terms.quoted = exchange->config.dark;
    int64_t index = dp_match_add_instrument(exchange->match, &terms, err);
    if (index < 0)
        return index;
    struct dp_exchange_instrument *added = &exchange->instruments[index];
    *added = (struct dp_exchange_instrument){
        .tick_nanos = instrument->tick_nanos,
        .session = (uint8_t)instrument->session,
        .short_sale = DP_EXCHANGE_SHORT_SALE_FREE,
        .imbalance_due_ns = INT64_MAX,
        .bid_nanos = DP_PRICE_NONE,
        .ask_nanos = DP_PRICE_NONE,
        .twin = DP_EXCHANGE_NONE,
    };
    exchange->instrument_count = (uint32_t)index + 1;
    exchange->symbols[symbol_slot(exchange, symbol)] = (uint32_t)index + 1;
    memcpy(added->symbol, symbol, sizeof(added->symbol));
    return index;
}

int64_t dp_exchange_add_account(struct dp_exchange *exchange,
    const struct dp_exchange_account_config *config, struct dp_err *err)
{
    int64_t index = dp_match_add_participant(exchange->match, config->fee_class, err);
    if (index < 0)
        return index;
    struct dp_exchange_account *account = &exchange->accounts[index];
    account->store = dp_exchange_store_open(exchange->config.store_bytes_max);
    if (account->store == NULL)
        return dp_err_set(
            err, ENOMEM, "exchange: user: %.6s; no memory for its reports", config->user);
    account->config = *config;
    account->connection = DP_EXCHANGE_NONE;
    account->orders =
        (struct dp_exchange_order_list){DP_EXCHANGE_ORDER_NONE, DP_EXCHANGE_ORDER_NONE};
    account->delay.last_due_ns = INT64_MIN;
    memcpy(account->session, exchange->config.session, sizeof(account->session));
    exchange->account_count = (uint32_t)index + 1;
    return index;
}

int dp_exchange_set_fees(struct dp_exchange *exchange, uint32_t fee_class,
    const struct dp_match_fee_tier *tiers, uint32_t tier_count, struct dp_err *err)
{
    return dp_match_set_fees(exchange->match, fee_class, tiers, tier_count, err);
}

void dp_exchange_say(struct dp_exchange *exchange, enum dp_exchange_note_kind kind,
    uint32_t connection, uint32_t account, uint8_t detail)
{
    if (exchange->note_tail - exchange->note_head == DP_EXCHANGE_NOTES_HELD) {
        exchange->stats.notes_lost++;
        return;
    }
    exchange->notes[exchange->note_tail++ % DP_EXCHANGE_NOTES_HELD] = (struct dp_exchange_note){
        .time_ns = exchange->now_ns,
        .connection = connection,
        .account = account == DP_EXCHANGE_NONE ? DP_EXCHANGE_NO_ACCOUNT : (uint16_t)account,
        .kind = (uint8_t)kind,
        .detail = detail,
    };
}

bool dp_exchange_take_note(struct dp_exchange *exchange, struct dp_exchange_note *note)
{
    if (exchange->note_head == exchange->note_tail)
        return false;
    *note = exchange->notes[exchange->note_head++ % DP_EXCHANGE_NOTES_HELD];
    return true;
}

void dp_exchange_record(struct dp_exchange *exchange, enum dp_exchange_tape_kind kind,
    uint32_t account, uint32_t connection, uint64_t sequence, const uint8_t *data, uint32_t size)
{
    const struct dp_exchange_tape_record record = {
        .kind = (uint8_t)kind,
        .venue = exchange->config.index,
        .account = account == DP_EXCHANGE_NONE ? DP_EXCHANGE_NO_ACCOUNT : (uint16_t)account,
        .connection = connection,
        .sequence = sequence,
        .time_ns = exchange->now_ns,
    };
    dp_exchange_tape_add(&exchange->tape, &record, data, size);
}

void dp_exchange_publish(struct dp_exchange *exchange, struct dp_itch_message *message)
{
    int64_t since_midnight_ns = exchange->now_ns - exchange->config.midnight_ns;
    message->timestamp_ns = since_midnight_ns > 0 ? since_midnight_ns : 0;
    dp_exchange_feed_add(&exchange->feed, message);
}

struct dp_exchange_tape *dp_exchange_tape(struct dp_exchange *exchange)
{
    return &exchange->tape;
}

const struct dp_match *dp_exchange_match(const struct dp_exchange *exchange)
{
    return exchange->match;
}

struct dp_exchange_stats dp_exchange_stats(const struct dp_exchange *exchange)
{
    struct dp_exchange_stats stats = exchange->stats;
    stats.order_count = exchange->orders.pool->count - exchange->orders.pool->free_count;
    return stats;
}

const struct dp_exchange_store *dp_exchange_reports(
    const struct dp_exchange *exchange, uint32_t account)
{
    return exchange->accounts[account].store;
}
