#include "dp_soup.h"
#include "dp_venue_state.h"

#include <errno.h>

#define REPORTS_FIRST 4096u /* room for answers at the start */
#define USED_SLOTS_MIN 4096u
#define ORDER_COUNT_MAX (1u << 28)

static int check_config(const struct dp_venue_config *config, struct dp_err *err)
{
    if (config->order_latency_ns < 0)
        return dp_err_set(err, EINVAL, "venue: order_latency_ns: %lld; it must be 0 or more",
            (long long)config->order_latency_ns);
    if (config->report_latency_ns < 0)
        return dp_err_set(err, EINVAL, "venue: report_latency_ns: %lld; it must be 0 or more",
            (long long)config->report_latency_ns);
    if (config->order_count_max == 0 || config->order_count_max > ORDER_COUNT_MAX)
        return dp_err_set(err, EINVAL, "venue: order_count_max: %u; it must be from 1 to %u",
            config->order_count_max, ORDER_COUNT_MAX);
    return 0;
}

/* One slot in four stays empty, and an order of ours seldom holds on to more than one recorded
 * order. */
static uint32_t used_slots_for(uint32_t order_count_max)
{
    uint32_t slots = USED_SLOTS_MIN;
    while (slots < 2 * order_count_max)
        slots *= 2;
    return slots;
}

static bool allocate(struct dp_venue *venue)
{
    uint32_t used_slots = used_slots_for(venue->config.order_count_max);
    venue->used_mask = used_slots - 1;
    venue->report_mask = REPORTS_FIRST - 1;
    venue->orders = calloc(venue->config.order_count_max, sizeof(*venue->orders));
    venue->instruments = calloc(DP_BOOK_INSTRUMENTS_MAX, sizeof(*venue->instruments));
    venue->touched = calloc(DP_BOOK_INSTRUMENTS_MAX, sizeof(*venue->touched));
    venue->used = calloc(used_slots, sizeof(*venue->used));
    venue->symbols = calloc(DP_VENUE_SYMBOL_SLOTS, sizeof(*venue->symbols));
    venue->levels = calloc(DP_VENUE_LEVELS_MAX, sizeof(*venue->levels));
    venue->level_orders = calloc(DP_VENUE_LEVEL_ORDERS_MAX, sizeof(*venue->level_orders));
    venue->arrivals = calloc(DP_VENUE_ARRIVALS_MAX, sizeof(*venue->arrivals));
    venue->reports = calloc(REPORTS_FIRST, sizeof(*venue->reports));
    return venue->orders != NULL && venue->instruments != NULL && venue->touched != NULL &&
        venue->used != NULL && venue->symbols != NULL && venue->levels != NULL &&
        venue->level_orders != NULL && venue->arrivals != NULL && venue->reports != NULL;
}

struct dp_venue *dp_venue_open(
    const struct dp_venue_config *config, const struct dp_books *books, struct dp_err *err)
{
    if (check_config(config, err) < 0)
        return NULL;
    struct dp_venue *venue = calloc(1, sizeof(*venue));
    if (venue != NULL) {
        venue->config = *config;
        venue->books = books;
    }
    if (venue == NULL || !allocate(venue)) {
        dp_venue_close(venue);
        dp_err_set(err, ENOMEM, "venue: order_count_max: %u; no memory for so many",
            config->order_count_max);
        return NULL;
    }
    for (uint32_t index = 0; index < DP_BOOK_INSTRUMENTS_MAX; index++)
        venue->instruments[index] =
            (struct dp_venue_instrument){.first = {DP_VENUE_NONE, DP_VENUE_NONE}};
    venue->order_ref_next = DP_VENUE_ORDER_REF_FIRST;
    venue->match_number_next = DP_VENUE_MATCH_NUMBER_FIRST;
    venue->arrival_ns_last = INT64_MIN;
    venue->report_ns_last = INT64_MIN;
    venue->tcp_seq = 1;
    venue->tcp_ack = 1;
    return venue;
}

void dp_venue_close(struct dp_venue *venue)
{
    if (venue == NULL)
        return;
    free(venue->orders);
    free(venue->instruments);
    free(venue->touched);
    free(venue->used);
    free(venue->symbols);
    free(venue->levels);
    free(venue->level_orders);
    free(venue->arrivals);
    free(venue->reports);
    free(venue);
}

