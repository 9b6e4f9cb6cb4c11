/*
 * dp_digest - a 128-bit running fingerprint of a byte stream, cheap enough for the hot path.
 *
 * Not cryptographic: it proves that two honest runs did the same, not that nobody tampered. Two multiply-and-fold
 * lanes over 8-byte little-endian words; the length of each update goes in too, so that records cannot run into
 * each other. docs/replay.md gives the formula. The struct belongs to the caller; one thread.
 */
#ifndef DP_DIGEST_H
#define DP_DIGEST_H

#include "dp_base.h"

#define DP_DIGEST_TEXT_SIZE 33 /* 32 hexadecimal digits and NUL */

struct dp_digest {
    uint64_t lanes[2];
};

void dp_digest_init(struct dp_digest *digest);
void dp_digest_update(struct dp_digest *digest, const void *data, size_t size);
void dp_digest_text(const struct dp_digest *digest, char text[DP_DIGEST_TEXT_SIZE]);

#endif
