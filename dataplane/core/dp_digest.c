#include "dp_digest.h"

#define LANE_0_SEED 0x3c6ef372fe94f82bull
#define LANE_1_SEED 0xa54ff53a5f1d36f1ull
#define LANE_0_MULTIPLIER 0x6a09e667f3bcc909ull
#define LANE_1_MULTIPLIER 0xbb67ae8584caa73bull
#define KEY_STEP 0x9e3779b97f4a7c15ull
#define PAIR_SIZE (2 * sizeof(uint64_t))

__extension__ typedef unsigned __int128 product;

struct sums {
    uint64_t sums[2];
    uint64_t key; /* of the word before the next pair */
};

static inline void add_pair(struct sums *sums, const uint8_t *bytes)
{
    uint64_t words[2];
    memcpy(words, bytes, sizeof(words));
    uint64_t first = words[0] ^ (sums->key + KEY_STEP);
    uint64_t second = words[1] ^ (sums->key + 2 * KEY_STEP);
    product wide = (product)first * second;
    uint64_t low = (uint64_t)wide;
    uint64_t high = (uint64_t)(wide >> 64);
    sums->sums[0] += low ^ high;
    sums->sums[1] += low + high;
    sums->key += 2 * KEY_STEP;
}

static inline uint64_t fold(uint64_t lane, uint64_t sum, uint64_t multiplier)
{
    product wide = (product)(lane ^ sum) * multiplier;
    return (uint64_t)wide ^ (uint64_t)(wide >> 64);
}

void dp_digest_init(struct dp_digest *digest)
{
    digest->lanes[0] = LANE_0_SEED;
    digest->lanes[1] = LANE_1_SEED;
}

static inline void fold_in(struct dp_digest *digest, const struct sums *sums, size_t size)
{
    digest->lanes[0] = fold(digest->lanes[0], sums->sums[0] + size, LANE_0_MULTIPLIER);
    digest->lanes[1] = fold(digest->lanes[1], sums->sums[1] + size, LANE_1_MULTIPLIER);
}

void dp_digest_record(struct dp_digest *digest, const void *record)
{
    struct sums sums = {0};
    DP_UNROLL
    for (size_t offset = 0; offset < DP_DIGEST_RECORD_SIZE; offset += PAIR_SIZE)
        add_pair(&sums, (const uint8_t *)record + offset);
    fold_in(digest, &sums, DP_DIGEST_RECORD_SIZE);
}

void dp_digest_update(struct dp_digest *digest, const void *data, size_t size)
{
    const uint8_t *bytes = data;
    size_t left = size;
    struct sums sums = {0};
    for (; left >= 2 * PAIR_SIZE; left -= 2 * PAIR_SIZE, bytes += 2 * PAIR_SIZE) {
        add_pair(&sums, bytes);
        add_pair(&sums, bytes + PAIR_SIZE);
    }
    for (; left > 0; left -= left < PAIR_SIZE ? left : PAIR_SIZE, bytes += PAIR_SIZE) {
        uint8_t filled[PAIR_SIZE] = {0};
        memcpy(filled, bytes, left < PAIR_SIZE ? left : PAIR_SIZE);
        add_pair(&sums, filled);
    }
    fold_in(digest, &sums, size);
}

void dp_digest_text(const struct dp_digest *digest, char text[DP_DIGEST_TEXT_SIZE])
{
    snprintf(text, DP_DIGEST_TEXT_SIZE, "%016llx%016llx", (unsigned long long)digest->lanes[0],
        (unsigned long long)digest->lanes[1]);
}
