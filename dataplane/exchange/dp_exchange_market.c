#include "dp_exchange_state.h"

#include "dp_match_view.h"

/* ---- what the engine's reasons are called outside ---- */

uint8_t dp_exchange_refused(const struct dp_exchange *exchange)
{
    const struct dp_match_sink *sink = &exchange->sink;
    if (sink->count == 0) /* so many reports that they were settled already */
        return 0;
    const struct dp_match_report *last = &sink->reports[sink->count - 1];
    return last->type == DP_MATCH_REJECTED ? last->reason : 0;
}

uint16_t dp_exchange_reject_code(
    const struct dp_exchange *exchange, uint32_t instrument_index, uint8_t reason)
{
    switch (reason) {
    case DP_MATCH_REASON_INSTRUMENT_UNKNOWN: return DP_OUCH_REJECT_SYMBOL;
    case DP_MATCH_REASON_SIDE: return DP_OUCH_REJECT_SIDE;
    case DP_MATCH_REASON_QTY: return DP_OUCH_REJECT_QTY;
    case DP_MATCH_REASON_PRICE:
    case DP_MATCH_REASON_TICK: return DP_OUCH_REJECT_PRICE;
    case DP_MATCH_REASON_DISPLAY: return DP_OUCH_REJECT_DISPLAY;
    case DP_MATCH_REASON_CAPACITY: return DP_OUCH_REJECT_PROCESSING;
    case DP_MATCH_REASON_SESSION:
        return exchange->instruments[instrument_index].session == DP_MATCH_CLOSED
            ? DP_OUCH_REJECT_CLOSED
            : DP_OUCH_REJECT_HALTED;
    default: return DP_OUCH_REJECT_OTHER;
    }
}

static char cancel_reason(const struct dp_exchange *exchange, const struct dp_match_report *report)
{
    if (exchange->cancel_reason != 0)
        return exchange->cancel_reason;
    switch (report->reason) {
    case DP_MATCH_REASON_REQUEST:
    case DP_MATCH_REASON_MASS_CANCEL: return DP_OUCH_CANCEL_CLIENT;
    case DP_MATCH_REASON_IMMEDIATE:
    case DP_MATCH_REASON_FILL_OR_KILL:
    case DP_MATCH_REASON_NO_LIQUIDITY: return DP_OUCH_CANCEL_IOC;
    case DP_MATCH_REASON_EXPIRED:
        return exchange->instruments[report->instrument_index].session == DP_MATCH_CLOSED
            ? DP_OUCH_CANCEL_DAY_END
            : DP_OUCH_CANCEL_EXPIRED;
    case DP_MATCH_REASON_BANDS: return DP_OUCH_CANCEL_COLLAR;
    default: return DP_OUCH_CANCEL_SYSTEM;
    }
}

static char liquidity_of(
    const struct dp_exchange *exchange, const struct dp_match_report *report, bool added)
{
    if (report->flags & DP_MATCH_CROSS) {
        uint8_t session = exchange->instruments[report->instrument_index].session_before;
        return session == DP_MATCH_PRE_OPEN ? DP_OUCH_LIQUIDITY_OPENING_CROSS
            : session == DP_MATCH_PRE_CLOSE ? DP_OUCH_LIQUIDITY_CLOSING_CROSS
                                            : DP_OUCH_LIQUIDITY_HALT_CROSS;
    }
    if (exchange->config.dark)
        return added ? DP_OUCH_LIQUIDITY_ADDED_MIDPOINT : DP_OUCH_LIQUIDITY_REMOVED_MIDPOINT;
    if (!added)
        return DP_OUCH_LIQUIDITY_REMOVED;
    return report->flags & DP_MATCH_NON_DISPLAYED ? DP_OUCH_LIQUIDITY_ADDED_HIDDEN
                                                  : DP_OUCH_LIQUIDITY_ADDED;
}

/* ---- answers ---- */

