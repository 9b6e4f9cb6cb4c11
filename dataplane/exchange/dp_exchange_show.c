#include "dp_exchange_state.h"

static uint32_t price4_of(int64_t price_nanos)
{
    return (uint32_t)(price_nanos / DP_ITCH_NANOS_PER_PRICE4);
}

static void publish(
    struct dp_exchange *exchange, uint32_t instrument_index, struct dp_itch_message *message)
{
    message->stock_locate = (uint16_t)(instrument_index + 1);
    message->stock = (const uint8_t *)exchange->instruments[instrument_index].symbol;
    dp_exchange_publish(exchange, message);
}

/* The first name of an order on the feed is its reference in its owner's reports. */
static uint64_t next_name(struct dp_exchange *exchange, struct dp_exchange_order *order)
{
    if (order->was_shown)
        return exchange->order_ref_next++;
    order->was_shown = true;
    return order->order_ref;
}

static void show_new(struct dp_exchange *exchange, struct dp_exchange_order *order)
{
    order->feed_ref = next_name(exchange, order);
    struct dp_itch_message message = {
        .type = 'A',
        .side = dp_ouch_side(order->side),
        .order_ref = order->feed_ref,
        .qty = order->feed_qty,
        .price4 = price4_of(order->feed_nanos),
    };
    publish(exchange, order->instrument_index, &message);
}

static void show_replaced(struct dp_exchange *exchange, struct dp_exchange_order *order)
{
    struct dp_itch_message message = {
        .type = 'U',
        .order_ref = order->feed_ref,
        .new_order_ref = next_name(exchange, order),
        .qty = order->feed_qty,
        .price4 = price4_of(order->feed_nanos),
    };
    order->feed_ref = message.new_order_ref;
    order->requeued = false;
    publish(exchange, order->instrument_index, &message);
}

static void show_reduced(
    struct dp_exchange *exchange, const struct dp_exchange_order *order, uint32_t qty)
{
    struct dp_itch_message message = {.type = 'X', .order_ref = order->feed_ref, .qty = qty};
    publish(exchange, order->instrument_index, &message);
}

static void show_gone(struct dp_exchange *exchange, struct dp_exchange_order *order)
{
    struct dp_itch_message message = {.type = 'D', .order_ref = order->feed_ref};
    order->feed_ref = 0;
    order->feed_qty = 0;
    order->requeued = false;
    publish(exchange, order->instrument_index, &message);
}

void dp_exchange_show(struct dp_exchange *exchange, struct dp_exchange_order *order,
    uint64_t display_qty, int64_t price_nanos)
{
    uint32_t qty = (uint32_t)display_qty;
    uint32_t shown_qty = order->feed_qty;
    bool moved = order->requeued || price_nanos != order->feed_nanos || qty > shown_qty;
    if (qty == 0) {
        if (order->feed_ref != 0)
            show_gone(exchange, order);
        return;
    }
    order->feed_qty = qty;
    order->feed_nanos = price_nanos;
    if (order->feed_ref == 0)
        show_new(exchange, order);
    else if (moved)
        show_replaced(exchange, order);
    else if (qty < shown_qty)
        show_reduced(exchange, order, shown_qty - qty);
}

void dp_exchange_pass_on(struct dp_exchange_order *from, struct dp_exchange_order *to)
{
    to->feed_ref = from->feed_ref;
    to->feed_qty = from->feed_qty;
    to->feed_nanos = from->feed_nanos;
    to->requeued = from->feed_ref != 0;
    from->feed_ref = 0;
    from->feed_qty = 0;
}

/* An execution of what is shown: at the shown price, or at another one that must be said. Those of
 * a cross are printed once, in bulk. */
static void show_executed(struct dp_exchange *exchange, struct dp_exchange_order *order,
    const struct dp_match_report *report, uint32_t qty)
{
    bool cross = (report->flags & DP_MATCH_CROSS) != 0;
    struct dp_itch_message message = {
        .type = report->price_nanos == order->feed_nanos && !cross ? 'E' : 'C',
        .code = cross ? 'N' : 'Y',
        .order_ref = order->feed_ref,
        .qty = qty,
        .match_number = report->match_number,
        .price4 = price4_of(report->price_nanos),
    };
    publish(exchange, order->instrument_index, &message);
    order->feed_qty -= qty;
    if (order->feed_qty == 0)
        order->feed_ref = 0; /* the reader of a feed takes it off by itself */
}

/* ITCH 5.0, Trade Message: no reference, and always a buy. */
static void show_hidden(
    struct dp_exchange *exchange, const struct dp_match_report *report, uint64_t qty)
{
    struct dp_itch_message message = {
        .type = 'P',
        .side = DP_SIDE_BUY,
        .qty = qty,
        .price4 = price4_of(report->price_nanos),
        .match_number = report->match_number,
    };
    publish(exchange, report->instrument_index, &message);
}

void dp_exchange_show_trade(struct dp_exchange *exchange, struct dp_exchange_order *order,
    const struct dp_match_report *report)
{
    bool cross = (report->flags & DP_MATCH_CROSS) != 0;
    uint64_t shown_qty = order->feed_ref != 0 && !order->requeued ? order->feed_qty : 0;
    if (shown_qty > report->qty)
        shown_qty = report->qty;
    if (shown_qty > 0)
        show_executed(exchange, order, report, (uint32_t)shown_qty);
    if (shown_qty < report->qty && !cross)
        show_hidden(exchange, report, report->qty - shown_qty);
}

uint8_t dp_exchange_state_code(enum dp_match_session session)
{
    switch (session) {
    case DP_MATCH_CONTINUOUS:
    case DP_MATCH_PRE_CLOSE: return 'T';
    case DP_MATCH_PRE_OPEN: return 'Q';
    case DP_MATCH_PAUSED: return 'P';
    default: return 'H';
    }
}

void dp_exchange_show_session(
    struct dp_exchange *exchange, uint32_t instrument_index, enum dp_match_session session)
{
    struct dp_itch_message message = {.type = 'H', .code = dp_exchange_state_code(session)};
    publish(exchange, instrument_index, &message);
}

void dp_exchange_show_short_sale(struct dp_exchange *exchange, uint32_t instrument_index)
{
    struct dp_itch_message message = {
        .type = 'Y', .code = (uint8_t)exchange->instruments[instrument_index].short_sale};
    publish(exchange, instrument_index, &message);
}

void dp_exchange_show_auction(struct dp_exchange *exchange, const struct dp_match_report *report)
{
    struct dp_itch_message message = {
        .type = 'Q',
        .code = (uint8_t)dp_exchange_cross_code(
            exchange->instruments[report->instrument_index].session_before),
        .qty = report->qty,
        .price4 = report->price_nanos == DP_PRICE_NONE ? 0 : price4_of(report->price_nanos),
        .match_number = report->match_number,
    };
    publish(exchange, report->instrument_index, &message);
}

void dp_exchange_show_directory(struct dp_exchange *exchange, uint32_t instrument_index)
{
    struct dp_itch_message message = {.type = 'R'};
    publish(exchange, instrument_index, &message);
}
