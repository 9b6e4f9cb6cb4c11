#include "dp_soup.h"
#include "dp_venue_state.h"

static void grow(struct dp_venue *venue)
{
    uint64_t capacity = venue->report_mask + 1;
    struct dp_venue_report *reports = calloc(2 * capacity, sizeof(*reports));
    /* An answer may not be lost, and nobody could do anything about it here. */
    DP_ASSERT(reports != NULL);
    for (uint64_t index = venue->report_head; index != venue->report_tail; index++)
        reports[index & (2 * capacity - 1)] = venue->reports[index & venue->report_mask];
    free(venue->reports);
    venue->reports = reports;
    venue->report_mask = 2 * capacity - 1;
}

void dp_venue_report(struct dp_venue *venue, const struct dp_ouch_message *message, int64_t now_ns)
{
    if (venue->report_tail - venue->report_head > venue->report_mask)
        grow(venue);
    /* Answers leave in the order they were decided, whatever the caller's clock does. */
    int64_t time_ns = now_ns + venue->config.report_latency_ns;
    if (time_ns < venue->report_ns_last)
        time_ns = venue->report_ns_last;
    venue->report_ns_last = time_ns;

    int64_t since_midnight_ns = now_ns - venue->config.midnight_ns;
    struct dp_venue_report *report = &venue->reports[venue->report_tail++ & venue->report_mask];
    report->time_ns = time_ns;
    report->message = *message;
    report->message.timestamp_ns = since_midnight_ns > 0 ? (uint64_t)since_midnight_ns : 0;
}

static struct dp_ouch_message terms_of(const struct dp_venue_order *order, uint8_t type)
{
    struct dp_ouch_message message = {
        .type = type,
        .user_ref_num = order->user_ref_num,
        .side = order->side,
        .qty = order->leaves_qty,
        .price_wire = order->price_wire,
        .time_in_force = order->time_in_force,
        .display = order->display,
        .order_ref = order->order_ref,
        .capacity = order->capacity,
        .intermarket_sweep = 'N',
        .cross_type = 'N',
        .order_state = 'L',
    };
    memcpy(message.symbol, order->symbol, sizeof(message.symbol));
    memcpy(message.cl_ord_id, order->cl_ord_id, sizeof(message.cl_ord_id));
    return message;
}

void dp_venue_report_accepted(
    struct dp_venue *venue, const struct dp_venue_order *order, int64_t now_ns)
{
    struct dp_ouch_message message = terms_of(order, 'A');
    dp_venue_report(venue, &message, now_ns);
}

void dp_venue_report_replaced(struct dp_venue *venue, const struct dp_venue_order *order,
    uint32_t orig_user_ref_num, int64_t now_ns)
{
    struct dp_ouch_message message = terms_of(order, 'U');
    message.orig_user_ref_num = orig_user_ref_num;
    dp_venue_report(venue, &message, now_ns);
}

void dp_venue_report_rejected(struct dp_venue *venue, const struct dp_ouch_message *request,
    uint16_t reject_code, int64_t now_ns)
{
    struct dp_ouch_message message = {
        .type = 'J', .user_ref_num = request->user_ref_num, .reject_code = reject_code};
    memcpy(message.cl_ord_id, request->cl_ord_id, sizeof(message.cl_ord_id));
    venue->stats.rejected++;
    dp_venue_report(venue, &message, now_ns);
}

void dp_venue_execute(struct dp_venue *venue, struct dp_venue_order *order, uint32_t qty,
    uint64_t price_wire, char liquidity, int64_t now_ns)
{
    DP_CHECK(qty > 0 && qty <= order->leaves_qty);
    order->leaves_qty -= qty;
    order->cum_qty += qty;
    if (order->leaves_qty == 0)
        dp_venue_unrest(venue, order);
    venue->stats.executions++;
    struct dp_ouch_message message = {
        .type = 'E',
        .user_ref_num = order->user_ref_num,
        .qty = qty,
        .price_wire = price_wire,
        .liquidity_flag = liquidity,
        .match_number = venue->match_number_next++,
    };
    dp_venue_report(venue, &message, now_ns);
}

void dp_venue_cancel(
    struct dp_venue *venue, struct dp_venue_order *order, uint32_t qty, char reason, int64_t now_ns)
{
    DP_CHECK(qty > 0 && qty <= order->leaves_qty);
    order->leaves_qty -= qty;
    if (order->leaves_qty == 0)
        dp_venue_unrest(venue, order);
    struct dp_ouch_message message = {
        .type = 'C', .user_ref_num = order->user_ref_num, .qty = qty, .reason = reason};
    dp_venue_report(venue, &message, now_ns);
}

const uint8_t *dp_venue_send(
    struct dp_venue *venue, int64_t now_ns, uint32_t *size, int64_t *time_ns)
{
    if (venue->report_head == venue->report_tail)
        return NULL;
    const struct dp_venue_report *report = &venue->reports[venue->report_head & venue->report_mask];
    if (report->time_ns > now_ns)
        return NULL;
    venue->report_head++;

    uint8_t *soup = venue->frame + DP_NET_TCP_HEADERS_SIZE;
    size_t ouch_size = dp_ouch_encode(
        &report->message, DP_OUCH_OUTBOUND, soup + DP_SOUP_HEADER_SIZE, DP_OUCH_FIXED_MAX);
    DP_ASSERT(ouch_size > 0);
    uint32_t payload_size = (uint32_t)(ouch_size + dp_soup_build(soup, 'S', (uint32_t)ouch_size));
    *size = dp_net_build_tcp(venue->frame, &venue->config.venue, &venue->config.us, payload_size,
        venue->ip_id++, venue->tcp_seq, venue->tcp_ack);
    venue->tcp_seq += payload_size;
    *time_ns = report->time_ns;
    return venue->frame;
}