struct dp_ouch_message dp_exchange_order_message(const struct dp_exchange *exchange,
    const struct dp_exchange_order *order, const struct dp_ouch_message *request)
{
    struct dp_ouch_message message = {
        .user_ref_num = dp_exchange_number_of(order),
        .side = order->side,
        .price_wire = order->price_wire,
        .time_in_force = order->time_in_force,
        .display = order->display,
        .order_ref = order->order_ref,
        .capacity = order->capacity,
        .intermarket_sweep = order->intermarket_sweep,
        .cross_type = order->cross_type,
        .options = request->options,
        .options_size = request->options_size,
    };
    memcpy(message.symbol, exchange->instruments[order->instrument_index].symbol, 8);
    memcpy(message.cl_ord_id, order->cl_ord_id, sizeof(message.cl_ord_id));
    return message;
}

/* An order that ends before it traded or rested is accepted dead, and nothing more is said of it.
 */
static bool dies_at_once(const struct dp_exchange *exchange, uint32_t at)
{
    if (at + 1 >= exchange->sink.count)
        return false;
    const struct dp_match_report *next = &exchange->sink.reports[at + 1];
    return next->type == DP_MATCH_CANCELLED && next->reason == DP_MATCH_REASON_FILL_OR_KILL;
}

static void on_accepted(
    struct dp_exchange *exchange, const struct dp_match_report *report, uint32_t at)
{
    const struct dp_exchange_entry *entry = exchange->entry;
    struct dp_exchange_order *order = dp_exchange_orders_at(&exchange->orders, entry->record);
    bool dead = dies_at_once(exchange, at);
    struct dp_ouch_message message = dp_exchange_order_message(exchange, order, entry->request);
    message.type = entry->orig_user_ref_num == 0 ? 'A' : 'U';
    message.orig_user_ref_num = entry->orig_user_ref_num;
    message.qty = (uint32_t)report->qty;
    message.order_state = dead ? 'D' : 'L';
    exchange->stats.orders++;
    dp_exchange_report(exchange, dp_exchange_account_of(order), &message);
    if (report->flags & DP_MATCH_ON_BOOK)
        dp_exchange_show(exchange, order, report->display_qty, report->price_nanos);
    if (dead) { /* nothing more is said of it */
        exchange->quiet_record = entry->record;
        exchange->quiet_successor = DP_EXCHANGE_ORDER_NONE;
    }
}

static void report_trade(struct dp_exchange *exchange, struct dp_exchange_order *order,
    const struct dp_match_report *report, bool added)
{
    struct dp_ouch_message message = {
        .type = 'E',
        .qty = (uint32_t)report->qty,
        .price_wire = (uint64_t)(report->price_nanos / DP_OUCH_NANOS_PER_TICK),
        .liquidity_flag = liquidity_of(exchange, report, added),
        .match_number = report->match_number,
    };
    order->executed_qty += (uint32_t)report->qty;
    order->leaves_qty -= (uint32_t)report->qty;
    dp_exchange_report_owner(exchange, order, &message);
}

static struct dp_exchange_party party_of(
    const struct dp_exchange_order *order, const struct dp_match_report *report)
{
    struct dp_exchange_party party = {
        .account = dp_exchange_account_of(order),
        .user_ref_num = dp_exchange_number_of(order),
        .user_ref_idx = dp_exchange_idx_of(order),
        .qty = (uint32_t)report->qty,
    };
    memcpy(party.cl_ord_id, order->cl_ord_id, sizeof(party.cl_ord_id));
    return party;
}

static void drop_if_done(struct dp_exchange *exchange, struct dp_exchange_order *order)
{
    if (order->leaves_qty > 0)
        return;
    dp_exchange_show(exchange, order, 0, DP_PRICE_NONE);
    dp_exchange_orders_drop(
        &exchange->orders, order, &exchange->accounts[dp_exchange_account_of(order)].orders);
}

static void on_traded(struct dp_exchange *exchange, const struct dp_match_report *report)
{
    struct dp_exchange_order *rested =
        dp_exchange_orders_at(&exchange->orders, (uint32_t)report->tag);
    struct dp_exchange_order *came =
        dp_exchange_orders_at(&exchange->orders, (uint32_t)report->contra_tag);
    exchange->stats.trades++;
    exchange->trades[report->match_number % DP_EXCHANGE_TRADES_HELD] =
        (struct dp_exchange_trade){.match_number = report->match_number,
            .instrument_index = report->instrument_index,
            .parties = {party_of(rested, report), party_of(came, report)}};
    dp_exchange_show_trade(exchange, rested, report);
    if (report->flags & DP_MATCH_CROSS)
        dp_exchange_show_trade(exchange, came, report);
    report_trade(exchange, rested, report, true);
    report_trade(exchange, came, report, false);
    drop_if_done(exchange, rested);
    drop_if_done(exchange, came);
}

