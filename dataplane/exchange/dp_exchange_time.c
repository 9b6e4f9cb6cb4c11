#include "dp_exchange_state.h"

static void record_packet(void *context, uint32_t line, bool lost, const uint8_t *data,
    uint32_t size, uint64_t sequence, int64_t now_ns)
{
    (void)now_ns;
    dp_exchange_record(context, lost ? DP_EXCHANGE_TAPE_LOST : DP_EXCHANGE_TAPE_LINE,
        DP_EXCHANGE_NONE, line, sequence, data, size);
}

void dp_exchange_advance(struct dp_exchange *exchange, int64_t now_ns)
{
    dp_exchange_set_now(exchange, now_ns);
    if (dp_match_next_ns(exchange->match) <= exchange->now_ns) {
        dp_match_advance(exchange->match, exchange->now_ns, &exchange->sink);
        dp_exchange_settle(exchange);
    }
    dp_exchange_work_arrivals(exchange);
    dp_exchange_send_delayed(exchange);
    if (exchange->imbalance_due_ns <= exchange->now_ns)
        dp_exchange_say_imbalances(exchange);
    if (exchange->tick_ns <= exchange->now_ns) {
        exchange->tick_ns = exchange->now_ns + DP_EXCHANGE_TICK_NS;
        dp_exchange_watch(exchange);
    }
    dp_exchange_feed_flush(&exchange->feed, exchange->now_ns, record_packet, exchange);
}

int64_t dp_exchange_next_ns(const struct dp_exchange *exchange)
{
    int64_t next_ns = exchange->stats.connection_count > 0 ? exchange->tick_ns : INT64_MAX;
    int64_t others_ns[] = {
        dp_match_next_ns(exchange->match),
        dp_exchange_delayed_next_ns(exchange),
        dp_exchange_feed_next_ns(&exchange->feed),
        exchange->imbalance_due_ns,
        exchange->arrival_head == exchange->arrival_tail
            ? INT64_MAX
            : exchange->arrivals[exchange->arrival_head & exchange->arrival_mask].due_ns,
    };
    for (uint32_t index = 0; index < sizeof(others_ns) / sizeof(others_ns[0]); index++)
        next_ns = others_ns[index] < next_ns ? others_ns[index] : next_ns;
    return next_ns;
}

const uint8_t *dp_exchange_pop_datagram(
    struct dp_exchange *exchange, uint32_t line, int64_t now_ns, uint32_t *size)
{
    DP_ASSERT(line < DP_EXCHANGE_LINES);
    return dp_exchange_line_pop(exchange->feed.lines[line], now_ns, size);
}

uint32_t dp_exchange_reply(struct dp_exchange *exchange, const uint8_t *request, size_t size,
    uint8_t *reply, int64_t now_ns)
{
    dp_exchange_set_now(exchange, now_ns);
    uint32_t shown = size < DP_EXCHANGE_PACKET_MAX ? (uint32_t)size : DP_EXCHANGE_PACKET_MAX;
    dp_exchange_record(
        exchange, DP_EXCHANGE_TAPE_REQUEST, DP_EXCHANGE_NONE, DP_EXCHANGE_NONE, 0, request, shown);
    uint32_t reply_size = dp_exchange_feed_reply(&exchange->feed, request, size, reply);
    if (reply_size == 0)
        dp_exchange_say(
            exchange, DP_EXCHANGE_NOTE_REQUEST_MALFORMED, DP_EXCHANGE_NONE, DP_EXCHANGE_NONE, 0);
    else
        dp_exchange_record(exchange, DP_EXCHANGE_TAPE_REPLY, DP_EXCHANGE_NONE, DP_EXCHANGE_NONE,
            dp_load_be64(reply + 10), reply, reply_size);
    return reply_size;
}

void dp_exchange_set_line(
    struct dp_exchange *exchange, uint32_t line, const struct dp_exchange_line_config *config)
{
    DP_ASSERT(line < DP_EXCHANGE_LINES);
    dp_exchange_line_set(exchange->feed.lines[line], config);
}
