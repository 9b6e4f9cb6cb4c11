/* Enter and Replace: what reaches the engine as a new order. */
#include "dp_exchange_state.h"

/* ---- records ---- */

/* As entered, but for what the venue made better. */
static uint32_t accepted_price(
    const struct dp_ouch_message *request, const struct dp_exchange_terms *terms)
{
    if (terms->order.price_nanos != DP_PRICE_NONE)
        return (uint32_t)(terms->order.price_nanos / DP_OUCH_NANOS_PER_TICK);
    return request->price_wire > UINT32_MAX ? UINT32_MAX : (uint32_t)request->price_wire;
}

static void keep_terms(struct dp_exchange_order *order, const struct dp_ouch_message *request,
    const struct dp_exchange_terms *terms)
{
    order->price_wire = accepted_price(request, terms);
    order->is_pegged =
        terms->terms.peg == DP_MATCH_PEG_PRIMARY || terms->terms.peg == DP_MATCH_PEG_MARKET;
    order->time_in_force = request->time_in_force;
    order->display = request->display;
    order->intermarket_sweep = request->intermarket_sweep;
    order->expire_seconds = terms->expire_seconds;
    order->group_id = terms->group_id;
    memcpy(order->cl_ord_id, request->cl_ord_id, sizeof(order->cl_ord_id));
}

static struct dp_exchange_order *make_record(
    struct dp_exchange *exchange, uint32_t account, uint8_t user_ref_idx, uint32_t user_ref_num)
{
    struct dp_exchange_order *order = dp_exchange_orders_add(&exchange->orders,
        dp_exchange_order_key_of(account, user_ref_idx, user_ref_num),
        &exchange->accounts[account].orders);
    if (order == NULL)
        dp_exchange_say(exchange, DP_EXCHANGE_NOTE_ORDERS_FULL, DP_EXCHANGE_NONE, account, 0);
    else
        order->order_ref = exchange->order_ref_next++;
    return order;
}

static void drop_record(
    struct dp_exchange *exchange, uint32_t account, struct dp_exchange_order *order)
{
    dp_exchange_orders_drop(&exchange->orders, order, &exchange->accounts[account].orders);
}

/* ---- answers that the engine does not give ---- */

static void report_order(struct dp_exchange *exchange, const struct dp_exchange_order *order,
    uint32_t orig_user_ref_num, const struct dp_ouch_message *request, uint32_t qty, char state)
{
    struct dp_ouch_message message = dp_exchange_order_message(exchange, order, request);
    message.type = orig_user_ref_num == 0 ? 'A' : 'U';
    message.orig_user_ref_num = orig_user_ref_num;
    message.qty = qty;
    message.order_state = state;
    dp_exchange_report(exchange, dp_exchange_account_of(order), &message);
}

/* Hands the order to the engine. 0: it took it; else why not, and nothing has changed. */
static uint8_t submit(struct dp_exchange *exchange, struct dp_exchange_order *order,
    struct dp_exchange_terms *terms, const struct dp_exchange_entry *entry)
{
    terms->order.order_id = order->order_ref;
    terms->order.tag = dp_exchange_orders_index(&exchange->orders, order);
    exchange->entry = entry;
    dp_match_new(exchange->match, &terms->order, exchange->now_ns, &exchange->sink);
    uint8_t reason = dp_exchange_refused(exchange);
    dp_exchange_settle(exchange);
    exchange->entry = NULL;
    return reason;
}

/* What became of an order that the engine refused. A post-only order that would have traded is
 * accepted and cancelled, as the protocol has it; others are rejected. */