static void report_prevented(struct dp_exchange *exchange, const struct dp_exchange_order *order,
    const struct dp_match_report *report)
{
    static const char letters[] = "WO*D"; /* by enum dp_match_stp_mode */
    const struct dp_exchange_account *account = &exchange->accounts[dp_exchange_account_of(order)];
    struct dp_ouch_message message = {
        .type = 'D',
        .qty = (uint32_t)report->qty,
        .reason = DP_OUCH_CANCEL_SELF_MATCH,
        .qty_prevented = (uint32_t)report->qty,
        .price_wire = order->price_wire,
        .liquidity_flag =
            order->feed_ref != 0 ? DP_OUCH_LIQUIDITY_ADDED : DP_OUCH_LIQUIDITY_REMOVED,
        .aiq_strategy = letters[account->config.stp_mode],
    };
    dp_exchange_report_owner(exchange, order, &message);
}

static void on_cancelled(struct dp_exchange *exchange, const struct dp_match_report *report)
{
    struct dp_exchange_order *order =
        dp_exchange_orders_at(&exchange->orders, (uint32_t)report->tag);
    uint32_t index = (uint32_t)report->tag;
    if (report->qty == 0)
        return;
    order->leaves_qty -= (uint32_t)report->qty;
    if (index == exchange->quiet_record) {
        if (exchange->quiet_successor != DP_EXCHANGE_ORDER_NONE)
            dp_exchange_pass_on(
                order, dp_exchange_orders_at(&exchange->orders, exchange->quiet_successor));
        exchange->quiet_record = DP_EXCHANGE_ORDER_NONE;
    } else if (report->reason == DP_MATCH_REASON_SELF_TRADE) {
        order->prevented_qty += (uint32_t)report->qty;
        report_prevented(exchange, order, report);
    } else {
        exchange->stats.cancels++;
        dp_exchange_report_cancelled(
            exchange, order, (uint32_t)report->qty, cancel_reason(exchange, report));
    }
    if (report->flags & DP_MATCH_ON_BOOK)
        dp_exchange_show(exchange, order, report->display_qty, order->feed_nanos);
    drop_if_done(exchange, order);
}

/* OUCH 5.0, Order Priority Update: a peg that followed its market has another place and name. */
static void report_moved(
    struct dp_exchange *exchange, const struct dp_exchange_order *order, int64_t price_nanos)
{
    struct dp_ouch_message message = {
        .type = 'T',
        .price_wire = (uint64_t)(price_nanos / DP_OUCH_NANOS_PER_TICK),
        .display = order->display,
        .order_ref = exchange->order_ref_next++,
    };
    dp_exchange_report_owner(exchange, order, &message);
}

/* OUCH 5.0, Order Restated: a reserve's refresh under a new name, or a displayed price that moved.
 */
static void on_restated(struct dp_exchange *exchange, const struct dp_match_report *report)
{
    struct dp_exchange_order *order =
        dp_exchange_orders_at(&exchange->orders, (uint32_t)report->tag);
    bool moved = report->price_nanos != order->feed_nanos && order->feed_ref != 0;
    dp_exchange_show(exchange, order, report->display_qty, report->price_nanos);
    if (report->display_qty == 0) {
        if (order->is_pegged && (report->flags & DP_MATCH_ON_BOOK))
            report_moved(exchange, order, report->price_nanos);
        return;
    }
    uint8_t options[20];
    options[0] = moved ? 9 : 5;
    options[1] = moved ? DP_OUCH_TAG_DISPLAY_PRICE : DP_OUCH_TAG_DISPLAY_QTY;
    if (moved)
        dp_store_be64(options + 2, (uint64_t)(report->price_nanos / DP_OUCH_NANOS_PER_TICK));
    else
        dp_store_be32(options + 2, (uint32_t)report->display_qty);
    uint32_t size = 1u + options[0];
    options[size] = 9;
    options[size + 1] = DP_OUCH_TAG_SECONDARY_REF;
    dp_store_be64(options + size + 2, order->feed_ref);
    struct dp_ouch_message message = {
        .type = 'R',
        .reason = moved ? 'P' : 'R',
        .options = options,
        .options_size = size + 10,
    };
    dp_exchange_report_owner(exchange, order, &message);
}

