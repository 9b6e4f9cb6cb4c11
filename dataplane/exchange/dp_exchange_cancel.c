/* Cancel, Modify, and the requests that concern many orders at once. */
#include "dp_exchange_state.h"

static void cancel_down_to(
    struct dp_exchange *exchange, const struct dp_exchange_order *order, uint32_t leaves_qty_max)
{
    dp_match_cancel(
        exchange->match, order->order_ref, leaves_qty_max, exchange->now_ns, &exchange->sink);
    dp_exchange_settle(exchange);
}

/* What may still execute when the whole chain may execute `total_qty`. */
static uint32_t leaves_for(const struct dp_exchange_order *order, uint32_t total_qty)
{
    uint32_t gone = order->executed_qty + order->prevented_qty;
    return total_qty > gone ? total_qty - gone : 0;
}

/* Before a cross: the cancel waits (P), a reduction is refused (I), each said once. */
static void answer_frozen(struct dp_exchange *exchange, struct dp_exchange_order *order, bool whole)
{
    if (order->said) {
        exchange->stats.ignored++;
        return;
    }
    order->said = true;
    order->cancel_pending = whole;
    struct dp_ouch_message message = {.type = whole ? 'P' : 'I'};
    dp_exchange_report_owner(exchange, order, &message);
}

static struct dp_exchange_order *find(const struct dp_exchange *exchange, uint32_t account,
    uint8_t user_ref_idx, uint32_t user_ref_num)
{
    return dp_exchange_orders_find(
        &exchange->orders, dp_exchange_order_key_of(account, user_ref_idx, user_ref_num));
}

static bool is_frozen(const struct dp_exchange *exchange, const struct dp_exchange_order *order)
{
    return order->cross_type != 'N' && exchange->instruments[order->instrument_index].frozen;
}

void dp_exchange_cancel(struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, uint8_t user_ref_idx)
{
    struct dp_exchange_faults *faults = &exchange->accounts[account].faults;
    struct dp_exchange_order *order = find(exchange, account, user_ref_idx, request->user_ref_num);
    if (order != NULL && faults->fill_count > 0) {
        faults->fill_count--;
        dp_exchange_fill(exchange, order);
        order = find(exchange, account, user_ref_idx, request->user_ref_num);
    }
    uint32_t leaves_qty = order == NULL ? 0 : leaves_for(order, request->qty);
    if (order == NULL || leaves_qty >= order->leaves_qty)
        exchange->stats.ignored++; /* nothing to cancel: the protocol has no answer for that */
    else if (is_frozen(exchange, order))
        answer_frozen(exchange, order, request->qty == 0);
    else
        cancel_down_to(exchange, order, leaves_qty);
}

void dp_exchange_cancel_waiting(struct dp_exchange *exchange, uint32_t instrument_index)
{
    for (uint32_t account = 0; account < exchange->account_count; account++) {
        uint32_t index = exchange->accounts[account].orders.first;
        while (index != DP_EXCHANGE_ORDER_NONE) {
            struct dp_exchange_order *order = dp_exchange_orders_at(&exchange->orders, index);
            index = order->account_next;
            if (order->instrument_index != instrument_index)
                continue;
            order->said = false;
            if (order->cancel_pending)
                cancel_down_to(exchange, order, 0);
        }
    }
}

/* ---- Modify ---- */

static bool may_become(char side, char wanted)
{
    return side == wanted ||
        (dp_ouch_side(side) == DP_SIDE_SELL && dp_ouch_side(wanted) == DP_SIDE_SELL);
}

static void report_modified(struct dp_exchange *exchange, const struct dp_exchange_order *order)
{
    struct dp_ouch_message message = {.type = 'M', .side = order->side, .qty = order->leaves_qty};
    dp_exchange_report_owner(exchange, order, &message);
}

/* Growing costs the order its place in the queue. */
static void resize(struct dp_exchange *exchange, struct dp_exchange_order *order, uint32_t qty)
{
    const struct dp_match_replace replace = {
        .order_id = order->order_ref,
        .tag = dp_exchange_orders_index(&exchange->orders, order),
        .price_nanos = DP_PRICE_NONE,
        .qty = qty,
    };
    dp_match_replace(exchange->match, &replace, exchange->now_ns, &exchange->sink);
    dp_exchange_settle(exchange);
}

