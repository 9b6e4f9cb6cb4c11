/*
 * dp_digest - a 128-bit running fingerprint of a byte stream, cheap enough for the hot path.
 *
 * Not cryptographic: it proves that two honest runs did the same, not that nobody tampered. Two
 * lanes of multiply-and-fold; each starts at a seed. An update takes its bytes as pairs of 8-byte
 * little-endian words, the last pair filled up with zeros, numbers the words from 1 and sums the
 * pairs up, one multiplication each, none of which waits for another:
 *
 *     key     = number * 9e3779b97f4a7c15                               in 64 bits
 *     product = (first word ^ its key) * (second word ^ its key)        in 128 bits
 *     sum 0  += low half of product ^ high half of product
 *     sum 1  += low half of product + high half of product
 *
 * Then each lane takes its sum, and the size, so that records cannot run into each other:
 *
 *     product = (lane ^ (sum + size)) * multiplier                      in 128 bits
 *     lane    = low half of product ^ high half of product
 *
 *     lane 0: seed 3c6ef372fe94f82b, multiplier 6a09e667f3bcc909
 *     lane 1: seed a54ff53a5f1d36f1, multiplier bb67ae8584caa73b
 *
 * (square roots of 5, 2, 7 and 3 after the point, the multipliers odd). As text: lane 0, then lane
 * 1, 16 lower-case hexadecimal digits each. The struct belongs to the caller; one thread.
 */
#ifndef DP_DIGEST_H
#define DP_DIGEST_H

#include "dp_base.h"

#define DP_DIGEST_TEXT_SIZE 33 /* 32 hexadecimal digits and NUL */
#define DP_DIGEST_RECORD_SIZE 96

struct dp_digest {
    uint64_t lanes[2];
};

void dp_digest_init(struct dp_digest *digest);
void dp_digest_update(struct dp_digest *digest, const void *data, size_t size);
/* The same of so many bytes as an event has, without a loop. */
void dp_digest_record(struct dp_digest *digest, const void *record);
void dp_digest_text(const struct dp_digest *digest, char text[DP_DIGEST_TEXT_SIZE]);

#endif
