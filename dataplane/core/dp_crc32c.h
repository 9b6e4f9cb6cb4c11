/*
 * dp_crc32c - CRC-32C (Castagnoli) of any bytes, and fast of one journal record.
 *
 * The processor's instruction takes eight bytes and three cycles, and each waits for the one
 * before: 128 bytes in a row would cost 48 cycles. So a record runs as four lanes of 32 bytes side
 * by side, and three carry-less multiplications move the lanes' sums to where they belong. The
 * result is the plain CRC-32C of the 128 bytes. What comes last in them (the chain) is needed last:
 * the rest is done before the sum of the record before is known.
 *
 * Pure functions; any thread.
 */
#ifndef DP_CRC32C_H
#define DP_CRC32C_H

#include "dp_base.h"

#if defined(__SSE4_2__) && defined(__PCLMUL__)
#include <immintrin.h>
#define DP_CRC32C_LANES 1
#endif

#define DP_CRC32C_PAYLOAD_WORDS 12
#define DP_CRC32C_TRAILER_WORDS 4

/* Start with 0; a value may be continued. In hardware where the build allows it. */
uint32_t dp_crc32c(uint32_t crc, const void *data, size_t size);
uint32_t dp_crc32c_portable(uint32_t crc, const void *data, size_t size); /* the same without */

#ifdef DP_CRC32C_LANES

/* x^(8n-33) modulo the polynomial, bits reflected: moves a sum over n bytes. */
#define DP_CRC32C_MOVE_32 0xba4fc28e
#define DP_CRC32C_MOVE_64 0x9e4addf8
#define DP_CRC32C_MOVE_96 0x0715ce53

static inline __m128i dp_crc32c_move(uint64_t sum, uint32_t constant)
{
    return _mm_clmulepi64_si128(
        _mm_cvtsi64_si128((int64_t)sum), _mm_cvtsi64_si128((int64_t)(uint64_t)constant), 0);
}

static inline uint64_t dp_crc32c_word(const void *payload, uint32_t index)
{
    uint64_t word;
    memcpy(&word, (const uint8_t *)payload + index * sizeof(word), sizeof(word));
    return word;
}

/* Of 96 and 32 bytes as one run. Each word is loaded by itself: of a payload just stored in words,
 * a wider load would wait until they have reached the cache. */
static inline uint32_t dp_crc32c_record(const void *payload, const uint64_t trailer[4])
{
    uint64_t lanes[4] = {UINT32_MAX, 0, 0, 0};
    for (uint32_t index = 0; index < 4; index++) {
        lanes[0] = _mm_crc32_u64(lanes[0], dp_crc32c_word(payload, index));
        lanes[1] = _mm_crc32_u64(lanes[1], dp_crc32c_word(payload, 4 + index));
        lanes[2] = _mm_crc32_u64(lanes[2], dp_crc32c_word(payload, 8 + index));
        if (index < 3)
            lanes[3] = _mm_crc32_u64(lanes[3], trailer[index]);
    }
    __m128i moved = _mm_xor_si128(dp_crc32c_move(lanes[0], DP_CRC32C_MOVE_96),
        _mm_xor_si128(dp_crc32c_move(lanes[1], DP_CRC32C_MOVE_64),
            dp_crc32c_move(lanes[2], DP_CRC32C_MOVE_32)));
    lanes[3] = _mm_crc32_u64(lanes[3], trailer[3] ^ (uint64_t)_mm_cvtsi128_si64(moved));
    return ~(uint32_t)lanes[3];
}

#else

static inline uint32_t dp_crc32c_record(const void *payload, const uint64_t trailer[4])
{
    uint32_t crc = dp_crc32c(0, payload, DP_CRC32C_PAYLOAD_WORDS * sizeof(uint64_t));
    return dp_crc32c(crc, trailer, DP_CRC32C_TRAILER_WORDS * sizeof(uint64_t));
}

#endif

#endif
