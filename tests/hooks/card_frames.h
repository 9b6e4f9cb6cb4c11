/*
 * card_frames - frames for the tests of cards: a feed's packets, and an order session's.
 */
#ifndef CARD_FRAMES_H
#define CARD_FRAMES_H

#include "dp_moldudp.h"
#include "dp_net.h"
#include "dp_ouch.h"
#include "dp_soup.h"

#define FEED_PORT 26477u
#define ADD_SIZE 36u /* ITCH 5.0, Add Order without MPID */

static const struct dp_net_endpoint card_venue = {{2, 0, 0, 0, 0, 10}, 0x0a070001, 15000};
static const struct dp_net_endpoint card_group = {{1, 0, 0x5e, 0, 0, 1}, 0xe9360c01, FEED_PORT};
static const struct dp_net_endpoint card_us = {{2, 0, 0, 0, 0, 11}, 0x0a070002, 4000};

struct card_frame {
    uint32_t size;
    uint8_t data[512];
};

/* One packet with an add order of each instrument: type 'R' for a directory message instead. */
static inline struct card_frame card_feed_frame(
    const char *session, uint64_t sequence, const uint16_t *locates, uint16_t count, uint8_t type)
{
    struct card_frame frame = {0};
    uint8_t *payload = frame.data + DP_NET_UDP_HEADERS_SIZE;
    uint32_t size = (uint32_t)dp_moldudp_build(payload, (const uint8_t *)session, sequence, count);
    for (uint16_t index = 0; index < count; index++) {
        dp_store_be16(payload + size, ADD_SIZE);
        payload[size + 2] = type;
        dp_store_be16(payload + size + 3, locates[index]);
        memset(payload + size + 5, 0x5a, ADD_SIZE - 3);
        size += 2 + ADD_SIZE;
    }
    frame.size = dp_net_build_udp(frame.data, &card_venue, &card_group, size, 7);
    return frame;
}

/* Puts an 802.1Q tag before the type of the frame. */
static inline void card_tag(struct card_frame *frame)
{
    memmove(frame->data + 16, frame->data + 12, frame->size - 12);
    dp_store_be16(frame->data + 12, 0x8100);
    dp_store_be16(frame->data + 14, 100);
    frame->size += 4;
}

/* Puts one SoupBinTCP packet with that OUCH message behind what the frame holds. */
static inline void card_add_message(struct card_frame *frame, const struct dp_ouch_message *message)
{
    uint32_t at = frame->size == 0 ? DP_NET_TCP_HEADERS_SIZE : frame->size;
    uint8_t *soup = frame->data + at;
    size_t size = dp_ouch_encode(message, DP_OUCH_INBOUND, soup + DP_SOUP_HEADER_SIZE, 128);
    dp_soup_build(soup, 'U', (uint32_t)size);
    frame->size = dp_net_build_tcp(frame->data, &card_us, &card_venue,
        at + DP_SOUP_HEADER_SIZE + (uint32_t)size - DP_NET_TCP_HEADERS_SIZE, 1, 1, 1);
}

static inline struct dp_ouch_message card_order(uint8_t type, uint32_t qty, uint64_t price)
{
    return (struct dp_ouch_message){.type = type,
        .side = 'B',
        .time_in_force = '0',
        .display = 'Y',
        .capacity = 'P',
        .intermarket_sweep = 'N',
        .cross_type = 'N',
        .user_ref_num = 1,
        .qty = qty,
        .price_wire = price,
        .symbol = "AAPL   ",
        .cl_ord_id = "TP00000001   "};
}

static inline void card_add_order(
    struct card_frame *frame, uint8_t type, uint32_t qty, uint64_t price)
{
    struct dp_ouch_message message = card_order(type, qty, price);
    card_add_message(frame, &message);
}

static inline struct card_frame card_order_frame(uint8_t type, uint32_t qty, uint64_t price)
{
    struct card_frame frame = {0};
    card_add_order(&frame, type, qty, price);
    return frame;
}

#endif
