/*
 * dp_soup - SoupBinTCP 3.00 packets in a byte stream: length (2, big-endian, counts the type), type
 * (1), payload.
 *
 * Pure functions over (bytes, size), any thread; nothing is read past size. TCP segments may cut a
 * packet anywhere, even between the two bytes of its length.
 */
#ifndef DP_SOUP_H
#define DP_SOUP_H

#include "dp_base.h"

#define DP_SOUP_HEADER_SIZE 3
#define DP_SOUP_PAYLOAD_MAX 65534 /* what the length field can say */

enum dp_soup_result {
    DP_SOUP_OK = 0,
    DP_SOUP_MORE,      /* so far good, but the packet is not complete yet */
    DP_SOUP_MALFORMED, /* length 0, a type that does not exist, or a length its type cannot have:
                          the stream cannot be followed any further */
};

struct dp_soup_packet {
    uint8_t type; /* 'S' sequenced data, 'U' unsequenced data, 'H' 'R' heartbeats, 'A' 'J' answers
                     to a login 'L', 'O' logout, 'Z' end of session, '+' debug text */
    const uint8_t *payload; /* inside the input */
    uint32_t payload_size;
    uint32_t size; /* of the whole packet: where the next one begins */
};

/* Takes the first packet off the stream. *packet is set only when the result is DP_SOUP_OK. */
enum dp_soup_result dp_soup_parse(const uint8_t *data, size_t size, struct dp_soup_packet *packet);
/* Writes the header before a payload that stands at data + DP_SOUP_HEADER_SIZE; payload_size at
 * most DP_SOUP_PAYLOAD_MAX. Returns DP_SOUP_HEADER_SIZE. */
size_t dp_soup_build(uint8_t *data, uint8_t type, uint32_t payload_size);

#endif