static void answer_refused(struct dp_exchange *exchange, uint32_t account,
    struct dp_exchange_order *order, const struct dp_ouch_message *request, uint8_t reason)
{
    uint8_t user_ref_idx = dp_exchange_idx_of(order);
    if (reason == DP_MATCH_REASON_POST_ONLY) {
        report_order(exchange, order, 0, request, request->qty, 'L');
        dp_exchange_report_cancelled(exchange, order, request->qty, DP_OUCH_CANCEL_POST_ONLY);
    } else {
        dp_exchange_reject(exchange, account, request, user_ref_idx,
            dp_exchange_reject_code(exchange, order->instrument_index, reason));
    }
    drop_record(exchange, account, order);
}

static uint16_t read_enter(const struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, struct dp_exchange_terms *terms)
{
    uint32_t instrument_index = dp_exchange_find_symbol(exchange, request->symbol);
    if (instrument_index == DP_EXCHANGE_NONE)
        return DP_OUCH_REJECT_SYMBOL;
    if (dp_ouch_side(request->side) == DP_SIDE_NONE)
        return DP_OUCH_REJECT_SIDE;
    if (strchr("APRO", request->capacity) == NULL || request->capacity == '\0')
        return DP_OUCH_REJECT_OTHER;
    uint16_t code = dp_exchange_read_terms(exchange, account, request, request->cross_type, terms);
    terms->order.instrument_index = instrument_index;
    terms->order.side = dp_ouch_side(request->side);
    return code != 0
        ? code
        : dp_exchange_test_short_sale(exchange, account, instrument_index, request->side, terms);
}

/* True when a short sale may not be where it wants to be, and is accepted for no longer than that.
 */
static bool is_barred(struct dp_exchange *exchange, uint32_t account,
    struct dp_exchange_order *order, const struct dp_ouch_message *request,
    const struct dp_exchange_terms *terms)
{
    if (!terms->is_barred)
        return false;
    report_order(exchange, order, 0, request, request->qty, 'L');
    dp_exchange_report_cancelled(exchange, order, request->qty, DP_OUCH_CANCEL_REGULATORY);
    drop_record(exchange, account, order);
    return true;
}

/* True when a fault wanted the order to be born dead. */
static bool is_stillborn(struct dp_exchange *exchange, uint32_t account,
    struct dp_exchange_order *order, const struct dp_ouch_message *request)
{
    struct dp_exchange_faults *faults = &exchange->accounts[account].faults;
    if (faults->dead_count == 0)
        return false;
    faults->dead_count--;
    report_order(exchange, order, 0, request, request->qty, 'D');
    drop_record(exchange, account, order);
    return true;
}

void dp_exchange_enter(struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, uint8_t user_ref_idx)
{
    struct dp_exchange_terms terms;
    uint16_t code = read_enter(exchange, account, request, &terms);
    struct dp_exchange_order *order =
        code != 0 ? NULL : make_record(exchange, account, user_ref_idx, request->user_ref_num);
    if (order == NULL) {
        dp_exchange_reject(
            exchange, account, request, user_ref_idx, code != 0 ? code : DP_OUCH_REJECT_PROCESSING);
        return;
    }
    keep_terms(order, request, &terms);
    order->leaves_qty = request->qty;
    order->instrument_index = terms.order.instrument_index;
    order->side = request->side;
    order->capacity = request->capacity;
    order->cross_type = request->cross_type;
    if (is_stillborn(exchange, account, order, request) ||
        is_barred(exchange, account, order, request, &terms))
        return;
    const struct dp_exchange_entry entry = {
        .record = dp_exchange_orders_index(&exchange->orders, order), .request = request};
    uint8_t reason = submit(exchange, order, &terms, &entry);
    if (reason != 0)
        answer_refused(exchange, account, order, request, reason);
}

/* ---- Replace ---- */

static void cancel_original(struct dp_exchange *exchange, const struct dp_exchange_order *order)
{
    exchange->cancel_reason = DP_OUCH_CANCEL_SYSTEM;
    dp_match_cancel(exchange->match, order->order_ref, 0, exchange->now_ns, &exchange->sink);
    dp_exchange_settle(exchange);
    exchange->cancel_reason = 0;
}