void dp_exchange_modify(struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, uint8_t user_ref_idx)
{
    struct dp_exchange_order *order = find(exchange, account, user_ref_idx, request->user_ref_num);
    uint32_t leaves_qty = order == NULL ? 0 : leaves_for(order, request->qty);
    if (leaves_qty == 0 || request->qty > DP_OUCH_QTY_MAX || is_frozen(exchange, order) ||
        !may_become(order->side, request->side) ||
        !dp_exchange_may_sell_short(exchange, account, request)) {
        exchange->stats.ignored++;
        return;
    }
    order->side = request->side;
    if (leaves_qty != order->leaves_qty)
        resize(exchange, order, leaves_qty);
    order = find(exchange, account, user_ref_idx, request->user_ref_num);
    if (order != NULL)
        report_modified(exchange, order);
}

/* ---- many at once ---- */

void dp_exchange_cancel_all(struct dp_exchange *exchange, uint32_t account, char reason)
{
    const struct dp_match_mass_cancel criteria = {
        .participant = account, .instrument_index = DP_MATCH_NONE};
    exchange->cancel_reason = reason;
    dp_match_mass_cancel(exchange->match, &criteria, exchange->now_ns, &exchange->sink);
    dp_exchange_settle(exchange);
    exchange->cancel_reason = 0;
}

struct scope {
    uint32_t instrument_index; /* DP_EXCHANGE_NONE: all */
    uint32_t group_id;         /* 0: all */
    char side;                 /* 0: all */
    uint8_t user_ref_idx;      /* 0: all */
};

/* Options of a mass request; false when its symbol is none of ours. */
static bool read_scope(
    const struct dp_exchange *exchange, const struct dp_ouch_message *request, struct scope *scope)
{
    static const char blank[] = "        ";
    *scope = (struct scope){.instrument_index = DP_EXCHANGE_NONE};
    uint32_t cursor = 0;
    uint8_t tag;
    const uint8_t *value;
    uint32_t size;
    while (dp_ouch_next_option(request, &cursor, &tag, &value, &size)) {
        if (tag == DP_OUCH_TAG_GROUP_ID && size == 2)
            scope->group_id = dp_load_be16(value);
        if (tag == DP_OUCH_TAG_SIDE && size == 1)
            scope->side = (char)value[0];
        if (tag == DP_OUCH_TAG_USER_REF_IDX && size == 1)
            scope->user_ref_idx = value[0];
    }
    if (memcmp(request->symbol, blank, sizeof(request->symbol)) == 0)
        return true;
    scope->instrument_index = dp_exchange_find_symbol(exchange, request->symbol);
    return scope->instrument_index != DP_EXCHANGE_NONE;
}

static bool is_in(const struct scope *scope, const struct dp_exchange_order *order)
{
    return (scope->instrument_index == DP_EXCHANGE_NONE ||
               scope->instrument_index == order->instrument_index) &&
        (scope->group_id == 0 || scope->group_id == order->group_id) &&
        (scope->side == 0 || scope->side == order->side) &&
        (scope->user_ref_idx == 0 || scope->user_ref_idx == dp_exchange_idx_of(order));
}

static bool is_own_firm(
    const struct dp_exchange *exchange, uint32_t account, const struct dp_ouch_message *request)
{
    return memcmp(request->firm, exchange->accounts[account].config.firm, 4) == 0 ||
        memcmp(request->firm, "    ", 4) == 0;
}

/* X, G or K, in the words of the request. */
static void answer_mass(struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, uint8_t type)
{
    struct dp_ouch_message answer = *request;
    answer.type = type;
    dp_exchange_report(exchange, account, &answer);
}

void dp_exchange_mass_cancel(struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, uint8_t user_ref_idx)
{
    struct scope scope;
    if (!is_own_firm(exchange, account, request)) {
        dp_exchange_reject(exchange, account, request, user_ref_idx, DP_OUCH_REJECT_FIRM);
        return;
    }
    if (!read_scope(exchange, request, &scope)) {
        dp_exchange_reject(exchange, account, request, user_ref_idx, DP_OUCH_REJECT_SYMBOL);
        return;
    }
    answer_mass(exchange, account, request, 'X');
    uint32_t index = exchange->accounts[account].orders.first;
    while (index != DP_EXCHANGE_ORDER_NONE) {
        const struct dp_exchange_order *order = dp_exchange_orders_at(&exchange->orders, index);
        index = order->account_next;
        if (is_in(&scope, order) && !is_frozen(exchange, order))
            cancel_down_to(exchange, order, 0);
    }
}

void dp_exchange_able(struct dp_exchange *exchange, uint32_t account,
    const struct dp_ouch_message *request, uint8_t user_ref_idx)
{
    if (!is_own_firm(exchange, account, request)) {
        dp_exchange_reject(exchange, account, request, user_ref_idx, DP_OUCH_REJECT_FIRM);
        return;
    }
    exchange->accounts[account].disabled = request->type == 'D';
    answer_mass(exchange, account, request, request->type == 'D' ? 'G' : 'K');
}
