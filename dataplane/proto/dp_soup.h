/*
 * dp_soup - SoupBinTCP 3.00 packets in a byte stream: length (2, big-endian, counts the type), type (1), payload.
 *
 * Pure functions over (bytes, size); TCP segments may cut a packet anywhere.
 */
#ifndef DP_SOUP_H
#define DP_SOUP_H

#include "dp_base.h"

#define DP_SOUP_HEADER_SIZE 3

enum dp_soup_result { DP_SOUP_OK = 0, DP_SOUP_MORE /* the packet is not complete yet */, DP_SOUP_MALFORMED };

struct dp_soup_packet {
    uint8_t type; /* 'S' sequenced data, 'U' unsequenced, 'H' 'R' heartbeats, 'A' 'J' 'L' 'O' 'Z' '+' */
    const uint8_t *payload;
    uint32_t payload_size;
    uint32_t size; /* of the whole packet: where the next one begins */
};

enum dp_soup_result dp_soup_parse(const uint8_t *data, size_t size, struct dp_soup_packet *packet);
size_t dp_soup_build(uint8_t *data, uint8_t type, uint32_t payload_size); /* header only; returns DP_SOUP_HEADER_SIZE */

#endif
