#include "dp_venue_state.h"

/* What Enter and Replace have in common. What the model does not know is refused, not
 * approximated. */
static uint16_t refusal_of_terms(const struct dp_ouch_message *request)
{
    if (request->qty == 0 || request->qty > DP_OUCH_QTY_MAX)
        return DP_OUCH_REJECT_QTY;
    if (request->price_wire == 0 || request->price_wire > DP_OUCH_PRICE_MAX)
        return DP_OUCH_REJECT_PRICE;
    if (request->display != 'Y' && request->display != 'A')
        return DP_OUCH_REJECT_DISPLAY;
    if (request->intermarket_sweep != 'N')
        return DP_OUCH_REJECT_ISO;
    if ((request->time_in_force != DP_TIF_DAY && request->time_in_force != DP_TIF_IOC) ||
        request->options_size > 0)
        return DP_OUCH_REJECT_OTHER;
    return 0;
}

static uint16_t refusal(struct dp_venue *venue, const struct dp_ouch_message *request)
{
    if (venue->closed)
        return DP_OUCH_REJECT_CLOSED;
    uint32_t instrument_index = dp_venue_instrument(venue, request->symbol);
    if (instrument_index == DP_BOOK_NONE)
        return DP_OUCH_REJECT_SYMBOL;
    if (!dp_venue_is_trading(venue, instrument_index))
        return DP_OUCH_REJECT_HALTED;
    if (dp_ouch_side(request->side) == DP_SIDE_NONE)
        return DP_OUCH_REJECT_SIDE;
    if (request->cross_type != 'N')
        return DP_OUCH_REJECT_CROSS;
    return refusal_of_terms(request);
}

static void set_terms(struct dp_venue_order *order, const struct dp_ouch_message *request)
{
    order->price_wire = (uint32_t)request->price_wire;
    order->price_nanos = (int64_t)request->price_wire * DP_OUCH_NANOS_PER_TICK;
    order->time_in_force = request->time_in_force;
    order->display = request->display;
    memcpy(order->cl_ord_id, request->cl_ord_id, sizeof(order->cl_ord_id));
}

static void trade_then_rest(struct dp_venue *venue, struct dp_venue_order *order, int64_t now_ns)
{
    dp_venue_match(venue, order, now_ns);
    if (order->leaves_qty == 0)
        return;
    if (order->time_in_force == DP_TIF_IOC)
        dp_venue_cancel(venue, order, order->leaves_qty, DP_OUCH_CANCEL_IOC, now_ns);
    else
        dp_venue_rest(venue, order);
}

static void on_enter(struct dp_venue *venue, const struct dp_ouch_message *request, int64_t now_ns)
{
    venue->stats.orders++;
    if (request->user_ref_num <= venue->user_ref_num_last) {
        venue->stats.ignored++;
        return;
    }
    venue->user_ref_num_last = request->user_ref_num;
    uint16_t reject_code = refusal(venue, request);
    if (reject_code != 0) {
        dp_venue_report_rejected(venue, request, reject_code, now_ns);
        return;
    }
    struct dp_venue_order *order = dp_venue_order_make(venue, request->user_ref_num);
    if (order == NULL) {
        dp_venue_report_rejected(venue, request, DP_OUCH_REJECT_PROCESSING, now_ns);
        return;
    }
    set_terms(order, request);
    order->leaves_qty = request->qty;
    order->instrument_index = dp_venue_instrument(venue, request->symbol);
    order->book_side = dp_ouch_side(request->side);
    order->side = request->side;
    order->capacity = request->capacity;
    memcpy(order->symbol, request->symbol, sizeof(order->symbol));
    dp_venue_report_accepted(venue, order, now_ns);
    trade_then_rest(venue, order, now_ns);
}

/* Case 4 of the specification: a new name, a new reference, the tail of the queue. */
static void replace(struct dp_venue *venue, struct dp_venue_order *old,
    struct dp_venue_order *order, const struct dp_ouch_message *request, int64_t now_ns)
{
    dp_venue_unrest(venue, old);
    old->leaves_qty = 0;

    set_terms(order, request);
    order->leaves_qty = request->qty - old->cum_qty;
    order->cum_qty = old->cum_qty;
    order->instrument_index = old->instrument_index;
    order->book_side = old->book_side;
    order->side = old->side;
    order->capacity = old->capacity;
    memcpy(order->symbol, old->symbol, sizeof(order->symbol));
    dp_venue_report_replaced(venue, order, old->user_ref_num, now_ns);
    trade_then_rest(venue, order, now_ns);
}

static void on_replace(
    struct dp_venue *venue, const struct dp_ouch_message *request, int64_t now_ns)
{
    struct dp_venue_order *old = dp_venue_find(venue, request->orig_user_ref_num);
    if (old == NULL || request->user_ref_num <= venue->user_ref_num_last) {
        venue->stats.ignored++;
        return;
    }
    /* Case 2: the original goes, the new number stays free. */
    if (refusal_of_terms(request) != 0 || request->qty <= old->cum_qty) {
        dp_venue_cancel(venue, old, old->leaves_qty, DP_OUCH_CANCEL_SYSTEM, now_ns);
        return;
    }
    venue->user_ref_num_last = request->user_ref_num;
    struct dp_venue_order *order = dp_venue_order_make(venue, request->user_ref_num);
    if (order == NULL)
        dp_venue_report_rejected(venue, request, DP_OUCH_REJECT_PROCESSING, now_ns);
    else
        replace(venue, old, order, request, now_ns);
}

/* request->qty is the most that may execute in total from now on; 0 takes all that is open. */
static void on_cancel(struct dp_venue *venue, const struct dp_ouch_message *request, int64_t now_ns)
{
    struct dp_venue_order *order = dp_venue_find(venue, request->user_ref_num);
    uint32_t total = order == NULL ? 0 : order->cum_qty + order->leaves_qty;
    if (order == NULL || request->qty >= total) {
        venue->stats.ignored++;
        return;
    }
    uint32_t qty = total - request->qty;
    if (qty > order->leaves_qty)
        qty = order->leaves_qty;
    dp_venue_cancel(venue, order, qty, DP_OUCH_CANCEL_CLIENT, now_ns);
}

static void on_query(struct dp_venue *venue, int64_t now_ns)
{
    const struct dp_ouch_message answer = {
        .type = 'Q', .user_ref_num = venue->user_ref_num_last + 1};
    dp_venue_report(venue, &answer, now_ns);
}

void dp_venue_request(struct dp_venue *venue, const struct dp_ouch_message *message, int64_t now_ns)
{
    switch (message->type) {
    case 'O': on_enter(venue, message, now_ns); break;
    case 'U': on_replace(venue, message, now_ns); break;
    case 'X': on_cancel(venue, message, now_ns); break;
    case 'Q': on_query(venue, now_ns); break;
    default: venue->stats.ignored++; break;
    }
}
