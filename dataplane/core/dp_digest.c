#include "dp_digest.h"

#define LANE_0_SEED 0x3c6ef372fe94f82bull
#define LANE_1_SEED 0xa54ff53a5f1d36f1ull
#define LANE_0_MULTIPLIER 0x6a09e667f3bcc909ull
#define LANE_1_MULTIPLIER 0xbb67ae8584caa73bull

__extension__ typedef unsigned __int128 product;

static inline uint64_t fold(uint64_t lane, uint64_t word, uint64_t multiplier)
{
    product wide = (product)(lane ^ word) * multiplier;
    return (uint64_t)wide ^ (uint64_t)(wide >> 64);
}

static inline void feed(struct dp_digest *digest, uint64_t word)
{
    digest->lanes[0] = fold(digest->lanes[0], word, LANE_0_MULTIPLIER);
    digest->lanes[1] = fold(digest->lanes[1], word, LANE_1_MULTIPLIER);
}

void dp_digest_init(struct dp_digest *digest)
{
    digest->lanes[0] = LANE_0_SEED;
    digest->lanes[1] = LANE_1_SEED;
}

static inline void feed_bytes(struct dp_digest *digest, const uint8_t *bytes)
{
    uint64_t word;
    memcpy(&word, bytes, sizeof(word));
    feed(digest, word);
}

void dp_digest_update(struct dp_digest *digest, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    struct dp_digest running = *digest;
    feed(&running, size);
    for (; size >= 4 * sizeof(uint64_t); size -= 4 * sizeof(uint64_t)) {
        feed_bytes(&running, bytes);
        feed_bytes(&running, bytes + 8);
        feed_bytes(&running, bytes + 16);
        feed_bytes(&running, bytes + 24);
        bytes += 32;
    }
    for (; size >= sizeof(uint64_t); size -= sizeof(uint64_t), bytes += sizeof(uint64_t))
        feed_bytes(&running, bytes);
    if (size > 0) {
        uint64_t word = 0;
        memcpy(&word, bytes, size);
        feed(&running, word);
    }
    *digest = running;
}

void dp_digest_text(const struct dp_digest *digest, char text[DP_DIGEST_TEXT_SIZE])
{
    snprintf(text, DP_DIGEST_TEXT_SIZE, "%016llx%016llx", (unsigned long long)digest->lanes[0],
        (unsigned long long)digest->lanes[1]);
}
