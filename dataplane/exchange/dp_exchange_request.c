#include "dp_exchange_state.h"

#define ARRIVALS_FIRST 1024u
#define NANOS_PER_SECOND 1000000000

void dp_exchange_reject(struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, uint8_t user_ref_idx, uint16_t code)
{
    struct dp_ouch_message message = {
        .type = 'J', .user_ref_num = request->user_ref_num, .reject_code = code};
    memcpy(message.cl_ord_id, request->cl_ord_id, sizeof(message.cl_ord_id));
    exchange->stats.rejected++;
    dp_exchange_report_on(exchange, account, user_ref_idx, &message);
}

static bool is_over_rate(struct dp_exchange *exchange, struct dp_exchange_account *account)
{
    uint32_t limit = account->faults.throttle_per_second != 0 ? account->faults.throttle_per_second
                                                              : account->config.requests_per_second;
    if (limit == 0)
        return false;
    if (exchange->now_ns - account->second_began_ns >= NANOS_PER_SECOND) {
        account->second_began_ns = exchange->now_ns;
        account->second_count = 0;
    }
    return ++account->second_count > limit;
}

/* What stands before every new order of an account, whatever it says; 0: nothing. */
static uint16_t refusal_of_account(struct dp_exchange *exchange, uint32_t account_index)
{
    struct dp_exchange_account *account = &exchange->accounts[account_index];
    if (exchange->ended)
        return DP_OUCH_REJECT_CLOSED;
    if (account->faults.reject_code != 0)
        return account->faults.reject_code;
    if (account->disabled)
        return DP_OUCH_REJECT_FIRM;
    return is_over_rate(exchange, account) ? DP_OUCH_REJECT_PORT_RATE : 0;
}

/* False when the number is a retransmission: such a request is ignored without a word. */
static bool is_new_number(
    struct dp_exchange *exchange, uint32_t account, uint8_t user_ref_idx, uint32_t user_ref_num)
{
    if (user_ref_num > exchange->accounts[account].user_ref_num_last[user_ref_idx])
        return true;
    exchange->stats.ignored++;
    return false;
}

static void on_enter(struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, uint8_t user_ref_idx)
{
    if (!is_new_number(exchange, account, user_ref_idx, request->user_ref_num))
        return;
    exchange->accounts[account].user_ref_num_last[user_ref_idx] = request->user_ref_num;
    uint16_t code = refusal_of_account(exchange, account);
    if (code != 0)
        dp_exchange_reject(exchange, account, request, user_ref_idx, code);
    else
        dp_exchange_enter(exchange, account, request, user_ref_idx);
}

static void on_replace(struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, uint8_t user_ref_idx)
{
    if (!is_new_number(exchange, account, user_ref_idx, request->user_ref_num))
        return;
    if (dp_exchange_orders_find(&exchange->orders,
            dp_exchange_order_key_of(account, user_ref_idx, request->orig_user_ref_num)) == NULL) {
        exchange->stats.ignored++;
        return;
    }
    uint16_t code = refusal_of_account(exchange, account);
    if (code == 0) {
        dp_exchange_replace(exchange, account, request, user_ref_idx);
        return;
    }
    exchange->accounts[account].user_ref_num_last[user_ref_idx] = request->user_ref_num;
    dp_exchange_reject(exchange, account, request, user_ref_idx, code);
}

/* Mass requests: they take a number like an order, and are silently ignored like one. */
static void on_mass(struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, uint8_t user_ref_idx)
{
    if (!is_new_number(exchange, account, user_ref_idx, request->user_ref_num))
        return;
    exchange->accounts[account].user_ref_num_last[user_ref_idx] = request->user_ref_num;
    if (request->type == 'C')
        dp_exchange_mass_cancel(exchange, account, request, user_ref_idx);
    else
        dp_exchange_able(exchange, account, request, user_ref_idx);
}

static void on_query(struct dp_exchange *exchange, uint32_t account, uint8_t user_ref_idx)
{
    struct dp_ouch_message answer = {
        .type = 'Q',
        .user_ref_num = exchange->accounts[account].user_ref_num_last[user_ref_idx] + 1,
    };
    dp_exchange_report_on(exchange, account, user_ref_idx, &answer);
}