static bool is_for_us(const struct dp_venue *venue, const struct dp_net_packet *packet)
{
    const struct dp_venue_config *config = &venue->config;
    return packet->protocol == DP_NET_TCP && packet->target_ip == config->venue.ip &&
        packet->target_port == config->venue.port && packet->source_ip == config->us.ip &&
        packet->source_port == config->us.port;
}

static void queue_message(
    struct dp_venue *venue, const struct dp_soup_packet *soup, uint32_t tcp_ack, int64_t time_ns)
{
    struct dp_ouch_message message;
    if (dp_ouch_decode(soup->payload, soup->payload_size, DP_OUCH_INBOUND, &message) !=
        DP_OUCH_OK) {
        venue->stats.malformed++;
        return;
    }
    message.options = NULL; /* they lie in the caller's frame */
    venue->arrivals[venue->arrival_tail++ % DP_VENUE_ARRIVALS_MAX] =
        (struct dp_venue_arrival){.time_ns = time_ns, .tcp_ack = tcp_ack, .message = message};
}

/* Soup packets never span frames here: our side sends each in one piece. Heartbeats, debug text,
 * login and logout are taken and mean nothing: the session of a replay is always up. */
static void queue_payload(
    struct dp_venue *venue, const struct dp_net_packet *packet, int64_t time_ns)
{
    uint32_t tcp_ack = packet->tcp_seq + packet->payload_size;
    struct dp_soup_packet soup;
    for (uint32_t offset = 0; offset < packet->payload_size; offset += soup.size) {
        if (dp_soup_parse(packet->payload + offset, packet->payload_size - offset, &soup) !=
            DP_SOUP_OK) {
            venue->stats.malformed++;
            return;
        }
        if (soup.type == 'U')
            queue_message(venue, &soup, tcp_ack, time_ns);
    }
}

bool dp_venue_receive(struct dp_venue *venue, const uint8_t *frame, uint32_t size, int64_t time_ns)
{
    struct dp_net_packet packet;
    if (dp_net_parse(frame, size, true, &packet) != DP_NET_OK || !is_for_us(venue, &packet)) {
        venue->stats.malformed++;
        return true;
    }
    /* The smallest message takes four bytes: so many may be in there. */
    uint64_t free_count = DP_VENUE_ARRIVALS_MAX - (venue->arrival_tail - venue->arrival_head);
    if (free_count < packet.payload_size / (DP_SOUP_HEADER_SIZE + 1))
        return false;
    int64_t arrival_ns = time_ns + venue->config.order_latency_ns;
    if (arrival_ns < venue->arrival_ns_last)
        arrival_ns = venue->arrival_ns_last; /* one TCP stream: nothing overtakes */
    venue->arrival_ns_last = arrival_ns;
    queue_payload(venue, &packet, arrival_ns);
    return true;
}

int64_t dp_venue_next_ns(const struct dp_venue *venue)
{
    int64_t next_ns = INT64_MAX;
    if (venue->arrival_head != venue->arrival_tail)
        next_ns = venue->arrivals[venue->arrival_head % DP_VENUE_ARRIVALS_MAX].time_ns;
    if (venue->report_head != venue->report_tail) {
        int64_t report_ns = venue->reports[venue->report_head & venue->report_mask].time_ns;
        next_ns = report_ns < next_ns ? report_ns : next_ns;
    }
    return next_ns;
}

void dp_venue_advance(struct dp_venue *venue, int64_t now_ns)
{
    while (venue->arrival_head != venue->arrival_tail) {
        const struct dp_venue_arrival *arrival =
            &venue->arrivals[venue->arrival_head % DP_VENUE_ARRIVALS_MAX];
        if (arrival->time_ns > now_ns)
            return;
        venue->arrival_head++;
        venue->tcp_ack = arrival->tcp_ack;
        dp_venue_request(venue, &arrival->message, arrival->time_ns);
    }
}

void dp_venue_end(struct dp_venue *venue, int64_t now_ns)
{
    dp_venue_advance(venue, now_ns);
    dp_venue_expire(venue, DP_OUCH_CANCEL_SYSTEM, now_ns);
}

struct dp_venue_stats dp_venue_stats(const struct dp_venue *venue)
{
    return venue->stats;
}
