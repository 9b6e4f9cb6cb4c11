#include "dp_venue_state.h"

static uint32_t smaller(uint64_t left, uint64_t right)
{
    return (uint32_t)(left < right ? left : right); /* one of the two is an order's of ours */
}

static enum dp_side opposite(enum dp_side side)
{
    return side == DP_SIDE_BUY ? DP_SIDE_SELL : DP_SIDE_BUY;
}

/* Whether an order of `side` that may trade up to limit_nanos is happy with price_nanos. */
static bool is_within(enum dp_side side, int64_t price_nanos, int64_t limit_nanos)
{
    return side == DP_SIDE_BUY ? price_nanos <= limit_nanos : price_nanos >= limit_nanos;
}

/* What is left of a recorded order in a world where we trade too. */
static uint64_t available(const struct dp_venue *venue, const struct dp_book_order_view *recorded)
{
    uint32_t used = dp_venue_used_qty(venue, recorded->order_ref);
    return recorded->qty > used ? recorded->qty - used : 0;
}

/* ---- our orders against the book ---- */

static void take_level(
    struct dp_venue *venue, struct dp_venue_order *order, int64_t price_nanos, int64_t now_ns)
{
    uint32_t count = dp_book_level_orders(venue->books, order->instrument_index,
        opposite(order->book_side), price_nanos, venue->level_orders, DP_VENUE_LEVEL_ORDERS_MAX);
    for (uint32_t index = 0; index < count && order->leaves_qty > 0; index++) {
        const struct dp_book_order_view *recorded = &venue->level_orders[index];
        uint32_t qty = smaller(order->leaves_qty, available(venue, recorded));
        if (qty > 0 && dp_venue_used_add(venue, recorded->order_ref, order->instrument_index, qty))
            dp_venue_execute(venue, order, qty, (uint64_t)price_nanos / DP_OUCH_NANOS_PER_TICK,
                DP_OUCH_LIQUIDITY_REMOVED, now_ns);
    }
}

void dp_venue_match(struct dp_venue *venue, struct dp_venue_order *order, int64_t now_ns)
{
    if (!dp_venue_is_trading(venue, order->instrument_index))
        return;
    uint32_t count = 0;
    for (uint32_t index = 0; order->leaves_qty > 0 && index < DP_VENUE_LEVELS_MAX; index++) {
        /* Few orders need more than the first levels: ask for eight, then for ever more. */
        if (index == count)
            count =
                dp_book_levels(venue->books, order->instrument_index, opposite(order->book_side),
                    venue->levels, smaller((uint64_t)index * 8 + 8, DP_VENUE_LEVELS_MAX));
        if (index >= count)
            return;
        int64_t price_nanos = venue->levels[index].price_nanos;
        if (!is_within(order->book_side, price_nanos, order->price_nanos))
            return;
        take_level(venue, order, price_nanos, now_ns);
    }
}

bool dp_venue_queue_ahead(const struct dp_venue *venue, uint32_t user_ref_num, uint64_t *qty)
{
    const struct dp_venue_order *order = dp_venue_find(venue, user_ref_num);
    if (order == NULL)
        return false;
    uint32_t count = dp_book_level_orders(venue->books, order->instrument_index, order->book_side,
        order->price_nanos, venue->level_orders, DP_VENUE_LEVEL_ORDERS_MAX);
    *qty = 0;
    for (uint32_t index = 0; index < count; index++)
        if (venue->level_orders[index].priority < order->priority)
            *qty += available(venue, &venue->level_orders[index]);
    return true;
}

/* ---- recorded messages against our orders ---- */

static struct dp_venue_order *first_resting(
    const struct dp_venue *venue, uint32_t instrument_index, enum dp_side side)
{
    const struct dp_venue_instrument *instrument = &venue->instruments[instrument_index];
    return dp_venue_order_at(venue, instrument->first[side == DP_SIDE_SELL]);
}

/* Whether ours would have been served before that recorded order: at a better price, or earlier at
 * the same. */
static bool is_ahead(const struct dp_venue_order *order, const struct dp_book_order_view *recorded)
{
    if (order->price_nanos == recorded->price_nanos)
        return order->priority <= recorded->priority;
    return !is_within(order->book_side, order->price_nanos, recorded->price_nanos);
}

/* The taker of a recorded execution would have met our orders first: it fills them, up to what it
 * took. */
static void fill_by_execution(
    struct dp_venue *venue, const struct dp_book_order_view *recorded, uint64_t qty, int64_t now_ns)
{
    struct dp_venue_order *order =
        first_resting(venue, recorded->instrument_index, (enum dp_side)recorded->side);
    while (order != NULL && qty > 0 && is_ahead(order, recorded)) {
        struct dp_venue_order *next = dp_venue_order_at(venue, order->next);
        uint32_t fill = smaller(qty, order->leaves_qty);
        qty -= fill;
        dp_venue_execute(venue, order, fill, order->price_wire, DP_OUCH_LIQUIDITY_ADDED, now_ns);
        order = next;
    }
}