/* The engine is told of an end and a beginning: a replaced order always queues anew, and may change
 * what the engine's own replace leaves alone. */
static void swap_orders(struct dp_exchange *exchange, struct dp_exchange_order *old,
    struct dp_exchange_order *order, struct dp_exchange_terms *terms,
    const struct dp_ouch_message *request)
{
    uint32_t account = dp_exchange_account_of(order);
    exchange->quiet_record = dp_exchange_orders_index(&exchange->orders, old);
    exchange->quiet_successor = dp_exchange_orders_index(&exchange->orders, order);
    cancel_original(exchange, old);
    const struct dp_exchange_entry entry = {
        .record = dp_exchange_orders_index(&exchange->orders, order),
        .request = request,
        .orig_user_ref_num = request->orig_user_ref_num,
    };
    dp_exchange_order_key key = order->key;
    uint8_t reason =
        terms->is_barred ? DP_MATCH_REASON_PRICE : submit(exchange, order, terms, &entry);
    order = dp_exchange_orders_find(&exchange->orders, key);
    /* One that waits off the book, or was refused, shows nothing of what the old one showed. */
    if (order != NULL && order->requeued)
        dp_exchange_show(exchange, order, 0, DP_PRICE_NONE);
    if (reason == 0)
        return;
    /* The old order is gone from the book already: the new one is born dead. */
    report_order(exchange, order, request->orig_user_ref_num, request, 0, 'D');
    drop_record(exchange, account, order);
}

static void begin_successor(struct dp_exchange_order *order, const struct dp_exchange_order *old,
    const struct dp_ouch_message *request, struct dp_exchange_terms *terms)
{
    keep_terms(order, request, terms);
    order->executed_qty = old->executed_qty;
    order->prevented_qty = old->prevented_qty;
    order->leaves_qty = request->qty - old->executed_qty - old->prevented_qty;
    order->instrument_index = old->instrument_index;
    order->side = old->side;
    order->capacity = old->capacity;
    order->cross_type = old->cross_type;
    terms->order.qty = order->leaves_qty;
    terms->order.instrument_index = old->instrument_index;
    terms->order.side = dp_ouch_side(old->side);
    if (terms->terms.display_qty > order->leaves_qty)
        terms->terms.display_qty = 0; /* shown whole */
}

void dp_exchange_replace(struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, uint8_t user_ref_idx)
{
    struct dp_exchange_order *old = dp_exchange_orders_find(&exchange->orders,
        dp_exchange_order_key_of(account, user_ref_idx, request->orig_user_ref_num));
    uint32_t *last = &exchange->accounts[account].user_ref_num_last[user_ref_idx];
    if (old->cross_type != 'N' && exchange->instruments[old->instrument_index].frozen) {
        *last = request->user_ref_num;
        dp_exchange_reject(exchange, account, request, user_ref_idx, DP_OUCH_REJECT_REPLACE);
        return;
    }
    struct dp_exchange_terms terms;
    uint16_t code = dp_exchange_read_terms(exchange, account, request, old->cross_type, &terms);
    if (code == 0)
        code = dp_exchange_test_short_sale(
            exchange, account, old->instrument_index, old->side, &terms);
    /* Case 2 of the specification: the original goes, the new number stays free. */
    if (code != 0 || request->qty <= old->executed_qty + old->prevented_qty) {
        cancel_original(exchange, old);
        return;
    }
    uint32_t old_index = dp_exchange_orders_index(&exchange->orders, old);
    struct dp_exchange_order *order =
        make_record(exchange, account, user_ref_idx, request->user_ref_num);
    *last = request->user_ref_num;
    if (order == NULL) {
        dp_exchange_reject(exchange, account, request, user_ref_idx, DP_OUCH_REJECT_PROCESSING);
        return;
    }
    old = dp_exchange_orders_at(&exchange->orders, old_index);
    begin_successor(order, old, request, &terms);
    swap_orders(exchange, old, order, &terms, request);
}