static void work(struct dp_exchange *exchange, uint32_t account, const uint8_t *data, uint32_t size)
{
    if (size == 0) {
        dp_exchange_cancel_all(exchange, account, DP_OUCH_CANCEL_SYSTEM);
        return;
    }
    struct dp_ouch_message request;
    if (dp_ouch_decode(data, size, DP_OUCH_INBOUND, &request) != DP_OUCH_OK) {
        exchange->stats.malformed++;
        dp_exchange_say(exchange, DP_EXCHANGE_NOTE_MESSAGE_MALFORMED,
            exchange->accounts[account].connection, account, data[0]);
        return;
    }
    uint8_t user_ref_idx = dp_exchange_user_ref_idx(&request);
    switch (request.type) {
    case 'O': on_enter(exchange, account, &request, user_ref_idx); break;
    case 'U': on_replace(exchange, account, &request, user_ref_idx); break;
    case 'X': dp_exchange_cancel(exchange, account, &request, user_ref_idx); break;
    case 'M': dp_exchange_modify(exchange, account, &request, user_ref_idx); break;
    case 'Q': on_query(exchange, account, user_ref_idx); break;
    default: on_mass(exchange, account, &request, user_ref_idx); break;
    }
}

static void grow(struct dp_exchange *exchange)
{
    uint64_t count = exchange->arrivals == NULL ? 0 : exchange->arrival_mask + 1;
    uint64_t room = count == 0 ? ARRIVALS_FIRST : 2 * count;
    struct dp_exchange_arrival *arrivals = malloc(room * sizeof(*arrivals));
    /* A request that was taken off its connection may not be lost. */
    DP_ASSERT(arrivals != NULL);
    for (uint64_t at = exchange->arrival_head; at != exchange->arrival_tail; at++)
        arrivals[at & (room - 1)] = exchange->arrivals[at & exchange->arrival_mask];
    free(exchange->arrivals);
    exchange->arrivals = arrivals;
    exchange->arrival_mask = room - 1;
}

static void queue(
    struct dp_exchange *exchange, uint32_t account, const uint8_t *data, uint32_t size)
{
    if (exchange->arrivals == NULL ||
        exchange->arrival_tail - exchange->arrival_head > exchange->arrival_mask)
        grow(exchange);
    struct dp_exchange_arrival *arrival =
        &exchange->arrivals[exchange->arrival_tail++ & exchange->arrival_mask];
    arrival->due_ns = exchange->now_ns + exchange->config.order_latency_ns;
    arrival->account = account;
    arrival->size = size;
    if (size > 0)
        memcpy(arrival->bytes, data, size);
}

void dp_exchange_arrive(
    struct dp_exchange *exchange, uint32_t account, const uint8_t *data, uint32_t size)
{
    exchange->stats.requests += data != NULL;
    if ((data != NULL && size == 0) || size > DP_EXCHANGE_REQUEST_MAX) {
        exchange->stats.malformed++;
        dp_exchange_say(exchange, DP_EXCHANGE_NOTE_MESSAGE_MALFORMED,
            exchange->accounts[account].connection, account, size > 0 ? data[0] : 0);
    } else if (exchange->config.order_latency_ns > 0) {
        queue(exchange, account, data, size);
    } else {
        work(exchange, account, data, size);
    }
}

void dp_exchange_work_arrivals(struct dp_exchange *exchange)
{
    int64_t now_ns = exchange->now_ns;
    while (exchange->arrival_head != exchange->arrival_tail) {
        const struct dp_exchange_arrival *arrival =
            &exchange->arrivals[exchange->arrival_head & exchange->arrival_mask];
        if (arrival->due_ns > now_ns)
            return;
        exchange->arrival_head++;
        work(exchange, arrival->account, arrival->bytes, arrival->size);
    }
}

void dp_exchange_request(struct dp_exchange *exchange, uint32_t account, const uint8_t *data,
    uint32_t size, int64_t now_ns)
{
    dp_exchange_set_now(exchange, now_ns);
    dp_exchange_arrive(exchange, account, data, size);
}
