/* The displayed books as numbered messages, and the number of the feed's message that comes next:
 * the form of GLIMPSE 5.0. */
#include "dp_exchange_state.h"

#define END_SIZE 21u

static void add_message(
    struct dp_exchange *exchange, struct dp_exchange_store *store, struct dp_itch_message *message)
{
    int64_t since_midnight_ns = exchange->now_ns - exchange->config.midnight_ns;
    message->timestamp_ns = since_midnight_ns > 0 ? since_midnight_ns : 0;
    uint8_t *room = dp_exchange_store_room(store);
    room[0] = 'S';
    dp_exchange_store_commit(store, 1 + dp_itch_encode(message, room + 1));
}

/* The phase of the day, which nothing else in a snapshot tells. */
static void add_event(struct dp_exchange *exchange, struct dp_exchange_store *store)
{
    struct dp_itch_message event = {.type = 'S', .code = 'Q'};
    if (exchange->started)
        add_message(exchange, store, &event);
}

static void add(struct dp_exchange *exchange, struct dp_exchange_store *store,
    struct dp_itch_message *message, uint32_t instrument_index)
{
    message->stock_locate = (uint16_t)(instrument_index + 1);
    message->stock = (const uint8_t *)exchange->instruments[instrument_index].symbol;
    add_message(exchange, store, message);
}

static int by_feed_ref(const void *left, const void *right)
{
    uint64_t left_ref = (*(const struct dp_exchange_order *const *)left)->feed_ref;
    uint64_t right_ref = (*(const struct dp_exchange_order *const *)right)->feed_ref;
    return (left_ref > right_ref) - (left_ref < right_ref);
}

/* Names are given in the order in which orders queue, so their order is the queues' order. */
static uint32_t collect(const struct dp_exchange *exchange, const struct dp_exchange_order **shown)
{
    uint32_t count = 0;
    for (uint32_t account = 0; account < exchange->account_count; account++) {
        uint32_t index = exchange->accounts[account].orders.first;
        for (; index != DP_EXCHANGE_ORDER_NONE;
             index = exchange->orders.records[index].account_next)
            if (exchange->orders.records[index].feed_ref != 0)
                shown[count++] = &exchange->orders.records[index];
    }
    qsort(shown, count, sizeof(*shown), by_feed_ref);
    return count;
}

static void add_instruments(struct dp_exchange *exchange, struct dp_exchange_store *store)
{
    for (uint32_t index = 0; index < exchange->instrument_count; index++) {
        struct dp_itch_message directory = {.type = 'R'};
        struct dp_itch_message action = {
            .type = 'H',
            .code =
                dp_exchange_state_code((enum dp_match_session)exchange->instruments[index].session),
        };
        struct dp_itch_message short_sale = {
            .type = 'Y', .code = (uint8_t)exchange->instruments[index].short_sale};
        add(exchange, store, &directory, index);
        add(exchange, store, &action, index);
        add(exchange, store, &short_sale, index);
    }
}

static void add_orders(struct dp_exchange *exchange, struct dp_exchange_store *store)
{
    uint32_t live = dp_exchange_stats(exchange).order_count;
    const struct dp_exchange_order **shown = calloc(live + 1u, sizeof(const void *));
    DP_ASSERT(shown != NULL);
    uint32_t count = collect(exchange, shown);
    for (uint32_t index = 0; index < count; index++) {
        const struct dp_exchange_order *order = shown[index];
        struct dp_itch_message message = {
            .type = 'A',
            .side = dp_ouch_side(order->side),
            .order_ref = order->feed_ref,
            .qty = order->feed_qty,
            .price4 = (uint32_t)(order->feed_nanos / DP_ITCH_NANOS_PER_PRICE4),
        };
        add(exchange, store, &message, order->instrument_index);
    }
    free(shown);
}

struct dp_exchange_store *dp_exchange_snapshot(struct dp_exchange *exchange)
{
    uint64_t messages =
        3ull * exchange->instrument_count + dp_exchange_stats(exchange).order_count + 2;
    struct dp_exchange_store *store =
        dp_exchange_store_open(2 * messages * (DP_ITCH_ENCODED_MAX + DP_SOUP_HEADER_SIZE));
    DP_ASSERT(store != NULL);
    add_event(exchange, store);
    add_instruments(exchange, store);
    add_orders(exchange, store);
    uint8_t *room = dp_exchange_store_room(store);
    room[0] = 'S';
    room[1] = 'G';
    dp_soup_store_decimal(room + 2, END_SIZE - 1, dp_exchange_store_next(exchange->feed.store));
    dp_exchange_store_commit(store, 1 + END_SIZE);
    return store;
}
