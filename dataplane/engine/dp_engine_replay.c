#include <errno.h>

#include "dp_engine_internal.h"
#include "dp_net.h"
#include "dp_port_card.h"
#include "dp_soup.h"

/* The far end of the order path in a replay: a loop in memory to the replay venue (sim/dp_venue),
 * in time that comes from the recorded packets. */

static void deliver_to_venue(struct dp_engine *engine)
{
    struct dp_packet packets[32];
    uint32_t count;
    while ((count = dp_port_receive(engine->venue_port, packets, 32)) > 0)
        for (uint32_t index = 0; index < count; index++)
            dp_venue_receive(
                engine->venue, packets[index].data, packets[index].size, packets[index].time_ns);
}

/* A full port lets the other end take what waits, and takes the same frame again. */
static bool replay_send(
    struct dp_engine *engine, const struct dp_packet *packet, uint32_t user_ref_num)
{
    (void)user_ref_num;
    while (dp_port_send(engine->order_port, packet, 1) == 0)
        deliver_to_venue(engine);
    dp_engine_note_frame(engine, packet);
    return true;
}

/* One frame of the venue's. A SoupBinTCP packet never spans two of its frames in a replay. */
static void read_frame(struct dp_engine *engine, const struct dp_packet *packet)
{
    struct dp_net_packet net;
    if (dp_net_parse(packet->data, packet->size, true, &net) != DP_NET_OK ||
        net.protocol != DP_NET_TCP) {
        dp_counter_add(engine->counters, DP_COUNTER_OUCH_MALFORMED, 1);
        return;
    }
    engine->submit.tcp_ack = net.tcp_seq + net.payload_size;

    size_t offset = 0;
    uint32_t user_ref_num = 0;
    struct dp_soup_packet soup;
    while (offset < net.payload_size) {
        if (dp_soup_parse(net.payload + offset, net.payload_size - offset, &soup) != DP_SOUP_OK) {
            dp_counter_add(engine->counters, DP_COUNTER_OUCH_MALFORMED, 1);
            return;
        }
        if (soup.type == 'S')
            dp_engine_read_ouch(engine, soup.payload, soup.payload_size, &user_ref_num);
        offset += soup.size;
    }
}

static void read_reports(struct dp_engine *engine)
{
    struct dp_packet packets[32];
    uint32_t count;
    while ((count = dp_port_receive(engine->order_port, packets, 32)) > 0)
        for (uint32_t index = 0; index < count; index++)
            read_frame(engine, &packets[index]);
}

/* The venue's answers that are due: over its end of the port to ours, one at a time, so that what a
 * strategy sends in reply to one answer has left before it hears the next. */
static void take_answers(struct dp_engine *engine, int64_t time_ns)
{
    struct dp_packet packet = {0};
    while ((packet.data = dp_venue_send(engine->venue, time_ns, &packet.size, &packet.time_ns)) !=
        NULL) {
        packet.original_size = packet.size;
        dp_port_send(engine->venue_port, &packet, 1);
        dp_engine_set_now(engine, packet.time_ns);
        read_reports(engine);
        dp_engine_drain(engine);
    }
}

static int64_t replay_next_ns(const struct dp_engine *engine)
{
    return dp_venue_next_ns(engine->venue);
}

static void replay_advance(struct dp_engine *engine, int64_t time_ns)
{
    dp_venue_advance(engine->venue, time_ns);
    take_answers(engine, time_ns);
}

static void replay_on_message(struct dp_engine *engine, const struct dp_itch_message *message)
{
    dp_venue_on_message(engine->venue, message, engine->now_ns);
}

/* The venue ends what is open, and its last answers are taken. */
static void replay_end(struct dp_engine *engine)
{
    dp_venue_end(engine->venue, engine->now_ns);
    dp_engine_advance(engine, INT64_MAX);
}

static void replay_close(struct dp_engine *engine)
{
    if (engine->order_port != NULL) {
        dp_port_close(engine->order_port, NULL);
        dp_port_close(engine->venue_port, NULL);
    }
    if (engine->order_wire != NULL)
        dp_port_close(engine->order_wire, NULL);
    dp_venue_close(engine->venue);
}

static const struct dp_engine_link replay_link = {
    .send = replay_send,
    .drained = deliver_to_venue,
    .next_ns = replay_next_ns,
    .advance = replay_advance,
    .on_message = replay_on_message,
    .end = replay_end,
    .close = replay_close,
};

/* Frames of a replay are whole messages: the gate judges every one, with its limits open. */
static int put_card(struct dp_engine *engine, struct dp_err *err)
{
    const struct dp_engine_card *card = &engine->config.card;
    if (card->name == NULL || card->name[0] == '\0')
        return 0;
    engine->card = dp_card_open(card->name, card->identity, err);
    if (engine->card == NULL)
        return -err->code;
    engine->owns_card = true;
    if (engine->card->capabilities & DP_CARD_CAN_GATE) {
        int status = dp_card_control(engine->card, DP_CARD_GATE, true, err);
        if (status < 0)
            return status;
    }
    int status = dp_feed_put_card(engine->feed, engine->card, err);
    if (status < 0)
        return status;
    struct dp_port *port = dp_port_card_open(engine->order_port, engine->card, err);
    if (port == NULL)
        return -err->code;
    engine->order_wire = engine->order_port;
    engine->order_port = port;
    return 0;
}

struct dp_card *dp_engine_card(const struct dp_engine *engine)
{
    return engine->card;
}

int dp_engine_open_replay(struct dp_engine *engine, struct dp_err *err)
{
    const struct dp_engine_config *config = &engine->config;
    struct dp_venue_config venue = config->venue;
    venue.midnight_ns = config->midnight_ns;
    venue.order_count_max = config->orders.order_count_max;
    venue.us = config->session.us;
    venue.venue = config->session.venue;
    engine->link = &replay_link;
    engine->venue = dp_venue_open(&venue, engine->books, err);
    if (engine->venue == NULL)
        return -err->code;
    int status =
        dp_port_loop_open(&engine->order_port, &engine->venue_port, DP_ENGINE_TX_SLOTS, err);
    return status < 0 ? status : put_card(engine, err);
}

struct dp_venue_stats dp_engine_venue_stats(const struct dp_engine *engine)
{
    return engine->venue != NULL ? dp_venue_stats(engine->venue) : (struct dp_venue_stats){0};
}