static void on_session(struct dp_exchange *exchange, const struct dp_match_report *report)
{
    struct dp_exchange_instrument *instrument = &exchange->instruments[report->instrument_index];
    instrument->session_before = instrument->session;
    instrument->session = (uint8_t)report->qty;
    instrument->frozen = false;
    dp_exchange_schedule_imbalance(exchange, report->instrument_index);
    dp_exchange_show_session(
        exchange, report->instrument_index, (enum dp_match_session)report->qty);
}

/* Rested after trading, or moved by an own modify. */
static void on_shown(struct dp_exchange *exchange, const struct dp_match_report *report)
{
    struct dp_exchange_order *order =
        dp_exchange_orders_at(&exchange->orders, (uint32_t)report->tag);
    if (report->type == DP_MATCH_REPLACED) {
        order->leaves_qty = (uint32_t)report->leaves_qty;
        order->requeued = order->feed_ref != 0 && !(report->flags & DP_MATCH_PRIORITY_KEPT);
    }
    if (report->flags & DP_MATCH_ON_BOOK)
        dp_exchange_show(exchange, order, report->display_qty, report->price_nanos);
}

static void settle_one(
    struct dp_exchange *exchange, const struct dp_match_report *report, uint32_t at)
{
    switch (report->type) {
    case DP_MATCH_ACCEPTED: on_accepted(exchange, report, at); break;
    case DP_MATCH_TRADED: on_traded(exchange, report); break;
    case DP_MATCH_RESTED:
    case DP_MATCH_REPLACED: on_shown(exchange, report); break;
    case DP_MATCH_CANCELLED: on_cancelled(exchange, report); break;
    case DP_MATCH_RESTATED: on_restated(exchange, report); break;
    case DP_MATCH_SESSION: on_session(exchange, report); break;
    case DP_MATCH_AUCTION: dp_exchange_show_auction(exchange, report); break;
    default: break; /* REJECTED is answered by who asked; TRIGGERED concerns no order of OUCH */
    }
}

/* ---- the follower ---- */

void dp_exchange_touch(const struct dp_exchange *exchange, uint32_t instrument_index,
    int64_t *bid_nanos, int64_t *ask_nanos)
{
    struct dp_match_level_view level;
    *bid_nanos = dp_match_view_levels(exchange->match, instrument_index, DP_SIDE_BUY, &level, 1)
        ? level.price_nanos
        : DP_PRICE_NONE;
    *ask_nanos = dp_match_view_levels(exchange->match, instrument_index, DP_SIDE_SELL, &level, 1)
        ? level.price_nanos
        : DP_PRICE_NONE;
}

static void tell_follower(struct dp_exchange *exchange, uint32_t instrument_index)
{
    struct dp_exchange_instrument *instrument = &exchange->instruments[instrument_index];
    struct dp_exchange *follower = exchange->follower;
    int64_t bid_nanos;
    int64_t ask_nanos;
    dp_exchange_touch(exchange, instrument_index, &bid_nanos, &ask_nanos);
    if (instrument->twin == DP_EXCHANGE_NONE ||
        (bid_nanos == instrument->bid_nanos && ask_nanos == instrument->ask_nanos))
        return;
    instrument->bid_nanos = bid_nanos;
    instrument->ask_nanos = ask_nanos;
    dp_exchange_set_now(follower, exchange->now_ns);
    dp_match_quote(
        follower->match, instrument->twin, bid_nanos, ask_nanos, follower->now_ns, &follower->sink);
    dp_exchange_settle(follower);
}

void dp_exchange_settle(struct dp_exchange *exchange)
{
    struct dp_match_sink *sink = &exchange->sink;
    uint32_t told = DP_EXCHANGE_NONE;
    for (uint32_t at = 0; at < sink->count; at++) {
        const struct dp_match_report *report = &sink->reports[at];
        settle_one(exchange, report, at);
        if (exchange->follower != NULL && report->instrument_index != told) {
            told = report->instrument_index;
            tell_follower(exchange, told);
        }
    }
    sink->count = 0;
}
