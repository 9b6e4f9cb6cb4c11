/*
 * venue_world - books, a venue beside them, and both ends of its wire: for the venue's tests.
 *
 * Prices are in wire units of 1e-4. Every answer is taken apart and checked as a frame: sums,
 * addresses, sequence numbers without a hole, time stamps.
 */
#ifndef VENUE_WORLD_H
#define VENUE_WORLD_H

#include "../check.h"
#include "dp_soup.h"
#include "dp_venue.h"

#define WORLD_MIDNIGHT_NS 1000000

struct world {
    struct dp_books *books;
    struct dp_venue *venue;
    struct dp_venue_config config;
    uint32_t our_seq;
    uint32_t venue_seq;
};

static struct world world_make(
    int64_t order_latency_ns, int64_t report_latency_ns, uint32_t order_count_max)
{
    struct world world = {
        .config =
            {
                .order_latency_ns = order_latency_ns,
                .report_latency_ns = report_latency_ns,
                .midnight_ns = WORLD_MIDNIGHT_NS,
                .order_count_max = order_count_max,
                .us = {{2, 0, 0, 0, 0, 1}, 0x0a000001, 40001},
                .venue = {{2, 0, 0, 0, 0, 2}, 0x0a0000fe, 15000},
            },
        .our_seq = 1,
        .venue_seq = 1,
    };
    const struct dp_books_config books_config = {16, 4096, 1024};
    struct dp_err err = {0};
    size_t size = dp_round_up(dp_books_size(&books_config), DP_CACHE_LINE);
    world.books = aligned_alloc(DP_CACHE_LINE, size);
    memset(world.books, 0, size);
    CHECK_EQUAL(dp_books_init(world.books, &books_config, &err), 0);
    for (uint32_t index = 1; index <= 2; index++) {
        CHECK_EQUAL(dp_book_open(world.books, index, index == 1 ? "AAPL    " : "MSFT    "), 0);
        dp_book_set_trading_state(world.books, index, DP_TRADING_OPEN);
    }
    world.venue = dp_venue_open(&world.config, world.books, &err);
    CHECK_THAT(world.venue != NULL, "%s", err.text);
    return world;
}

static void world_free(struct world *world)
{
    dp_venue_close(world->venue);
    free(world->books);
}

/* ---- our end ---- */

static struct dp_ouch_message world_enter(
    uint32_t number, char side, uint32_t qty, uint64_t price, char time_in_force)
{
    struct dp_ouch_message message = {
        .type = 'O',
        .user_ref_num = number,
        .side = side,
        .qty = qty,
        .price_wire = price,
        .time_in_force = time_in_force,
        .display = 'Y',
        .capacity = 'P',
        .intermarket_sweep = 'N',
        .cross_type = 'N',
    };
    memcpy(message.symbol, "AAPL    ", 8);
    dp_cl_ord_id("T", number, message.cl_ord_id);
    return message;
}

static uint32_t world_frame(
    struct world *world, const struct dp_ouch_message *message, uint8_t frame[256])
{
    uint8_t *soup = frame + DP_NET_TCP_HEADERS_SIZE;
    size_t size = dp_ouch_encode(message, DP_OUCH_INBOUND, soup + DP_SOUP_HEADER_SIZE, 128);
    size += dp_soup_build(soup, 'U', (uint32_t)size);
    return dp_net_build_tcp(frame, &world->config.us, &world->config.venue, (uint32_t)size, 1,
        world->our_seq, world->venue_seq);
}

static bool world_send(struct world *world, const struct dp_ouch_message *message, int64_t time_ns)
{
    uint8_t frame[256];
    uint32_t size = world_frame(world, message, frame);
    world->our_seq += size - DP_NET_TCP_HEADERS_SIZE;
    return dp_venue_receive(world->venue, frame, size, time_ns);
}

/* The next answer due; false when there is none. */
static bool world_hear(
    struct world *world, int64_t now_ns, struct dp_ouch_message *message, int64_t *time_ns)
{
    uint32_t size = 0;
    const uint8_t *frame = dp_venue_send(world->venue, now_ns, &size, time_ns);
    if (frame == NULL)
        return false;
    struct dp_net_packet packet = {0};
    struct dp_soup_packet soup = {0};
    CHECK_EQUAL(dp_net_parse(frame, size, true, &packet), DP_NET_OK);
    CHECK_EQUAL(packet.tcp_seq, world->venue_seq);
    CHECK_EQUAL(packet.source_port, world->config.venue.port);
    CHECK_EQUAL(packet.target_ip, world->config.us.ip);
    world->venue_seq += packet.payload_size;
    CHECK_EQUAL(dp_soup_parse(packet.payload, packet.payload_size, &soup), DP_SOUP_OK);
    CHECK_EQUAL(soup.type, 'S');
    CHECK_EQUAL(soup.size, packet.payload_size);
    CHECK_EQUAL(
        dp_ouch_decode(soup.payload, soup.payload_size, DP_OUCH_OUTBOUND, message), DP_OUCH_OK);
    CHECK_EQUAL((int64_t)message->timestamp_ns + WORLD_MIDNIGHT_NS,
        *time_ns - world->config.report_latency_ns);
    return true;
}

/* ---- the recorded feed ---- */

static void world_apply(struct dp_books *books, const struct dp_itch_message *m, int64_t now_ns)
{
    int64_t price_nanos = (int64_t)m->price4 * DP_ITCH_NANOS_PER_PRICE4;
    switch (m->type) {
    case 'A':
        dp_book_add(books, m->stock_locate, m->order_ref, (enum dp_side)m->side, m->qty,
            price_nanos, now_ns);
        break;
    case 'E':
    case 'C':
    case 'X': dp_book_reduce(books, m->order_ref, m->qty, now_ns); break;
    case 'D': dp_book_remove(books, m->order_ref, now_ns); break;
    case 'U':
        dp_book_replace(books, m->order_ref, m->new_order_ref, m->qty, price_nanos, now_ns);
        break;
    case 'H': dp_book_set_trading_state(books, m->stock_locate, m->code); break;
    default: break;
    }
}

static void world_record(struct world *world, const struct dp_itch_message *message, int64_t now_ns)
{
    dp_venue_on_message(world->venue, message, now_ns);
    world_apply(world->books, message, now_ns);
}

#endif