/* A recorded order that rested in the record would have traded with ours instead. */
static void fill_by_arrival(
    struct dp_venue *venue, const struct dp_book_order_view *recorded, int64_t now_ns)
{
    uint64_t qty = recorded->qty;
    enum dp_side side = (enum dp_side)recorded->side;
    struct dp_venue_order *order = first_resting(venue, recorded->instrument_index, opposite(side));
    while (order != NULL && qty > 0 && is_within(side, order->price_nanos, recorded->price_nanos)) {
        struct dp_venue_order *next = dp_venue_order_at(venue, order->next);
        uint32_t fill = smaller(qty, order->leaves_qty);
        /* Noted as used, so that what now rests in the books is not taken a second time. */
        if (!dp_venue_used_add(venue, recorded->order_ref, recorded->instrument_index, fill))
            return;
        qty -= fill;
        dp_venue_execute(venue, order, fill, order->price_wire, DP_OUCH_LIQUIDITY_ADDED, now_ns);
        order = next;
    }
}

static void on_arrival(struct dp_venue *venue, struct dp_book_order_view recorded, int64_t now_ns)
{
    struct dp_book_order_view duplicate;
    /* What the books will refuse does not happen here either. */
    if (recorded.qty == 0 || recorded.price_nanos == 0 || recorded.side == DP_SIDE_NONE ||
        dp_book_order(venue->books, recorded.order_ref, &duplicate))
        return;
    if (dp_venue_is_trading(venue, recorded.instrument_index))
        fill_by_arrival(venue, &recorded, now_ns);
}

static void on_add(struct dp_venue *venue, const struct dp_itch_message *message, int64_t now_ns)
{
    const struct dp_book_order_view recorded = {
        .order_ref = message->order_ref,
        .price_nanos = (int64_t)message->price4 * DP_ITCH_NANOS_PER_PRICE4,
        .qty = message->qty,
        .instrument_index = message->stock_locate,
        .side = message->side,
    };
    on_arrival(venue, recorded, now_ns);
}

static void on_replace(struct dp_venue *venue, const struct dp_itch_message *message,
    struct dp_book_order_view recorded, int64_t now_ns)
{
    dp_venue_used_drop(venue, recorded.order_ref);
    recorded.order_ref = message->new_order_ref;
    recorded.qty = message->qty;
    recorded.price_nanos = (int64_t)message->price4 * DP_ITCH_NANOS_PER_PRICE4;
    on_arrival(venue, recorded, now_ns);
}

/* A message about a recorded order that rests: E C X D U. */
static void on_change(struct dp_venue *venue, const struct dp_itch_message *message, int64_t now_ns)
{
    struct dp_book_order_view recorded;
    if (!dp_book_order(venue->books, message->order_ref, &recorded) ||
        recorded.instrument_index != message->stock_locate)
        return;
    if (message->type == 'U') {
        on_replace(venue, message, recorded, now_ns);
        return;
    }
    if (message->type != 'D' && message->qty > recorded.qty)
        return;
    if ((message->type == 'E' || message->type == 'C') &&
        dp_venue_is_trading(venue, recorded.instrument_index))
        fill_by_execution(venue, &recorded, message->qty, now_ns);
    if (message->type == 'D' || message->qty == recorded.qty)
        dp_venue_used_drop(venue, recorded.order_ref);
}

void dp_venue_expire(struct dp_venue *venue, char reason, int64_t now_ns)
{
    if (venue->closed)
        return;
    venue->closed = true;
    for (uint32_t index = 0; index < venue->order_count; index++) {
        struct dp_venue_order *order = &venue->orders[index];
        if (order->leaves_qty > 0)
            dp_venue_cancel(venue, order, order->leaves_qty, reason, now_ns);
    }
    const struct dp_ouch_message end_of_day = {.type = 'S', .event_code = 'E'};
    dp_venue_report(venue, &end_of_day, now_ns);
}

void dp_venue_on_message(
    struct dp_venue *venue, const struct dp_itch_message *message, int64_t now_ns)
{
    if (DP_UNLIKELY(message->type == 'S')) {
        if (message->code == 'M')
            dp_venue_expire(venue, DP_OUCH_CANCEL_EXPIRED, now_ns);
        return;
    }
    if (DP_LIKELY(venue->touched[message->stock_locate] == 0))
        return;
    switch (message->type) {
    case 'A':
    case 'F': on_add(venue, message, now_ns); break;
    case 'E':
    case 'C':
    case 'X':
    case 'D':
    case 'U': on_change(venue, message, now_ns); break;
    default: break;
    }
}
