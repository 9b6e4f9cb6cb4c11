#include "dp_exchange_state.h"

#define DELAYED_FIRST 256u
#define SEQUENCED 'S'

/* ---- into the account's stream ---- */

static void append(
    struct dp_exchange *exchange, uint32_t account_index, const uint8_t *data, uint32_t size)
{
    struct dp_exchange_account *account = &exchange->accounts[account_index];
    uint8_t *room = dp_exchange_store_room(account->store);
    room[0] = SEQUENCED;
    memcpy(room + 1, data, size);
    uint64_t number = dp_exchange_store_commit(account->store, size + 1);
    exchange->stats.reports++;
    dp_exchange_record(exchange, DP_EXCHANGE_TAPE_REPORT, account_index, account->connection,
        number, room - 2, size + DP_SOUP_HEADER_SIZE);
    if (account->connection != DP_EXCHANGE_NONE)
        dp_exchange_make_ready(exchange, account->connection);
}

/* What was overtaken follows what overtook it. */
static void append_swapped(struct dp_exchange *exchange, uint32_t account_index)
{
    struct dp_exchange_account *account = &exchange->accounts[account_index];
    uint32_t size = account->swapped_size;
    account->swapped_size = 0;
    if (size > 0)
        append(exchange, account_index, account->swapped, size);
}

/* The faults of the account, one after the other, then its stream. */
static void say(
    struct dp_exchange *exchange, uint32_t account_index, const uint8_t *data, uint32_t size)
{
    struct dp_exchange_account *account = &exchange->accounts[account_index];
    struct dp_exchange_faults *faults = &account->faults;
    if (DP_UNLIKELY(faults->malformed_count > 0)) {
        faults->malformed_count--;
        append(exchange, account_index, data, size - 1);
    }
    if (DP_UNLIKELY(faults->reorder_count > 0 && account->swapped_size == 0)) {
        faults->reorder_count--;
        memcpy(account->swapped, data, size);
        account->swapped_size = size;
        return;
    }
    append(exchange, account_index, data, size);
    if (DP_UNLIKELY(faults->duplicate_count > 0)) {
        faults->duplicate_count--;
        append(exchange, account_index, data, size);
    }
    append_swapped(exchange, account_index);
}

/* ---- later ---- */

static void grow(struct dp_exchange_delay_queue *queue)
{
    uint64_t count = queue->entries == NULL ? 0 : queue->mask + 1;
    uint64_t room = count == 0 ? DELAYED_FIRST : 2 * count;
    struct dp_exchange_delayed *entries = malloc(room * sizeof(*entries));
    /* A report may not be lost, and nobody could do anything about it here. */
    DP_ASSERT(entries != NULL);
    for (uint64_t at = queue->head; at != queue->tail; at++)
        entries[at & (room - 1)] = queue->entries[at & queue->mask];
    free(queue->entries);
    queue->entries = entries;
    queue->mask = room - 1;
}

static void delay(struct dp_exchange *exchange, struct dp_exchange_delay_queue *queue,
    int64_t due_ns, const uint8_t *data, uint32_t size)
{
    if (queue->entries == NULL || queue->tail - queue->head > queue->mask)
        grow(queue);
    /* Reports of one account leave in the order in which they were decided. */
    if (due_ns < queue->last_due_ns)
        due_ns = queue->last_due_ns;
    queue->last_due_ns = due_ns;
    struct dp_exchange_delayed *delayed = &queue->entries[queue->tail++ & queue->mask];
    delayed->due_ns = due_ns;
    delayed->size = size;
    memcpy(delayed->bytes, data, size);
    exchange->delayed_count++;
}

static void send_due(struct dp_exchange *exchange, uint32_t account)
{
    struct dp_exchange_delay_queue *queue = &exchange->accounts[account].delay;
    while (queue->head != queue->tail) {
        const struct dp_exchange_delayed *delayed = &queue->entries[queue->head & queue->mask];
        if (delayed->due_ns > exchange->now_ns)
            return;
        queue->head++;
        exchange->delayed_count--;
        say(exchange, account, delayed->bytes, delayed->size);
    }
}

void dp_exchange_send_delayed(struct dp_exchange *exchange)
{
    for (uint32_t account = 0; exchange->delayed_count > 0 && account < exchange->account_count;
         account++)
        send_due(exchange, account);
}

int64_t dp_exchange_delayed_next_ns(const struct dp_exchange *exchange)
{
    int64_t next_ns = INT64_MAX;
    for (uint32_t account = 0; exchange->delayed_count > 0 && account < exchange->account_count;
         account++) {
        const struct dp_exchange_delay_queue *queue = &exchange->accounts[account].delay;
        if (queue->head == queue->tail)
            continue;
        int64_t due_ns = queue->entries[queue->head & queue->mask].due_ns;
        next_ns = due_ns < next_ns ? due_ns : next_ns;
    }
    return next_ns;
}

/* ---- encoding ---- */

void dp_exchange_report(
    struct dp_exchange *exchange, uint32_t account_index, struct dp_ouch_message *message)
{
    struct dp_exchange_account *account = &exchange->accounts[account_index];
    int64_t since_midnight_ns = exchange->now_ns - exchange->config.midnight_ns;
    message->timestamp_ns = since_midnight_ns > 0 ? (uint64_t)since_midnight_ns : 0;
    uint8_t data[DP_EXCHANGE_REPORT_MAX];
    uint32_t size = (uint32_t)dp_ouch_encode(message, DP_OUCH_OUTBOUND, data, sizeof(data));
    DP_ASSERT(size > 0);
    int64_t later_ns = exchange->config.report_latency_ns + account->faults.late_ns;
    if (later_ns > 0 || account->delay.head != account->delay.tail)
        delay(exchange, &account->delay, exchange->now_ns + later_ns, data, size);
    else
        say(exchange, account_index, data, size);
}

void dp_exchange_report_on(struct dp_exchange *exchange, uint32_t account, uint8_t user_ref_idx,
    struct dp_ouch_message *message)
{
    uint8_t options[DP_EXCHANGE_REQUEST_MAX];
    if (user_ref_idx != 0 && message->options_size + 3 <= sizeof(options)) {
        if (message->options_size > 0)
            memcpy(options, message->options, message->options_size);
        memcpy(options + message->options_size,
            (uint8_t[]){2, DP_OUCH_TAG_USER_REF_IDX, user_ref_idx}, 3);
        message->options = options;
        message->options_size += 3;
    }
    dp_exchange_report(exchange, account, message);
}

void dp_exchange_report_owner(struct dp_exchange *exchange, const struct dp_exchange_order *order,
    struct dp_ouch_message *message)
{
    message->user_ref_num = dp_exchange_number_of(order);
    dp_exchange_report_on(
        exchange, dp_exchange_account_of(order), dp_exchange_idx_of(order), message);
}

void dp_exchange_report_cancelled(
    struct dp_exchange *exchange, const struct dp_exchange_order *order, uint32_t qty, char reason)
{
    struct dp_ouch_message message = {.type = 'C', .qty = qty, .reason = reason};
    dp_exchange_report_owner(exchange, order, &message);
}

void dp_exchange_system_event(struct dp_exchange *exchange, uint32_t account, char event_code)
{
    struct dp_ouch_message message = {.type = 'S', .event_code = event_code};
    dp_exchange_report(exchange, account, &message);
}
